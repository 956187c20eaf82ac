//! JSON as Go's encoder writes it: structs with their fields in upstream's order, maps sorted, and `<`, `>`, `&` escaped.

use std::borrow::Borrow;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Type, fields, of};
use crate::patch::apply::Element;

/// A value of a type such as `core.v1.Container`.
pub fn go_json(type_name: &'static str, value: &impl Serialize) -> String {
    go_json_merged(type_name, &serde_json::to_value(value).unwrap_or_default(), &Value::Null)
}

/// A value that a patch was merged into as generic JSON: what the objects of `patch` have touched is a sorted map now.
pub fn go_json_merged(type_name: &'static str, value: &Value, patch: &Value) -> String {
    let mut text = String::new();
    write(Type::Struct(type_name), value, patch, &mut text);
    text
}

/// An object, a list of objects or another answer, which says itself what it is.
pub fn go_document(value: &Value) -> String {
    let mut text = String::new();
    write_document(value, &mut text);
    text
}

fn write_document(value: &Value, text: &mut String) {
    let said = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (said("apiVersion"), said("kind"));
    if let Some(type_name) = document_type(api_version, kind) {
        return write(Type::Struct(type_name), value, &Value::Null, text);
    }
    match (value.get("items").and_then(Value::as_array), item_type(api_version, kind)) {
        (Some(items), Some(item)) => {
            let metadata = value.get("metadata").unwrap_or(&Value::Null);
            write_list([kind, api_version], metadata, item, items.iter(), text);
        }
        _ => write(Type::Any, value, &Value::Null, text),
    }
}

/// A list whose items are made one by one, so that there is never more than one. `None` for a kind without a type.
pub fn go_list(kind: &str, api_version: &str, metadata: &Value, items: impl Iterator<Item = Value>) -> Option<String> {
    let mut text = String::new();
    write_list([kind, api_version], metadata, item_type(api_version, kind)?, items, &mut text);
    Some(text)
}

fn item_type(api_version: &str, kind: &str) -> Option<&'static str> {
    document_type(api_version, kind.strip_suffix("List")?)
}

fn write_list(
    [kind, api_version]: [&str; 2],
    metadata: &Value,
    item: &'static str,
    items: impl Iterator<Item = impl Borrow<Value>>,
    text: &mut String,
) {
    text.push_str("{\"kind\":");
    write_string(kind, text);
    text.push_str(",\"apiVersion\":");
    write_string(api_version, text);
    text.push_str(",\"metadata\":");
    write(Type::Struct("meta.v1.ListMeta"), metadata, &Value::Null, text);
    text.push_str(",\"items\":");
    write_items(Type::Struct(item), items, text);
    text.push('}');
}

fn document_type(api_version: &str, kind: &str) -> Option<&'static str> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    of(group, version, kind).or_else(|| of("meta", version, kind).filter(|_| matches!(group, "" | "meta.k8s.io")))
}

fn write(ty: Type, value: &Value, patch: &Value, text: &mut String) {
    match (ty, value) {
        (Type::Any, Value::Object(fields)) => match document_type_of(fields) {
            Some(type_name) => write(Type::Struct(type_name), value, &Value::Null, text),
            None => write_fields(fields.iter().map(|(name, inner)| (name.as_str(), inner, Type::Any)), patch, text),
        },
        (Type::Struct(type_name), Value::Object(object)) => {
            let known = fields(type_name);
            let placed = object.iter().map(|(name, inner)| {
                let at = known.iter().position(|field| field.name == name);
                let ty = at.map_or(Type::Any, |at| known[at].ty);
                (at.unwrap_or(known.len()), (name.as_str(), inner, ty))
            });
            let mut placed: Vec<_> = placed.collect();
            // What is unknown comes last, sorted.
            if !patch.is_object() {
                placed.sort_by_key(|(at, _)| *at);
            }
            write_fields(placed.into_iter().map(|(_, field)| field), patch, text);
        }
        (Type::Map(element), Value::Object(entries)) => {
            let element = element.get();
            write_fields(entries.iter().map(|(name, inner)| (name.as_str(), inner, element)), patch, text);
        }
        (_, Value::Object(fields)) => {
            write_fields(fields.iter().map(|(name, inner)| (name.as_str(), inner, Type::Any)), patch, text);
        }
        (Type::List(element), Value::Array(items)) => write_items(element.get(), items.iter(), text),
        (ty, Value::Array(items)) => write_items(ty, items.iter(), text),
        (_, Value::String(value)) => write_string(value, text),
        (_, Value::Null) => text.push_str("null"),
        (_, Value::Bool(value)) => text.push_str(if *value { "true" } else { "false" }),
        (_, other) => text.push_str(&other.to_string()),
    }
}

