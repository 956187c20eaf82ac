//! PUT and PATCH, of objects and of their status.

use api::types::ObjectMeta;
use api::{Body, Draft, Kind, Object, ObjectRef, PatchKind, Reason, Request, Status, Subresource, Verb};
use serde_json::Value;

use crate::admission::{self, Attributes, resource_quota};
use crate::authorization::params;
use crate::strategy::KindRules;
use crate::{ApiServer, Context, authorization, managed_fields, metadata, registry, view};

const STALE: &str = "the object has been modified; please apply your changes to the latest version and try again";

impl ApiServer {
    pub(crate) fn update(
        &mut self,
        context: &Context,
        kind: &'static Kind,
        mut request: Request,
    ) -> Result<ObjectRef, Status> {
        if let Body::Patch(api::Patch { kind: PatchKind::Apply, value }) = &mut request.body {
            let config = std::mem::take(value);
            return self.apply(context, kind, request, &config);
        }
        let rules = self.rules(kind, &request);
        let Some(old) = self.storage.get(kind, &request.namespace, &request.name).cloned() else {
            let creates = request.verb == Verb::Update && request.subresource == Subresource::None;
            if creates && rules.create_on_update() {
                authorization::check_create(&self.storage, context, kind, &request)?;
                let object = self.new_object(context, kind, &mut request)?;
                return self.create_object(context, kind, request, object);
            }
            return Err(Status::not_found(kind, &request.name));
        };
        let served = self.kind(request.kind)?;
        let old = self.in_version(context, served, old)?;
        let mut new = match std::mem::take(&mut request.body) {
            Body::Patch(patch) => self.patched(kind, &old, patch, &request)?,
            Body::Typed(part) if is_status_patch(&request) => completed(&old, part),
            body => {
                request.body = body;
                self.object_of(kind, &mut request)?
            }
        };
        managed_fields::update(context, served, &request, &*self.shown(served, &old), &mut *new);
        self.replace(context, kind, &request, old, new)
    }

    /// PATCH with a configuration: server-side apply, which also creates.
    fn apply(
        &mut self,
        context: &Context,
        kind: &'static Kind,
        request: Request,
        config: &Value,
    ) -> Result<ObjectRef, Status> {
        let old = self.storage.get(kind, &request.namespace, &request.name).cloned();
        if old.is_none() && request.subresource != Subresource::None {
            return Err(Status::not_found(kind, &request.name));
        }
        let served = self.kind(request.kind)?;
        let old = old.map(|old| self.in_version(context, served, old)).transpose()?;
        let shown = old.as_ref().map(|old| self.shown(served, old));
        let decode = |value| self.decoded(served, value);
        let mut object = managed_fields::apply(context, served, &request, shown.as_ref(), config, decode)?;
        let Some(old) = old else {
            let meta = object.meta_mut();
            if let Some(uid) = meta.uid.as_deref().filter(|uid| !uid.is_empty()) {
                let why =
                    format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
                return Err(Status::conflict(kind, &request.name, &why));
            }
            check_name(&request, meta)?;
            meta.resource_version = None;
            authorization::check_create(&self.storage, context, kind, &request)?;
            return self.create_object(context, kind, request, object);
        };
        self.replace(context, kind, &request, old, object)
    }

    /// Applies a patch to the stored object.
    fn patched(
        &mut self,
        kind: &'static Kind,
        old: &ObjectRef,
        patch: api::Patch,
        request: &Request,
    ) -> Result<Draft, Status> {
        let served = self.kind(request.kind)?;
        let current = self.shown(served, old).to_value();
        let (object, warnings) = match self.customs.find(served.id) {
            Some(custom) => custom.patched(current, &patch, request.options.field_validation)?,
            None => api::patch::apply(served, current, &patch, request.options.field_validation)?,
        };
        self.warnings.extend(warnings);
        let mut object = view::to_stored(served, object)?;
        self.rules(kind, request).default(&mut *object);
        Ok(object)
    }

