//! The messages of the built-in types, as data.
//!
//! `messages.txt` holds what the tags of upstream's Go structs say. A line without indentation names a message, the indented
//! ones below it are its fields: JSON name, number and type. `.` instead of a name: the message's fields are the owner's own
//! (`json:",inline"`). `|`: the field's JSON stands for the whole message; `?in=path`, only that of a value whose `in` is
//! `path`. `x-*`: a map of all fields that begin so. Types are one letter (see [`Type`]) or another line's name, after `[` where the field is a list, after `{` where it is a map by string, and after `*` where Go has a
//! pointer to a scalar, so that zero is not the same as nothing. `openapi.txt` has the messages of OpenAPI's second version
//! in the same notation, as gnostic has them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Type {
    String,
    Bool,
    Int32,
    Int64,
    Double,
    Bytes,
    Quantity,
    IntOrString,
    Time,
    MicroTime,
    /// A message that holds JSON text: `RawExtension`, `FieldsV1`, `JSON`.
    Json,
    /// A message that holds YAML text, as JSON is.
    Yaml,
    Message(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    One,
    /// Zero is a value of its own.
    Pointer,
    List,
    Map,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    Named(&'static str),
    Inline,
    Whole,
    /// The whole of a value that has this field with this text.
    WholeIf(&'static str, &'static str),
    /// All fields with this prefix.
    Prefixed(&'static str),
}

#[derive(Debug)]
pub struct Field {
    pub place: Place,
    pub number: u32,
    pub shape: Shape,
    pub ty: Type,
}

static MESSAGES: LazyLock<BTreeMap<&'static str, Vec<Field>>> = LazyLock::new(|| {
    let mut messages: BTreeMap<&str, Vec<Field>> = BTreeMap::new();
    let mut current = "";
    for line in include_str!("messages.txt").lines().chain(include_str!("openapi.txt").lines()) {
        match line.strip_prefix(' ') {
            Some(field) => messages.entry(current).or_default().extend(parse(field)),
            None => {
                current = line;
                messages.insert(line, Vec::new());
            }
        }
    }
    messages
});

fn parse(line: &'static str) -> Option<Field> {
    let mut words = line.split(' ');
    let (name, number, notation) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
    let condition = || name.strip_prefix('?').and_then(|condition| condition.split_once('='));
    let place = match name {
        "." => Place::Inline,
        "|" => Place::Whole,
        name => match (condition(), name.strip_suffix('*')) {
            (Some((field, text)), _) => Place::WholeIf(field, text),
            (None, Some(prefix)) => Place::Prefixed(prefix),
            (None, None) => Place::Named(name),
        },
    };
    let shapes = [('*', Shape::Pointer), ('[', Shape::List), ('{', Shape::Map)];
    let shape = shapes.into_iter().find_map(|(mark, shape)| Some((shape, notation.strip_prefix(mark)?)));
    let (shape, name) = shape.unwrap_or((Shape::One, notation));
    let ty = match name {
        "s" => Type::String,
        "b" => Type::Bool,
        "i" => Type::Int32,
        "l" => Type::Int64,
        "f" => Type::Double,
        "y" => Type::Bytes,
        "q" => Type::Quantity,
        "x" => Type::IntOrString,
        "t" => Type::Time,
        "u" => Type::MicroTime,
        "j" => Type::Json,
        "a" => Type::Yaml,
        name => Type::Message(name),
    };
    Some(Field { place, number, shape, ty })
}

pub fn fields(message: &str) -> &'static [Field] {
    MESSAGES.get(message).map(Vec::as_slice).unwrap_or_default()
}

/// The message of a kind. `None`: it has no form but JSON, as custom resources and tables.
pub fn message_of(api_version: &str, kind: &str) -> Option<&'static str> {
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    let group = group.split('.').next().unwrap_or_default();
    let meta = format!("meta.v1.{kind}");
    let own = format!("{group}.{version}.{kind}");
    MESSAGES.get_key_value(own.as_str()).or_else(|| MESSAGES.get_key_value(meta.as_str())).map(|(name, _)| *name)
}
