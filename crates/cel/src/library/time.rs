//! Moments and durations.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::Result;
use crate::eval::Error;
use crate::value::Value;

const SECOND: i64 = 1_000_000_000;

/// Go's units of durations, in nanoseconds. Longer names first.
const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1000),
    ("µs", 1000),
    ("μs", 1000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3600 * SECOND),
];

pub(super) fn call(name: &str, _member: bool, args: &[Value]) -> Option<Result> {
    let overflow = || Error::new("timestamp overflow");
    Some(match (name, args) {
        ("_+_", [Value::Duration(one), Value::Duration(other)]) => whole(one.checked_add(*other)),
        ("_-_", [Value::Duration(one), Value::Duration(other)]) => whole(one.checked_sub(*other)),
        (
            "_+_",
            [Value::Timestamp(moment), Value::Duration(time)] | [Value::Duration(time), Value::Timestamp(moment)],
        ) => {
            let moved = moment.checked_add(jiff::SignedDuration::from_nanos(*time));
            moved.map(Value::Timestamp).map_err(|_| overflow())
        }
        ("_-_", [Value::Timestamp(moment), Value::Duration(time)]) => {
            let moved = moment.checked_sub(jiff::SignedDuration::from_nanos(*time));
            moved.map(Value::Timestamp).map_err(|_| overflow())
        }
        ("_-_", [Value::Timestamp(one), Value::Timestamp(other)]) => {
            whole(i64::try_from(one.duration_since(*other).as_nanos()).ok())
        }
        (_, [Value::Duration(time)]) => Ok(Value::Int(match name {
            "getHours" => time / (3600 * SECOND),
            "getMinutes" => time / (60 * SECOND),
            "getSeconds" => time / SECOND,
            "getMilliseconds" => time / 1_000_000 % 1000,
            _ => return None,
        })),
        (_, [Value::Timestamp(moment)]) => return calendar(name, *moment, &TimeZone::UTC),
        (_, [Value::Timestamp(moment), Value::String(zone)]) => match zone_named(zone) {
            Some(zone) => return calendar(name, *moment, &zone),
            None => Err(Error::new(format!("unknown time zone {zone}"))),
        },
        _ => return None,
    })
}

fn whole(nanoseconds: Option<i64>) -> Result {
    nanoseconds.map(Value::Duration).ok_or_else(|| Error::new("duration overflow"))
}

/// `UTC` and offsets such as `-02:00`; there is no database of time zones.
fn zone_named(name: &str) -> Option<TimeZone> {
    if matches!(name, "UTC" | "") {
        return Some(TimeZone::UTC);
    }
    let (sign, offset) = match name.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, name.strip_prefix('+').unwrap_or(name)),
    };
    let (hours, minutes) = offset.split_once(':')?;
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    Offset::from_seconds(sign * seconds).ok().map(TimeZone::fixed)
}

fn calendar(name: &str, moment: Timestamp, zone: &TimeZone) -> Option<Result> {
    let local = moment.to_zoned(zone.clone());
    Some(Ok(Value::Int(match name {
        "getFullYear" => local.year().into(),
        "getMonth" => i64::from(local.month()) - 1,
        "getDayOfYear" => i64::from(local.day_of_year()) - 1,
        "getDayOfMonth" => i64::from(local.day()) - 1,
        "getDate" => local.day().into(),
        "getDayOfWeek" => local.weekday().to_sunday_zero_offset().into(),
        "getHours" => local.hour().into(),
        "getMinutes" => local.minute().into(),
        "getSeconds" => local.second().into(),
        "getMilliseconds" => local.millisecond().into(),
        _ => return None,
    })))
}

pub(super) fn timestamp(value: &Value) -> Result {
    match value {
        Value::Timestamp(_) => Ok(value.clone()),
        Value::Int(seconds) => {
            Timestamp::from_second(*seconds).map(Value::Timestamp).map_err(|_| Error::new("timestamp overflow"))
        }
        Value::String(text) => text.parse().map(Value::Timestamp).map_err(|_| {
            Error::new(format!(
                "parsing time {text:?} as \"2006-01-02T15:04:05.999999999Z07:00\": cannot parse {text:?} as \"2006\""
            ))
        }),
        _ => Err(Error::no_overload()),
    }
}

pub(super) fn duration(value: &Value) -> Result {
    match value {
        Value::Duration(_) => Ok(value.clone()),
        Value::Int(nanoseconds) => Ok(Value::Duration(*nanoseconds)),
        Value::String(text) => {
            let invalid = || Error::new(format!("time: invalid duration {text:?}"));
            parse_duration(text).map(Value::Duration).ok_or_else(invalid)
        }
        _ => Err(Error::no_overload()),
    }
}

/// Go's `time.ParseDuration`: `1h30m`, `-1.5s`.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let (unit, nanoseconds) = UNITS.iter().find(|(unit, _)| rest[end..].starts_with(unit))?;
        total += number * *nanoseconds as f64;
        rest = &rest[end + unit.len()..];
    }
    Some((sign * total) as i64)
}

/// Seconds, as CEL writes durations.
pub(super) fn duration_text(nanoseconds: i64) -> String {
    let (seconds, rest) = (nanoseconds / SECOND, (nanoseconds % SECOND).abs());
    if rest == 0 {
        return format!("{seconds}s");
    }
    let sign = if nanoseconds < 0 && seconds == 0 { "-" } else { "" };
    format!("{sign}{seconds}.{}s", format!("{rest:09}").trim_end_matches('0'))
}
