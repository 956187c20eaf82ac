//! Runs the profile's plugins.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cache::{NodeInfo, PodInfo, PodOnNode, Slot};
use crate::decision::PluginScore;

use super::profile::{FILTERS, PRE_FILTERS, PRE_SCORES, SCORES};
use super::{CycleState, Handle, PluginName, Status};

/// Pods that preemption has promised a node, by the node's name.
pub type Nominations = BTreeMap<Arc<str>, Vec<Arc<PodInfo>>>;

/// What PreFilter leaves of the nodes.
pub struct PreFiltered {
    /// Absent for all nodes.
    pub nodes: Option<Vec<Slot>>,
    /// The plugins that have narrowed them.
    pub narrowed_by: Vec<PluginName>,
}

pub fn run_pre_filter(handle: Handle, state: &mut CycleState, pod: &PodInfo) -> Result<PreFiltered, Status> {
    let mut left = PreFiltered { nodes: None, narrowed_by: Vec::new() };
    for &(name, plugin) in PRE_FILTERS {
        match plugin.pre_filter(handle, state, pod) {
            Ok(None) => {}
            Ok(Some(nodes)) => {
                left.narrowed_by.push(name);
                left.nodes = Some(match left.nodes {
                    Some(before) => before.into_iter().filter(|slot| nodes.contains(slot)).collect(),
                    None => nodes,
                });
            }
            Err(status) if status.is_skip() => state.skipped_filters.insert(name),
            Err(status) => return Err(status.with_plugin(name)),
        }
    }
    Ok(left)
}

fn run_filters(handle: Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Status {
    for &(name, plugin) in FILTERS {
        if state.skipped_filters.contains(name) {
            continue;
        }
        let status = plugin.filter(handle, state, pod, node);
        if !status.is_success() {
            return status.with_plugin(name);
        }
    }
    Status::SUCCESS
}

/// Runs the filters; where Pods of the same or a higher priority are nominated to the node, once with them on it and
/// once without, as they may or may not come.
pub fn passes_filters(
    handle: Handle,
    state: &CycleState,
    pod: &PodInfo,
    node: &NodeInfo,
    nominations: &Nominations,
) -> Status {
    if let Some(nominated) = nominations.get(&node.name)
        && let Some((state, crowded)) = with_nominated(handle, state, pod, node, nominated)
    {
        let status = run_filters(handle, &state, pod, &crowded);
        if !status.is_success() {
            return status;
        }
    }
    run_filters(handle, state, pod, node)
}

fn with_nominated(
    handle: Handle,
    state: &CycleState,
    pod: &PodInfo,
    node: &NodeInfo,
    nominated: &[Arc<PodInfo>],
) -> Option<(CycleState, NodeInfo)> {
    let mut simulated: Option<(CycleState, NodeInfo)> = None;
    for other in nominated {
        if other.priority >= pod.priority && other.uid != pod.uid {
            let (state, node) = simulated.get_or_insert_with(|| (state.clone(), node.clone()));
            simulate::add_pod(handle, state, pod, other, node);
        }
    }
    simulated
}

/// Changes of a node that are only thought of.
pub mod simulate {
    use super::*;

    /// No label set is counted for the added Pod: topology spread counts it by its own state.
    pub fn add_pod(handle: Handle, state: &mut CycleState, pod: &PodInfo, added: &Arc<PodInfo>, node: &mut NodeInfo) {
        const NO_LABEL_SET: u32 = u32::MAX;
        node.add_pod(PodOnNode { info: added.clone(), label_set: NO_LABEL_SET });
        for &(name, plugin) in PRE_FILTERS {
            if !state.skipped_filters.contains(name) {
                plugin.add_pod(handle, state, pod, added, node);
            }
        }
    }

    pub fn remove_pod(
        handle: Handle,
        state: &mut CycleState,
        pod: &PodInfo,
        removed: &Arc<PodInfo>,
        node: &mut NodeInfo,
    ) {
        if node.remove_pod(&removed.uid).is_none() {
            return;
        }
        for &(name, plugin) in PRE_FILTERS {
            if !state.skipped_filters.contains(name) {
                plugin.remove_pod(handle, state, pod, removed, node);
            }
        }
    }
}

/// The scores of the feasible nodes, plugin by plugin.
pub struct NodeScores {
    /// For each plugin that ran: its name, weight, raw scores and normalised scores, in the order of the nodes.
    plugins: Vec<(PluginName, i64, Vec<i64>, Vec<i64>)>,
    pub totals: Vec<i64>,
}

impl NodeScores {
    /// What each plugin gave node number `at`.
    pub fn of(&self, at: usize) -> Vec<PluginScore> {
        let score = |(plugin, weight, raw, normalised): &(PluginName, i64, Vec<i64>, Vec<i64>)| PluginScore {
            plugin: *plugin,
            raw: raw[at],
            normalised: normalised[at],
            weighted: normalised[at] * weight,
        };
        self.plugins.iter().map(score).collect()
    }
}

pub fn run_scores(handle: Handle, state: &mut CycleState, pod: &PodInfo, feasible: &[Slot]) -> NodeScores {
    for &(name, plugin) in PRE_SCORES {
        if !plugin.pre_score(handle, state, pod, feasible) {
            state.skipped_scores.insert(name);
        }
    }
    let mut scores = NodeScores { plugins: Vec::with_capacity(SCORES.len()), totals: vec![0; feasible.len()] };
    for &(name, plugin, weight) in SCORES {
        if state.skipped_scores.contains(name) {
            continue;
        }
        let raw = plugin.scores(handle, state, pod, feasible);
        let mut normalised = raw.clone();
        plugin.normalize(handle, state, feasible, &mut normalised);
        for (total, score) in scores.totals.iter_mut().zip(&normalised) {
            *total += score * weight;
        }
        scores.plugins.push((name, weight, raw, normalised));
    }
    scores
}
