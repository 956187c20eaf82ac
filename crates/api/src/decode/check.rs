//! A value beside its type's schema: wrong types, unknown fields, and liberal forms made canonical.

use serde_json::{Map, Value};

use super::go_kind;
use crate::quantity;
use crate::schema::{self, Type, go_element, go_type};

#[derive(Default)]
pub(super) struct Findings {
    /// Mistakes after which Go reads on; it reports the first.
    pub wrong: Vec<Mistake>,
    /// Mistakes at which Go stops: they come before all others.
    pub aborted: Vec<Mistake>,
    pub unknown: Vec<String>,
}

/// A value of the wrong type.
#[derive(Debug)]
pub struct Mistake {
    /// With indices: `spec.containers[0].name`.
    pub path: String,
    /// What the JSON decoder says.
    pub text: String,
    /// What upstream's converter from unstructured objects says: strategic merge patches go through it.
    pub converter: String,
}

pub(super) fn check(type_name: &'static str, value: &mut Value) -> Findings {
    let mut findings = Findings::default();
    if let Value::Object(fields) = value {
        let place = Place { owner: "", field: "", path: "", names: "" };
        check_struct(type_name, fields, &place, &mut findings);
    }
    findings
}

/// Where the walk is.
struct Place<'a> {
    /// The innermost struct and its field that holds the value.
    owner: &'static str,
    field: &'a str,
    /// With indices and map keys.
    path: &'a str,
    /// The names of the fields on the way only.
    names: &'a str,
}

impl Place<'_> {
    fn wrong(&self, findings: &mut Findings, value: &Value, go_type: &str) {
        let owner = self.owner.rsplit('.').next().unwrap_or_default();
        let found = match value {
            Value::Number(number) if is_integer(go_type) => format!("number {number}"),
            other => go_kind(other).to_owned(),
        };
        let text =
            format!("json: cannot unmarshal {found} into Go struct field {owner}.{} of type {go_type}", self.names);
        findings.wrong.push(Mistake { path: self.path.to_owned(), text, converter: converter_text(value, go_type) });
    }

    fn abort(&self, findings: &mut Findings, text: String) {
        findings.aborted.push(Mistake { path: self.path.to_owned(), converter: text.clone(), text });
    }

    fn named_type(&self, ty: Type, element: bool) -> String {
        if element { go_element(self.owner, self.field, ty) } else { go_type(self.owner, self.field, ty) }
    }
}

fn converter_text(value: &Value, go_type: &str) -> String {
    let found = match value {
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::Bool(_) => "bool",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
        Value::String(_) | Value::Null => "string",
    };
    match go_type {
        _ if go_type.starts_with("[]") => format!("cannot restore slice from {found}"),
        _ if go_type.starts_with("map[") => format!("cannot restore map from {found}"),
        "string" => format!("cannot convert {found} to string"),
        "bool" | "int32" | "int64" | "float64" => format!("unrecognized type: {go_type}"),
        _ => format!("cannot restore struct from: {found}"),
    }
}

fn is_integer(go_type: &str) -> bool {
    matches!(go_type, "int32" | "int64")
}

fn check_struct(type_name: &'static str, fields: &mut Map<String, Value>, outer: &Place, findings: &mut Findings) {
    // `null` is how Go's JSON says "leave it".
    fields.retain(|_, value| !value.is_null());
    let is_root = outer.owner.is_empty();
    for (name, value) in fields.iter_mut() {
        let path = joined(outer.path, name);
        let Some(field) = schema::field(type_name, name) else {
            let is_type = is_root && (name == "apiVersion" || name == "kind");
            if !is_type {
                findings.unknown.push(path);
            }
            continue;
        };
        let names = joined(outer.names, name);
        let place = Place { owner: type_name, field: field.name, path: &path, names: &names };
        check_value(field.ty, value, &place, false, findings);
        // Typed structs cannot tell an empty selector from none, but upstream does where one is required.
        if type_name.starts_with("apps.v1.") && name == "selector" && value.as_object().is_some_and(Map::is_empty) {
            *value = serde_json::json!({ "matchLabels": {} });
        }
    }
    // What is unknown is dropped. Go leaves empty lists and maps out of what it stores; an empty list of managers says
    // something: that there are none.
    fields.retain(|name, value| match schema::field(type_name, name).map(|field| field.ty) {
        Some(Type::List(_)) if name == "managedFields" => true,
        Some(Type::List(_)) => {
            // Defaults are for rules without policies, not for rules with none.
            let keeps = type_name == "autoscaling.v2.HPAScalingRules";
            value.as_array().is_none_or(|items| keeps || !items.is_empty())
        }
        Some(Type::Map(_)) => {
            let keeps = type_name == "meta.v1.LabelSelector";
            value.as_object().is_none_or(|entries| keeps || !entries.is_empty())
        }
        Some(_) => true,
        None => is_root && (name == "apiVersion" || name == "kind"),
    });
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { [path, ".", name].concat() }
}

