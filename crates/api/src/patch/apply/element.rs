//! One step of a field's path: upstream's `fieldpath.PathElement`.

use std::cmp::Ordering;
use std::fmt;

use serde_json::{Map, Value};

/// How a field, a map's entry or a list's item is found in what holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    Field(String),
    /// An item of a list by its key fields, in the order of their names.
    Key(Vec<(String, Scalar)>),
    /// An item of a set.
    Item(Scalar),
    Index(usize),
}

/// A key's or set item's value. Ordered as upstream's `value.Compare`: numbers, texts, booleans, the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar(pub Value);

impl Ord for Scalar {
    fn cmp(&self, other: &Scalar) -> Ordering {
        match (&self.0, &other.0) {
            (Value::Number(one), Value::Number(two)) => {
                one.as_f64().unwrap_or_default().total_cmp(&two.as_f64().unwrap_or_default())
            }
            (Value::String(one), Value::String(two)) => one.cmp(two),
            (Value::Bool(one), Value::Bool(two)) => one.cmp(two),
            (one, two) => rank(one).cmp(&rank(two)),
        }
    }
}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Scalar) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        _ => 3,
    }
}

impl Element {
    pub fn field(name: &str) -> Element {
        Element::Field(name.to_owned())
    }

    /// The field's name in `fieldsV1`: `f:spec`, `k:{"name":"c"}`, `v:"a"`, `i:0`.
    pub(super) fn encode(&self) -> String {
        match self {
            Element::Field(name) => format!("f:{name}"),
            Element::Key(fields) => {
                let key: Map<String, Value> =
                    fields.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect();
                format!("k:{}", Value::Object(key))
            }
            Element::Item(value) => format!("v:{}", value.0),
            Element::Index(index) => format!("i:{index}"),
        }
    }

    /// `None` for what no server has written.
    pub(crate) fn decode(text: &str) -> Option<Element> {
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "f" => Some(Element::field(rest)),
            "k" => {
                let key: Map<String, Value> = serde_json::from_str(rest).ok()?;
                Some(Element::key(key.into_iter().collect()))
            }
            "v" => serde_json::from_str(rest).ok().map(|value| Element::Item(Scalar(value))),
            "i" => rest.parse().ok().map(Element::Index),
            _ => None,
        }
    }

    pub(super) fn key(mut fields: Vec<(String, Value)>) -> Element {
        fields.sort_by(|(one, _), (two, _)| one.cmp(two));
        Element::Key(fields.into_iter().map(|(name, value)| (name, Scalar(value))).collect())
    }
}

/// As messages show it: `.spec`, `[containerPort=80,protocol="TCP"]`, `[="a"]`, `[0]`.
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Element::Field(name) => write!(f, ".{name}"),
            Element::Key(fields) => {
                let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", value.0)).collect();
                write!(f, "[{}]", fields.join(","))
            }
            Element::Item(value) => write!(f, "[={}]", value.0),
            Element::Index(index) => write!(f, "[{index}]"),
        }
    }
}
