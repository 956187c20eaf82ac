//! Preferred terms, of the Pod and of those that are there already.

use std::sync::Arc;

use super::{InterPodAffinity, TopologySums, add_to};
use crate::cache::{AffinityTerm, NodeInfo, PodInfo, Slot};
use crate::framework::{CycleState, Handle, MAX_NODE_SCORE, PreScorePlugin, ScorePlugin};

#[derive(Debug, Default)]
pub struct State {
    sums: TopologySums,
}

/// How much a required term of an existing Pod counts.
const HARD_POD_AFFINITY_WEIGHT: i64 = 1;

impl PreScorePlugin for InterPodAffinity {
    fn pre_score(&self, handle: Handle, state: &mut CycleState, pod: &PodInfo, _feasible: &[Slot]) -> bool {
        let mine = pod.affinity.as_deref();
        let prefers = mine.is_some_and(|terms| !terms.preferred.is_empty() || !terms.preferred_anti.is_empty());
        let mut sums = TopologySums::new();
        if prefers {
            for node in handle.cache.nodes() {
                for existing in &node.pods {
                    count_mine(handle, &mut sums, pod, &existing.info, node);
                    count_theirs(handle, &mut sums, pod, &existing.info, node);
                }
            }
        } else {
            for node in handle.cache.nodes_with_affinity() {
                for existing in &node.pods {
                    count_theirs(handle, &mut sums, pod, &existing.info, node);
                }
            }
        }
        let any = !sums.is_empty();
        state.inter_pod_affinity.score = Arc::new(State { sums });
        any
    }
}

fn count(handle: Handle, sums: &mut TopologySums, term: &AffinityTerm, other: &PodInfo, node: &NodeInfo, weight: i64) {
    if let Some(value) = node.label(&term.topology_key)
        && term.matches(handle, other)
    {
        add_to(sums, &term.topology_key, value, weight);
    }
}

fn count_mine(handle: Handle, sums: &mut TopologySums, pod: &PodInfo, existing: &PodInfo, node: &NodeInfo) {
    let Some(terms) = pod.affinity.as_deref() else { return };
    for (weight, term) in &terms.preferred {
        count(handle, sums, term, existing, node, i64::from(*weight));
    }
    for (weight, term) in &terms.preferred_anti {
        count(handle, sums, term, existing, node, -i64::from(*weight));
    }
}

fn count_theirs(handle: Handle, sums: &mut TopologySums, pod: &PodInfo, existing: &PodInfo, node: &NodeInfo) {
    let Some(terms) = existing.affinity.as_deref() else { return };
    for term in &terms.required {
        count(handle, sums, term, pod, node, HARD_POD_AFFINITY_WEIGHT);
    }
    for (weight, term) in &terms.preferred {
        count(handle, sums, term, pod, node, i64::from(*weight));
    }
    for (weight, term) in &terms.preferred_anti {
        count(handle, sums, term, pod, node, -i64::from(*weight));
    }
}

impl ScorePlugin for InterPodAffinity {
    fn score(&self, _handle: Handle, state: &CycleState, _pod: &PodInfo, node: &NodeInfo) -> i64 {
        let sums = state.inter_pod_affinity.score.sums.iter();
        sums.filter_map(|(key, values)| values.get(node.label(key)?)).sum()
    }

    fn normalize(&self, _handle: Handle, _state: &CycleState, _feasible: &[Slot], scores: &mut [i64]) {
        let (min, max) = (scores.iter().copied().min().unwrap_or(0), scores.iter().copied().max().unwrap_or(0));
        for score in scores {
            *score = if max > min {
                (MAX_NODE_SCORE as f64 * ((*score - min) as f64 / (max - min) as f64)) as i64
            } else {
                0
            };
        }
    }
}
