//! The revisions that a StatefulSet is between.

use std::sync::Arc;

use api::types::{ControllerRevision, Pod, StatefulSet, StatefulSetStatus};
use api::{Status, meta};

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
        let update = history::current(self.client, set, &spec.template, revisions, &mut collision_count)?;
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
        history::truncate(self.client, &unused, self.set.spec.as_ref().and_then(|spec| spec.revision_history_limit))
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
