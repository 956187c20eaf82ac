//! One look at a Job: ended Pods are counted, the outcome is decided, and Pods come or go.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::time::{self, MINUTE, SECOND};
use api::types::{EnvVar, EnvVarSource, Job, JobSpec, JobStatus, ObjectFieldSelector, Pod};
use api::{PatchKind, SimTime, Status, meta};
use client::{Client, EventType, Recorder};
use serde_json::json;

use super::Memory;
use super::failures::{Verdict, judge};
use super::indexes::{self, INDEX, Indexes};
use super::status::{self, Outcome};
use crate::controller::Queue;
use crate::expectations::Expectations;
use crate::pod_control::{PodControl, pod_from_template};
use crate::pods;
use crate::replicaset::non_zero;

const FINALIZER: &str = "batch.kubernetes.io/job-tracking";
const FAILURE_COUNT: &str = "batch.kubernetes.io/job-index-failure-count";
/// The first wait before a failed Pod is replaced; it doubles with each failure.
const BACKOFF_FIRST: SimTime = 10 * SECOND;
const BACKOFF_MAX: SimTime = 10 * MINUTE;
/// Most Pods that one sync creates or deletes.
const BURST: usize = 500;

/// A Pod that its Job has not counted yet.
pub(super) fn is_tracked(pod: &Pod) -> bool {
    pod.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER)
}

pub(super) struct Sync<'a, 'c> {
    job: &'a Job,
    spec: JobSpec,
    key: &'a str,
    pods: Vec<Arc<Pod>>,
    memory: &'a mut Memory,
    client: &'a mut Client<'c>,
    recorder: &'a mut Recorder,
    expectations: &'a mut Expectations,
    queue: &'a mut Queue<String>,
    status: JobStatus,
    completed: Indexes,
    failed: Indexes,
}

impl<'a, 'c> Sync<'a, 'c> {
    #[expect(clippy::too_many_arguments, reason = "the parts of a sync, each borrowed from elsewhere")]
    pub fn new(
        job: &'a Job,
        key: &'a str,
        pods: Vec<Arc<Pod>>,
        memory: &'a mut Memory,
        client: &'a mut Client<'c>,
        recorder: &'a mut Recorder,
        expectations: &'a mut Expectations,
        queue: &'a mut Queue<String>,
    ) -> Sync<'a, 'c> {
        let status = job.status.clone().unwrap_or_default();
        let parsed = |text: &Option<String>| indexes::parse(text.as_deref().unwrap_or_default());
        let (completed, failed) = (parsed(&status.completed_indexes), parsed(&status.failed_indexes));
        let spec = job.spec.clone().unwrap_or_default();
        Sync { job, spec, key, pods, memory, client, recorder, expectations, queue, status, completed, failed }
    }

    pub fn run(mut self) -> Result<(), Status> {
        let now = self.client.now();
        let satisfied = self.expectations.satisfied(self.key, now);
        if self.status.start_time.is_none() && !self.is_suspended() {
            self.status.start_time = Some(time::stamp(now));
        }
        self.status.uncounted_terminated_pods.get_or_insert_default();
        let mut outcome = Outcome::of(self.job);
        let ended = self.ended();
        let verdict = self.count(&ended);
        outcome = outcome.or(verdict).or_else(|| self.decide());

        let active: Vec<Arc<Pod>> = self.pods.iter().filter(|pod| pods::is_active(pod)).cloned().collect();
        let (mut running, mut leaving) = (active.len(), 0);
        let mut result = Ok(());
        if outcome.is_some() {
            result = self.delete(&active, false);
            (running, leaving) = (0, active.len());
            if outcome.as_ref().is_some_and(|outcome| !outcome.is_success()) {
                self.count_deleted(&active);
            }
        } else if satisfied && !meta::is_being_deleted(&self.job.metadata) {
            match self.manage(&active) {
                Ok((now_running, gone)) => (running, leaving) = (now_running, gone),
                Err(status) => result = Err(status),
            }
            outcome = self.completion(running);
            if outcome.is_none() {
                self.tell_of_suspension();
            }
        }
        let ready = active.iter().filter(|pod| pods::is_ready(pod)).count();
        let terminating = self.pods.iter().filter(|pod| pods::is_terminating(pod)).count() + leaving;
        self.status.active = non_zero(running as i32);
        self.status.ready = Some(if leaving > 0 && running == 0 { 0 } else { ready.min(running) as i32 });
        self.status.terminating = Some(terminating as i32);
        if let Some(outcome) = &outcome {
            self.end(outcome, terminating == 0);
        }
        self.release(&ended);
        self.write()?;
        result
    }

