//! Schemas of the built-in types, made of the core's table of fields and of what it knows about them.

use api::Kind;
use api::schema::{self, Field, ListMerge, Type};
use serde_json::{Map, Value, json};

/// Which version of OpenAPI a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    V2,
    V3,
}

const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
const TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
const MICRO_TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";
const FIELDS_V1: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1";
pub const STATUS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";
pub const PATCH: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";
pub const LIST_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";

/// The schemas of a document: those asked for, and those that they refer to.
pub struct Schemas {
    dialect: Dialect,
    done: Map<String, Value>,
}

impl Schemas {
    pub fn new(dialect: Dialect) -> Schemas {
        Schemas { dialect, done: Map::new() }
    }

    pub fn finish(self) -> Value {
        Value::Object(self.done)
    }

    /// A reference to one of apimachinery's own types.
    pub fn well_known(&mut self, name: &str) -> Value {
        let schema = match name {
            QUANTITY => match self.dialect {
                Dialect::V2 => json!({ "type": "string" }),
                Dialect::V3 => json!({ "oneOf": [{ "type": "string" }, { "type": "number" }] }),
            },
            INT_OR_STRING => match self.dialect {
                Dialect::V2 => json!({ "type": "string", "format": "int-or-string" }),
                Dialect::V3 => {
                    json!({ "format": "int-or-string", "oneOf": [{ "type": "integer" }, { "type": "string" }] })
                }
            },
            TIME | MICRO_TIME => json!({ "type": "string", "format": "date-time" }),
            LIST_META => {
                let text = json!({ "type": "string" });
                let count = json!({ "type": "integer", "format": "int64" });
                json!({
                    "type": "object",
                    "properties": { "continue": text, "remainingItemCount": count, "resourceVersion": text, "selfLink": text },
                })
            }
            STATUS => {
                let text = json!({ "type": "string" });
                let metadata = self.well_known(LIST_META);
                json!({
                    "type": "object",
                    "properties": {
                        "apiVersion": text, "kind": text, "metadata": metadata, "status": text, "message": text,
                        "reason": text, "details": { "type": "object" }, "code": { "type": "integer", "format": "int32" },
                    },
                    "x-kubernetes-group-version-kind": [{ "group": "", "kind": "Status", "version": "v1" }],
                })
            }
            _ => json!({ "type": "object" }),
        };
        self.done.entry(name).or_insert(schema);
        self.reference(name)
    }

    /// A reference to a type of the table.
    pub fn of_type(&mut self, type_name: &'static str) -> Value {
        let name = definition(type_name);
        if !self.done.contains_key(&name) {
            // Types may hold themselves: the name is taken before the fields are looked at.
            self.done.insert(name.clone(), Value::Null);
            let schema = self.object(type_name);
            self.done.insert(name.clone(), schema);
        }
        self.reference(&name)
    }

    /// A reference to a kind's schema, which says what kind it is of.
    pub fn of_kind(&mut self, kind: &Kind) -> Value {
        if let Some(schema) = kind.custom.and_then(|custom| custom.schema()) {
            let name = custom_definition(kind, kind.kind);
            let mut schema = schema.clone();
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            let of_any = "meta.v1.PartialObjectMetadata";
            let own = schema::fields(of_any).iter();
            let own = own.map(|field| (field.name.to_owned(), self.property(of_any, field)));
            schema["properties"] = properties.into_iter().chain(own).collect::<Map<String, Value>>().into();
            schema["x-kubernetes-group-version-kind"] = json!([group_version_kind(kind)]);
            self.done.insert(name.clone(), schema);
            return self.reference(&name);
        }
        let Some(type_name) = schema::of_kind(kind) else { return json!({ "type": "object" }) };
        let reference = self.of_type(type_name);
        if let Some(schema) = self.done.get_mut(&definition(type_name)) {
            schema["x-kubernetes-group-version-kind"] = json!([group_version_kind(kind)]);
        }
        reference
    }

    pub fn list_of(&mut self, kind: &Kind) -> Value {
        let name = match schema::of_kind(kind) {
            Some(type_name) => {
                definition(type_name).replace(&format!(".{}", kind.kind), &format!(".{}", kind.list_kind))
            }
            None if kind.id.is_custom() => custom_definition(kind, kind.list_kind),
            None => return json!({ "type": "object" }),
        };
        let (item, meta) = (self.of_kind(kind), self.well_known(LIST_META));
        let schema = json!({
            "type": "object",
            "required": ["items"],
            "properties": {
                "apiVersion": { "type": "string" },
                "items": { "type": "array", "items": item },
                "kind": { "type": "string" },
                "metadata": meta,
            },
            "x-kubernetes-group-version-kind": [
                { "group": kind.group, "kind": kind.list_kind, "version": kind.version },
            ],
        });
        self.done.insert(name.clone(), schema);
        self.reference(&name)
    }

