//! Delays that double with each failure: upstream's `flowcontrol.Backoff` with the kubelet's limits.

use api::SimTime;
use api::time::SECOND;

/// One key's delay.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    delay: SimTime,
    updated: SimTime,
}

/// `MaxContainerBackOff`; image pulls have the same.
const DELAY_MAX: SimTime = 300 * SECOND;
const DELAY_FIRST: SimTime = 10 * SECOND;

impl Backoff {
    pub fn delay(&self) -> SimTime {
        self.delay
    }

    /// Until when something that happened at `event` must not be repeated.
    pub fn until(&self, event: SimTime) -> SimTime {
        event + self.delay
    }

    pub fn is_waiting(&self, event: SimTime, now: SimTime) -> bool {
        !self.has_expired(event) && now < self.until(event)
    }

    /// One more failure.
    pub fn next(&mut self, event: SimTime, now: SimTime) {
        self.delay =
            if self.delay == 0 || self.has_expired(event) { DELAY_FIRST } else { (self.delay * 2).min(DELAY_MAX) };
        self.updated = now;
    }

    /// What ran for twice the longest delay starts over.
    fn has_expired(&self, event: SimTime) -> bool {
        event.saturating_sub(self.updated) > 2 * DELAY_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_and_starts_over() {
        let mut backoff = Backoff::default();
        let mut now = 0;
        let mut delays = Vec::new();
        for _ in 0..7 {
            assert!(!backoff.is_waiting(now, backoff.until(now)));
            backoff.next(now, now);
            delays.push(backoff.delay() / SECOND);
            now = backoff.until(now);
        }
        assert_eq!(delays, [10, 20, 40, 80, 160, 300, 300]);
        let after_a_good_run = now + 601 * SECOND;
        assert!(!backoff.is_waiting(after_a_good_run, after_a_good_run));
        backoff.next(after_a_good_run, after_a_good_run);
        assert_eq!(backoff.delay(), DELAY_FIRST);
    }
}
