//! What a definition's schema may use of OpenAPI. Upstream: `ValidateCustomResourceDefinitionOpenAPISchema`.

use api::field::{ErrorKind, Errors};
use serde_json::Value;

use super::field_path;
use super::structural::{list, properties, push, text};

const UNSUPPORTED: [(&str, &str); 6] = [
    ("id", "id is not supported"),
    ("additionalItems", "additionalItems is not supported"),
    ("patternProperties", "patternProperties is not supported"),
    ("definitions", "definitions is not supported"),
    ("dependencies", "dependencies is not supported"),
    ("$ref", "$ref is not supported"),
];

/// Something in it has no place in a structural schema.
pub(super) fn has_unsupported(node: &Value) -> bool {
    UNSUPPORTED.iter().any(|(name, _)| !node[*name].is_null())
        || node["items"].is_array()
        || inner(node).iter().any(|(_, inner)| has_unsupported(inner))
}

/// The schemas in a schema, with where they stand in it, in upstream's order.
fn inner(node: &Value) -> Vec<(String, &Value)> {
    let mut all = Vec::new();
    all.push(("additionalProperties".to_owned(), &node["additionalProperties"]));
    all.extend(properties(node).map(|(name, property)| (format!("properties[{name}]"), property)));
    all.push(("not".to_owned(), &node["not"]));
    for name in ["allOf", "oneOf", "anyOf"] {
        all.extend(list(node, name).iter().enumerate().map(|(index, one)| (format!("{name}[{index}]"), one)));
    }
    all.push(("items".to_owned(), &node["items"]));
    all.retain(|(_, inner)| inner.is_object());
    all
}

pub(super) fn validate(node: &Value, path: &str, errors: &mut Errors) {
    walk(node, path, true, &Metadata::Outside, errors);
}

/// Whether a schema is that of what every object says of itself.
enum Metadata {
    Outside,
    /// Of an embedded object.
    Embedded,
    /// Of the object itself, in the named field: there are no defaults.
    TopLevel(String),
}

fn walk(node: &Value, path: &str, root: bool, metadata: &Metadata, errors: &mut Errors) {
    let at = |name: &str| format!("{path}.{name}");
    standard(node, path, metadata, errors);
    if node["uniqueItems"] == true {
        let why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        push(ErrorKind::Forbidden, at("uniqueItems"), Value::Null, why, errors);
    }
    let additional = &node["additionalProperties"];
    if (additional.is_object() || *additional == false) && properties(node).next().is_some() {
        let why = "additionalProperties and properties are mutual exclusive";
        push(ErrorKind::Forbidden, at("additionalProperties"), Value::Null, why, errors);
    }
    for (name, one) in inner(node) {
        let own = name.strip_prefix("properties[").and_then(|name| name.strip_suffix(']'));
        let own = own.filter(|name| matches!(*name, "metadata" | "kind" | "apiVersion"));
        let of_own = match own {
            Some(field) if root => Some(Metadata::TopLevel(field.to_owned())),
            Some(_) if node["x-kubernetes-embedded-resource"] == true => Some(Metadata::Embedded),
            _ => None,
        };
        walk(one, &at(&name), false, of_own.as_ref().unwrap_or(metadata), errors);
    }
    if node["x-kubernetes-preserve-unknown-fields"] == false {
        let name = at("x-kubernetes-preserve-unknown-fields");
        push(ErrorKind::Invalid, name, false.into(), "must be true or undefined", errors);
    }
    merging(node, path, errors);
    rule_texts(node, path, errors);
}

/// `specStandardValidatorV3`
fn standard(node: &Value, path: &str, metadata: &Metadata, errors: &mut Errors) {
    let at = |name: &str| format!("{path}.{name}");
    let kind = text(node, "type");
    if !matches!(kind, "" | "array" | "boolean" | "integer" | "number" | "object" | "string") {
        let supported = "supported values: \"array\", \"boolean\", \"integer\", \"number\", \"object\", \"string\"";
        push(ErrorKind::NotSupported, at("type"), kind.into(), supported, errors);
    }
    if let Metadata::TopLevel(field) = metadata
        && !node["default"].is_null()
    {
        let why = format!("must not be set in top-level {field}");
        push(ErrorKind::Forbidden, at("default"), Value::Null, why, errors);
    }
    for (name, why) in UNSUPPORTED {
        if !node[name].is_null() {
            push(ErrorKind::Forbidden, at(name), Value::Null, why, errors);
        }
    }
    if kind == "null" {
        let why = "type cannot be set to null, use nullable as an alternative";
        push(ErrorKind::Forbidden, at("type"), Value::Null, why, errors);
    }
    if node["items"].is_array() {
        let why = "items must be a schema object and not an array";
        push(ErrorKind::Forbidden, at("items"), Value::Null, why, errors);
    }
    if !matches!(metadata, Metadata::Outside) && node["x-kubernetes-embedded-resource"] == true {
        let field = at("x-kubernetes-embedded-resource");
        push(ErrorKind::Forbidden, field, Value::Null, "must not be used inside of resource meta", errors);
    }
}

