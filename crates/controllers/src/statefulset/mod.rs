//! The StatefulSet controller: Pods with a name, a number and disks of their own.

mod claims;
mod control;
mod identity;
mod pod_control;
mod revisions;
mod rollout;

use std::sync::Arc;

use api::selector::Selector;
use api::time::SECOND;
use api::types::{ControllerRevision, ObjectMeta, Pod, StatefulSet};
use api::{Status, meta};
use client::{Client, Recorder};

use crate::caches::{BY_CONTROLLER, Caches, Seen, orphans_of};
use crate::claim::claim;
use crate::controller::{Event, Queue, Reconciler};
use crate::{pods, replicaset};
use control::Sync;

#[derive(Clone)]
pub struct StatefulSetController {
    recorder: Recorder,
}

impl Default for StatefulSetController {
    fn default() -> Self {
        StatefulSetController { recorder: Recorder::new("statefulset-controller", "") }
    }
}

impl Reconciler for StatefulSetController {
    type Key = String;
    const NAME: &'static str = "statefulset-controller";
    const KIND: &'static str = "StatefulSet";
    const WORKERS: usize = 5;

    fn observe(&mut self, event: &Event, caches: &Caches, queue: &mut Queue<String>) {
        match &event.seen {
            Seen::StatefulSet(old, new) => {
                if let Some(set) = new.as_ref().or(old.as_ref()) {
                    queue.add(meta::key(&set.metadata));
                }
            }
            Seen::Pod(old, new) => pod_changed(old.as_deref(), new.as_deref(), caches, queue),
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
        let Some(set) = caches.stateful_sets.get(key).cloned() else { return Ok(()) };
        let Some(spec) = &set.spec else { return Ok(()) };
        let selector = Selector::from_label_selector(Some(&spec.selector));
        let name = set.metadata.name.as_deref().unwrap_or_default();

        let revisions = adopt_revisions(client, &set, &selector, caches)?;
        let members = replicaset::candidates(&set.metadata, caches)
            .filter(|pod| identity::parent_and_ordinal(pod).is_some_and(|(parent, _)| parent == name));
        let pods = claim(client, &*set, &selector, members.cloned().collect())?;

        let mut sync = Sync { set: &set, client, recorder: &mut self.recorder, caches };
        let status = sync.run(&pods, revisions)?;
        let min_ready = spec.min_ready_seconds.unwrap_or_default();
        if min_ready > 0 && status.available_replicas.unwrap_or_default() != status.replicas {
            let now = client.now();
            let waits = pods.iter().filter_map(|pod| pods::until_available(pod, min_ready, now));
            let wait = waits.filter(|wait| *wait > 0).min().unwrap_or(min_ready as u64 * SECOND);
            queue.add_after(key.clone(), wait);
        }
        Ok(())
    }
}

fn adopt_revisions(
    client: &mut Client,
    set: &StatefulSet,
    selector: &Selector,
    caches: &Caches,
) -> Result<Vec<Arc<ControllerRevision>>, Status> {
    let orphans = orphans_of(set.metadata.namespace.as_deref().unwrap_or_default());
    let owned = caches.controller_revisions.indexed(BY_CONTROLLER, set.metadata.uid.as_deref().unwrap_or_default());
    let candidates = owned.chain(caches.controller_revisions.indexed(BY_CONTROLLER, &orphans)).cloned().collect();
    claim(client, set, selector, candidates)
}

fn pod_changed(old: Option<&Pod>, new: Option<&Pod>, caches: &Caches, queue: &mut Queue<String>) {
    let Some(pod) = new.or(old) else { return };
    let moved =
        old.is_some_and(|old| replicaset::controller_uid(&old.metadata) != replicaset::controller_uid(&pod.metadata));
    if moved && let Some(key) = old.and_then(|old| controller_key(&old.metadata, caches)) {
        queue.add(key);
    }
    if let Some(key) = controller_key(&pod.metadata, caches) {
        queue.add(key);
        return;
    }
    let orphan = meta::controller_of(&pod.metadata).is_none();
    let relabelled = old.is_none_or(|old| moved || old.metadata.labels != pod.metadata.labels);
    if orphan && relabelled && new.is_some() {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        for set in caches.stateful_sets.in_namespace(namespace) {
            let selector = set.spec.as_ref().map(|spec| Selector::from_label_selector(Some(&spec.selector)));
            if selector.is_some_and(|selector| selector.matches(meta::labels(&pod.metadata))) {
                queue.add(meta::key(&set.metadata));
            }
        }
    }
}

/// The key of the StatefulSet that controls the object, if it exists under that uid.
fn controller_key(meta: &ObjectMeta, caches: &Caches) -> Option<String> {
    let owner = meta::controller_of(meta).filter(|owner| owner.kind == "StatefulSet")?;
    let key = meta::key_of(meta.namespace.as_deref().unwrap_or_default(), &owner.name);
    let set = caches.stateful_sets.get(&key)?;
    (set.metadata.uid.as_ref() == Some(&owner.uid)).then_some(key)
}