    fn is_suspended(&self) -> bool {
        self.spec.suspend == Some(true)
    }

    fn is_indexed(&self) -> bool {
        self.spec.completion_mode.as_deref() == Some("Indexed")
    }

    fn replaces_failed_only(&self) -> bool {
        self.spec.pod_replacement_policy.as_deref() == Some("Failed")
    }

    /// Pods that are to be counted: over, or taken away before they were.
    fn ended(&self) -> Vec<Arc<Pod>> {
        let is_over = |pod: &Pod| {
            let deleted = meta::is_being_deleted(&pod.metadata) && !self.replaces_failed_only();
            pods::is_finished(pod) || deleted
        };
        let is_counted = |pod: &Pod| pod.metadata.uid.as_ref().is_some_and(|uid| self.memory.counted.contains(uid));
        self.pods.iter().filter(|pod| is_tracked(pod) && !is_counted(pod) && is_over(pod)).cloned().collect()
    }

    /// Adds ended Pods up. An outcome when the pod failure policy says so.
    fn count(&mut self, ended: &[Arc<Pod>]) -> Option<Outcome> {
        let mut outcome = None;
        for pod in ended {
            let index = indexes::of(pod).filter(|index| self.spec.completions.is_none_or(|count| *index < count));
            self.memory.counted.extend(pod.metadata.uid.clone());
            if pods::phase(pod) == "Succeeded" {
                if !self.is_indexed() {
                    *self.status.succeeded.get_or_insert(0) += 1;
                }
                self.completed.extend(index.filter(|_| self.is_indexed()));
                self.memory.failures = 0;
                continue;
            }
            let verdict = judge(self.job, pod);
            if let Verdict::FailJob(why) = &verdict {
                outcome = outcome.or(Some(Outcome::failure("PodFailurePolicy", why.clone())));
            }
            if verdict == Verdict::Ignore {
                continue;
            }
            *self.status.failed.get_or_insert(0) += 1;
            self.memory.failures += 1;
            self.memory.failed_at = self.client.now();
            if let (Some(limit), Some(index)) = (self.spec.backoff_limit_per_index, index)
                && (verdict == Verdict::FailIndex || failure_count(pod) >= limit)
            {
                self.failed.insert(index);
            }
        }
        if self.is_indexed() {
            self.status.succeeded = non_zero(self.completed.len() as i32);
            self.status.completed_indexes =
                Some(indexes::format(&self.completed)).filter(|indexes| !indexes.is_empty());
            if self.spec.backoff_limit_per_index.is_some() {
                self.status.failed_indexes = Some(indexes::format(&self.failed));
            }
        }
        outcome
    }

    /// Active Pods of a failed Job count as failures, and are let go of at once.
    fn count_deleted(&mut self, active: &[Arc<Pod>]) {
        if self.replaces_failed_only() {
            return;
        }
        let tracked: Vec<_> = active.iter().filter(|pod| is_tracked(pod)).cloned().collect();
        self.memory.counted.extend(tracked.iter().filter_map(|pod| pod.metadata.uid.clone()));
        self.status.failed = non_zero(self.status.failed.unwrap_or(0) + tracked.len() as i32);
        self.release(&tracked);
    }

