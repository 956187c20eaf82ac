//! PostFilter: makes room for a Pod by evicting Pods of a lower priority.

use std::cmp::Reverse;
use std::sync::Arc;

use api::selector::Selector;
use api::types::Pod;
use api::{SimTime, meta, time};

use crate::algorithm::{Diagnosis, histogram};
use crate::cache::{NodeInfo, PodInfo, Slot};
use crate::framework::{Code, CycleState, Handle, Nominations, Status, passes_filters, simulate};
use crate::listers::Listers;

/// A node, and who has to go there.
#[derive(Debug)]
pub struct Candidate {
    pub slot: Slot,
    /// The most important first.
    pub victims: Vec<Arc<PodInfo>>,
    /// How many evictions break a disruption budget.
    violations: usize,
}

const NO_VICTIMS: &str = "No preemption victims found for incoming pod";
const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";
/// The reason of the victims' DisruptionTarget condition.
pub const PREEMPTION_BY_SCHEDULER: &str = "PreemptionByScheduler";

const MIN_CANDIDATE_NODES_PERCENTAGE: usize = 10;
const MIN_CANDIDATE_NODES: usize = 100;

/// The best node to make room on. `random` is any number: the search starts anywhere, as it may stop early.
pub fn post_filter(
    handle: Handle,
    state: &CycleState,
    pod: &PodInfo,
    diagnosis: &Diagnosis,
    nominations: &Nominations,
    random: u64,
) -> Result<Candidate, Status> {
    if let Some(why_not) = ineligible(handle, pod, diagnosis) {
        return Err(Status::unschedulable(format!("preemption: {why_not}")));
    }
    let may_help = |(_, status): &&(Slot, Status)| status.code == Code::Unschedulable;
    let potential: Vec<Slot> = diagnosis.statuses.iter().filter(may_help).map(|(slot, _)| *slot).collect();
    let total = handle.cache.order().len();
    let wanted = (total * MIN_CANDIDATE_NODES_PERCENTAGE / 100).max(MIN_CANDIDATE_NODES);

    let mut candidates: Vec<Candidate> = Vec::new();
    let mut statuses: Vec<Status> = Vec::new();
    for offset in 0..potential.len() {
        let slot = potential[(random as usize).wrapping_add(offset) % potential.len()];
        match select_victims(handle, state, pod, handle.cache.node(slot), nominations) {
            Ok(candidate) => candidates.push(candidate),
            Err(status) => statuses.push(status),
        }
        if candidates.len() >= wanted && candidates.iter().any(|candidate| candidate.violations == 0) {
            break;
        }
    }
    candidates.into_iter().min_by_key(rank).ok_or_else(|| {
        let not_helpful = Status::unresolvable(NOT_HELPFUL);
        let rest = total - statuses.len();
        let all = statuses.iter().map(|status| (status, 1)).chain((rest > 0).then_some((&not_helpful, rest)));
        Status::unschedulable(format!("preemption: 0/{total} nodes are available: {}.", histogram(all)))
    })
}

fn ineligible(handle: Handle, pod: &PodInfo, diagnosis: &Diagnosis) -> Option<&'static str> {
    if pod.spec().and_then(|spec| spec.preemption_policy.as_deref()) == Some("Never") {
        return Some("not eligible due to preemptionPolicy=Never.");
    }
    let node = handle.cache.find(pod.nominated_node()?)?;
    let hopeless =
        |(slot, status): &(Slot, Status)| *slot == node.slot && status.code == Code::UnschedulableAndUnresolvable;
    if diagnosis.statuses.iter().any(hopeless) {
        return None;
    }
    let makes_room = |other: &PodInfo| other.priority < pod.priority && is_leaving_by_preemption(&other.pod);
    let waiting = node.pods.iter().any(|other| makes_room(&other.info));
    waiting.then_some("not eligible due to a terminating pod on the nominated node.")
}

fn is_leaving_by_preemption(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    meta::is_being_deleted(&pod.metadata)
        && conditions.into_iter().any(|condition| {
            condition.type_ == "DisruptionTarget"
                && condition.status == "True"
                && condition.reason.as_deref() == Some(PREEMPTION_BY_SCHEDULER)
        })
}

