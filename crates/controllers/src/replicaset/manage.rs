//! Creating what is missing and deleting what is too much.

use std::sync::Arc;

use api::types::Pod;
use api::{Status, meta};
use client::Client;

use super::{ReplicaSetController, Replicated, ranking};
use crate::caches::{BY_CONTROLLER, Caches, PODS_BY_CONTROLLER};
use crate::pod_control::{PodControl, pod_from_template};

/// Most Pods that one sync creates or deletes.
const BURST_REPLICAS: usize = 500;

impl<R: Replicated> ReplicaSetController<R> {
    pub(super) fn manage_replicas(
        &mut self,
        key: &str,
        replica_set: &R,
        active: &[Arc<Pod>],
        caches: &Caches,
        client: &mut Client,
    ) -> Result<(), Status> {
        let wanted = wanted_replicas(replica_set);
        if active.len() < wanted {
            self.create_pods(key, replica_set, (wanted - active.len()).min(BURST_REPLICAS), client)
        } else if active.len() > wanted {
            let count = (active.len() - wanted).min(BURST_REPLICAS);
            let related = related_pods(replica_set, caches);
            let doomed = ranking::pods_to_delete(active, &related, count, client.now());
            self.delete_pods(key, replica_set, &doomed, client)
        } else {
            Ok(())
        }
    }

    fn create_pods(&mut self, key: &str, replica_set: &R, count: usize, client: &mut Client) -> Result<(), Status> {
        let Some(template) = replica_set.template() else { return Ok(()) };
        self.expectations.expect_creations(key, count, client.now());
        self.control(key, replica_set).create(client, count, |_| pod_from_template(replica_set, template)).1
    }

    fn delete_pods(
        &mut self,
        key: &str,
        replica_set: &R,
        doomed: &[Arc<Pod>],
        client: &mut Client,
    ) -> Result<(), Status> {
        let keys = doomed.iter().map(|pod| meta::key(&pod.metadata));
        self.expectations.expect_deletions(key, keys, client.now());
        self.control(key, replica_set).delete(client, doomed)
    }

    fn control<'a>(&'a mut self, key: &'a str, owner: &'a R) -> PodControl<'a, R> {
        PodControl { owner, key, recorder: &mut self.recorder, expectations: &mut self.expectations }
    }
}

pub(super) fn wanted_replicas<R: Replicated>(replica_set: &R) -> usize {
    replica_set.replicas().unwrap_or(1).max(0) as usize
}

/// The Pods of all ReplicaSets of the same Deployment: where many of them share a node, one may go.
fn related_pods<R: Replicated>(replica_set: &R, caches: &Caches) -> Vec<Arc<Pod>> {
    match meta::controller_of(replica_set.metadata()) {
        Some(owner) => {
            let siblings = caches.replica_sets.indexed(BY_CONTROLLER, &owner.uid);
            siblings.flat_map(|sibling| owned_pods(&**sibling, caches)).collect()
        }
        None => owned_pods(replica_set, caches),
    }
}

fn owned_pods<R: Replicated>(owner: &R, caches: &Caches) -> Vec<Arc<Pod>> {
    let Some(selector) = owner.selector() else { return Vec::new() };
    let owned = caches.pods.indexed(PODS_BY_CONTROLLER, owner.metadata().uid.as_deref().unwrap_or_default());
    owned.filter(|pod| selector.matches(meta::labels(&pod.metadata))).cloned().collect()
}