    /// Version 3 keeps a reference apart from what is said beside it.
    fn reference(&self, name: &str) -> Value {
        match self.dialect {
            Dialect::V2 => json!({ "$ref": format!("#/definitions/{name}") }),
            Dialect::V3 => json!({ "allOf": [{ "$ref": format!("#/components/schemas/{name}") }] }),
        }
    }

    fn object(&mut self, type_name: &'static str) -> Value {
        let fields = schema::fields(type_name);
        let properties: Map<String, Value> =
            fields.iter().map(|field| (field.name.to_owned(), self.property(type_name, field))).collect();
        let mut schema = json!({ "type": "object" });
        if let Some(description) = schema::describe_type(type_name) {
            schema["description"] = description.into();
        }
        if !properties.is_empty() {
            schema["properties"] = properties.into();
        }
        let is_required = |field: &&Field| schema::is_required(type_name, field.name);
        let required: Vec<&str> = fields.iter().filter(is_required).map(|field| field.name).collect();
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        if schema::is_atomic_type(type_name) {
            schema["x-kubernetes-map-type"] = "atomic".into();
        }
        schema
    }

    fn property(&mut self, type_name: &'static str, field: &Field) -> Value {
        let mut property = if field.name == "fieldsV1" { self.well_known(FIELDS_V1) } else { self.value(field.ty) };
        if let Some(description) = schema::describe(type_name, field.name) {
            property["description"] = description.into();
        }
        let values = schema::values(type_name, field.name);
        if !values.is_empty() {
            property["enum"] = values.into();
        }
        for fact in schema::facts(type_name, field.name) {
            match (fact, fact.strip_prefix("map:")) {
                ("atomic" | "set", _) => property["x-kubernetes-list-type"] = fact.into(),
                ("atomic-map", _) => property["x-kubernetes-map-type"] = "atomic".into(),
                (_, Some(keys)) => {
                    property["x-kubernetes-list-type"] = "map".into();
                    property["x-kubernetes-list-map-keys"] = keys.split(',').collect();
                }
                _ => {}
            }
        }
        let merge = schema::list_merge(type_name, field.name);
        let retains = schema::replaces_other_keys(type_name, field.name);
        let strategy = match (merge != ListMerge::Replace, retains) {
            (true, true) => "merge,retainKeys",
            (true, false) => "merge",
            (false, true) => "retainKeys",
            (false, false) => return property,
        };
        property["x-kubernetes-patch-strategy"] = strategy.into();
        if let ListMerge::ByKey(key) = merge {
            property["x-kubernetes-patch-merge-key"] = key.into();
        }
        property
    }

    fn value(&mut self, ty: Type) -> Value {
        match ty {
            Type::String => json!({ "type": "string" }),
            Type::Bool => json!({ "type": "boolean" }),
            Type::Int32 => json!({ "type": "integer", "format": "int32" }),
            Type::Int64 => json!({ "type": "integer", "format": "int64" }),
            Type::Float => json!({ "type": "number", "format": "double" }),
            Type::Bytes => json!({ "type": "string", "format": "byte" }),
            Type::Quantity => self.well_known(QUANTITY),
            Type::IntOrString => self.well_known(INT_OR_STRING),
            Type::Time => self.well_known(TIME),
            Type::MicroTime => self.well_known(MICRO_TIME),
            Type::Any => json!({ "type": "object" }),
            Type::Struct(name) => self.of_type(name),
            Type::List(inner) => json!({ "type": "array", "items": self.value(inner.get()) }),
            Type::Map(inner) => json!({ "type": "object", "additionalProperties": self.value(inner.get()) }),
        }
    }
}

pub fn group_version_kind(kind: &Kind) -> Value {
    json!({ "group": kind.group, "kind": kind.kind, "version": kind.version })
}

/// `com.example.v1.Widget`
fn custom_definition(kind: &Kind, name: &str) -> String {
    let mut parts: Vec<&str> = kind.group.split('.').rev().collect();
    parts.extend([kind.version, name]);
    parts.join(".")
}

/// `core.v1.Pod` as upstream's documents call it.
fn definition(type_name: &str) -> String {
    let package = match type_name.split('.').next() {
        Some("meta") => "io.k8s.apimachinery.pkg.apis",
        Some("apiextensions") => "io.k8s.apiextensions-apiserver.pkg.apis",
        Some("apiregistration") => "io.k8s.kube-aggregator.pkg.apis",
        _ => "io.k8s.api",
    };
    format!("{package}.{type_name}")
}
