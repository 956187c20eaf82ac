//! A controller's queue and its workers.

use api::{CauseId, SimTime};
use client::WorkQueue;

/// A work queue with the workers that take from it. A key that a worker is busy with waits until it is done.
#[derive(Clone)]
pub struct Queue<K> {
    waiting: WorkQueue<K>,
    workers: Vec<Worker<K>>,
    last: Option<(K, SimTime)>,
    /// What adds are caused by: the change that is being observed, or the reconcile that is under way.
    cause: CauseId,
    now: SimTime,
}

#[derive(Clone)]
struct Worker<K> {
    busy_until: SimTime,
    key: Option<K>,
}

impl<K: Ord + Clone> Queue<K> {
    pub(crate) fn new(workers: usize) -> Queue<K> {
        Queue {
            waiting: WorkQueue::default(),
            workers: vec![Worker { busy_until: 0, key: None }; workers],
            last: None,
            cause: CauseId::default(),
            now: 0,
        }
    }

    /// Says when and why what follows happens.
    pub(crate) fn at(&mut self, now: SimTime, cause: CauseId) {
        self.now = now;
        self.cause = cause;
    }

    /// The moment of the change that is being observed, or at which the reconcile began.
    pub fn now(&self) -> SimTime {
        self.now
    }

    pub fn add(&mut self, key: K) {
        self.waiting.add(key, self.cause);
    }

    pub fn add_after(&mut self, key: K, delay: SimTime) {
        self.waiting.add_at(key, self.now + delay, self.cause);
    }

    pub fn add_at(&mut self, key: K, at: SimTime) {
        self.waiting.add_at(key, at, self.cause);
    }

    pub fn add_rate_limited(&mut self, key: K) {
        self.waiting.add_rate_limited(key, self.now, self.cause);
    }

    /// How often the key has failed in a row.
    pub fn failures(&self, key: &K) -> u32 {
        self.waiting.failures(key)
    }

    pub fn forget(&mut self, key: &K) {
        self.waiting.forget(key);
    }

    /// When a worker is free and has something to do.
    pub(crate) fn next_work(&self) -> Option<SimTime> {
        let due = self.waiting.next()?;
        let free = self.workers.iter().map(|worker| worker.busy_until).min()?;
        Some(due.max(free))
    }

    /// Gives the next key to a free worker.
    pub(crate) fn take(&mut self, now: SimTime) -> Option<(K, CauseId)> {
        let worker = self.workers.iter().position(|worker| worker.busy_until <= now)?;
        while let Some((key, cause)) = self.waiting.take(now) {
            let busy = self.workers.iter().find(|worker| worker.busy_until > now && worker.key.as_ref() == Some(&key));
            match busy.map(|worker| worker.busy_until) {
                Some(until) => self.waiting.add_at(key, until, cause),
                None => {
                    self.workers[worker] = Worker { busy_until: SimTime::MAX, key: Some(key.clone()) };
                    self.last = Some((key.clone(), now));
                    return Some((key, cause));
                }
            }
        }
        None
    }

    /// The worker that took the last key is busy until then.
    pub(crate) fn done(&mut self, until: SimTime) {
        for worker in &mut self.workers {
            if worker.busy_until == SimTime::MAX {
                worker.busy_until = until;
            }
        }
    }

    pub(crate) fn due(&self) -> usize {
        self.waiting.due()
    }

    pub(crate) fn last(&self) -> Option<&(K, SimTime)> {
        self.last.as_ref()
    }
}
