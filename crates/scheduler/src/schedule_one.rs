//! One attempt to schedule a Pod: search, score, choose, reserve; then the binding cycle.

use std::sync::Arc;

use client::Client;

use crate::algorithm::{Diagnosis, Search, find_nodes_that_fit, select_host};
use crate::cache::{PodInfo, Slot};
use crate::decision::{Decision, Filtered, NODES_BEST, NODES_IN_FULL, NodeVerdict};
use crate::framework::{CycleState, Handle, NodeScores, Status, run_scores};
use crate::plugins::volume_binding::PodVolumes;
use crate::queue::QueuedPod;
use crate::scheduler::Scheduler;

/// Why an attempt has failed.
#[derive(Debug)]
pub(crate) enum Failure {
    NoNodes,
    /// No node is feasible.
    Unfit(Box<Unfit>),
    /// Something broke.
    Error(String),
}

/// What PostFilter needs to know.
#[derive(Debug)]
pub(crate) struct Unfit {
    pub state: CycleState,
    pub diagnosis: Diagnosis,
}

/// What an attempt has found out.
struct Outcome {
    feasible: Vec<Slot>,
    diagnosis: Diagnosis,
    /// Absent when there was nothing to choose.
    scores: Option<NodeScores>,
    /// Position in `feasible`.
    selected: usize,
    volumes: PodVolumes,
}

impl Scheduler {
    pub(crate) fn schedule_one(&mut self, client: &mut Client, mut queued: QueuedPod) {
        if queued.info.is_terminating() {
            return;
        }
        let info = queued.info.clone();
        queued.cause = client.begin("schedule", "Pod", &info.key, queued.cause);
        self.cache.refresh();
        match self.scheduling_cycle(client, &info) {
            Ok(outcome) => {
                let slot = outcome.feasible[outcome.selected];
                let decision = self.decision_of(client, &queued, &outcome);
                client.note("scheduled", note_of(&outcome, &decision));
                self.decisions.add(decision, self.config.decisions_kept);
                self.cache.assume_pod(info, slot);
                self.start_binding(client, queued, slot, outcome.volumes);
            }
            Err(failure) => self.handle_failure(client, queued, failure),
        }
    }

    fn scheduling_cycle(&mut self, client: &mut Client, pod: &PodInfo) -> Result<Outcome, Failure> {
        if self.cache.order().is_empty() {
            client.spend(self.config.cycle_cost);
            return Err(Failure::NoNodes);
        }
        let handle = Handle { cache: &self.cache, listers: &self.listers };
        let mut state = CycleState::default();
        let start = &mut self.next_start_node;
        let percentage = self.config.percentage_of_nodes_to_score;
        let search = find_nodes_that_fit(handle, &mut state, pod, &self.nominator.by_node, start, percentage);
        let Search { feasible, diagnosis } = search.map_err(|status| Failure::Error(status.message()))?;
        client.spend(self.config.cycle_cost + self.config.node_cost * diagnosis.evaluated as u64);
        if feasible.is_empty() {
            return Err(Failure::Unfit(Box::new(Unfit { state, diagnosis })));
        }
        let scores = (feasible.len() > 1).then(|| run_scores(handle, &mut state, pod, &feasible));
        let selected = scores.as_ref().map_or(0, |scores| select_host(scores, |bound| client.random_below(bound)));
        let node = handle.cache.node(feasible[selected]);
        let volumes = state.volume_binding.reserve(handle.listers, node);
        let volumes = volumes.map_err(|status: Status| Failure::Error(status.message()))?;
        Ok(Outcome { feasible, diagnosis, scores, selected, volumes })
    }

    fn decision_of(&self, client: &Client, queued: &QueuedPod, outcome: &Outcome) -> Decision {
        let winner = self.cache.node(outcome.feasible[outcome.selected]).name.clone();
        let (namespace, name) = api::meta::split_key(&queued.info.key);
        let mut decision = self.empty_decision(client, queued, &outcome.diagnosis);
        decision.nodes_feasible = outcome.feasible.len() as u32;
        decision.message = format!("Successfully assigned {namespace}/{name} to {winner}");
        decision.winner = Some(winner);
        decision.nodes.extend(self.feasible_verdicts(outcome));
        decision
    }

    /// A decision with the refused nodes alone.
    pub(crate) fn empty_decision(&self, client: &Client, queued: &QueuedPod, diagnosis: &Diagnosis) -> Decision {
        let nodes_total = self.cache.order().len();
        let refused = |(slot, status): &(Slot, Status)| NodeVerdict {
            node: self.cache.node(*slot).name.clone(),
            filtered_by: status.plugin.map(|plugin| Filtered {
                plugin,
                reasons: status.reasons.clone(),
                code: status.code,
            }),
            scores: Vec::new(),
            total: 0,
        };
        let in_full = nodes_total <= NODES_IN_FULL;
        Decision {
            at: client.now(),
            pod: queued.info.key.clone(),
            uid: queued.info.uid.clone(),
            attempt: queued.attempts,
            nodes: diagnosis.statuses.iter().filter(|_| in_full).map(refused).collect(),
            filtered: diagnosis.counts(nodes_total),
            nodes_total: nodes_total as u32,
            nodes_evaluated: diagnosis.evaluated as u32,
            nodes_feasible: 0,
            winner: None,
            message: String::new(),
            cause: queued.cause,
        }
    }

    fn feasible_verdicts(&self, outcome: &Outcome) -> Vec<NodeVerdict> {
        let verdict = |at: usize| NodeVerdict {
            node: self.cache.node(outcome.feasible[at]).name.clone(),
            filtered_by: None,
            scores: outcome.scores.as_ref().map(|scores| scores.of(at)).unwrap_or_default(),
            total: outcome.scores.as_ref().map_or(0, |scores| scores.totals[at]),
        };
        if self.cache.order().len() <= NODES_IN_FULL {
            return (0..outcome.feasible.len()).map(verdict).collect();
        }
        let others = best_others(outcome).into_iter().take(NODES_BEST - 1);
        std::iter::once(outcome.selected).chain(others).map(verdict).collect()
    }
}

/// Positions of the best nodes after the selected one, the best first.
fn best_others(outcome: &Outcome) -> Vec<usize> {
    let Some(scores) = &outcome.scores else { return Vec::new() };
    let mut best: Vec<usize> = Vec::with_capacity(NODES_BEST);
    for at in (0..scores.totals.len()).filter(|at| *at != outcome.selected) {
        let total = scores.totals[at];
        if best.len() == NODES_BEST && best.last().is_some_and(|last| scores.totals[*last] >= total) {
            continue;
        }
        let place = best.partition_point(|known| scores.totals[*known] >= total);
        best.insert(place, at);
        best.truncate(NODES_BEST);
    }
    best
}

/// `node-1: score 461, node-3 had 438`
fn note_of(outcome: &Outcome, decision: &Decision) -> String {
    let winner: Arc<str> = decision.winner.clone().unwrap_or_default();
    let Some(scores) = &outcome.scores else {
        return format!("{winner}: the only feasible node of {}", decision.nodes_total);
    };
    let total = scores.totals[outcome.selected];
    let runner_up = decision.nodes.iter().filter(|node| node.filtered_by.is_none() && node.node != winner);
    match runner_up.max_by_key(|node| node.total) {
        Some(other) => format!("{winner}: score {total}, {} had {}", other.node, other.total),
        None => format!("{winner}: score {total}"),
    }
}
