//! Pods as tiles.

use api::types::{Pod, PodStatus, ReplicaSet};
use api::{meta, table, time};
use protocol::view::{self as page, Lamp};

use super::Viewer;
use crate::cluster::Cluster;

const REVISION: &str = "deployment.kubernetes.io/revision";

/// The mark changes with time alone, so the row must be sent again and again.
pub(super) fn moves(lamp: &Lamp) -> bool {
    matches!(lamp, Lamp::Pulling { .. } | Lamp::Starting)
}

impl Viewer {
    /// Pods with probes are shown anew now and then for their ticks.
    pub(super) fn touch_probed(&mut self) {
        let probed = self.pods.objects.iter().filter(|(_, pod)| {
            pod.spec.iter().flat_map(|spec| &spec.containers).any(|container| container.readiness_probe.is_some())
        });
        let keys: Vec<String> = probed.map(|(key, _)| key.clone()).collect();
        self.pods.changed.extend(keys);
    }

    pub(super) fn pod_row(&mut self, cluster: &Cluster, key: &str) -> Option<page::Pod> {
        let pod = self.pods.objects.get(key)?.clone();
        let name = pod.metadata.name.clone().unwrap_or_default();
        let namespace = pod.metadata.namespace.clone().unwrap_or_default();
        let spec = pod.spec.as_ref();
        let status = pod.status.as_ref();
        let node = spec.and_then(|spec| spec.node_name.clone()).unwrap_or_default();
        let kubelet = cluster.kubelet(&node);
        let row = table::pod::summary(&pod);
        if is_ready(status) {
            self.was_ready.insert(key.to_owned());
        }
        let lamp = self.lamp(cluster, &pod, key, &node);
        let (title, suffix) = self.titles(&pod, &name);
        let (revision, newest_revision) = self.revision(&pod);
        let usage = kubelet.and_then(|kubelet| kubelet.pod_usage(cluster.now, key));
        let used: u64 = usage.iter().flat_map(|usage| &usage.containers).map(|(_, usage)| usage.cpu_milli).sum();
        let requested: i64 = spec.iter().flat_map(|spec| &spec.containers).map(cpu_request).sum();
        let claims = spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
        let claims = claims.filter_map(|volume| volume.persistent_volume_claim.as_ref());
        Some(page::Pod {
            key: key.into(),
            title,
            suffix,
            lamp,
            status: row.status,
            ready: row.ready as u32,
            containers: row.total as u32,
            restarts: row.restarts as u32,
            revision,
            newest_revision,
            ip: status.and_then(|status| status.pod_ip.clone()).unwrap_or_default(),
            owner: self.owner(&pod),
            probes: kubelet.map(|kubelet| kubelet.probe_results(key)).unwrap_or_default(),
            cpu: if requested > 0 { (used as f32 / requested as f32).min(1.0) } else { 0.0 },
            claims: claims.map(|claim| meta::key_of(&namespace, &claim.claim_name)).collect(),
            system: namespace == "kube-system",
            namespace,
            name,
            node,
        })
    }

    fn lamp(&self, cluster: &Cluster, pod: &Pod, key: &str, node: &str) -> Lamp {
        let status = pod.status.as_ref();
        if let Some(deletion) = &pod.metadata.deletion_timestamp {
            let until = time::since_start(deletion);
            let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or(0).max(0) as u64;
            return Lamp::Terminating { since: until.saturating_sub(grace * time::SECOND), until };
        }
        match status.and_then(|status| status.phase.as_deref()) {
            Some("Succeeded") => return Lamp::Succeeded,
            Some("Failed") => return Lamp::Failed,
            _ => {}
        }
        if node.is_empty() {
            return Lamp::Unscheduled;
        }
        if self.nodes.objects.get(node).is_some_and(|node| super::rows::ready(node) == page::NodeReady::Unknown) {
            return Lamp::Unknown;
        }
        let waiting = waiting_reasons(status);
        if waiting.contains(&"CrashLoopBackOff") {
            return Lamp::CrashLoop;
        }
        if waiting.iter().any(|reason| CANNOT_START.contains(reason)) {
            return Lamp::CannotStart;
        }
        if is_ready(status) {
            return Lamp::Ready;
        }
        if let Some(share) = cluster.kubelet(node).and_then(|kubelet| kubelet.pulling(cluster.now, key)) {
            return Lamp::Pulling { share };
        }
        let inits = status.and_then(|status| status.init_container_statuses.as_deref()).unwrap_or_default();
        let done = inits.iter().filter(|init| {
            let ended = init.state.as_ref().and_then(|state| state.terminated.as_ref());
            ended.is_some_and(|ended| ended.exit_code == 0)
        });
        let done = done.count();
        if done < inits.len() && !waiting.is_empty() {
            return Lamp::Init { done: done as u32, of: inits.len() as u32 };
        }
        if !waiting.is_empty() || status.is_none_or(|status| status.container_statuses.is_none()) {
            return Lamp::Starting;
        }
        if self.was_ready.contains(key) { Lamp::NoLongerReady } else { Lamp::NotReadyYet }
    }

