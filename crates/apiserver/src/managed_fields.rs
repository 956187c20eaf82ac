//! Who owns which field: `metadata.managedFields`, and server-side apply. Upstream: `apiserver/pkg/endpoints/handlers`
//! and `apimachinery/pkg/util/managedfields`; the sets and the merging are [`api::patch::apply`].
//!
//! Known difference: an object that a component makes from a typed struct begins without managers, as if they had been
//! cleared at its creation, so that components do not pay for what nobody reads. The first to apply to it finds
//! `before-first-apply` as the owner of what is there. Everything that came as JSON (from kubectl, from HTTP, from the
//! installer) is tracked from its creation, and then through the components' writes as well.

mod scale;

use api::custom::CustomKind;
use api::patch::apply::{Managers, Refusal, Set, Shape, Target, Writer, conflict_status, still_applied, validate};
use api::types::ManagedFieldsEntry;
use api::{Draft, Kind, Object, ObjectRef, Reason, Request, Status, Subresource, kinds, schema, time};
use serde_json::{Value, json};

use crate::Context;

pub(crate) use scale::ScaleManagers;

type Entries = Option<Vec<ManagedFieldsEntry>>;

/// kubectl's own manager, for which what `kubectl apply` has noted of itself counts.
const KUBECTL: &str = "kubectl";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What is known of the fields of an endpoint.
struct Fields {
    kind: &'static Kind,
    shape: Shape<'static>,
    reset: Set,
    empty: Value,
}

impl Fields {
    fn of(kind: &'static Kind, request: &Request) -> Fields {
        let mut empty = json!({ "apiVersion": kind.api_version(), "kind": kind.kind });
        fill(kind, &mut empty);
        Fields { kind, shape: shape_of(kind), reset: reset_fields(kind, request.subresource), empty }
    }

    /// An object as its client sees it, but for its managers.
    fn form(&self, object: &dyn Object) -> Value {
        let mut value = match self.kind.view.filter(|view| object.kind_id() == view.stored) {
            Some(view) => (view.from_stored)(api::wire::unmanaged(object)),
            None => api::wire::unmanaged_form(object),
        };
        fill(self.kind, &mut value);
        value
    }

    fn with_target<T>(&self, act: impl FnOnce(&Target) -> T) -> T {
        let serves =
            |version: &str| version == self.kind.api_version() || kinds::by_kind(version, self.kind.kind).is_some();
        act(&Target { shape: self.shape, reset: &self.reset, empty: &self.empty, serves: &serves })
    }
}

