//! Keeps a Pod to the node that `spec.nodeName` names.

use crate::cache::{NodeInfo, PodInfo};
use crate::framework::{ClusterEvent, CycleState, FilterPlugin, Handle, QueueingHint, Status};

pub struct NodeName;

const REASON: &str = "node(s) didn't match the requested node name";

impl FilterPlugin for NodeName {
    fn filter(&self, _handle: Handle, _state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Status {
        let wanted = pod.spec().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
        if wanted.is_empty() || *wanted == *node.name { Status::SUCCESS } else { Status::unresolvable(REASON) }
    }
}

impl QueueingHint for NodeName {
    fn may_help(&self, _handle: Handle, _pod: &PodInfo, event: &ClusterEvent) -> bool {
        matches!(event, ClusterEvent::NodeAdded(_))
    }
}
