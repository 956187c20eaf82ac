//! POST.

use api::types::{ObjectMeta, ResourceQuota};
use api::{Body, Draft, Kind, Kinded, Object, ObjectRef, Reason, Request, Status, Verb, time};

use crate::admission::resource_quota::{self, Charge};
use crate::admission::{self, Attributes};
use crate::authorization::params;
use crate::{ApiServer, Context, managed_fields, metadata};

impl ApiServer {
    pub(crate) fn create(
        &mut self,
        context: &Context,
        kind: &'static Kind,
        mut request: Request,
    ) -> Result<ObjectRef, Status> {
        let object = self.new_object(context, kind, &mut request)?;
        self.create_object(context, kind, request, object)
    }

    /// Decodes and defaults an object that is to be created, and settles whose its fields are.
    pub(crate) fn new_object(
        &mut self,
        context: &Context,
        kind: &'static Kind,
        request: &mut Request,
    ) -> Result<Draft, Status> {
        let is_tracked = matches!(request.body, Body::Json(_));
        let mut object = self.object_of(kind, request)?;
        if is_tracked {
            managed_fields::create(context, self.kind(request.kind)?, request, &mut *object);
        }
        Ok(object)
    }

    /// Creates an object that is decoded and defaulted.
    pub(crate) fn create_object(
        &mut self,
        context: &Context,
        kind: &'static Kind,
        request: Request,
        mut object: Draft,
    ) -> Result<ObjectRef, Status> {
        let rules = self.rules(kind, &request);
        metadata::settle_namespace(kind, &request, object.meta_mut())?;
        if !request.name.is_empty() && object.meta().name.is_none() {
            object.meta_mut().name = Some(request.name.clone());
        }
        self.settle_name(object.meta_mut());

        let attributes = Attributes::new(Verb::Create, kind, &rules, &request, context, &self.customs);
        admission::mutate(&self.storage, &attributes, &mut object, None)?;
        self.stamp(&mut *object, rules.has_generation(), context);
        rules.prepare_for_create(&mut *object);
        let allocated = self.addresses.allocate(&mut *object)?;
        let user = &context.caller.user;
        let mut refused = metadata::validate(&self.storage, attributes.served, kind, &rules, &*object)
            .and_then(|()| params::check(&self.storage, &self.customs, user, kind, &*object, None))
            .err();
        if refused.is_none() {
            refused = admission::validate(&self.storage, &attributes, &*object, None).err();
        }
        let mut charges = Vec::new();
        if refused.is_none() {
            match resource_quota::charge(&self.storage, &attributes, &*object, None) {
                Ok(found) => charges = found,
                Err(status) => refused = Some(status),
            }
        }
        if refused.is_none() {
            refused = refuse_revision(&request, &*object).err();
        }
        if refused.is_none() {
            refused = self.refuse_existing(kind, &*object).err();
        }
        if let Some(status) = refused {
            self.addresses.release(&allocated);
            return Err(status);
        }
        self.warnings.extend(metadata::finalizer_warnings(kind, object.meta(), None));
        self.warnings.extend(rules.warnings(&*object, true));
        self.warnings.extend(attributes.warnings.take());
        self.created = true;
        self.prepare_for_storage(context, &rules, &mut object)?;
        if request.options.dry_run {
            self.addresses.release(&allocated);
            return Ok(object.share());
        }
        self.charge(context, charges);
        self.settle_addresses(context, None, Some(&*object));
        let object = self.storage.put(kind, object, 0, context.now).expect("the key was free a moment ago");
        self.watches.publish(kind.id, None, Some(&object), context.cause);
        Ok(object)
    }

    /// Writes what quotas have counted.
    pub(crate) fn charge(&mut self, context: &Context, charges: Vec<Charge>) {
        for (old, new) in charges {
            self.store(context, ResourceQuota::row(), &old, new);
        }
    }

    /// Stores an object that is known to be right, without asking anybody.
    pub(crate) fn keep(&mut self, context: &Context, mut object: Draft) {
        let kind = api::kinds::row(object.kind_id());
        let generation = object.meta().generation;
        self.stamp(&mut *object, generation.is_some(), context);
        let object = self.storage.put(kind, object, 0, context.now).expect("a new name");
        self.watches.publish(kind.id, None, Some(&object), context.cause);
    }

    /// `generateName` becomes a name. Upstream cuts the base at 58 characters, so that the whole fits a label.
    fn settle_name(&mut self, meta: &mut ObjectMeta) {
        let named = meta.name.as_deref().is_some_and(|name| !name.is_empty());
        let base = meta.generate_name.as_deref().unwrap_or_default();
        if !named && !base.is_empty() {
            let base: String = base.chars().take(58).collect();
            meta.name = Some(base + &self.rng.name_suffix());
        }
    }

    /// What only the server may write into a new object's metadata.
    fn stamp(&mut self, object: &mut dyn Object, has_generation: bool, context: &Context) {
        let meta = object.meta_mut();
        meta.uid = Some(self.rng.uuid());
        meta.creation_timestamp = Some(time::stamp(context.now));
        meta.deletion_timestamp = None;
        meta.deletion_grace_period_seconds = None;
        meta.self_link = None;
        meta.generation = has_generation.then_some(1);
    }

    fn refuse_existing(&self, kind: &Kind, object: &dyn Object) -> Result<(), Status> {
        let Some(existing) = self.storage.get(kind, object.namespace(), object.name()) else { return Ok(()) };
        let mut status = Status::already_exists(kind, object.name());
        if api::meta::is_being_deleted(existing.meta()) {
            status.message = format!("object is being deleted: {}", status.message);
        }
        Err(status)
    }
}

/// The storage's own complaint, which upstream passes on as it is.
fn refuse_revision(request: &Request, object: &dyn Object) -> Result<(), Status> {
    let is_set = !matches!(object.meta().resource_version.as_deref(), None | Some("" | "0"));
    if is_set && request.verb == Verb::Create && !request.options.dry_run {
        let message = "resourceVersion should not be set on objects to be created";
        return Err(Status::new(500, Reason::Unknown, message));
    }
    Ok(())
}
