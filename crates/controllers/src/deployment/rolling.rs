//! RollingUpdate: up by the surge, down by what may be unavailable.

use std::sync::Arc;

use api::Status;
use api::types::ReplicaSet;

use super::sync::{Sets, Sync, active, all_of, by_age, total};
use super::{available_of, fenceposts, replicas_of};

impl Sync<'_, '_> {
    pub fn roll_out_rolling(&mut self, replica_sets: &[Arc<ReplicaSet>]) -> Result<(), Status> {
        let (new, old) = self.new_and_old(replica_sets, true)?;
        let Some(new) = new else { return Ok(()) };
        let all = all_of(&old, Some(&new));
        if self.scale_new(&all, &new)? {
            return self.sync_rollout_status(Some(&new), &old);
        }
        if self.scale_old_down(&all, active(&old), &new)? {
            return self.sync_rollout_status(Some(&new), &old);
        }
        if self.is_complete() {
            self.clean_up(&old)?;
        }
        self.sync_rollout_status(Some(&new), &old)
    }

    /// Sizes the newest ReplicaSet. Whether that changed anything.
    fn scale_new(&mut self, all: &[Arc<ReplicaSet>], new: &Arc<ReplicaSet>) -> Result<bool, Status> {
        let (current, desired) = (replicas_of(new), self.desired());
        if current == desired {
            return Ok(false);
        }
        let wanted = if current > desired { desired } else { self.new_replicas(all, current) };
        Ok(self.scale_to(new, wanted)?.is_some())
    }

    fn scale_old_down(&mut self, all: &[Arc<ReplicaSet>], old: Sets, new: &ReplicaSet) -> Result<bool, Status> {
        if total(&old) == 0 {
            return Ok(false);
        }
        let min_available = self.desired() - fenceposts::max_unavailable(&self.deployment);
        let new_unavailable = replicas_of(new) - available_of(new);
        let room = total(all) - min_available - new_unavailable;
        if room <= 0 {
            return Ok(false);
        }
        // Where a status is behind, nothing is certain: the next change of it brings the key back.
        let Some((old, cleaned)) = self.remove_unhealthy(old, room)? else { return Ok(false) };
        let available: i32 = old.iter().map(|replica_set| available_of(replica_set)).sum::<i32>() + available_of(new);
        let scaled = self.remove_healthy(old, available - min_available)?;
        Ok(cleaned + scaled > 0)
    }

    /// Pods that do not work go first: nobody misses them. Returns the ReplicaSets as they are then, and how many Pods.
    /// `None` if a ReplicaSet claims more available Pods than it may have.
    fn remove_unhealthy(&mut self, mut old: Sets, room: i32) -> Result<Option<(Sets, i32)>, Status> {
        old.sort_by(by_age);
        let mut removed = 0;
        for replica_set in &mut old {
            if removed >= room {
                break;
            }
            let (current, available) = (replicas_of(replica_set), available_of(replica_set));
            if current == 0 || current == available {
                continue;
            }
            let count = (room - removed).min(current - available);
            if count < 0 {
                return Ok(None);
            }
            if let Some(scaled) = self.scale_to(replica_set, current - count)? {
                *replica_set = scaled;
            }
            removed += count;
        }
        Ok(Some((old, removed)))
    }

    fn remove_healthy(&mut self, mut old: Sets, room: i32) -> Result<i32, Status> {
        if room <= 0 {
            return Ok(0);
        }
        old.sort_by(by_age);
        let mut removed = 0;
        for replica_set in &old {
            if removed >= room {
                break;
            }
            let current = replicas_of(replica_set);
            if current == 0 {
                continue;
            }
            let count = current.min(room - removed);
            self.scale_to(replica_set, current - count)?;
            removed += count;
        }
        Ok(removed)
    }
}
