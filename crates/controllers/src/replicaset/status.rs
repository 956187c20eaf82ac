//! A ReplicaSet's status.

use std::sync::Arc;

use api::types::{Pod, ReplicaSetCondition, ReplicaSetStatus};
use api::{SimTime, Status, meta, time};
use client::Client;

use super::Replicated;
use super::manage::wanted_replicas;
use crate::pods;

pub(super) fn calculate<R: Replicated>(
    replica_set: &R,
    active: &[Arc<Pod>],
    terminating: i32,
    managed: &Result<(), Status>,
    now: SimTime,
) -> ReplicaSetStatus {
    let mut status = replica_set.status();
    let template = replica_set.template().and_then(|template| template.metadata.as_ref()?.labels.as_ref());
    let min_ready = replica_set.min_ready_seconds();
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
pub(super) fn update<R: Replicated>(client: &mut Client, cached: &R, status: ReplicaSetStatus) -> Result<(), Status> {
    let meta = cached.metadata();
    let generation = meta.generation.unwrap_or_default();
    let before = cached.status();
    let changed = cached.with_status(status.clone());
    if before.observed_generation.unwrap_or_default() == generation && changed.status() == before {
        return Ok(());
    }
    let status = ReplicaSetStatus { observed_generation: Some(generation).filter(|it| *it != 0), ..status };
    let Err(error) = client.update_status(cached.with_status(status.clone())) else { return Ok(()) };
    match client.get::<R>(meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default()) {
        Ok(fresh) => client.update_status(fresh.with_status(status)).map(drop),
        Err(_) => Err(error),
    }
}
