//! The StatefulSet controller: Pods with a name, a number and disks of their own.

mod claims;
mod control;
mod identity;
mod pod_control;
mod revisions;
mod rollout;

use api::selector::Selector;
use api::time::SECOND;
use api::types::StatefulSet;
use api::{Status, meta};
use client::{Client, Recorder};

use crate::caches::{Caches, Seen};
use crate::claim::claim;
use crate::controller::{Event, Queue, Reconciler};
use crate::owners::dependent_changed;
use crate::{history, pods, replicaset};
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
            Seen::Pod(old, new) => {
                dependent_changed(old.as_ref(), new.as_ref(), &caches.stateful_sets, selector_of, queue);
            }
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

        let revisions = history::claimed(client, &*set, &selector, caches)?;
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

fn selector_of(set: &StatefulSet) -> Option<Selector> {
    set.spec.as_ref().map(|spec| Selector::from_label_selector(Some(&spec.selector)))
}
