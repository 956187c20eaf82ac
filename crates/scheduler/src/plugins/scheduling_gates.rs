//! Holds back Pods with `spec.schedulingGates`. Their PodScheduled condition is written by the API server.

use crate::cache::PodInfo;
use crate::framework::{ClusterEvent, Handle, QueueingHint};

pub struct SchedulingGates;

pub fn is_gated(pod: &PodInfo) -> bool {
    pod.spec().is_some_and(|spec| spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty()))
}

impl QueueingHint for SchedulingGates {
    fn may_help(&self, _handle: Handle, _pod: &PodInfo, event: &ClusterEvent) -> bool {
        matches!(event, ClusterEvent::UnscheduledPodUpdated { new, .. } if !is_gated(new))
    }
}
