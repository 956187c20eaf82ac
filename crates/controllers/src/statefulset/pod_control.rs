//! Creating, deleting and repairing one Pod of a StatefulSet.

use std::sync::Arc;

use api::types::Pod;
use api::{Status, meta};
use client::{DeleteOptions, EventType};

use super::control::Sync;
use super::identity;

impl Sync<'_, '_> {
    /// The claims first: a Pod must not start on half of its disks.
    pub fn create_pod(&mut self, pod: &Pod) -> Result<Arc<Pod>, Status> {
        self.create_claims(pod)?;
        let result = self.client.create(pod.clone());
        match &result {
            Err(status) if status.is_already_exists() => {}
            other => self.record_pod_event("Create", pod, other.as_ref().err()),
        }
        let created = result?;
        self.fix_claims(&created)?;
        Ok(created)
    }

    pub fn delete_pod(&mut self, pod: &Pod) -> Result<(), Status> {
        let (namespace, name) = (pod.metadata.namespace.as_deref(), pod.metadata.name.as_deref());
        let namespace = namespace.unwrap_or_default();
        let result = self.client.delete::<Pod>(namespace, name.unwrap_or_default(), DeleteOptions::default());
        self.record_pod_event("Delete", pod, result.as_ref().err());
        result
    }

    /// A Pod that has ended is deleted; the next sync creates it anew.
    pub fn recreate_finished(&mut self, pod: &Pod) -> Result<(), Status> {
        let set = self.set;
        let key = meta::key(&set.metadata);
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        if crate::pods::phase(pod) == "Failed" {
            let message = format!("StatefulSet {key} is recreating failed Pod {name}");
            self.recorder.event(self.client, set, EventType::Warning, "RecreatingFailedPod", message);
        } else {
            let message = format!("StatefulSet {key} is recreating terminated Pod {name}");
            self.recorder.event(self.client, set, EventType::Normal, "RecreatingTerminatedPod", message);
        }
        self.delete_pod(pod)
    }

    /// Puts identity and storage right.
    pub fn update_pod(&mut self, pod: &Pod) -> Result<(), Status> {
        let set = self.set;
        self.fix_claims(pod)?;
        if !identity::storage_matches(set, pod) {
            self.create_claims(pod)?;
        }
        if identity::identity_matches(set, pod) {
            return Ok(());
        }
        let mut changed = pod.clone();
        identity::set_identity(set, &mut changed);
        let result = self.client.update(changed);
        self.record_pod_event("Update", pod, result.as_ref().err());
        result.map(drop)
    }

    fn record_pod_event(&mut self, verb: &str, pod: &Pod, error: Option<&Status>) {
        let set = self.set;
        let (pod, name) = (pod.metadata.name.as_deref(), set.metadata.name.as_deref().unwrap_or_default());
        let pod = pod.unwrap_or_default();
        match error {
            None => {
                let message = format!("{verb} Pod {pod} in StatefulSet {name} successful");
                self.recorder.event(self.client, set, EventType::Normal, &format!("Successful{verb}"), message);
            }
            Some(error) => {
                let message = format!("{verb} Pod {pod} in StatefulSet {name} failed error: {error}");
                self.recorder.event(self.client, set, EventType::Warning, &format!("Failed{verb}"), message);
            }
        }
    }
}
