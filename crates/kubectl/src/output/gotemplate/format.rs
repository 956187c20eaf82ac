//! `printf`. Upstream: Go's `fmt`.

use api::go;
use serde_json::Value;

use super::run::Data;
use crate::output::jsonpath::go_syntax;

/// Values as `fmt.Sprint` writes them: a blank stands between two of which neither is a text.
pub(super) fn sprint(values: &[Data]) -> String {
    let mut out = String::new();
    let mut after_text = true;
    for (at, value) in values.iter().enumerate() {
        let value = value.value();
        if at > 0 && !value.is_string() && !after_text {
            out.push(' ');
        }
        after_text = value.is_string();
        out.push_str(&go::text(&value));
    }
    out
}

/// Wider is not wanted.
const WIDTH_MAX: usize = 10_000;

/// What stands between `%` and the verb.
#[derive(Default)]
struct Spec {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

struct Printer<'a> {
    rest: std::str::Chars<'a>,
    values: &'a [Data],
    next: usize,
    /// Values were named by their position.
    reordered: bool,
    bad_index: bool,
    out: String,
}

pub(super) fn printf(format: &str, values: &[Data]) -> String {
    let mut printer =
        Printer { rest: format.chars(), values, next: 0, reordered: false, bad_index: false, out: String::new() };
    while let Some(c) = printer.rest.next() {
        if c == '%' { printer.verb() } else { printer.out.push(c) }
    }
    if !printer.reordered && printer.next < values.len() {
        let extra: Vec<String> = values[printer.next..].iter().map(typed).collect();
        printer.out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    printer.out
}

/// `string=x`
fn typed(value: &Data) -> String {
    match value.is_missing() {
        true => "<nil>".into(),
        false => format!("{}={}", value.type_name(), go::text(&value.value())),
    }
}

impl Printer<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            number = Some((number.unwrap_or(0) * 10 + digit as usize).min(WIDTH_MAX));
            self.rest.next();
        }
        number
    }

    /// `[2]`: the value that is next.
    fn index(&mut self) {
        if self.peek() != Some('[') {
            return;
        }
        self.reordered = true;
        self.rest.next();
        let number = self.number();
        let closed = self.rest.next() == Some(']');
        match number.filter(|at| closed && (1..=self.values.len()).contains(at)) {
            Some(at) => self.next = at - 1,
            None => self.bad_index = true,
        }
    }

    /// A number as it is written, or `*` for the next value.
    fn amount(&mut self) -> Option<i64> {
        if self.peek() != Some('*') {
            return self.number().map(|number| number as i64);
        }
        self.rest.next();
        let value = self.values.get(self.next).and_then(|value| value.value().as_i64());
        self.next += 1;
        value.map(|value| value.clamp(-(WIDTH_MAX as i64), WIDTH_MAX as i64))
    }

    fn verb(&mut self) {
        let mut spec = Spec::default();
        self.bad_index = false;
        loop {
            match self.peek() {
                Some('-') => spec.minus = true,
                Some('+') => spec.plus = true,
                Some('#') => spec.sharp = true,
                Some(' ') => spec.space = true,
                Some('0') => spec.zero = true,
                _ => break,
            }
            self.rest.next();
        }
        self.index();
        if let Some(width) = self.amount() {
            spec.minus |= width < 0;
            spec.width = usize::try_from(width.abs()).ok();
        }
        if self.peek() == Some('.') {
            self.rest.next();
            self.index();
            spec.precision = usize::try_from(self.amount().unwrap_or(0)).ok();
        }
        self.index();
        spec.zero &= !spec.minus;
        let Some(verb) = self.rest.next() else { return self.out.push_str("%!(NOVERB)") };
        if verb == '%' {
            return self.out.push('%');
        }
        if self.bad_index {
            return self.out.push_str(&format!("%!{verb}(BADINDEX)"));
        }
        let Some(value) = self.values.get(self.next) else {
            return self.out.push_str(&format!("%!{verb}(MISSING)"));
        };
        self.next += 1;
        let text = match verb {
            'T' => spec.pad(value.type_name().into()),
            'v' if spec.sharp => spec.pad(go_syntax(&value.value())),
            _ => spec.any(&value.value(), verb, value.type_name()),
        };
        self.out.push_str(&text);
    }
}

