//! A node with the Pods on it and their sums.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::meta;
use api::quantity::Amount;
use api::types::{Node, Taint};

use super::pod_info::{HostPort, PodInfo};
use super::resource::Resource;

/// A slot of the cache: the position of a node that stays the same while the node exists.
pub type Slot = u32;

pub const HOSTNAME: &str = "kubernetes.io/hostname";
pub const ZONE: &str = "topology.kubernetes.io/zone";

#[derive(Clone, Debug)]
pub struct NodeInfo {
    pub slot: Slot,
    pub name: Arc<str>,
    /// Absent while only Pods on it are known.
    pub node: Option<Arc<Node>>,
    /// The labels that every attempt asks each node for.
    hostname: Option<Box<str>>,
    zone: Option<Box<str>>,
    pub pods: Vec<PodOnNode>,
    pub requested: Resource,
    pub non_zero_milli_cpu: i64,
    pub non_zero_memory: i64,
    pub allocatable: Resource,
    pub allowed_pods: i64,
    /// How many Pods of each label set are on the node; terminating ones are left out.
    pub label_sets: Vec<(u32, u32)>,
    pub pods_with_affinity: u32,
    pub pods_with_required_anti_affinity: u32,
}

#[derive(Clone, Debug)]
pub struct PodOnNode {
    pub info: Arc<PodInfo>,
    pub label_set: u32,
}

impl NodeInfo {
    pub fn new(slot: Slot, name: Arc<str>) -> NodeInfo {
        NodeInfo {
            slot,
            name,
            node: None,
            hostname: None,
            zone: None,
            pods: Vec::new(),
            requested: Resource::default(),
            non_zero_milli_cpu: 0,
            non_zero_memory: 0,
            allocatable: Resource::default(),
            allowed_pods: 0,
            label_sets: Vec::new(),
            pods_with_affinity: 0,
            pods_with_required_anti_affinity: 0,
        }
    }

    pub fn set_node(&mut self, node: Arc<Node>) {
        let allocatable = node.status.as_ref().and_then(|status| status.allocatable.as_ref());
        self.allocatable = allocatable.map(Resource::of).unwrap_or_default();
        self.allowed_pods = allocatable.and_then(|all| all.get("pods")).map_or(0, |pods| Amount::of(pods).units());
        let label = |key| meta::label(&node.metadata, key).map(Box::from);
        (self.hostname, self.zone) = (label(HOSTNAME), label(ZONE));
        self.node = Some(node);
    }

    pub fn add_pod(&mut self, pod: PodOnNode) {
        self.requested.add(&pod.info.requests);
        self.non_zero_milli_cpu += pod.info.non_zero_requests.milli_cpu;
        self.non_zero_memory += pod.info.non_zero_requests.memory;
        self.pods_with_affinity += u32::from(pod.info.affinity.is_some());
        self.pods_with_required_anti_affinity += u32::from(pod.info.has_required_anti_affinity());
        if !pod.info.is_terminating() {
            match self.label_sets.iter_mut().find(|(set, _)| *set == pod.label_set) {
                Some((_, count)) => *count += 1,
                None => self.label_sets.push((pod.label_set, 1)),
            }
        }
        self.pods.push(pod);
    }

    pub fn remove_pod(&mut self, uid: &str) -> Option<PodOnNode> {
        let at = self.pods.iter().position(|pod| &*pod.info.uid == uid)?;
        let pod = self.pods.swap_remove(at);
        self.requested.subtract(&pod.info.requests);
        self.non_zero_milli_cpu -= pod.info.non_zero_requests.milli_cpu;
        self.non_zero_memory -= pod.info.non_zero_requests.memory;
        self.pods_with_affinity -= u32::from(pod.info.affinity.is_some());
        self.pods_with_required_anti_affinity -= u32::from(pod.info.has_required_anti_affinity());
        if !pod.info.is_terminating()
            && let Some(at) = self.label_sets.iter().position(|(set, _)| *set == pod.label_set)
        {
            self.label_sets[at].1 -= 1;
            if self.label_sets[at].1 == 0 {
                self.label_sets.swap_remove(at);
            }
        }
        Some(pod)
    }

    /// Swaps the object of a Pod whose sums stay the same.
    pub fn replace_pod(&mut self, info: Arc<PodInfo>) {
        if let Some(pod) = self.pods.iter_mut().find(|pod| pod.info.uid == info.uid) {
            pod.info = info;
        }
    }

    pub fn label(&self, key: &str) -> Option<&str> {
        let node = self.node.as_ref()?;
        match key {
            HOSTNAME => self.hostname.as_deref(),
            ZONE => self.zone.as_deref(),
            other => meta::label(&node.metadata, other),
        }
    }

    pub fn labels(&self) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        self.node.as_ref().map_or(&NONE, |node| meta::labels(&node.metadata))
    }

    pub fn taints(&self) -> &[Taint] {
        let spec = self.node.as_ref().and_then(|node| node.spec.as_ref());
        spec.and_then(|spec| spec.taints.as_deref()).unwrap_or_default()
    }

    pub fn is_unschedulable(&self) -> bool {
        let spec = self.node.as_ref().and_then(|node| node.spec.as_ref());
        spec.is_some_and(|spec| spec.unschedulable == Some(true))
    }

    pub fn uses_port(&self, port: &HostPort) -> bool {
        self.pods.iter().any(|pod| pod.info.host_ports.iter().any(|used| used.conflicts_with(port)))
    }

    /// How many Pods on the node have a label set that is marked.
    pub fn count_matching(&self, matching: &[bool]) -> i64 {
        let marked = |set: u32| matching.get(set as usize).copied().unwrap_or(false);
        self.label_sets.iter().filter(|(set, _)| marked(*set)).map(|(_, count)| i64::from(*count)).sum()
    }
}
