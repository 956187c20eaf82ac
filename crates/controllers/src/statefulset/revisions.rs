//! The revisions that a StatefulSet is between.

use std::sync::Arc;

use api::types::{ControllerRevision, Pod, StatefulSet, StatefulSetStatus};
use api::{Status, meta};
use client::DeleteOptions;

use super::control::Sync;
use super::identity;
use crate::history;

/// Where an update comes from and where it goes.
pub(super) struct Revisions {
    pub current: Arc<ControllerRevision>,
    pub update: Arc<ControllerRevision>,
    pub collision_count: i32,
}

impl Revisions {
    pub fn current_name(&self) -> &str {
        self.current.metadata.name.as_deref().unwrap_or_default()
    }

    pub fn update_name(&self) -> &str {
        self.update.metadata.name.as_deref().unwrap_or_default()
    }
}

impl Sync<'_, '_> {
    /// Finds the revision of the status and the revision of the template, making the latter if need be.
    pub fn get_revisions(&mut self, revisions: &[Arc<ControllerRevision>]) -> Result<Revisions, Status> {
        let set = self.set;
        let nothing = StatefulSetStatus::default();
        let status = set.status.as_ref().unwrap_or(&nothing);
        let mut collision_count = status.collision_count.unwrap_or_default();
        let Some(spec) = &set.spec else { return Err(Status::internal("a StatefulSet without a spec")) };
        let next = revisions.last().map(|last| last.revision).unwrap_or_default() + 1;
        let wanted = history::new_revision(set, &spec.template, next, Some(collision_count));
        let same = revisions.iter().rev().find(|revision| history::equal(revision, &wanted));
        let update = match (same, revisions.last()) {
            (Some(same), Some(last)) if Arc::ptr_eq(same, last) => same.clone(),
            (Some(same), _) => history::renumber(self.client, same, next)?,
            (None, _) => history::create(self.client, set, &spec.template, next, &mut collision_count)?,
        };
        let is_current = |revision: &&Arc<ControllerRevision>| {
            status.current_revision.as_deref().is_some_and(|name| revision.metadata.name.as_deref() == Some(name))
        };
        let current = revisions.iter().find(is_current).unwrap_or(&update).clone();
        Ok(Revisions { current, update, collision_count })
    }

    /// Deletes the oldest revisions that nothing uses beyond the history limit.
    pub fn truncate_history(
        &mut self,
        pods: &[Arc<Pod>],
        revisions: &[Arc<ControllerRevision>],
        live: &Revisions,
    ) -> Result<(), Status> {
        let in_use = |revision: &ControllerRevision| {
            let name = revision.metadata.name.as_deref().unwrap_or_default();
            name == live.current_name()
                || name == live.update_name()
                || pods.iter().any(|pod| identity::revision(pod) == name)
        };
        let unused: Vec<_> = revisions.iter().filter(|revision| !in_use(revision)).collect();
        let limit = self.set.spec.as_ref().and_then(|spec| spec.revision_history_limit).unwrap_or(10).max(0) as usize;
        for revision in unused.iter().take(unused.len().saturating_sub(limit)) {
            let (namespace, name) = (revision.metadata.namespace.as_deref(), revision.metadata.name.as_deref());
            let namespace = namespace.unwrap_or_default();
            self.client.delete::<ControllerRevision>(namespace, name.unwrap_or_default(), DeleteOptions::default())?;
        }
        Ok(())
    }
}

/// The set as it was at a revision.
pub(super) fn at_revision(set: &StatefulSet, revision: &ControllerRevision) -> StatefulSet {
    let mut set = set.clone();
    if let (Some(spec), Some(template)) = (&mut set.spec, history::template_of(revision)) {
        spec.template = template;
    }
    set
}

/// Whether the Pod is to be counted: it exists and is not on its way out.
pub(super) fn counts(pod: &Pod) -> bool {
    super::control::is_created(pod) && !meta::is_being_deleted(&pod.metadata)
}
