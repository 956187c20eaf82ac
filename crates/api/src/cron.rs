//! Schedules of CronJobs: five fields or a descriptor, as upstream's `robfig/cron` reads them. Times are UTC seconds.

use std::fmt::Display;

use k8s_openapi::jiff::{Timestamp, tz::Offset};

const DAY: i64 = 86_400;
/// A schedule that does not come up for so long never does: 30 February.
const DAYS_MAX: i64 = 5 * 366;

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const DESCRIPTORS: &[(&str, &str)] = &[
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// When something is due.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    Fields {
        minutes: Field,
        hours: Field,
        days: Field,
        months: Field,
        weekdays: Field,
    },
    /// Seconds between two times.
    Every(i64),
}

/// The values of a field, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Field {
    values: u64,
    /// It was `*` or `?`: the other of day and weekday decides.
    any: bool,
}

impl Field {
    fn has(self, value: i64) -> bool {
        self.values & (1 << value) != 0
    }
}

/// What a field may hold.
struct Bounds {
    min: u64,
    max: u64,
    names: &'static [&'static str],
}

const MINUTE: Bounds = Bounds { min: 0, max: 59, names: &[] };
const HOUR: Bounds = Bounds { min: 0, max: 23, names: &[] };
const DAY_OF_MONTH: Bounds = Bounds { min: 1, max: 31, names: &[] };
const MONTH: Bounds = Bounds { min: 1, max: 12, names: MONTHS };
const WEEKDAY: Bounds = Bounds { min: 0, max: 6, names: WEEKDAYS };

impl Schedule {
    /// The error is upstream's.
    pub fn parse(text: &str) -> Result<Schedule, String> {
        let mut spec = text;
        if spec.is_empty() {
            return Err("empty spec string".into());
        }
        if spec.starts_with("TZ=") || spec.starts_with("CRON_TZ=") {
            spec = spec.split_once(' ').map_or("", |(_, rest)| rest.trim());
        }
        if let Some(duration) = spec.strip_prefix("@every ") {
            let nanoseconds = crate::time::parse_duration(duration)
                .ok_or_else(|| format!("failed to parse duration {spec}: time: invalid duration {duration:?}"))?;
            return Ok(Schedule::Every((nanoseconds / crate::time::SECOND as i64).max(1)));
        }
        if spec.starts_with('@') {
            let known = DESCRIPTORS.iter().find(|(name, _)| *name == spec);
            spec = known.ok_or_else(|| format!("unrecognized descriptor: {spec}"))?.1;
        }
        let fields: Vec<&str> = spec.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            return Err(format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" ")));
        };
        Ok(Schedule::Fields {
            minutes: field(minutes, &MINUTE)?,
            hours: field(hours, &HOUR)?,
            days: field(days, &DAY_OF_MONTH)?,
            months: field(months, &MONTH)?,
            weekdays: field(weekdays, &WEEKDAY)?,
        })
    }

    /// The first time after `after`, in seconds since 1970; none for what never comes.
    pub fn next(&self, after: i64) -> Option<i64> {
        let (minutes, hours) = match self {
            Schedule::Every(seconds) => return Some(after + seconds),
            Schedule::Fields { minutes, hours, .. } => (minutes, hours),
        };
        let start = after.div_euclid(60) * 60 + 60;
        let today = start.div_euclid(DAY);
        for day in (today..today + DAYS_MAX).filter(|day| self.is_due_on(*day)) {
            let due = |minute: &i64| minutes.has(minute % 60) && hours.has(minute / 60);
            let first = ((start - day * DAY) / 60).max(0);
            if let Some(minute) = (first..DAY / 60).find(due) {
                return Some(day * DAY + minute * 60);
            }
        }
        None
    }

    /// Whether a day, counted since 1970, is one of the schedule.
    fn is_due_on(&self, day: i64) -> bool {
        let Schedule::Fields { days, months, weekdays, .. } = self else { return true };
        let Ok(midnight) = Timestamp::from_second(day * DAY) else { return false };
        let date = Offset::UTC.to_datetime(midnight).date();
        let in_month = days.has(i64::from(date.day()));
        let in_week = weekdays.has(i64::from(date.weekday().to_sunday_zero_offset()));
        let fits = if days.any || weekdays.any { in_month && in_week } else { in_month || in_week };
        fits && months.has(i64::from(date.month()))
    }
}

fn field(text: &str, bounds: &Bounds) -> Result<Field, String> {
    let mut field = Field::default();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (values, any) = range(part, bounds)?;
        field.values |= values;
        field.any |= any;
    }
    Ok(field)
}

