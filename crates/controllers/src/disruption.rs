//! The disruption controller: how many Pods of a PodDisruptionBudget may be evicted just now.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::selector::Selector;
use api::time::MINUTE;
use api::types::{Condition, IntOrString, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus, Time};
use api::{SimTime, Status, meta, time};
use client::{Client, EventType, Recorder};

use crate::caches::{Caches, Seen};
use crate::controller::{Event, Queue, Reconciler};
use crate::deployment::scaled;
use crate::pods;

/// An evicted Pod whose deletion is not seen by then will not be deleted.
const DELETION_TIMEOUT: SimTime = 2 * MINUTE;

#[derive(Clone)]
pub struct DisruptionController {
    recorder: Recorder,
}

impl Default for DisruptionController {
    fn default() -> Self {
        DisruptionController { recorder: Recorder::new("controllermanager", "") }
    }
}

impl Reconciler for DisruptionController {
    type Key = String;
    const NAME: &'static str = "disruption-controller";
    const KIND: &'static str = "PodDisruptionBudget";

    fn observe(&mut self, event: &Event, caches: &Caches, queue: &mut Queue<String>) {
        match &event.seen {
            Seen::PodDisruptionBudget(_, Some(budget)) => queue.add(meta::key(&budget.metadata)),
            Seen::Pod(old, new) => {
                for pod in old.iter().chain(new) {
                    enqueue_budgets(pod, caches, queue);
                }
            }
            // The wanted number of Pods may have changed.
            Seen::Deployment(Some(old), Some(new)) if old.metadata.generation != new.metadata.generation => {
                enqueue_namespace(new.metadata.namespace.as_deref(), caches, queue);
            }
            Seen::StatefulSet(Some(old), Some(new)) if old.metadata.generation != new.metadata.generation => {
                enqueue_namespace(new.metadata.namespace.as_deref(), caches, queue);
            }
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        let Some(budget) = caches.disruption_budgets.get(key) else { return Ok(()) };
        let namespace = budget.metadata.namespace.as_deref().unwrap_or_default();
        let selector = selector_of(budget);
        let selected = caches.pods.in_namespace(namespace).filter(|pod| selector.matches(meta::labels(&pod.metadata)));
        let pods: Vec<Arc<Pod>> = selected.cloned().collect();
        if pods.is_empty() {
            self.recorder.event(client, &**budget, EventType::Normal, "NoPods", "No matching pods found");
        }
        let now = client.now();
        let (disrupted, recheck) = disrupted_pods(budget, &pods, now);
        let healthy = pods.iter().filter(|pod| {
            let name = pod.metadata.name.as_deref().unwrap_or_default();
            !meta::is_being_deleted(&pod.metadata) && !disrupted.contains_key(name) && pods::is_ready(pod)
        });
        let healthy = healthy.count() as i32;
        let status = match self.expected(budget, &pods, caches, client) {
            Ok((expected, desired)) => {
                let spare = healthy - desired;
                let allowed = if expected == 0 || spare <= 0 { 0 } else { spare };
                let reason = if allowed > 0 { "SufficientPods" } else { "InsufficientPods" };
                let mut status = PodDisruptionBudgetStatus {
                    current_healthy: Some(healthy),
                    desired_healthy: Some(desired),
                    disruptions_allowed: Some(allowed),
                    expected_pods: Some(expected),
                    disrupted_pods: Some(disrupted).filter(|disrupted| !disrupted.is_empty()),
                    observed_generation: budget.metadata.generation.filter(|generation| *generation != 0),
                    conditions: budget.status.as_ref().and_then(|status| status.conditions.clone()),
                };
                set_condition(&mut status, allowed > 0, reason, String::new(), now);
                status
            }
            Err(message) => {
                let text = format!("Failed to calculate the number of expected pods: {message}");
                self.recorder.event(client, &**budget, EventType::Warning, "CalculateExpectedPodCountFailed", text);
                let mut status = budget.status.clone().unwrap_or_default();
                status.disruptions_allowed = Some(0);
                set_condition(&mut status, false, "SyncFailed", message, now);
                status
            }
        };
        if let Some(recheck) = recheck {
            queue.add_at(key.clone(), recheck);
        }
        if budget.status.as_ref() == Some(&status) {
            return Ok(());
        }
        client.update_status(PodDisruptionBudget { status: Some(status), ..(**budget).clone() }).map(drop)
    }
}

fn selector_of(budget: &PodDisruptionBudget) -> Selector {
    Selector::from_label_selector(budget.spec.as_ref().and_then(|spec| spec.selector.as_ref()))
}

fn enqueue_namespace(namespace: Option<&str>, caches: &Caches, queue: &mut Queue<String>) {
    if !caches.disruption_budgets.is_empty() {
        for budget in caches.disruption_budgets.in_namespace(namespace.unwrap_or_default()) {
            queue.add(meta::key(&budget.metadata));
        }
    }
}

fn enqueue_budgets(pod: &Pod, caches: &Caches, queue: &mut Queue<String>) {
    if caches.disruption_budgets.is_empty() {
        return;
    }
    for budget in caches.disruption_budgets.in_namespace(pod.metadata.namespace.as_deref().unwrap_or_default()) {
        if selector_of(budget).matches(meta::labels(&pod.metadata)) {
            queue.add(meta::key(&budget.metadata));
        }
    }
}

/// Pods that an eviction was granted for but whose deletion has not been seen, and when to look again.
fn disrupted_pods(
    budget: &PodDisruptionBudget,
    pods: &[Arc<Pod>],
    now: SimTime,
) -> (BTreeMap<String, Time>, Option<SimTime>) {
    let granted = budget.status.as_ref().and_then(|status| status.disrupted_pods.as_ref());
    let mut disrupted = BTreeMap::new();
    let mut recheck: Option<SimTime> = None;
    for (name, since) in granted.into_iter().flatten() {
        let Some(pod) = pods.iter().find(|pod| pod.metadata.name.as_ref() == Some(name)) else { continue };
        let until = time::since_start(since) + DELETION_TIMEOUT;
        if meta::is_being_deleted(&pod.metadata) || until <= now {
            continue;
        }
        recheck = Some(recheck.map_or(until, |recheck| recheck.min(until)));
        disrupted.insert(name.clone(), since.clone());
    }
    (disrupted, recheck)
}

impl DisruptionController {
    /// How many Pods there should be, and how many of them have to be healthy.
    fn expected(
        &mut self,
        budget: &PodDisruptionBudget,
        pods: &[Arc<Pod>],
        caches: &Caches,
        client: &mut Client,
    ) -> Result<(i32, i32), String> {
        let spec = budget.spec.as_ref();
        if let Some(max_unavailable) = spec.and_then(|spec| spec.max_unavailable.as_ref()) {
            let expected = self.expected_scale(budget, pods, caches, client)?;
            return Ok((expected, (expected - scaled(Some(max_unavailable), expected, true)).max(0)));
        }
        match spec.and_then(|spec| spec.min_available.as_ref()) {
            None => Ok((pods.len() as i32, 0)),
            Some(IntOrString::Int(number)) => Ok((pods.len() as i32, *number)),
            Some(percent) => {
                let expected = self.expected_scale(budget, pods, caches, client)?;
                Ok((expected, scaled(Some(percent), expected, true)))
            }
        }
    }

