//! What a manifest may say about a simulated workload: annotations of the Pod under `sim.tabernetes.dev/`.
//!
//! An annotation holds for all containers of the Pod. With a container's name before the last part
//! (`sim.tabernetes.dev/web.startup`) it holds for that container only and wins.

use api::meta;
use api::quantity::Amount;
use api::time::{MILLISECOND, MINUTE, SECOND};
use api::types::{ObjectMeta, Quantity};
use runtime::Settings;

/// What all names begin with.
pub const PREFIX: &str = "sim.tabernetes.dev/";

/// One row: the name after [`PREFIX`], an example, what it does, and how its text gets into the settings (`None` when it
/// cannot be read, which leaves the default).
pub struct Annotation {
    pub name: &'static str,
    pub example: &'static str,
    pub help: &'static str,
    apply: fn(&mut Settings, &str) -> Option<()>,
}

/// All annotations, in the order in which documentation lists them.
pub static ANNOTATIONS: &[Annotation] = &[
    Annotation {
        name: "startup",
        example: "3s",
        help: "time from the container's start until it listens on its ports",
        apply: |settings, text| set(&mut settings.startup_ns, duration(text)),
    },
    Annotation {
        name: "ready-after",
        example: "20s",
        help: "requests are answered with 503 until this long after the start",
        apply: |settings, text| set(&mut settings.ready_after_ns, duration(text)),
    },
    Annotation {
        name: "exit-after",
        example: "10s",
        help: "the container exits this long after its start",
        apply: |settings, text| set(&mut settings.exit_after_ns, duration(text)),
    },
    Annotation {
        name: "exit-code",
        example: "1",
        help: "with this exit code (0 unless given; alone: at once)",
        apply: |settings, text| set(&mut settings.exit_code, text.parse().ok()),
    },
    Annotation {
        name: "cpu",
        example: "250m",
        help: "how much CPU the container uses",
        apply: |settings, text| set(&mut settings.cpu_milli, amount(text).map(|amount| amount.millis().max(0) as u64)),
    },
    Annotation {
        name: "memory",
        example: "200Mi",
        help: "how much memory the container uses; above its limit it is OOM-killed",
        apply: |settings, text| {
            set(&mut settings.memory_bytes, amount(text).map(|amount| amount.units().max(0) as u64))
        },
    },
    Annotation {
        name: "latency",
        example: "30ms",
        help: "time that the server takes for a request",
        apply: |settings, text| set(&mut settings.latency_ns, duration(text)),
    },
    Annotation {
        name: "error-rate",
        example: "5%",
        help: "share of requests that fail with 500: a percentage, or a fraction of 1",
        apply: |settings, text| set(&mut settings.error_per_mille, per_mille(text)),
    },
    Annotation {
        name: "calls",
        example: "redis:6379,http://api/v1",
        help: "servers that each request calls before it is answered, separated by commas",
        apply: |settings, text| {
            settings.calls =
                text.split(',').map(|call| call.trim().to_owned()).filter(|call| !call.is_empty()).collect();
            Some(())
        },
    },
];

fn set<T>(place: &mut Option<T>, value: Option<T>) -> Option<()> {
    *place = Some(value?);
    Some(())
}

/// The settings of one container.
pub fn settings(pod: &ObjectMeta, container: &str) -> Settings {
    let mut settings = Settings::default();
    let any = pod.annotations.iter().flatten().any(|(name, _)| name.starts_with(PREFIX));
    if !any {
        return settings;
    }
    for row in ANNOTATIONS {
        let general = [PREFIX, row.name].concat();
        let special = [PREFIX, container, ".", row.name].concat();
        let text = meta::annotation(pod, &special).or_else(|| meta::annotation(pod, &general));
        if let Some(text) = text {
            // What cannot be read keeps the default, as an annotation is free text to the API.
            let _unreadable = (row.apply)(&mut settings, text.trim());
        }
    }
    settings
}

fn amount(text: &str) -> Option<Amount> {
    api::quantity::parse(text)?;
    Some(Amount::of(&Quantity(text.into())))
}

/// `5%`, `0.05`: in thousandths.
fn per_mille(text: &str) -> Option<u32> {
    let (number, per_unit) = match text.strip_suffix('%') {
        Some(number) => (number.trim(), 10),
        None => (text, 1000),
    };
    let units = amount(number)?.0 * per_unit / 1_000_000_000;
    u32::try_from(units).ok().map(|units| units.min(1000))
}

/// A duration as Go writes it: `1m30s`, `250ms`, `1.5s`. A bare number is in seconds.
pub fn duration(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(u64::from(seconds) * SECOND);
    }
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let scale = match unit {
            "ns" => 1,
            "us" | "µs" => 1_000,
            "ms" => MILLISECOND,
            "s" => SECOND,
            "m" => MINUTE,
            "h" => 60 * MINUTE,
            _ => return None,
        };
        let nanos = amount(number)?.0.checked_mul(i128::from(scale))? / 1_000_000_000;
        total = total.checked_add(u64::try_from(nanos).ok()?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("1m30s"), Some(90 * SECOND));
        assert_eq!(duration("250ms"), Some(250 * MILLISECOND));
        assert_eq!(duration("1.5s"), Some(1_500 * MILLISECOND));
        assert_eq!(duration("7"), Some(7 * SECOND));
        assert_eq!(duration("soon"), None);
        assert_eq!(duration(""), None);
    }

    #[test]
    fn a_containers_own_annotation_wins() {
        let mut pod = ObjectMeta::default();
        meta::set_annotation(&mut pod, "sim.tabernetes.dev/error-rate", "5%");
        meta::set_annotation(&mut pod, "sim.tabernetes.dev/web.error-rate", "0.5");
        meta::set_annotation(&mut pod, "sim.tabernetes.dev/cpu", "250m");
        assert_eq!(settings(&pod, "web").error_per_mille, Some(500));
        assert_eq!(settings(&pod, "other").error_per_mille, Some(50));
        assert_eq!(settings(&pod, "other").cpu_milli, Some(250));
    }
}
