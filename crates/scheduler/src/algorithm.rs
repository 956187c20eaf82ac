//! The scheduling algorithm: which nodes are feasible, which of them is best, and the words for it when none is.

use std::collections::BTreeMap;

use api::meta;

use crate::cache::{PodInfo, Slot};
use crate::framework::{
    Code, CycleState, Handle, NodeScores, Nominations, PluginName, PluginSet, Reason, Status, passes_filters,
    run_pre_filter,
};

/// What became of the nodes that were looked at.
#[derive(Clone, Debug, Default)]
pub struct Diagnosis {
    /// The nodes that were refused.
    pub statuses: Vec<(Slot, Status)>,
    /// Holds for all nodes that are neither feasible nor in `statuses`: why PreFilter left them out.
    pub absent: Option<Status>,
    pub plugins: PluginSet,
    /// PreFilter has refused the Pod for all nodes.
    pub pre_filter_message: Option<String>,
    pub evaluated: usize,
}

#[derive(Debug)]
pub struct Search {
    pub feasible: Vec<Slot>,
    pub diagnosis: Diagnosis,
}

/// Fewer nodes than this are never sampled.
const MIN_FEASIBLE_NODES: usize = 100;
const MIN_FEASIBLE_PERCENTAGE: usize = 5;

/// How many feasible nodes are enough. The adaptive share falls from 50 % to 5 % as the cluster grows.
pub fn num_feasible_nodes_to_find(percentage: u32, nodes: usize) -> usize {
    if nodes < MIN_FEASIBLE_NODES {
        return nodes;
    }
    let percentage = match percentage as usize {
        0 => 50usize.saturating_sub(nodes / 125).max(MIN_FEASIBLE_PERCENTAGE),
        set => set.min(100),
    };
    (nodes * percentage / 100).max(MIN_FEASIBLE_NODES)
}

/// Finds nodes that fit, beginning after the one at which the last search has stopped. `Err` is a failure of ours.
pub fn find_nodes_that_fit(
    handle: Handle,
    state: &mut CycleState,
    pod: &PodInfo,
    nominations: &Nominations,
    start: &mut usize,
    percentage: u32,
) -> Result<Search, Status> {
    let mut diagnosis = Diagnosis::default();
    let narrowed = match run_pre_filter(handle, state, pod) {
        Ok(narrowed) => narrowed,
        Err(status) if status.is_rejected() => {
            diagnosis.pre_filter_message = Some(status.message());
            diagnosis.plugins.extend(status.plugin);
            diagnosis.absent = Some(status);
            return Ok(Search { feasible: Vec::new(), diagnosis });
        }
        Err(status) => return Err(status),
    };
    if let Some(node) = pod.nominated_node().and_then(|name| handle.cache.find(name))
        && narrowed.nodes.as_ref().is_none_or(|nodes| nodes.contains(&node.slot))
        && passes_filters(handle, state, pod, node, nominations).is_success()
    {
        diagnosis.evaluated = 1;
        return Ok(Search { feasible: vec![node.slot], diagnosis });
    }

    let all = handle.cache.order();
    let nodes = match &narrowed.nodes {
        None => all,
        Some(nodes) => {
            for plugin in &narrowed.narrowed_by {
                diagnosis.plugins.insert(*plugin);
            }
            let names: Vec<&str> = narrowed.narrowed_by.iter().map(|name| name.as_str()).collect();
            let reason = format!("node(s) didn't satisfy plugin(s) [{}]", names.join(" "));
            diagnosis.absent = Some(Status::unresolvable(reason));
            nodes
        }
    };
    let wanted = num_feasible_nodes_to_find(percentage, nodes.len());
    let mut feasible = Vec::with_capacity(wanted);
    for offset in 0..nodes.len() {
        let slot = nodes[(*start + offset) % nodes.len()];
        diagnosis.evaluated += 1;
        let status = passes_filters(handle, state, pod, handle.cache.node(slot), nominations);
        match status.code {
            Code::Success => {
                feasible.push(slot);
                if feasible.len() == wanted {
                    break;
                }
            }
            Code::Error => return Err(status),
            _ => {
                diagnosis.plugins.extend(status.plugin);
                diagnosis.statuses.push((slot, status));
            }
        }
    }
    *start = (*start + diagnosis.evaluated) % nodes.len().max(1);
    Ok(Search { feasible, diagnosis })
}

/// One of the nodes with the highest total, each with the same chance. Returns its position.
pub fn select_host(scores: &NodeScores, mut random_below: impl FnMut(u64) -> u64) -> usize {
    let mut selected = 0;
    let mut ties = 1;
    for (at, total) in scores.totals.iter().enumerate().skip(1) {
        if *total > scores.totals[selected] {
            (selected, ties) = (at, 1);
        } else if *total == scores.totals[selected] {
            ties += 1;
            if random_below(ties) == 0 {
                selected = at;
            }
        }
    }
    selected
}

impl Diagnosis {
    /// How many nodes each plugin refused, by reason.
    pub fn counts(&self, nodes_total: usize) -> Vec<(PluginName, Reason, u32)> {
        let mut counts: BTreeMap<(PluginName, &Reason), u32> = BTreeMap::new();
        for (_, status) in &self.statuses {
            for (plugin, reason) in status.plugin.iter().flat_map(|plugin| status.reasons.iter().map(|r| (*plugin, r)))
            {
                *counts.entry((plugin, reason)).or_default() += 1;
            }
        }
        if let Some((status, plugin)) = self.absent.as_ref().and_then(|status| Some((status, status.plugin?))) {
            for reason in &status.reasons {
                counts.insert((plugin, reason), nodes_total as u32);
            }
        }
        counts.into_iter().map(|((plugin, reason), count)| (plugin, reason.clone(), count)).collect()
    }

    /// `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.`
    pub fn message(&self, nodes_total: usize) -> String {
        let mut message = format!("0/{nodes_total} nodes are available:");
        if let Some(refused) = &self.pre_filter_message {
            message.push_str(&format!(" {refused}."));
            return message;
        }
        let absent = nodes_total.saturating_sub(self.statuses.len());
        let absent = self.absent.as_ref().filter(|_| absent > 0).map(|status| (status, absent));
        let reasons = histogram(self.statuses.iter().map(|(_, status)| (status, 1)).chain(absent));
        if !reasons.is_empty() {
            message.push_str(&format!(" {reasons}."));
        }
        message
    }
}

/// Counted reasons in the order of their texts, count included.
pub fn histogram<'a>(statuses: impl Iterator<Item = (&'a Status, usize)>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (status, count) in statuses {
        for reason in &status.reasons {
            *counts.entry(reason.as_str()).or_default() += count;
        }
    }
    let mut texts: Vec<String> = counts.into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    texts.sort();
    texts.join(", ")
}

/// `namespace/name` in the words of events.
pub fn assigned_message(pod: &PodInfo, node: &str) -> String {
    let (namespace, name) = meta::split_key(&pod.key);
    format!("Successfully assigned {namespace}/{name} to {node}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_clusters_are_sampled() {
        let cases = [(0, 50, 50), (0, 100, 100), (0, 1000, 420), (0, 5000, 500), (0, 6250, 312), (30, 5000, 1500)];
        for (percentage, nodes, wanted) in cases {
            assert_eq!(num_feasible_nodes_to_find(percentage, nodes), wanted, "{percentage} % of {nodes}");
        }
    }
}
