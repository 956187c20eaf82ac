//! What merging must know of a value: where a schema has scalars, granular and atomic maps, and which lists have keys.
//!
//! This is the seam between the kinds of schemas: built-in types ([`crate::schema`]), the OpenAPI schemas of custom
//! resources, and none at all. Upstream: `structured-merge-diff/schema`, made from OpenAPI by `kube-openapi/schemaconv`.

use serde_json::Value;

use super::element::Element;
use crate::kinds::Kind;
use crate::schema::{self, ListTopology, Type};

#[derive(Clone, Copy, Debug)]
pub enum Shape<'a> {
    Scalar(Scalar),
    Map(Fields<'a>, Topology),
    List(Items<'a>, Relation<'a>),
    /// No schema: the value itself says what it is.
    Deduced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    Text,
    Number,
    Bool,
    /// Anything that is neither a list nor a map, such as a quantity.
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    Granular,
    /// Owned as a whole.
    Atomic,
}

/// The fields of a map.
#[derive(Clone, Copy, Debug)]
pub enum Fields<'a> {
    /// The named fields of a built-in type.
    Struct(&'static str),
    /// Any names, one type.
    Values(Type),
    /// An OpenAPI schema.
    Schema(&'a Value),
    /// The OpenAPI schema of a whole object, which says nothing of its metadata.
    Object(&'a Value),
    Deduced,
}

#[derive(Clone, Copy, Debug)]
pub enum Items<'a> {
    Type(Type),
    Schema(&'a Value),
    Deduced,
}

/// How a list's items are told apart.
#[derive(Clone, Copy, Debug)]
pub enum Relation<'a> {
    Atomic,
    Set,
    Keyed(&'static [&'static str]),
    /// `x-kubernetes-list-map-keys`
    SchemaKeys(&'a [Value]),
}

const DEDUCED_MAP: Shape = Shape::Map(Fields::Deduced, Topology::Granular);
const DEDUCED_LIST: Shape = Shape::List(Items::Deduced, Relation::Atomic);
const OBJECT_META: Shape = Shape::Map(Fields::Struct("meta.v1.ObjectMeta"), Topology::Granular);

impl<'a> Shape<'a> {
    /// The shape of a built-in kind; of one without a schema, what can be deduced.
    pub fn of_kind(kind: &Kind) -> Shape<'static> {
        match schema::of_kind(kind) {
            Some(name) => Shape::of_struct(name),
            None => DEDUCED_MAP,
        }
    }

    pub fn of_struct(name: &'static str) -> Shape<'static> {
        of_type(Type::Struct(name))
    }

    /// The shape of a custom resource's version: its `openAPIV3Schema`.
    pub fn of_schema(schema: &'a Value) -> Shape<'a> {
        Shape::Map(Fields::Object(schema), Topology::Granular)
    }

    /// With what the value shows of itself, where the schema leaves it open.
    pub(super) fn seen(self, value: &Value) -> Shape<'a> {
        match (self, value) {
            (Shape::Deduced, Value::Object(_)) => DEDUCED_MAP,
            (Shape::Deduced, Value::Array(_)) => DEDUCED_LIST,
            (Shape::Deduced, Value::Null) => Shape::Deduced,
            (Shape::Deduced, _) => Shape::Scalar(Scalar::Any),
            (known, _) => known,
        }
    }

    /// What a map's entry holds. `None` for a field that the schema does not have.
    pub(super) fn field(self, name: &str) -> Option<Shape<'a>> {
        match self {
            Shape::Map(Fields::Struct(owner), _) => field_of_struct(owner, name),
            Shape::Map(Fields::Values(ty), _) => Some(of_type(ty)),
            Shape::Map(Fields::Schema(schema), _) => field_of_schema(schema, name),
            Shape::Map(Fields::Object(schema), _) => match name {
                "apiVersion" | "kind" => Some(Shape::Scalar(Scalar::Text)),
                "metadata" => Some(OBJECT_META),
                _ => field_of_schema(schema, name),
            },
            Shape::Map(Fields::Deduced, _) | Shape::Deduced => Some(Shape::Deduced),
            Shape::Scalar(_) | Shape::List(..) => None,
        }
    }

    pub(super) fn item(self) -> Shape<'a> {
        match self {
            Shape::List(Items::Type(ty), _) => of_type(ty),
            Shape::List(Items::Schema(schema), _) => of_schema(schema),
            _ => Shape::Deduced,
        }
    }

    /// The schema has a field of this name, rather than entries of any name.
    pub(super) fn names(self, element: &Element) -> bool {
        let Element::Field(name) = element else { return false };
        match self {
            Shape::Map(Fields::Struct(owner), _) => schema::field(owner, name).is_some(),
            Shape::Map(Fields::Schema(schema), _) => property(schema, name).is_some(),
            Shape::Map(Fields::Object(schema), _) => {
                matches!(name.as_str(), "apiVersion" | "kind" | "metadata") || property(schema, name).is_some()
            }
            _ => false,
        }
    }

    /// What a step of a path leads to.
    pub(super) fn step(self, element: &Element) -> Shape<'a> {
        match element {
            Element::Field(name) => self.field(name).unwrap_or(Shape::Deduced),
            Element::Key(_) | Element::Item(_) | Element::Index(_) => self.item(),
        }
    }

    /// The value of a key field that an item leaves out.
    pub(super) fn key_default(self, name: &str) -> Option<Value> {
        match self {
            Shape::Map(Fields::Struct(owner), _) => schema::key_default(owner, name),
            Shape::Map(Fields::Schema(schema) | Fields::Object(schema), _) => {
                property(schema, name)?.get("default").cloned()
            }
            _ => None,
        }
    }
}