/// How maps and lists are merged.
fn merging(node: &Value, path: &str, errors: &mut Errors) {
    let at = |name: &str| format!("{path}.{name}");
    let (kind, list_type) = (text(node, "type"), node["x-kubernetes-list-type"].as_str());
    let wrong_type = |wanted: &str, extension: &str, errors: &mut Errors| {
        let why = format!("must be {wanted} if {extension} is specified");
        match kind {
            "" => push(ErrorKind::Required, at("type"), Value::Null, why, errors),
            _ => push(ErrorKind::Invalid, at("type"), kind.into(), why, errors),
        }
    };
    if let Some(map_type) = node["x-kubernetes-map-type"].as_str() {
        if kind != "object" {
            wrong_type("object", "x-kubernetes-map-type", errors);
        }
        if !matches!(map_type, "atomic" | "granular") {
            let supported = "supported values: \"atomic\", \"granular\"";
            push(ErrorKind::NotSupported, at("x-kubernetes-map-type"), map_type.into(), supported, errors);
        }
    }
    if let Some(list_type) = list_type {
        if kind != "array" {
            wrong_type("array", "x-kubernetes-list-type", errors);
        } else if list_type == "set" {
            atomic_items(&node["items"], path, errors);
        }
        if !matches!(list_type, "atomic" | "set" | "map") {
            let supported = "supported values: \"atomic\", \"set\", \"map\"";
            push(ErrorKind::NotSupported, at("x-kubernetes-list-type"), list_type.into(), supported, errors);
        }
    }
    if !list(node, "x-kubernetes-list-map-keys").is_empty() && list_type != Some("map") {
        let why = "must be map if x-kubernetes-list-map-keys is non-empty";
        match list_type {
            None => push(ErrorKind::Required, at("x-kubernetes-list-type"), Value::Null, why, errors),
            Some(other) => push(ErrorKind::Invalid, at("x-kubernetes-list-type"), other.into(), why, errors),
        }
    }
    if list_type == Some("map") {
        keyed(node, path, errors);
    }
    if let Some(list_type @ ("map" | "set")) = list_type {
        members(node, list_type, path, errors);
    }
}

/// The items of a set have no parts of their own.
fn atomic_items(items: &Value, path: &str, errors: &mut Errors) {
    let name = match text(items, "type") {
        "array" if items["x-kubernetes-list-type"].as_str().is_some_and(|of| of != "atomic") => {
            "x-kubernetes-list-type"
        }
        "object" if items["x-kubernetes-map-type"] != "atomic" => "x-kubernetes-map-type",
        _ => return,
    };
    // Upstream shows the type of the inner list in both cases.
    let shown = items["x-kubernetes-list-type"].clone();
    let why = "must be atomic as item of a list with x-kubernetes-list-type=set";
    push(ErrorKind::Invalid, format!("{path}.items.{name}"), shown, why, errors);
}

