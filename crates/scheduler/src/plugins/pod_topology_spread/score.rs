//! Constraints that discourage: `ScheduleAnyway`, and the default ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Constraint, HOSTNAME, PodTopologySpread, ZONE, constraints, default_selector, has_all_keys};
use crate::cache::{NodeInfo, PodInfo, Slot};
use crate::framework::{CycleState, Handle, MAX_NODE_SCORE, PreScorePlugin, ScorePlugin};
use crate::plugins::node_affinity::Required;

#[derive(Debug, Default)]
pub struct State {
    constraints: Vec<Scored>,
    /// Feasible nodes that lack a topology label.
    ignored: BTreeSet<Slot>,
}

#[derive(Debug)]
struct Scored {
    constraint: Constraint,
    /// Grows with the number of domains, so that a constraint over many small domains counts as much as others.
    weight: f64,
    /// Label sets of the Pods that count.
    matching: Vec<bool>,
    /// Matching Pods of each domain; hosts are counted when they are scored.
    counts: BTreeMap<Box<str>, i64>,
}

impl PreScorePlugin for PodTopologySpread {
    fn pre_score(&self, handle: Handle, state: &mut CycleState, pod: &PodInfo, feasible: &[Slot]) -> bool {
        let own = pod.spec().is_some_and(|spec| spec.topology_spread_constraints.iter().flatten().next().is_some());
        let constraints = if own { constraints(pod, "ScheduleAnyway") } else { default_constraints(handle, pod) };
        if constraints.is_empty() {
            return false;
        }
        state.pod_topology_spread.score = Arc::new(State::new(handle, pod, constraints, feasible, own));
        true
    }
}

/// Of a cluster whose administrator has set none.
fn default_constraints(handle: Handle, pod: &PodInfo) -> Vec<Constraint> {
    let Some(selector) = default_selector(handle, pod) else { return Vec::new() };
    let constraint = |key: &str, max_skew| Constraint {
        max_skew,
        topology_key: key.into(),
        selector: selector.clone(),
        min_domains: 1,
        honor_node_affinity: true,
        honor_node_taints: false,
    };
    vec![constraint(HOSTNAME, 3), constraint(ZONE, 5)]
}

impl State {
    /// With the default constraints nodes without the labels count too, as a domain of their own.
    fn new(handle: Handle, pod: &PodInfo, constraints: Vec<Constraint>, feasible: &[Slot], needs_keys: bool) -> State {
        let required = Required::of(pod);
        let mut ignored = BTreeSet::new();
        let mut counts = vec![BTreeMap::<Box<str>, i64>::new(); constraints.len()];
        for &slot in feasible {
            let labels = handle.cache.node(slot).labels();
            if needs_keys && !has_all_keys(&constraints, labels) {
                ignored.insert(slot);
                continue;
            }
            for (counts, constraint) in counts.iter_mut().zip(&constraints) {
                let domain = labels.get(&constraint.topology_key).map(String::as_str).unwrap_or_default();
                if constraint.topology_key != HOSTNAME && !counts.contains_key(domain) {
                    counts.insert(domain.into(), 0);
                }
            }
        }

        let mut scored: Vec<Scored> = constraints
            .into_iter()
            .zip(counts)
            .map(|(constraint, counts)| {
                let by_host = constraint.topology_key == HOSTNAME;
                let domains = if by_host { feasible.len() - ignored.len() } else { counts.len() };
                let matching = handle.cache.label_sets.matching(pod.namespace(), &constraint.selector);
                Scored { weight: natural_logarithm(domains as u64 + 2), matching, counts, constraint }
            })
            .collect();

        if scored.iter().all(|scored| scored.counts.is_empty()) {
            return State { constraints: scored, ignored };
        }
        for node in handle.cache.nodes() {
            let labels = node.labels();
            if needs_keys && !scored.iter().all(|scored| labels.contains_key(&scored.constraint.topology_key)) {
                continue;
            }
            for scored in &mut scored {
                let domain = labels.get(&scored.constraint.topology_key).map(String::as_str).unwrap_or_default();
                if let Some(count) = scored.counts.get_mut(domain)
                    && scored.constraint.includes(pod, &required, node)
                {
                    *count += node.count_matching(&scored.matching);
                }
            }
        }
        State { constraints: scored, ignored }
    }
}

impl ScorePlugin for PodTopologySpread {
    fn score(&self, _handle: Handle, state: &CycleState, _pod: &PodInfo, node: &NodeInfo) -> i64 {
        let State { constraints, ignored } = &*state.pod_topology_spread.score;
        if ignored.contains(&node.slot) {
            return 0;
        }
        let mut score = 0.0;
        for Scored { constraint, weight, matching, counts } in constraints {
            let Some(domain) = node.label(&constraint.topology_key) else { continue };
            let count = if constraint.topology_key == HOSTNAME {
                node.count_matching(matching)
            } else {
                counts.get(domain).copied().unwrap_or(0)
            };
            score += count as f64 * weight + (constraint.max_skew - 1) as f64;
        }
        (score + 0.5) as i64
    }

    /// The fewer matching Pods the better.
    fn normalize(&self, _handle: Handle, state: &CycleState, feasible: &[Slot], scores: &mut [i64]) {
        let ignored = &state.pod_topology_spread.score.ignored;
        let counts = |slot: &Slot| ignored.is_empty() || !ignored.contains(slot);
        let counted = || feasible.iter().zip(&*scores).filter(|(slot, _)| counts(slot)).map(|(_, score)| *score);
        let (min, max) = (counted().min().unwrap_or(0), counted().max().unwrap_or(0));
        for (slot, score) in feasible.iter().zip(scores) {
            *score = match () {
                () if !counts(slot) => 0,
                () if max == 0 => MAX_NODE_SCORE,
                () => MAX_NODE_SCORE * (max + min - *score) / max,
            };
        }
    }
}

/// By a series of basic operations alone, whose results are the same natively and in WebAssembly.
fn natural_logarithm(number: u64) -> f64 {
    let doublings = 63 - number.leading_zeros();
    let rest = number as f64 / (1u64 << doublings) as f64;
    let z = (rest - 1.0) / (rest + 1.0);
    let (mut power, mut sum) = (z, 0.0);
    for odd in (1..60).step_by(2) {
        sum += power / f64::from(odd);
        power *= z * z;
    }
    2.0 * sum + f64::from(doublings) * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_logarithm_is_exact_enough_to_round() {
        for number in [2u64, 3, 4, 5, 7, 12, 102, 5002] {
            let difference = super::natural_logarithm(number) - (number as f64).ln();
            assert!(difference.abs() < 1e-14, "{number}: {difference}");
        }
    }
}
