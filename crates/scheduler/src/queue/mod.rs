//! The scheduling queue: Pods that are ready for an attempt, that back off, and that wait for an event.
//!
//! Upstream also records the events that fall into a running attempt. An attempt is one piece of work here, into which no
//! event can fall.

mod backoff;

use std::collections::BTreeSet;
use std::sync::Arc;

use api::time::{MINUTE, SECOND};
use api::{CauseId, SimTime};
use rustc_hash::FxHashMap;

use crate::Config;
use crate::cache::PodInfo;
use crate::framework::{ClusterEvent, Handle, PluginName, PluginSet, hints, pre_enqueue};
use backoff::BackoffQueue;

/// A Pod that waits to be scheduled, and its history.
#[derive(Clone, Debug)]
pub struct QueuedPod {
    pub info: Arc<PodInfo>,
    /// When it came into the queue last.
    timestamp: SimTime,
    /// Orders Pods of one timestamp.
    sequence: u64,
    pub attempts: u32,
    /// Attempts that found no place, and failures in a row: each makes the backoff longer.
    unschedulable_count: u32,
    consecutive_errors: u32,
    pub unschedulable_plugins: PluginSet,
    gated_by: Option<PluginName>,
    pub cause: CauseId,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Active,
    Backoff,
    Unschedulable,
    Gated,
}

/// Upstream's PrioritySort: the higher priority first, then the one that has waited longer.
type ActiveKey = (std::cmp::Reverse<i32>, SimTime, u64, Arc<str>);

type WaitingKey = (SimTime, u64, Arc<str>);

#[derive(Clone, Debug)]
pub struct SchedulingQueue {
    initial_backoff: SimTime,
    max_backoff: SimTime,
    /// By uid.
    pods: FxHashMap<Arc<str>, QueuedPod>,
    active: BTreeSet<ActiveKey>,
    backoff: BackoffQueue,
    /// In order of the time from which they wait.
    unschedulable: BTreeSet<WaitingKey>,
    /// Held back by a PreEnqueue plugin: only a change of the Pod itself frees one.
    gated: BTreeSet<WaitingKey>,
    sequence: u64,
    next_leftover_flush: SimTime,
}

/// Waiting Pods are retried after this time even without an event.
const UNSCHEDULABLE_MAX: SimTime = 5 * MINUTE;
const LEFTOVER_FLUSH_PERIOD: SimTime = 30 * SECOND;

/// What the page shows of the queue: keys of Pods in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueStatus {
    pub active: Vec<Arc<str>>,
    pub backoff: Vec<Arc<str>>,
    pub unschedulable: Vec<Arc<str>>,
    pub gated: Vec<Arc<str>>,
    /// Pods whose binding waits for their volumes.
    pub binding: Vec<Arc<str>>,
}

impl SchedulingQueue {
    pub fn new(config: &Config) -> SchedulingQueue {
        SchedulingQueue {
            initial_backoff: config.pod_initial_backoff,
            max_backoff: config.pod_max_backoff,
            pods: FxHashMap::default(),
            active: BTreeSet::new(),
            backoff: BackoffQueue::default(),
            unschedulable: BTreeSet::new(),
            gated: BTreeSet::new(),
            sequence: 0,
            next_leftover_flush: LEFTOVER_FLUSH_PERIOD,
        }
    }

    pub fn get(&self, uid: &str) -> Option<&Arc<PodInfo>> {
        self.pods.get(uid).map(|pod| &pod.info)
    }

    /// Takes in a new Pod.
    pub fn add(&mut self, info: Arc<PodInfo>, now: SimTime, cause: CauseId) {
        let pod = QueuedPod {
            timestamp: now,
            sequence: self.next_sequence(),
            attempts: 0,
            unschedulable_count: 0,
            consecutive_errors: 0,
            unschedulable_plugins: PluginSet::default(),
            gated_by: None,
            cause,
            place: Place::Active,
            info,
        };
        self.put_active(pod);
    }

