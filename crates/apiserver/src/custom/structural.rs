//! Which schemas are structural, what their defaults are and whether their rules compile. Upstream:
//! `apiextensions-apiserver/pkg/apiserver/schema`.

use api::field::{Error, ErrorKind, Errors};
use regex_lite::Regex;
use serde_json::{Value, json};

use super::cost;
use super::open_api;
use super::rules::{Mistake, Rule};
use super::schema::{Schema, prune};
use super::validate;

/// What is wrong with the schema of a version. Rules are compiled only where the rest is right.
pub(super) fn validate(node: &Value, path: &str, errors: &mut Errors) {
    let before = errors.len();
    let schema = Schema::parse_root(node);
    if !open_api::has_unsupported(node) {
        let mut found = Errors::new();
        invariants(node, path, Level::Root, &mut found);
        complete(node, Some(node), path, path, &mut found);
        found.sort_by_cached_key(ToString::to_string);
        errors.extend(found);
        if errors.len() == before {
            defaults(&schema, path, errors);
        }
    }
    open_api::validate(node, path, errors);
    if errors.len() == before {
        rules(&schema, path, errors);
        cost::check(&schema, path, errors);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Item,
    Field,
}

pub(super) fn push(kind: ErrorKind, field: String, value: Value, detail: impl Into<String>, errors: &mut Errors) {
    errors.push(Error { kind, field, value, verbatim: false, detail: detail.into() });
}

pub(super) fn text<'a>(node: &'a Value, name: &str) -> &'a str {
    node[name].as_str().unwrap_or_default()
}

