//! What a document is written into, value by value.

use serde_json::{Map, Number, Value};

/// How a value with others in it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Fields, which have places.
    Struct,
    /// Entries, in the order in which they come.
    Map,
    /// The owned fields of a manager.
    Owned,
    List,
}

#[derive(Debug)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(&'a str),
}

pub(crate) trait Sink {
    fn scalar(&mut self, value: Scalar);
    fn begin(&mut self, shape: Shape);
    /// The name of the value that comes next, and its place among the fields of a struct.
    fn name(&mut self, name: &str, place: usize);
    fn end(&mut self);
    /// A value that is JSON already, as Go writes it.
    fn text(&mut self, json: &str);
}

/// Makes the document a tree.
#[derive(Default)]
pub(super) struct Trees {
    /// What has begun and not ended, the innermost last.
    open: Vec<Open>,
    done: Value,
}

enum Open {
    Fields(Map<String, Value>, String),
    Items(Vec<Value>),
}

impl Trees {
    pub fn finish(self) -> Value {
        self.done
    }

    fn put(&mut self, value: Value) {
        match self.open.last_mut() {
            Some(Open::Fields(fields, name)) => drop(fields.insert(std::mem::take(name), value)),
            Some(Open::Items(items)) => items.push(value),
            None => self.done = value,
        }
    }
}

impl Sink for Trees {
    fn scalar(&mut self, value: Scalar) {
        self.put(match value {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Number(value) => Value::Number(value),
            Scalar::String(value) => Value::String(value.to_owned()),
        });
    }

    fn begin(&mut self, shape: Shape) {
        self.open.push(match shape {
            Shape::List => Open::Items(Vec::new()),
            Shape::Struct | Shape::Map | Shape::Owned => Open::Fields(Map::new(), String::new()),
        });
    }

    fn name(&mut self, name: &str, _place: usize) {
        if let Some(Open::Fields(_, next)) = self.open.last_mut() {
            name.clone_into(next);
        }
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Open::Fields(fields, _)) => self.put(Value::Object(fields)),
            Some(Open::Items(items)) => self.put(Value::Array(items)),
            None => {}
        }
    }

    fn text(&mut self, json: &str) {
        self.put(serde_json::from_str(json).unwrap_or_default());
    }
}