/// `5`, `1-5`, `*`, and each of them with `/step`.
fn range(text: &str, bounds: &Bounds) -> Result<(u64, bool), String> {
    let parts: Vec<&str> = text.split('/').collect();
    let ends: Vec<&str> = parts[0].split('-').collect();
    let mut any = matches!(ends[0], "*" | "?");
    let (start, mut end) = if any {
        (bounds.min, bounds.max)
    } else {
        let start = value(ends[0], bounds.names)?;
        match ends[..] {
            [_] => (start, start),
            [_, end] => (start, value(end, bounds.names)?),
            _ => return Err(format!("too many hyphens: {text}")),
        }
    };
    let step = match parts[..] {
        [_] => 1,
        [_, step] => {
            if ends.len() == 1 {
                end = bounds.max;
            }
            number(step)?
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    any &= step <= 1;
    let refuse = |what: String| Err(format!("{what}: {text}"));
    if start < bounds.min {
        return refuse(format!("beginning of range ({start}) below minimum ({})", bounds.min));
    }
    if end > bounds.max {
        return refuse(format!("end of range ({end}) above maximum ({})", bounds.max));
    }
    if start > end {
        return refuse(format!("beginning of range ({start}) beyond end of range ({end})"));
    }
    if step == 0 {
        return refuse("step of range should be a positive number".into());
    }
    let values = (start..=end).step_by(step as usize).fold(0, |values, value| values | 1 << value);
    Ok((values, any))
}

fn value(text: &str, names: &[&str]) -> Result<u64, String> {
    let name = names.iter().position(|name| name.eq_ignore_ascii_case(text));
    // Months count from 1, weekdays from 0.
    let first = u64::from(names.len() == MONTHS.len());
    name.map_or_else(|| number(text), |at| Ok(at as u64 + first))
}

fn number(text: &str) -> Result<u64, String> {
    let failed = |why: &dyn Display| format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: {why}");
    match text.parse::<i64>() {
        Ok(number) if number < 0 => Err(format!("negative number ({number}) not allowed: {text}")),
        Ok(number) => Ok(number as u64),
        Err(error) if matches!(error.kind(), std::num::IntErrorKind::PosOverflow) => Err(failed(&"value out of range")),
        Err(_) => Err(failed(&"invalid syntax")),
    }
}

/// Whether a time zone has a name that the zone database could hold: `UTC`, `Europe/Stockholm`. The names of cities are
/// not known here.
pub fn is_time_zone(name: &str) -> bool {
    const PLAIN: &[&str] =
        &["UTC", "GMT", "UCT", "Zulu", "CET", "EET", "MET", "WET", "EST", "MST", "HST", "Japan", "Iran"];
    const REGIONS: &[&str] = &[
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Brazil",
        "Canada",
        "Chile",
        "Etc",
        "Europe",
        "Indian",
        "Mexico",
        "Pacific",
        "US",
    ];
    match name.split_once('/') {
        None => PLAIN.contains(&name),
        Some((region, city)) => {
            REGIONS.contains(&region) && city.starts_with(|letter: char| letter.is_ascii_uppercase())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, after: &str) -> String {
        let after: Timestamp = after.parse().unwrap();
        let next = Schedule::parse(schedule).unwrap().next(after.as_second()).unwrap();
        Timestamp::from_second(next).unwrap().to_string()
    }

    #[test]
    fn the_next_time_is_later() {
        assert_eq!(next("*/15 * * * *", "2026-01-01T00:00:00Z"), "2026-01-01T00:15:00Z");
        assert_eq!(next("30 6 * * MON-FRI", "2026-01-02T06:30:00Z"), "2026-01-05T06:30:00Z");
        assert_eq!(next("0 0 29 2 *", "2026-01-01T00:00:00Z"), "2028-02-29T00:00:00Z");
        assert_eq!(next("0 0 13 * 5", "2026-01-01T00:00:00Z"), "2026-01-02T00:00:00Z");
        assert_eq!(next("@monthly", "2026-01-31T12:00:00Z"), "2026-02-01T00:00:00Z");
        assert_eq!(next("@every 1h30m", "2026-01-01T00:00:00Z"), "2026-01-01T01:30:00Z");
        assert_eq!(Schedule::parse("0 0 30 2 *").unwrap().next(0), None);
    }

    #[test]
    fn mistakes_are_told_in_upstreams_words() {
        let mistake = |text: &str| Schedule::parse(text).unwrap_err();
        assert_eq!(mistake("every day"), "expected exactly 5 fields, found 2: [every day]");
        assert_eq!(mistake("61 25 * * *"), "end of range (61) above maximum (59): 61");
        assert_eq!(mistake("* * 0 * *"), "beginning of range (0) below minimum (1): 0");
        assert_eq!(mistake("*/0 * * * *"), "step of range should be a positive number: */0");
        assert_eq!(mistake("a * * * *"), "failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax");
        assert_eq!(mistake("@often"), "unrecognized descriptor: @often");
        assert_eq!(mistake("@every x"), "failed to parse duration @every x: time: invalid duration \"x\"");
    }
}
