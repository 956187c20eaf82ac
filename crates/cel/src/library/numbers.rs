//! Operators on numbers and on what is ordered.

use std::cmp::Ordering;

use super::Result;
use crate::eval::Error;
use crate::value::Value;

pub(super) fn call(name: &str, _member: bool, args: &[Value]) -> Option<Result> {
    Some(match (name, args) {
        ("!_", [Value::Bool(flag)]) => Ok(Value::Bool(!flag)),
        ("-_", [Value::Int(number)]) => checked(number.checked_neg().map(Value::Int)),
        ("-_", [Value::Double(number)]) => Ok(Value::Double(-number)),
        ("_==_", [one, other]) => Ok(Value::Bool(one == other)),
        ("_!=_", [one, other]) => Ok(Value::Bool(one != other)),
        ("_<_", [one, other]) => ordered(one, other, &[Ordering::Less]),
        ("_<=_", [one, other]) => ordered(one, other, &[Ordering::Less, Ordering::Equal]),
        ("_>_", [one, other]) => ordered(one, other, &[Ordering::Greater]),
        ("_>=_", [one, other]) => ordered(one, other, &[Ordering::Greater, Ordering::Equal]),
        (_, [Value::Int(one), Value::Int(other)]) => return int(name, *one, *other),
        (_, [Value::Uint(one), Value::Uint(other)]) => return uint(name, *one, *other),
        (_, [Value::Double(one), Value::Double(other)]) => Ok(Value::Double(match name {
            "_+_" => one + other,
            "_-_" => one - other,
            "_*_" => one * other,
            "_/_" => one / other,
            _ => return None,
        })),
        _ => return None,
    })
}

fn ordered(one: &Value, other: &Value, wanted: &[Ordering]) -> Result {
    match one.order(other) {
        Some(order) => Ok(Value::Bool(wanted.contains(&order))),
        // Nothing is less or greater than "not a number".
        None if matches!((one, other), (Value::Double(_), _) | (_, Value::Double(_))) => Ok(Value::Bool(false)),
        None => Err(Error::no_overload()),
    }
}

fn checked(value: Option<Value>) -> Result {
    value.ok_or_else(|| Error::new("integer overflow"))
}

fn int(name: &str, one: i64, other: i64) -> Option<Result> {
    let result = match name {
        "_+_" => one.checked_add(other),
        "_-_" => one.checked_sub(other),
        "_*_" => one.checked_mul(other),
        "_/_" if other == 0 => return Some(Err(Error::new("division by zero"))),
        "_/_" => one.checked_div(other),
        "_%_" if other == 0 => return Some(Err(Error::new("modulus by zero"))),
        "_%_" => one.checked_rem(other),
        _ => return None,
    };
    Some(checked(result.map(Value::Int)))
}

fn uint(name: &str, one: u64, other: u64) -> Option<Result> {
    let result = match name {
        "_+_" => one.checked_add(other),
        "_-_" => one.checked_sub(other),
        "_*_" => one.checked_mul(other),
        "_/_" if other == 0 => return Some(Err(Error::new("division by zero"))),
        "_/_" => one.checked_div(other),
        "_%_" if other == 0 => return Some(Err(Error::new("modulus by zero"))),
        "_%_" => one.checked_rem(other),
        _ => return None,
    };
    Some(result.map(Value::Uint).ok_or_else(|| Error::new("unsigned integer overflow")))
}
