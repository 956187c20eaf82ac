//! Virtual time.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use k8s_openapi::jiff::Timestamp;

/// Nanoseconds of virtual time since its epoch, which is when a cluster starts unless it is told another moment.
pub type SimTime = u64;

pub const MICROSECOND: SimTime = 1_000;
pub const MILLISECOND: SimTime = 1_000_000;
pub const SECOND: SimTime = 1_000_000_000;
pub const MINUTE: SimTime = 60 * SECOND;

/// What the calendar says at the epoch: 2026-01-01T00:00:00Z, in seconds since 1970.
pub const EPOCH_SECONDS: i64 = 1_767_225_600;

fn timestamp(now: SimTime, unit: SimTime) -> Timestamp {
    let whole = now / unit * unit;
    Timestamp::new(EPOCH_SECONDS + (whole / SECOND) as i64, (whole % SECOND) as i32)
        .expect("virtual time stays within the calendar")
}

/// The moment as the API writes it, in whole seconds.
pub fn stamp(now: SimTime) -> Time {
    Time(timestamp(now, SECOND))
}

/// The moment as Leases and newer events write it, in microseconds.
pub fn micro_stamp(now: SimTime) -> MicroTime {
    MicroTime(timestamp(now, MICROSECOND))
}

/// Back to virtual time; moments before the epoch are 0.
pub fn since_start(time: &Time) -> SimTime {
    from_timestamp(time.0)
}

pub fn since_start_micro(time: &MicroTime) -> SimTime {
    from_timestamp(time.0)
}

fn from_timestamp(timestamp: Timestamp) -> SimTime {
    let nanoseconds = timestamp.as_nanosecond() - i128::from(EPOCH_SECONDS) * i128::from(SECOND);
    nanoseconds.clamp(0, i128::from(u64::MAX)) as SimTime
}

/// Go's `time.ParseDuration`, in nanoseconds: `1h30m`, `1.5s`, `0`.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let units: [(&str, u64); 7] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("ms", MILLISECOND),
        ("h", 3600 * SECOND),
        ("m", 60 * SECOND),
        ("s", SECOND),
    ];
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (whole, fraction) = rest[..end].split_once('.').unwrap_or((&rest[..end], ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let (name, unit) = units.iter().find(|(name, _)| rest[end..].starts_with(name))?;
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let fraction: u64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
        total = total.checked_add(whole.checked_mul(*unit)?)?;
        total = total.checked_add((u128::from(fraction) * u128::from(*unit) / u128::from(SECOND)) as u64)?;
        rest = &rest[end + name.len()..];
    }
    let total = i64::try_from(total).ok()?;
    Some(if negative { -total } else { total })
}
