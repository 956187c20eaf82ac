//! Applying a manifest: the three-way merge with the configuration that was applied last.

use api::request::{FieldValidation, Options, Verb};
use api::{Patch, PatchKind, Request, Status, patch};
use client::Client;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::manifest::{self, Manifest};
use crate::resource;
use crate::server_side;
use crate::session::State;
use crate::task::{Call, Io};

/// Where `apply` keeps what it has applied.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The manager of what is applied without `--server-side`.
pub(crate) const CLIENT_SIDE_APPLY: &str = "kubectl-client-side-apply";

/// What became of one document of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct AppliedDoc {
    /// `Deployment`, or empty when the document could not be read.
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub outcome: Outcome,
    /// The line of the field that an error is about, or else of the document. Counted from 1.
    pub line: u32,
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Created,
    Configured,
    Unchanged,
    /// The server's answer.
    Refused(Status),
    /// The text is no manifest: the message without `error: `.
    Misread(String),
}

/// `kubectl apply -f` for an editor: applies every document of `text`. A text that is no YAML gives one `Misread`.
pub fn apply_manifest(client: &mut Client, text: &str, namespace: &str, dry_run: bool) -> Vec<AppliedDoc> {
    let source = "manifest";
    let misread = |misread: manifest::Misread| AppliedDoc {
        kind: String::new(),
        namespace: String::new(),
        name: String::new(),
        outcome: Outcome::Misread(misread.failure.text().trim_start_matches("error: ").trim_end().to_owned()),
        line: misread.line,
        warnings: Vec::new(),
    };
    let documents = match manifest::documents(text, source) {
        Ok(documents) => documents,
        Err(error) => return vec![misread(error)],
    };
    let place = manifest::Place { namespace: namespace.into(), validates: true, ..manifest::Place::default() };
    let mut applied = Vec::new();
    for document in documents {
        let manifest = match manifest::resolve(client, document, source, &place) {
            Ok(manifest) => manifest,
            Err(error) => {
                applied.push(misread(error));
                continue;
            }
        };
        let (mut state, mut io) = (State::default(), Io::default());
        let mut call = Call { client, state: &mut state, io: &mut io };
        let outcome = match apply_one(&mut call, &manifest, &ApplyOptions { dry_run, ..ApplyOptions::default() }) {
            Ok((change, _)) => change.into(),
            Err(mut status) => {
                // An editor knows what it has sent.
                if let Some(bare) = status.message.strip_prefix(&format!("error when creating {source:?}: "))
                    && status.is_invalid()
                {
                    status.message = bare.to_owned();
                }
                Outcome::Refused(status)
            }
        };
        applied.push(AppliedDoc {
            kind: manifest.kind.kind.into(),
            namespace: manifest.namespace.clone(),
            name: manifest.name.clone(),
            line: line_of(&manifest, &outcome),
            warnings: io.error_lines().map(|line| line.trim_start_matches("Warning: ").to_owned()).collect(),
            outcome,
        });
    }
    applied
}

/// The line of the first field that a refusal names, or the document's.
fn line_of(manifest: &Manifest, outcome: &Outcome) -> u32 {
    let Outcome::Refused(status) = outcome else { return manifest.document.line };
    let named = status.details.iter().flat_map(|details| &details.causes).map(|cause| cause.field.as_str());
    let quoted = status.message.split('"').skip(1).step_by(2).filter(|text| text.contains('.'));
    let field = named.chain(quoted).find(|field| !field.is_empty()).unwrap_or_default();
    if field.is_empty() { manifest.document.line } else { manifest.document.line_of(field) }
}

/// What applying a document has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Created,
    Configured,
    Unchanged,
    ServerSide,
}

impl From<Change> for Outcome {
    fn from(change: Change) -> Outcome {
        match change {
            Change::Created => Outcome::Created,
            Change::Unchanged => Outcome::Unchanged,
            Change::Configured | Change::ServerSide => Outcome::Configured,
        }
    }
}

