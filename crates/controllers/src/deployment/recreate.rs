//! Recreate: all old Pods go before the first new one comes.

use std::sync::Arc;

use api::Status;
use api::types::ReplicaSet;

use super::sync::{Sync, active};
use super::{actual_of, pods_of};
use crate::pods;

impl Sync<'_, '_> {
    pub fn roll_out_recreate(&mut self, replica_sets: &[Arc<ReplicaSet>]) -> Result<(), Status> {
        let (new, old) = self.new_and_old(replica_sets, false)?;
        let mut scaled_down = false;
        for replica_set in active(&old) {
            scaled_down |= self.scale_to(&replica_set, 0)?.is_some();
        }
        if scaled_down || self.old_pods_run(&old) {
            return self.sync_rollout_status(new.as_ref(), &old);
        }
        let (new, old) = match new {
            Some(new) => (Some(new), old),
            None => self.new_and_old(replica_sets, true)?,
        };
        if let Some(new) = &new {
            let desired = self.desired();
            self.scale_to(new, desired)?;
        }
        if self.is_complete() {
            self.clean_up(&old)?;
        }
        self.sync_rollout_status(new.as_ref(), &old)
    }

    fn old_pods_run(&self, old: &[Arc<ReplicaSet>]) -> bool {
        old.iter().any(|replica_set| {
            actual_of(replica_set) > 0 || pods_of(replica_set, self.caches).any(|pod| !pods::is_finished(pod))
        })
    }
}
