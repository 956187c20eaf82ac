//! The namespace controller: empties a namespace that is being deleted, then lets it go.

use std::collections::BTreeMap;

use api::kinds;
use api::request::Options;
use api::time::SECOND;
use api::types::{Namespace, NamespaceCondition, NamespaceStatus, Pod};
use api::{Kind, Kinded, Request, Response, SimTime, Status, Subresource, Verb, meta, time};
use client::Client;

use crate::caches::{Caches, Seen};
use crate::controller::{Event, Queue, Reconciler};
use crate::custom_kinds::CustomKinds;
use crate::pods;

#[derive(Clone, Default)]
pub struct NamespaceController {
    custom: CustomKinds,
}

/// Leaves other API servers the time to learn that nothing may be created any more.
const DELETION_DELAY: SimTime = 5 * SECOND;
/// Seconds that content with finalizers is given.
const FINALIZER_ESTIMATE: i64 = 15;

/// What is left of a namespace's content.
#[derive(Default)]
struct Remains {
    /// Seconds after which it is worth looking again.
    estimate: i64,
    /// Objects by resource.
    resources: BTreeMap<String, usize>,
    /// Objects by finalizer.
    finalizers: BTreeMap<String, usize>,
    errors: Vec<String>,
}

impl Reconciler for NamespaceController {
    type Key = String;
    const NAME: &'static str = "namespace-controller";
    const KIND: &'static str = "Namespace";
    const WORKERS: usize = 10;

