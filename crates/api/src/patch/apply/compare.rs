//! What changed between two states of an object, and which fields one state has.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::element::Element;
use super::set::Set;
use super::shape::{Relation, Shape, Topology};
use super::validate::element_of;

/// Upstream: `typed.Comparison`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    pub added: Set,
    pub modified: Set,
    pub removed: Set,
}

impl Comparison {
    /// What changed but for some fields and all below them.
    pub(super) fn without(&self, ignored: &Set) -> Comparison {
        Comparison {
            added: self.added.without(ignored),
            modified: self.modified.without(ignored),
            removed: self.removed.without(ignored),
        }
    }
}

pub fn compare(shape: Shape, old: &Value, new: &Value) -> Comparison {
    let mut walk = Walk::default();
    walk.compare(shape, Some(old), Some(new));
    walk.found
}

#[derive(Default)]
struct Walk {
    path: Vec<Element>,
    found: Comparison,
}

impl Walk {
    fn compare(&mut self, shape: Shape, old: Option<&Value>, new: Option<&Value>) {
        let was_leaf = match (old.map(|value| shape.seen(value)), new.map(|value| shape.seen(value))) {
            (Some(before), Some(after)) if !same_form(before, after) => {
                self.descend(before, old, new);
                self.descend(after, old, new)
            }
            (Some(only), None) | (_, Some(only)) => self.descend(only, old, new),
            (None, None) => return,
        };
        if !was_leaf {
            self.note_presence(old, new);
        }
    }

    /// True when the field is owned as a whole.
    fn descend(&mut self, shape: Shape, old: Option<&Value>, new: Option<&Value>) -> bool {
        match shape {
            Shape::Map(_, topology) => {
                let (before, after) = (map_of(old), map_of(new));
                if topology == Topology::Atomic || (before.is_empty() && after.is_empty()) {
                    return self.leaf(old, new);
                }
                let added = after.keys().filter(|name| !before.contains_key(*name));
                for name in before.keys().chain(added) {
                    let inner = shape.field(name).unwrap_or(Shape::Deduced);
                    self.step(Element::field(name), inner, before.get(name), after.get(name));
                }
                false
            }
            Shape::List(_, relation) => {
                let (before, after) = (list_of(old), list_of(new));
                if matches!(relation, Relation::Atomic) || (before.is_empty() && after.is_empty()) {
                    return self.leaf(old, new);
                }
                self.items(shape, before, after);
                false
            }
            Shape::Scalar(_) | Shape::Deduced => self.leaf(old, new),
        }
    }

    fn step(&mut self, element: Element, shape: Shape, old: Option<&Value>, new: Option<&Value>) {
        self.path.push(element);
        self.compare(shape, old, new);
        self.path.pop();
    }

    /// Items whose key is there more than once are compared as one.
    fn items(&mut self, shape: Shape, before: &[Value], after: &[Value]) {
        let mut items: BTreeMap<Element, [Vec<&Value>; 2]> = BTreeMap::new();
        for (side, list) in [before, after].into_iter().enumerate() {
            for item in list {
                if let Ok(element) = element_of(shape, item) {
                    items.entry(element).or_default()[side].push(item);
                }
            }
        }
        for (element, [before, after]) in items {
            match (before.as_slice(), after.as_slice()) {
                ([_, _, ..], [_, _, ..]) => {
                    if before != after {
                        self.mark(element, |found| &mut found.modified);
                    }
                }
                ([_, _, ..], rest) => {
                    if let [one] = rest {
                        self.step(element.clone(), shape.item(), None, Some(one));
                    }
                    self.mark(element, |found| &mut found.removed);
                }
                (rest, [_, _, ..]) => {
                    if let [one] = rest {
                        self.step(element.clone(), shape.item(), Some(one), None);
                    }
                    self.mark(element, |found| &mut found.added);
                }
                (before, after) => {
                    self.step(element, shape.item(), before.first().copied(), after.first().copied());
                }
            }
        }
    }

    fn mark(&mut self, element: Element, set: fn(&mut Comparison) -> &mut Set) {
        self.path.push(element);
        set(&mut self.found).insert(&self.path);
        self.path.pop();
    }

    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>) -> bool {
        match (old, new) {
            (Some(old), Some(new)) if !equal(old, new) => self.found.modified.insert(&self.path),
            _ => self.note_presence(old, new),
        }
        true
    }

    fn note_presence(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (None, Some(_)) => self.found.added.insert(&self.path),
            (Some(_), None) => self.found.removed.insert(&self.path),
            _ => {}
        }
    }
}

/// Equal as JSON, where 1 and 1.0 are one number.
fn equal(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Number(one), Value::Number(two)) => one == two || one.as_f64() == two.as_f64(),
        (one, two) => one == two,
    }
}

/// Both values follow the same part of a schema.
pub(super) fn same_form(one: Shape, two: Shape) -> bool {
    std::mem::discriminant(&one) == std::mem::discriminant(&two)
}

pub(super) fn map_of(value: Option<&Value>) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.and_then(Value::as_object).unwrap_or(&NONE)
}

pub(super) fn list_of(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The fields that a value sets: leaves, items of lists and entries of maps. Upstream: `TypedValue.ToFieldSet`.
pub fn fields_of(shape: Shape, value: &Value) -> Set {
    let mut set = Set::default();
    collect(shape, value, &mut Vec::new(), &mut set);
    set
}

fn collect(shape: Shape, value: &Value, path: &mut Vec<Element>, set: &mut Set) {
    let shape = shape.seen(value);
    match shape {
        Shape::Map(_, Topology::Atomic) | Shape::List(_, Relation::Atomic) | Shape::Scalar(_) => set.insert(path),
        Shape::Map(..) => {
            for (name, value) in map_of(Some(value)) {
                let element = Element::field(name);
                let stands_alone = value.is_null() || value.as_object().is_some_and(Map::is_empty);
                let is_member = stands_alone || !shape.names(&element);
                path.push(element);
                collect(shape.field(name).unwrap_or(Shape::Deduced), value, path, set);
                if is_member {
                    set.insert(path);
                }
                path.pop();
            }
        }
        Shape::List(..) => {
            let mut items: BTreeMap<Element, Vec<&Value>> = BTreeMap::new();
            for item in list_of(Some(value)) {
                if let Ok(element) = element_of(shape, item) {
                    items.entry(element).or_default().push(item);
                }
            }
            for (element, same) in items {
                path.push(element);
                if let [one] = same.as_slice() {
                    collect(shape.item(), one, path, set);
                }
                set.insert(path);
                path.pop();
            }
        }
        Shape::Deduced => {}
    }
}
