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
    max_skew: i64,
    /// Grows with the number of domains, so that a constraint over many small domains counts as much as others.
    weight: f64,
    /// Label sets of the Pods that count.
    matching: Vec<bool>,
    domains: Domains,
}

/// The domains that a topology label makes of the nodes.
#[derive(Debug)]
enum Domains {
    /// Every node with the label is one; its Pods are counted when it is scored.
    Hosts,
    /// The domain of each slot, if it has the label, and the matching Pods of each domain with a feasible node.
    Groups { of_slot: Vec<Option<u32>>, pods: Vec<Option<i64>> },
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
        let lacks_keys = |slot: &&Slot| needs_keys && !has_all_keys(&constraints, handle.cache.node(**slot).labels());
        let ignored: BTreeSet<Slot> = feasible.iter().filter(lacks_keys).copied().collect();
        let search = Search {
            handle,
            pod,
            required: Required::of(pod),
            feasible,
            ignored: &ignored,
            keys: if needs_keys { &constraints } else { &[] },
        };
        let constraints = constraints.iter().map(|constraint| search.score(constraint)).collect();
        State { constraints, ignored }
    }
}

/// What the constraints of one Pod are counted over.
struct Search<'a> {
    handle: Handle<'a>,
    pod: &'a PodInfo,
    required: Required,
    feasible: &'a [Slot],
    ignored: &'a BTreeSet<Slot>,
    /// Nodes that lack the label of one of these do not count.
    keys: &'a [Constraint],
}

impl Search<'_> {
    fn score(&self, constraint: &Constraint) -> Scored {
        let cache = self.handle.cache;
        let matching = cache.label_sets.matching(self.pod.namespace(), &constraint.selector);
        let (domains, count) = if constraint.topology_key == HOSTNAME {
            (Domains::Hosts, self.feasible.len() - self.ignored.len())
        } else {
            self.groups(constraint, &matching)
        };
        Scored { max_skew: constraint.max_skew, weight: natural_logarithm(count as u64 + 2), matching, domains }
    }

    /// The domains of a constraint, and how many of them have feasible nodes.
    fn groups(&self, constraint: &Constraint, matching: &[bool]) -> (Domains, usize) {
        let cache = self.handle.cache;
        let mut of_slot = vec![None; cache.slots()];
        let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
        for node in cache.nodes() {
            let next = numbers.len() as u32;
            of_slot[node.slot as usize] =
                node.label(&constraint.topology_key).map(|name| *numbers.entry(name).or_insert(next));
        }
        let next = numbers.len() as u32;
        let unlabelled = if next == 0 { 0 } else { *numbers.entry("").or_insert(next) };
        let domain_of = |slot: Slot| of_slot[slot as usize].unwrap_or(unlabelled) as usize;

        let mut pods = vec![None; numbers.len().max(1)];
        for &slot in self.feasible.iter().filter(|slot| !self.ignored.contains(slot)) {
            pods[domain_of(slot)] = Some(0);
        }
        let count = pods.iter().flatten().count();
        // Where no node has the label, nobody will ask for the sums.
        for node in cache.nodes().filter(|_| !numbers.is_empty()) {
            if let Some(sum) = &mut pods[domain_of(node.slot)]
                && has_all_keys(self.keys, node.labels())
                && constraint.includes(self.pod, &self.required, node)
            {
                *sum += node.count_matching(matching);
            }
        }
        (Domains::Groups { of_slot, pods }, count)
    }
}

impl ScorePlugin for PodTopologySpread {
    fn score(&self, _handle: Handle, state: &CycleState, _pod: &PodInfo, node: &NodeInfo) -> i64 {
        let State { constraints, ignored } = &*state.pod_topology_spread.score;
        if ignored.contains(&node.slot) {
            return 0;
        }
        let slot = node.slot as usize;
        let mut score = 0.0;
        for Scored { max_skew, weight, matching, domains } in constraints {
            let count = match domains {
                Domains::Hosts => node.label(HOSTNAME).map(|_| node.count_matching(matching)),
                Domains::Groups { of_slot, pods } => of_slot[slot].map(|domain| pods[domain as usize].unwrap_or(0)),
            };
            let Some(count) = count else { continue };
            score += count as f64 * weight + (max_skew - 1) as f64;
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