    /// The workload's name and what tells this Pod from its sisters.
    fn titles(&self, pod: &Pod, name: &str) -> (String, String) {
        let owner = meta::controller_of(&pod.metadata);
        let Some(owner) = owner.filter(|owner| matches!(owner.kind.as_str(), "ReplicaSet" | "DaemonSet" | "Job"))
        else {
            return (name.to_owned(), String::new());
        };
        let Some(suffix) = name.strip_prefix(&owner.name).and_then(|rest| rest.strip_prefix('-')) else {
            return (name.to_owned(), String::new());
        };
        let hash = meta::label(&pod.metadata, "pod-template-hash").unwrap_or_default();
        let workload = owner.name.strip_suffix(hash).and_then(|base| base.strip_suffix('-')).unwrap_or(&owner.name);
        (workload.to_owned(), suffix.to_owned())
    }

    fn owner(&self, pod: &Pod) -> String {
        let Some(owner) = meta::controller_of(&pod.metadata) else { return String::new() };
        let above = self.replica_set_of(pod).and_then(|set| meta::controller_of(&set.metadata));
        let owner = above.unwrap_or(owner);
        format!("{}/{}", owner.kind, owner.name)
    }

    fn replica_set_of(&self, pod: &Pod) -> Option<&ReplicaSet> {
        let owner = meta::controller_of(&pod.metadata).filter(|owner| owner.kind == "ReplicaSet")?;
        let key = meta::key_of(pod.metadata.namespace.as_deref()?, &owner.name);
        self.replica_sets.objects.get(&key).map(|set| &**set)
    }

    /// The revision of the Pod's template, where its Deployment has had more than one.
    fn revision(&self, pod: &Pod) -> (Option<u32>, bool) {
        let number = |set: &ReplicaSet| meta::annotation(&set.metadata, REVISION)?.parse::<u32>().ok();
        let Some(set) = self.replica_set_of(pod) else { return (None, false) };
        let Some(own) = number(set) else { return (None, false) };
        let owner = meta::controller_of(&set.metadata).map(|owner| owner.uid.as_str());
        let sisters = self.replica_sets.objects.values().filter(|other| {
            owner.is_some() && meta::controller_of(&other.metadata).map(|owner| owner.uid.as_str()) == owner
        });
        let newest = sisters.filter_map(|set| number(set)).max().unwrap_or(own);
        if newest > 1 { (Some(own), own == newest) } else { (None, true) }
    }
}

const CANNOT_START: [&str; 8] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "StartError",
];

fn is_ready(status: Option<&PodStatus>) -> bool {
    let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn waiting_reasons(status: Option<&PodStatus>) -> Vec<&str> {
    let Some(status) = status else { return Vec::new() };
    let containers = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    containers.filter_map(|container| container.state.as_ref()?.waiting.as_ref()?.reason.as_deref()).collect()
}

pub(super) fn cpu_request(container: &api::types::Container) -> i64 {
    request(container, "cpu").millis()
}

pub(super) fn request(container: &api::types::Container, resource: &str) -> api::quantity::Amount {
    let requests = container.resources.as_ref().and_then(|resources| resources.requests.as_ref());
    requests.and_then(|requests| requests.get(resource)).map(api::quantity::Amount::of).unwrap_or_default()
}
