//! Takes the watches' changes into the cache and the queue.

use std::sync::Arc;

use api::object::typed;
use api::request::WatchKind;
use api::types::{Node, PersistentVolume, PersistentVolumeClaim, Pod};
use api::{CauseId, SimTime, meta};
use client::Change;

use crate::cache::PodInfo;
use crate::framework::{ClusterEvent, Handle};
use crate::scheduler::{Scheduler, watches};

impl Scheduler {
    pub(crate) fn handle_event(&mut self, now: SimTime, watch: usize, change: &Change) {
        match watch {
            watches::PODS => self.handle_pod(now, change),
            watches::NODES => self.handle_node(now, change),
            watches::NAMESPACES => {
                self.listers.namespaces.apply(change);
                self.move_all(&ClusterEvent::NamespaceChanged, now, change.cause);
            }
            watches::SERVICES => drop(self.listers.services.apply(change)),
            watches::REPLICA_SETS => drop(self.listers.replica_sets.apply(change)),
            watches::STATEFUL_SETS => drop(self.listers.stateful_sets.apply(change)),
            watches::BUDGETS => drop(self.listers.budgets.apply(change)),
            watches::CLAIMS => {
                self.listers.claims.apply(change);
                if let Some(claim) = typed::<PersistentVolumeClaim>(&change.object) {
                    self.move_all(&ClusterEvent::ClaimChanged(claim), now, change.cause);
                }
            }
            watches::VOLUMES => {
                self.listers.volumes.apply(change);
                if let Some(volume) = typed::<PersistentVolume>(&change.object) {
                    self.move_all(&ClusterEvent::VolumeChanged(volume), now, change.cause);
                }
            }
            watches::STORAGE_CLASSES => {
                self.listers.storage_classes.apply(change);
                self.move_all(&ClusterEvent::StorageClassChanged, now, change.cause);
            }
            _ => {}
        }
    }

    pub(crate) fn move_all(&mut self, event: &ClusterEvent, now: SimTime, cause: CauseId) {
        let handle = Handle { cache: &self.cache, listers: &self.listers };
        self.queue.move_all(handle, event, now, cause);
    }

    fn handle_pod(&mut self, now: SimTime, change: &Change) {
        let Some(pod) = typed::<Pod>(&change.object) else { return };
        if change.kind == WatchKind::Deleted || is_finished(&pod) {
            self.delete_pod(now, &pod, change.cause);
            return;
        }
        let spec = pod.spec.as_ref();
        let node = spec.and_then(|spec| spec.node_name.clone()).filter(|name| !name.is_empty());
        if let Some(node) = node {
            self.set_assigned_pod(now, pod, &node, change.cause);
        } else if spec.and_then(|spec| spec.scheduler_name.as_deref()) == Some(self.config.scheduler_name) {
            self.set_waiting_pod(now, pod, change.cause);
        }
    }

    fn set_assigned_pod(&mut self, now: SimTime, pod: Arc<Pod>, node: &str, cause: CauseId) {
        let uid = pod.metadata.uid.as_deref().unwrap_or_default();
        self.queue.delete(uid);
        self.nominator.remove(uid);
        let was_assumed = self.cache.is_assumed(uid);
        let (old, new) = self.cache.set_pod(pod, node);
        match old {
            Some(old) if !was_assumed => {
                let differs = old.pod.metadata.labels != new.pod.metadata.labels || old.requests != new.requests;
                if differs {
                    self.move_all(&ClusterEvent::PodUpdated { old, new }, now, cause);
                }
            }
            _ => self.move_all(&ClusterEvent::PodAdded(new), now, cause),
        }
    }

    fn set_waiting_pod(&mut self, now: SimTime, pod: Arc<Pod>, cause: CauseId) {
        let info = Arc::new(PodInfo::new(pod));
        // What the watch tells of a Pod that we have placed is older than that.
        if self.cache.is_assumed(&info.uid) {
            self.update_binding(info);
            return;
        }
        // A promise of ours that the watch has not told of yet stays; one that was taken back goes.
        let had_promise = || self.queue.get(&info.uid).is_some_and(|old| old.nominated_node().is_some());
        if let Some(node) = info.nominated_node() {
            self.nominator.add(info.clone(), node);
        } else if had_promise() {
            self.nominator.remove(&info.uid);
        }
        let handle = Handle { cache: &self.cache, listers: &self.listers };
        self.queue.update(handle, info, now, cause);
    }

    fn delete_pod(&mut self, now: SimTime, pod: &Pod, cause: CauseId) {
        let uid = pod.metadata.uid.as_deref().unwrap_or_default();
        if !is_finished(pod) {
            self.decisions.forget(&meta::key(&pod.metadata));
        }
        let waiting = self.queue.delete(uid);
        let nominated = self.nominator.remove(uid);
        self.stop_binding(uid);
        // A Pod that was promised a node keeps others from it too.
        let gone = self.cache.remove_pod(uid).or(waiting.filter(|_| nominated));
        if let Some(gone) = gone {
            self.move_all(&ClusterEvent::PodDeleted(gone), now, cause);
        }
    }

    fn handle_node(&mut self, now: SimTime, change: &Change) {
        let Some(node) = typed::<Node>(&change.object) else { return };
        if change.kind == WatchKind::Deleted {
            self.cache.remove_node(node.metadata.name.as_deref().unwrap_or_default());
            self.move_all(&ClusterEvent::NodeDeleted, now, change.cause);
            return;
        }
        match self.cache.set_node(node.clone()) {
            None => self.move_all(&ClusterEvent::NodeAdded(node), now, change.cause),
            Some(old) if differs_for_scheduling(&old, &node) => {
                self.move_all(&ClusterEvent::NodeUpdated { old, new: node }, now, change.cause);
            }
            Some(_) => {}
        }
    }
}

fn is_finished(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// Most updates of a node are heartbeats.
fn differs_for_scheduling(old: &Node, new: &Node) -> bool {
    let spec = |node: &Node| node.spec.as_ref().map(|spec| (spec.taints.clone(), spec.unschedulable == Some(true)));
    let allocatable = |node: &Node| node.status.as_ref().and_then(|status| status.allocatable.clone());
    old.metadata.labels != new.metadata.labels || spec(old) != spec(new) || allocatable(old) != allocatable(new)
}
