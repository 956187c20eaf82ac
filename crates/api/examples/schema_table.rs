//! Writes `src/schema/types.txt` from the sources of the `k8s-openapi` crate:
//! `cargo run -p api --example schema_table -- <k8s-openapi>/src/v1_36 > types.txt`
//!
//! The crate sorts fields by name. The order of upstream's structs, and the types of answers that the crate has none of, are
//! taken over from the table that there is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A type's fields: JSON name and type in the table's notation.
type Fields = Vec<(String, String)>;

/// Groups whose kinds the API server serves, as directories below `api`.
const GROUPS: &[&str] = &[
    "core/v1",
    "apps/v1",
    "batch/v1",
    "autoscaling/v1",
    "autoscaling/v2",
    "policy/v1",
    "rbac/v1",
    "networking/v1",
    "discovery/v1",
    "events/v1",
    "storage/v1",
    "coordination/v1",
    "scheduling/v1",
    "node/v1",
    "admissionregistration/v1",
    "certificates/v1",
    "authentication/v1",
    "authorization/v1",
    "flowcontrol/v1",
    "resource/v1",
];

/// Types of answers, which no kind refers to.
const ANSWERS: &[&str] = &[
    "meta.v1.ListMeta",
    "meta.v1.PartialObjectMetadata",
    "meta.v1.Status",
    "meta.v1.StatusCause",
    "meta.v1.StatusDetails",
    "meta.v1.Table",
    "meta.v1.TableColumnDefinition",
    "meta.v1.TableRow",
    "meta.v1.TableRowCondition",
];

fn main() {
    let root = std::env::args().nth(1).expect("the path of k8s-openapi's src/v1_36");
    let mut types: BTreeMap<String, Fields> = BTreeMap::new();
    let mut roots = BTreeSet::new();
    read_dir(Path::new(&root), &mut types, &mut roots);

    let mut reached = BTreeSet::new();
    let mut todo: Vec<String> = roots.into_iter().collect();
    while let Some(name) = todo.pop() {
        if !reached.insert(name.clone()) {
            continue;
        }
        for (_, ty) in types.get(&name).into_iter().flatten() {
            let named = ty.trim_start_matches(['*', '[', '{']);
            if types.contains_key(named) {
                todo.push(named.to_owned());
            }
        }
    }
    let present = present();
    for (name, fields) in &present {
        if ANSWERS.contains(&name.as_str()) {
            types.insert(name.clone(), fields.clone());
            reached.insert(name.clone());
        }
    }
    for name in &reached {
        println!("{name}");
        let order = present.get(name).map(Vec::as_slice).unwrap_or_default();
        let mut fields = types[name].clone();
        fields.sort_by_key(|(field, _)| order.iter().position(|(other, _)| other == field).unwrap_or(usize::MAX));
        for (field, ty) in fields {
            println!(" {field} {ty}");
        }
    }
}

/// The table as it is.
fn present() -> BTreeMap<String, Fields> {
    let mut types: BTreeMap<String, Fields> = BTreeMap::new();
    let mut current = String::new();
    for line in include_str!("../src/schema/types.txt").lines() {
        match line.strip_prefix(' ').and_then(|field| field.split_once(' ')) {
            Some((name, ty)) => types.entry(current.clone()).or_default().push((name.to_owned(), ty.to_owned())),
            None => current = line.to_owned(),
        }
    }
    types
}

fn read_dir(dir: &Path, types: &mut BTreeMap<String, Fields>, roots: &mut BTreeSet<String>) {
    let mut entries: Vec<_> = std::fs::read_dir(dir).expect("a readable directory").flatten().collect();
    entries.sort_by_key(|entry| entry.path());
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            read_dir(&path, types, roots);
        } else {
            let text = std::fs::read_to_string(&path).expect("a readable file");
            read_type(&path, &text, types, roots);
        }
    }
}

fn read_type(path: &Path, text: &str, types: &mut BTreeMap<String, Fields>, roots: &mut BTreeSet<String>) {
    let Some((_, after)) = text.split_once("\npub struct ") else { return };
    let Some((head, body)) = after.split_once(" {\n") else { return };
    if head.contains(['(', '<', ';']) {
        return;
    }
    let Some(definition) = text.lines().find_map(|line| line.strip_prefix("// Generated from definition io.k8s."))
    else {
        return;
    };
    let mut field_types = Vec::new();
    for line in body.lines().take_while(|line| *line != "}") {
        if let Some(field) = line.trim().strip_prefix("pub ") {
            let (_, ty) = field.split_once(": ").expect("a field has a type");
            field_types.push(notation(ty.trim_end_matches(',')));
        }
    }
    let mut names = json_names(text);
    if names.len() == field_types.len() + 2 {
        field_types.splice(0..0, ["s".to_owned(), "s".to_owned()]);
    }
    assert_eq!(names.len(), field_types.len(), "{definition}");
    let short = short_name(definition);
    let in_served_group = GROUPS.iter().any(|group| path.to_string_lossy().contains(&format!("/api/{group}/")))
        || path.to_string_lossy().contains("apiextensions_apiserver")
        || path.to_string_lossy().contains("kube_aggregator");
    if text.contains("impl crate::Resource for") && in_served_group && !short.ends_with("List") {
        roots.insert(short.clone());
    }
    types.insert(short, names.drain(..).zip(field_types).collect());
}

/// The names in the call of `deserialize_struct`.
fn json_names(text: &str) -> Vec<String> {
    let Some((_, call)) = text.split_once("deserializer.deserialize_struct(") else { return Vec::new() };
    let Some((_, list)) = call.split_once("&[") else { return Vec::new() };
    let (list, _) = list.split_once(']').expect("a closed list");
    list.split(',').map(|name| name.trim().trim_matches('"').to_owned()).filter(|name| !name.is_empty()).collect()
}

/// `api.core.v1.Pod` and `apimachinery.pkg.apis.meta.v1.ObjectMeta` as `core.v1.Pod` and `meta.v1.ObjectMeta`.
fn short_name(definition: &str) -> String {
    let parts: Vec<&str> = definition.split('.').collect();
    parts[parts.len() - 3..].join(".")
}

fn notation(ty: &str) -> String {
    if let Some(inner) = ty.strip_prefix("Option<").or_else(|| ty.strip_prefix("std::boxed::Box<")) {
        return notation(&inner[..inner.len() - 1]);
    }
    if let Some(inner) = ty.strip_prefix("std::vec::Vec<") {
        return format!("[{}", notation(&inner[..inner.len() - 1]));
    }
    if let Some(inner) = ty.strip_prefix("std::collections::BTreeMap<std::string::String, ") {
        return format!("{{{}", notation(&inner[..inner.len() - 1]));
    }
    match ty {
        "std::string::String" => "s".into(),
        "bool" => "b".into(),
        "i32" => "i".into(),
        "i64" => "l".into(),
        "f64" => "f".into(),
        "crate::ByteString" => "y".into(),
        _ => {
            let path = ty.strip_prefix("crate::").expect("a type of the crate");
            let parts: Vec<&str> = path.split("::").collect();
            match *parts.last().expect("a path has a last part") {
                "Quantity" => "q".into(),
                "IntOrString" => "x".into(),
                "Time" => "t".into(),
                "MicroTime" => "u".into(),
                "RawExtension" | "JSON" | "FieldsV1" | "Value" => "j".into(),
                "JSONSchemaPropsOrStringArray" | "JSONSchemaPropsOrBool" | "JSONSchemaPropsOrArray" => "j".into(),
                "CustomResourceSubresourceStatus" => "j".into(),
                _ => parts[parts.len() - 3..].join("."),
            }
        }
    }
}
