//! The Deployment controller: rolls ReplicaSets up and down.

mod conditions;
mod fenceposts;
mod new_replica_set;
mod progress;
mod recreate;
mod revision;
mod rolling;
mod scaling;
mod sync;

use std::sync::Arc;

use api::selector::Selector;
use api::types::{Deployment, Pod, ReplicaSet};
use api::{Status, meta};
use client::{Client, EventType, Recorder};

use crate::caches::{BY_CONTROLLER, Caches, PODS_BY_CONTROLLER, Seen, orphans_of};
use crate::claim::claim;
use crate::controller::{Event, Queue, Reconciler};
use crate::owners::{controller_key, dependent_changed};
pub(crate) use fenceposts::scaled;
use sync::Sync;

#[derive(Clone)]
pub struct DeploymentController {
    recorder: Recorder,
}

impl Default for DeploymentController {
    fn default() -> Self {
        DeploymentController { recorder: Recorder::new("deployment-controller", "") }
    }
}

impl Reconciler for DeploymentController {
    type Key = String;
    const NAME: &'static str = "deployment-controller";
    const KIND: &'static str = "Deployment";
    const WORKERS: usize = 5;

    fn observe(&mut self, event: &Event, caches: &Caches, queue: &mut Queue<String>) {
        match &event.seen {
            Seen::Deployment(old, new) => {
                if let Some(deployment) = new.as_ref().or(old.as_ref()) {
                    queue.add(meta::key(&deployment.metadata));
                }
            }
            Seen::ReplicaSet(old, new) => {
                dependent_changed(old.as_ref(), new.as_ref(), &caches.deployments, selector_of, queue);
            }
            Seen::Pod(Some(pod), None) => pod_deleted(pod, caches, queue),
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        let Some(cached) = caches.deployments.get(key) else { return Ok(()) };
        let Some(spec) = &cached.spec else { return Ok(()) };
        let selector = Selector::from_label_selector(Some(&spec.selector));
        let deployment = (**cached).clone();
        if selector.is_everything() {
            let message = "This deployment is selecting all pods. A non-empty selector is required.";
            self.recorder.event(client, &deployment, EventType::Warning, "SelectingAll", message);
            return Ok(());
        }
        let orphans = orphans_of(cached.metadata.namespace.as_deref().unwrap_or_default());
        let owned = caches.replica_sets.indexed(BY_CONTROLLER, cached.metadata.uid.as_deref().unwrap_or_default());
        let candidates = owned.chain(caches.replica_sets.indexed(BY_CONTROLLER, &orphans)).cloned().collect();
        let mut replica_sets = claim(client, &deployment, &selector, candidates)?;
        replica_sets.sort_by(|left, right| left.metadata.name.cmp(&right.metadata.name));
        Sync { deployment, client, recorder: &mut self.recorder, queue, key, caches }.run(&replica_sets)
    }
}

fn selector_of(deployment: &Deployment) -> Option<Selector> {
    deployment.spec.as_ref().map(|spec| Selector::from_label_selector(Some(&spec.selector)))
}

/// Recreate waits for the last old Pod to be gone.
fn pod_deleted(pod: &Pod, caches: &Caches, queue: &mut Queue<String>) {
    let Some(owner) = meta::controller_of(&pod.metadata).filter(|owner| owner.kind == "ReplicaSet") else { return };
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let Some(replica_set) = caches.replica_sets.find(namespace, &owner.name) else { return };
    let Some(key) = controller_key(&caches.deployments, &replica_set.metadata) else { return };
    let strategy = caches.deployments.get(&key).and_then(|deployment| deployment.spec.as_ref()?.strategy.as_ref());
    if strategy.is_none_or(|strategy| strategy.type_.as_deref() != Some("Recreate")) {
        return;
    }
    let Some(uid) = meta::controller_of(&replica_set.metadata).map(|owner| owner.uid.as_str()) else { return };
    let mut replica_sets = caches.replica_sets.indexed(BY_CONTROLLER, uid);
    if replica_sets.all(|replica_set| pods_of(replica_set, caches).next().is_none()) {
        queue.add(key);
    }
}

fn pods_of<'a>(replica_set: &ReplicaSet, caches: &'a Caches) -> impl Iterator<Item = &'a Arc<Pod>> {
    caches.pods.indexed(PODS_BY_CONTROLLER, replica_set.metadata.uid.as_deref().unwrap_or_default())
}

/// `spec.replicas`
fn replicas_of(replica_set: &ReplicaSet) -> i32 {
    replica_set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

/// `status.replicas`
fn actual_of(replica_set: &ReplicaSet) -> i32 {
    replica_set.status.as_ref().map(|status| status.replicas).unwrap_or_default()
}

fn available_of(replica_set: &ReplicaSet) -> i32 {
    replica_set.status.as_ref().and_then(|status| status.available_replicas).unwrap_or_default()
}

fn name_of(replica_set: &ReplicaSet) -> &str {
    replica_set.metadata.name.as_deref().unwrap_or_default()
}
