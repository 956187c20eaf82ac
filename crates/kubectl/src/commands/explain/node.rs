//! What can be explained: built-in types by the core's tables, custom resources by the schema of their definition.

use api::schema::{self, Type};
use serde_json::Value;

pub(super) enum Node {
    BuiltIn(Type),
    /// The owned fields of a manager.
    FieldsV1,
    /// A custom resource as a whole.
    Root(&'static Value),
    Custom(&'static Value),
}

pub(super) struct Property {
    pub name: &'static str,
    pub required: bool,
    /// The values that it can have; none where any will do.
    pub values: Vec<&'static str>,
    pub description: Option<&'static str>,
    pub node: Node,
}

impl Property {
    pub fn type_text(&self) -> String {
        match &self.node {
            Node::BuiltIn(ty) => type_text(*ty),
            Node::FieldsV1 => "FieldsV1".into(),
            Node::Root(schema) | Node::Custom(schema) => schema_type(schema),
        }
    }

    fn built_in(owner: &str, field: &'static schema::Field) -> Property {
        Property {
            name: field.name,
            required: schema::is_required(owner, field.name),
            values: schema::values(owner, field.name),
            description: schema::describe(owner, field.name),
            node: if field.name == "fieldsV1" { Node::FieldsV1 } else { Node::BuiltIn(field.ty) },
        }
    }

    fn custom(owner: &Value, name: &'static str, field: &'static Value) -> Property {
        let items = |field: &'static Value, list: &str| field[list].as_array().into_iter().flatten();
        let is_required = owner["required"].as_array().is_some_and(|required| required.iter().any(|it| it == name));
        Property {
            name,
            required: is_required,
            values: items(field, "enum").filter_map(Value::as_str).collect(),
            description: field["description"].as_str(),
            node: Node::Custom(field),
        }
    }
}

impl Node {
    /// What the type itself is for, beside what the field that holds it is for.
    pub fn description(&self) -> Option<&'static str> {
        match self {
            Node::BuiltIn(ty) => struct_of(*ty).and_then(schema::describe_type),
            Node::FieldsV1 => None,
            Node::Root(schema) => schema["description"].as_str(),
            Node::Custom(schema) => {
                Some(inner(schema)).filter(|of| !std::ptr::eq(*of, *schema))?["description"].as_str()
            }
        }
    }

    /// In the order of their names.
    pub fn properties(&self) -> Vec<Property> {
        let mut properties: Vec<Property> = match self {
            Node::BuiltIn(ty) => {
                let owner = struct_of(*ty).unwrap_or_default();
                schema::fields(owner).iter().map(|field| Property::built_in(owner, field)).collect()
            }
            Node::FieldsV1 => Vec::new(),
            Node::Root(schema) => {
                // Every object has these, whatever its schema says of them.
                let common = schema::fields("meta.v1.PartialObjectMetadata").iter();
                let common = common.map(|field| Property::built_in("meta.v1.PartialObjectMetadata", field));
                let own = custom_properties(schema);
                own.filter(|own| !matches!(own.name, "apiVersion" | "kind" | "metadata")).chain(common).collect()
            }
            Node::Custom(schema) => custom_properties(inner(schema)).collect(),
        };
        properties.sort_by_key(|property| property.name);
        properties
    }
}

fn custom_properties(schema: &'static Value) -> impl Iterator<Item = Property> {
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties.map(move |(name, field)| Property::custom(schema, name, field))
}

/// What lists and maps are of.
fn inner(schema: &Value) -> &Value {
    match (&schema["items"], &schema["additionalProperties"]) {
        (items @ Value::Object(_), _) => inner(items),
        (_, values @ Value::Object(_)) => inner(values),
        _ => schema,
    }
}

/// The struct behind a field, through lists and maps.
fn struct_of(ty: Type) -> Option<&'static str> {
    match ty {
        Type::Struct(name) => Some(name),
        Type::List(inner) | Type::Map(inner) => struct_of(inner.get()),
        _ => None,
    }
}

fn schema_type(schema: &Value) -> String {
    match schema["type"].as_str() {
        Some("array") => format!("[]{}", schema_type(&schema["items"])),
        Some("object") if schema["additionalProperties"].is_object() => {
            format!("map[string]{}", schema_type(&schema["additionalProperties"]))
        }
        Some("object") | None => "Object".into(),
        Some(other) => other.into(),
    }
}

/// A type as `explain` writes it: `[]Container`, `map[string]string`.
fn type_text(ty: Type) -> String {
    match ty {
        Type::String | Type::Bytes | Type::Time | Type::MicroTime => "string".into(),
        Type::Bool => "boolean".into(),
        Type::Int32 | Type::Int64 => "integer".into(),
        Type::Float => "number".into(),
        Type::Quantity => "Quantity".into(),
        Type::IntOrString => "IntOrString".into(),
        Type::Any => "Object".into(),
        Type::Struct(name) => name.rsplit('.').next().unwrap_or_default().into(),
        Type::List(inner) => format!("[]{}", type_text(inner.get())),
        Type::Map(inner) => format!("map[string]{}", type_text(inner.get())),
    }
}
