//! Lists, maps, sets and optional values.

use std::cmp::Ordering;
use std::rc::Rc;

use super::Result;
use crate::eval::Error;
use crate::value::{Key, Value};

pub(super) fn call(name: &str, _member: bool, args: &[Value]) -> Option<Result> {
    Some(match (name, args) {
        ("@in", [one, Value::List(items)]) => Ok(Value::Bool(items.contains(one))),
        ("@in", [one, Value::Map(map)]) => Ok(Value::Bool(Key::of(one).is_some_and(|key| map.contains_key(&key)))),
        ("_+_", [Value::List(one), Value::List(other)]) => Ok(Value::list(one.iter().chain(other.iter()).cloned())),
        ("isSorted", [Value::List(items)]) => {
            Ok(Value::Bool(items.is_sorted_by(|one, other| one.order(other) != Some(Ordering::Greater))))
        }
        ("sum", [Value::List(items)]) => sum(items),
        ("min", [Value::List(items)]) => extreme(items, "min", Ordering::Less),
        ("max", [Value::List(items)]) => extreme(items, "max", Ordering::Greater),
        ("indexOf", [Value::List(items), one]) => {
            Ok(Value::Int(items.iter().position(|item| item == one).map_or(-1, |at| at as i64)))
        }
        ("lastIndexOf", [Value::List(items), one]) => {
            Ok(Value::Int(items.iter().rposition(|item| item == one).map_or(-1, |at| at as i64)))
        }
        ("sets.contains", [Value::List(one), Value::List(other)]) => Ok(Value::Bool(contains(one, other))),
        ("sets.equivalent", [Value::List(one), Value::List(other)]) => {
            Ok(Value::Bool(contains(one, other) && contains(other, one)))
        }
        ("sets.intersects", [Value::List(one), Value::List(other)]) => {
            Ok(Value::Bool(one.iter().any(|item| other.contains(item))))
        }
        ("optional.none", []) => Ok(Value::Optional(None)),
        ("hasValue", [Value::Optional(inner)]) => Ok(Value::Bool(inner.is_some())),
        ("value", [Value::Optional(inner)]) => {
            inner.as_deref().cloned().ok_or_else(|| Error::new("optional.none() dereference"))
        }
        ("or", [Value::Optional(inner), other]) => Ok(if inner.is_some() { args[0].clone() } else { other.clone() }),
        ("orValue", [Value::Optional(inner), other]) => Ok(inner.as_deref().unwrap_or(other).clone()),
        _ => return None,
    })
}

fn contains(all: &[Value], some: &[Value]) -> bool {
    some.iter().all(|item| all.contains(item))
}

fn sum(items: &Rc<Vec<Value>>) -> Result {
    let Some((first, rest)) = items.split_first() else { return Ok(Value::Int(0)) };
    rest.iter().try_fold(first.clone(), |sum, item| super::call("_+_", false, &[sum, item.clone()]))
}

fn extreme(items: &[Value], name: &str, wanted: Ordering) -> Result {
    let better = |best: Value, item: &Value| if item.order(&best) == Some(wanted) { item.clone() } else { best };
    let mut items = items.iter();
    let first = items.next().ok_or_else(|| Error::new(format!("{name} called on empty list")))?;
    Ok(items.fold(first.clone(), better))
}
