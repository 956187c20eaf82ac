//! The TTL-after-finished controller: Jobs that have ended go after a while.

use api::time::{SECOND, since_start};
use api::types::Job;
use api::{Propagation, Status, meta};
use client::{Client, DeleteOptions};

use super::finish;
use crate::caches::{Caches, Seen};
use crate::controller::{Event, Queue, Reconciler};

#[derive(Clone, Default)]
pub struct TtlAfterFinishedController;

impl Reconciler for TtlAfterFinishedController {
    type Key = String;
    const NAME: &'static str = "ttl-after-finished-controller";
    const KIND: &'static str = "Job";
    const WORKERS: usize = 5;

    fn observe(&mut self, event: &Event, _: &Caches, queue: &mut Queue<String>) {
        if let Seen::Job(_, Some(job)) = &event.seen
            && job.spec.as_ref().is_some_and(|spec| spec.ttl_seconds_after_finished.is_some())
            && finish(job).is_some()
        {
            queue.add(meta::key(&job.metadata));
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        let Some(job) = caches.jobs.get(key) else { return Ok(()) };
        let ttl = job.spec.as_ref().and_then(|spec| spec.ttl_seconds_after_finished);
        let ended = finish(job).and_then(|condition| condition.last_transition_time.as_ref());
        let (Some(ttl), Some(ended)) = (ttl, ended) else { return Ok(()) };
        let due = since_start(ended) + u64::from(ttl.max(0).unsigned_abs()) * SECOND;
        if due > client.now() {
            queue.add_at(key.clone(), due);
            return Ok(());
        }
        let (namespace, name) = meta::split_key(key);
        let options = DeleteOptions {
            propagation: Some(Propagation::Foreground),
            uid: job.metadata.uid.clone(),
            ..DeleteOptions::default()
        };
        match client.delete::<Job>(namespace, name, options) {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(()),
        }
    }
}
