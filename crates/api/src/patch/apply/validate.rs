//! Whether a value fits its shape, in the words of upstream's `structured-merge-diff/typed`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::element::Element;
use super::shape::{Relation, Scalar, Shape, Topology};
use crate::patch::go_print::{go_print, go_syntax};

/// What is wrong with a value: paths and texts.
pub(super) type Mistakes = Vec<(String, String)>;

/// Checks a configuration against the schema.
pub fn validate(shape: Shape, value: &Value) -> Result<(), String> {
    let mut mistakes = Mistakes::new();
    check(shape, value, "", &mut mistakes);
    if mistakes.is_empty() { Ok(()) } else { Err(text(&mistakes)) }
}

/// The places of atomic lists and maps in a value: to set a part of one replaces the whole.
pub fn atomics(shape: Shape, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    find_atomics(shape, value, "", &mut found);
    found
}

fn find_atomics(shape: Shape, value: &Value, path: &str, found: &mut Vec<String>) {
    match (shape, value) {
        (Shape::Map(_, topology), Value::Object(fields)) => {
            if topology == Topology::Atomic {
                found.push(path.to_owned());
            }
            for (name, value) in fields {
                if let Some(inner) = shape.field(name).filter(|_| shape.names(&Element::field(name))) {
                    find_atomics(inner, value, &format!("{path}.{name}"), found);
                }
            }
        }
        (Shape::List(_, relation), Value::Array(items)) => {
            if matches!(relation, Relation::Atomic) {
                found.push(path.to_owned());
            }
            for (index, item) in items.iter().enumerate() {
                find_atomics(shape.item(), item, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

/// One mistake stands alone, several below each other.
pub(super) fn text(mistakes: &[(String, String)]) -> String {
    let line = |(path, why): &(String, String)| if path.is_empty() { why.clone() } else { format!("{path}: {why}") };
    match mistakes {
        [one] => line(one),
        many => many.iter().fold("errors:".to_owned(), |text, mistake| format!("{text}\n  {}", line(mistake))),
    }
}

fn check(shape: Shape, value: &Value, path: &str, mistakes: &mut Mistakes) {
    let mut complain = |why: String| mistakes.push((path.to_owned(), why));
    match shape.seen(value) {
        _ if value.is_null() => {}
        Shape::Scalar(scalar) => {
            if let Some(why) = wrong_scalar(scalar, value) {
                complain(why);
            }
        }
        Shape::List(_, relation) => {
            let Value::Array(items) = value else {
                return complain(format!("expected list, got &{{{}}}", go_print(value)));
            };
            check_items(shape, relation, items, path, mistakes);
        }
        Shape::Map(..) => {
            let Value::Object(fields) = value else {
                return complain(format!("expected map, got &{{{}}}", go_print(value)));
            };
            for (name, value) in fields {
                let path = format!("{path}.{name}");
                match shape.field(name) {
                    Some(inner) => check(inner, value, &path, mistakes),
                    None => return mistakes.push((path, "field not declared in schema".into())),
                }
            }
        }
        Shape::Deduced => {}
    }
}

fn check_items(shape: Shape, relation: Relation, items: &[Value], path: &str, mistakes: &mut Mistakes) {
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let element = match relation {
            Relation::Atomic => Element::Index(index),
            _ => match element_of(shape, item) {
                Ok(element) => element,
                Err(why) => return mistakes.push((path.to_owned(), format!("element {index}: {why}"))),
            },
        };
        if !seen.insert(element.clone()) {
            mistakes.push((path.to_owned(), format!("duplicate entries for key {element}")));
        }
        check(shape.item(), item, &format!("{path}{element}"), mistakes);
    }
}

fn wrong_scalar(scalar: Scalar, value: &Value) -> Option<String> {
    let (fits, why) = match scalar {
        Scalar::Number => (value.is_number(), format!("expected numeric (int or float), got {}", go_type(value))),
        Scalar::Text => {
            (value.is_string(), format!("expected string, got &value.valueUnstructured{{Value:{}}}", go_syntax(value)))
        }
        Scalar::Bool => (value.is_boolean(), format!("expected boolean, got &{{{}}}", go_print(value))),
        Scalar::Any => {
            (!value.is_array() && !value.is_object(), format!("expected any scalar, got &{{{}}}", go_print(value)))
        }
    };
    (!fits).then_some(why)
}

/// The Go type of decoded JSON.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// How an item of a list with keys, or of a set, is told apart.
pub(super) fn element_of(list: Shape, item: &Value) -> Result<Element, String> {
    let Shape::List(_, relation) = list else { return Err("invalid indexing of non-associative list".into()) };
    let keys = relation.keys();
    if keys.is_empty() {
        return match item {
            Value::Object(_) => Err("associative list without keys has an element that's a map type".into()),
            Value::Array(_) => Err("not supported: associative list with lists as elements".into()),
            Value::Null => Err("associative list without keys has an element that's an explicit null".into()),
            scalar => Ok(Element::Item(super::element::Scalar(scalar.clone()))),
        };
    }
    let fields = match item {
        Value::Object(fields) => fields,
        Value::Null => return Err("associative list with keys may not have a null element".into()),
        _ => return Err("associative list with keys may not have non-map elements".into()),
    };
    let mut key = Vec::with_capacity(keys.len());
    for name in keys {
        let value = fields.get(name).cloned().or_else(|| list.item().key_default(name)).ok_or_else(|| {
            format!(
                "associative list with keys has an element that omits key field {name:?} (and doesn't have default value)"
            )
        })?;
        key.push((name.to_owned(), value));
    }
    Ok(Element::key(key))
}
