//! Values as Go's `fmt` and `strconv` write and read them, and as its templates compare them.

use std::cmp::Ordering;

use serde_json::Value;

/// A value as `fmt.Sprint` writes it: `map[a:b]`, `[a b]`, `<nil>`.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(" ")),
        Value::Object(fields) => {
            let shown: Vec<String> = fields.iter().map(|(name, value)| format!("{name}:{}", text(value))).collect();
            format!("map[{}]", shown.join(" "))
        }
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(value) => float(value),
            None => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// A floating-point number in its shortest form; large and small ones have an exponent.
pub fn float(value: f64) -> String {
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let power: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&power) {
        return value.to_string();
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", power.abs())
}

/// How two values of one basic kind compare, as Go's templates compare them. `None` for what is no number.
pub fn compare(left: &Value, right: &Value) -> Result<Option<Ordering>, &'static str> {
    let is_basic = |value: &Value| !matches!(value, Value::Null | Value::Array(_) | Value::Object(_));
    if !is_basic(left) || !is_basic(right) {
        return Err("invalid type for comparison");
    }
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Ok(Some(left.cmp(right))),
        (Value::String(left), Value::String(right)) => Ok(Some(left.cmp(right))),
        (Value::Number(a), Value::Number(b)) if a.is_f64() == b.is_f64() => Ok(match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => left.as_f64().partial_cmp(&right.as_f64()),
        }),
        _ => Err("incompatible types for comparison"),
    }
}

/// The name of the Go type that a value has in an unstructured object.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
    }
}

/// `unicode.IsPrint`, as far as it can be told without its tables.
pub fn is_printed(character: char) -> bool {
    let is_format = matches!(
        character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
            | '\u{e000}'..='\u{f8ff}'
    );
    character == ' ' || !(character.is_control() || character.is_whitespace() || is_format)
}

/// A text as `%q` writes it.
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            shown if is_printed(shown) => quoted.push(shown),
            other if other.is_ascii() => quoted.push_str(&format!("\\x{:02x}", u32::from(other))),
            other if u32::from(other) <= 0xffff => quoted.push_str(&format!("\\u{:04x}", u32::from(other))),
            other => quoted.push_str(&format!("\\U{:08x}", u32::from(other))),
        }
    }
    quoted + "\""
}

/// Undoes the escapes of a Go string between quotes of this kind; `None` for what Go would not read.
pub fn unquote(text: &str, quote: char) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    let number = |rest: &mut &str, digits: usize, base: u32| {
        let (text, after) = rest.split_at_checked(digits)?;
        *rest = after;
        u32::from_str_radix(text, base).ok()
    };
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let (character, escaped) = match (c, after.chars().next()) {
            (c, _) if c == quote => return None,
            ('\\', escape) => (escape?, true),
            (c, _) => (c, false),
        };
        if !escaped {
            rest = after;
            bytes.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        rest = &after[character.len_utf8()..];
        match character {
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            't' => bytes.push(b'\t'),
            'n' => bytes.push(b'\n'),
            'v' => bytes.push(11),
            'f' => bytes.push(12),
            'r' => bytes.push(b'\r'),
            '\\' => bytes.push(b'\\'),
            'x' => bytes.push(u8::try_from(number(&mut rest, 2, 16)?).ok()?),
            '0'..='7' => {
                rest = after;
                bytes.push(u8::try_from(number(&mut rest, 3, 8)?).ok()?);
            }
            'u' | 'U' => {
                let digits = if character == 'u' { 4 } else { 8 };
                let letter = char::from_u32(number(&mut rest, digits, 16)?)?;
                bytes.extend(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
            c if c == quote => bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_escapes() {
        assert_eq!(
            [1.5, 1e21, 1e-7, 1000.0, 1_234_567.5].map(float),
            ["1.5", "1e+21", "1e-07", "1000", "1.2345675e+06"]
        );
        assert_eq!(unquote(r#"a\tb\u0041\x41\101\""#, '"').as_deref(), Some("a\tbAAA\""));
        assert_eq!(quote("a\"\\\n\u{7}\u{1}é\u{a0}"), r#""a\"\\\n\a\x01é\u00a0""#);
        assert_eq!(unquote(r"\q", '"'), None);
        assert_eq!(unquote(r"\'", '"'), None);
    }
}
