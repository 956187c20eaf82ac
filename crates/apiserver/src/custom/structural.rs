//! The rules for schemas of definitions: upstream's `ValidateCustomResourceDefinitionOpenAPISchema` and
//! `ValidateStructural`.

use api::field::{Error, ErrorKind, Errors};
use regex_lite::Regex;
use serde_json::{Value, json};

use super::cost;
use super::rules::{Mistake, Rule};
use super::schema::{Schema, prune};
use super::validate;

/// What is wrong with the schema of a version. Rules are compiled only where the rest is right.
pub(super) fn validate(node: &Value, path: &str, errors: &mut Errors) {
    let before = errors.len();
    walk(node, path, Place::Root, errors);
    let schema = Schema::parse_root(node);
    if errors.len() == before {
        defaults(&schema, path, errors);
    }
    if errors.len() == before {
        rules(&schema, path, errors);
        cost::check(&schema, path, errors);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Root,
    Field,
    Item,
    /// Within `allOf`, `anyOf`, `oneOf` or `not`: constraints on what has its type elsewhere.
    Junction,
}

fn push(kind: ErrorKind, field: String, value: Value, detail: impl Into<String>, errors: &mut Errors) {
    errors.push(Error { kind, field, value, verbatim: false, detail: detail.into() });
}

fn walk(node: &Value, path: &str, place: Place, errors: &mut Errors) {
    let at = |name: &str| format!("{path}.{name}");
    let text = |name: &str| node[name].as_str().unwrap_or_default();
    let is = |name: &str| node[name] == true;
    forbidden(node, path, errors);
    let kind = text("type");
    let typeless = is("x-kubernetes-int-or-string") || is("x-kubernetes-preserve-unknown-fields");
    let mut refuse = |error: ErrorKind, field: &str, value: Value, detail: &str| {
        push(error, at(field), value, detail, errors);
    };
    match place {
        Place::Junction => {}
        Place::Root if kind.is_empty() => {
            refuse(ErrorKind::Required, "type", Value::Null, "must not be empty at the root")
        }
        Place::Root if kind != "object" => {
            refuse(ErrorKind::Invalid, "type", kind.into(), "must be object at the root");
        }
        Place::Field if kind.is_empty() && !typeless => {
            refuse(ErrorKind::Required, "type", Value::Null, "must not be empty for specified object fields");
        }
        Place::Item if kind.is_empty() && !typeless => {
            refuse(ErrorKind::Required, "type", Value::Null, "must not be empty for specified array items");
        }
        _ => {}
    }
    if place != Place::Junction {
        if is("x-kubernetes-int-or-string") && !kind.is_empty() {
            refuse(ErrorKind::Forbidden, "type", Value::Null, "must be empty if x-kubernetes-int-or-string is true");
        }
        if is("x-kubernetes-embedded-resource") {
            let why = "must be object if x-kubernetes-embedded-resource is true";
            match kind {
                "object" => {}
                "" => refuse(ErrorKind::Required, "type", Value::Null, why),
                _ => refuse(ErrorKind::Invalid, "type", kind.into(), why),
            }
            if !is("x-kubernetes-preserve-unknown-fields") && !node["properties"].is_object() {
                let why = "must not be empty if x-kubernetes-embedded-resource is true without \
                           x-kubernetes-preserve-unknown-fields";
                refuse(ErrorKind::Required, "properties", Value::Null, why);
            }
        }
        if kind == "array" && !node["items"].is_object() && !node["items"].is_array() {
            refuse(ErrorKind::Required, "items", Value::Null, "must be specified");
        }
        if node["properties"].is_object()
            && !node["additionalProperties"].is_null()
            && node["additionalProperties"] != false
        {
            let why = "additionalProperties and properties are mutual exclusive";
            refuse(ErrorKind::Forbidden, "additionalProperties", Value::Null, why);
        }
    } else {
        for name in ["type", "default", "nullable", "description"] {
            if !node[name].is_null() && node[name] != false {
                refuse(ErrorKind::Forbidden, name, Value::Null, "must be empty to be structural");
            }
        }
    }
    lists(node, path, errors);
    if place == Place::Root || is("x-kubernetes-embedded-resource") {
        type_fields(&node["properties"], path, errors);
        metadata(&node["properties"]["metadata"], &format!("{path}.properties[metadata]"), errors);
    }
    rule_texts(node, path, errors);
    let inner = if place == Place::Junction { Place::Junction } else { Place::Field };
    for (name, property) in node["properties"].as_object().into_iter().flatten() {
        if !(place == Place::Root && matches!(name.as_str(), "metadata" | "apiVersion" | "kind")) {
            walk(property, &format!("{path}.properties[{name}]"), inner, errors);
        }
    }
    if node["additionalProperties"].is_object() {
        walk(&node["additionalProperties"], &at("additionalProperties"), inner, errors);
    }
    if node["items"].is_object() {
        let inner = if place == Place::Junction { Place::Junction } else { Place::Item };
        walk(&node["items"], &at("items"), inner, errors);
    }
    // An integer or a string is said in just this way too.
    let int_or_string = is("x-kubernetes-int-or-string");
    for name in ["allOf", "anyOf", "oneOf"] {
        for (index, branch) in node[name].as_array().into_iter().flatten().enumerate() {
            if !(int_or_string && matches!(branch["type"].as_str(), Some("integer" | "string"))) {
                walk(branch, &format!("{path}.{name}[{index}]"), Place::Junction, errors);
            }
        }
    }
    if node["not"].is_object() {
        walk(&node["not"], &at("not"), Place::Junction, errors);
    }
}

/// What OpenAPI has and definitions may not use.
fn forbidden(node: &Value, path: &str, errors: &mut Errors) {
    let at = |name: &str| format!("{path}.{name}");
    let simple = [
        ("definitions", "definitions is not supported"),
        ("dependencies", "dependencies is not supported"),
        ("id", "id is not supported"),
        ("additionalItems", "additionalItems is not supported"),
        ("patternProperties", "patternProperties is not supported"),
        ("$ref", "$ref is not supported"),
    ];
    for (name, why) in simple {
        if node.get(name).is_some_and(|value| !value.is_null()) {
            push(ErrorKind::Forbidden, at(name), Value::Null, why, errors);
        }
    }
    if node["uniqueItems"] == true {
        let why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        push(ErrorKind::Forbidden, at("uniqueItems"), Value::Null, why, errors);
    }
    if node["additionalProperties"] == false {
        let why = "additionalProperties cannot be set to false";
        push(ErrorKind::Forbidden, at("additionalProperties"), Value::Null, why, errors);
    }
    if node["type"] == "null" {
        let why = "type cannot be set to null, use nullable as an alternative";
        push(ErrorKind::Forbidden, at("type"), Value::Null, why, errors);
    } else if let Some(kind) = node["type"].as_str()
        && !matches!(kind, "" | "array" | "boolean" | "integer" | "number" | "object" | "string")
    {
        let supported = "supported values: \"array\", \"boolean\", \"integer\", \"number\", \"object\", \"string\"";
        push(ErrorKind::NotSupported, at("type"), kind.into(), supported, errors);
    }
    if node["items"].is_array() {
        let why = "items must be a schema object and not an array";
        push(ErrorKind::Forbidden, at("items"), Value::Null, why, errors);
    }
    if node["x-kubernetes-preserve-unknown-fields"] == false {
        let name = at("x-kubernetes-preserve-unknown-fields");
        push(ErrorKind::Invalid, name, false.into(), "must be true or undefined", errors);
    }
    if let Some(pattern) = node["pattern"].as_str()
        && let Err(why) = Regex::new(pattern)
    {
        let why = format!("must be a valid regular expression, but isn't: error parsing regexp: {why}");
        push(ErrorKind::Invalid, at("pattern"), pattern.into(), why, errors);
    }
}

fn lists(node: &Value, path: &str, errors: &mut Errors) {
    let at = |name: &str| format!("{path}.{name}");
    let (kind, list_type) = (node["type"].as_str().unwrap_or_default(), node["x-kubernetes-list-type"].as_str());
    let keys = node["x-kubernetes-list-map-keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(list_type) = list_type {
        if kind != "array" {
            let why = "must be array if x-kubernetes-list-type is specified";
            push(ErrorKind::Invalid, at("type"), kind.into(), why, errors);
        }
        if !matches!(list_type, "atomic" | "set" | "map") {
            let supported = "supported values: \"atomic\", \"map\", \"set\"";
            push(ErrorKind::NotSupported, at("x-kubernetes-list-type"), list_type.into(), supported, errors);
        }
    }
    if let Some(map_type) = node["x-kubernetes-map-type"].as_str() {
        if kind != "object" {
            let why = "must be object if x-kubernetes-map-type is specified";
            push(ErrorKind::Invalid, at("type"), kind.into(), why, errors);
        }
        if !matches!(map_type, "atomic" | "granular") {
            let supported = "supported values: \"atomic\", \"granular\"";
            push(ErrorKind::NotSupported, at("x-kubernetes-map-type"), map_type.into(), supported, errors);
        }
    }
    if let Some(list_type @ ("map" | "set")) = list_type
        && node["items"].is_object()
    {
        members(node, list_type, path, errors);
    }
    if list_type == Some("map") {
        if keys.is_empty() {
            let why = "must not be empty if x-kubernetes-list-type is map";
            push(ErrorKind::Required, at("x-kubernetes-list-map-keys"), Value::Null, why, errors);
        }
        let objects = node["items"]["type"] == "object";
        for (index, key) in keys.iter().enumerate().filter(|_| objects) {
            let name = key.as_str().unwrap_or_default();
            let property = &node["items"]["properties"][name];
            if property.is_null() {
                let field = format!("{path}.x-kubernetes-list-map-keys[{index}]");
                let why = "entries must all be names of item properties";
                push(ErrorKind::Invalid, field, name.into(), why, errors);
                continue;
            }
            if let Some(kind @ ("array" | "object")) = property["type"].as_str() {
                let field = format!("{path}.items.properties[{name}].type");
                let why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
                push(ErrorKind::Invalid, field, kind.into(), why, errors);
            }
            if property["nullable"] == true {
                let field = format!("{path}.items.properties[{name}].nullable");
                let why = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
                push(ErrorKind::Forbidden, field, Value::Null, why, errors);
            }
            let required = node["items"]["required"].as_array().is_some_and(|required| required.contains(key));
            if !required && property["default"].is_null() {
                let field = format!("{path}.items.properties[{name}].default");
                let why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
                push(ErrorKind::Required, field, Value::Null, why, errors);
            }
        }
    } else if !keys.is_empty() {
        let why = "must be map if x-kubernetes-list-map-keys is non-empty";
        let value = list_type.map_or(Value::Null, Value::from);
        push(ErrorKind::Invalid, at("x-kubernetes-list-type"), value, why, errors);
    }
}

/// What every object says of its type is text.
fn type_fields(properties: &Value, path: &str, errors: &mut Errors) {
    for name in ["kind", "apiVersion"] {
        if let Some(kind) = properties[name]["type"].as_str().filter(|kind| *kind != "string") {
            let field = format!("{path}.properties[{name}].type");
            push(ErrorKind::Invalid, field, kind.into(), "must be string", errors);
        }
    }
}

/// The items of a set, or of a list with keys.
fn members(node: &Value, list_type: &str, path: &str, errors: &mut Errors) {
    let items = &node["items"];
    let at = |name: &str| format!("{path}.items.{name}");
    if items["nullable"] == true {
        let why = format!("cannot be nullable when x-kubernetes-list-type is {list_type}");
        push(ErrorKind::Forbidden, at("nullable"), Value::Null, why, errors);
    }
    let kind = items["type"].as_str().unwrap_or_default();
    if list_type == "map" {
        if kind != "object" {
            let why = "must be object if parent array's x-kubernetes-list-type is map";
            push(ErrorKind::Invalid, at("type"), kind.into(), why, errors);
        }
        return;
    }
    let name = match kind {
        "array" if items["x-kubernetes-list-type"].as_str().is_some_and(|of| of != "atomic") => {
            "x-kubernetes-list-type"
        }
        "object" if items["x-kubernetes-map-type"] != "atomic" => "x-kubernetes-map-type",
        _ => return,
    };
    // Upstream shows the type of the inner list in both cases.
    let shown = items["x-kubernetes-list-type"].as_str().unwrap_or("null");
    let why = "must be atomic as item of a list with x-kubernetes-list-type=set";
    push(ErrorKind::Invalid, at(name), shown.into(), why, errors);
}

/// Of an object's metadata a schema may only constrain the name.
fn metadata(node: &Value, path: &str, errors: &mut Errors) {
    let names = node["properties"].as_object().into_iter().flatten();
    if names.into_iter().any(|(name, _)| !matches!(name.as_str(), "name" | "generateName")) {
        let why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        push(ErrorKind::Forbidden, path.to_owned(), Value::Null, why, errors);
    }
}

/// What is wrong with rules before they are compiled.
fn rule_texts(node: &Value, path: &str, errors: &mut Errors) {
    const REASONS: [&str; 4] =
        ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
    for (index, rule) in node["x-kubernetes-validations"].as_array().into_iter().flatten().enumerate() {
        let at = |name: &str| format!("{path}.x-kubernetes-validations[{index}].{name}");
        let text = |name: &str| rule[name].as_str().unwrap_or_default();
        let (source, message) = (text("rule").trim(), text("message").trim());
        if source.is_empty() {
            push(ErrorKind::Required, at("rule"), Value::Null, "rule is not specified", errors);
        } else if !text("message").is_empty() && message.is_empty() {
            let why = "message must be non-empty if specified";
            push(ErrorKind::Invalid, at("message"), text("message").into(), why, errors);
        } else if message.contains('\n') {
            let why = "message must not contain line breaks";
            push(ErrorKind::Invalid, at("message"), text("message").into(), why, errors);
        } else if source.contains('\n') && message.is_empty() {
            let why = "message must be specified if rule contains line breaks";
            push(ErrorKind::Required, at("message"), Value::Null, why, errors);
        }
        if !text("messageExpression").is_empty() && text("messageExpression").trim().is_empty() {
            let why = "messageExpression must be non-empty if specified";
            push(ErrorKind::Required, at("messageExpression"), Value::Null, why, errors);
        }
        if let Some(reason) = rule["reason"].as_str().filter(|reason| !REASONS.contains(reason)) {
            let listed: Vec<String> = REASONS.iter().map(|reason| format!("{reason:?}")).collect();
            let detail = format!("supported values: {}", listed.join(", "));
            push(ErrorKind::NotSupported, at("reason"), reason.into(), detail, errors);
        }
    }
}

/// Defaults are values of their schema.
fn defaults(schema: &Schema, path: &str, errors: &mut Errors) {
    if let Some(default) = &schema.default {
        let place = format!("{path}.default");
        let mut pruned = default.clone();
        let unknown = prune(schema, &mut pruned, schema.embedded);
        if !unknown.is_empty() {
            push(
                ErrorKind::Invalid,
                place.clone(),
                default.clone(),
                "must be equal to the pruned default value",
                errors,
            );
        }
        let mut found = Errors::new();
        validate::validate(schema, default, None, "", &mut found);
        for mut error in found {
            error.field = match error.field.as_str() {
                "<nil>" => place.clone(),
                field => format!("{place}.{field}"),
            };
            errors.push(error);
        }
    }
    each_inner(schema, path, &mut |schema, path| defaults(schema, path, errors));
}

fn each_inner(schema: &Schema, path: &str, visit: &mut dyn FnMut(&Schema, &str)) {
    for (name, property) in &schema.properties {
        visit(property, &format!("{path}.properties[{name}]"));
    }
    if let super::schema::Additional::Schema(inner) = &schema.additional {
        visit(inner, &format!("{path}.additionalProperties"));
    }
    if let Some(items) = &schema.items {
        visit(items, &format!("{path}.items"));
    }
}

/// Rules compile.
fn rules(schema: &Schema, path: &str, errors: &mut Errors) {
    for (index, rule) in schema.rules.iter().enumerate() {
        let mut refuse = |name: &str, mistake: &Mistake| {
            let field = format!("{path}.x-kubernetes-validations[{index}].{name}");
            let value = internal_rule(rule);
            errors.push(Error { kind: ErrorKind::Invalid, field, value, verbatim: true, detail: mistake.to_string() });
        };
        if let Err(mistake) = &rule.program {
            refuse("rule", mistake);
        }
        if let Some(Err(mistake)) = &rule.message {
            refuse("messageExpression", mistake);
        }
        if rule.source["optionalOldSelf"] == true && rule.program.is_ok() && !rule.transition {
            let field = format!("{path}.x-kubernetes-validations[{index}].optionalOldSelf");
            let why = "option optionalOldSelf can be used only when rule uses oldSelf";
            push(ErrorKind::Invalid, field, true.into(), why, errors);
        }
    }
    each_inner(schema, path, &mut |schema, path| rules(schema, path, errors));
}

/// The rule as Go's internal struct, for messages: its fields in their order.
fn internal_rule(rule: &Rule) -> Value {
    let text = |name: &str| json!(rule.source[name].as_str().unwrap_or_default());
    let optional = |name: &str| rule.source[name].clone();
    let fields = [
        ("Rule", text("rule")),
        ("Message", text("message")),
        ("MessageExpression", text("messageExpression")),
        ("Reason", optional("reason")),
        ("FieldPath", text("fieldPath")),
        ("OptionalOldSelf", optional("optionalOldSelf")),
    ];
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
    format!("{{{}}}", fields.join(",")).into()
}
