//! A Deployment's status and whether its rollout gets on.

use std::sync::Arc;

use api::time::SECOND;
use api::types::{DeploymentStatus, ReplicaSet};
use api::{Status, time};

use super::sync::{Sync, total};
use super::{actual_of, available_of, conditions, fenceposts};
use crate::replicaset::non_zero;

impl Sync<'_, '_> {
    /// Whether the status in the copy says that the rollout is over.
    pub fn is_complete(&self) -> bool {
        self.deployment.status.as_ref().is_some_and(|status| self.completes(status))
    }

    fn completes(&self, status: &DeploymentStatus) -> bool {
        let desired = self.desired();
        let generation = self.deployment.metadata.generation.unwrap_or_default();
        status.updated_replicas.unwrap_or_default() == desired
            && status.replicas.unwrap_or_default() == desired
            && status.available_replicas.unwrap_or_default() == desired
            && status.observed_generation.unwrap_or_default() >= generation
    }

    fn progresses(&self, new: &DeploymentStatus) -> bool {
        let nothing = DeploymentStatus::default();
        let old = self.deployment.status.as_ref().unwrap_or(&nothing);
        let updated = |status: &DeploymentStatus| status.updated_replicas.unwrap_or_default();
        let outdated = |status: &DeploymentStatus| status.replicas.unwrap_or_default() - updated(status);
        updated(new) > updated(old)
            || outdated(new) < outdated(old)
            || new.ready_replicas.unwrap_or_default() > old.ready_replicas.unwrap_or_default()
            || new.available_replicas.unwrap_or_default() > old.available_replicas.unwrap_or_default()
    }

    fn is_timed_out(&self, new: &DeploymentStatus) -> bool {
        let Some(condition) = conditions::get(new, conditions::PROGRESSING) else { return false };
        match condition.reason.as_deref() {
            Some(conditions::NEW_AVAILABLE) => false,
            Some(conditions::TIMED_OUT) => true,
            _ => {
                let since = condition.last_update_time.as_ref().map(time::since_start).unwrap_or_default();
                since + self.deadline() < self.client.now()
            }
        }
    }

    fn deadline(&self) -> u64 {
        let seconds = self.deployment.spec.as_ref().and_then(|spec| spec.progress_deadline_seconds);
        seconds.unwrap_or_default().max(0) as u64 * SECOND
    }

    pub fn sync_status(&mut self, new: Option<&Arc<ReplicaSet>>, old: &[Arc<ReplicaSet>]) -> Result<(), Status> {
        let status = self.calculate_status(new, old);
        self.replace_status(status).map(drop)
    }

    /// The status of a rollout, with its progress and failures.
    pub fn sync_rollout_status(
        &mut self,
        new: Option<&Arc<ReplicaSet>>,
        old: &[Arc<ReplicaSet>],
    ) -> Result<(), Status> {
        let mut status = self.calculate_status(new, old);
        self.note_progress(&mut status, new.map(|new| &**new));
        let all: Vec<&ReplicaSet> = old.iter().chain(new).map(|replica_set| &**replica_set).collect();
        match conditions::replica_failure(new.map(|new| &**new), &all) {
            Some(failure) => conditions::set(&mut status, failure),
            None => conditions::remove(&mut status, conditions::REPLICA_FAILURE),
        }
        if !self.replace_status(status)? {
            self.come_back_before_deadline();
        }
        Ok(())
    }

