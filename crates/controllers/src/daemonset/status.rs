//! A DaemonSet's status.

use api::types::{DaemonSet, DaemonSetStatus};
use api::{Status, meta};

use super::nodes::{self, Fit};
use super::sync::Sync;
use crate::history::REVISION_LABEL;
use crate::pods;
use crate::replicaset::non_zero;

impl Sync<'_, '_> {
    pub fn update_status(&mut self, hash: &str, collision_count: Option<i32>) -> Result<(), Status> {
        let mut status = DaemonSetStatus { collision_count, ..DaemonSetStatus::default() };
        let (mut available, mut updated) = (0, 0);
        let mut waits = Vec::new();
        let by_node = self.by_node();
        for node in self.nodes() {
            let name = node.metadata.name.as_deref().unwrap_or_default();
            let pod = by_node.get(name).and_then(|pods| pods.first());
            if nodes::fit(self.set, &node) != Fit::Run {
                status.number_misscheduled += i32::from(pod.is_some());
                continue;
            }
            status.desired_number_scheduled += 1;
            let Some(pod) = pod else { continue };
            status.current_number_scheduled += 1;
            status.number_ready += i32::from(pods::is_ready(pod));
            available += i32::from(self.is_available(pod));
            updated += i32::from(meta::label(&pod.metadata, REVISION_LABEL) == Some(hash));
            waits.extend(pods::until_available(pod, self.min_ready_seconds(), self.client.now()));
        }
        status.number_available = non_zero(available);
        status.number_unavailable = non_zero(status.desired_number_scheduled - available);
        status.updated_number_scheduled = non_zero(updated);
        status.observed_generation = self.set.metadata.generation.filter(|generation| *generation != 0);
        status.conditions = self.set.status.as_ref().and_then(|status| status.conditions.clone());
        if let Some(wait) = waits.into_iter().filter(|wait| *wait > 0).min() {
            self.queue.add_after(self.key.to_owned(), wait);
        }
        if self.set.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let changed = DaemonSet { status: Some(status), ..self.set.clone() };
        self.client.update_status(changed).map(drop)
    }
}
