//! The component: its state, what it watches, and when it works.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::SimTime;
use api::time::SECOND;
use api::types::{
    Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, PodDisruptionBudget, ReplicaSet, Service,
    StatefulSet, StorageClass,
};
use client::{Change, Client, Component, Recorder, Watch};

use crate::Config;
use crate::binding_cycle::BindingCycle;
use crate::cache::Cache;
use crate::decision::{Decision, Decisions};
use crate::listers::Listers;
use crate::nominator::Nominator;
use crate::queue::{QueueStatus, SchedulingQueue};

/// kube-scheduler with the default profile.
#[derive(Clone)]
pub struct Scheduler {
    pub(crate) config: Config,
    pub(crate) cache: Cache,
    pub(crate) listers: Listers,
    pub(crate) queue: SchedulingQueue,
    pub(crate) nominator: Nominator,
    /// Pods that have a node and wait for their volumes, by uid.
    pub(crate) binding: BTreeMap<Arc<str>, BindingCycle>,
    pub(crate) recorder: Recorder,
    pub(crate) decisions: Decisions,
    /// Where in the order of nodes the next search begins.
    pub(crate) next_start_node: usize,
    /// When the recorder next forgets old events.
    next_prune: SimTime,
}

const PRUNE_PERIOD: SimTime = 600 * SECOND;

impl Scheduler {
    pub fn new(config: Config) -> Scheduler {
        Scheduler {
            cache: Cache::default(),
            listers: Listers::default(),
            queue: SchedulingQueue::new(&config),
            nominator: Nominator::default(),
            binding: BTreeMap::new(),
            recorder: Recorder::new(config.scheduler_name, ""),
            decisions: Decisions::default(),
            next_start_node: 0,
            next_prune: PRUNE_PERIOD,
            config,
        }
    }

    /// Why a Pod (`namespace/name`) is where it is, or nowhere: its last attempts, the oldest first.
    pub fn decisions(&self, pod_key: &str) -> impl Iterator<Item = &Arc<Decision>> {
        self.decisions.of(pod_key)
    }

    pub fn queue_status(&self) -> QueueStatus {
        let binding = self.binding.values().map(|cycle| cycle.pod.key.clone()).collect();
        QueueStatus { binding, ..self.queue.status() }
    }
}

/// The position of each watch in [`Component::watches`].
pub(crate) mod watches {
    pub const PODS: usize = 0;
    pub const NODES: usize = 1;
    pub const NAMESPACES: usize = 2;
    pub const SERVICES: usize = 3;
    pub const REPLICA_SETS: usize = 4;
    pub const STATEFUL_SETS: usize = 5;
    pub const CLAIMS: usize = 6;
    pub const VOLUMES: usize = 7;
    pub const STORAGE_CLASSES: usize = 8;
    pub const BUDGETS: usize = 9;
}

impl Component for Scheduler {
    fn name(&self) -> &'static str {
        "kube-scheduler"
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            // Finished Pods leave the watch like deleted ones.
            Watch::all::<Pod>().fields("status.phase!=Succeeded,status.phase!=Failed"),
            Watch::all::<Node>(),
            Watch::all::<Namespace>(),
            Watch::all::<Service>(),
            Watch::all::<ReplicaSet>(),
            Watch::all::<StatefulSet>(),
            Watch::all::<PersistentVolumeClaim>(),
            Watch::all::<PersistentVolume>(),
            Watch::all::<StorageClass>(),
            Watch::all::<PodDisruptionBudget>(),
        ]
    }

    fn observe(&mut self, now: SimTime, watch: usize, change: &Change) {
        self.handle_event(now, watch, change);
    }

    fn next_work(&self) -> Option<SimTime> {
        let binding = self.binding.values().map(|cycle| cycle.next_check).min();
        [self.queue.next(), binding].into_iter().flatten().min()
    }

    fn work(&mut self, client: &mut Client) {
        let now = client.now();
        if now >= self.next_prune {
            self.recorder.prune(now);
            self.next_prune = now + PRUNE_PERIOD;
        }
        let due = self.binding.values().find(|cycle| cycle.next_check <= now).map(|cycle| cycle.pod.uid.clone());
        if let Some(uid) = due {
            self.continue_binding(client, &uid);
        } else if let Some(pod) = self.queue.pop(now) {
            self.schedule_one(client, pod);
        }
    }
}
