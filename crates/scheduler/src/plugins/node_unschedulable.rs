//! Keeps Pods off cordoned nodes, unless they tolerate the taint that says the same.

use api::types::{Node, Taint};

use super::taint_toleration::{is_tolerated, tolerations};
use crate::cache::{NodeInfo, PodInfo};
use crate::framework::{ClusterEvent, CycleState, FilterPlugin, Handle, QueueingHint, Status};

pub struct NodeUnschedulable;

const REASON: &str = "node(s) were unschedulable";

impl FilterPlugin for NodeUnschedulable {
    fn filter(&self, _handle: Handle, _state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Status {
        if node.is_unschedulable() && !tolerates_cordon(pod) {
            return Status::unresolvable(REASON);
        }
        Status::SUCCESS
    }
}

impl QueueingHint for NodeUnschedulable {
    fn may_help(&self, _handle: Handle, pod: &PodInfo, event: &ClusterEvent) -> bool {
        match event {
            ClusterEvent::NodeAdded(node) => !is_cordoned(node),
            ClusterEvent::NodeUpdated { old, new } => is_cordoned(old) && !is_cordoned(new),
            ClusterEvent::UnscheduledPodUpdated { .. } => tolerates_cordon(pod),
            _ => false,
        }
    }
}

fn is_cordoned(node: &Node) -> bool {
    node.spec.as_ref().is_some_and(|spec| spec.unschedulable == Some(true))
}

fn tolerates_cordon(pod: &PodInfo) -> bool {
    let taint =
        Taint { key: "node.kubernetes.io/unschedulable".into(), effect: "NoSchedule".into(), ..Taint::default() };
    is_tolerated(&taint, tolerations(pod))
}
