//! Values while an expression runs.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use api::quantity::Amount;
use jiff::Timestamp;
use serde_json::Value as Json;

use crate::eval::Error;
use crate::library::{Access, Answer, Semver, Url};

#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(Rc<str>),
    Bytes(Rc<[u8]>),
    List(Rc<Vec<Value>>),
    /// Objects are maps from names.
    Map(Rc<BTreeMap<Key, Value>>),
    Struct(Rc<Structure>),
    /// Nanoseconds.
    Duration(i64),
    Timestamp(Timestamp),
    Type(&'static str),
    Optional(Option<Rc<Value>>),
    Quantity(Amount),
    Url(Rc<Url>),
    Ip(IpAddr),
    /// An address and the length of its prefix.
    Cidr(IpAddr, u8),
    Semver(Rc<Semver>),
    /// A question to an authorizer.
    Access(Rc<Access>),
    Decision(Rc<Answer>),
    /// The name of one of Kubernetes' formats.
    Format(&'static str),
    /// Could not be computed: whoever reads it gets the error. A variable of an admission policy, for example.
    Failed(Rc<Error>),
}

/// What `Object.spec{replicas: 1}` makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    pub name: String,
    pub fields: BTreeMap<Key, Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Bool(bool),
    Int(i64),
    /// Beyond the range of `Int`.
    Uint(u64),
    String(Rc<str>),
}

impl Key {
    pub fn of(value: &Value) -> Option<Key> {
        Some(match value {
            Value::Bool(flag) => Key::Bool(*flag),
            Value::Int(number) => Key::Int(*number),
            Value::Uint(number) => i64::try_from(*number).map_or(Key::Uint(*number), Key::Int),
            Value::Double(number) if number.fract() == 0.0 && number.abs() < 9e18 => Key::Int(*number as i64),
            Value::String(text) => Key::String(text.clone()),
            _ => return None,
        })
    }

