//! How old things are, as kubectl writes it: upstream's `duration.HumanDuration`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use crate::time::{EPOCH_SECONDS, SECOND, SimTime};

/// `17s`, `2m5s`, `3h`, `4d2h`, `2y30d`.
pub fn human(seconds: i64) -> String {
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let pair = |large: i64, unit: &str, small: i64, small_unit: &str| {
        if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{small}{small_unit}") }
    };
    match seconds {
        ..-1 => "<invalid>".into(),
        -1 => "0s".into(),
        _ if seconds < 120 => format!("{seconds}s"),
        _ if minutes < 10 => pair(minutes, "m", seconds % 60, "s"),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => pair(hours, "h", minutes % 60, "m"),
        _ if hours < 48 => format!("{hours}h"),
        _ if hours < 192 => pair(hours / 24, "d", hours % 24, "h"),
        _ if hours < 24 * 365 * 2 => format!("{}d", hours / 24),
        _ if hours < 24 * 365 * 8 => pair(hours / 24 / 365, "y", hours / 24 % 365, "d"),
        _ => format!("{}y", hours / 24 / 365),
    }
}

/// How long ago a moment is.
pub fn since(time: Option<&Time>, now: SimTime) -> String {
    let Some(time) = time else { return "<unknown>".into() };
    human(seconds_at(now) - time.0.as_second())
}

/// The same of a moment given in seconds since 1970.
pub fn since_second(second: i64, now: SimTime) -> String {
    human(seconds_at(now) - second)
}

fn seconds_at(now: SimTime) -> i64 {
    EPOCH_SECONDS + (now / SECOND) as i64
}

/// An object's age.
pub fn of(meta: &ObjectMeta, now: SimTime) -> String {
    since(meta.creation_timestamp.as_ref(), now)
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn human_durations() {
        let cases = [
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (599, "9m59s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (14_460, "4h1m"),
            (28_800, "8h"),
            (172_799, "47h"),
            (172_800, "2d"),
            (180_000, "2d2h"),
            (691_200, "8d"),
            (63_072_000, "2y"),
            (65_664_000, "2y30d"),
            (252_288_000, "8y"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(human(seconds), expected, "{seconds}");
        }
    }
}