/// Takes all less important Pods off the node in thought, and then lets as many as possible stay, the most important
/// first and those under a budget before all.
fn select_victims(
    handle: Handle,
    state: &CycleState,
    pod: &PodInfo,
    node: &NodeInfo,
    nominations: &Nominations,
) -> Result<Candidate, Status> {
    let on_node = node.pods.iter().map(|on_node| &on_node.info);
    let mut potential: Vec<Arc<PodInfo>> = on_node.filter(|other| other.priority < pod.priority).cloned().collect();
    if potential.is_empty() {
        return Err(Status::unresolvable(NO_VICTIMS));
    }
    let (mut state, mut emptied) = (state.clone(), node.clone());
    for other in &potential {
        simulate::remove_pod(handle, &mut state, pod, other, &mut emptied);
    }
    let status = passes_filters(handle, &state, pod, &emptied, nominations);
    if !status.is_success() {
        return Err(status);
    }
    potential.sort_by_key(|other| importance(other));
    let (violating, others) = split_by_budgets(handle.listers, potential);
    let mut victims = Vec::new();
    let mut violations = 0;
    for (other, violates) in
        violating.into_iter().map(|pod| (pod, true)).chain(others.into_iter().map(|pod| (pod, false)))
    {
        simulate::add_pod(handle, &mut state, pod, &other, &mut emptied);
        if !passes_filters(handle, &state, pod, &emptied, nominations).is_success() {
            simulate::remove_pod(handle, &mut state, pod, &other, &mut emptied);
            violations += usize::from(violates);
            victims.push(other);
        }
    }
    victims.sort_by_key(|other| importance(other));
    Ok(Candidate { slot: node.slot, victims, violations })
}

/// The most important first: of a higher priority, then the one that has run longer.
fn importance(pod: &PodInfo) -> (Reverse<i32>, SimTime) {
    (Reverse(pod.priority), start_time(pod))
}

fn start_time(pod: &PodInfo) -> SimTime {
    let started = pod.pod.status.as_ref().and_then(|status| status.start_time.as_ref());
    started.map_or(SimTime::MAX, time::since_start)
}

/// Those whose eviction breaks a disruption budget, and the others.
fn split_by_budgets(listers: &Listers, pods: Vec<Arc<PodInfo>>) -> (Vec<Arc<PodInfo>>, Vec<Arc<PodInfo>>) {
    let parse = |budget: &Arc<api::types::PodDisruptionBudget>| {
        let selector = Selector::from_label_selector(budget.spec.as_ref().and_then(|spec| spec.selector.as_ref()));
        let allowed = budget.status.as_ref().and_then(|status| status.disruptions_allowed).unwrap_or(0);
        (budget.clone(), selector, allowed)
    };
    let mut budgets: Vec<_> = listers.budgets.iter().map(parse).collect();
    pods.into_iter().partition(|pod| {
        let labels = meta::labels(&pod.pod.metadata);
        let name = meta::split_key(&pod.key).1;
        let mut violates = false;
        for (budget, selector, allowed) in &mut budgets {
            let same_namespace = budget.metadata.namespace == pod.pod.metadata.namespace;
            if labels.is_empty() || !same_namespace || selector.is_everything() || !selector.matches(labels) {
                continue;
            }
            let disrupted = budget.status.as_ref().and_then(|status| status.disrupted_pods.as_ref());
            if disrupted.is_some_and(|pods| pods.contains_key(name)) {
                continue;
            }
            *allowed -= 1;
            violates |= *allowed < 0;
        }
        violates
    })
}

/// The lowest is best: the fewest broken budgets, the least important first victim, the lowest sum of priorities, the
/// fewest victims, the victims that started last.
fn rank(candidate: &Candidate) -> (usize, i32, i64, usize, Reverse<SimTime>) {
    let highest = candidate.victims.first().map_or(i32::MIN, |victim| victim.priority);
    // Shifted, so that many Pods of a negative priority do not count less than few.
    let shifted = |victim: &Arc<PodInfo>| i64::from(victim.priority) + i64::from(i32::MAX) + 1;
    let sum = candidate.victims.iter().map(shifted).sum();
    let first =
        candidate.victims.iter().take_while(|victim| victim.priority == highest).map(|victim| start_time(victim));
    (candidate.violations, highest, sum, candidate.victims.len(), Reverse(first.min().unwrap_or(0)))
}
