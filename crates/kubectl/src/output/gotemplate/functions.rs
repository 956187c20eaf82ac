//! The functions of templates: Go's, and kubectl's `exists` and `base64decode`. Upstream: `text/template/funcs.go`.

use api::go;
use serde_json::Value;

use super::format::{printf, sprint};
use super::run::{Data, DataKind};

pub(super) const FUNCTIONS: [&str; 21] = [
    "and",
    "base64decode",
    "call",
    "eq",
    "exists",
    "ge",
    "gt",
    "html",
    "index",
    "js",
    "le",
    "len",
    "lt",
    "ne",
    "not",
    "or",
    "print",
    "printf",
    "println",
    "slice",
    "urlquery",
];

/// How many arguments a function needs at least, and how many it takes; `None` for any number.
pub(super) fn arity(name: &str) -> (usize, Option<usize>) {
    match name {
        "len" | "not" | "base64decode" => (1, Some(1)),
        "ne" | "lt" | "le" | "gt" | "ge" => (2, Some(2)),
        "html" | "js" | "urlquery" | "print" | "println" => (0, None),
        _ => (1, None),
    }
}

/// This argument must be a text.
pub(super) fn wants_text(name: &str, at: usize) -> bool {
    at == 0 && matches!(name, "printf" | "base64decode")
}

type Outcome = Result<Data, String>;

/// The result of a function; `callee` is what its first argument is called.
pub(super) fn call(name: &str, callee: &str, args: Vec<Data>) -> Outcome {
    let first = args.first().cloned().unwrap_or(Data::MISSING);
    match name {
        // Those that decide have been decided.
        "and" | "or" => Ok(args.into_iter().last().unwrap_or(Data::MISSING)),
        "not" => Ok(Data::of(!first.is_true())),
        "call" if first.is_missing() => Err("call of nil".into()),
        "call" => Err(format!("non-function {callee} of type {}", first.type_name())),
        "len" => length(&first),
        "index" => index(first, &args[1..]),
        "slice" => slice(&first, &args[1..]),
        "eq" => equal(&first, &args[1..]).map(Data::of),
        "ne" => equal(&first, &args[1..]).map(|equal| Data::of(!equal)),
        "lt" | "le" | "gt" | "ge" => {
            let (left, right) = (first.value(), args[1].value());
            let order = go::compare(&left, &right)?;
            if left.is_boolean() {
                return Err("invalid type for comparison".into());
            }
            let Some(order) = order else { return Ok(Data::of(false)) };
            Ok(Data::of(match name {
                "lt" => order.is_lt(),
                "le" => order.is_le(),
                "gt" => order.is_gt(),
                _ => order.is_ge(),
            }))
        }
        "exists" => Ok(Data::of(
            args[1..]
                .iter()
                .try_fold(first, |value, key| index(value, std::slice::from_ref(key)).ok())
                .is_some_and(|found| !found.is_missing()),
        )),
        "print" => Ok(Data::of(sprint(&args))),
        "println" => {
            let texts: Vec<String> = args.iter().map(|arg| go::text(&arg.value())).collect();
            Ok(Data::of(texts.join(" ") + "\n"))
        }
        "printf" => Ok(Data::of(printf(first.value().as_str().unwrap_or_default(), &args[1..]))),
        "base64decode" => base64(first.value().as_str().unwrap_or_default()).map(Data::of),
        "html" => {
            const ESCAPES: [(&str, &str); 5] =
                [("&", "&amp;"), ("\"", "&#34;"), ("'", "&#39;"), ("<", "&lt;"), (">", "&gt;")];
            Ok(Data::of(ESCAPES.iter().fold(printed(args), |text, (from, to)| text.replace(from, to))))
        }
        "js" => Ok(Data::of(printed(args).chars().map(js_escape).collect::<String>())),
        _ => Ok(Data::of(url_query(&printed(args)))),
    }
}

/// Arguments as an action prints them.
fn printed(args: Vec<Data>) -> String {
    let shown = |arg: Data| if arg.is_missing() { Data::of("<no value>") } else { arg };
    sprint(&args.into_iter().map(shown).collect::<Vec<_>>())
}

fn length(item: &Data) -> Outcome {
    let length = match &item.kind {
        DataKind::Missing => return Err("reflect: call of reflect.Value.Type on zero Value".into()),
        DataKind::Value(Value::Null) => return Err("len of nil pointer".into()),
        DataKind::Value(Value::Array(items)) => items.len(),
        DataKind::Value(Value::Object(fields)) => fields.len(),
        DataKind::Value(Value::String(text)) => text.len(),
        _ => return Err(format!("len of type {}", item.type_name())),
    };
    Ok(Data::int(length as i64))
}