    /// Takes in a change of a waiting Pod.
    pub fn update(&mut self, handle: Handle, info: Arc<PodInfo>, now: SimTime, cause: CauseId) {
        let Some(mut pod) = self.take(&info.uid) else {
            self.add(info, now, cause);
            return;
        };
        let old = std::mem::replace(&mut pod.info, info.clone());
        match pod.place {
            Place::Active => self.put_active(pod),
            Place::Backoff => self.put_backoff(pod),
            Place::Unschedulable | Place::Gated => {
                let event = ClusterEvent::UnscheduledPodUpdated { old, new: info };
                if concerns_scheduling(&event) && helps(handle, &pod, &event) {
                    pod.cause = cause;
                    self.requeue(pod, now);
                } else if pod.place == Place::Gated {
                    self.put_gated(pod);
                } else {
                    self.put_unschedulable(pod);
                }
            }
        }
    }

    pub fn delete(&mut self, uid: &str) -> Option<Arc<PodInfo>> {
        self.take(uid).map(|pod| pod.info)
    }

    /// The next Pod to try. One that backs off may go early when nothing else is ready, unless it backs off from an
    /// error.
    pub fn pop(&mut self, now: SimTime) -> Option<QueuedPod> {
        self.flush(now);
        let uid = match self.active.first() {
            Some((.., uid)) => uid.clone(),
            None => self.backoff.first_unschedulable()?.clone(),
        };
        let mut pod = self.take(&uid)?;
        pod.attempts += 1;
        Some(pod)
    }

    /// Puts a Pod back after an attempt that failed. Without plugins that refuse it the attempt has met an error.
    pub fn add_failed(&mut self, mut pod: QueuedPod, now: SimTime) {
        pod.timestamp = now;
        if pod.unschedulable_plugins.is_empty() {
            pod.consecutive_errors += 1;
            self.put_backoff(pod);
        } else {
            pod.consecutive_errors = 0;
            pod.unschedulable_count += 1;
            self.put_unschedulable(pod);
        }
    }

    /// Gives the waiting Pods that an event may help another chance.
    pub fn move_all(&mut self, handle: Handle, event: &ClusterEvent, now: SimTime, cause: CauseId) {
        let helped: Vec<Arc<str>> = self
            .unschedulable
            .iter()
            .filter(|(.., uid)| self.pods.get(uid).is_some_and(|pod| helps(handle, pod, event)))
            .map(|(.., uid)| uid.clone())
            .collect();
        for uid in helped {
            if let Some(mut pod) = self.take(&uid) {
                pod.cause = cause;
                self.requeue(pod, now);
            }
        }
    }

    /// When the queue next has a Pod to try: 0 for at once.
    pub fn next(&self) -> Option<SimTime> {
        if !self.active.is_empty() || self.backoff.first_unschedulable().is_some() {
            return Some(0);
        }
        let leftover = self.unschedulable.first().map(|(since, ..)| {
            let due = (since + UNSCHEDULABLE_MAX).max(self.next_leftover_flush);
            due.next_multiple_of(LEFTOVER_FLUSH_PERIOD)
        });
        [self.backoff.next_flush(), leftover].into_iter().flatten().min()
    }

    pub fn status(&self) -> QueueStatus {
        let key = |uid: &Arc<str>| self.pods.get(uid).map(|pod| pod.info.key.clone());
        QueueStatus {
            active: self.active.iter().filter_map(|(.., uid)| key(uid)).collect(),
            backoff: self.backoff.iter().filter_map(key).collect(),
            unschedulable: self.unschedulable.iter().filter_map(|(.., uid)| key(uid)).collect(),
            gated: self.gated.iter().filter_map(|(.., uid)| key(uid)).collect(),
            binding: Vec::new(),
        }
    }

    fn flush(&mut self, now: SimTime) {
        for uid in self.backoff.completed(now) {
            if let Some(pod) = self.take(&uid) {
                self.put_active(pod);
            }
        }
        if now < self.next_leftover_flush {
            return;
        }
        self.next_leftover_flush = (now + 1).next_multiple_of(LEFTOVER_FLUSH_PERIOD);
        let expired = |(since, ..): &&WaitingKey| since + UNSCHEDULABLE_MAX <= now;
        let leftover: Vec<Arc<str>> =
            self.unschedulable.iter().take_while(expired).map(|(.., uid)| uid.clone()).collect();
        for uid in leftover {
            if let Some(pod) = self.take(&uid) {
                self.requeue(pod, now);
            }
        }
    }

