//! Keeps Pods off nodes without room for their requests, and prefers those with the most room (LeastAllocated).

use api::quantity::Amount;
use api::types::Node;

use crate::cache::{NodeInfo, PodInfo, Resource};
use crate::framework::{
    ClusterEvent, Code, CycleState, FilterPlugin, Handle, MAX_NODE_SCORE, QueueingHint, Reason, ScorePlugin, Status,
};

pub struct NodeResourcesFit;

const TOO_MANY_PODS: &str = "Too many pods";

/// A node's room, as the filter counts it.
struct Room<'a> {
    allocatable: &'a Resource,
    requested: &'a Resource,
    allowed_pods: i64,
    pods: i64,
}

impl FilterPlugin for NodeResourcesFit {
    fn filter(&self, _handle: Handle, _state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Status {
        fits(
            &pod.requests,
            &Room {
                allocatable: &node.allocatable,
                requested: &node.requested,
                allowed_pods: node.allowed_pods,
                pods: node.pods.len() as i64,
            },
        )
    }
}

/// A request beyond what the node has in all cannot be helped by preemption.
fn fits(request: &Resource, room: &Room) -> Status {
    let mut status = Status::SUCCESS;
    if room.pods + 1 > room.allowed_pods {
        status = Status::unschedulable(TOO_MANY_PODS);
    }
    let mut check = |wanted: i64, has: i64, used: i64, reason: &dyn Fn() -> Reason| {
        if wanted > 0 && wanted > has - used {
            status.reasons.push(reason());
            if wanted > has {
                status.code = Code::UnschedulableAndUnresolvable;
            } else if status.is_success() {
                status.code = Code::Unschedulable;
            }
        }
    };
    let (has, used) = (room.allocatable, room.requested);
    check(request.milli_cpu, has.milli_cpu, used.milli_cpu, &|| "Insufficient cpu".into());
    check(request.memory, has.memory, used.memory, &|| "Insufficient memory".into());
    check(request.ephemeral_storage, has.ephemeral_storage, used.ephemeral_storage, &|| {
        "Insufficient ephemeral-storage".into()
    });
    for (name, wanted) in &request.scalars {
        check(*wanted, has.scalar(name), used.scalar(name), &|| format!("Insufficient {name}").into());
    }
    status
}

impl ScorePlugin for NodeResourcesFit {
    fn score(&self, _handle: Handle, _state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> i64 {
        let cpu = (node.non_zero_milli_cpu + pod.non_zero_requests.milli_cpu, node.allocatable.milli_cpu);
        let memory = (node.non_zero_memory + pod.non_zero_requests.memory, node.allocatable.memory);
        let (mut sum, mut resources) = (0, 0);
        for (requested, capacity) in [cpu, memory] {
            if capacity > 0 {
                sum += least_requested_score(requested, capacity);
                resources += 1;
            }
        }
        if resources == 0 { 0 } else { sum / resources }
    }
}

fn least_requested_score(requested: i64, capacity: i64) -> i64 {
    if requested > capacity {
        return 0;
    }
    (capacity - requested).saturating_mul(MAX_NODE_SCORE) / capacity
}

impl QueueingHint for NodeResourcesFit {
    fn may_help(&self, _handle: Handle, pod: &PodInfo, event: &ClusterEvent) -> bool {
        match event {
            ClusterEvent::NodeAdded(node) => fits_empty(pod, node),
            ClusterEvent::NodeUpdated { old, new } => fits_empty(pod, new) && offers_more(pod, old, new),
            ClusterEvent::PodDeleted(_) => true,
            ClusterEvent::PodUpdated { old, new } => frees_some(&old.requests, &new.requests),
            ClusterEvent::UnscheduledPodUpdated { old, new } => frees_some(&old.requests, &new.requests),
            _ => false,
        }
    }
}

/// Whether the Pod would fit if it had the node for itself.
fn fits_empty(pod: &PodInfo, node: &Node) -> bool {
    let (allocatable, allowed_pods) = allocatable(node);
    let room = Room { allocatable: &allocatable, requested: &Resource::default(), allowed_pods, pods: 0 };
    fits(&pod.requests, &room).is_success()
}

/// Whether the node has more of something that the Pod asks for.
fn offers_more(pod: &PodInfo, old: &Node, new: &Node) -> bool {
    let ((old, old_pods), (new, new_pods)) = (allocatable(old), allocatable(new));
    let request = &pod.requests;
    new_pods > old_pods
        || (request.milli_cpu > 0 && new.milli_cpu > old.milli_cpu)
        || (request.memory > 0 && new.memory > old.memory)
        || (request.ephemeral_storage > 0 && new.ephemeral_storage > old.ephemeral_storage)
        || request.scalars.iter().any(|(name, _)| new.scalar(name) > old.scalar(name))
}

fn frees_some(old: &Resource, new: &Resource) -> bool {
    new.milli_cpu < old.milli_cpu
        || new.memory < old.memory
        || new.ephemeral_storage < old.ephemeral_storage
        || old.scalars.iter().any(|(name, amount)| new.scalar(name) < *amount)
}

fn allocatable(node: &Node) -> (Resource, i64) {
    let Some(amounts) = node.status.as_ref().and_then(|status| status.allocatable.as_ref()) else {
        return (Resource::default(), 0);
    };
    (Resource::of(amounts), amounts.get("pods").map_or(0, |pods| Amount::of(pods).units()))
}
