//! Finding or making the ReplicaSet of a Deployment's template.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::types::{Deployment, ObjectMeta, PodTemplateSpec, ReplicaSet, ReplicaSetSpec};
use api::{Status, meta};
use client::EventType;

use super::sync::{Sets, Sync, all_of, by_age, total};
use super::{conditions, fenceposts, name_of, replicas_of, revision};
use crate::hash;
use crate::pod_control::is_namespace_terminating;

const POD_TEMPLATE_HASH: &str = "pod-template-hash";

impl Sync<'_, '_> {
    /// The ReplicaSet of the current template, if any or if `create`, and all others.
    pub fn new_and_old(
        &mut self,
        replica_sets: &[Arc<ReplicaSet>],
        create: bool,
    ) -> Result<(Option<Arc<ReplicaSet>>, Sets), Status> {
        let existing = find_new(&self.deployment, replica_sets);
        let is_existing = |replica_set: &Arc<ReplicaSet>| {
            existing.as_ref().is_some_and(|existing| existing.metadata.uid == replica_set.metadata.uid)
        };
        let old: Sets = replica_sets.iter().filter(|replica_set| !is_existing(replica_set)).cloned().collect();
        let next_revision = old.iter().map(|replica_set| revision::of(replica_set)).max().unwrap_or_default() + 1;
        let new = match existing {
            Some(existing) => Some(self.renumber(existing, next_revision)?),
            None if create => Some(self.create_new(&old, next_revision)?),
            None => None,
        };
        Ok((new, old))
    }

    /// A ReplicaSet that is the newest again gets the newest number.
    fn renumber(&mut self, existing: Arc<ReplicaSet>, next_revision: i64) -> Result<Arc<ReplicaSet>, Status> {
        let mut metadata = existing.metadata.clone();
        let renumbered = revision::set_on_new(&self.deployment, &mut metadata, next_revision, true);
        let min_ready = min_ready_seconds(&self.deployment);
        let min_ready_differs =
            existing.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or_default() != min_ready;
        if renumbered || min_ready_differs {
            let mut changed = ReplicaSet { metadata, ..(*existing).clone() };
            changed.spec.get_or_insert_default().min_ready_seconds = Some(min_ready).filter(|seconds| *seconds != 0);
            return self.client.update(changed);
        }
        let number = meta::annotation(&existing.metadata, revision::REVISION).unwrap_or_default();
        let mut changed = revision::set_on_deployment(&mut self.deployment, number);
        let status = self.deployment.status.get_or_insert_default();
        let has_condition = conditions::get(status, conditions::PROGRESSING).is_some();
        if conditions::has_progress_deadline(&self.deployment) && !has_condition {
            let message = format!("Found new replica set {:?}", name_of(&existing));
            let now = self.client.now();
            let reason = "FoundNewReplicaSet";
            self.set_condition(conditions::new(conditions::PROGRESSING, "True", reason, message, now));
            changed = true;
        }
        if changed {
            self.write_status()?;
        }
        Ok(existing)
    }

    fn create_new(&mut self, old: &[Arc<ReplicaSet>], revision: i64) -> Result<Arc<ReplicaSet>, Status> {
        let mut wanted = self.replica_set_of_template();
        revision::set_on_new(&self.deployment, &mut wanted.metadata, revision, false);
        let replicas = self.new_replicas(&all_of(old, Some(&Arc::new(wanted.clone()))), 0);
        wanted.spec.get_or_insert_default().replicas = Some(replicas);
        let name = name_of(&wanted).to_owned();

        let (created, already_exists) = match self.client.create(wanted) {
            Ok(created) => (created, false),
            Err(status) if status.is_already_exists() => (self.take_existing(&name, status)?, true),
            Err(status) => {
                self.note_failure(&name, &status);
                return Err(status);
            }
        };
        if !already_exists && replicas > 0 {
            let message = format!("Scaled up replica set {name} from 0 to {replicas}");
            self.event(EventType::Normal, "ScalingReplicaSet", message);
        }
        let mut changed = revision::set_on_deployment(&mut self.deployment, &revision.to_string());
        if !already_exists && conditions::has_progress_deadline(&self.deployment) {
            let message = format!("Created new replica set {name:?}");
            let now = self.client.now();
            let reason = "NewReplicaSetCreated";
            self.set_condition(conditions::new(conditions::PROGRESSING, "True", reason, message, now));
            changed = true;
        }
        if changed {
            self.write_status()?;
        }
        Ok(created)
    }

    fn replica_set_of_template(&self) -> ReplicaSet {
        let deployment = &self.deployment;
        let spec = deployment.spec.as_ref();
        let mut template = spec.map(|spec| spec.template.clone()).unwrap_or_default();
        let collisions = deployment.status.as_ref().and_then(|status| status.collision_count);
        let hash = hash::of_template(&template, collisions.unwrap_or_default());
        meta::set_label(template.metadata.get_or_insert_default(), POD_TEMPLATE_HASH, hash.clone());
        let mut selector = spec.map(|spec| spec.selector.clone()).unwrap_or_default();
        selector.match_labels.get_or_insert_default().insert(POD_TEMPLATE_HASH.into(), hash.clone());
        ReplicaSet {
            metadata: ObjectMeta {
                name: Some(format!("{}-{hash}", deployment.metadata.name.as_deref().unwrap_or_default())),
                namespace: deployment.metadata.namespace.clone(),
                labels: template.metadata.as_ref().and_then(|meta| meta.labels.clone()),
                owner_references: Some(vec![meta::controller_reference(deployment)]),
                ..ObjectMeta::default()
            },
            spec: Some(ReplicaSetSpec {
                replicas: Some(0),
                min_ready_seconds: Some(min_ready_seconds(deployment)).filter(|seconds| *seconds != 0),
                selector,
                template: Some(template),
            }),
            status: None,
        }
    }

