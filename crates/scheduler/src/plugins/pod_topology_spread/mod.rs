//! Spreads Pods over zones, hosts and other domains: `spec.topologySpreadConstraints`, or the default constraints for the
//! Pods of services and workloads.

mod filter;
mod score;

use std::collections::BTreeMap;
use std::sync::Arc;

use api::meta;
use api::selector::{Operator, Selector};
use api::types::{Node, TopologySpreadConstraint};

use super::node_affinity::Required;
use super::taint_toleration::tolerates_all;
use crate::cache::{HOSTNAME, NodeInfo, PodInfo, ZONE};
use crate::framework::{ClusterEvent, Handle, QueueingHint};

pub struct PodTopologySpread;

#[derive(Clone, Debug, Default)]
pub struct State {
    filter: filter::State,
    score: Arc<score::State>,
}

#[derive(Debug)]
struct Constraint {
    max_skew: i64,
    topology_key: String,
    selector: Selector,
    min_domains: usize,
    honor_node_affinity: bool,
    honor_node_taints: bool,
}

/// The Pod's constraints that forbid (`DoNotSchedule`) or discourage (`ScheduleAnyway`).
fn constraints(pod: &PodInfo, when_unsatisfiable: &str) -> Vec<Constraint> {
    let all = pod.spec().and_then(|spec| spec.topology_spread_constraints.as_deref()).unwrap_or_default();
    let labels = meta::labels(&pod.pod.metadata);
    all.iter()
        .filter(|constraint| constraint.when_unsatisfiable == when_unsatisfiable)
        .map(|constraint| Constraint::new(constraint, labels))
        .collect()
}

impl Constraint {
    fn new(constraint: &TopologySpreadConstraint, pod_labels: &BTreeMap<String, String>) -> Constraint {
        let mut selector = Selector::from_label_selector(constraint.label_selector.as_ref());
        for key in constraint.match_label_keys.iter().flatten() {
            if let Some(value) = pod_labels.get(key) {
                selector = selector.with(key, Operator::In, std::slice::from_ref(value));
            }
        }
        Constraint {
            max_skew: constraint.max_skew.into(),
            topology_key: constraint.topology_key.clone(),
            selector,
            min_domains: constraint.min_domains.and_then(|count| count.try_into().ok()).unwrap_or(1),
            honor_node_affinity: constraint.node_affinity_policy.as_deref() != Some("Ignore"),
            honor_node_taints: constraint.node_taints_policy.as_deref() == Some("Honor"),
        }
    }

    /// Whether the node's Pods count.
    fn includes(&self, pod: &PodInfo, required: &Required, node: &NodeInfo) -> bool {
        (!self.honor_node_affinity || required.matches(node))
            && (!self.honor_node_taints || tolerates_all(pod, node.taints()))
    }
}

fn has_all_keys(constraints: &[Constraint], labels: &BTreeMap<String, String>) -> bool {
    constraints.iter().all(|constraint| labels.contains_key(&constraint.topology_key))
}

/// What the services and the controller of a Pod select; `None` when nothing does.
fn default_selector(handle: Handle, pod: &PodInfo) -> Option<Selector> {
    let labels = meta::labels(&pod.pod.metadata);
    let mut selector = Selector::everything();
    for service in handle.listers.services.in_namespace(pod.namespace()) {
        let wanted = service.spec.as_ref().and_then(|spec| spec.selector.as_ref()).filter(|wanted| !wanted.is_empty());
        if let Some(wanted) = wanted
            && wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
        {
            for (key, value) in wanted {
                selector = selector.with(key, Operator::In, std::slice::from_ref(value));
            }
        }
    }
    if let Some(owner) = meta::controller_of(&pod.pod.metadata) {
        let of_owner = match owner.kind.as_str() {
            "ReplicaSet" => {
                let set = handle.listers.replica_sets.find(pod.namespace(), &owner.name);
                set.and_then(|set| set.spec.as_ref()).map(|spec| &spec.selector)
            }
            "StatefulSet" => {
                let set = handle.listers.stateful_sets.find(pod.namespace(), &owner.name);
                set.and_then(|set| set.spec.as_ref()).map(|spec| &spec.selector)
            }
            _ => None,
        };
        if let Some(of_owner) = of_owner {
            selector = selector.and(Selector::from_label_selector(Some(of_owner)));
        }
    }
    (!selector.is_everything()).then_some(selector)
}

impl QueueingHint for PodTopologySpread {
    fn may_help(&self, _handle: Handle, pod: &PodInfo, event: &ClusterEvent) -> bool {
        let constraints = constraints(pod, "DoNotSchedule");
        let counts = |other: &PodInfo| {
            let labels = meta::labels(&other.pod.metadata);
            other.namespace() == pod.namespace()
                && constraints.iter().any(|constraint| constraint.selector.matches(labels))
        };
        let is_domain = |node: &Node| has_all_keys(&constraints, meta::labels(&node.metadata));
        match event {
            ClusterEvent::PodAdded(other) | ClusterEvent::PodDeleted(other) => counts(other),
            ClusterEvent::PodUpdated { old, new } => counts(old) != counts(new),
            ClusterEvent::NodeAdded(node) => is_domain(node),
            ClusterEvent::NodeUpdated { old, new } => is_domain(old) || is_domain(new),
            ClusterEvent::NodeDeleted | ClusterEvent::UnscheduledPodUpdated { .. } => true,
            _ => false,
        }
    }
}
