//! The fields of every built-in type, as data: what decoding checks against, patches look up and `explain` lists.
//!
//! `types.txt` is written by `examples/schema_table.rs` from the `k8s-openapi` types. A line without indentation names a
//! type, the indented ones below it are its fields: JSON name and type. Types are one letter (see [`Type`]), another
//! line's name, or one of these after `[` (list) or `{` (map by string). Fields stand in the order of upstream's structs.

mod facts;
mod go;
mod merge;
mod topology;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use facts::{describe, describe_type, facts, is_atomic_type, is_required, values};
pub(crate) use go::{go_element, go_type};
pub use merge::{ListMerge, list_merge, replaces_other_keys};
pub use topology::{ListTopology, fill_by_value, is_atomic_map, is_atomic_struct, key_default, list_topology};

use crate::kinds::Kind;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    String,
    Bool,
    Int32,
    Int64,
    Float,
    Bytes,
    Quantity,
    IntOrString,
    Time,
    MicroTime,
    /// Any JSON.
    Any,
    Struct(&'static str),
    List(Inner),
    Map(Inner),
}

/// The notation of a list's or map's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inner(&'static str);

impl Inner {
    pub fn get(self) -> Type {
        Type::parse(self.0)
    }
}

impl Type {
    fn parse(notation: &'static str) -> Type {
        if let Some(inner) = notation.strip_prefix('[') {
            return Type::List(Inner(inner));
        }
        if let Some(inner) = notation.strip_prefix('{') {
            return Type::Map(Inner(inner));
        }
        match notation {
            "s" => Type::String,
            "b" => Type::Bool,
            "i" => Type::Int32,
            "l" => Type::Int64,
            "f" => Type::Float,
            "y" => Type::Bytes,
            "q" => Type::Quantity,
            "x" => Type::IntOrString,
            "t" => Type::Time,
            "u" => Type::MicroTime,
            "j" => Type::Any,
            name => Type::Struct(name),
        }
    }
}

#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub ty: Type,
    pub absent: Absent,
}

/// What Go writes for a field that holds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    Omitted,
    /// `null`: a pointer, a time or a list.
    Null,
    /// `{}`
    Empty,
    /// `0`
    Zero,
}

impl Absent {
    fn of(type_name: &str, field: &str) -> Absent {
        let written = facts(type_name, field).find_map(|fact| fact.strip_prefix('='));
        match written {
            Some("null") => Absent::Null,
            Some("{}") => Absent::Empty,
            Some("0") => Absent::Zero,
            _ => Absent::Omitted,
        }
    }
}

static TYPES: LazyLock<BTreeMap<&'static str, Vec<Field>>> = LazyLock::new(|| {
    let mut types: BTreeMap<&'static str, Vec<Field>> = BTreeMap::new();
    let mut current = "";
    for line in include_str!("types.txt").lines() {
        match line.strip_prefix(' ').and_then(|field| field.split_once(' ')) {
            Some((name, ty)) => {
                let (ty, absent) = (Type::parse(ty), Absent::of(current, name));
                types.entry(current).or_default().push(Field { name, ty, absent });
            }
            None => {
                current = line;
                types.insert(line, Vec::new());
            }
        }
    }
    types
});

/// The fields of a type such as `core.v1.Container`; none for an unknown type.
pub fn fields(name: &str) -> &'static [Field] {
    TYPES.get(name).map(Vec::as_slice).unwrap_or_default()
}

pub fn field(type_name: &str, name: &str) -> Option<&'static Field> {
    fields(type_name).iter().find(|field| field.name == name)
}

/// The name of a kind's type. `None` for kinds without one, such as custom resources.
pub fn of_kind(kind: &Kind) -> Option<&'static str> {
    if kind.id.is_custom() { None } else { of(kind.group, kind.version, kind.kind) }
}

pub fn of(group: &str, version: &str, kind: &str) -> Option<&'static str> {
    let group = match group {
        "" => "core",
        // Other people's groups have dots too.
        _ => group.split_once('.').map_or(group, |(first, rest)| if rest.ends_with("k8s.io") { first } else { group }),
    };
    let name = format!("{group}.{version}.{kind}");
    TYPES.get_key_value(name.as_str()).map(|(name, _)| *name)
}

/// The type of an object that says itself what it is.
pub fn of_document(api_version: &str, kind: &str) -> Option<&'static str> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    of(group, version, kind).or_else(|| of("meta", version, kind).filter(|_| matches!(group, "" | "meta.k8s.io")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_known_by_their_first_word_if_they_are_upstream_s() {
        assert_eq!(of("rbac.authorization.k8s.io", "v1", "Role"), Some("rbac.v1.Role"));
        assert_eq!(of("apps", "v1", "Deployment"), Some("apps.v1.Deployment"));
        assert_eq!(of("apps.example.com", "v1", "Deployment"), None);
        assert_eq!(of_document("v1", "Status"), Some("meta.v1.Status"));
    }

    /// A writer keeps in mind which fields it has written.
    #[test]
    fn a_word_has_a_bit_for_every_field() {
        for (name, fields) in TYPES.iter() {
            assert!(fields.len() <= u64::BITS as usize, "{name}");
        }
    }
}
