//! The CronJob controller: a Job whenever the schedule says so.
//!
//! Differences: times are UTC whatever the time zone.

use std::sync::Arc;

use api::cron::Schedule;
use api::time::{self, EPOCH_SECONDS, MILLISECOND, SECOND};
use api::types::{CronJob, Job, ObjectMeta};
use api::{Propagation, SimTime, Status, meta};
use client::{Client, DeleteOptions, EventType, Recorder, reference_to};

use crate::caches::{BY_CONTROLLER, Caches, Seen};
use crate::controller::{Event, Queue, Reconciler};
use crate::job::finish;
use crate::owners::controller_key;

const SCHEDULED_AT: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/// Upstream adds it so that clocks that differ a little see the time as reached.
const SLACK: SimTime = 100 * MILLISECOND;

#[derive(Clone)]
pub struct CronJobController {
    recorder: Recorder,
}

impl Default for CronJobController {
    fn default() -> Self {
        CronJobController { recorder: Recorder::new("cronjob-controller", "") }
    }
}

impl Reconciler for CronJobController {
    type Key = String;
    const NAME: &'static str = "cronjob-controller";
    const KIND: &'static str = "CronJob";
    const WORKERS: usize = 5;

    fn observe(&mut self, event: &Event, caches: &Caches, queue: &mut Queue<String>) {
        match &event.seen {
            Seen::CronJob(old, new) => {
                if let Some(cron) = new.as_ref().or(old.as_ref()) {
                    queue.add(meta::key(&cron.metadata));
                }
            }
            Seen::Job(old, new) => {
                let job = new.as_ref().or(old.as_ref());
                if let Some(key) = job.and_then(|job| controller_key(&caches.cron_jobs, &job.metadata)) {
                    queue.add(key);
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
        queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        let Some(cron) = caches.cron_jobs.get(key).cloned() else { return Ok(()) };
        let uid = cron.metadata.uid.as_deref().unwrap_or_default();
        let jobs: Vec<Arc<Job>> = caches.jobs.indexed(BY_CONTROLLER, uid).cloned().collect();
        let mut new = (*cron).clone();
        let mut sync = Sync { cron: &cron, new: &mut new, jobs, client, recorder: &mut self.recorder };
        sync.clear_active();
        sync.clean_history()?;
        let next = sync.start_due();
        if new.status != cron.status {
            client.update_status(new)?;
        }
        if let Some(next) = next? {
            queue.add_at(key.clone(), next + SLACK);
        }
        Ok(())
    }
}

struct Sync<'a, 'c> {
    cron: &'a CronJob,
    /// With the status as it is to be.
    new: &'a mut CronJob,
    jobs: Vec<Arc<Job>>,
    client: &'a mut Client<'c>,
    recorder: &'a mut Recorder,
}

impl Sync<'_, '_> {
    fn event(&mut self, kind: EventType, reason: &str, message: String) {
        self.recorder.event(self.client, self.cron, kind, reason, message);
    }

    fn active(&self) -> usize {
        self.new.status.as_ref().and_then(|status| status.active.as_ref()).map_or(0, Vec::len)
    }

    /// Jobs that have ended, or are gone, are not active any more.
    fn clear_active(&mut self) {
        let active = self.new.status.get_or_insert_default().active.take().unwrap_or_default();
        let mut left = Vec::new();
        for reference in active {
            let job = self.jobs.iter().find(|job| job.metadata.uid == reference.uid).cloned();
            let name = reference.name.clone().unwrap_or_default();
            match job.as_ref().map(|job| finish(job)) {
                Some(None) => left.push(reference),
                Some(Some(condition)) => {
                    let message = format!("Saw completed job: {name}, condition: {}", condition.type_);
                    self.event(EventType::Normal, "SawCompletedJob", message);
                }
                None => {
                    let message = format!("Active job went missing: {name}");
                    self.event(EventType::Normal, "MissingJob", message);
                }
            }
        }
        let ends = self.jobs.iter().filter(|job| finish(job).is_some_and(|condition| condition.type_ == "Complete"));
        let last = ends.filter_map(|job| job.status.as_ref()?.completion_time.clone()).max();
        let status = self.new.status.get_or_insert_default();
        status.active = Some(left).filter(|left| !left.is_empty());
        if last > status.last_successful_time {
            status.last_successful_time = last;
        }
    }

    /// Deletes the oldest ended Jobs beyond the history limits.
    fn clean_history(&mut self) -> Result<(), Status> {
        let spec = &self.cron.spec;
        let limits = [("Complete", spec.successful_jobs_history_limit), ("Failed", spec.failed_jobs_history_limit)];
        for (type_, limit) in limits {
            let Some(limit) = limit else { continue };
            let ended = |job: &&Arc<Job>| finish(job).is_some_and(|condition| condition.type_ == type_);
            let mut ended: Vec<Arc<Job>> = self.jobs.iter().filter(ended).cloned().collect();
            ended.sort_by_key(|job| {
                let start = job.status.as_ref().and_then(|status| status.start_time.clone());
                (start, job.metadata.name.clone())
            });
            let surplus = ended.len().saturating_sub(limit.max(0) as usize);
            for job in &ended[..surplus] {
                self.delete(job)?;
            }
        }
        Ok(())
    }

    fn delete(&mut self, job: &Job) -> Result<(), Status> {
        let (namespace, name) = (job.metadata.namespace.as_deref(), job.metadata.name.as_deref());
        let (namespace, name) = (namespace.unwrap_or_default(), name.unwrap_or_default());
        let options = DeleteOptions { propagation: Some(Propagation::Background), ..DeleteOptions::default() };
        match self.client.delete::<Job>(namespace, name, options) {
            Err(status) if !status.is_not_found() => {
                let message = format!("Deleted job: {status}");
                self.event(EventType::Warning, "FailedDelete", message);
                Err(status)
            }
            _ => {
                self.event(EventType::Normal, "SuccessfulDelete", format!("Deleted job {name}"));
                Ok(())
            }
        }
    }

    /// Starts the Job that is due. When to look again.
    fn start_due(&mut self) -> Result<Option<SimTime>, Status> {
        let cron = self.cron;
        if meta::is_being_deleted(&cron.metadata) || cron.spec.suspend == Some(true) {
            return Ok(None);
        }
        let schedule = match Schedule::parse(&cron.spec.schedule) {
            Ok(schedule) => schedule,
            Err(why) => {
                let message = format!("unparseable schedule: {:?} : {why}", cron.spec.schedule);
                self.event(EventType::Warning, "UnparseableSchedule", message);
                return Ok(None);
            }
        };
        let now = self.client.now();
        let next = schedule.next(unix(now)).and_then(since_start);
        let Some(due) = self.last_missed(&schedule, now) else { return Ok(next) };
        if cron.spec.starting_deadline_seconds.is_some_and(|seconds| due + seconds < unix(now)) {
            let at = since_start(due).map(|due| time::stamp(due).0.to_string()).unwrap_or_default();
            self.event(EventType::Warning, "MissSchedule", format!("Missed scheduled time to start a job: {at}"));
            return Ok(next);
        }
        let wanted = self.job_for(due);
        let is_there = |job: &Arc<Job>| job.metadata.name == wanted.metadata.name;
        if self.jobs.iter().any(is_there) {
            return Ok(next);
        }
        match cron.spec.concurrency_policy.as_deref() {
            Some("Forbid") if self.active() > 0 => {
                let message =
                    "Not starting job because prior execution is running and concurrency policy is Forbid".into();
                self.event(EventType::Normal, "JobAlreadyActive", message);
                return Ok(next);
            }
            Some("Replace") => {
                let active = self.new.status.get_or_insert_default().active.take().unwrap_or_default();
                for reference in active {
                    let job = self.jobs.iter().find(|job| job.metadata.uid == reference.uid).cloned();
                    if let Some(job) = job {
                        self.delete(&job)?;
                    }
                }
            }
            _ => {}
        }
        self.start(wanted, due)?;
        Ok(next)
    }

    fn start(&mut self, wanted: Job, due: i64) -> Result<(), Status> {
        let job = match self.client.create(wanted) {
            Ok(job) => job,
            // Made by an earlier sync that could not write so.
            Err(status) if status.is_already_exists() => return Ok(()),
            Err(status) => {
                self.event(EventType::Warning, "FailedCreate", format!("Error creating job: {status}"));
                return Err(status);
            }
        };
        let name = job.metadata.name.clone().unwrap_or_default();
        self.event(EventType::Normal, "SuccessfulCreate", format!("Created job {name}"));
        let status = self.new.status.get_or_insert_default();
        status.active.get_or_insert_default().push(reference_to(&*job));
        status.last_schedule_time = since_start(due).map(time::stamp);
        Ok(())
    }

    /// The latest time since the last one at which a Job should have started.
    fn last_missed(&self, schedule: &Schedule, now: SimTime) -> Option<i64> {
        let last = self.cron.status.as_ref().and_then(|status| status.last_schedule_time.as_ref());
        let created = self.cron.metadata.creation_timestamp.as_ref();
        let mut since = unix(time::since_start(last.or(created)?));
        if let Some(deadline) = self.cron.spec.starting_deadline_seconds {
            since = since.max(unix(now) - deadline);
        }
        let (mut due, mut at) = (None, since);
        while let Some(next) = schedule.next(at).filter(|next| *next <= unix(now)) {
            due = Some(next);
            at = next;
        }
        due
    }

    /// The Job for a time, named after it: nobody can start it twice.
    fn job_for(&self, due: i64) -> Job {
        let template = &self.cron.spec.job_template;
        let wanted = template.metadata.as_ref();
        let name = self.cron.metadata.name.as_deref().unwrap_or_default();
        let mut metadata = ObjectMeta {
            name: Some(format!("{name}-{}", due / 60)),
            namespace: self.cron.metadata.namespace.clone(),
            labels: wanted.and_then(|meta| meta.labels.clone()),
            annotations: wanted.and_then(|meta| meta.annotations.clone()),
            owner_references: Some(vec![meta::controller_reference(self.cron)]),
            ..ObjectMeta::default()
        };
        if let Some(due) = since_start(due) {
            meta::set_annotation(&mut metadata, SCHEDULED_AT, time::stamp(due).0.to_string());
        }
        Job { metadata, spec: template.spec.clone(), status: None }
    }
}

/// Seconds since 1970.
fn unix(now: SimTime) -> i64 {
    EPOCH_SECONDS + (now / SECOND) as i64
}

fn since_start(unix: i64) -> Option<SimTime> {
    u64::try_from(unix - EPOCH_SECONDS).ok().map(|seconds| seconds * SECOND)
}