    /// Whether too much has failed, or taken too long.
    fn decide(&mut self) -> Option<Outcome> {
        let limit = self.spec.backoff_limit.unwrap_or(6);
        let failed = self.status.failed.unwrap_or(0);
        if failed > limit || self.restarted_too_often(limit) {
            let message = "Job has reached the specified backoff limit";
            return Some(Outcome::failure("BackoffLimitExceeded", message));
        }
        if let (Some(deadline), Some(start), false) =
            (self.spec.active_deadline_seconds, &self.status.start_time, self.is_suspended())
        {
            let due = time::since_start(start) + deadline.max(0).unsigned_abs() * SECOND;
            if due <= self.client.now() {
                let message = "Job was active longer than specified deadline";
                return Some(Outcome::failure("DeadlineExceeded", message));
            }
            self.queue.add_at(self.key.to_owned(), due);
        }
        if !self.is_indexed() {
            return None;
        }
        let failed = self.failed.len() as i32;
        if self.spec.max_failed_indexes.is_some_and(|most| failed > most) {
            let message = "Job has exceeded the specified maximal number of failed indexes";
            return Some(Outcome::failure("MaxFailedIndexesExceeded", message));
        }
        if failed > 0 && failed + self.completed.len() as i32 >= self.spec.completions.unwrap_or(0) {
            return Some(Outcome::failure("FailedIndexes", "Job has failed indexes"));
        }
        self.success_rule().map(|rule| Outcome::success("SuccessPolicy", &format!("Matched rules at index {rule}")))
    }

    /// The first rule of the success policy that holds.
    fn success_rule(&self) -> Option<usize> {
        let rules = &self.spec.success_policy.as_ref()?.rules;
        rules.iter().position(|rule| {
            let wanted = rule.succeeded_indexes.as_deref().map(indexes::parse);
            let met =
                wanted.as_ref().map_or(self.completed.len(), |wanted| wanted.intersection(&self.completed).count());
            match (rule.succeeded_count, wanted) {
                (Some(count), _) => met as i32 >= count,
                (None, Some(wanted)) => met == wanted.len(),
                (None, None) => false,
            }
        })
    }

    /// Containers that are restarted in place count towards the limit too.
    fn restarted_too_often(&self, limit: i32) -> bool {
        let template = self.spec.template.spec.as_ref();
        if template.and_then(|spec| spec.restart_policy.as_deref()) != Some("OnFailure") {
            return false;
        }
        let alive = self.pods.iter().filter(|pod| matches!(pods::phase(pod), "Running" | "Pending"));
        let statuses = alive
            .filter_map(|pod| pod.status.as_ref())
            .flat_map(|status| status.container_statuses.iter().chain(&status.init_container_statuses).flatten());
        let restarts: i32 = statuses.map(|container| container.restart_count).sum();
        if limit == 0 { restarts > 0 } else { restarts >= limit }
    }

    /// Whether what was asked for is done.
    fn completion(&self, running: usize) -> Option<Outcome> {
        let succeeded = self.status.succeeded.unwrap_or(0);
        let is_done = match self.spec.completions {
            None => succeeded > 0 && running == 0,
            Some(wanted) => succeeded >= wanted && running == 0,
        };
        let message = "Reached expected number of succeeded pods";
        (is_done && !self.is_suspended()).then(|| Outcome::success("CompletionsReached", message))
    }

    /// Makes or removes Pods. How many are active then, and how many are on their way out.
    fn manage(&mut self, active: &[Arc<Pod>]) -> Result<(usize, usize), Status> {
        if self.is_suspended() {
            self.delete(active, true)?;
            return Ok((0, active.len()));
        }
        let parallelism = self.spec.parallelism.unwrap_or(1).max(0) as usize;
        let succeeded = self.status.succeeded.unwrap_or(0).max(0) as usize;
        let wanted = match self.spec.completions {
            None if succeeded > 0 => active.len(),
            None => parallelism,
            Some(completions) => (completions.max(0) as usize).saturating_sub(succeeded).min(parallelism),
        };
        let mut surplus = self.repeated(active);
        let rest = active.len() - surplus.len();
        if rest > wanted {
            let mut others: Vec<_> =
                active.iter().filter(|pod| !surplus.iter().any(|one| Arc::ptr_eq(one, pod))).collect();
            others.sort_by_key(|pod| (pods::is_ready(pod), pods::phase(pod) == "Running"));
            surplus.extend(others.into_iter().take(rest - wanted).cloned());
        }
        surplus.truncate(BURST);
        if !surplus.is_empty() {
            self.delete(&surplus, true)?;
            return Ok((active.len() - surplus.len(), surplus.len()));
        }
        let waiting_for = if self.replaces_failed_only() {
            self.pods.iter().filter(|pod| pods::is_terminating(pod)).count()
        } else {
            0
        };
        let missing = wanted.saturating_sub(active.len() + waiting_for).min(BURST);
        let created = self.create(missing, active)?;
        Ok((active.len() + created, 0))
    }

