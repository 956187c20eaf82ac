//! `kubectl explain`: fields and their types. Descriptions are not part of this build.

use api::kinds;
use api::schema::{self, Type};

use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch, text};
use crate::resource;
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    switch("recursive", ' ', "Show the fields of fields"),
    text("api-version", ' ', "The group and version"),
    text("output", ' ', "plaintext").or("plaintext"),
];

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    if !matches!(args.text("output"), "plaintext" | "plaintext-openapiv2") {
        return Err(Failure::error(format!("unrecognized format: {}", args.text("output"))));
    }
    let word = match args.operands.as_slice() {
        [word] => word,
        [] => {
            return Err(Failure::error(
                "You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of supported resources.",
            ));
        }
        _ => return Err(Failure::error("We accept only this format: explain RESOURCE")),
    };
    let mut parts = word.split('.');
    let first = parts.next().unwrap_or_default();
    let kind = resource::kind_of(call.client, first)
        .ok_or_else(|| Failure::plain(format!("the server doesn't have a resource type {first:?}")))?;
    let kind = match args.some_text("api-version") {
        None => kind,
        Some(version) => kinds::KINDS
            .iter()
            .find(|other| other.plural == kind.plural && other.api_version() == version)
            .ok_or_else(|| {
                let version = if version.contains('/') { version.to_owned() } else { format!("/{version}") };
                Failure::error(format!("couldn't find resource for \"{version}, Resource={}\"", kind.plural))
            })?,
    };
    let mut head = String::new();
    if !kind.group.is_empty() {
        head.push_str(&format!("GROUP:      {}\n", kind.group));
    }
    head.push_str(&format!("KIND:       {}\nVERSION:    {}\n", kind.kind, kind.version));
    if let Some(schema) = kind.custom.and_then(|custom| custom.schema()) {
        return explain_custom(call, &head, schema, parts, args.is("recursive"));
    }
    let Some(mut type_name) = schema::of_kind(kind) else {
        return Err(Failure::error(format!(
            "couldn't find resource for \"{}, Kind={}\"",
            kind.api_version(),
            kind.kind
        )));
    };
    let mut last: Option<&schema::Field> = None;
    for part in parts {
        match schema::field(type_name, part) {
            Some(field) => {
                last = Some(field);
                type_name = struct_of(field.ty).unwrap_or_default();
            }
            None => {
                call.io.line(&head);
                return Err(Failure::error(format!("field {part:?} does not exist")));
            }
        }
    }
    let mut text = head + "\n";
    if let Some(field) = last {
        text.push_str(&format!("FIELD: {} <{}>\n\n", field.name, type_text(field.ty)));
    }
    let mut fields = String::new();
    list_fields(type_name, args.is("recursive"), 1, &mut fields);
    if !fields.is_empty() {
        text.push_str("\nFIELDS:\n");
        text.push_str(&fields);
    }
    call.io.out(&text);
    Ok(0)
}

/// A kind whose schema stands in its definition.
fn explain_custom<'a>(
    call: &mut Call,
    head: &str,
    schema: &Value,
    path: impl Iterator<Item = &'a str>,
    recursive: bool,
) -> Outcome {
    let (mut node, mut last) = (schema, "");
    for part in path {
        match inner(node)["properties"].get(part) {
            Some(field) => (node, last) = (field, part),
            None => {
                call.io.out(head);
                return Err(Failure::error(format!("field {part:?} does not exist")));
            }
        }
    }
    let mut text = format!("{head}\n");
    if !last.is_empty() {
        text.push_str(&format!("FIELD: {last} <{}>\n\n\n", schema_type(node)));
    }
    text.push_str("DESCRIPTION:\n");
    match node["description"].as_str() {
        Some(description) => text.push_str(&format!("{}    \n", wrapped(description, 4))),
        None => text.push_str("    <empty>\n"),
    }
    let mut fields = String::new();
    list_properties(inner(node), last.is_empty(), recursive, 1, &mut fields);
    if !fields.is_empty() {
        text.push_str("FIELDS:\n");
        text.push_str(&fields);
    }
    text.push('\n');
    call.io.out(&text);
    Ok(0)
}

/// A description in lines of at most 80 letters.
fn wrapped(text: &str, indent: usize) -> String {
    const WIDTH: usize = 80;
    let mut out = String::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > WIDTH {
                out.push_str(&format!("{}{line}\n", " ".repeat(indent)));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        out.push_str(&format!("{}{line}\n", " ".repeat(indent)));
    }
    out
}

/// What lists and maps are of.
fn inner(node: &Value) -> &Value {
    match (&node["items"], &node["additionalProperties"]) {
        (items @ Value::Object(_), _) => inner(items),
        (_, values @ Value::Object(_)) => inner(values),
        _ => node,
    }
}

fn schema_type(node: &Value) -> String {
    match node["type"].as_str() {
        _ if node["x-kubernetes-int-or-string"] == true => "IntOrString".into(),
        Some("array") => format!("[]{}", schema_type(&node["items"])),
        Some("object") if node["additionalProperties"].is_object() => {
            format!("map[string]{}", schema_type(&node["additionalProperties"]))
        }
        Some("object") => "Object".into(),
        Some(other) => other.into(),
        None => "Object".into(),
    }
}

/// `root`: the fields that every object has are listed too.
fn list_properties(node: &Value, root: bool, recursive: bool, depth: usize, out: &mut String) {
    let known = node["properties"].as_object().into_iter().flatten();
    let mut fields: Vec<(&str, String, Option<&Value>)> =
        known.map(|(name, field)| (name.as_str(), schema_type(field), Some(field))).collect();
    if root {
        fields.retain(|(name, ..)| !matches!(*name, "apiVersion" | "kind" | "metadata"));
        let common = [("apiVersion", "string"), ("kind", "string"), ("metadata", "ObjectMeta")];
        fields.extend(common.map(|(name, of)| (name, of.to_owned(), None)));
        fields.sort_by_key(|(name, ..)| *name);
    }
    for (name, of, field) in fields {
        let required = node["required"].as_array().is_some_and(|required| required.iter().any(|it| it == name));
        let required = if required { " -required-" } else { "" };
        out.push_str(&format!("{}{name}\t<{of}>{required}\n", "  ".repeat(depth)));
        if !recursive {
            let description = field.and_then(|field| field["description"].as_str()).unwrap_or("<no description>");
            out.push_str(&format!("{}\n", wrapped(description, 2 * depth + 2)));
        } else if let Some(field) = field {
            list_properties(inner(field), false, true, depth + 1, out);
        } else if name == "metadata" {
            list_fields("meta.v1.ObjectMeta", true, depth + 1, out);
        }
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

/// Deeper fields than this are not listed: some types hold themselves.
const DEPTH_MAX: usize = 12;

fn list_fields(type_name: &str, recursive: bool, depth: usize, out: &mut String) {
    let mut fields: Vec<&schema::Field> = schema::fields(type_name).iter().collect();
    fields.sort_by_key(|field| field.name);
    for field in fields {
        out.push_str(&format!("{}{}\t<{}>\n", "  ".repeat(depth), field.name, type_text(field.ty)));
        match struct_of(field.ty) {
            Some(inner) if recursive && depth < DEPTH_MAX => list_fields(inner, true, depth + 1, out),
            _ if recursive => {}
            _ => out.push('\n'),
        }
    }
}