impl Spec {
    fn pad(&self, text: String) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        match (self.minus, self.zero) {
            (true, _) => text + &" ".repeat(missing),
            (_, true) => "0".repeat(missing) + &text,
            _ => " ".repeat(missing) + &text,
        }
    }

    fn any(&self, value: &Value, verb: char, type_name: &str) -> String {
        let bad = || match value {
            Value::Null => format!("%!{verb}(<nil>)"),
            other => format!("%!{verb}({type_name}={})", go::text(other)),
        };
        match value {
            Value::Null if verb == 'v' => self.pad("<nil>".into()),
            Value::Bool(value) if matches!(verb, 't' | 'v') => self.pad(value.to_string()),
            Value::Number(number) => match number.as_i64().filter(|_| !number.is_f64()) {
                Some(number) => self.whole(number, verb).unwrap_or_else(bad),
                None => self.float(number.as_f64().unwrap_or_default(), verb).unwrap_or_else(bad),
            },
            Value::String(text) => self.string(text, verb).unwrap_or_else(bad),
            Value::Array(items) => {
                let shown: Vec<String> = items.iter().map(|item| self.any(item, verb, go::type_name(item))).collect();
                format!("[{}]", shown.join(" "))
            }
            Value::Object(fields) => {
                let shown: Vec<String> = fields
                    .iter()
                    .map(|(name, item)| {
                        let name = self.any(&Value::from(name.as_str()), verb, "string");
                        format!("{name}:{}", self.any(item, verb, go::type_name(item)))
                    })
                    .collect();
                format!("map[{}]", shown.join(" "))
            }
            _ => bad(),
        }
    }

    fn string(&self, text: &str, verb: char) -> Option<String> {
        let cut: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        let hex = |upper: bool| -> String {
            cut.bytes().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
        };
        Some(self.pad(match verb {
            's' | 'v' => cut,
            'q' => format!("{cut:?}"),
            'x' => hex(false),
            'X' => hex(true),
            _ => return None,
        }))
    }

    fn whole(&self, number: i64, verb: char) -> Option<String> {
        let size = number.unsigned_abs();
        let (mut digits, prefix) = match verb {
            'd' | 'v' => (size.to_string(), ""),
            'b' => (format!("{size:b}"), "0b"),
            'o' => (format!("{size:o}"), "0"),
            'O' => (format!("{size:o}"), "0o"),
            'x' => (format!("{size:x}"), "0x"),
            'X' => (format!("{size:X}"), "0X"),
            'c' | 'q' | 'U' => {
                let letter = u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
                return Some(self.pad(match verb {
                    'c' => letter.to_string(),
                    'q' => format!("{letter:?}"),
                    _ => format!("U+{number:04X}"),
                }));
            }
            _ => return None,
        };
        let sign = self.sign(number < 0);
        let prefix = if self.sharp || verb == 'O' { prefix } else { "" };
        let least = match self.precision {
            None if self.zero => self.width.unwrap_or(0).saturating_sub(sign.len() + prefix.len()),
            precision => precision.unwrap_or(0),
        };
        digits.insert_str(0, &"0".repeat(least.saturating_sub(digits.len())));
        Some(self.pad_with_blanks(format!("{sign}{prefix}{digits}")))
    }

    fn sign(&self, is_negative: bool) -> &'static str {
        match is_negative {
            true => "-",
            false if self.plus => "+",
            false if self.space => " ",
            false => "",
        }
    }

    fn pad_with_blanks(&self, text: String) -> String {
        Spec { minus: self.minus, width: self.width, ..Spec::default() }.pad(text)
    }

    fn float(&self, number: f64, verb: char) -> Option<String> {
        let size = number.abs();
        let digits = match verb {
            'f' | 'F' => format!("{size:.*}", self.precision.unwrap_or(6)),
            'e' | 'E' => exponent(&format!("{size:.*e}", self.precision.unwrap_or(6))),
            'g' | 'G' | 'v' => match self.precision {
                None => go::float(size),
                Some(precision) => significant(size, precision.max(1)),
            },
            _ => return None,
        };
        let digits = if matches!(verb, 'E' | 'G') { digits.to_uppercase() } else { digits };
        let sign = self.sign(number.is_sign_negative());
        if !self.zero {
            return Some(self.pad_with_blanks(format!("{sign}{digits}")));
        }
        let width = self.width.map(|width| width.saturating_sub(sign.len()));
        Some(format!("{sign}{}", Spec { zero: true, width, ..Spec::default() }.pad(digits)))
    }
}

/// `1.5e3` as Go writes it: `1.5e+03`.
fn exponent(text: &str) -> String {
    let (digits, power) = text.split_once('e').unwrap_or((text, "0"));
    let power: i32 = power.parse().unwrap_or_default();
    format!("{digits}e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs())
}

/// A number with so many digits that count, without zeros at its end.
fn significant(size: f64, precision: usize) -> String {
    let text = format!("{size:.*e}", precision - 1);
    let power: i32 = text.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or_default();
    let shortened = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-4..precision as i32).contains(&power) {
        let decimals = (precision as i32 - 1 - power).max(0) as usize;
        return shortened(&format!("{size:.decimals$}"));
    }
    let digits = text.split_once('e').map_or(text.as_str(), |(digits, _)| digits);
    exponent(&format!("{}e{power}", shortened(digits)))
}
