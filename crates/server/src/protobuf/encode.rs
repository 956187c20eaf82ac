//! From JSON to the message that says the same.

use base64::Engine as _;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::table::{Field, Place, Shape, Type, fields};
use super::wire::{write_bytes, write_double, write_number};

/// Writes an object as a message of the table. What the table does not know is left out.
pub fn message(name: &str, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    for field in fields(name) {
        match field.place {
            Place::Named(name) => write(&mut out, field, value.get(name).unwrap_or(&Value::Null)),
            Place::Inline => {
                let Type::Message(inner) = field.ty else { continue };
                let inner = message(inner, value);
                if !inner.is_empty() {
                    write_bytes(&mut out, field.number, &inner);
                }
            }
            Place::Whole if stands_for(field, value) => write(&mut out, field, value),
            Place::WholeIf(name, text) if value[name] == text => write(&mut out, field, value),
            Place::Whole | Place::WholeIf(..) => {}
            Place::Prefixed(prefix) => {
                let entries = value.as_object().into_iter().flatten();
                let prefixed = entries.filter(|(name, _)| name.starts_with(prefix));
                let map = prefixed.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>();
                write(&mut out, field, &Value::Object(map));
            }
        }
    }
    out
}

/// Which of a union's members a value is.
fn stands_for(field: &Field, value: &Value) -> bool {
    match (field.shape, field.ty) {
        (Shape::List, _) => value.is_array(),
        (_, Type::String) => value.is_string(),
        (_, Type::Bool) => value.is_boolean() || value.is_object(),
        _ => value.is_object(),
    }
}

fn write(out: &mut Vec<u8>, field: &Field, value: &Value) {
    match (field.shape, value) {
        (_, Value::Null) => {}
        (Shape::List, Value::Array(items)) => items.iter().for_each(|item| write_one(out, field, item)),
        (Shape::Map, Value::Object(entries)) => {
            for (key, value) in entries {
                let mut entry = Vec::new();
                write_bytes(&mut entry, 1, key.as_bytes());
                write_one(&mut entry, &Field { number: 2, ..*field }, value);
                write_bytes(out, field.number, &entry);
            }
        }
        (Shape::One | Shape::Pointer, value) => write_one(out, field, value),
        _ => {}
    }
}

fn write_one(out: &mut Vec<u8>, field: &Field, value: &Value) {
    let number = field.number;
    let text = value.as_str().unwrap_or_default();
    match field.ty {
        Type::String => write_bytes(out, number, text.as_bytes()),
        // A schema where a boolean could be stands for "true".
        Type::Bool => write_number(out, number, value.as_bool().unwrap_or(value.is_object()).into()),
        Type::Int32 | Type::Int64 => write_number(out, number, value.as_i64().unwrap_or(0) as u64),
        Type::Double => write_double(out, number, value.as_f64().unwrap_or(0.0)),
        Type::Bytes => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default();
            write_bytes(out, number, &bytes);
        }
        Type::Quantity => wrap(out, number, text.as_bytes()),
        Type::IntOrString => write_bytes(out, number, &int_or_string(value)),
        Type::Time | Type::MicroTime => write_bytes(out, number, &time(text)),
        Type::Json => wrap(out, number, value.to_string().as_bytes()),
        Type::Yaml => {
            let mut any = Vec::new();
            write_bytes(&mut any, 2, value.to_string().as_bytes());
            write_bytes(out, number, &any);
        }
        Type::Message(name) => write_bytes(out, number, &message(name, value)),
    }
}

/// A message whose only field holds the bytes.
fn wrap(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    let mut inner = Vec::new();
    write_bytes(&mut inner, 1, bytes);
    write_bytes(out, number, &inner);
}

fn int_or_string(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write_number(&mut out, 1, value.is_string().into());
    write_number(&mut out, 2, value.as_i64().unwrap_or(0) as u64);
    write_bytes(&mut out, 3, value.as_str().unwrap_or_default().as_bytes());
    out
}

fn time(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    if let Ok(moment) = text.parse::<Timestamp>() {
        write_number(&mut out, 1, moment.as_second() as u64);
        write_number(&mut out, 2, moment.subsec_nanosecond() as u64);
    }
    out
}
