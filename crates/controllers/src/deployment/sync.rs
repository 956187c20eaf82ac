//! One sync of a Deployment.

use std::sync::Arc;

use api::types::{Deployment, DeploymentCondition, ReplicaSet};
use api::{Status, meta};
use client::{Client, EventType, Recorder};

use super::{conditions, fenceposts, replicas_of, revision};
use crate::caches::Caches;
use crate::controller::Queue;

/// A Deployment under way. The copy is changed as the sync goes on; like upstream's it keeps the resource version of the
/// cache, so that a second write of one sync conflicts and the key comes back.
pub(super) struct Sync<'a, 'c> {
    pub deployment: Deployment,
    pub client: &'a mut Client<'c>,
    pub recorder: &'a mut Recorder,
    pub queue: &'a mut Queue<String>,
    pub key: &'a String,
    pub caches: &'a Caches,
}

pub(super) type Sets = Vec<Arc<ReplicaSet>>;

impl Sync<'_, '_> {
    pub fn run(mut self, replica_sets: &[Arc<ReplicaSet>]) -> Result<(), Status> {
        if meta::is_being_deleted(&self.deployment.metadata) {
            return self.sync_status_only(replica_sets);
        }
        self.check_paused_condition()?;
        if self.is_paused() {
            return self.sync_size(replica_sets);
        }
        if meta::annotation(&self.deployment.metadata, revision::ROLLBACK_TO).is_some() {
            return self.forget_rollback();
        }
        if self.is_scaling_event(replica_sets)? {
            return self.sync_size(replica_sets);
        }
        if fenceposts::is_rolling(&self.deployment) {
            self.roll_out_rolling(replica_sets)
        } else {
            self.roll_out_recreate(replica_sets)
        }
    }

    pub fn desired(&self) -> i32 {
        fenceposts::desired(&self.deployment)
    }

    pub fn is_paused(&self) -> bool {
        self.deployment.spec.as_ref().and_then(|spec| spec.paused).unwrap_or_default()
    }

    pub fn write_status(&mut self) -> Result<(), Status> {
        self.client.update_status(self.deployment.clone()).map(drop)
    }

    pub fn set_condition(&mut self, condition: DeploymentCondition) {
        conditions::set(self.deployment.status.get_or_insert_default(), condition);
    }

    pub fn event(&mut self, kind: EventType, reason: &str, message: String) {
        self.recorder.event(self.client, &self.deployment, kind, reason, message);
    }

    /// The clock of the progress deadline stops while a Deployment is paused.
    fn check_paused_condition(&mut self) -> Result<(), Status> {
        if !conditions::has_progress_deadline(&self.deployment) {
            return Ok(());
        }
        let status = self.deployment.status.get_or_insert_default();
        let current =
            conditions::get(status, conditions::PROGRESSING).and_then(|condition| condition.reason.as_deref());
        if current == Some(conditions::TIMED_OUT) {
            return Ok(());
        }
        let was_paused = current == Some(conditions::PAUSED);
        let (reason, message) = match (self.is_paused(), was_paused) {
            (true, false) => (conditions::PAUSED, "Deployment is paused"),
            (false, true) => ("DeploymentResumed", "Deployment is resumed"),
            _ => return Ok(()),
        };
        let now = self.client.now();
        self.set_condition(conditions::new(conditions::PROGRESSING, "Unknown", reason, message.into(), now));
        self.write_status()
    }

    /// The annotation asks for what `kubectl rollout undo` did in the old API group; nobody writes it any more.
    fn forget_rollback(&mut self) -> Result<(), Status> {
        let mut changed = self.deployment.clone();
        if let Some(annotations) = &mut changed.metadata.annotations {
            annotations.remove(revision::ROLLBACK_TO);
        }
        self.client.update(changed).map(drop)
    }

    /// Whether somebody changed `spec.replicas` since the active ReplicaSets were sized.
    fn is_scaling_event(&mut self, replica_sets: &[Arc<ReplicaSet>]) -> Result<bool, Status> {
        let (new, old) = self.new_and_old(replica_sets, false)?;
        let desired = self.desired();
        let mut active = old.iter().chain(&new).filter(|replica_set| replicas_of(replica_set) > 0);
        Ok(active.any(|replica_set| revision::desired_replicas(replica_set).is_some_and(|noted| noted != desired)))
    }

    /// Sizes the ReplicaSets without rolling out: for scaling and for paused Deployments.
    fn sync_size(&mut self, replica_sets: &[Arc<ReplicaSet>]) -> Result<(), Status> {
        let (new, old) = self.new_and_old(replica_sets, false)?;
        self.scale(new.as_ref(), &old)?;
        if self.is_paused() {
            self.clean_up(&old)?;
        }
        self.sync_status(new.as_ref(), &old)
    }

    fn sync_status_only(&mut self, replica_sets: &[Arc<ReplicaSet>]) -> Result<(), Status> {
        let (new, old) = self.new_and_old(replica_sets, false)?;
        self.sync_status(new.as_ref(), &old)
    }
}

pub(super) fn by_age(left: &Arc<ReplicaSet>, right: &Arc<ReplicaSet>) -> std::cmp::Ordering {
    let created = |replica_set: &Arc<ReplicaSet>| {
        let created = replica_set.metadata.creation_timestamp.as_ref();
        created.map(api::time::since_start).unwrap_or_default()
    };
    created(left).cmp(&created(right)).then_with(|| left.metadata.name.cmp(&right.metadata.name))
}

pub(super) fn active(replica_sets: &[Arc<ReplicaSet>]) -> Sets {
    replica_sets.iter().filter(|replica_set| replicas_of(replica_set) > 0).cloned().collect()
}

/// Old ReplicaSets and the newest, in upstream's order.
pub(super) fn all_of(old: &[Arc<ReplicaSet>], new: Option<&Arc<ReplicaSet>>) -> Sets {
    old.iter().chain(new).cloned().collect()
}

/// The sum of `spec.replicas`.
pub(super) fn total(replica_sets: &[Arc<ReplicaSet>]) -> i32 {
    replica_sets.iter().map(|replica_set| replicas_of(replica_set)).sum()
}
