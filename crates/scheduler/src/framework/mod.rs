//! The scheduling framework: extension points, status codes, cycle state, and the default profile.
//!
//! Plugins hold no state: what they compute for one Pod lives in the [`CycleState`], what they know of the cluster comes
//! by the [`Handle`]. Permit and PostBind are absent, as no default plugin uses them; QueueSort (PrioritySort) is the
//! order of [`crate::queue`].

mod cycle_state;
mod event;
mod plugin_name;
mod profile;
mod runtime;
mod status;

use crate::cache::{Cache, NodeInfo, PodInfo, Slot};
use crate::listers::Listers;

pub use cycle_state::CycleState;
pub use event::ClusterEvent;
pub use plugin_name::{PluginName, PluginSet};
pub use profile::{hints, pre_enqueue};
pub use runtime::{NodeScores, Nominations, PreFiltered, passes_filters, run_pre_filter, run_scores, simulate};
pub use status::{Code, Reason, Status};

/// What plugins see of the cluster.
#[derive(Clone, Copy)]
pub struct Handle<'a> {
    pub cache: &'a Cache,
    pub listers: &'a Listers,
}

/// The highest score of a node before weights.
pub const MAX_NODE_SCORE: i64 = 100;

/// Nodes to which PreFilter narrows the search.
pub type PreFilterResult = Option<Vec<Slot>>;

pub trait PreFilterPlugin: Sync {
    /// `Err` with [`Status::SKIP`] lets the plugin's Filter be left out for this Pod.
    fn pre_filter(&self, handle: Handle, state: &mut CycleState, pod: &PodInfo) -> Result<PreFilterResult, Status>;

    /// Keeps the state right when preemption or nomination adds `added` to a node in thought.
    fn add_pod(&self, _handle: Handle, _state: &mut CycleState, _pod: &PodInfo, _added: &PodInfo, _node: &NodeInfo) {}

    fn remove_pod(
        &self,
        _handle: Handle,
        _state: &mut CycleState,
        _pod: &PodInfo,
        _removed: &PodInfo,
        _node: &NodeInfo,
    ) {
    }
}

pub trait FilterPlugin: Sync {
    fn filter(&self, handle: Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Status;
}

pub trait PreScorePlugin: Sync {
    /// False lets the plugin's Score be left out for this Pod.
    fn pre_score(&self, handle: Handle, state: &mut CycleState, pod: &PodInfo, feasible: &[Slot]) -> bool;
}

pub trait ScorePlugin: Sync {
    fn score(&self, handle: Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> i64;

    /// The scores of all feasible nodes, in their order.
    fn scores(&self, handle: Handle, state: &CycleState, pod: &PodInfo, feasible: &[Slot]) -> Vec<i64> {
        feasible.iter().map(|&slot| self.score(handle, state, pod, handle.cache.node(slot))).collect()
    }

    /// Brings the scores of all feasible nodes into 0 to [`MAX_NODE_SCORE`].
    fn normalize(&self, _handle: Handle, _state: &CycleState, _feasible: &[Slot], _scores: &mut [i64]) {}
}

/// Queueing hints: whether an event may make a Pod schedulable that the plugin has refused.
pub trait QueueingHint: Sync {
    fn may_help(&self, handle: Handle, pod: &PodInfo, event: &ClusterEvent) -> bool;
}

/// Stretches scores so that the highest becomes [`MAX_NODE_SCORE`]; reversed, so that it becomes 0.
pub fn default_normalize(scores: &mut [i64], reverse: bool) {
    let highest = scores.iter().copied().max().unwrap_or(0);
    for score in scores {
        let stretched = if highest == 0 { 0 } else { *score * MAX_NODE_SCORE / highest };
        *score = if reverse { MAX_NODE_SCORE - stretched } else { stretched };
    }
}
