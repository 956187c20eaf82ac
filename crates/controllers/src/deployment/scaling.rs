//! Scaling: of one ReplicaSet, or shared out among several in the middle of a rollout.

use std::sync::Arc;

use api::Status;
use api::types::{Deployment, ReplicaSet};
use client::EventType;

use super::sync::{Sync, active, all_of, by_age, total};
use super::{available_of, fenceposts, name_of, replicas_of, revision};

impl Sync<'_, '_> {
    /// Gives a ReplicaSet another size and says so. `None` when it has that size.
    pub fn scale_to(&mut self, replica_set: &ReplicaSet, size: i32) -> Result<Option<Arc<ReplicaSet>>, Status> {
        if replicas_of(replica_set) == size { Ok(None) } else { self.resize(replica_set, size) }
    }

    /// The same, but notes the Deployment's size even when the ReplicaSet keeps its own.
    fn resize(&mut self, replica_set: &ReplicaSet, size: i32) -> Result<Option<Arc<ReplicaSet>>, Status> {
        let old_size = replicas_of(replica_set);
        if old_size == size && !revision::replicas_need_update(&replica_set.metadata, &self.deployment) {
            return Ok(None);
        }
        let mut changed = replica_set.clone();
        changed.spec.get_or_insert_default().replicas = Some(size);
        revision::set_replicas(&mut changed.metadata, &self.deployment);
        let updated = self.client.update(changed)?;
        if old_size != size {
            let direction = if old_size < size { "up" } else { "down" };
            let name = name_of(replica_set);
            let message = format!("Scaled {direction} replica set {name} from {old_size} to {size}");
            self.event(EventType::Normal, "ScalingReplicaSet", message);
        }
        Ok(Some(updated))
    }

    /// Brings the ReplicaSets to the Deployment's size without preferring the newest.
    pub fn scale(&mut self, new: Option<&Arc<ReplicaSet>>, old: &[Arc<ReplicaSet>]) -> Result<(), Status> {
        let desired = self.desired();
        let mut all = active(&all_of(old, new));
        let latest = || new.cloned().or_else(|| old.iter().max_by(|left, right| by_age(left, right)).cloned());
        let only = match all.as_slice() {
            [] => latest(),
            [only] => Some(only.clone()),
            _ => None,
        };
        if let Some(only) = only {
            return self.scale_to(&only, desired).map(drop);
        }
        if new.is_some_and(|new| self.is_saturated(new)) {
            for replica_set in active(old) {
                self.scale_to(&replica_set, 0)?;
            }
            return Ok(());
        }
        if all.is_empty() || !fenceposts::is_rolling(&self.deployment) {
            return Ok(());
        }

        let allowed = if desired > 0 { desired + fenceposts::max_surge(&self.deployment) } else { 0 };
        let to_add = allowed - total(&all);
        // Larger ones first; among equals the newer one grows and the older one shrinks.
        all.sort_by(|left, right| {
            let age = if to_add > 0 { by_age(right, left) } else { by_age(left, right) };
            replicas_of(right).cmp(&replicas_of(left)).then(age)
        });
        let mut sizes: Vec<i32> = Vec::with_capacity(all.len());
        let mut added = 0;
        for replica_set in &all {
            let share = proportion(replica_set, &self.deployment, to_add, added);
            added += share;
            sizes.push(replicas_of(replica_set) + share);
        }
        if to_add != 0 {
            sizes[0] = (sizes[0] + to_add - added).max(0);
        }
        for (replica_set, size) in all.iter().zip(sizes) {
            self.resize(replica_set, size)?;
        }
        Ok(())
    }

    /// Whether the newest ReplicaSet has taken over.
    fn is_saturated(&self, new: &ReplicaSet) -> bool {
        let desired = self.desired();
        revision::desired_replicas(new) == Some(desired) && replicas_of(new) == desired && available_of(new) == desired
    }
}

/// The part of `to_add` that falls to one ReplicaSet, of which `added` is given out already.
fn proportion(replica_set: &ReplicaSet, deployment: &Deployment, to_add: i32, added: i32) -> i32 {
    if replicas_of(replica_set) == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let fraction = fraction(replica_set, deployment);
    if to_add > 0 { fraction.min(to_add - added) } else { fraction.max(to_add - added) }
}

/// By how much a ReplicaSet would change if it kept its share of the Deployment.
fn fraction(replica_set: &ReplicaSet, deployment: &Deployment) -> i32 {
    let current = replicas_of(replica_set);
    let desired = fenceposts::desired(deployment);
    if desired == 0 {
        return -current;
    }
    let now_at_most = i64::from(desired + fenceposts::max_surge(deployment));
    let before = revision::max_replicas(replica_set).filter(|count| *count != 0);
    let reported = || deployment.status.as_ref().and_then(|status| status.replicas).unwrap_or_default();
    let before_at_most = i64::from(before.unwrap_or_else(reported));
    if before_at_most <= 0 {
        return 0;
    }
    let doubled = 2 * i64::from(current) * now_at_most;
    ((doubled + before_at_most) / (2 * before_at_most)) as i32 - current
}

#[cfg(test)]
mod tests {
    use api::meta;
    use api::types::{DeploymentSpec, DeploymentStrategy, IntOrString, ReplicaSetSpec, RollingUpdateDeployment};

    use super::*;

    #[test]
    fn shares_keep_the_proportions() {
        let deployment = Deployment {
            spec: Some(DeploymentSpec {
                replicas: Some(15),
                strategy: Some(DeploymentStrategy {
                    type_: Some("RollingUpdate".into()),
                    rolling_update: Some(RollingUpdateDeployment {
                        max_surge: Some(IntOrString::Int(3)),
                        max_unavailable: Some(IntOrString::Int(2)),
                    }),
                }),
                ..DeploymentSpec::default()
            }),
            ..Deployment::default()
        };
        let sized = |replicas: i32| {
            let spec = ReplicaSetSpec { replicas: Some(replicas), ..ReplicaSetSpec::default() };
            let mut replica_set = ReplicaSet { spec: Some(spec), ..ReplicaSet::default() };
            meta::set_annotation(&mut replica_set.metadata, "deployment.kubernetes.io/max-replicas", "13");
            replica_set
        };
        let to_add = 18 - 13;
        let first = proportion(&sized(8), &deployment, to_add, 0);
        let second = proportion(&sized(5), &deployment, to_add, first);
        assert_eq!((first, second), (3, 2));
    }
}
