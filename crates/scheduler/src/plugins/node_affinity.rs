//! `spec.nodeSelector` and `spec.affinity.nodeAffinity`.

use std::sync::Arc;

use api::meta;
use api::selector::Selector;
use api::types::{Node, NodeAffinity as Affinity};

use crate::cache::{NodeInfo, PodInfo, Slot};
use crate::framework::{
    ClusterEvent, CycleState, FilterPlugin, Handle, PreFilterPlugin, PreFilterResult, PreScorePlugin, QueueingHint,
    ScorePlugin, Status, default_normalize,
};
use api::node_selector::{NodeTerm, NodeTerms, named_nodes};

pub struct NodeAffinity;

#[derive(Clone, Debug, Default)]
pub struct State {
    required: Arc<Required>,
    /// With their weights.
    preferred: Arc<[(i64, NodeTerm)]>,
}

/// What a node must fulfil.
#[derive(Debug, Default)]
pub struct Required {
    selector: Option<Selector>,
    terms: Option<NodeTerms>,
}

const REASON: &str = "node(s) didn't match Pod's node affinity/selector";
const REASON_CONFLICT: &str = "pod affinity terms conflict";

impl Required {
    pub fn of(pod: &PodInfo) -> Required {
        let selector = pod.spec().and_then(|spec| spec.node_selector.as_ref());
        let terms = affinity(pod).and_then(|rules| rules.required_during_scheduling_ignored_during_execution.as_ref());
        Required { selector: selector.map(Selector::from_map), terms: terms.map(NodeTerms::new) }
    }

    fn is_empty(&self) -> bool {
        self.selector.is_none() && self.terms.is_none()
    }

    pub fn matches(&self, node: &NodeInfo) -> bool {
        self.matches_labels(&node.name, node.labels())
    }

    fn matches_node(&self, node: &Node) -> bool {
        self.matches_labels(node.metadata.name.as_deref().unwrap_or_default(), meta::labels(&node.metadata))
    }

    fn matches_labels(&self, name: &str, labels: &std::collections::BTreeMap<String, String>) -> bool {
        self.selector.as_ref().is_none_or(|selector| selector.matches(labels))
            && self.terms.as_ref().is_none_or(|terms| terms.matches(name, labels))
    }
}

fn affinity(pod: &PodInfo) -> Option<&Affinity> {
    pod.spec()?.affinity.as_ref()?.node_affinity.as_ref()
}

impl PreFilterPlugin for NodeAffinity {
    fn pre_filter(&self, handle: Handle, state: &mut CycleState, pod: &PodInfo) -> Result<PreFilterResult, Status> {
        let required = Required::of(pod);
        if required.is_empty() {
            return Err(Status::SKIP);
        }
        state.node_affinity.required = Arc::new(required);
        let terms = affinity(pod).and_then(|rules| rules.required_during_scheduling_ignored_during_execution.as_ref());
        let Some(names) = terms.and_then(named_nodes) else { return Ok(None) };
        if names.is_empty() {
            return Err(Status::unresolvable(REASON_CONFLICT));
        }
        Ok(Some(names.into_iter().filter_map(|name| handle.cache.find(name)).map(|node| node.slot).collect()))
    }
}

impl FilterPlugin for NodeAffinity {
    fn filter(&self, _handle: Handle, state: &CycleState, _pod: &PodInfo, node: &NodeInfo) -> Status {
        if state.node_affinity.required.matches(node) { Status::SUCCESS } else { Status::unresolvable(REASON) }
    }
}

impl PreScorePlugin for NodeAffinity {
    fn pre_score(&self, _handle: Handle, state: &mut CycleState, pod: &PodInfo, _feasible: &[Slot]) -> bool {
        let preferred =
            affinity(pod).and_then(|rules| rules.preferred_during_scheduling_ignored_during_execution.as_ref());
        let parse =
            |term: &api::types::PreferredSchedulingTerm| (i64::from(term.weight), NodeTerm::new(&term.preference));
        state.node_affinity.preferred = preferred.into_iter().flatten().map(parse).collect();
        !state.node_affinity.preferred.is_empty()
    }
}

impl ScorePlugin for NodeAffinity {
    fn score(&self, _handle: Handle, state: &CycleState, _pod: &PodInfo, node: &NodeInfo) -> i64 {
        let matching = state.node_affinity.preferred.iter().filter(|(_, term)| term.matches(&node.name, node.labels()));
        matching.map(|(weight, _)| weight).sum()
    }

    fn normalize(&self, _handle: Handle, _state: &CycleState, _feasible: &[Slot], scores: &mut [i64]) {
        default_normalize(scores, false);
    }
}

impl QueueingHint for NodeAffinity {
    fn may_help(&self, _handle: Handle, pod: &PodInfo, event: &ClusterEvent) -> bool {
        let required = Required::of(pod);
        match event {
            ClusterEvent::NodeAdded(node) => required.matches_node(node),
            ClusterEvent::NodeUpdated { old, new } => required.matches_node(new) && !required.matches_node(old),
            // Gated Pods may have their node selector tightened or set.
            ClusterEvent::UnscheduledPodUpdated { .. } => true,
            _ => false,
        }
    }
}
