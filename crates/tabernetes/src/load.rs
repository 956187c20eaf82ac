//! How busy the API server is.

use api::SimTime;
use api::time::SECOND;

/// Calls that took a moment each, counted by second of virtual time.
#[derive(Clone, Default)]
pub struct Load {
    second: u64,
    in_second: u32,
    /// Calls a second over the last seconds, oldest first.
    history: Vec<f32>,
    /// Durations of the last calls, as a ring.
    durations: Vec<SimTime>,
    at: usize,
}

const HISTORY: usize = 32;
const DURATIONS: usize = 256;

impl Load {
    /// `housekeeping` (Leases, events) counts, but its duration says nothing about what a user waits for.
    pub(crate) fn count(&mut self, at: SimTime, took: SimTime, housekeeping: bool) {
        self.advance(at);
        self.in_second += 1;
        if housekeeping {
            return;
        }
        if self.durations.len() < DURATIONS {
            self.durations.push(took);
        } else {
            self.durations[self.at] = took;
        }
        self.at = (self.at + 1) % DURATIONS;
    }

    pub(crate) fn advance(&mut self, now: SimTime) {
        let second = now / SECOND;
        if second <= self.second {
            return;
        }
        let idle = (second - self.second - 1).min(HISTORY as u64);
        self.history.push(self.in_second as f32);
        self.history.extend((0..idle).map(|_| 0.0));
        let surplus = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..surplus);
        self.in_second = 0;
        self.second = second;
    }

    /// Calls a second, oldest first.
    pub fn history(&self) -> &[f32] {
        &self.history
    }

    /// The duration that 99 % of the last calls stayed below.
    pub fn p99(&self) -> SimTime {
        let mut sorted = self.durations.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() * 99 / 100).copied().unwrap_or(0)
    }
}
