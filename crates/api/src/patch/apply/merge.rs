//! Laying an applied configuration over an object, and taking fields out of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::compare::{list_of, map_of, same_form};
use super::element::Element;
use super::set::Set;
use super::shape::{Relation, Shape, Topology};
use super::validate::{Mistakes, element_of, text};

/// Upstream: `TypedValue.Merge`.
pub fn merge(shape: Shape, live: &Value, config: &Value) -> Result<Value, String> {
    let mut mistakes = Mistakes::new();
    let merged = merged(shape, Some(live), Some(config), "", &mut mistakes);
    if mistakes.is_empty() { Ok(merged.unwrap_or_default()) } else { Err(text(&mistakes)) }
}

fn merged(
    shape: Shape,
    live: Option<&Value>,
    config: Option<&Value>,
    path: &str,
    mistakes: &mut Mistakes,
) -> Option<Value> {
    let winner = || config.or(live).cloned();
    let shape = match (live.map(|value| shape.seen(value)), config.map(|value| shape.seen(value))) {
        (Some(one), Some(two)) if !same_form(one, two) => two,
        (Some(only), None) | (_, Some(only)) => only,
        (None, None) => return None,
    };
    match shape {
        Shape::Map(_, topology) => {
            let (below, above) = (map_of(live), map_of(config));
            if topology == Topology::Atomic || (below.is_empty() && above.is_empty()) {
                return winner();
            }
            let mut fields = Map::new();
            for name in below.keys().chain(above.keys().filter(|name| !below.contains_key(*name))) {
                let inner = shape.field(name).unwrap_or(Shape::Deduced);
                let path = format!("{path}.{name}");
                if let Some(value) = merged(inner, below.get(name), above.get(name), &path, mistakes) {
                    fields.insert(name.clone(), value);
                }
            }
            Some(Value::Object(fields)).filter(|fields| fields.as_object().is_some_and(|fields| !fields.is_empty()))
        }
        Shape::List(_, relation) => {
            let (below, above) = (list_of(live), list_of(config));
            if matches!(relation, Relation::Atomic) || (below.is_empty() && above.is_empty()) {
                return winner();
            }
            let items = items(shape, below, above, path, mistakes);
            Some(Value::Array(items)).filter(|items| items.as_array().is_some_and(|items| !items.is_empty()))
        }
        Shape::Scalar(_) | Shape::Deduced => winner(),
    }
}

/// The items in an order that keeps the configuration's, and the live items between them where they were.
fn items(shape: Shape, live: &[Value], config: &[Value], path: &str, mistakes: &mut Mistakes) -> Vec<Value> {
    let (above, wanted) = index(shape, config, path, mistakes);
    // What is stored is not told of its repeated keys.
    let (below, present) = index(shape, live, path, &mut Mistakes::new());
    if !mistakes.is_empty() {
        return Vec::new();
    }
    let mut shared = above.iter().map(|(element, _)| element).filter(|one| present.contains_key(*one)).peekable();
    let mut merge_one = |element: &Element| {
        let (live, config) = (single(present.get(element)), single(wanted.get(element)));
        merged(shape.item(), live, config, &format!("{path}{element}"), mistakes)
    };
    let mut out = Vec::with_capacity(above.len().max(below.len()));
    let mut done: Vec<&Element> = Vec::new();
    let (mut left, mut right) = (0, 0);
    while left < below.len() || right < above.len() {
        if let (Some((one, _)), Some((two, _))) = (below.get(left), above.get(right)) {
            if one == two {
                out.extend(merge_one(one));
                done.push(one);
                (left, right) = (left + 1, right + 1);
                shared.next();
                continue;
            }
            if wanted.contains_key(one) && shared.peek().is_some_and(|next| *next != one) {
                left += 1;
                continue;
            }
        }
        if let Some((one, item)) = below.get(left) {
            if !wanted.contains_key(one) {
                out.push((*item).clone());
                left += 1;
                continue;
            }
            if done.contains(&one) {
                left += 1;
            }
        }
        if let Some((two, _)) = above.get(right) {
            out.extend(merge_one(two));
            done.push(two);
            right += 1;
            if shared.peek().is_some_and(|next| *next == two) {
                shared.next();
            }
        }
    }
    out
}

/// Items in their order, and by what tells them apart.
type Index<'a> = (Vec<(Element, &'a Value)>, BTreeMap<Element, Vec<&'a Value>>);

fn index<'a>(shape: Shape, items: &'a [Value], path: &str, mistakes: &mut Mistakes) -> Index<'a> {
    let (mut order, mut found) = (Vec::with_capacity(items.len()), BTreeMap::<Element, Vec<&Value>>::new());
    for (at, item) in items.iter().enumerate() {
        match element_of(shape, item) {
            Ok(element) => {
                let same = found.entry(element.clone()).or_default();
                if !same.is_empty() {
                    mistakes.push((path.to_owned(), format!("duplicate entries for key {element}")));
                }
                same.push(item);
                order.push((element, item));
            }
            Err(why) => mistakes.push((path.to_owned(), format!("element {at}: {why}"))),
        }
    }
    (order, found)
}

/// Items whose key is there more than once are not merged into.
fn single<'a>(items: Option<&Vec<&'a Value>>) -> Option<&'a Value> {
    match items.map(Vec::as_slice) {
        Some([one]) => Some(one),
        _ => None,
    }
}

/// The value without some fields. What loses all that it holds becomes null. Upstream: `TypedValue.RemoveItems`.
pub(super) fn remove(shape: Shape, value: &Value, fields: &Set) -> Value {
    let shape = shape.seen(value);
    let kept = |inner: Shape, element: &Element, value: &Value| match fields.child(element) {
        _ if fields.has(element) => None,
        Some(below) => Some(remove(inner, value, below)),
        None => Some(value.clone()),
    };
    match (shape, value) {
        (Shape::Map(_, Topology::Granular), Value::Object(entries)) => {
            let left: Map<String, Value> = entries
                .iter()
                .filter_map(|(name, value)| {
                    let inner = shape.field(name).unwrap_or(Shape::Deduced);
                    Some((name.clone(), kept(inner, &Element::field(name), value)?))
                })
                .collect();
            if left.is_empty() { Value::Null } else { Value::Object(left) }
        }
        (Shape::List(_, Relation::Atomic), _) => value.clone(),
        (Shape::List(..), Value::Array(items)) => {
            let left: Vec<Value> = items
                .iter()
                .filter_map(|item| match element_of(shape, item) {
                    Ok(element) => kept(shape.item(), &element, item),
                    Err(_) => Some(item.clone()),
                })
                .collect();
            if left.is_empty() { Value::Null } else { Value::Array(left) }
        }
        _ => value.clone(),
    }
}
