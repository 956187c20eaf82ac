//! Numbers as the page writes them: moments, durations, quantities.

const SECOND: u64 = 1_000_000_000;

/// A moment of virtual time: `02:14`, from an hour on `1:02:14`.
pub fn moment(at: u64) -> String {
    let seconds = at / SECOND;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match hours {
        0 => format!("{minutes:02}:{:02}", seconds % 60),
        _ => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
    }
}

/// `.350`
pub fn thousandths(at: u64) -> String {
    format!(".{:03}", at % SECOND / 1_000_000)
}

/// `02:14.350`
pub fn exact_moment(at: u64) -> String {
    moment(at) + &thousandths(at)
}

/// `7 ms`, `1.92 s`, `3 min 5 s`, `2 h 4 min`.
pub fn duration(ns: u64) -> String {
    let ms = ns / 1_000_000;
    match ms {
        0 if ns >= 1000 => format!("{} µs", ns / 1000),
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{:02} s", ms / 1000, ms % 1000 / 10),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms / 1000 % 60),
        _ => format!("{} h {} min", ms / 3_600_000, ms / 60_000 % 60),
    }
}

/// `2 min 4 s` without fractions, for what changes under the reader's eyes.
pub fn rough_duration(ns: u64) -> String {
    match ns / SECOND {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// Thousandths of a core as cores: `1.35`, `2`.
pub fn cores(thousandths: u64) -> String {
    let text = format!("{:.2}", thousandths as f64 / 1000.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Bytes as GiB: `1.4`.
pub fn gib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 30))
}

/// `38`, `0.4`, `1,204`.
pub fn rate(value: f32) -> String {
    match value {
        value if value <= 0.0 => "0".into(),
        value if value < 9.95 => format!("{value:.1}").trim_end_matches(".0").to_owned(),
        value => grouped(value.round() as u64),
    }
}

/// `12,345`
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.2 MB`, `48 kB`.
pub fn size(bytes: usize) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_moments_and_durations() {
        assert_eq!(exact_moment(134_350_000_000), "02:14.350");
        assert_eq!(moment(3_734 * SECOND), "1:02:14");
        assert_eq!(duration(7_000_000), "7 ms");
        assert_eq!(duration(1_920_000_000), "1.92 s");
        assert_eq!(duration(185 * SECOND), "3 min 5 s");
    }

    #[test]
    fn writes_quantities() {
        assert_eq!(cores(1350), "1.35");
        assert_eq!(cores(2000), "2");
        assert_eq!(rate(0.44), "0.4");
        assert_eq!(rate(120.2), "120");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