    /// The name is taken: by our own ReplicaSet that the cache does not show yet, or by a hash collision, after which the
    /// next sync hashes with another count.
    fn take_existing(&mut self, name: &str, error: Status) -> Result<Arc<ReplicaSet>, Status> {
        let namespace = self.deployment.metadata.namespace.as_deref().unwrap_or_default();
        let Some(found) = self.caches.replica_sets.find(namespace, name).cloned() else { return Err(error) };
        let own = meta::is_controlled_by(&found.metadata, &self.deployment.metadata);
        if own && has_template(&found, &self.deployment) {
            return Ok(found);
        }
        let count = self.deployment.status.get_or_insert_default().collision_count.get_or_insert_default();
        *count += 1;
        self.write_status()?;
        Err(error)
    }

    fn note_failure(&mut self, name: &str, status: &Status) {
        if is_namespace_terminating(status) {
            return;
        }
        let message = format!("Failed to create new replica set {name:?}: {status}");
        let reason = "ReplicaSetCreateError";
        if conditions::has_progress_deadline(&self.deployment) {
            let now = self.client.now();
            self.set_condition(conditions::new(conditions::PROGRESSING, "False", reason, message.clone(), now));
            // The creation's error is the one that counts; the key comes back anyway.
            let _ = self.write_status();
        }
        self.event(EventType::Warning, reason, message);
    }

    /// How many Pods the newest ReplicaSet may have, which has `current`, next to all others.
    pub fn new_replicas(&self, all: &[Arc<ReplicaSet>], current: i32) -> i32 {
        let desired = self.desired();
        if !fenceposts::is_rolling(&self.deployment) {
            return desired;
        }
        let room = desired + fenceposts::max_surge(&self.deployment) - total(all);
        if room <= 0 { current } else { current + room.min(desired - current) }
    }
}

fn min_ready_seconds(deployment: &Deployment) -> i32 {
    deployment.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or_default()
}

/// The oldest ReplicaSet with the Deployment's template.
fn find_new(deployment: &Deployment, replica_sets: &[Arc<ReplicaSet>]) -> Option<Arc<ReplicaSet>> {
    let same = replica_sets.iter().filter(|replica_set| has_template(replica_set, deployment));
    same.min_by(|left, right| by_age(left, right)).cloned()
}

/// Whether the templates are equal but for the hash label.
fn has_template(replica_set: &ReplicaSet, deployment: &Deployment) -> bool {
    let Some(wanted) = deployment.spec.as_ref().map(|spec| &spec.template) else { return false };
    let Some(found) = replica_set.spec.as_ref().and_then(|spec| spec.template.as_ref()) else { return false };
    found.spec == wanted.spec && same_metadata(found, wanted)
}

fn same_metadata(left: &PodTemplateSpec, right: &PodTemplateSpec) -> bool {
    fn unhashed(labels: &BTreeMap<String, String>) -> impl Iterator<Item = (&String, &String)> {
        labels.iter().filter(|(name, _)| *name != POD_TEMPLATE_HASH)
    }
    let nothing = ObjectMeta::default();
    let (left, right) = (left.metadata.as_ref().unwrap_or(&nothing), right.metadata.as_ref().unwrap_or(&nothing));
    let annotations = |meta: &ObjectMeta| meta.annotations.clone().unwrap_or_default();
    unhashed(meta::labels(left)).eq(unhashed(meta::labels(right)))
        && (left.annotations == right.annotations || annotations(left) == annotations(right))
        && left.finalizers.as_deref().unwrap_or_default() == right.finalizers.as_deref().unwrap_or_default()
}

impl Sync<'_, '_> {
    /// Deletes the oldest ReplicaSets beyond the history limit.
    pub fn clean_up(&mut self, old: &[Arc<ReplicaSet>]) -> Result<(), Status> {
        let Some(limit) = self.deployment.spec.as_ref().and_then(|spec| spec.revision_history_limit) else {
            return Ok(());
        };
        let mut cleanable: Sets =
            old.iter().filter(|replica_set| !meta::is_being_deleted(&replica_set.metadata)).cloned().collect();
        let excess = cleanable.len().saturating_sub(limit.max(0) as usize);
        cleanable.sort_by(|left, right| revision::of(left).cmp(&revision::of(right)).then_with(|| by_age(left, right)));
        for replica_set in cleanable.iter().take(excess) {
            let observed = replica_set.status.as_ref().and_then(|status| status.observed_generation);
            let behind = replica_set.metadata.generation.unwrap_or_default() > observed.unwrap_or_default();
            if super::actual_of(replica_set) != 0 || replicas_of(replica_set) != 0 || behind {
                continue;
            }
            let namespace = replica_set.metadata.namespace.as_deref().unwrap_or_default();
            match self.client.delete::<ReplicaSet>(namespace, name_of(replica_set), Default::default()) {
                Err(status) if !status.is_not_found() => return Err(status),
                _ => {}
            }
        }
        Ok(())
    }
}
