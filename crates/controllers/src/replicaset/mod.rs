//! The ReplicaSet controller: keeps as many Pods as its ReplicaSets ask for.

mod manage;
mod ranking;
mod status;

use std::sync::Arc;

use api::selector::Selector;
use api::time::SECOND;
use api::types::{ObjectMeta, Pod, ReplicaSet};
use api::{Status, meta};
use client::{Client, Recorder};

use crate::caches::{Caches, PODS_BY_CONTROLLER, Seen, orphans_of};
use crate::claim::claim;
use crate::controller::{Event, Queue, Reconciler};
use crate::expectations::Expectations;
use crate::pods;

pub(crate) use status::non_zero;

#[derive(Clone)]
pub struct ReplicaSetController {
    recorder: Recorder,
    expectations: Expectations,
}

impl Default for ReplicaSetController {
    fn default() -> Self {
        ReplicaSetController {
            recorder: Recorder::new("replicaset-controller", ""),
            expectations: Expectations::default(),
        }
    }
}

impl Reconciler for ReplicaSetController {
    type Key = String;
    const NAME: &'static str = "replicaset-controller";
    const KIND: &'static str = "ReplicaSet";
    const WORKERS: usize = 5;

    fn observe(&mut self, event: &Event, caches: &Caches, queue: &mut Queue<String>) {
        match &event.seen {
            Seen::ReplicaSet(old, new) => self.replica_set_changed(old.as_deref(), new.as_deref(), queue),
            Seen::Pod(None, Some(pod)) if meta::is_being_deleted(&pod.metadata) => {
                self.pod_deleted(pod, caches, queue);
            }
            Seen::Pod(None, Some(pod)) => self.pod_added(pod, caches, queue),
            Seen::Pod(Some(old), Some(new)) => self.pod_updated(old, new, caches, queue),
            Seen::Pod(Some(pod), None) => self.pod_deleted(pod, caches, queue),
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        let Some(replica_set) = caches.replica_sets.get(key).cloned() else {
            self.expectations.forget(key);
            return Ok(());
        };
        let needs_sync = self.expectations.satisfied(key, client.now());
        let Some(spec) = &replica_set.spec else { return Ok(()) };
        let selector = Selector::from_label_selector(Some(&spec.selector));
        let mut active = Vec::new();
        let mut terminating = 0;
        for pod in candidates(&replica_set.metadata, caches) {
            if pods::is_active(pod) {
                active.push(pod.clone());
            } else if pods::is_terminating(pod)
                && meta::is_controlled_by(&pod.metadata, &replica_set.metadata)
                && selector.matches(meta::labels(&pod.metadata))
            {
                terminating += 1;
            }
        }
        let active = claim(client, &*replica_set, &selector, active)?;

        let mut managed = Ok(());
        if needs_sync && !meta::is_being_deleted(&replica_set.metadata) {
            managed = self.manage_replicas(key, &replica_set, &active, caches, client);
        }
        let min_ready = spec.min_ready_seconds.unwrap_or_default();
        let now = client.now();
        let new_status = status::calculate(&replica_set, &active, terminating, &managed, now);
        status::update(client, &replica_set, new_status)?;
        if min_ready > 0 {
            let waits = active.iter().filter_map(|pod| pods::until_available(pod, min_ready, now));
            if let Some(wait) = waits.filter(|wait| *wait > 0).min() {
                queue.add_after(key.clone(), wait);
            }
        }
        managed
    }
}

/// Pods that may belong to a workload: those that it controls, and its namespace's orphans.
pub(crate) fn candidates<'a>(owner: &ObjectMeta, caches: &'a Caches) -> impl Iterator<Item = &'a Arc<Pod>> {
    let orphans = orphans_of(owner.namespace.as_deref().unwrap_or_default());
    let owned = caches.pods.indexed(PODS_BY_CONTROLLER, owner.uid.as_deref().unwrap_or_default());
    owned.chain(caches.pods.indexed(PODS_BY_CONTROLLER, &orphans))
}

impl ReplicaSetController {
    fn replica_set_changed(&mut self, old: Option<&ReplicaSet>, new: Option<&ReplicaSet>, queue: &mut Queue<String>) {
        let Some(meta) = new.or(old).map(|replica_set| &replica_set.metadata) else { return };
        let key = meta::key(meta);
        let replaced = old.is_some_and(|old| old.metadata.uid != meta.uid);
        if new.is_none() || replaced {
            self.expectations.forget(&key);
        }
        queue.add(key);
    }

    fn pod_added(&mut self, pod: &Pod, caches: &Caches, queue: &mut Queue<String>) {
        match controller_key(&pod.metadata, caches) {
            Some(key) => {
                self.expectations.creation_observed(&key);
                queue.add(key);
            }
            None => enqueue_matching(pod, caches, queue),
        }
    }

    fn pod_updated(&mut self, old: &Pod, new: &Pod, caches: &Caches, queue: &mut Queue<String>) {
        if meta::is_being_deleted(&new.metadata) {
            self.pod_deleted(new, caches, queue);
            return;
        }
        let moved = controller_uid(&old.metadata) != controller_uid(&new.metadata);
        if moved && let Some(key) = controller_key(&old.metadata, caches) {
            queue.add(key);
        }
        if let Some(key) = controller_key(&new.metadata, caches) {
            let min_ready = caches
                .replica_sets
                .get(&key)
                .and_then(|replica_set| replica_set.spec.as_ref()?.min_ready_seconds)
                .unwrap_or_default();
            if min_ready > 0 && !pods::is_ready(old) && pods::is_ready(new) {
                queue.add_after(key.clone(), (min_ready as u64 + 1) * SECOND);
            }
            queue.add(key);
        } else if moved || old.metadata.labels != new.metadata.labels {
            enqueue_matching(new, caches, queue);
        }
    }

    fn pod_deleted(&mut self, pod: &Pod, caches: &Caches, queue: &mut Queue<String>) {
        if let Some(key) = controller_key(&pod.metadata, caches) {
            self.expectations.deletion_observed(&key, &meta::key(&pod.metadata));
            queue.add(key);
        }
    }
}

pub(crate) fn controller_uid(meta: &ObjectMeta) -> Option<&str> {
    meta::controller_of(meta).map(|owner| owner.uid.as_str())
}

/// The key of the ReplicaSet that controls the object, if it exists under that uid.
fn controller_key(meta: &ObjectMeta, caches: &Caches) -> Option<String> {
    let owner = meta::controller_of(meta).filter(|owner| owner.kind == "ReplicaSet")?;
    let key = meta::key_of(meta.namespace.as_deref().unwrap_or_default(), &owner.name);
    let replica_set = caches.replica_sets.get(&key)?;
    (replica_set.metadata.uid.as_ref() == Some(&owner.uid)).then_some(key)
}

/// An orphan may be adopted by any ReplicaSet that selects it.
fn enqueue_matching(pod: &Pod, caches: &Caches, queue: &mut Queue<String>) {
    if meta::controller_of(&pod.metadata).is_some() || pod.metadata.labels.is_none() {
        return;
    }
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    for replica_set in caches.replica_sets.in_namespace(namespace) {
        let selector = replica_set.spec.as_ref().map(|spec| Selector::from_label_selector(Some(&spec.selector)));
        if selector.is_some_and(|selector| selector.matches(meta::labels(&pod.metadata))) {
            queue.add(meta::key(&replica_set.metadata));
        }
    }
}