    /// The sum of the scales of the workloads that the Pods belong to.
    fn expected_scale(
        &mut self,
        budget: &PodDisruptionBudget,
        pods: &[Arc<Pod>],
        caches: &Caches,
        client: &mut Client,
    ) -> Result<i32, String> {
        let mut scales: BTreeMap<String, i32> = BTreeMap::new();
        let mut unmanaged: Vec<String> = Vec::new();
        for pod in pods {
            let name = pod.metadata.name.as_deref().unwrap_or_default();
            if meta::controller_of(&pod.metadata).is_none() {
                unmanaged.push(meta::key(&pod.metadata));
                continue;
            }
            match scale_of(pod, caches) {
                Some((uid, scale)) => drop(scales.insert(uid, scale)),
                None => return Err(format!("found no controllers for pod {name:?}")),
            }
        }
        if !unmanaged.is_empty() {
            let message = format!(
                "Pods selected by this PodDisruptionBudget (selector: {:?}) were found to be unmanaged. As a result, the \
                 status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for \
                 these pods please set \".spec.minAvailable\" field of the PDB to an integer value.",
                budget.spec.as_ref().and_then(|spec| spec.selector.as_ref()),
            );
            self.recorder.event(client, budget, EventType::Warning, "UnmanagedPods", message);
        }
        Ok(scales.values().sum())
    }
}

/// Uid and wanted size of the workload at the top of a Pod's owners.
fn scale_of(pod: &Pod, caches: &Caches) -> Option<(String, i32)> {
    let owner = meta::controller_of(&pod.metadata)?;
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    match owner.kind.as_str() {
        "StatefulSet" => {
            let set = caches.stateful_sets.find(namespace, &owner.name)?;
            Some((owner.uid.clone(), set.spec.as_ref()?.replicas.unwrap_or(1)))
        }
        "ReplicaSet" => {
            let replica_set = caches.replica_sets.find(namespace, &owner.name)?;
            match meta::controller_of(&replica_set.metadata).filter(|owner| owner.kind == "Deployment") {
                Some(owner) => {
                    let deployment = caches.deployments.find(namespace, &owner.name)?;
                    Some((owner.uid.clone(), deployment.spec.as_ref()?.replicas.unwrap_or(1)))
                }
                None => Some((owner.uid.clone(), replica_set.spec.as_ref()?.replicas.unwrap_or(1))),
            }
        }
        _ => None,
    }
}

fn set_condition(status: &mut PodDisruptionBudgetStatus, allowed: bool, reason: &str, message: String, now: SimTime) {
    let value = if allowed { "True" } else { "False" };
    let observed_generation = status.observed_generation;
    let conditions = status.conditions.get_or_insert_default();
    let wanted = Condition {
        type_: "DisruptionAllowed".into(),
        status: value.into(),
        reason: reason.into(),
        message,
        observed_generation,
        last_transition_time: time::stamp(now),
    };
    match conditions.iter_mut().find(|condition| condition.type_ == wanted.type_) {
        Some(found) => {
            let since = found.last_transition_time.clone();
            let last_transition_time = if found.status == value { since } else { wanted.last_transition_time.clone() };
            *found = Condition { last_transition_time, ..wanted };
        }
        None => conditions.push(wanted),
    }
}
