//! Virtual time.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use k8s_openapi::jiff::Timestamp;

/// Nanoseconds of virtual time since the cluster started.
pub type SimTime = u64;

pub const MICROSECOND: SimTime = 1_000;
pub const MILLISECOND: SimTime = 1_000_000;
pub const SECOND: SimTime = 1_000_000_000;
pub const MINUTE: SimTime = 60 * SECOND;

/// What the calendar says when the cluster starts: 2026-01-01T00:00:00Z, in seconds since 1970.
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

/// Back to virtual time; moments before the cluster's start are 0.
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
