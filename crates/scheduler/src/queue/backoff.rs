//! Pods that back off, in order of the second in which their backoff ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::SimTime;
use api::time::SECOND;

use super::ActiveKey;

/// Ends are rounded down to this window, and within one window Pods are in the order of the active queue.
const WINDOW: SimTime = SECOND;

#[derive(Clone, Debug, Default)]
pub struct BackoffQueue {
    unschedulable: BTreeSet<(SimTime, ActiveKey)>,
    /// Kept apart, as these do not go early when the active queue is empty.
    errors: BTreeSet<(SimTime, ActiveKey)>,
}

impl BackoffQueue {
    pub fn insert(&mut self, end: SimTime, error: bool, key: ActiveKey) {
        self.queue(error).insert((end / WINDOW, key));
    }

    pub fn remove(&mut self, end: SimTime, error: bool, key: ActiveKey) {
        self.queue(error).remove(&(end / WINDOW, key));
    }

    fn queue(&mut self, error: bool) -> &mut BTreeSet<(SimTime, ActiveKey)> {
        if error { &mut self.errors } else { &mut self.unschedulable }
    }

    /// The Pod that goes first among those that do not back off from an error.
    pub fn first_unschedulable(&self) -> Option<&Arc<str>> {
        self.unschedulable.first().map(|(_, (.., uid))| uid)
    }

    /// The Pods whose window is over.
    pub fn completed(&self, now: SimTime) -> Vec<Arc<str>> {
        let over = |(window, _): &&(SimTime, ActiveKey)| (window + 1) * WINDOW <= now;
        let queues = [&self.unschedulable, &self.errors];
        queues.into_iter().flat_map(|queue| queue.iter().take_while(over)).map(|(_, (.., uid))| uid.clone()).collect()
    }

    /// When the next window of Pods that back off from errors is over.
    pub fn next_flush(&self) -> Option<SimTime> {
        self.errors.first().map(|(window, _)| (window + 1) * WINDOW)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.unschedulable.iter().chain(&self.errors).map(|(_, (.., uid))| uid)
    }
}