    /// Puts `new` in the place of `old`, as far as the subresource and the kind's rules let it. Whose its fields are has
    /// been settled.
    pub(crate) fn replace(
        &mut self,
        context: &Context,
        kind: &'static Kind,
        request: &Request,
        old: ObjectRef,
        mut new: Draft,
    ) -> Result<ObjectRef, Status> {
        let rules = self.rules(kind, request);
        metadata::settle_namespace(kind, request, new.meta_mut())?;
        check_identity(kind, request, &old, new.meta(), rules.unconditional_update())?;
        keep_server_fields(&old, &mut *new);

        // Admission has seen the Scale.
        let is_scaled = request.subresource == Subresource::Scale;
        let is_whole = is_scaled || request.subresource == Subresource::None;
        let attributes = Attributes::new(Verb::Update, kind, &rules, request, context, &self.customs);
        if matches!(request.subresource, Subresource::EphemeralContainers | Subresource::Resize) {
            admission::mutate_by_configuration(&self.storage, &attributes, &mut new, Some(&*old))?;
            let errors = registry::pod::update_part(request.subresource, &mut *new, &*old);
            metadata::refuse(kind, &*new, errors)?;
        } else if is_whole {
            if !is_scaled {
                admission::mutate(&self.storage, &attributes, &mut new, Some(&*old))?;
            }
            rules.prepare_for_update(&mut *new, &*old);
            if rules.has_generation() && !rules.same_generation(&*new, &*old) {
                new.meta_mut().generation = Some(old.meta().generation.unwrap_or(0) + 1);
            }
            self.addresses.reallocate(&mut *new, &*old)?;
            metadata::validate_update(attributes.served, kind, &rules, &*new, &*old)?;
            params::check(&self.storage, &self.customs, &context.caller.user, kind, &*new, Some(&*old))?;
        } else {
            admission::mutate_by_configuration(&self.storage, &attributes, &mut new, Some(&*old))?;
            rules.prepare_for_status_update(&mut *new, &*old);
            admission::stamp(&attributes, &mut *new);
            metadata::validate_status_update(&self.storage, kind, &rules, &*new, &*old)?;
        }
        if !is_scaled {
            admission::validate(&self.storage, &attributes, &*new, Some(&*old))?;
        }
        let charges = resource_quota::charge(&self.storage, &attributes, &*new, Some(&*old))?;
        let is_changed = !rules.has_generation() || new.meta().generation != old.meta().generation;
        self.warnings.extend(metadata::finalizer_warnings(kind, new.meta(), Some(old.meta())));
        if is_whole && is_changed {
            self.warnings.extend(rules.warnings(&*new, false));
        }
        self.warnings.extend(attributes.warnings.take());

        managed_fields::keep_times(&*old, &mut *new);
        self.prepare_for_storage(context, &rules, &mut new)?;
        // As it is stored, and not as the request sees it.
        let old = match rules {
            KindRules::Custom(_) => self.storage.get(kind, &request.namespace, old.name()).cloned().unwrap_or(old),
            KindRules::BuiltIn(_) => old,
        };
        if new.equals(&*old) {
            return Ok(old);
        }
        if request.options.dry_run {
            return Ok(new.share());
        }
        if is_finished(&*new) {
            return Ok(self.remove(context, kind, &old, new.share()));
        }
        self.charge(context, charges);
        self.settle_addresses(context, Some(&*old), Some(&*new));
        Ok(self.store(context, kind, &old, new))
    }

    /// Writes a new state over the one that was just read, and tells the watches.
    pub(crate) fn store(&mut self, context: &Context, kind: &'static Kind, old: &ObjectRef, new: Draft) -> ObjectRef {
        let object = self.storage.put(kind, new, old.revision(), context.now).expect("nothing wrote in between");
        self.watches.publish(kind.id, Some(old), Some(&object), context.cause);
        object
    }
}

