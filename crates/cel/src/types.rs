//! Types, and the table of functions by which the checker knows them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// The type of an expression, as far as it is known before it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Anything.
    Dyn,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Duration,
    Timestamp,
    /// What `type(x)` yields.
    Type,
    List(Arc<Type>),
    Map(Arc<Type>, Arc<Type>),
    Optional(Arc<Type>),
    /// Fields with types of their own.
    Object(Arc<ObjectType>),
    /// A library's own type, such as `kubernetes.Quantity`.
    Opaque(&'static str),
    /// Stands for any type in a function's signature.
    Param(char),
}

#[derive(Clone, Debug, PartialEq)]
pub struct ObjectType {
    /// How errors name it.
    pub name: String,
    /// As expressions write them: escaped.
    pub fields: BTreeMap<String, Type>,
    /// It may have any other field, of any type.
    pub open: bool,
}

impl Type {
    pub fn list(of: Type) -> Type {
        Type::List(Arc::new(of))
    }

    pub fn map(key: Type, value: Type) -> Type {
        Type::Map(Arc::new(key), Arc::new(value))
    }

    pub fn optional(of: Type) -> Type {
        Type::Optional(Arc::new(of))
    }

    pub fn object<'a>(name: &str, fields: impl IntoIterator<Item = (&'a str, Type)>) -> Type {
        let fields = fields.into_iter().map(|(name, of)| (name.to_owned(), of)).collect();
        Type::Object(Arc::new(ObjectType { name: name.to_owned(), fields, open: false }))
    }

    /// What mutations construct: `JSONPatch`, and objects that are named by where they stand, as in `Object.spec`.
    /// Upstream: `apiserver/pkg/cel/mutation`.
    pub(crate) fn of_patches(name: &str) -> Option<Type> {
        if name == "JSONPatch" {
            let texts = ["op", "path", "from"].map(|field| (field, Type::String));
            return Some(Type::object(name, texts.into_iter().chain([("value", Type::Dyn)])));
        }
        let is_object = name == "Object" || name.starts_with("Object.");
        let of = ObjectType { name: name.to_owned(), fields: BTreeMap::new(), open: true };
        is_object.then(|| Type::Object(Arc::new(of)))
    }

    fn parse(text: &str) -> Type {
        let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(of) = inner("list") {
            return Type::list(Type::parse(of));
        }
        if let Some(of) = inner("optional") {
            return Type::optional(Type::parse(of));
        }
        if let Some((key, value)) = inner("map").and_then(|both| both.split_once(',')) {
            return Type::map(Type::parse(key), Type::parse(value));
        }
        match text {
            "bool" => Type::Bool,
            "int" => Type::Int,
            "uint" => Type::Uint,
            "double" => Type::Double,
            "string" => Type::String,
            "bytes" => Type::Bytes,
            "duration" => Type::Duration,
            "timestamp" => Type::Timestamp,
            "type" => Type::Type,
            "null" => Type::Null,
            "A" => Type::Param('A'),
            "B" => Type::Param('B'),
            other => OPAQUE.iter().find(|name| **name == other).map_or(Type::Dyn, |name| Type::Opaque(name)),
        }
    }
}

/// The types of Kubernetes' libraries.
const OPAQUE: [&str; 11] = [
    "kubernetes.Quantity",
    "kubernetes.URL",
    "kubernetes.Semver",
    "kubernetes.NamedFormat",
    "net.IP",
    "net.CIDR",
    "kubernetes.authorization.Authorizer",
    "kubernetes.authorization.PathCheck",
    "kubernetes.authorization.GroupCheck",
    "kubernetes.authorization.ResourceCheck",
    "kubernetes.authorization.Decision",
];

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Dyn => f.write_str("dyn"),
            Type::Null => f.write_str("null"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Uint => f.write_str("uint"),
            Type::Double => f.write_str("double"),
            Type::String => f.write_str("string"),
            Type::Bytes => f.write_str("bytes"),
            Type::Duration => f.write_str("duration"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::Type => f.write_str("type"),
            Type::List(of) => write!(f, "list({of})"),
            Type::Map(key, value) => write!(f, "map({key}, {value})"),
            Type::Optional(of) => write!(f, "optional_type({of})"),
            Type::Object(object) => f.write_str(&object.name),
            Type::Opaque(name) => f.write_str(name),
            Type::Param(name) => write!(f, "{name}"),
        }
    }
}

/// One signature of a function.
#[derive(Debug)]
pub(crate) struct Overload {
    /// Called as `a.f(b)`: then the first argument is the receiver.
    pub member: bool,
    pub args: Vec<Type>,
    pub result: Type,
}

static FUNCTIONS: LazyLock<BTreeMap<&'static str, Vec<Overload>>> = LazyLock::new(|| {
    let lines = include_str!("functions.txt").lines().filter_map(|line| line.split_once(' '));
    lines.map(|(name, overloads)| (name, overloads.trim().split('|').map(Overload::parse).collect())).collect()
});

/// The signatures of a function; `None` for one that does not exist.
pub(crate) fn overloads(name: &str) -> Option<&'static [Overload]> {
    FUNCTIONS.get(name).map(Vec::as_slice)
}

impl Overload {
    /// Reads `string.(int)bool` or `(string,int)bool`.
    fn parse(text: &str) -> Overload {
        let text: String = text.chars().filter(|c| *c != ' ').collect();
        let end = result_start(&text).unwrap_or(text.len());
        let (signature, result) = text.split_at(end);
        let (receiver, args) = match signature.split_once(".(") {
            Some((receiver, args)) => (Some(receiver), args),
            None => (None, signature.trim_start_matches('(')),
        };
        let args = args.strip_suffix(')').unwrap_or(args);
        let args = receiver.into_iter().chain(split_arguments(args)).map(Type::parse).collect();
        Overload { member: receiver.is_some(), args, result: Type::parse(result) }
    }
}

/// Where the result's type begins: after the parenthesis that closes the arguments.
fn result_start(text: &str) -> Option<usize> {
    let open = if text.starts_with('(') { 0 } else { text.find(".(")? + 1 };
    balanced_end(&text[open..]).map(|end| open + end + 1)
}

/// The place of the parenthesis that closes the first one.
fn balanced_end(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Arguments by the commas outside of parentheses.
fn split_arguments(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if start < text.len() {
        parts.push(&text[start..]);
    }
    parts
}
