//! `'%s has %d'.format([name, count])`

use super::{Result, convert::text_of};
use crate::eval::Error;
use crate::value::{Key, Value};

pub(super) fn format(template: &str, values: &[Value]) -> Result {
    let mut text = String::new();
    let count = values.len();
    let mut values = values.iter();
    let mut characters = template.chars().peekable();
    while let Some(c) = characters.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let mut precision = None;
        if characters.next_if_eq(&'.').is_some() {
            let mut digits = String::new();
            while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            precision = digits.parse::<usize>().ok();
        }
        let Some(verb) = characters.next() else {
            return Err(Error::new("unexpected end of string"));
        };
        if verb == '%' {
            text.push('%');
            continue;
        }
        let Some(value) = values.next() else {
            return Err(Error::new(format!("index {count} out of range")));
        };
        match clause(verb, precision, value) {
            Some(part) => text.push_str(&part),
            None if "sdfexXob".contains(verb) => {
                let kind = value.type_name();
                return Err(Error::new(format!(
                    "error during formatting: {} clause can only be used on {}, was given {kind}",
                    name_of(verb),
                    wanted(verb)
                )));
            }
            None => {
                let text = format!("could not parse formatting clause: unrecognized formatting clause \"{verb}\"");
                return Err(Error::new(text));
            }
        }
    }
    Ok(text.into())
}

fn name_of(verb: char) -> &'static str {
    match verb {
        'd' => "decimal",
        'f' => "fixed-point",
        'e' => "scientific",
        'b' => "binary",
        'o' => "octal",
        's' => "string",
        _ => "hex",
    }
}

fn wanted(verb: char) -> &'static str {
    match verb {
        'f' | 'e' => "doubles",
        'b' => "integers and bools",
        'x' | 'X' => "integers, byte buffers, and strings",
        _ => "integers",
    }
}

fn clause(verb: char, precision: Option<usize>, value: &Value) -> Option<String> {
    let precision = precision.unwrap_or(6);
    Some(match (verb, value) {
        ('s', value) => shown(value)?,
        ('d', Value::Int(number)) => number.to_string(),
        ('d', Value::Uint(number)) => number.to_string(),
        ('f', Value::Double(number)) => format!("{number:.precision$}"),
        ('f', Value::Int(number)) => format!("{:.precision$}", *number as f64),
        ('e', Value::Double(number)) => scientific(*number, precision),
        ('x', Value::Int(number)) => format!("{number:x}"),
        ('X', Value::Int(number)) => format!("{number:X}"),
        ('x', Value::Uint(number)) => format!("{number:x}"),
        ('X', Value::Uint(number)) => format!("{number:X}"),
        ('x', Value::String(text)) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ('X', Value::String(text)) => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
        ('x', Value::Bytes(bytes)) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        ('X', Value::Bytes(bytes)) => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
        ('o', Value::Int(number)) => format!("{number:o}"),
        ('o', Value::Uint(number)) => format!("{number:o}"),
        ('b', Value::Int(number)) => format!("{number:b}"),
        ('b', Value::Uint(number)) => format!("{number:b}"),
        ('b', Value::Bool(flag)) => u8::from(*flag).to_string(),
        _ => return None,
    })
}

fn scientific(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let (sign, digits) = exponent.strip_prefix('-').map_or(("+", exponent), |digits| ("-", digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// What `%s` shows: lists and maps too.
fn shown(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "null".into(),
        Value::Type(name) => (*name).into(),
        Value::List(items) => {
            let items = items.iter().map(shown).collect::<Option<Vec<_>>>()?;
            format!("[{}]", items.join(", "))
        }
        Value::Map(fields) => {
            let entry = |(key, value): (&Key, &Value)| Some(format!("{}: {}", shown(&key.to_value())?, shown(value)?));
            format!("{{{}}}", fields.iter().map(entry).collect::<Option<Vec<_>>>()?.join(", "))
        }
        other => text_of(other)?,
    })
}
