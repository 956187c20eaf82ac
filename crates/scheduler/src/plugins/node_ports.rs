//! Keeps Pods off nodes on which their host ports are taken.

use crate::cache::{NodeInfo, PodInfo};
use crate::framework::{
    ClusterEvent, CycleState, FilterPlugin, Handle, PreFilterPlugin, PreFilterResult, QueueingHint, Status,
};

pub struct NodePorts;

const REASON: &str = "node(s) didn't have free ports for the requested pod ports";

impl PreFilterPlugin for NodePorts {
    fn pre_filter(&self, _handle: Handle, _state: &mut CycleState, pod: &PodInfo) -> Result<PreFilterResult, Status> {
        if pod.host_ports.is_empty() { Err(Status::SKIP) } else { Ok(None) }
    }
}

impl FilterPlugin for NodePorts {
    fn filter(&self, _handle: Handle, _state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Status {
        if pod.host_ports.iter().any(|port| node.uses_port(port)) {
            return Status::unschedulable(REASON);
        }
        Status::SUCCESS
    }
}

impl QueueingHint for NodePorts {
    fn may_help(&self, _handle: Handle, pod: &PodInfo, event: &ClusterEvent) -> bool {
        match event {
            ClusterEvent::NodeAdded(_) => true,
            ClusterEvent::PodDeleted(deleted) => {
                deleted.host_ports.iter().any(|freed| pod.host_ports.iter().any(|port| port.conflicts_with(freed)))
            }
            _ => false,
        }
    }
}