    /// Pods whose index is worked on twice, is done, or is none.
    fn repeated(&self, active: &[Arc<Pod>]) -> Vec<Arc<Pod>> {
        if !self.is_indexed() {
            return Vec::new();
        }
        let (mut seen, mut repeated) = (self.completed.clone(), Vec::new());
        for pod in active {
            let index = indexes::of(pod).filter(|index| self.spec.completions.is_none_or(|count| *index < count));
            if !index.is_some_and(|index| seen.insert(index)) {
                repeated.push(pod.clone());
            }
        }
        repeated
    }

    fn create(&mut self, count: usize, active: &[Arc<Pod>]) -> Result<usize, Status> {
        if count == 0 {
            return Ok(0);
        }
        if self.spec.backoff_limit_per_index.is_none() && self.memory.failures > 0 {
            let due = self.memory.failed_at + backoff(self.memory.failures);
            if due > self.client.now() {
                self.queue.add_at(self.key.to_owned(), due);
                return Ok(0);
            }
        }
        let wanted: Vec<Option<i32>> =
            if self.is_indexed() { self.pending_indexes(count, active) } else { vec![None; count] };
        let made: Vec<Pod> = wanted.iter().map(|index| self.new_pod(*index)).collect();
        self.expectations.expect_creations(self.key, made.len(), self.client.now());
        let mut control =
            PodControl { owner: self.job, key: self.key, recorder: self.recorder, expectations: self.expectations };
        let (successes, result) = control.create(self.client, made.len(), |index| made[index].clone());
        result.map(|()| successes)
    }

    /// The first indexes that nobody works on and that need no rest.
    fn pending_indexes(&mut self, count: usize, active: &[Arc<Pod>]) -> Vec<Option<i32>> {
        let taken: Indexes = active.iter().filter_map(|pod| indexes::of(pod)).collect();
        let resting = self.resting();
        let now = self.client.now();
        let mut pending = Vec::new();
        for index in 0..self.spec.completions.unwrap_or(0) {
            if pending.len() == count {
                break;
            }
            if taken.contains(&index) || self.completed.contains(&index) || self.failed.contains(&index) {
                continue;
            }
            match resting.get(&index) {
                Some(due) if *due > now => self.queue.add_at(self.key.to_owned(), *due),
                _ => pending.push(Some(index)),
            }
        }
        pending
    }

    /// When failed indexes may be tried again.
    fn resting(&self) -> BTreeMap<i32, SimTime> {
        let mut resting = BTreeMap::new();
        if self.spec.backoff_limit_per_index.is_some() {
            for pod in self.pods.iter().filter(|pod| pods::phase(pod) == "Failed") {
                if let Some(index) = indexes::of(pod) {
                    let due = ended_at(pod) + backoff(failure_count(pod).max(0).unsigned_abs() + 1);
                    let latest = resting.entry(index).or_insert(due);
                    *latest = (*latest).max(due);
                }
            }
        }
        resting
    }