    /// To the active queue, or to the backoff queue while the last failure is too fresh.
    fn requeue(&mut self, pod: QueuedPod, now: SimTime) {
        if self.backoff_end(&pod) > now { self.put_backoff(pod) } else { self.put_active(pod) }
    }

    fn backoff_end(&self, pod: &QueuedPod) -> SimTime {
        let failures = if pod.consecutive_errors > 0 { pod.consecutive_errors } else { pod.unschedulable_count };
        if failures == 0 {
            return 0;
        }
        let factor = 1u64.checked_shl(failures - 1).unwrap_or(u64::MAX);
        pod.timestamp + self.initial_backoff.saturating_mul(factor).min(self.max_backoff)
    }

    /// Asks the PreEnqueue plugins first: a Pod that they hold back waits with the unschedulable ones.
    fn put_active(&mut self, mut pod: QueuedPod) {
        pod.gated_by = pre_enqueue(&pod.info);
        if let Some(plugin) = pod.gated_by {
            pod.unschedulable_plugins.insert(plugin);
            self.put_gated(pod);
            return;
        }
        pod.place = Place::Active;
        self.active.insert(active_key(&pod));
        self.pods.insert(pod.info.uid.clone(), pod);
    }

    fn put_backoff(&mut self, mut pod: QueuedPod) {
        pod.place = Place::Backoff;
        let end = self.backoff_end(&pod);
        self.backoff.insert(end, pod.consecutive_errors > 0, active_key(&pod));
        self.pods.insert(pod.info.uid.clone(), pod);
    }

    fn put_unschedulable(&mut self, mut pod: QueuedPod) {
        pod.place = Place::Unschedulable;
        self.unschedulable.insert(waiting_key(&pod));
        self.pods.insert(pod.info.uid.clone(), pod);
    }

    fn put_gated(&mut self, mut pod: QueuedPod) {
        pod.place = Place::Gated;
        self.gated.insert(waiting_key(&pod));
        self.pods.insert(pod.info.uid.clone(), pod);
    }

    fn take(&mut self, uid: &str) -> Option<QueuedPod> {
        let pod = self.pods.remove(uid)?;
        match pod.place {
            Place::Active => {
                self.active.remove(&active_key(&pod));
            }
            Place::Backoff => {
                let end = self.backoff_end(&pod);
                self.backoff.remove(end, pod.consecutive_errors > 0, active_key(&pod));
            }
            Place::Unschedulable => {
                self.unschedulable.remove(&waiting_key(&pod));
            }
            Place::Gated => {
                self.gated.remove(&waiting_key(&pod));
            }
        }
        Some(pod)
    }

    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

fn active_key(pod: &QueuedPod) -> ActiveKey {
    (std::cmp::Reverse(pod.info.priority), pod.timestamp, pod.sequence, pod.info.uid.clone())
}

fn waiting_key(pod: &QueuedPod) -> WaitingKey {
    (pod.timestamp, pod.sequence, pod.info.uid.clone())
}

/// Whether one of the plugins that have refused the Pod thinks better of it after the event.
fn helps(handle: Handle, pod: &QueuedPod, event: &ClusterEvent) -> bool {
    if let Some(gate) = pod.gated_by {
        return hints(gate).is_some_and(|hint| hint.may_help(handle, &pod.info, event));
    }
    pod.unschedulable_plugins.iter().filter_map(hints).any(|hint| hint.may_help(handle, &pod.info, event))
}

/// A change of labels, requests, tolerations or gates; the scheduler's own writes of the status are none.
fn concerns_scheduling(event: &ClusterEvent) -> bool {
    let ClusterEvent::UnscheduledPodUpdated { old, new } = event else { return true };
    old.pod.metadata.labels != new.pod.metadata.labels || old.pod.spec != new.pod.spec
}
