//! Conversions between types, sizes, and what types are called.

use std::rc::Rc;

use super::{Result, time};
use crate::eval::Error;
use crate::value::Value;

const TYPES: [&str; 12] = [
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
];

/// The type that a name stands for.
pub(crate) fn type_named(name: &str) -> Option<Value> {
    TYPES.iter().find(|other| **other == name).map(|name| Value::Type(name))
}

pub(super) fn call(name: &str, _member: bool, args: &[Value]) -> Option<Result> {
    let [value] = args else { return None };
    Some(match name {
        "dyn" => Ok(value.clone()),
        "type" => Ok(Value::Type(value.type_name())),
        "size" => size(value),
        "int" => int(value),
        "uint" => uint(value),
        "double" => double(value),
        "bool" => match value {
            Value::Bool(_) => Ok(value.clone()),
            Value::String(text) => match &**text {
                "1" | "t" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
                "0" | "f" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
                _ => Err(Error::new(format!("type conversion error from 'string' to 'bool': {text:?}"))),
            },
            _ => Err(Error::no_overload()),
        },
        "string" => text_of(value).map(Value::from).ok_or_else(Error::no_overload),
        "bytes" => match value {
            Value::Bytes(_) => Ok(value.clone()),
            Value::String(text) => Ok(Value::Bytes(text.as_bytes().into())),
            _ => Err(Error::no_overload()),
        },
        "timestamp" => time::timestamp(value),
        "duration" => time::duration(value),
        "optional.of" => Ok(Value::some(value.clone())),
        "optional.ofNonZeroValue" if value.is_zero() => Ok(Value::Optional(None)),
        "optional.ofNonZeroValue" => Ok(Value::some(value.clone())),
        _ => return None,
    })
}

fn size(value: &Value) -> Result {
    let size = match value {
        Value::String(text) => text.chars().count(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.len(),
        Value::Map(fields) => fields.len(),
        _ => return Err(Error::no_overload()),
    };
    Ok(Value::Int(size as i64))
}

fn int(value: &Value) -> Result {
    let overflow = || Error::new("integer overflow");
    match value {
        Value::Int(_) => Ok(value.clone()),
        Value::Uint(number) => i64::try_from(*number).map(Value::Int).map_err(|_| overflow()),
        Value::Double(number) if number.is_nan() || number.abs() >= 9.223_372_036_854_775e18 => Err(overflow()),
        Value::Double(number) => Ok(Value::Int(*number as i64)),
        Value::String(text) => text.parse().map(Value::Int).map_err(|_| parse_error("ParseInt", text)),
        Value::Timestamp(moment) => Ok(Value::Int(moment.as_second())),
        Value::Duration(nanoseconds) => Ok(Value::Int(*nanoseconds)),
        _ => Err(Error::no_overload()),
    }
}

fn uint(value: &Value) -> Result {
    let overflow = || Error::new("unsigned integer overflow");
    match value {
        Value::Uint(_) => Ok(value.clone()),
        Value::Int(number) => u64::try_from(*number).map(Value::Uint).map_err(|_| overflow()),
        Value::Double(number) if !(0.0..1.844_674_407_370_955e19).contains(number) => Err(overflow()),
        Value::Double(number) => Ok(Value::Uint(*number as u64)),
        Value::String(text) => text.parse().map(Value::Uint).map_err(|_| parse_error("ParseUint", text)),
        _ => Err(Error::no_overload()),
    }
}

fn double(value: &Value) -> Result {
    match value {
        Value::Double(_) => Ok(value.clone()),
        Value::Int(number) => Ok(Value::Double(*number as f64)),
        Value::Uint(number) => Ok(Value::Double(*number as f64)),
        Value::String(text) => text.parse().map(Value::Double).map_err(|_| parse_error("ParseFloat", text)),
        _ => Err(Error::no_overload()),
    }
}

fn parse_error(function: &str, text: &Rc<str>) -> Error {
    Error::new(format!("strconv.{function}: parsing {text:?}: invalid syntax"))
}

/// What `string(value)` yields.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Bytes(bytes) => String::from_utf8(bytes.to_vec()).ok()?,
        Value::Timestamp(moment) => moment.to_string(),
        Value::Duration(nanoseconds) => time::duration_text(*nanoseconds),
        Value::Ip(address) => address.to_string(),
        Value::Cidr(address, length) => format!("{address}/{length}"),
        _ => return None,
    })
}
