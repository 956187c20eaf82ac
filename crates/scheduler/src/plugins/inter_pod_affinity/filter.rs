//! Required terms.

use super::{InterPodAffinity, TopologySums, add_to, matches_all};
use crate::cache::{AffinityTerm, NodeInfo, PodInfo};
use crate::framework::{CycleState, FilterPlugin, Handle, PreFilterPlugin, PreFilterResult, Status};

const REASON_AFFINITY: &str = "node(s) didn't match pod affinity rules";
const REASON_ANTI_AFFINITY: &str = "node(s) didn't match pod anti-affinity rules";
const REASON_EXISTING: &str = "node(s) didn't satisfy existing pods anti-affinity rules";

/// How many Pods stand in each domain …
#[derive(Clone, Debug, Default)]
pub struct State {
    /// … that do not want this Pod near,
    existing_anti: TopologySums,
    /// that match all its affinity terms,
    affinity: TopologySums,
    /// that match one of its anti-affinity terms.
    anti_affinity: TopologySums,
}

fn required(pod: &PodInfo) -> &[AffinityTerm] {
    pod.affinity.as_ref().map_or(&[], |terms| &terms.required)
}

fn required_anti(pod: &PodInfo) -> &[AffinityTerm] {
    pod.affinity.as_ref().map_or(&[], |terms| &terms.required_anti)
}

impl PreFilterPlugin for InterPodAffinity {
    fn pre_filter(&self, handle: Handle, state: &mut CycleState, pod: &PodInfo) -> Result<PreFilterResult, Status> {
        let sums = &mut state.inter_pod_affinity.filter;
        *sums = State::default();
        for node in handle.cache.nodes_with_required_anti_affinity() {
            for existing in &node.pods {
                sums.count_existing_anti(handle, pod, &existing.info, node, 1);
            }
        }
        if required(pod).is_empty() && required_anti(pod).is_empty() {
            return if sums.existing_anti.is_empty() { Err(Status::SKIP) } else { Ok(None) };
        }
        for node in handle.cache.nodes() {
            for existing in &node.pods {
                sums.count_incoming(handle, pod, &existing.info, node, 1);
            }
        }
        Ok(None)
    }

    fn add_pod(&self, handle: Handle, state: &mut CycleState, pod: &PodInfo, added: &PodInfo, node: &NodeInfo) {
        let sums = &mut state.inter_pod_affinity.filter;
        sums.count_existing_anti(handle, pod, added, node, 1);
        sums.count_incoming(handle, pod, added, node, 1);
    }

    fn remove_pod(&self, handle: Handle, state: &mut CycleState, pod: &PodInfo, removed: &PodInfo, node: &NodeInfo) {
        let sums = &mut state.inter_pod_affinity.filter;
        sums.count_existing_anti(handle, pod, removed, node, -1);
        sums.count_incoming(handle, pod, removed, node, -1);
    }
}

impl State {
    fn count_existing_anti(&mut self, handle: Handle, pod: &PodInfo, other: &PodInfo, node: &NodeInfo, by: i64) {
        for term in required_anti(other) {
            if let Some(value) = node.label(&term.topology_key)
                && term.matches(handle, pod)
            {
                add_to(&mut self.existing_anti, &term.topology_key, value, by);
            }
        }
    }

    fn count_incoming(&mut self, handle: Handle, pod: &PodInfo, other: &PodInfo, node: &NodeInfo, by: i64) {
        if matches_all(handle, required(pod), other) {
            for term in required(pod) {
                if let Some(value) = node.label(&term.topology_key) {
                    add_to(&mut self.affinity, &term.topology_key, value, by);
                }
            }
        }
        for term in required_anti(pod) {
            if let Some(value) = node.label(&term.topology_key)
                && term.matches(handle, other)
            {
                add_to(&mut self.anti_affinity, &term.topology_key, value, by);
            }
        }
    }
}

fn stands_in(sums: &TopologySums, key: &str, value: &str) -> bool {
    sums.get(key).and_then(|values| values.get(value)).is_some_and(|count| *count > 0)
}

impl FilterPlugin for InterPodAffinity {
    fn filter(&self, handle: Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Status {
        let sums = &state.inter_pod_affinity.filter;
        if !satisfies_affinity(handle, sums, pod, node) {
            return Status::unresolvable(REASON_AFFINITY);
        }
        let repelled = |term: &AffinityTerm| {
            node.label(&term.topology_key)
                .is_some_and(|value| stands_in(&sums.anti_affinity, &term.topology_key, value))
        };
        if required_anti(pod).iter().any(repelled) {
            return Status::unschedulable(REASON_ANTI_AFFINITY);
        }
        let mut keys = sums.existing_anti.keys();
        if keys.any(|key| node.label(key).is_some_and(|value| stands_in(&sums.existing_anti, key, value))) {
            return Status::unschedulable(REASON_EXISTING);
        }
        Status::SUCCESS
    }
}

/// The first Pod of a group that wants to be with its own kind may start anywhere the labels exist.
fn satisfies_affinity(handle: Handle, sums: &State, pod: &PodInfo, node: &NodeInfo) -> bool {
    let mut all_present = true;
    for term in required(pod) {
        let Some(value) = node.label(&term.topology_key) else { return false };
        all_present &= stands_in(&sums.affinity, &term.topology_key, value);
    }
    let nowhere = || sums.affinity.values().all(|values| values.values().all(|count| *count <= 0));
    all_present || (nowhere() && matches_all(handle, required(pod), pod))
}