impl<'a> Relation<'a> {
    /// The names of the key fields; none of a set.
    pub(super) fn keys(self) -> Vec<&'a str> {
        match self {
            Relation::Keyed(keys) => keys.to_vec(),
            Relation::SchemaKeys(keys) => keys.iter().filter_map(Value::as_str).collect(),
            Relation::Atomic | Relation::Set => Vec::new(),
        }
    }
}

fn of_type(ty: Type) -> Shape<'static> {
    match ty {
        Type::String | Type::Bytes => Shape::Scalar(Scalar::Text),
        Type::Bool => Shape::Scalar(Scalar::Bool),
        Type::Int32 | Type::Int64 | Type::Float => Shape::Scalar(Scalar::Number),
        Type::Quantity | Type::IntOrString | Type::Time | Type::MicroTime => Shape::Scalar(Scalar::Any),
        Type::Any => Shape::Deduced,
        Type::Struct(name) => Shape::Map(Fields::Struct(name), topology(schema::is_atomic_struct(name))),
        Type::List(inner) => Shape::List(Items::Type(inner.get()), Relation::Atomic),
        Type::Map(inner) => Shape::Map(Fields::Values(inner.get()), Topology::Granular),
    }
}

fn field_of_struct(owner: &'static str, name: &str) -> Option<Shape<'static>> {
    let field = schema::field(owner, name)?;
    Some(match of_type(field.ty) {
        Shape::List(items, _) => Shape::List(
            items,
            match schema::list_topology(owner, field.name) {
                ListTopology::Atomic => Relation::Atomic,
                ListTopology::Set => Relation::Set,
                ListTopology::Keyed(keys) => Relation::Keyed(keys),
            },
        ),
        Shape::Map(Fields::Values(ty), _) => {
            Shape::Map(Fields::Values(ty), topology(schema::is_atomic_map(owner, field.name)))
        }
        other => other,
    })
}

fn topology(atomic: bool) -> Topology {
    if atomic { Topology::Atomic } else { Topology::Granular }
}

fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema.get("properties")?.get(name)
}

fn is_set(schema: &Value, name: &str) -> bool {
    schema.get(name).is_some_and(|value| *value == true)
}

fn field_of_schema<'a>(schema: &'a Value, name: &str) -> Option<Shape<'a>> {
    if let Some(property) = property(schema, name) {
        return Some(of_schema(property));
    }
    match schema.get("additionalProperties") {
        Some(values @ Value::Object(_)) => Some(of_schema(values)),
        Some(Value::Bool(true)) => Some(Shape::Deduced),
        _ if is_set(schema, "x-kubernetes-preserve-unknown-fields") => Some(Shape::Deduced),
        _ => None,
    }
}

fn of_schema(schema: &Value) -> Shape<'_> {
    let text = |name: &str| schema.get(name).and_then(Value::as_str);
    let map_topology = topology(text("x-kubernetes-map-type") == Some("atomic"));
    if is_set(schema, "x-kubernetes-int-or-string") {
        return Shape::Scalar(Scalar::Any);
    }
    if is_set(schema, "x-kubernetes-embedded-resource") {
        return Shape::Map(Fields::Object(schema), map_topology);
    }
    match text("type") {
        Some("string") if text("format").is_some_and(|format| format != "byte") => Shape::Scalar(Scalar::Any),
        Some("string") => Shape::Scalar(Scalar::Text),
        Some("boolean") => Shape::Scalar(Scalar::Bool),
        Some("integer" | "number") => Shape::Scalar(Scalar::Number),
        Some("array") => {
            let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array).map(Vec::as_slice);
            let relation = match text("x-kubernetes-list-type") {
                Some("set") => Relation::Set,
                Some("map") => Relation::SchemaKeys(keys.unwrap_or_default()),
                _ => Relation::Atomic,
            };
            Shape::List(schema.get("items").map_or(Items::Deduced, Items::Schema), relation)
        }
        Some("object") => Shape::Map(Fields::Schema(schema), map_topology),
        _ => Shape::Deduced,
    }
}