impl Change {
    pub fn as_str(self) -> &'static str {
        match self {
            Change::Created => "created",
            Change::Configured => "configured",
            Change::Unchanged => "unchanged",
            Change::ServerSide => "serverside-applied",
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ApplyOptions {
    pub dry_run: bool,
    /// Leaves the annotation alone that remembers what was applied: for `diff`.
    pub forgets: bool,
    /// Refuses to patch an object that has changed since it was read.
    pub locks: bool,
    pub server_side: bool,
    pub force_conflicts: bool,
    /// What of the object is applied to, with `server_side`; empty for the object itself.
    pub subresource: String,
    pub field_manager: String,
    pub validation: Option<FieldValidation>,
}

impl ApplyOptions {
    /// The manager that was asked for, or else this one.
    pub fn manager<'a>(&'a self, default: &'a str) -> &'a str {
        if self.field_manager.is_empty() { default } else { &self.field_manager }
    }

    pub fn request(&self, manager: &str) -> Options {
        Options {
            dry_run: self.dry_run,
            field_manager: self.manager(manager).into(),
            field_validation: self.validation.unwrap_or(FieldValidation::Strict),
            ..Options::default()
        }
    }
}

/// A JSON text as Go writes it, with the line end that the annotation has.
pub(crate) fn annotation_text(value: &Value) -> String {
    crate::output::escape_html(&value.to_string()) + "\n"
}

/// The manifest with a map of annotations, but without the one that remembers it.
fn without_last_applied(value: &Value) -> Value {
    let mut value = value.clone();
    match value["metadata"]["annotations"].as_object_mut() {
        Some(annotations) => drop(annotations.remove(LAST_APPLIED)),
        None => value["metadata"]["annotations"] = json!({}),
    }
    value
}

/// The manifest with the annotation that remembers it.
pub(crate) fn with_last_applied(value: &Value) -> Value {
    let mut value = without_last_applied(value);
    let text = annotation_text(&value);
    value["metadata"]["annotations"][LAST_APPLIED] = text.into();
    value
}

/// Applies one document. Returns what the server has afterwards.
pub(crate) fn apply_one(
    call: &mut Call,
    manifest: &Manifest,
    options: &ApplyOptions,
) -> Result<(Change, api::ObjectRef), Status> {
    let Manifest { kind, namespace, name, .. } = manifest;
    let scope = resource::scope(kind, namespace).to_owned();
    if options.server_side {
        return Ok((Change::ServerSide, server_side::apply(call, manifest, options)?));
    }
    let remembers = if options.forgets { without_last_applied } else { with_last_applied };
    let wanted = remembers(&manifest.value);
    let current = match name.as_str() {
        "" => Err(Status::not_found(kind, name)),
        _ => resource::get(call, kind, namespace, name),
    };
    let current = match current {
        Ok(current) => current,
        Err(status) if status.is_not_found() => {
            let mut request = Request::of(Verb::Create, kind.id, &scope, "").body(wanted);
            request.options = options.request(CLIENT_SIDE_APPLY);
            let object = call.request(request).and_then(resource::expect_object);
            return Ok((Change::Created, object.map_err(|status| during("creating", manifest, status))?));
        }
        Err(status) => return Err(status),
    };
    let current_value = current.to_value();
    let original = api::meta::annotation(current.meta(), LAST_APPLIED)
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or(Value::Null);
    if original.is_null() && !options.dry_run {
        call.io.err_line(format!(
            "Warning: resource {}/{name} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. \
             kubectl apply should only be used on resources created declaratively by either kubectl create --save-config \
             or kubectl apply. The missing annotation will be patched automatically.",
            kind.plural
        ));
    }
    let mut body = three_way(kind, &original, &wanted, &current_value)?;
    if body.value.as_object().is_none_or(serde_json::Map::is_empty) {
        return Ok((Change::Unchanged, current));
    }
    if options.locks {
        body.value["metadata"]["resourceVersion"] = current.revision().to_string().into();
    }
    let text = body.value.to_string();
    let mut request = Request::of(Verb::Patch, kind.id, &scope, name).body(body);
    request.options = options.request(CLIENT_SIDE_APPLY);
    let object = call.request(request).and_then(resource::expect_object);
    let object = object.map_err(|mut status| {
        if !status.is_invalid() {
            let resource = format!("Resource: \"{}, Resource={}\", GroupVersionKind: \"{}, Kind={}\"", version(kind), kind.plural, version(kind), kind.kind);
            status.message = format!(
                "error when applying patch:\n{text}\nto:\n{resource}\nName: {name:?}, Namespace: {namespace:?}\nfor: {:?}: error when patching {:?}: {}",
                manifest.source, manifest.source, status.message
            );
        }
        status
    })?;
    Ok((Change::Configured, object))
}

/// The patch that brings `current` to where `modified` wants it, without what only `original` had. Custom resources have no
/// types, by which strategic merge goes.
pub(crate) fn three_way(
    kind: &api::Kind,
    original: &Value,
    modified: &Value,
    current: &Value,
) -> Result<Patch, Status> {
    if kind.id.is_custom() {
        return Ok(Patch { kind: PatchKind::Merge, value: patch::three_way_merge(original, modified, current) });
    }
    let value = patch::three_way_strategic(kind, original, modified, current)?;
    Ok(Patch { kind: PatchKind::StrategicMerge, value })
}

/// `/v1`, `apps/v1`: as Go prints a GroupVersion.
pub(crate) fn version(kind: &api::Kind) -> String {
    if kind.group.is_empty() { format!("/{}", kind.version) } else { kind.api_version() }
}

/// Says which file an error comes from.
pub(crate) fn during(doing: &str, manifest: &Manifest, mut status: Status) -> Status {
    status.message = format!("error when {doing} {:?}: {}", manifest.source, status.message);
    status
}

/// The refusal of a document, for the command line.
pub(crate) fn refusal(status: Status) -> Failure {
    if status.is_conflict() && status.message.starts_with("Apply failed with") {
        return Failure::error(format!("{}\n{CONFLICT_ADVICE}", status.message));
    }
    status.into()
}

const CONFLICT_ADVICE: &str = "\
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts";