fn check_value(ty: Type, value: &mut Value, place: &Place, element: bool, findings: &mut Findings) {
    match ty {
        Type::Any => {}
        Type::String if value.is_string() => {}
        Type::Bool if value.is_boolean() => {}
        Type::Int32 if value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()) => {}
        Type::Int64 if value.is_i64() => {}
        Type::Float if value.is_number() => {}
        Type::Bytes if value.is_string() => check_base64(value, place, findings),
        Type::Quantity => check_quantity(value, place, findings),
        Type::IntOrString if value.is_string() => {}
        Type::IntOrString if value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()) => {}
        Type::IntOrString => {
            place.wrong(findings, value, "int32");
            findings.aborted.extend(findings.wrong.pop());
        }
        Type::Time | Type::MicroTime if value.is_string() => check_time(value, place, findings),
        Type::Time | Type::MicroTime => {
            let text = format!("json: cannot unmarshal {} into Go value of type string", go_kind(value));
            place.abort(findings, text);
        }
        Type::Struct(name) => match value {
            Value::Object(fields) => check_struct(name, fields, place, findings),
            other => place.wrong(findings, other, &place.named_type(ty, element)),
        },
        Type::List(inner) => match value {
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    let path = format!("{}[{index}]", place.path);
                    check_element(inner.get(), item, &Place { path: &path, ..*place }, findings);
                }
            }
            other => place.wrong(findings, other, &place.named_type(ty, element)),
        },
        Type::Map(inner) => match value {
            Value::Object(entries) => {
                for (key, entry) in entries.iter_mut() {
                    let path = joined(place.path, key);
                    check_element(inner.get(), entry, &Place { path: &path, ..*place }, findings);
                }
            }
            other => place.wrong(findings, other, &place.named_type(ty, element)),
        },
        Type::String | Type::Bool | Type::Int32 | Type::Int64 | Type::Float | Type::Bytes => {
            place.wrong(findings, value, &place.named_type(ty, element));
        }
    }
}

/// An item of a list or a map: `null` stands for the type's zero value.
fn check_element(ty: Type, value: &mut Value, place: &Place, findings: &mut Findings) {
    if value.is_null() {
        *value = match ty {
            Type::Struct(_) | Type::Map(_) => Value::Object(Map::new()),
            Type::List(_) => Value::Array(Vec::new()),
            Type::Bool => false.into(),
            Type::Int32 | Type::Int64 | Type::Float | Type::IntOrString => 0.into(),
            Type::Quantity => "0".into(),
            Type::String | Type::Bytes => "".into(),
            Type::Time | Type::MicroTime | Type::Any => return,
        };
    }
    check_value(ty, value, place, true, findings);
}

fn check_quantity(value: &mut Value, place: &Place, findings: &mut Findings) {
    let text = match &*value {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    match quantity::canonical(&text) {
        Some(canonical) => *value = canonical.into(),
        None => place.abort(findings, quantity::parse_error(&text).into()),
    }
}

fn check_time(value: &mut Value, place: &Place, findings: &mut Findings) {
    let Some(text) = value.as_str() else { return };
    if text.parse::<k8s_openapi::jiff::Timestamp>().is_err() {
        let why = format!(
            "parsing time \"\\\"{text}\\\"\" as \"\\\"2006-01-02T15:04:05Z07:00\\\"\": cannot parse {text:?} as \"2006\""
        );
        place.abort(findings, why);
    }
}

fn check_base64(value: &mut Value, place: &Place, findings: &mut Findings) {
    let Some(text) = value.as_str() else { return };
    if let Some(at) = bad_base64(text) {
        place.abort(findings, format!("illegal base64 data at input byte {at}"));
        return;
    }
    if text.contains(['\n', '\r']) {
        let joined: String = text.chars().filter(|character| !matches!(character, '\n' | '\r')).collect();
        *value = joined.into();
    }
}

/// Where Go's standard decoder finds a base64 text wrong.
fn bad_base64(text: &str) -> Option<usize> {
    let mut in_group = 0;
    let mut padding = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' | b'\r' => {}
            b'=' if in_group + padding >= 2 && in_group >= 2 && in_group + padding < 4 => padding += 1,
            _ if padding > 0 => return Some(at),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => in_group = (in_group + 1) % 4,
            _ => return Some(at),
        }
    }
    let complete = (in_group == 0 && padding == 0) || in_group + padding == 4;
    (!complete).then(|| if padding > 0 { text.len() } else { text.len() - in_group })
}
