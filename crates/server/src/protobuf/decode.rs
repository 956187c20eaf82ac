//! From a message to the JSON that a client would have sent instead.

use base64::Engine as _;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::table::{Field, Place, Shape, Type, fields};
use super::wire::{Reader, Wire};

/// Deeper than any built-in type goes, but for schemas in schemas.
const DEPTH_MAX: u32 = 200;

/// Reads a message of the table. `Err` is gogo/protobuf's complaint.
pub fn message(name: &str, bytes: &[u8]) -> Result<Value, String> {
    read(name, bytes, 0)
}

fn read(name: &str, bytes: &[u8], depth: u32) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err("exceeded max depth".into());
    }
    let fields = fields(name);
    let mut object = Map::new();
    let mut whole = None;
    let mut reader = Reader(bytes);
    while let Some(next) = reader.next() {
        let (number, wire) = next?;
        // What a newer client knows and we do not is passed over, as upstream does.
        let Some(field) = fields.iter().find(|field| field.number == number) else { continue };
        match (field.place, field.ty) {
            (Place::Named(name), _) => add(&mut object, name, field, wire, depth)?,
            (Place::Inline, Type::Message(inner)) => {
                if let Value::Object(inner) = read(inner, bytes_of(wire)?, depth + 1)? {
                    object.extend(inner);
                }
            }
            (Place::Inline | Place::Whole, _) => {
                let item = value(field.ty, wire, depth)?;
                match (field.shape, &mut whole) {
                    (Shape::List, Some(Value::Array(items))) => items.push(item),
                    (Shape::List, _) => whole = Some(Value::Array(vec![item])),
                    _ => whole = Some(item),
                }
            }
            // No client sends what has these.
            (Place::WholeIf(..) | Place::Prefixed(_), _) => {}
        }
    }
    Ok(whole.unwrap_or(Value::Object(object)))
}

fn add(
    object: &mut Map<String, Value>,
    name: &'static str,
    field: &Field,
    wire: Wire,
    depth: u32,
) -> Result<(), String> {
    match field.shape {
        Shape::List => {
            let list = object.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            let Value::Array(items) = list else { return Ok(()) };
            match (wire, field.ty) {
                (Wire::Bytes(packed), Type::Bool | Type::Int32 | Type::Int64) => {
                    let mut reader = Reader(packed);
                    while !reader.0.is_empty() {
                        items.push(value(field.ty, Wire::Varint(reader.varint()?), depth)?);
                    }
                }
                _ => items.push(value(field.ty, wire, depth)?),
            }
        }
        Shape::Map => {
            let (key, entry) = map_entry(field.ty, bytes_of(wire)?, depth)?;
            let map = object.entry(name).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(entries) = map {
                entries.insert(key, entry);
            }
        }
        Shape::One | Shape::Pointer => {
            let value = value(field.ty, wire, depth)?;
            let may_be_zero = field.shape == Shape::Pointer || field.ty == Type::IntOrString;
            if !value.is_null() && (may_be_zero || !is_zero(&value)) {
                object.insert(name.into(), value);
            }
        }
    }
    Ok(())
}

/// gogo/protobuf writes what Go's `omitempty` leaves out.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Bool(set) => !set,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    }
}

fn map_entry(ty: Type, bytes: &[u8], depth: u32) -> Result<(String, Value), String> {
    let (mut key, mut entry) = (String::new(), value(ty, Wire::Bytes(&[]), depth).unwrap_or_default());
    let mut reader = Reader(bytes);
    while let Some(next) = reader.next() {
        match next? {
            (1, wire) => key = text(wire)?,
            (2, wire) => entry = value(ty, wire, depth)?,
            _ => {}
        }
    }
    Ok((key, entry))
}

fn value(ty: Type, wire: Wire, depth: u32) -> Result<Value, String> {
    Ok(match ty {
        Type::String => text(wire)?.into(),
        Type::Bool => (number(wire)? != 0).into(),
        Type::Int32 => (number(wire)? as i32).into(),
        Type::Int64 => (number(wire)? as i64).into(),
        Type::Double => match wire {
            Wire::Fixed64(bits) => f64::from_bits(bits).into(),
            _ => return Err(wrong_wire()),
        },
        Type::Bytes => base64::engine::general_purpose::STANDARD.encode(bytes_of(wire)?).into(),
        Type::Quantity => part(bytes_of(wire)?, 1)?.map_or(Ok(Value::Null), |wire| text(wire).map(Value::from))?,
        Type::IntOrString => int_or_string(bytes_of(wire)?)?,
        Type::Time => time(bytes_of(wire)?, 0)?,
        Type::MicroTime => time(bytes_of(wire)?, 6)?,
        Type::Json => match part(bytes_of(wire)?, 1)? {
            Some(raw) => json(bytes_of(raw)?)?,
            None => Value::Null,
        },
        Type::Yaml => part(bytes_of(wire)?, 2)?.map_or(Ok(Value::Null), |wire| text(wire).map(Value::from))?,
        Type::Message(name) => read(name, bytes_of(wire)?, depth + 1)?,
    })
}

/// Objects in objects come as JSON or in an envelope of their own.
fn json(raw: &[u8]) -> Result<Value, String> {
    match super::decode(raw) {
        Ok(object) => Ok(object),
        Err(_) => serde_json::from_slice(raw).map_err(|error| error.to_string()),
    }
}

fn int_or_string(bytes: &[u8]) -> Result<Value, String> {
    let is_string = part(bytes, 1)?.map_or(Ok(0), number)? == 1;
    Ok(match (is_string, part(bytes, 2)?, part(bytes, 3)?) {
        (true, _, written) => written.map_or(Ok(String::new()), text)?.into(),
        (false, written, _) => (written.map_or(Ok(0), number)? as i32).into(),
    })
}

/// Nothing but zeros is the zero time: `null`.
fn time(bytes: &[u8], digits: usize) -> Result<Value, String> {
    let seconds = part(bytes, 1)?.map_or(Ok(0), number)? as i64;
    let nanoseconds = part(bytes, 2)?.map_or(Ok(0), number)? as i32;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let moment = Timestamp::new(seconds, nanoseconds).map_err(|error| error.to_string())?;
    let nanoseconds = if digits == 0 { 0 } else { moment.subsec_nanosecond() };
    let moment = Timestamp::new(moment.as_second(), nanoseconds).map_err(|error| error.to_string())?;
    Ok(if digits == 0 { moment.to_string() } else { format!("{moment:.digits$}") }.into())
}

/// The last field of a number: scalars that are repeated overwrite each other.
pub fn part(bytes: &[u8], wanted: u32) -> Result<Option<Wire<'_>>, String> {
    let mut reader = Reader(bytes);
    let mut found = None;
    while let Some(next) = reader.next() {
        let (number, wire) = next?;
        if number == wanted {
            found = Some(wire);
        }
    }
    Ok(found)
}

fn number(wire: Wire) -> Result<u64, String> {
    match wire {
        Wire::Varint(value) => Ok(value),
        _ => Err(wrong_wire()),
    }
}

pub fn bytes_of(wire: Wire<'_>) -> Result<&[u8], String> {
    match wire {
        Wire::Bytes(bytes) => Ok(bytes),
        _ => Err(wrong_wire()),
    }
}

/// Go's strings may hold any bytes; JSON's may not.
pub fn text(wire: Wire) -> Result<String, String> {
    bytes_of(wire).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn wrong_wire() -> String {
    "proto: wrong wireType".into()
}
