//! Constraints that forbid: `DoNotSchedule`.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::meta;

use super::{Constraint, PodTopologySpread, constraints, has_all_keys};
use crate::cache::{NodeInfo, PodInfo};
use crate::framework::{CycleState, FilterPlugin, Handle, PreFilterPlugin, PreFilterResult, Status};
use crate::plugins::node_affinity::Required;

const REASON: &str = "node(s) didn't match pod topology spread constraints";
const REASON_MISSING_LABEL: &str = "node(s) didn't match pod topology spread constraints (missing required label)";

#[derive(Clone, Debug, Default)]
pub struct State {
    constraints: Arc<[Constraint]>,
    required: Arc<Required>,
    /// For each constraint the matching Pods of each domain, and the smallest of the counts.
    domains: Vec<(BTreeMap<Arc<str>, i64>, i64)>,
}

impl PreFilterPlugin for PodTopologySpread {
    fn pre_filter(&self, handle: Handle, state: &mut CycleState, pod: &PodInfo) -> Result<PreFilterResult, Status> {
        let constraints = constraints(pod, "DoNotSchedule");
        if constraints.is_empty() {
            return Err(Status::SKIP);
        }
        let required = Required::of(pod);
        let mut domains = vec![BTreeMap::<Arc<str>, i64>::new(); constraints.len()];
        let matching: Vec<Vec<bool>> = constraints
            .iter()
            .map(|constraint| handle.cache.label_sets.matching(pod.namespace(), &constraint.selector))
            .collect();
        for node in handle.cache.nodes() {
            let labels = node.labels();
            if !has_all_keys(&constraints, labels) {
                continue;
            }
            for (at, constraint) in constraints.iter().enumerate() {
                if !constraint.includes(pod, &required, node) {
                    continue;
                }
                let count = node.count_matching(&matching[at]);
                let domain = labels[&constraint.topology_key].as_str();
                match domains[at].get_mut(domain) {
                    Some(sum) => *sum += count,
                    None => {
                        domains[at].insert(domain.into(), count);
                    }
                }
            }
        }
        let with_min = domains.into_iter().map(|counts| {
            let min = smallest(&counts);
            (counts, min)
        });
        state.pod_topology_spread.filter =
            State { domains: with_min.collect(), constraints: constraints.into(), required: Arc::new(required) };
        Ok(None)
    }

    fn add_pod(&self, _handle: Handle, state: &mut CycleState, pod: &PodInfo, added: &PodInfo, node: &NodeInfo) {
        state.pod_topology_spread.filter.change(pod, added, node, 1);
    }

    fn remove_pod(&self, _handle: Handle, state: &mut CycleState, pod: &PodInfo, removed: &PodInfo, node: &NodeInfo) {
        state.pod_topology_spread.filter.change(pod, removed, node, -1);
    }
}

fn smallest(counts: &BTreeMap<Arc<str>, i64>) -> i64 {
    counts.values().copied().min().unwrap_or(i64::from(i32::MAX))
}

impl State {
    fn change(&mut self, pod: &PodInfo, changed: &PodInfo, node: &NodeInfo, by: i64) {
        let labels = node.labels();
        if changed.namespace() != pod.namespace() || !has_all_keys(&self.constraints, labels) {
            return;
        }
        for (constraint, (counts, min)) in self.constraints.iter().zip(&mut self.domains) {
            let counted = constraint.selector.matches(meta::labels(&changed.pod.metadata))
                && constraint.includes(pod, &self.required, node);
            if counted && let Some(count) = counts.get_mut(labels[&constraint.topology_key].as_str()) {
                *count += by;
                *min = smallest(counts);
            }
        }
    }
}

impl FilterPlugin for PodTopologySpread {
    fn filter(&self, _handle: Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Status {
        let State { constraints, domains, .. } = &state.pod_topology_spread.filter;
        let labels = node.labels();
        for (constraint, (counts, min)) in constraints.iter().zip(domains) {
            let Some(domain) = labels.get(&constraint.topology_key) else {
                return Status::unresolvable(REASON_MISSING_LABEL);
            };
            // Domains that do not exist yet count as empty.
            let min = if counts.len() < constraint.min_domains { 0 } else { *min };
            let itself = i64::from(constraint.selector.matches(meta::labels(&pod.pod.metadata)));
            let skew = counts.get(domain.as_str()).copied().unwrap_or(0) + itself - min;
            if skew > constraint.max_skew {
                return Status::unschedulable(REASON);
            }
        }
        Status::SUCCESS
    }
}