/// What merging must know of a kind's objects.
pub(crate) fn shape_of(kind: &'static Kind) -> Shape<'static> {
    let schema = kind.custom.and_then(CustomKind::schema);
    schema.map_or_else(|| Shape::of_kind(kind), Shape::of_schema)
}

fn fill(kind: &Kind, object: &mut Value) {
    if let Some(name) = schema::of_kind(kind) {
        schema::fill_by_value(name, object);
    }
}

/// The fields that an endpoint passes over: the strategies' `GetResetFields`.
fn reset_fields(kind: &Kind, subresource: Subresource) -> Set {
    Set::of(match (subresource, kind.kind) {
        (Subresource::Status, "Deployment") => &["spec", "metadata.labels"],
        (Subresource::Status, "Pod") => &["spec", "metadata.deletionTimestamp", "metadata.ownerReferences"],
        (Subresource::Status, "CustomResourceDefinition") => &["spec", "metadata"],
        (Subresource::Status, _) => &["spec"],
        _ if kind.has(Subresource::Status) => &["status"],
        _ => &[],
    })
}

fn writer(context: &Context, request: &Request, api_version: String) -> Writer {
    let name = match request.options.field_manager.as_str() {
        "" => context.caller.agent.to_owned(),
        name => name.to_owned(),
    };
    Writer { name, api_version, subresource: request.subresource.as_str().into(), now: time::stamp(context.now) }
}

fn decoded(entries: &Entries) -> Managers {
    entries.as_deref().and_then(Managers::decode).unwrap_or_default()
}

/// The client says that nobody owns anything: an empty list, or one empty entry.
fn is_reset(entries: &Entries) -> bool {
    match entries.as_deref() {
        Some([]) => true,
        Some([one]) => *one == ManagedFieldsEntry::default(),
        _ => false,
    }
}

/// Settles the managers of an object that a client creates.
pub(crate) fn create(context: &Context, served: &'static Kind, request: &Request, object: &mut dyn Object) {
    let sent = object.meta_mut().managed_fields.take();
    let fields = Fields::of(served, request);
    let mut managers = if is_reset(&sent) { Managers::default() } else { decoded(&sent) };
    let writer = writer(context, request, fields.kind.api_version());
    let new = fields.form(object);
    fields.with_target(|target| managers.update(target, &fields.empty, &new, &writer));
    object.meta_mut().managed_fields = managers.encode();
}

/// Settles the managers of an object that a PUT or PATCH has made of another.
pub(crate) fn update(
    context: &Context,
    served: &'static Kind,
    request: &Request,
    old: &dyn Object,
    new: &mut dyn Object,
) {
    let before = &old.meta().managed_fields;
    let sent = new.meta_mut().managed_fields.take();
    let through_subresource = request.subresource != Subresource::None;
    let mut managers = match sent.as_deref().and_then(Managers::decode) {
        _ if through_subresource => decoded(before),
        _ if is_reset(&sent) => Managers::default(),
        Some(sent) if !sent.is_empty() => sent,
        _ => decoded(before),
    };
    if managers.is_empty() {
        return;
    }
    let fields = Fields::of(served, request);
    let writer = writer(context, request, fields.kind.api_version());
    let (live, state) = (fields.form(old), fields.form(new));
    fields.with_target(|target| managers.update(target, &live, &state, &writer));
    new.meta_mut().managed_fields = managers.encode();
}

/// A write that changes nothing but the managers' times changes nothing.
pub(crate) fn keep_times(old: &dyn Object, new: &mut dyn Object) {
    let timeless = |entries: &Entries| -> Vec<ManagedFieldsEntry> {
        let entries = entries.iter().flatten();
        entries.map(|entry| ManagedFieldsEntry { time: None, ..entry.clone() }).collect()
    };
    let before = &old.meta().managed_fields;
    if *before == new.meta().managed_fields || timeless(before) != timeless(&new.meta().managed_fields) {
        return;
    }
    let fresh = std::mem::replace(&mut new.meta_mut().managed_fields, before.clone());
    if !new.equals(old) {
        new.meta_mut().managed_fields = fresh;
    }
}

/// Lays a configuration over an object as its client sees it, or over nothing, and settles its managers.
pub(crate) fn apply(
    context: &Context,
    served: &'static Kind,
    request: &Request,
    old: Option<&ObjectRef>,
    config: &Value,
    decode: impl FnOnce(Value) -> Result<Draft, Status>,
) -> Result<Draft, Status> {
    let fields = Fields::of(served, request);
    let live = old.map_or_else(|| fields.empty.clone(), |old| fields.form(&**old));
    let mut managers = decoded(&old.and_then(|old| old.meta().managed_fields.clone()));
    let writer = writer(context, request, fields.kind.api_version());
    let applied = apply_config(&fields, &mut managers, &live, config, &writer, request.options.force)?;
    let mut object = match (applied, old) {
        (None, Some(old)) if served.view.is_none() => old.draft(),
        (applied, _) => decode(applied.unwrap_or(live))?,
    };
    object.meta_mut().managed_fields = managers.encode();
    Ok(object)
}

/// `None`: the object is what it was.
fn apply_config(
    fields: &Fields,
    managers: &mut Managers,
    live: &Value,
    config: &Value,
    writer: &Writer,
    force: bool,
) -> Result<Option<Value>, Status> {
    check_config(fields.shape, &fields.kind.api_version(), fields.kind.kind, config)?;
    fields.with_target(|target| {
        let mut applied = managers.apply(target, live, config, writer, force);
        if let (Err(Refusal::Conflicts(conflicts)), KUBECTL) = (&mut applied, writer.name.as_str())
            && let Some(own) = last_applied(fields, live)
        {
            // What `kubectl apply` has set and nobody changed since is kubectl's to apply in the server.
            conflicts.retain(|(_, path)| !own.contains(path));
            if conflicts.is_empty() {
                applied = managers.apply(target, live, config, writer, true);
            }
        }
        let mut applied = applied.map_err(refused)?;
        if writer.name == KUBECTL && has_last_applied(applied.as_ref().unwrap_or(live)) {
            let object = applied.get_or_insert_with(|| live.clone());
            object["metadata"]["annotations"][LAST_APPLIED] = last_applied_text(config).into();
        }
        Ok(applied)
    })
}

fn refused(refusal: Refusal) -> Status {
    match refusal {
        Refusal::Conflicts(conflicts) => conflict_status(&conflicts),
        Refusal::Other(why) => internal(why),
    }
}

/// What upstream passes on as it is.
fn internal(why: String) -> Status {
    Status::new(500, Reason::Unknown, why)
}

/// A configuration says exactly what it is, leaves the managers alone, and has no fields that the schema has not.
fn check_config(shape: Shape, api_version: &str, kind: &str, config: &Value) -> Result<(), Status> {
    if config["apiVersion"] != api_version || config["kind"] != kind {
        return Err(Status::bad_request(format!("invalid object type: {}", kind_text(config))));
    }
    if !config["metadata"]["managedFields"].is_null() {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    validate(shape, config).map_err(|why| {
        let text = |name: &str| config["metadata"][name].as_str().unwrap_or_default();
        let about = format!("{}/{}; {}", text("namespace"), text("name"), kind_text(config));
        internal(format!("failed to create typed patch object ({about}): {why}"))
    })
}

/// `apps/v1, Kind=Deployment`, `/v1, Kind=Pod`: Go's text of a group, version and kind.
fn kind_text(config: &Value) -> String {
    let text = |name: &str| config[name].as_str().unwrap_or_default();
    let version = text("apiVersion");
    let slash = if version.contains('/') { "" } else { "/" };
    format!("{slash}{version}, Kind={}", text("kind"))
}

fn annotation(object: &Value) -> &str {
    object["metadata"]["annotations"][LAST_APPLIED].as_str().unwrap_or_default()
}

fn has_last_applied(object: &Value) -> bool {
    !annotation(object).is_empty()
}

/// The fields that `kubectl apply` without `--server-side` has set, as far as they are still so.
fn last_applied(fields: &Fields, live: &Value) -> Option<Set> {
    let config: Value = serde_json::from_str(annotation(live)).ok()?;
    if config["apiVersion"] != fields.kind.api_version() || validate(fields.shape, &config).is_err() {
        return None;
    }
    Some(still_applied(fields.shape, &config, live))
}

fn last_applied_text(config: &Value) -> String {
    let mut config = config.clone();
    if let Some(annotations) = config["metadata"].get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
        if annotations.is_empty()
            && let Some(metadata) = config["metadata"].as_object_mut()
        {
            metadata.remove("annotations");
        }
    }
    config.to_string() + "\n"
}
