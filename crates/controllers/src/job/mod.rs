//! The Job controller: Pods that run to their end, as often as asked.
//!
//! Differences: a Pod is counted and let go of in one sync, without passing through `status.uncountedTerminatedPods`.

mod failures;
mod indexes;
mod orphans;
mod status;
mod sync;
mod ttl;

use std::collections::{BTreeMap, BTreeSet};

use api::selector::Selector;
use api::types::Job;
use api::{SimTime, Status, meta};
use client::{Client, Recorder};

use crate::caches::{Caches, Seen};
use crate::claim::claim;
use crate::controller::{Event, Queue, Reconciler};
use crate::expectations::Expectations;
use crate::owners::{controller_key, dependent_changed};
use crate::replicaset;
pub use orphans::OrphanedPodsController;
use sync::Sync;
pub use ttl::TtlAfterFinishedController;

#[derive(Clone)]
pub struct JobController {
    recorder: Recorder,
    expectations: Expectations,
    memory: BTreeMap<String, Memory>,
}

/// What the controller knows of a Job beyond its caches.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    /// Pods that have been counted, by uid, while the cache still shows their finalizer.
    counted: BTreeSet<String>,
    /// Failures since the last success, and when the last one was.
    failures: u32,
    failed_at: SimTime,
    /// The revision of the status that was written last. As long as the cache has an older one, it still shows counted
    /// Pods as missing, and looking at it would replace them.
    written: u64,
}

impl Default for JobController {
    fn default() -> Self {
        JobController {
            recorder: Recorder::new("job-controller", ""),
            expectations: Expectations::default(),
            memory: BTreeMap::new(),
        }
    }
}

impl Reconciler for JobController {
    type Key = String;
    const NAME: &'static str = "job-controller";
    const KIND: &'static str = "Job";
    const WORKERS: usize = 5;

    fn observe(&mut self, event: &Event, caches: &Caches, queue: &mut Queue<String>) {
        match &event.seen {
            Seen::Job(old, new) => {
                if let Some(job) = new.as_ref().or(old.as_ref()) {
                    queue.add(meta::key(&job.metadata));
                }
            }
            Seen::Pod(old, new) => {
                if let Some(pod) = new.as_ref().or(old.as_ref())
                    && let Some(key) = controller_key(&caches.jobs, &pod.metadata)
                {
                    self.expectations.pod_observed(&key, old.as_ref(), new.as_ref());
                    if (new.is_none() || !sync::is_tracked(pod))
                        && let (Some(memory), Some(uid)) = (self.memory.get_mut(&key), &pod.metadata.uid)
                    {
                        memory.counted.remove(uid);
                    }
                }
                dependent_changed(old.as_ref(), new.as_ref(), &caches.jobs, selector_of, queue);
            }
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
        let Some(job) = caches.jobs.get(key).cloned() else {
            self.expectations.forget(key);
            self.memory.remove(key);
            return Ok(());
        };
        let Some(selector) = selector_of(&job) else { return Ok(()) };
        if self.memory.get(key).is_some_and(|memory| meta::revision(&job.metadata) < memory.written) {
            // The event of that write brings the Job back.
            return Ok(());
        }
        if finish(&job).is_some() {
            self.memory.remove(key);
            return Ok(());
        }
        let candidates = replicaset::candidates(&job.metadata, caches).cloned().collect();
        let pods = claim(client, &*job, &selector, candidates)?;
        let memory = self.memory.entry(key.clone()).or_default();
        let (recorder, expectations) = (&mut self.recorder, &mut self.expectations);
        Sync::new(&job, key, pods, memory, client, recorder, expectations, queue).run()
    }
}

fn selector_of(job: &Job) -> Option<Selector> {
    job.spec.as_ref()?.selector.as_ref().map(|selector| Selector::from_label_selector(Some(selector)))
}

/// The condition with which a Job has ended.
pub(crate) fn finish(job: &Job) -> Option<&api::types::JobCondition> {
    let mut conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.find(|condition| matches!(condition.type_.as_str(), "Complete" | "Failed") && condition.status == "True")
}