/// A position up to so many.
fn position(index: &Data, most: usize) -> Result<usize, String> {
    match index.value() {
        Value::Null => Err("cannot index slice/array with nil".into()),
        Value::Number(number) if !number.is_f64() => {
            let at = number.as_u64().and_then(|at| usize::try_from(at).ok()).filter(|at| *at <= most);
            at.ok_or_else(|| format!("index out of range: {number}"))
        }
        _ => Err(format!("cannot index slice/array with type {}", index.type_name())),
    }
}

fn index(item: Data, indexes: &[Data]) -> Outcome {
    if item.is_missing() {
        return Err("index of untyped nil".into());
    }
    indexes.iter().try_fold(item, |item, index| {
        let type_name = item.type_name();
        match &item.kind {
            DataKind::Missing | DataKind::Value(Value::Null) => Err("index of nil pointer".into()),
            DataKind::Value(Value::Array(items)) => {
                let found = items.get(position(index, items.len())?);
                found.map(Data::boxed).ok_or_else(|| "reflect: slice index out of range".into())
            }
            DataKind::Value(Value::String(text)) => {
                let found = text.as_bytes().get(position(index, text.len())?);
                found.map(|byte| Data::of(*byte)).ok_or_else(|| "reflect: string index out of range".into())
            }
            DataKind::Value(Value::Object(fields)) => match index.value() {
                Value::String(name) => Ok(Data::boxed(fields.get(&name).unwrap_or(&Value::Null))),
                Value::Null => Err("value is nil; should be of type string".into()),
                _ => Err(format!("value has type {}; should be string", index.type_name())),
            },
            _ => Err(format!("can't index item of type {type_name}")),
        }
    })
}

fn slice(item: &Data, indexes: &[Data]) -> Outcome {
    let value = item.value();
    let length = match &value {
        Value::Null => return Err("slice of untyped nil".into()),
        _ if indexes.len() > 3 => return Err(format!("too many slice indexes: {}", indexes.len())),
        Value::String(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Value::String(text) => text.len(),
        Value::Array(items) => items.len(),
        _ => return Err(format!("can't slice item of type {}", item.type_name())),
    };
    let bounds = indexes.iter().map(|index| position(index, length)).collect::<Result<Vec<_>, _>>()?;
    let (from, to) = (bounds.first().copied().unwrap_or(0), bounds.get(1).copied().unwrap_or(length));
    if let Some((low, high)) = Some((from, to)).filter(|(low, high)| low > high) {
        return Err(format!("invalid slice index: {low} > {high}"));
    }
    Ok(match &value {
        Value::Array(items) => Data::of(items[from..to].to_vec()),
        Value::String(text) => Data::of(String::from_utf8_lossy(&text.as_bytes()[from..to]).into_owned()),
        _ => Data::MISSING,
    })
}

/// Whether the first is one of the others.
fn equal(first: &Data, others: &[Data]) -> Result<bool, String> {
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    let left = first.value();
    for other in others {
        let right = other.value();
        let is_same = match (&left, &right) {
            (Value::Null, _) | (_, Value::Null) => left == right,
            (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_)) => {
                return Err(format!("non-comparable type {}: {}", go::text(&right), other.type_name()));
            }
            (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => {
                return Err("incompatible types for comparison".into());
            }
            _ => go::compare(&left, &right)?.is_some_and(|order| order.is_eq()),
        };
        if is_same {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Upstream says at which byte a text stops to be base64.
fn base64(text: &str) -> Result<String, String> {
    let bytes = crate::output::base64_decode(text);
    bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).ok_or_else(|| {
        let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'\r' | b'\n');
        let wrong = text.bytes().position(|byte| !is_digit(byte)).unwrap_or(text.len() / 4 * 4);
        format!("base64 decode failed: illegal base64 data at input byte {wrong}")
    })
}

fn js_escape(c: char) -> String {
    match c {
        '\\' => "\\\\".into(),
        '\'' => "\\'".into(),
        '"' => "\\\"".into(),
        c if c < ' ' || matches!(c, '<' | '>' | '&' | '=') => format!("\\u{:04X}", u32::from(c)),
        c => c.into(),
    }
}

/// A text as a query's value: blanks become `+`.
fn url_query(text: &str) -> String {
    let escaped = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escaped).collect()
}
