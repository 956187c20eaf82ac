//! The ReplicaSet controller, which is the ReplicationController's too: keeps as many Pods as they ask for.

mod manage;
mod ranking;
mod replicated;
mod status;

use std::marker::PhantomData;
use std::sync::Arc;

use api::time::SECOND;
use api::types::{ObjectMeta, Pod, ReplicaSet};
use api::{Status, meta};
use client::{Client, Recorder};

use crate::caches::{Caches, PODS_BY_CONTROLLER, Seen, orphans_of};
use crate::claim::claim;
use crate::controller::{Event, Queue, Reconciler};
use crate::expectations::Expectations;
use crate::owners::{controller_key, controller_uid, enqueue_matching};
use crate::pods;

pub use replicated::Replicated;
pub(crate) use status::non_zero;

#[derive(Clone)]
pub struct ReplicaSetController<R = ReplicaSet> {
    recorder: Recorder,
    expectations: Expectations,
    of: PhantomData<fn() -> R>,
}

impl<R: Replicated> Default for ReplicaSetController<R> {
    fn default() -> Self {
        ReplicaSetController {
            recorder: Recorder::new(R::COMPONENT, ""),
            expectations: Expectations::default(),
            of: PhantomData,
        }
    }
}

impl<R: Replicated> Reconciler for ReplicaSetController<R> {
    type Key = String;
    const NAME: &'static str = R::CONTROLLER;
    const KIND: &'static str = R::KIND;
    const WORKERS: usize = 5;

    fn observe(&mut self, event: &Event, caches: &Caches, queue: &mut Queue<String>) {
        if let Some((old, new)) = R::changed(&event.seen) {
            self.replica_set_changed(old, new, queue);
        }
        match &event.seen {
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
        let Some(replica_set) = R::cache(caches).get(key).cloned() else {
            self.expectations.forget(key);
            return Ok(());
        };
        let needs_sync = self.expectations.satisfied(key, client.now());
        let meta = replica_set.metadata();
        let Some(selector) = replica_set.selector() else { return Ok(()) };
        let mut active = Vec::new();
        let mut terminating = 0;
        for pod in candidates(meta, caches) {
            if pods::is_active(pod) {
                active.push(pod.clone());
            } else if pods::is_terminating(pod)
                && meta::is_controlled_by(&pod.metadata, meta)
                && selector.matches(meta::labels(&pod.metadata))
            {
                terminating += 1;
            }
        }
        let active = claim(client, &*replica_set, &selector, active)?;

        let mut managed = Ok(());
        if needs_sync && !meta::is_being_deleted(meta) {
            managed = self.manage_replicas(key, &replica_set, &active, caches, client);
        }
        let min_ready = replica_set.min_ready_seconds();
        let now = client.now();
        let new_status = status::calculate(&*replica_set, &active, terminating, &managed, now);
        status::update(client, &*replica_set, new_status)?;
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

impl<R: Replicated> ReplicaSetController<R> {
    fn replica_set_changed(&mut self, old: Option<&Arc<R>>, new: Option<&Arc<R>>, queue: &mut Queue<String>) {
        let Some(meta) = new.or(old).map(|replica_set| replica_set.metadata()) else { return };
        let key = meta::key(meta);
        let replaced = old.is_some_and(|old| old.metadata().uid != meta.uid);
        if new.is_none() || replaced {
            self.expectations.forget(&key);
        }
        queue.add(key);
    }

    fn pod_added(&mut self, pod: &Pod, caches: &Caches, queue: &mut Queue<String>) {
        match controller_key(R::cache(caches), &pod.metadata) {
            Some(key) => {
                self.expectations.creation_observed(&key);
                queue.add(key);
            }
            None => enqueue_matching(R::cache(caches), &pod.metadata, R::selector, queue),
        }
    }

    fn pod_updated(&mut self, old: &Pod, new: &Pod, caches: &Caches, queue: &mut Queue<String>) {
        if meta::is_being_deleted(&new.metadata) {
            self.pod_deleted(new, caches, queue);
            return;
        }
        let moved = controller_uid(&old.metadata) != controller_uid(&new.metadata);
        if moved && let Some(key) = controller_key(R::cache(caches), &old.metadata) {
            queue.add(key);
        }
        if let Some(key) = controller_key(R::cache(caches), &new.metadata) {
            let min_ready = R::cache(caches).get(&key).map_or(0, |replica_set| replica_set.min_ready_seconds());
            if min_ready > 0 && !pods::is_ready(old) && pods::is_ready(new) {
                queue.add_after(key.clone(), (min_ready as u64 + 1) * SECOND);
            }
            queue.add(key);
        } else if moved || old.metadata.labels != new.metadata.labels {
            enqueue_matching(R::cache(caches), &new.metadata, R::selector, queue);
        }
    }

    fn pod_deleted(&mut self, pod: &Pod, caches: &Caches, queue: &mut Queue<String>) {
        if let Some(key) = controller_key(R::cache(caches), &pod.metadata) {
            self.expectations.deletion_observed(&key, &meta::key(&pod.metadata));
            queue.add(key);
        }
    }
}