/// A component's patch, which is no JSON.
fn is_status_patch(request: &Request) -> bool {
    request.verb == Verb::Patch && request.subresource == Subresource::Status
}

/// The object that a component's patch of the status means: it holds what it replaces, and the uid of whom it means.
fn completed(old: &ObjectRef, mut part: Draft) -> Draft {
    let uid = part.meta_mut().uid.take();
    part.meta_mut().clone_from(old.meta());
    if uid.is_some() {
        part.meta_mut().uid = uid;
    }
    part
}

/// The last finalizer of an object that is being deleted has gone.
pub(crate) fn is_finished(object: &dyn Object) -> bool {
    let meta = object.meta();
    meta.deletion_timestamp.is_some()
        && metadata::finalizers(meta).is_empty()
        && meta.deletion_grace_period_seconds.unwrap_or(0) == 0
        && registry::finishes_without_finalizers(object)
}

fn check_identity(
    kind: &Kind,
    request: &Request,
    old: &ObjectRef,
    meta: &ObjectMeta,
    unconditional: bool,
) -> Result<(), Status> {
    check_name(request, meta)?;
    if let Some(uid) = meta.uid.as_deref().filter(|uid| !uid.is_empty() && *uid != old.uid()) {
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{}/{}{}, ResourceVersion: 0, AdditionalErrorMsg: \
             Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            kind.plural,
            if request.namespace.is_empty() { String::new() } else { format!("{}/", request.namespace) },
            request.name,
            old.uid()
        );
        return Err(Status::conflict(kind, &request.name, &why));
    }
    match meta.resource_version.as_deref().unwrap_or_default() {
        "" if unconditional || request.verb == Verb::Patch => Ok(()),
        "" => {
            let path = api::field::Path::new("metadata");
            let error =
                api::field::Error::invalid(&path.child("resourceVersion"), 0, "must be specified for an update");
            let mut status = Status::invalid(kind, &request.name, std::slice::from_ref(&error));
            // The store knows the resource, not the kind.
            status.message = format!("{} {:?} is invalid: {error}", kind.group_resource(), request.name);
            status.details.get_or_insert_default().kind = kind.plural.into();
            Err(status)
        }
        revision if Some(revision) == old.meta().resource_version.as_deref() => Ok(()),
        revision if revision.parse::<u64>().is_err() => {
            let message = format!("strconv.ParseUint: parsing {revision:?}: invalid syntax");
            Err(Status::new(500, Reason::Unknown, message))
        }
        _ => Err(Status::conflict(kind, &request.name, STALE)),
    }
}

fn check_name(request: &Request, meta: &ObjectMeta) -> Result<(), Status> {
    let on_url = &request.name;
    match meta.name.as_deref().unwrap_or_default() {
        "" => {
            let why = "was undeterminable: name must be provided";
            Err(Status::bad_request(format!("the name of the object ({on_url} based on URL) {why}")))
        }
        name if name != on_url => {
            let why = "does not match the name on the URL";
            Err(Status::bad_request(format!("the name of the object ({name}) {why} ({on_url})")))
        }
        _ => Ok(()),
    }
}

/// Metadata that only the server writes stays what it was.
fn keep_server_fields(old: &ObjectRef, new: &mut dyn Object) {
    let (old, new) = (old.meta(), new.meta_mut());
    new.uid.clone_from(&old.uid);
    new.resource_version.clone_from(&old.resource_version);
    new.creation_timestamp.clone_from(&old.creation_timestamp);
    new.deletion_timestamp.clone_from(&old.deletion_timestamp);
    new.deletion_grace_period_seconds = old.deletion_grace_period_seconds;
    new.generation = old.generation;
    new.self_link.clone_from(&old.self_link);
    if new.generate_name.is_none() {
        new.generate_name.clone_from(&old.generate_name);
    }
}
