//! The DaemonSet controller: a Pod on every node that fits.

mod nodes;
mod rolling;
mod status;
mod sync;

use api::selector::Selector;
use api::types::{DaemonSet, Node};
use api::{Status, meta};
use client::{Client, EventType, Recorder};

use crate::caches::{Caches, Seen};
use crate::claim::claim;
use crate::controller::{Event, Queue, Reconciler};
use crate::expectations::Expectations;
use crate::owners::{controller_key, dependent_changed};
use crate::{history, replicaset};
use sync::Sync;

#[derive(Clone)]
pub struct DaemonSetController {
    recorder: Recorder,
    expectations: Expectations,
}

impl Default for DaemonSetController {
    fn default() -> Self {
        DaemonSetController {
            recorder: Recorder::new("daemonset-controller", ""),
            expectations: Expectations::default(),
        }
    }
}

impl Reconciler for DaemonSetController {
    type Key = String;
    const NAME: &'static str = "daemonset-controller";
    const KIND: &'static str = "DaemonSet";
    const WORKERS: usize = 2;

    fn observe(&mut self, event: &Event, caches: &Caches, queue: &mut Queue<String>) {
        match &event.seen {
            Seen::DaemonSet(old, new) => {
                if let Some(set) = new.as_ref().or(old.as_ref()) {
                    queue.add(meta::key(&set.metadata));
                }
            }
            Seen::Node(old, new) if looks_different(old.as_deref(), new.as_deref()) => {
                for set in caches.daemon_sets.iter() {
                    queue.add(meta::key(&set.metadata));
                }
            }
            Seen::Pod(old, new) => {
                let pod = new.as_ref().or(old.as_ref());
                if let Some(key) = pod.and_then(|pod| controller_key(&caches.daemon_sets, &pod.metadata)) {
                    self.expectations.pod_observed(&key, old.as_ref(), new.as_ref());
                }
                dependent_changed(old.as_ref(), new.as_ref(), &caches.daemon_sets, selector_of, queue);
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
        let Some(set) = caches.daemon_sets.get(key).cloned() else {
            self.expectations.forget(key);
            return Ok(());
        };
        let Some(selector) = selector_of(&set) else { return Ok(()) };
        if selector.is_everything() {
            let message = "This daemon set is selecting all pods. A non-empty selector is required.";
            self.recorder.event(client, &*set, EventType::Warning, "SelectingAll", message);
            return Ok(());
        }
        if meta::is_being_deleted(&set.metadata) {
            return Ok(());
        }
        let revisions = history::claimed(client, &*set, &selector, caches)?;
        let candidates = replicaset::candidates(&set.metadata, caches).cloned().collect();
        let pods = claim(client, &*set, &selector, candidates)?;
        let recorder = &mut self.recorder;
        let mut sync =
            Sync { set: &set, key, pods, caches, client, recorder, expectations: &mut self.expectations, queue };
        sync.run(&revisions)
    }
}

fn selector_of(set: &DaemonSet) -> Option<Selector> {
    set.spec.as_ref().map(|spec| Selector::from_label_selector(Some(&spec.selector)))
}

/// Something changed in a node by which DaemonSets choose nodes.
fn looks_different(old: Option<&Node>, new: Option<&Node>) -> bool {
    let (Some(old), Some(new)) = (old, new) else { return true };
    let taints = |node: &Node| node.spec.as_ref().and_then(|spec| spec.taints.clone());
    old.metadata.labels != new.metadata.labels || taints(old) != taints(new)
}
