//! Updates of a StatefulSet, and its status.

use api::types::{StatefulSet, StatefulSetStatus};
use api::{Status, meta};

use super::control::{Replica, Sync, is_created};
use super::identity;
use super::revisions::Revisions;
use crate::deployment::scaled;
use crate::replicaset::non_zero;

impl Sync<'_, '_> {
    /// Deletes Pods of an old revision from the highest ordinal down, as many as may be unavailable.
    pub fn roll_out(
        &mut self,
        replicas: &[Replica],
        live: &Revisions,
        status: &mut StatefulSetStatus,
    ) -> Result<(), Status> {
        let strategy = self.set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref());
        if strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("OnDelete") {
            return Ok(());
        }
        let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
        let max_unavailable = rolling.and_then(|rolling| rolling.max_unavailable.as_ref());
        let max_unavailable = scaled(max_unavailable, identity::replicas(self.set), false).max(1) as usize;
        let partition = rolling.and_then(|rolling| rolling.partition).unwrap_or_default().max(0) as usize;

        let is_unavailable = |replica: &&Replica| {
            let pod = replica.pod();
            meta::is_being_deleted(&pod.metadata) || !self.is_available(pod)
        };
        let unavailable = replicas.iter().filter(is_unavailable).count();
        let mut room = max_unavailable.saturating_sub(unavailable);
        for replica in replicas.iter().skip(partition).rev() {
            let pod = replica.pod();
            let is_old = identity::revision(pod) != live.update_name();
            if room == 0 {
                break;
            }
            if is_old && !meta::is_being_deleted(&pod.metadata) && is_created(pod) {
                self.delete_pod(pod)?;
                room -= 1;
                status.current_replicas = non_zero(status.current_replicas.unwrap_or_default() - 1);
            }
        }
        Ok(())
    }

    /// Writes the status if it says something new.
    pub fn write_status(&mut self, status: &mut StatefulSetStatus) -> Result<(), Status> {
        complete_rolling_update(self.set, status);
        if self.set.status.as_ref() == Some(status) {
            return Ok(());
        }
        let changed = StatefulSet { status: Some(status.clone()), ..self.set.clone() };
        self.client.update_status(changed).map(drop)
    }
}

/// Once every Pod is updated and ready, the new revision is the current one.
fn complete_rolling_update(set: &StatefulSet, status: &mut StatefulSetStatus) {
    let strategy = set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref());
    let rolling = strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("RollingUpdate");
    let replicas = identity::replicas(set);
    let complete = status.updated_replicas.unwrap_or_default() == replicas
        && status.ready_replicas.unwrap_or_default() == replicas
        && status.replicas == replicas;
    if rolling && complete {
        status.current_replicas = status.updated_replicas;
        status.current_revision = status.update_revision.clone();
    }
}
