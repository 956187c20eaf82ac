//! Pods that their Job can count no more, because it is gone: they are let go of.

use api::types::{Job, Pod};
use api::{Status, meta};
use client::Client;

use super::sync::{is_tracked, release};
use crate::caches::{Caches, PODS_BY_CONTROLLER, Seen};
use crate::controller::{Event, Queue, Reconciler};
use crate::owners::controller_key;

#[derive(Clone, Default)]
pub struct OrphanedPodsController;

impl Reconciler for OrphanedPodsController {
    type Key = String;
    const NAME: &'static str = "job-controller";
    const KIND: &'static str = "Pod";

    fn observe(&mut self, event: &Event, caches: &Caches, queue: &mut Queue<String>) {
        match &event.seen {
            Seen::Pod(_, Some(pod)) if is_tracked(pod) && controller_key(&caches.jobs, &pod.metadata).is_none() => {
                queue.add(meta::key(&pod.metadata));
            }
            Seen::Job(Some(job), None) => {
                let uid = job.metadata.uid.as_deref().unwrap_or_default();
                for pod in caches.pods.indexed(PODS_BY_CONTROLLER, uid).filter(|pod| is_tracked(pod)) {
                    queue.add(meta::key(&pod.metadata));
                }
            }
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        caches: &Caches,
        client: &mut Client,
        _: &mut Queue<String>,
    ) -> Result<(), Status> {
        let Some(pod) = caches.pods.get(key).filter(|pod| is_tracked(pod)) else { return Ok(()) };
        if has_job(client, pod)? { Ok(()) } else { release(client, pod) }
    }
}

/// Asks the API server: the caches may have heard of the Pod before they hear of its Job.
fn has_job(client: &mut Client, pod: &Pod) -> Result<bool, Status> {
    let Some(owner) = meta::controller_of(&pod.metadata).filter(|owner| owner.kind == "Job") else { return Ok(false) };
    match client.get::<Job>(pod.metadata.namespace.as_deref().unwrap_or_default(), &owner.name) {
        Ok(job) => Ok(job.metadata.uid.as_ref() == Some(&owner.uid)),
        Err(status) if status.is_not_found() => Ok(false),
        Err(status) => Err(status),
    }
}
