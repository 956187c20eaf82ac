//! What the page and the metrics pipeline want to know of Pods.

use api::SimTime;
use runtime::Usage;

use crate::kubelet::{Kubelet, Milestones, PodUsage};

/// What the kubelet, containerd and the operating system use.
const SYSTEM_CPU_MILLI: u64 = 40;
const SYSTEM_MEMORY: u64 = 350 << 20;

impl Kubelet {
    pub fn pod_usage(&self, now: SimTime, pod: &str) -> Option<PodUsage> {
        let worker = self.worker(pod)?;
        let containers = worker
            .containers
            .iter()
            .filter(|record| record.is_running())
            .filter_map(|record| {
                let id = record.current.as_ref()?.id;
                Some((record.name.clone(), self.host.runtime.usage(now, id)?))
            })
            .collect();
        Some(PodUsage { containers })
    }

    /// What the whole node uses, system processes included.
    pub fn node_usage(&self, now: SimTime) -> Usage {
        let mut total = Usage::default();
        if !self.is_powered_on() {
            return total;
        }
        total.cpu_milli = SYSTEM_CPU_MILLI;
        total.memory_bytes = SYSTEM_MEMORY;
        for id in self.host.owners.keys() {
            let Some(usage) = self.host.runtime.usage(now, *id) else { continue };
            total.cpu_milli += usage.cpu_milli;
            total.memory_bytes += usage.memory_bytes;
            total.disk_bytes += usage.disk_bytes;
            total.log_bytes += usage.log_bytes;
        }
        total
    }

    /// The last results of a Pod's readiness probes, oldest first, at most 4.
    pub fn probe_results(&self, pod: &str) -> Vec<bool> {
        let containers = self.worker(pod).map(|worker| worker.containers.as_slice()).unwrap_or_default();
        containers
            .iter()
            .map(|record| record.probes.readiness_history())
            .find(|list| !list.is_empty())
            .unwrap_or_default()
            .to_vec()
    }

    /// How much of the image that a Pod waits for has been pulled, 0 to 1.
    pub fn pulling(&self, now: SimTime, pod: &str) -> Option<f32> {
        self.host.images.progress(now, self.worker(pod)?.id)
    }

    pub fn milestones(&self, pod: &str) -> Option<Milestones> {
        self.worker(pod).map(|worker| worker.milestones)
    }

    /// When the Pod's containers began to be stopped, and when the last must have ended.
    pub fn termination(&self, pod: &str) -> Option<(SimTime, SimTime)> {
        let worker = self.worker(pod)?;
        let began = worker.kill_began?;
        let end =
            worker.containers.iter().filter_map(|record| record.kill.as_ref()).map(|kill| kill.began + kill.grace);
        Some((began, end.max().unwrap_or(began)))
    }
}
