//! DELETE: grace, finalizers, propagation.

use api::request::List;
use api::types::{Namespace, Pod};
use api::{Kind, Kinded, Object, ObjectRef, Propagation, Request, Response, SimTime, Status, Subresource, time};

use crate::admission::{self, Attributes};
use crate::custom::definition;
use crate::strategy::KindRules;
use crate::{ApiServer, Context, metadata, registry};

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

impl ApiServer {
    pub(crate) fn delete(
        &mut self,
        context: &Context,
        kind: &'static Kind,
        request: Request,
    ) -> Result<Response, Status> {
        let Some(old) = self.storage.get(kind, &request.namespace, &request.name).cloned() else {
            return Err(Status::not_found(kind, &request.name));
        };
        let (object, gone) = self.delete_object(context, kind, &request, old)?;
        if gone && !self.rules(kind, &request).delete_returns_object() {
            return Ok(Response::Status(Status::success(kind, object.name(), object.uid())));
        }
        Ok(Response::Object(object))
    }

    pub(crate) fn delete_collection(
        &mut self,
        context: &Context,
        kind: &'static Kind,
        request: Request,
    ) -> Result<Response, Status> {
        let mut list = self.list(kind, &request)?;
        for item in &mut list.items {
            (*item, _) = self.delete_object(context, kind, &request, item.clone())?;
        }
        list.revision = self.storage.revision();
        Ok(Response::List(List { kind: kind.id, ..list }))
    }

    /// Deletes at once, or begins to. True when the object is gone.
    fn delete_object(
        &mut self,
        context: &Context,
        kind: &'static Kind,
        request: &Request,
        old: ObjectRef,
    ) -> Result<(ObjectRef, bool), Status> {
        check_preconditions(kind, request, &old)?;
        let rules = self.rules(kind, request);
        // Of an eviction, admission has seen the Eviction.
        if request.subresource == Subresource::None {
            let attributes = Attributes::new(api::Verb::Delete, kind, &rules, request, context, &self.customs);
            admission::mutate_deletion(&self.storage, &attributes, &*old)?;
            admission::validate(&self.storage, &attributes, &*old, Some(&*old))?;
            self.warnings.extend(attributes.warnings.take());
        }
        let finalizers = deletion_finalizers(&rules, request, &*old);
        let grace = grace_period(&*old, request);
        let is_definition = kind.id == definition::row().id;
        let waits =
            is_definition || grace > 0 || !finalizers.is_empty() || !registry::finishes_without_finalizers(&*old);
        if request.options.dry_run {
            return Ok((old, !waits));
        }
        if !waits {
            let mut last = old.clone();
            if kind.id == Pod::ID {
                // Kinds with a grace period show that it was none.
                let mut shown = old.draft();
                begin_deletion(shown.meta_mut(), grace, context.now, kind);
                last = shown.share();
            }
            return Ok((self.remove(context, kind, &old, last), true));
        }
        let mut new = old.draft();
        let meta = new.meta_mut();
        meta.finalizers = Some(finalizers).filter(|finalizers| !finalizers.is_empty());
        begin_deletion(meta, grace, context.now, kind);
        if is_definition {
            definition::begin_termination(&mut new, context.now);
        }
        if let Some(namespace) = new.downcast_mut::<Namespace>() {
            namespace.status.get_or_insert_default().phase = Some("Terminating".into());
        }
        if new.equals(&*old) {
            return Ok((old, false));
        }
        Ok((self.store(context, kind, &old, new), false))
    }

    /// Takes an object out of the store. `last` is its final state, as the answer and the watches show it.
    pub(crate) fn remove(
        &mut self,
        context: &Context,
        kind: &'static Kind,
        old: &ObjectRef,
        last: ObjectRef,
    ) -> ObjectRef {
        self.addresses.release_object(&*last);
        let deleted = self.storage.delete(kind, old).expect("nothing wrote in between");
        self.settle_addresses(context, Some(&**old), None);
        let shown = if ObjectRef::ptr_eq(old, &last) {
            deleted
        } else {
            let mut shown = last.draft();
            shown.meta_mut().resource_version.clone_from(&deleted.meta().resource_version);
            shown.share()
        };
        self.watches.publish(kind.id, Some(&shown), None, context.cause);
        shown
    }
}

