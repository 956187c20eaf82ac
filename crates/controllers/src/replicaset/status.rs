//! A ReplicaSet's status.

use std::sync::Arc;

use api::types::{Pod, ReplicaSet, ReplicaSetCondition, ReplicaSetStatus};
use api::{SimTime, Status, meta, time};
use client::Client;

use super::manage::wanted_replicas;
use crate::pods;

pub(super) fn calculate(
    replica_set: &ReplicaSet,
    active: &[Arc<Pod>],
    terminating: i32,
    managed: &Result<(), Status>,
    now: SimTime,
) -> ReplicaSetStatus {
    let mut status = replica_set.status.clone().unwrap_or_default();
    let spec = replica_set.spec.as_ref();
    let template = spec.and_then(|spec| spec.template.as_ref()?.metadata.as_ref()?.labels.as_ref());
    let min_ready = spec.and_then(|spec| spec.min_ready_seconds).unwrap_or_default();
    let (mut labelled, mut ready, mut available) = (0, 0, 0);
    for pod in active {
        let labels = meta::labels(&pod.metadata);
        let full = template.is_none_or(|template| template.iter().all(|(key, value)| labels.get(key) == Some(value)));
        labelled += i32::from(full);
        ready += i32::from(pods::is_ready(pod));
        available += i32::from(pods::is_available(pod, min_ready, now));
    }
    status.replicas = active.len() as i32;
    status.fully_labeled_replicas = non_zero(labelled);
    status.ready_replicas = non_zero(ready);
    status.available_replicas = non_zero(available);
    status.terminating_replicas = Some(terminating);
    set_failure(&mut status, managed, active.len(), wanted_replicas(replica_set), now);
    status
}

/// Zero counts are left out of the API's objects.
pub(crate) fn non_zero(count: i32) -> Option<i32> {
    Some(count).filter(|count| *count != 0)
}

fn set_failure(
    status: &mut ReplicaSetStatus,
    managed: &Result<(), Status>,
    active: usize,
    wanted: usize,
    now: SimTime,
) {
    let mut conditions = status.conditions.take().unwrap_or_default();
    let has_failed = conditions.iter().any(|condition| condition.type_ == "ReplicaFailure");
    match managed {
        Ok(()) => conditions.retain(|condition| condition.type_ != "ReplicaFailure"),
        Err(error) if !has_failed => conditions.push(ReplicaSetCondition {
            type_: "ReplicaFailure".into(),
            status: "True".into(),
            reason: Some(if active < wanted { "FailedCreate" } else { "FailedDelete" }.into()),
            message: Some(error.message.clone()),
            last_transition_time: Some(time::stamp(now)),
        }),
        Err(_) => {}
    }
    status.conditions = Some(conditions).filter(|conditions| !conditions.is_empty());
}

/// Writes the status if it says something new; tries once more on a fresh copy when somebody else wrote in between.
pub(super) fn update(client: &mut Client, cached: &ReplicaSet, status: ReplicaSetStatus) -> Result<(), Status> {
    let generation = cached.metadata.generation.unwrap_or_default();
    let observed = cached.status.as_ref().and_then(|status| status.observed_generation).unwrap_or_default();
    if observed == generation && cached.status.as_ref() == Some(&status) {
        return Ok(());
    }
    let status = ReplicaSetStatus { observed_generation: Some(generation).filter(|it| *it != 0), ..status };
    let changed = ReplicaSet { status: Some(status.clone()), ..cached.clone() };
    let Err(error) = client.update_status(changed) else { return Ok(()) };
    let (namespace, name) = (cached.metadata.namespace.as_deref(), cached.metadata.name.as_deref());
    match client.get::<ReplicaSet>(namespace.unwrap_or_default(), name.unwrap_or_default()) {
        Ok(fresh) => client.update_status(ReplicaSet { status: Some(status), ..(*fresh).clone() }).map(drop),
        Err(_) => Err(error),
    }
}
