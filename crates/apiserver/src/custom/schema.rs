//! Structural schemas: `apiextensions-apiserver/pkg/apiserver/schema`. Pruning and defaulting follow from them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::rules::Rule;

/// One node of a version's schema, with what is asked of it often read out of its JSON.
#[derive(Debug, Default)]
pub struct Schema {
    /// Empty where the node does not say.
    pub kind: String,
    pub nullable: bool,
    pub int_or_string: bool,
    pub preserves: bool,
    pub embedded: bool,
    pub properties: BTreeMap<String, Schema>,
    pub additional: Additional,
    pub items: Option<Box<Schema>>,
    pub default: Option<Value>,
    /// `x-kubernetes-list-type`, `x-kubernetes-list-map-keys`
    pub list_type: String,
    pub list_map_keys: Vec<String>,
    pub rules: Vec<Rule>,
    /// The node as JSON, for the validations of values.
    pub node: Value,
}

/// What a node says of fields that it does not name.
#[derive(Debug, Default)]
pub enum Additional {
    #[default]
    None,
    Any,
    Schema(Box<Schema>),
}

impl Schema {
    pub fn parse(node: &Value) -> Schema {
        let text = |name: &str| node[name].as_str().unwrap_or_default().to_owned();
        let is = |name: &str| node[name] == true;
        let keys = node["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
        let properties = node["properties"].as_object().into_iter().flatten();
        let mut schema = Schema {
            kind: text("type"),
            nullable: is("nullable"),
            int_or_string: is("x-kubernetes-int-or-string"),
            preserves: is("x-kubernetes-preserve-unknown-fields"),
            embedded: is("x-kubernetes-embedded-resource"),
            properties: properties.map(|(name, node)| (name.clone(), Schema::parse(node))).collect(),
            additional: match &node["additionalProperties"] {
                Value::Bool(true) => Additional::Any,
                object @ Value::Object(_) => Additional::Schema(Box::new(Schema::parse(object))),
                _ => Additional::None,
            },
            items: node.get("items").filter(|items| items.is_object()).map(|items| Box::new(Schema::parse(items))),
            default: node.get("default").cloned(),
            list_type: text("x-kubernetes-list-type"),
            list_map_keys: keys.filter_map(|key| key.as_str().map(str::to_owned)).collect(),
            rules: Vec::new(),
            node: node.clone(),
        };
        schema.rules = Rule::all_of(&schema, false);
        schema
    }

    /// The same for the schema of a whole object, whose rules also see its type and name.
    pub fn parse_root(node: &Value) -> Schema {
        let mut schema = Schema::parse(node);
        schema.rules = Rule::all_of(&schema, true);
        schema
    }

    /// The schema of a field, named or not.
    pub fn field(&self, name: &str) -> Option<&Schema> {
        self.properties.get(name).or(match &self.additional {
            Additional::Schema(schema) => Some(schema),
            _ => None,
        })
    }
}

/// Drops the fields that the schema does not know and returns their paths. `root`: the value is a whole object.
pub fn prune(schema: &Schema, value: &mut Value, root: bool) -> Vec<String> {
    let mut dropped = Vec::new();
    prune_at(schema, value, root, "", &mut dropped);
    dropped
}

fn prune_at(schema: &Schema, value: &mut Value, root: bool, path: &str, dropped: &mut Vec<String>) {
    match value {
        Value::Object(fields) => prune_fields(schema, fields, root || schema.embedded, path, dropped),
        Value::Array(items) => {
            let Some(schema) = &schema.items else { return };
            for (index, item) in items.iter_mut().enumerate() {
                prune_at(schema, item, false, &format!("{path}[{index}]"), dropped);
            }
        }
        _ => {}
    }
}

fn prune_fields(
    schema: &Schema,
    fields: &mut Map<String, Value>,
    is_object: bool,
    path: &str,
    dropped: &mut Vec<String>,
) {
    fields.retain(|name, value| {
        if is_object && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
            return true;
        }
        let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match schema.field(name) {
            Some(schema) => prune_at(schema, value, false, &at, dropped),
            None if schema.preserves || matches!(schema.additional, Additional::Any) => {}
            None => {
                dropped.push(at);
                return false;
            }
        }
        true
    });
}

/// Fills in defaults, and drops `null` where nothing may be null.
pub fn fill_in(schema: &Schema, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| {
                let known = schema.field(name);
                !(value.is_null() && known.is_some_and(|schema| !schema.nullable))
            });
            for (name, schema) in &schema.properties {
                if let Some(default) = &schema.default
                    && !fields.contains_key(name)
                {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in fields.iter_mut() {
                if let Some(schema) = schema.field(name) {
                    fill_in(schema, value);
                }
            }
        }
        Value::Array(items) => {
            let Some(schema) = &schema.items else { return };
            for item in items {
                if item.is_null()
                    && !schema.nullable
                    && let Some(default) = &schema.default
                {
                    *item = default.clone();
                }
                fill_in(schema, item);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_take_the_schema_s_shape() {
        let schema = Schema::parse_root(&json!({
            "type": "object",
            "properties": { "spec": { "type": "object", "properties": {
                "n": { "type": "integer", "default": 3 },
                "free": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
                "list": { "type": "array", "items": { "type": "object", "properties": {
                    "a": { "type": "string", "default": "x" } } } },
            } } },
        }));
        let mut value = json!({ "apiVersion": "g/v1", "metadata": { "name": "x" },
            "spec": { "n": null, "free": { "any": 1 }, "list": [{ "b": 1 }], "other": 1 } });
        assert_eq!(prune(&schema, &mut value, true), ["spec.list[0].b", "spec.other"]);
        fill_in(&schema, &mut value);
        let spec = json!({ "n": 3, "free": { "any": 1 }, "list": [{ "a": "x" }] });
        assert_eq!(value, json!({ "apiVersion": "g/v1", "metadata": { "name": "x" }, "spec": spec }));
    }
}
