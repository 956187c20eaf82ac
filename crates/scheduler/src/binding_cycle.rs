//! From a choice to a binding: PreBind, Bind. Its calls do not hold up the next scheduling cycle, and a Pod whose
//! volumes are being bound or made waits here while others are scheduled.

use std::sync::Arc;

use api::SimTime;
use api::time::SECOND;
use client::{Client, EventType};

use crate::cache::{PodInfo, Slot};
use crate::framework::ClusterEvent;
use crate::plugins::volume_binding::{self, PodVolumes};
use crate::queue::QueuedPod;
use crate::schedule_one::Failure;
use crate::scheduler::Scheduler;

/// A Pod whose PreBind waits for the volume controllers.
#[derive(Clone, Debug)]
pub(crate) struct BindingCycle {
    pub pod: Arc<PodInfo>,
    pub next_check: SimTime,
    queued: QueuedPod,
    node: Arc<str>,
    volumes: PodVolumes,
    deadline: SimTime,
}

const CHECK_PERIOD: SimTime = SECOND;

impl Scheduler {
    pub(crate) fn start_binding(&mut self, client: &mut Client, queued: QueuedPod, slot: Slot, volumes: PodVolumes) {
        let node = self.cache.node(slot).name.clone();
        self.nominator.remove(&queued.info.uid);
        if volumes.is_empty() {
            self.bind(client, queued, &node);
            return;
        }
        for (_, volume) in &volumes.bindings {
            self.listers.assumed_volumes.insert(volume.clone(), queued.info.uid.clone());
        }
        self.patch_nominated_node(client, &queued.info, Some(&node));
        let written = volume_binding::bind(client, &self.listers, &volumes, &node);
        let now = client.now();
        let cycle = BindingCycle {
            pod: queued.info.clone(),
            next_check: now + CHECK_PERIOD,
            queued,
            node,
            volumes,
            deadline: now + self.config.bind_timeout,
        };
        match written {
            Ok(()) => drop(self.binding.insert(cycle.pod.uid.clone(), cycle)),
            Err(why) => self.fail_binding(client, cycle.queued, pre_bind_error(&why)),
        }
    }

    pub(crate) fn continue_binding(&mut self, client: &mut Client, uid: &str) {
        let Some(mut cycle) = self.binding.remove(uid) else { return };
        cycle.queued.cause = client.begin("bind", "Pod", &cycle.pod.key, cycle.queued.cause);
        let now = client.now();
        match volume_binding::are_bound(&self.listers, &cycle.volumes, &cycle.node) {
            Ok(true) => {
                self.release_volumes(uid);
                self.bind(client, cycle.queued, &cycle.node);
            }
            Ok(false) if now < cycle.deadline => {
                cycle.next_check = now + CHECK_PERIOD;
                self.binding.insert(uid.into(), cycle);
            }
            Ok(false) => self.fail_binding(client, cycle.queued, pre_bind_error("context deadline exceeded")),
            Err(why) => self.fail_binding(client, cycle.queued, pre_bind_error(&why)),
        }
    }

    /// The Pod has changed meanwhile.
    pub(crate) fn update_binding(&mut self, pod: Arc<PodInfo>) {
        if let Some(cycle) = self.binding.get_mut(&pod.uid) {
            cycle.queued.info = pod;
        }
    }

    /// The Pod is gone.
    pub(crate) fn stop_binding(&mut self, uid: &str) {
        if self.binding.remove(uid).is_some() {
            self.release_volumes(uid);
        }
    }

    fn release_volumes(&mut self, uid: &str) {
        self.listers.assumed_volumes.retain(|_, holder| **holder != *uid);
    }

    fn bind(&mut self, client: &mut Client, queued: QueuedPod, node: &str) {
        let pod = queued.info.clone();
        if let Err(status) = client.bind_detached(&pod.pod, node) {
            let why = format!("binding rejected: running Bind plugin \"DefaultBinder\": {}", status.message);
            self.fail_binding(client, queued, why);
            return;
        }
        let message = crate::algorithm::assigned_message(&pod, node);
        self.recorder.event(client, &*pod.pod, EventType::Normal, "Scheduled", message);
    }

    /// Gives back what the Pod held on its node, which may help others.
    fn fail_binding(&mut self, client: &mut Client, queued: QueuedPod, why: String) {
        let pod = queued.info.clone();
        self.release_volumes(&pod.uid);
        self.cache.forget_pod(&pod.uid);
        self.move_all(&ClusterEvent::PodDeleted(pod), client.now(), queued.cause);
        self.handle_failure(client, queued, Failure::Error(why));
    }
}

fn pre_bind_error(why: &str) -> String {
    format!("running PreBind plugin \"VolumeBinding\": binding volumes: {why}")
}