    pub fn to_value(&self) -> Value {
        match self {
            Key::Bool(flag) => Value::Bool(*flag),
            Key::Int(number) => Value::Int(*number),
            Key::Uint(number) => Value::Uint(*number),
            Key::String(text) => Value::String(text.clone()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text.into())
    }
}

impl Value {
    /// JSON without a schema: whole numbers are integers, objects are maps.
    pub fn from_json(json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Bool(*flag),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Value::Int(whole),
                None => Value::Double(number.as_f64().unwrap_or_default()),
            },
            Json::String(text) => Value::from(text.as_str()),
            Json::Array(items) => Value::list(items.iter().map(Value::from_json)),
            Json::Object(fields) => {
                Value::object(fields.iter().map(|(name, value)| (name.as_str(), Value::from_json(value))))
            }
        }
    }

    /// A string of one of OpenAPI's formats: moments, durations and bytes have types of their own.
    pub fn formatted(text: &str, format: &str) -> Value {
        let read = match format {
            "date-time" => text.parse().ok().map(Value::Timestamp),
            "date" => format!("{text}T00:00:00Z").parse().ok().map(Value::Timestamp),
            "duration" => crate::parse_duration(text).map(Value::Duration),
            "byte" => Some(Value::Bytes(text.as_bytes().into())),
            _ => None,
        };
        read.unwrap_or_else(|| Value::from(text))
    }

    pub fn list(items: impl IntoIterator<Item = Value>) -> Value {
        Value::List(Rc::new(items.into_iter().collect()))
    }

    pub fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
        Value::Map(Rc::new(fields.into_iter().map(|(name, value)| (Key::String(name.into()), value)).collect()))
    }

    pub fn some(value: Value) -> Value {
        Value::Optional(Some(Rc::new(value)))
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// For values that JSON has a form for.
    pub fn to_json(&self) -> Option<Json> {
        Some(match self {
            Value::Null => Json::Null,
            Value::Bool(flag) => (*flag).into(),
            Value::Int(number) => (*number).into(),
            Value::Uint(number) => (*number).into(),
            Value::Double(number) if number.fract() == 0.0 && number.abs() < 1e15 => (*number as i64).into(),
            Value::Double(number) => (*number).into(),
            Value::String(text) => (&**text).into(),
            Value::List(items) => items.iter().map(Value::to_json).collect::<Option<Vec<_>>>()?.into(),
            Value::Map(fields) => object_of(fields)?,
            Value::Struct(structure) => object_of(&structure.fields)?,
            Value::Duration(_) | Value::Timestamp(_) => crate::library::text_of(self)?.into(),
            _ => return None,
        })
    }

    /// What is wrong with the names of structures in it: each tells its place, from the root `root`.
    pub fn misnamed(&self, root: &str) -> Vec<String> {
        match self {
            Value::Struct(structure) => {
                let own = (structure.name != root).then(|| {
                    format!(
                        "unexpected type name {:?}, expected {root:?}, which matches field name path from root Object type",
                        structure.name
                    )
                });
                let inner = structure.fields.iter().flat_map(|(key, value)| match key {
                    Key::String(name) => value.misnamed(&format!("{root}.{name}")),
                    _ => Vec::new(),
                });
                own.into_iter().chain(inner).collect()
            }
            Value::List(items) => items.iter().flat_map(|item| item.misnamed(root)).collect(),
            Value::Map(fields) => fields.values().flat_map(|value| value.misnamed(root)).collect(),
            _ => Vec::new(),
        }
    }

    /// The name of its type, as `type()` yields it and errors show it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null_type",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Uint(_) => "uint",
            Value::Double(_) => "double",
            Value::String(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Map(_) => "map",
            Value::Struct(_) => "Object",
            Value::Duration(_) => "google.protobuf.Duration",
            Value::Timestamp(_) => "google.protobuf.Timestamp",
            Value::Type(_) => "type",
            Value::Optional(_) => "optional_type",
            Value::Quantity(_) => "kubernetes.Quantity",
            Value::Url(_) => "kubernetes.URL",
            Value::Ip(_) => "net.IP",
            Value::Cidr(..) => "net.CIDR",
            Value::Semver(_) => "kubernetes.Semver",
            Value::Format(_) => "kubernetes.NamedFormat",
            Value::Access(access) => access.stage,
            Value::Decision(_) => "kubernetes.authorization.Decision",
            Value::Failed(_) => "error",
        }
    }

    /// The zero of its type: what `optional.ofNonZeroValue` drops.
    pub(crate) fn is_zero(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Bool(flag) => !flag,
            Value::Int(number) => *number == 0,
            Value::Uint(number) => *number == 0,
            Value::Double(number) => *number == 0.0,
            Value::String(text) => text.is_empty(),
            Value::Bytes(bytes) => bytes.is_empty(),
            Value::List(items) => items.is_empty(),
            Value::Map(fields) => fields.is_empty(),
            Value::Struct(structure) => structure.fields.is_empty(),
            Value::Duration(nanoseconds) => *nanoseconds == 0,
            Value::Optional(inner) => inner.is_none(),
            _ => false,
        }
    }

    /// Which of two values of an ordered type is the greater.
    pub(crate) fn order(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
            (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
            (Value::Bytes(one), Value::Bytes(other)) => Some(one.cmp(other)),
            (Value::Duration(one), Value::Duration(other)) => Some(one.cmp(other)),
            (Value::Timestamp(one), Value::Timestamp(other)) => Some(one.cmp(other)),
            (Value::Quantity(one), Value::Quantity(other)) => Some(one.cmp(other)),
            (Value::Semver(one), Value::Semver(other)) => Some(one.order(other)),
            (Value::Double(one), _) => one.partial_cmp(&other.number()?),
            (_, Value::Double(other)) => self.number()?.partial_cmp(other),
            _ => Some(self.whole()?.cmp(&other.whole()?)),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Value::Double(number) => Some(*number),
            other => other.whole().map(|whole| whole as f64),
        }
    }

    fn whole(&self) -> Option<i128> {
        match self {
            Value::Int(number) => Some((*number).into()),
            Value::Uint(number) => Some((*number).into()),
            _ => None,
        }
    }
}

fn object_of(fields: &BTreeMap<Key, Value>) -> Option<Json> {
    let mut object = serde_json::Map::new();
    for (key, value) in fields {
        let Key::String(name) = key else { return None };
        object.insert(name.to_string(), value.to_json()?);
    }
    Some(Json::Object(object))
}

/// CEL's `==`: values of different types differ, numbers are compared by what they stand for.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::List(one), Value::List(other)) => one == other,
            (Value::Map(one), Value::Map(other)) => one == other,
            (Value::Struct(one), Value::Struct(other)) => one == other,
            (Value::Type(one), Value::Type(other)) => one == other,
            (Value::Optional(one), Value::Optional(other)) => one == other,
            (Value::Url(one), Value::Url(other)) => one == other,
            (Value::Ip(one), Value::Ip(other)) => one == other,
            (Value::Cidr(one, length), Value::Cidr(other, other_length)) => one == other && length == other_length,
            (Value::Format(one), Value::Format(other)) => one == other,
            _ => self.order(other) == Some(Ordering::Equal),
        }
    }
}