    fn note_progress(&mut self, status: &mut DeploymentStatus, new: Option<&ReplicaSet>) {
        if !conditions::has_progress_deadline(&self.deployment) {
            conditions::remove(status, conditions::PROGRESSING);
            return;
        }
        let current =
            self.deployment.status.as_ref().and_then(|status| conditions::get(status, conditions::PROGRESSING));
        let was_available = current.is_some_and(|current| current.reason.as_deref() == Some(conditions::NEW_AVAILABLE));
        if was_available && status.replicas == status.updated_replicas {
            return;
        }
        let now = self.client.now();
        let subject = conditions::subject(&self.deployment, new);
        let progressing = |value: &str, reason: &str, what: &str| {
            conditions::new(conditions::PROGRESSING, value, reason, format!("{subject} {what}"), now)
        };
        if self.completes(status) {
            let condition = progressing("True", conditions::NEW_AVAILABLE, "has successfully progressed.");
            conditions::set(status, condition);
        } else if self.progresses(status) {
            let mut condition = progressing("True", "ReplicaSetUpdated", "is progressing.");
            if let Some(current) = current {
                if current.status == "True" {
                    condition.last_transition_time = current.last_transition_time.clone();
                }
                conditions::remove(status, conditions::PROGRESSING);
            }
            conditions::set(status, condition);
        } else if self.is_timed_out(status) {
            conditions::set(status, progressing("False", conditions::TIMED_OUT, "has timed out progressing."));
        }
    }

    fn calculate_status(&self, new: Option<&Arc<ReplicaSet>>, old: &[Arc<ReplicaSet>]) -> DeploymentStatus {
        let nothing = DeploymentStatus::default();
        let current = self.deployment.status.as_ref().unwrap_or(&nothing);
        let all: Vec<Arc<ReplicaSet>> = old.iter().chain(new).cloned().collect();
        let sum = |count: fn(&ReplicaSet) -> i32| all.iter().map(|replica_set| count(replica_set)).sum::<i32>();
        let available = sum(available_of);
        let ready = sum(|replica_set| replica_set.status.as_ref().and_then(|it| it.ready_replicas).unwrap_or_default());
        let terminating = |replica_set: &Arc<ReplicaSet>| replica_set.status.as_ref()?.terminating_replicas;
        let mut status = DeploymentStatus {
            observed_generation: self.deployment.metadata.generation.filter(|generation| *generation != 0),
            replicas: non_zero(sum(actual_of)),
            updated_replicas: non_zero(new.map(|new| actual_of(new)).unwrap_or_default()),
            ready_replicas: non_zero(ready),
            available_replicas: non_zero(available),
            unavailable_replicas: non_zero((total(&all) - available).max(0)),
            terminating_replicas: all.iter().map(terminating).sum(),
            collision_count: current.collision_count,
            conditions: current.conditions.clone(),
        };
        let enough = available >= self.desired() - fenceposts::max_unavailable(&self.deployment);
        let (value, reason, message) = if enough {
            ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        } else {
            ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        };
        let now = self.client.now();
        conditions::set(&mut status, conditions::new(conditions::AVAILABLE, value, reason, message.into(), now));
        status
    }

    /// Writes the status if it says something new. Whether it did.
    fn replace_status(&mut self, mut status: DeploymentStatus) -> Result<bool, Status> {
        status.conditions = status.conditions.filter(|conditions| !conditions.is_empty());
        if self.deployment.status.as_ref() == Some(&status) {
            return Ok(false);
        }
        self.deployment.status = Some(status);
        self.write_status()?;
        Ok(true)
    }

    /// Nothing may change when a rollout is stuck: look again when its deadline has passed.
    fn come_back_before_deadline(&mut self) {
        if !conditions::has_progress_deadline(&self.deployment) || self.is_complete() {
            return;
        }
        let status = self.deployment.status.as_ref();
        let Some(condition) = status.and_then(|status| conditions::get(status, conditions::PROGRESSING)) else {
            return;
        };
        if condition.reason.as_deref() == Some(conditions::TIMED_OUT) {
            return;
        }
        let since = condition.last_update_time.as_ref().map(time::since_start).unwrap_or_default();
        let left = (since + self.deadline()).saturating_sub(self.client.now());
        if left < SECOND {
            self.queue.add_rate_limited(self.key.clone());
        } else {
            self.queue.add_after(self.key.clone(), left + SECOND);
        }
    }
}