pub(crate) fn check_preconditions(kind: &Kind, request: &Request, old: &ObjectRef) -> Result<(), Status> {
    let options = &request.options;
    let differs = |what: &str, wanted: &Option<String>, is: &str| {
        let wanted = wanted.as_deref().filter(|wanted| *wanted != is)?;
        let why = format!(
            "the {what} in the precondition ({wanted}) does not match the {what} in record ({is}). The object might have \
             been {}",
            if what == "UID" { "deleted and then recreated" } else { "modified" }
        );
        let mut status = Status::conflict(kind, old.name(), &why);
        // Here upstream names the kind where others name the resource.
        status.message = status.message.replacen(&kind.group_resource(), &kind.group_kind(), 1);
        status.details.get_or_insert_default().kind = kind.kind.into();
        Some(status)
    };
    let uid = differs("UID", &options.precondition_uid, old.uid());
    let revision = old.meta().resource_version.as_deref().unwrap_or_default();
    let revision = differs("ResourceVersion", &options.precondition_revision, revision);
    uid.or(revision).map_or(Ok(()), Err)
}

/// The object's finalizers once the garbage collector's own follow the propagation policy.
fn deletion_finalizers(rules: &KindRules, request: &Request, object: &dyn Object) -> Vec<String> {
    let present = metadata::finalizers(object.meta());
    let has = |name: &str| present.iter().any(|one| one == name);
    let (orphan, foreground) = match request.options.propagation {
        Some(Propagation::Orphan) => (true, false),
        Some(Propagation::Foreground) => (false, true),
        Some(Propagation::Background) => (false, false),
        None if has(ORPHAN) => (true, false),
        None if has(FOREGROUND) => (false, true),
        None => {
            (rules.delete_propagation() == Propagation::Orphan, rules.delete_propagation() == Propagation::Foreground)
        }
    };
    let mut finalizers: Vec<String> =
        present.iter().filter(|one| *one != ORPHAN && *one != FOREGROUND).cloned().collect();
    if orphan {
        finalizers.push(ORPHAN.into());
    }
    if foreground {
        finalizers.push(FOREGROUND.into());
    }
    finalizers
}

/// Seconds until a Pod may be gone; other kinds have no grace.
fn grace_period(object: &dyn Object, request: &Request) -> i64 {
    let Some(pod) = object.downcast_ref::<Pod>() else { return 0 };
    let spec = pod.spec.as_ref();
    let asked = request.options.grace_period.or(spec.and_then(|spec| spec.termination_grace_period_seconds));
    let mut grace = match asked.unwrap_or(30) {
        negative if negative < 0 => 1,
        period => period,
    };
    let unscheduled = spec.and_then(|spec| spec.node_name.as_deref()).unwrap_or_default().is_empty();
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    if unscheduled || matches!(phase, Some("Failed" | "Succeeded")) {
        grace = 0;
    }
    // A deletion that is under way may be hurried, never slowed.
    match object.meta().deletion_grace_period_seconds {
        Some(current) if object.meta().deletion_timestamp.is_some() => grace.min(current),
        _ => grace,
    }
}

fn begin_deletion(meta: &mut api::types::ObjectMeta, grace: i64, now: SimTime, kind: &Kind) {
    let hurried = meta.deletion_grace_period_seconds.is_some_and(|current| grace < current);
    if meta.deletion_timestamp.is_some() && !hurried {
        return;
    }
    let begins = meta.deletion_timestamp.is_none();
    let end = now + grace.max(0) as u64 * time::SECOND;
    meta.deletion_timestamp = Some(time::stamp(end));
    let is_definition = kind.id == definition::row().id;
    meta.deletion_grace_period_seconds = (kind.id != Namespace::ID && !is_definition).then_some(grace);
    if begins && !is_definition && (kind.id == Pod::ID || meta.generation.is_some()) {
        meta.generation = Some(meta.generation.unwrap_or(0) + 1);
    }
}
