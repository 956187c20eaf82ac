//! A controller's work queue: each key at most once, delayed and rate-limited adds, and the cause of each key.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use api::SimTime;
use api::request::CauseId;
use api::time::{MILLISECOND, SECOND};

/// Keys that wait for a reconcile. The same as upstream's rate-limiting queue with its default limiter: 5 ms doubling to
/// 1000 s for each key.
#[derive(Clone)]
pub struct WorkQueue<K> {
    ready: VecDeque<K>,
    /// What is in `ready`, and why: the first cause stays until the key is taken.
    causes: BTreeMap<K, CauseId>,
    delayed: BTreeSet<(SimTime, K)>,
    delays: BTreeMap<K, (SimTime, CauseId)>,
    failures: BTreeMap<K, u32>,
}

const BASE_DELAY: SimTime = 5 * MILLISECOND;
const DELAY_MAX: SimTime = 1000 * SECOND;

impl<K: Ord + Clone> Default for WorkQueue<K> {
    fn default() -> Self {
        WorkQueue {
            ready: VecDeque::new(),
            causes: BTreeMap::new(),
            delayed: BTreeSet::new(),
            delays: BTreeMap::new(),
            failures: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Clone> WorkQueue<K> {
    pub fn add(&mut self, key: K, cause: CauseId) {
        if !self.causes.contains_key(&key) {
            self.causes.insert(key.clone(), cause);
            self.ready.push_back(key);
        }
    }

    /// Adds the key at a moment; an earlier one that is already planned stays.
    pub fn add_at(&mut self, key: K, at: SimTime, cause: CauseId) {
        if let Some(&(planned, _)) = self.delays.get(&key) {
            if planned <= at {
                return;
            }
            self.delayed.remove(&(planned, key.clone()));
        }
        self.delays.insert(key.clone(), (at, cause));
        self.delayed.insert((at, key));
    }

    /// Adds the key after a delay that doubles with each failure since [`WorkQueue::forget`].
    pub fn add_rate_limited(&mut self, key: K, now: SimTime, cause: CauseId) {
        let failures = self.failures.entry(key.clone()).or_insert(0);
        let delay = BASE_DELAY.checked_shl(*failures).unwrap_or(DELAY_MAX).clamp(BASE_DELAY, DELAY_MAX);
        *failures = (*failures + 1).min(30);
        self.add_at(key, now + delay, cause);
    }

    pub fn forget(&mut self, key: &K) {
        self.failures.remove(key);
    }

    pub fn failures(&self, key: &K) -> u32 {
        self.failures.get(key).copied().unwrap_or(0)
    }

    /// The next key that is due, with its cause.
    pub fn take(&mut self, now: SimTime) -> Option<(K, CauseId)> {
        while let Some((at, key)) = self.delayed.first().cloned() {
            if at > now {
                break;
            }
            self.delayed.pop_first();
            let cause = self.delays.remove(&key).map(|(_, cause)| cause).unwrap_or_default();
            self.add(key, cause);
        }
        let key = self.ready.pop_front()?;
        let cause = self.causes.remove(&key).unwrap_or_default();
        Some((key, cause))
    }

    /// When the next key is due: 0 for at once.
    pub fn next(&self) -> Option<SimTime> {
        if self.ready.is_empty() { self.delayed.first().map(|(at, _)| *at) } else { Some(0) }
    }

    /// How many keys are due; those that are planned for later do not count.
    pub fn due(&self) -> usize {
        self.ready.len()
    }
}
