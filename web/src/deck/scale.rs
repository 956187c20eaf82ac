//! Virtual time across the deck. The window's end is one of a few round values, so that marks move seldom.

const SECOND: u64 = 1_000_000_000;
/// The window ends here at the earliest.
const WINDOWS: [u64; 16] =
    [60, 120, 210, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400, 172_800, 604_800, 2_592_000];
/// Spacing of ticks, in seconds.
const STEPS: [u64; 16] =
    [5, 10, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400, 432_000];
const LEFT: f64 = 14.0;
const TICK_WIDTH_MIN: f64 = 90.0;
/// Now stands at most this far to the right: something of the future always shows.
const NOW_MAX: f64 = 0.8;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub width: f64,
    /// Seconds of virtual time in the window.
    window: u64,
}

impl Scale {
    pub fn new(width: f64, now: u64, last: u64) -> Scale {
        let fits =
            |window: &&u64| (now as f64) <= **window as f64 * SECOND as f64 * NOW_MAX && last <= **window * SECOND;
        let window = WINDOWS.iter().find(fits).copied().unwrap_or_else(|| now.max(last) / SECOND * 3 / 2);
        Scale { width, window }
    }

    pub fn x(&self, at: u64) -> f64 {
        LEFT + at as f64 / (self.window * SECOND) as f64 * (self.width - LEFT)
    }

    pub fn at(&self, x: f64) -> u64 {
        let share = ((x - LEFT) / (self.width - LEFT)).clamp(0.0, 1.0);
        (share * (self.window * SECOND) as f64) as u64
    }

    pub fn ticks(&self) -> Vec<u64> {
        let room = (self.width / TICK_WIDTH_MIN).max(1.0);
        let step = STEPS.iter().find(|step| self.window as f64 / (**step as f64) <= room).copied();
        let step = step.unwrap_or(self.window.max(1));
        (0..=self.window / step).map(|index| index * step * SECOND).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_grows_in_round_steps() {
        let scale = |seconds: u64| Scale::new(892.0, seconds * SECOND, 0).window;
        assert_eq!(scale(0), 60);
        assert_eq!(scale(134), 210);
        assert_eq!(scale(500), 900);
    }

    #[test]
    fn planned_steps_are_within_the_window() {
        let scale = Scale::new(892.0, 0, 200 * SECOND);
        assert!(scale.x(200 * SECOND) <= 892.0);
    }

    #[test]
    fn reads_the_moment_under_the_pointer() {
        let scale = Scale::new(892.0, 134 * SECOND, 0);
        let at = 60 * SECOND;
        assert!(scale.at(scale.x(at)).abs_diff(at) < SECOND / 100);
    }
}
