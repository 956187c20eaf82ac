//! Why a Pod went where it went: the record behind "Why here?".

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use api::{CauseId, SimTime};

use crate::framework::{Code, PluginName, Reason};

/// One scheduling attempt.
#[derive(Clone, Debug)]
pub struct Decision {
    pub at: SimTime,
    /// `namespace/name`
    pub pod: Arc<str>,
    pub uid: Arc<str>,
    /// Counted from 1.
    pub attempt: u32,
    /// Every node that was looked at; in clusters of more than [`NODES_IN_FULL`] nodes only the best ones.
    pub nodes: Vec<NodeVerdict>,
    /// How many nodes each plugin refused, by reason.
    pub filtered: Vec<(PluginName, Reason, u32)>,
    /// Nodes that exist, that were looked at, and that passed.
    pub nodes_total: u32,
    pub nodes_evaluated: u32,
    pub nodes_feasible: u32,
    pub winner: Option<Arc<str>>,
    /// `Successfully assigned …`, or why not: the text of the event.
    pub message: String,
    pub cause: CauseId,
}

#[derive(Clone, Debug)]
pub struct NodeVerdict {
    pub node: Arc<str>,
    pub filtered_by: Option<Filtered>,
    /// Empty for a node that was refused, or that was the only feasible one: then nothing is scored.
    pub scores: Vec<PluginScore>,
    pub total: i64,
}

#[derive(Clone, Debug)]
pub struct Filtered {
    pub plugin: PluginName,
    pub reasons: Vec<Reason>,
    pub code: Code,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PluginScore {
    pub plugin: PluginName,
    /// As the plugin counts.
    pub raw: i64,
    /// 0 to 100.
    pub normalised: i64,
    /// `normalised` times the plugin's weight.
    pub weighted: i64,
}

/// Up to how many nodes a decision tells of each node.
pub const NODES_IN_FULL: usize = 50;
/// How many of the best nodes are told of otherwise.
pub const NODES_BEST: usize = 10;
const KEPT_PER_POD: usize = 3;

/// The last decisions of the Pods that exist.
#[derive(Clone, Debug, Default)]
pub struct Decisions {
    /// By a number that counts up.
    all: BTreeMap<u64, Arc<Decision>>,
    by_pod: BTreeMap<Arc<str>, VecDeque<u64>>,
    next: u64,
}

impl Decisions {
    pub fn add(&mut self, decision: Decision, kept_max: usize) {
        // Another Pod has had the name before.
        if self.of(&decision.pod).last().is_some_and(|last| last.uid != decision.uid) {
            self.forget(&decision.pod);
        }
        let numbers = self.by_pod.entry(decision.pod.clone()).or_default();
        numbers.push_back(self.next);
        if numbers.len() > KEPT_PER_POD
            && let Some(oldest) = numbers.pop_front()
        {
            self.all.remove(&oldest);
        }
        self.all.insert(self.next, Arc::new(decision));
        self.next += 1;
        while self.all.len() > kept_max {
            let Some((number, oldest)) = self.all.pop_first() else { return };
            if let Some(numbers) = self.by_pod.get_mut(&oldest.pod) {
                numbers.retain(|known| *known != number);
                if numbers.is_empty() {
                    self.by_pod.remove(&oldest.pod);
                }
            }
        }
    }

    pub fn forget(&mut self, pod: &str) {
        for number in self.by_pod.remove(pod).into_iter().flatten() {
            self.all.remove(&number);
        }
    }

    /// The oldest first.
    pub fn of(&self, pod: &str) -> impl Iterator<Item = &Arc<Decision>> {
        self.by_pod.get(pod).into_iter().flatten().filter_map(|number| self.all.get(number))
    }
}