    fn new_pod(&self, index: Option<i32>) -> Pod {
        let mut pod = pod_from_template(self.job, &self.spec.template);
        pod.metadata.finalizers.get_or_insert_default().push(FINALIZER.into());
        let Some(index) = index else { return pod };
        let name = self.job.metadata.name.as_deref().unwrap_or_default();
        pod.metadata.generate_name = Some(format!("{name}-{index}-"));
        meta::set_annotation(&mut pod.metadata, INDEX, index.to_string());
        meta::set_label(&mut pod.metadata, INDEX, index.to_string());
        if self.spec.backoff_limit_per_index.is_some() {
            let tries = self.pods.iter().filter(|pod| indexes::of(pod) == Some(index) && pods::phase(pod) == "Failed");
            let before = tries.map(|pod| failure_count(pod) + 1).max().unwrap_or(0);
            meta::set_annotation(&mut pod.metadata, FAILURE_COUNT, before.to_string());
        }
        let spec = pod.spec.get_or_insert_default();
        spec.hostname.get_or_insert_with(|| format!("{name}-{index}"));
        for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
            let variables = container.env.get_or_insert_default();
            if !variables.iter().any(|variable| variable.name == "JOB_COMPLETION_INDEX") {
                variables.push(index_variable());
            }
        }
        pod
    }

    /// Deletes Pods; `uncounted` ones are let go of first, so that nobody counts them.
    fn delete(&mut self, doomed: &[Arc<Pod>], uncounted: bool) -> Result<(), Status> {
        if doomed.is_empty() {
            return Ok(());
        }
        let keys = doomed.iter().map(|pod| meta::key(&pod.metadata));
        self.expectations.expect_deletions(self.key, keys, self.client.now());
        if uncounted {
            self.memory.counted.extend(doomed.iter().filter_map(|pod| pod.metadata.uid.clone()));
            self.release(doomed);
        }
        let mut control =
            PodControl { owner: self.job, key: self.key, recorder: self.recorder, expectations: self.expectations };
        control.delete(self.client, doomed)
    }

    /// Lets go of Pods.
    fn release(&mut self, pods: &[Arc<Pod>]) {
        self.client.in_parallel(|client| {
            for pod in pods.iter().filter(|pod| is_tracked(pod)) {
                if let Err(status) = release(client, pod) {
                    client.note("keeps its finalizer", status.message);
                }
            }
        });
    }

    fn tell_of_suspension(&mut self) {
        let now = self.client.now();
        let (suspended, reason, message) = match self.is_suspended() {
            true => (true, "JobSuspended", "Job suspended"),
            false => (false, "JobResumed", "Job resumed"),
        };
        if !status::set(&mut self.status, "Suspended", suspended, reason, message, now) {
            return;
        }
        if suspended {
            self.status.start_time = None;
        } else {
            self.status.start_time = Some(time::stamp(now));
        }
        let reason = if suspended { "Suspended" } else { "Resumed" };
        self.recorder.event(self.client, self.job, EventType::Normal, reason, message);
    }

    /// Writes down how the Job ends, in two steps while Pods are on their way out.
    fn end(&mut self, outcome: &Outcome, is_over: bool) {
        let now = self.client.now();
        let Outcome { interim, reason, message } = outcome;
        status::set(&mut self.status, interim, true, reason, message, now);
        if !is_over {
            return;
        }
        status::set(&mut self.status, outcome.last(), true, reason, message, now);
        if outcome.is_success() {
            self.status.completion_time = Some(time::stamp(now));
            self.recorder.event(self.client, self.job, EventType::Normal, "Completed", "Job completed");
        } else {
            self.recorder.event(self.client, self.job, EventType::Warning, reason, message.clone());
        }
        self.status.start_time.get_or_insert_with(|| time::stamp(now));
    }

    fn write(self) -> Result<(), Status> {
        if self.job.status.as_ref() == Some(&self.status) {
            return Ok(());
        }
        let written = self.client.update_status(Job { status: Some(self.status), ..self.job.clone() })?;
        self.memory.written = meta::revision(&written.metadata);
        Ok(())
    }
}

/// Takes the finalizer from a Pod.
pub(super) fn release(client: &mut Client, pod: &Pod) -> Result<(), Status> {
    let patch = json!({ "metadata": { "$deleteFromPrimitiveList/finalizers": [FINALIZER] } });
    let (namespace, name) = (pod.metadata.namespace.as_deref(), pod.metadata.name.as_deref());
    let (namespace, name) = (namespace.unwrap_or_default(), name.unwrap_or_default());
    match client.patch::<Pod>(namespace, name, PatchKind::StrategicMerge, patch) {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(()),
    }
}

fn failure_count(pod: &Pod) -> i32 {
    meta::annotation(&pod.metadata, FAILURE_COUNT).and_then(|count| count.parse().ok()).unwrap_or(0)
}

fn backoff(failures: u32) -> SimTime {
    BACKOFF_FIRST.saturating_mul(1 << (failures.saturating_sub(1)).min(16)).min(BACKOFF_MAX)
}

/// When the last container of a Pod ended.
fn ended_at(pod: &Pod) -> SimTime {
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let ends = statuses.filter_map(|container| container.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref());
    ends.map(time::since_start).max().unwrap_or_default()
}

fn index_variable() -> EnvVar {
    let field = ObjectFieldSelector { api_version: None, field_path: format!("metadata.labels['{INDEX}']") };
    EnvVar {
        name: "JOB_COMPLETION_INDEX".into(),
        value_from: Some(EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() }),
        ..EnvVar::default()
    }
}
