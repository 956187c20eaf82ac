//! Texts as Go's standard library and the kubelet write them.

use api::SimTime;
use api::time::{MILLISECOND, SECOND};
use api::types::Pod;

/// A duration as Go prints it, cut to whole milliseconds: `612ms`, `1.92s`, `1m2.5s`, `5m0s`.
pub fn duration(nanoseconds: SimTime) -> String {
    let millis = nanoseconds / MILLISECOND;
    if millis == 0 {
        return "0s".into();
    }
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let whole = millis * MILLISECOND;
    let (hours, minutes, rest) =
        (whole / (3600 * SECOND), whole / (60 * SECOND) % 60, whole % (60 * SECOND) / MILLISECOND);
    let mut seconds = format!("{}.{:03}", rest / 1000, rest % 1000);
    seconds.truncate(seconds.trim_end_matches('0').trim_end_matches('.').len());
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// `web_default(5c5d80f5-…)`
pub fn pod(pod: &Pod) -> String {
    let meta = &pod.metadata;
    format!(
        "{}_{}({})",
        meta.name.as_deref().unwrap_or_default(),
        meta.namespace.as_deref().unwrap_or_default(),
        meta.uid.as_deref().unwrap_or_default()
    )
}

/// A list as Go prints a slice of strings: `[a b]`.
pub fn list<S: AsRef<str>>(items: &[S]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    format!("[{}]", items.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_go_prints_them() {
        let cases =
            [(0, "0s"), (612, "612ms"), (1920, "1.92s"), (10_000, "10s"), (62_500, "1m2.5s"), (300_000, "5m0s")];
        for (millis, expected) in cases {
            assert_eq!(duration(millis * MILLISECOND), expected);
        }
        assert_eq!(duration(3_600 * SECOND), "1h0m0s");
    }
}