    fn observe(&mut self, event: &Event, _caches: &Caches, queue: &mut Queue<String>) {
        if let Seen::Namespace(_, Some(namespace)) = &event.seen
            && meta::is_being_deleted(&namespace.metadata)
        {
            queue.add_after(meta::key(&namespace.metadata), DELETION_DELAY);
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        _caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        let namespace = match client.get::<Namespace>("", key) {
            Err(status) if status.is_not_found() => return Ok(()),
            other => other?,
        };
        let Some(deleted_at) = &namespace.metadata.deletion_timestamp else { return Ok(()) };
        let deleted_at = time::since_start(deleted_at);
        let mut namespace = (*namespace).clone();
        if namespace.status.get_or_insert_default().phase.as_deref() != Some("Terminating") {
            namespace.status.get_or_insert_default().phase = Some("Terminating".into());
            namespace = (*client.update_status(namespace)?).clone();
        }
        if namespace.spec.as_ref().and_then(|spec| spec.finalizers.as_ref()).is_none_or(Vec::is_empty) {
            return Ok(());
        }
        let remains = delete_content(client, &self.custom, key, deleted_at);
        let namespace = report(client, namespace, &remains)?;
        if !remains.errors.is_empty() {
            return Err(Status::internal(remains.errors.join(", ")));
        }
        if remains.estimate > 0 {
            queue.add_after(key.clone(), (remains.estimate as u64 / 2 + 1) * SECOND);
            return Ok(());
        }
        finalize(client, namespace)
    }
}

/// Pods go first: they may need what the rest of the namespace gives them until they have ended.
fn delete_content(client: &mut Client, custom: &CustomKinds, namespace: &str, deleted_at: SimTime) -> Remains {
    let mut remains = Remains::default();
    delete_kind(client, Pod::row(), namespace, deleted_at, &mut remains);
    if remains.resources.is_empty() {
        for kind in kinds::stored().chain(custom.resources()).filter(|kind| kind.namespaced && kind.id != Pod::ID) {
            delete_kind(client, kind, namespace, deleted_at, &mut remains);
        }
    }
    remains
}

fn delete_kind(client: &mut Client, kind: &Kind, namespace: &str, deleted_at: SimTime, remains: &mut Remains) {
    let grace = if kind.id == Pod::ID { grace_left(client, namespace, deleted_at) } else { 0 };
    let mut request = Request::of(Verb::DeleteCollection, kind.id, namespace, "");
    request.options.propagation = Some(api::Propagation::Background);
    if let Err(status) = client.call(request) {
        remains.errors.push(status.message);
        return;
    }
    let items = match client.call(Request::of(Verb::List, kind.id, namespace, "")) {
        Ok(Response::List(list)) => list.items,
        Ok(_) => return,
        Err(status) => {
            remains.errors.push(status.message);
            return;
        }
    };
    if items.is_empty() {
        return;
    }
    let mut has_finalizers = false;
    for finalizer in items.iter().flat_map(|item| item.meta().finalizers.iter().flatten()) {
        *remains.finalizers.entry(finalizer.clone()).or_default() += 1;
        has_finalizers = true;
    }
    remains.resources.insert(format!("{}.{}", kind.plural, kind.group), items.len());
    if grace > 0 {
        remains.estimate = remains.estimate.max(grace);
    } else if has_finalizers {
        remains.estimate = remains.estimate.max(FINALIZER_ESTIMATE);
    } else {
        let resource = format!("{}/{}, Resource={}", kind.group, kind.version, kind.plural);
        remains.errors.push(format!("unexpected items still remain in namespace: {namespace} for gvr: {resource}"));
    }
}

/// Seconds that the namespace's Pods may still take to end.
fn grace_left(client: &mut Client, namespace: &str, deleted_at: SimTime) -> i64 {
    let Ok(found) = client.list::<Pod>(namespace, Options::default()) else { return 0 };
    let running = found.iter().filter(|pod| !pods::is_finished(pod));
    let grace = running.filter_map(|pod| pod.spec.as_ref()?.termination_grace_period_seconds).max().unwrap_or_default();
    let elapsed = client.now().saturating_sub(deleted_at) / SECOND;
    if elapsed as i64 >= grace { 0 } else { grace }
}

/// Writes the conditions that tell how the deletion gets on.
fn report(client: &mut Client, mut namespace: Namespace, remains: &Remains) -> Result<Namespace, Status> {
    let listed = |counts: &BTreeMap<String, usize>, verb: &str| {
        let parts = counts.iter().map(|(name, count)| format!("{name} {verb} {count} resource instances"));
        parts.collect::<Vec<_>>().join(", ")
    };
    let content = match remains.errors.as_slice() {
        [] => None,
        errors => {
            let text = errors.join(", ");
            Some(format!("Failed to delete all resource types, {} remaining: {text}", errors.len()))
        }
    };
    let resources = (!remains.resources.is_empty())
        .then(|| format!("Some resources are remaining: {}", listed(&remains.resources, "has")));
    let finalizers = (!remains.finalizers.is_empty()).then(|| {
        format!("Some content in the namespace has finalizers remaining: {}", listed(&remains.finalizers, "in"))
    });
    // Type; reason and message when all is well; reason and message when not.
    let conditions = [
        (
            "NamespaceDeletionDiscoveryFailure",
            ("ResourcesDiscovered", "All resources successfully discovered"),
            "DiscoveryFailed",
            None,
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
            "GroupVersionParsingFailed",
            None,
        ),
        (
            "NamespaceDeletionContentFailure",
            ("ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
            "ContentDeletionFailed",
            content,
        ),
        (
            "NamespaceContentRemaining",
            ("ContentRemoved", "All content successfully removed"),
            "SomeResourcesRemain",
            resources,
        ),
        (
            "NamespaceFinalizersRemaining",
            ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
            "SomeFinalizersRemain",
            finalizers,
        ),
    ];
    let now = client.now();
    let mut changed = false;
    let status = namespace.status.get_or_insert_default();
    for (type_, (fine_reason, fine), bad_reason, bad) in conditions {
        let (value, reason, message) = match bad {
            Some(message) => ("True", bad_reason, message),
            None => ("False", fine_reason, fine.to_owned()),
        };
        changed |= set_condition(status, type_, value, reason, message, now);
    }
    if changed { client.update_status(namespace).map(|updated| (*updated).clone()) } else { Ok(namespace) }
}

fn set_condition(
    status: &mut NamespaceStatus,
    type_: &str,
    value: &str,
    reason: &str,
    message: String,
    now: SimTime,
) -> bool {
    let wanted = NamespaceCondition {
        type_: type_.into(),
        status: value.into(),
        reason: Some(reason.into()),
        message: Some(message),
        last_transition_time: Some(time::stamp(now)),
    };
    let conditions = status.conditions.get_or_insert_default();
    match conditions.iter_mut().find(|condition| condition.type_ == type_) {
        Some(found) if found.status == value && found.reason == wanted.reason && found.message == wanted.message => {
            false
        }
        Some(found) => {
            *found = wanted;
            true
        }
        None => {
            conditions.push(wanted);
            true
        }
    }
}

fn finalize(client: &mut Client, mut namespace: Namespace) -> Result<(), Status> {
    if let Some(finalizers) = &mut namespace.spec.get_or_insert_default().finalizers {
        finalizers.retain(|finalizer| finalizer != "kubernetes");
    }
    match client.update_sub(namespace, Subresource::Finalize) {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(()),
    }
}
