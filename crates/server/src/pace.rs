//! How fast virtual time passes.

use std::str::FromStr;
use std::time::{Duration, Instant};

use api::SimTime;
use api::time::SECOND;

/// Nothing but periodic work for this long: the cluster has settled.
const SETTLED_AFTER: SimTime = 12 * SECOND;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    Times(f64),
    /// As fast as possible until the cluster has settled, then as the wall clock goes.
    Max,
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Speed, String> {
        if text == "max" {
            return Ok(Speed::Max);
        }
        let factor = text.parse().ok().filter(|factor: &f64| *factor > 0.0 && *factor <= 10_000.0);
        factor.map(Speed::Times).ok_or_else(|| format!("{text:?} is neither a factor nor \"max\""))
    }
}

/// Maps the wall clock to virtual time.
pub struct Pace {
    speed: Speed,
    /// A moment of both clocks.
    anchor: (Instant, SimTime),
}

impl Pace {
    pub fn new(speed: Speed, now: SimTime) -> Pace {
        Pace { speed, anchor: (Instant::now(), now) }
    }

    /// Until when the cluster may run. `last_change` is when it last did something of interest.
    pub fn target(&mut self, now: SimTime, last_change: SimTime) -> SimTime {
        if self.is_hurried(now, last_change) {
            let settled_at = last_change + SETTLED_AFTER;
            self.anchor = (Instant::now(), settled_at);
            return settled_at;
        }
        let (wall, virtual_moment) = self.anchor;
        let target = virtual_moment + (wall.elapsed().as_nanos() as f64 * self.factor()) as SimTime;
        target.max(now)
    }

    /// There is more to do at once.
    pub fn is_hurried(&self, now: SimTime, last_change: SimTime) -> bool {
        self.speed == Speed::Max && now < last_change + SETTLED_AFTER
    }

    /// The cluster could not keep up: time that was lost is not caught up with.
    pub fn fell_behind(&mut self, now: SimTime) {
        self.anchor = (Instant::now(), now);
    }

    /// How long the wall takes from `now` until a moment of virtual time.
    pub fn wall_until(&self, now: SimTime, at: SimTime) -> Duration {
        Duration::from_nanos((at.saturating_sub(now) as f64 / self.factor()) as u64)
    }

    fn factor(&self) -> f64 {
        match self.speed {
            Speed::Times(factor) => factor,
            Speed::Max => 1.0,
        }
    }
}
