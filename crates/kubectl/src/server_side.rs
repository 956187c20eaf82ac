//! `kubectl apply --server-side`, and how an object comes to it from `kubectl apply` without. Upstream:
//! `kubectl/pkg/cmd/apply` and `client-go/util/csaupgrade`.

use api::patch::apply::{Element, Managers, Operation};
use api::request::Verb;
use api::{Object, ObjectRef, Patch, PatchKind, Reason, Request, Status};
use serde_json::{Value, json};

use crate::apply::{ApplyOptions, CLIENT_SIDE_APPLY, LAST_APPLIED};
use crate::manifest::Manifest;
use crate::resource;
use crate::task::Call;

/// Applies in the server unless `--field-manager` says otherwise.
const SERVER_SIDE_APPLY: &str = "kubectl";
/// Keeps the annotation that is needed to go back.
const KEEPER_OF_LAST_APPLIED: &str = "kubectl-last-applied";

/// How often owners of fields are taken over before giving up.
const TRIES_MAX: u32 = 5;

pub(crate) fn apply(call: &mut Call, manifest: &Manifest, options: &ApplyOptions) -> Result<ObjectRef, Status> {
    let config = || patch(PatchKind::Apply, manifest.value.clone());
    let mut object = send(call, manifest, options, SERVER_SIDE_APPLY, config())?;
    if options.dry_run {
        return Ok(object);
    }
    let manager = options.manager(SERVER_SIDE_APPLY).to_owned();
    if manager == SERVER_SIDE_APPLY
        && let Some(annotation) = unkept_annotation(&*object)
    {
        let body = patch(PatchKind::Apply, annotation);
        let keeper = ApplyOptions { field_manager: KEEPER_OF_LAST_APPLIED.into(), ..options.clone() };
        object = send(call, manifest, &keeper, KEEPER_OF_LAST_APPLIED, body)?;
    }
    let mut tries = TRIES_MAX;
    while let Some(upgrade) = upgraded(&*object, &manager) {
        tries -= 1;
        match send(call, manifest, options, SERVER_SIDE_APPLY, patch(PatchKind::Json, upgrade)) {
            // What the manifest has left out since goes by this one.
            Ok(_) => return send(call, manifest, options, SERVER_SIDE_APPLY, config()),
            // A controller has been faster.
            Err(status) if status.reason == Reason::Conflict && tries > 0 => {
                object = resource::get(call, manifest.kind, &manifest.namespace, &manifest.name)?;
            }
            Err(status) => return Err(status),
        }
    }
    Ok(object)
}

fn patch(kind: PatchKind, value: Value) -> Patch {
    Patch { kind, value }
}

fn send(
    call: &mut Call,
    manifest: &Manifest,
    options: &ApplyOptions,
    manager: &str,
    patch: Patch,
) -> Result<ObjectRef, Status> {
    let scope = resource::scope(manifest.kind, &manifest.namespace);
    let applies = patch.kind == PatchKind::Apply;
    let subresource = resource::subresource(manifest.kind, &options.subresource)?;
    let mut request = Request::of(Verb::Patch, manifest.kind.id, scope, &manifest.name).on(subresource).body(patch);
    request.options = options.request(manager);
    request.options.force = applies && options.force_conflicts;
    resource::expect_object(call.request(request)?)
}

fn managers(object: &dyn Object) -> Option<Managers> {
    Managers::decode(object.meta().managed_fields.as_deref()?)
}

/// A configuration of the annotation that `kubectl apply` has left, if no manager applies it.
fn unkept_annotation(object: &dyn Object) -> Option<Value> {
    let text = api::meta::annotation(object.meta(), LAST_APPLIED)?;
    let path = ["metadata", "annotations", LAST_APPLIED].map(Element::field);
    let is_kept =
        managers(object)?.iter().any(|manager| manager.operation == Operation::Apply && manager.fields.contains(&path));
    if is_kept {
        return None;
    }
    let kind = api::kinds::row(object.kind_id());
    Some(json!({
        "apiVersion": kind.api_version(),
        "kind": kind.kind,
        "metadata": {
            "name": object.name(),
            "namespace": object.meta().namespace,
            "annotations": { LAST_APPLIED: text },
        },
    }))
}

/// The patch by which what `kubectl apply` owns becomes what the manager applies.
fn upgraded(object: &dyn Object, manager: &str) -> Option<Value> {
    let mut managers = managers(object)?;
    if !managers.upgrade(CLIENT_SIDE_APPLY, manager) {
        return None;
    }
    let revision = object.meta().resource_version.as_deref().unwrap_or_default();
    Some(json!([
        { "op": "replace", "path": "/metadata/managedFields", "value": managers.encode() },
        { "op": "replace", "path": "/metadata/resourceVersion", "value": revision },
    ]))
}