fn document_type_of(fields: &Map<String, Value>) -> Option<&'static str> {
    document_type(fields.get("apiVersion")?.as_str()?, fields.get("kind")?.as_str()?)
}

fn write_fields<'a>(fields: impl Iterator<Item = (&'a str, &'a Value, Type)>, patch: &Value, text: &mut String) {
    text.push('{');
    for (index, (name, inner, ty)) in fields.enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_string(name, text);
        text.push(':');
        if name == "fieldsV1" {
            write_owned(inner, text);
        } else {
            write(ty, inner, patch.get(name).unwrap_or(&Value::Null), text);
        }
    }
    text.push('}');
}

fn write_items(element: Type, items: impl Iterator<Item = impl Borrow<Value>>, text: &mut String) {
    text.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.push(',');
        }
        write(element, item.borrow(), &Value::Null, text);
    }
    text.push(']');
}

/// The owned fields of a manager, in the order of field paths: the items of a list by the values of their keys.
fn write_owned(value: &Value, text: &mut String) {
    let Some(fields) = value.as_object() else { return text.push_str(&value.to_string()) };
    let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
    // Names of fields are in their order already.
    if !fields.iter().all(|(name, _)| name.starts_with("f:") || *name == ".") {
        fields.sort_by_cached_key(|(name, _)| Element::decode(name));
    }
    text.push('{');
    for (index, (name, inner)) in fields.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_string(name, text);
        text.push(':');
        write_owned(inner, text);
    }
    text.push('}');
}

fn write_string(value: &str, text: &mut String) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&');
    if value.bytes().all(is_plain) {
        text.push('"');
        text.push_str(value);
        return text.push('"');
    }
    let quoted = Value::from(value).to_string();
    if !quoted.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return text.push_str(&quoted);
    }
    for letter in quoted.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => text.push_str(&format!("\\u{:04x}", u32::from(letter))),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn structs_keep_upstream_s_order() {
        let service = json!({
            "kind": "Service", "apiVersion": "v1",
            "spec": { "clusterIP": "10.0.0.1", "ports": [{ "port": 80, "name": "http" }], "selector": { "b": "1", "a": "<2>" } },
            "metadata": { "labels": {}, "name": "web" },
        });
        let expected = r#"{"kind":"Service","apiVersion":"v1","metadata":{"name":"web","labels":{}},"spec":{"ports":[{"name":"http","port":80}],"selector":{"a":"\u003c2\u003e","b":"1"},"clusterIP":"10.0.0.1"}}"#;
        assert_eq!(go_document(&service), expected);
        let list = json!({ "items": [{ "spec": {}, "metadata": {} }], "apiVersion": "v1", "kind": "ServiceList", "metadata": { "resourceVersion": "1" } });
        let expected = r#"{"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[{"metadata":{},"spec":{}}]}"#;
        assert_eq!(go_document(&list), expected);
    }

    #[test]
    fn texts_are_escaped_as_go_does() {
        let text = "plain é \u{2028}\u{2029}\u{202a} <a href=\"x\">&amp;\\</a>\n\t\r\u{8}\u{c}\u{1}\u{1f}\u{7f}";
        let expected = "\"plain é \\u2028\\u2029\u{202a} \\u003ca href=\\\"x\\\"\\u003e\\u0026amp;\\\\\\u003c/a\\u003e\\n\\t\\r\\b\\f\\u0001\\u001f\u{7f}\"";
        assert_eq!(go_document(&json!(text)), expected);
    }

    #[test]
    fn what_a_patch_touches_is_sorted() {
        let patch = json!({ "spec": { "type": "NodePort" } });
        let service = json!({ "kind": "Service", "metadata": { "name": "a", "labels": {} }, "spec": { "type": "NodePort", "ports": [{ "port": 1, "name": "x" }], "clusterIP": "" } });
        let expected = r#"{"kind":"Service","metadata":{"name":"a","labels":{}},"spec":{"clusterIP":"","ports":[{"name":"x","port":1}],"type":"NodePort"}}"#;
        assert_eq!(go_json_merged("core.v1.Service", &service, &patch), expected);
    }

    #[test]
    fn owned_items_are_ordered_by_the_values_of_their_keys() {
        let entry = json!({ "fieldsV1": { "f:ports": { "k:{\"port\":443}": {}, "k:{\"port\":80}": {}, ".": {} } } });
        let expected = r#"{"fieldsV1":{"f:ports":{".":{},"k:{\"port\":80}":{},"k:{\"port\":443}":{}}}}"#;
        assert_eq!(go_json("meta.v1.ManagedFieldsEntry", &entry), expected);
    }
}