/// A list whose items are told apart by keys.
fn keyed(node: &Value, path: &str, errors: &mut Errors) {
    let at = |name: &str| format!("{path}.{name}");
    let (keys, items) = (list(node, "x-kubernetes-list-map-keys"), &node["items"]);
    if keys.is_empty() {
        let why = "must not be empty if x-kubernetes-list-type is map";
        push(ErrorKind::Required, at("x-kubernetes-list-map-keys"), Value::Null, why, errors);
    }
    if items.is_null() {
        let why = "must have a schema if x-kubernetes-list-type is map";
        push(ErrorKind::Required, at("items"), Value::Null, why, errors);
    }
    if !items.is_object() {
        return;
    }
    let kind = text(items, "type");
    if kind != "object" {
        let why = "must be object if parent array's x-kubernetes-list-type is map";
        return push(ErrorKind::Invalid, at("items.type"), kind.into(), why, errors);
    }
    for (index, key) in keys.iter().enumerate() {
        let name = key.as_str().unwrap_or_default();
        let property = &items["properties"][name];
        let mut refuse = |why: &str| {
            let shown = node["x-kubernetes-list-map-keys"].clone();
            push(ErrorKind::Invalid, at("x-kubernetes-list-map-keys"), shown, why, errors);
        };
        if property.is_null() {
            refuse("entries must all be names of item properties");
        }
        if keys[..index].contains(key) {
            refuse("must not contain duplicate entries");
        }
        if matches!(text(property, "type"), "array" | "object") {
            let field = format!("{path}.items.properties[{name}].type");
            let why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
            push(ErrorKind::Invalid, field, kind.into(), why, errors);
        }
    }
}

/// `validateMapListKeysMapSet`: the items of a set, or of a list with keys, are there.
fn members(node: &Value, list_type: &str, path: &str, errors: &mut Errors) {
    let items = &node["items"];
    if items["nullable"] == true {
        let why = format!("cannot be nullable when x-kubernetes-list-type is {list_type}");
        push(ErrorKind::Forbidden, format!("{path}.items.nullable"), Value::Null, why, errors);
    }
    let keys = list(node, "x-kubernetes-list-map-keys").iter().filter(|_| list_type == "map");
    for key in keys {
        let name = key.as_str().unwrap_or_default();
        let property = &items["properties"][name];
        if property.is_null() {
            continue;
        }
        let at = |field: &str| format!("{path}.items.properties[{name}].{field}");
        if property["default"].is_null() && !list(items, "required").contains(key) {
            let why =
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            push(ErrorKind::Required, at("default"), Value::Null, why, errors);
        }
        if property["nullable"] == true {
            let why = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            push(ErrorKind::Forbidden, at("nullable"), Value::Null, why, errors);
        }
    }
}

/// What is wrong with rules before they are compiled.
fn rule_texts(node: &Value, path: &str, errors: &mut Errors) {
    const REASONS: [&str; 4] =
        ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
    for (index, rule) in list(node, "x-kubernetes-validations").iter().enumerate() {
        let at = |name: &str| format!("{path}.x-kubernetes-validations[{index}].{name}");
        let (source, message) = (text(rule, "rule").trim(), text(rule, "message").trim());
        let breaks = |text: &str| text.contains(['\n', '\r']);
        let mut wrong = |kind: ErrorKind, name: &str, why: &str| {
            let shown = if kind == ErrorKind::Required { Value::Null } else { text(rule, name).into() };
            push(kind, at(name), shown, why, errors);
        };
        if source.is_empty() {
            wrong(ErrorKind::Required, "rule", "rule is not specified");
        } else if !text(rule, "message").is_empty() && message.is_empty() {
            wrong(ErrorKind::Invalid, "message", "message must be non-empty if specified");
        } else if breaks(message) {
            wrong(ErrorKind::Invalid, "message", "message must not contain line breaks");
        } else if breaks(source) && message.is_empty() {
            wrong(ErrorKind::Required, "message", "message must be specified if rule contains line breaks");
        }
        if !text(rule, "messageExpression").is_empty() && text(rule, "messageExpression").trim().is_empty() {
            wrong(ErrorKind::Required, "messageExpression", "messageExpression must be non-empty if specified");
        }
        if rule["reason"].as_str().is_some_and(|reason| !REASONS.contains(&reason)) {
            let listed: Vec<String> = REASONS.iter().map(|reason| format!("{reason:?}")).collect();
            wrong(ErrorKind::NotSupported, "reason", &format!("supported values: {}", listed.join(", ")));
        }
        let place = text(rule, "fieldPath");
        if place.is_empty() {
            continue;
        }
        if place.trim().is_empty() {
            wrong(ErrorKind::Invalid, "fieldPath", "fieldPath must be non-empty if specified");
        }
        if breaks(place) {
            wrong(ErrorKind::Invalid, "fieldPath", "fieldPath must not contain line breaks");
        }
        if field_path::find(place, node, true).is_err() {
            wrong(ErrorKind::Invalid, "fieldPath", "fieldPath must be a valid path");
        }
    }
}