pub(super) fn list<'a>(node: &'a Value, name: &str) -> &'a [Value] {
    node[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The schemas of a schema's fields.
pub(super) fn properties(node: &Value) -> impl Iterator<Item = (&String, &Value)> {
    node["properties"].as_object().into_iter().flatten()
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

/// `validateStructuralInvariants`
fn invariants(node: &Value, path: &str, level: Level, errors: &mut Errors) {
    let is = |name: &str| node[name] == true;
    let kind = text(node, "type");
    let items = Some(&node["items"]).filter(|items| items.is_object());
    let mut refuse = |error: ErrorKind, field: &str, value: Value, detail: &str| {
        push(error, format!("{path}.{field}"), value, detail, errors);
    };
    if kind == "array" && items.is_none() {
        refuse(ErrorKind::Required, "items", Value::Null, "must be specified");
    }
    let additional = !node["additionalProperties"].is_null();
    if additional && level == Level::Root {
        refuse(ErrorKind::Forbidden, "additionalProperties", Value::Null, "must not be used at the root");
    }
    let (embedded, preserves) = (is("x-kubernetes-embedded-resource"), is("x-kubernetes-preserve-unknown-fields"));
    if is("x-kubernetes-int-or-string") {
        for name in ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] {
            if is(name) {
                let why = "must be false if x-kubernetes-int-or-string is true";
                refuse(ErrorKind::Invalid, name, true.into(), why);
            }
        }
    }
    let of_embedded = "must be object if x-kubernetes-embedded-resource is true";
    match (embedded, kind) {
        (true, "object") => {}
        (true, "") => refuse(ErrorKind::Required, "type", Value::Null, of_embedded),
        (true, _) => refuse(ErrorKind::Invalid, "type", kind.into(), of_embedded),
        (false, "") if !is("x-kubernetes-int-or-string") && !preserves => {
            let why = match level {
                Level::Root => "must not be empty at the root",
                Level::Item => "must not be empty for specified array items",
                Level::Field => "must not be empty for specified object fields",
            };
            refuse(ErrorKind::Required, "type", Value::Null, why);
        }
        _ => {}
    }
    if embedded && additional {
        let why = "must not be used if x-kubernetes-embedded-resource is set";
        refuse(ErrorKind::Forbidden, "additionalProperties", Value::Null, why);
    }
    if level == Level::Root && !matches!(kind, "" | "object") {
        refuse(ErrorKind::Invalid, "type", kind.into(), "must be object at the root");
    }
    let is_object = level == Level::Root || embedded;
    for name in ["kind", "apiVersion"] {
        let property = &node["properties"][name];
        if is_object && property.is_object() && property["type"] != "string" {
            let field = format!("properties[{name}].type");
            refuse(ErrorKind::Invalid, &field, text(property, "type").into(), "must be string");
        }
    }
    let metadata = &node["properties"]["metadata"];
    if is_object && metadata.is_object() && metadata["type"] != "object" {
        let shown = text(metadata, "type").into();
        refuse(ErrorKind::Invalid, "properties[metadata].type", shown, "must be object");
    }
    if level == Level::Root && metadata.is_object() && !restricts_names_alone(metadata) {
        let why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        refuse(ErrorKind::Forbidden, "properties[metadata]", Value::Null, why);
    }
    if embedded && !preserves && !is_set(&node["properties"]) {
        let why =
            "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
        refuse(ErrorKind::Required, "properties", Value::Null, why);
    }
    let (any, first) = (is_int_or_string(node), list(node, "allOf").first().is_some_and(is_int_or_string));
    junctions(node, any, first, path, errors);
    if let Some(items) = items {
        invariants(items, &format!("{path}.items"), Level::Item, errors);
    }
    for (name, property) in properties(node) {
        invariants(property, &format!("{path}.properties[{name}]"), Level::Field, errors);
    }
    if node["additionalProperties"].is_object() {
        let path = format!("{path}.additionalProperties");
        invariants(&node["additionalProperties"], &path, Level::Field, errors);
    }
}

/// Of an object's metadata a schema may only constrain the name.
fn restricts_names_alone(metadata: &Value) -> bool {
    let fields = metadata.as_object().into_iter().flatten();
    fields.into_iter().all(|(name, value)| match name.as_str() {
        "type" | "default" => true,
        "properties" => properties(metadata).all(|(name, _)| matches!(name.as_str(), "name" | "generateName")),
        _ => !is_set(value),
    })
}

/// `anyOf` says that the value is an integer or a text.
fn is_int_or_string(node: &Value) -> bool {
    node["anyOf"] == json!([{ "type": "integer" }, { "type": "string" }])
}

/// `validateValueValidation`. Some ways to say that a value is an integer or a text are not looked into.
fn junctions(node: &Value, skip_any: bool, skip_any_of_first: bool, path: &str, errors: &mut Errors) {
    for name in ["anyOf", "allOf", "oneOf"] {
        for (index, branch) in list(node, name).iter().enumerate().filter(|_| !(skip_any && name == "anyOf")) {
            let skip = skip_any_of_first && name == "allOf" && index == 0;
            junction(branch, skip, &format!("{path}.{name}[{index}]"), errors);
        }
    }
    if node["not"].is_object() {
        junction(&node["not"], false, &format!("{path}.not"), errors);
    }
    if let Some(pattern) = node["pattern"].as_str()
        && let Err(why) = Regex::new(pattern)
    {
        let why = format!("must be a valid regular expression, but isn't: error parsing regexp: {why}");
        push(ErrorKind::Invalid, format!("{path}.pattern"), pattern.into(), why, errors);
    }
}

/// `validateNestedValueValidation`: a constraint on what has its type elsewhere.
fn junction(node: &Value, skip_any: bool, path: &str, errors: &mut Errors) {
    const FORBIDDEN: [(&str, &str); 13] = [
        ("type", "empty"),
        ("additionalProperties", "undefined"),
        ("default", "undefined"),
        ("title", "empty"),
        ("description", "empty"),
        ("nullable", "false"),
        ("x-kubernetes-preserve-unknown-fields", "false"),
        ("x-kubernetes-embedded-resource", "false"),
        ("x-kubernetes-int-or-string", "false"),
        ("x-kubernetes-list-map-keys", "empty"),
        ("x-kubernetes-list-type", "undefined"),
        ("x-kubernetes-map-type", "undefined"),
        ("x-kubernetes-validations", "empty"),
    ];
    junctions(node, skip_any, false, path, errors);
    if node["items"].is_object() {
        junction(&node["items"], false, &format!("{path}.items"), errors);
    }
    for (name, property) in properties(node) {
        junction(property, false, &format!("{path}.properties[{name}]"), errors);
    }
    for (name, wanted) in FORBIDDEN {
        let is_there = if wanted == "undefined" { !node[name].is_null() } else { is_set(&node[name]) };
        if is_there {
            let why = format!("must be {wanted} to be structural");
            push(ErrorKind::Forbidden, format!("{path}.{name}"), Value::Null, why, errors);
        }
    }
    if node["properties"]["metadata"].is_object() {
        let field = format!("{path}.properties[metadata]");
        push(ErrorKind::Forbidden, field, Value::Null, "must not be specified in a nested context", errors);
    }
}

/// `validateStructuralCompleteness`: what is constrained in a junction is specified outside. `specified` is what stands
/// there.
fn complete(node: &Value, specified: Option<&Value>, at: &str, within: &str, errors: &mut Errors) {
    let Some(outside) = specified else {
        let why = format!("because it is defined in {within}");
        return push(ErrorKind::Required, at.to_owned(), Value::Null, why, errors);
    };
    let mut branch = |branch: &Value, within: String| {
        complete(branch, specified, at, &within, errors);
        if branch["items"].is_object() {
            let items = Some(&outside["items"]).filter(|items| items.is_object());
            complete(&branch["items"], items, &format!("{at}.items"), &format!("{within}.items"), errors);
        }
        for (name, property) in properties(branch) {
            let place = |path: &str| format!("{path}.properties[{name}]");
            complete(property, outside["properties"].get(name), &place(at), &place(&within), errors);
        }
    };
    if node["not"].is_object() {
        branch(&node["not"], format!("{within}.not"));
    }
    for name in ["allOf", "anyOf", "oneOf"] {
        for (index, one) in list(node, name).iter().enumerate() {
            branch(one, format!("{within}.{name}[{index}]"));
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
    each_inner(schema, path, &mut |schema, path| rules(schema, path, errors));
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
            let why = "may not be set if oldSelf is not used in rule";
            push(ErrorKind::Invalid, field, true.into(), why, errors);
        }
    }
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
