//! Objects: a valid one of every kind, the same with mistakes, and ones made up from the schema.

use std::sync::LazyLock;

use api::schema::{self, Type};
use serde_json::{Map, Value, json};

use crate::choices::Choices;

/// A valid object of every kind, in an order in which they can be created.
pub static SAMPLES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let documents = api::yaml::parse_documents(include_str!("samples.yaml")).expect("YAML");
    documents.into_iter().map(|document| document.value).collect()
});

/// Names and words that make a made-up object almost right.
const WORDS: &[&str] = &[
    "sample",
    "default",
    "a",
    "web",
    "nginx",
    "10m",
    "1Gi",
    "In",
    "Exists",
    "Always",
    "Never",
    "TCP",
    "ClusterIP",
    "RollingUpdate",
    "50%",
    "http",
    "/data",
    "metadata.name",
    "cpu",
    "memory",
    "kubernetes.io/hostname",
    "10.0.0.1",
    "2024-01-01T00:00:00Z",
    "example.com/a",
    "self.a == 1",
    "* * * * *",
    "UTC",
    "AAEC",
    "v1",
    "Pod",
    "Node",
    "*",
];

/// An object for the kind: mostly the valid one, with a few mistakes, or one that the schema allows.
pub fn some(choices: &mut Choices, api_version: &str, kind: &str) -> Value {
    let own = |sample: &&Value| sample["apiVersion"] == api_version && sample["kind"] == kind;
    let mut object = match choices.below(10) {
        0..7 => SAMPLES.iter().find(own).cloned().unwrap_or_default(),
        7 => SAMPLES[choices.below(SAMPLES.len())].clone(),
        8 => made_up(choices, api_version, kind),
        _ => choices.json(3),
    };
    for _ in 0..choices.below(4) {
        mistake(choices, &mut object);
    }
    object
}

/// Fields of the right types, and otherwise anything.
fn made_up(choices: &mut Choices, api_version: &str, kind: &str) -> Value {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let mut object = schema::of(group, version, kind).map_or(json!({}), |name| of_type(choices, Type::Struct(name), 8));
    object["apiVersion"] = api_version.into();
    object["kind"] = kind.into();
    object["metadata"]["name"] = "made-up".into();
    object
}

fn of_type(choices: &mut Choices, of: Type, depth: usize) -> Value {
    match of {
        Type::Struct(name) => {
            let fields = schema::fields(name);
            let wanted = if fields.len() < 6 { 70 } else { 25 };
            let mut object = Map::new();
            for field in fields.iter().filter(|_| depth > 0) {
                if choices.percent(wanted) {
                    object.insert(field.name.into(), of_type(choices, field.ty, depth - 1));
                }
            }
            object.into()
        }
        Type::List(inner) => (0..choices.below(3)).map(|_| of_type(choices, inner.get(), depth)).collect(),
        Type::Map(inner) => {
            let field = |choices: &mut Choices| (choices.text_like(WORDS), of_type(choices, inner.get(), depth));
            (0..choices.below(3)).map(|_| field(choices)).collect()
        }
        Type::Bool => choices.percent(50).into(),
        Type::Int32 | Type::Int64 | Type::Float => choices.number(),
        Type::IntOrString | Type::Quantity if choices.percent(30) => choices.number(),
        Type::Any => choices.json(2),
        _ => choices.text_like(WORDS).into(),
    }
}

/// Changes something, somewhere.
pub fn mistake(choices: &mut Choices, object: &mut Value) {
    let count = nodes(object);
    let at = choices.below(count);
    let other = choices.below(count);
    let other = node(object, &mut { other }).cloned();
    let Some(node) = node(object, &mut { at }) else { return };
    match choices.below(9) {
        0 => *node = choices.json(1),
        1 => *node = choices.text_like(WORDS).into(),
        2 => *node = choices.number(),
        3 => *node = other.unwrap_or_default(),
        4 => *node = json!([node.take()]),
        5 => shuffle(choices, node),
        6 => *node = choices.json(3),
        7 => {
            let labels = (0..1 << choices.below(11)).map(|number| (format!("label-{number}"), Value::from("x")));
            *node = labels.collect();
        }
        _ => {
            let name =
                choices.text_like(&["metadata", "spec", "status", "name", "namespace", "replicas", "finalizers"]);
            let value = choices.json(2);
            if let Value::Object(fields) = node {
                fields.insert(name, value);
            }
        }
    }
}

/// Removes or repeats an element.
fn shuffle(choices: &mut Choices, node: &mut Value) {
    match node {
        Value::Array(items) if !items.is_empty() => {
            let at = choices.below(items.len());
            if choices.percent(50) {
                items.push(items[at].clone());
            } else {
                items.remove(at);
            }
        }
        Value::Object(fields) if !fields.is_empty() => {
            let at = choices.below(fields.len());
            let name = fields.keys().nth(at).cloned().unwrap_or_default();
            let value = fields.remove(&name).unwrap_or_default();
            if choices.percent(30) {
                fields.insert(choices.text(), value);
            }
        }
        other => *other = Value::Null,
    }
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(fields) => fields.values().map(nodes).sum(),
        _ => 0,
    }
}

/// The node that comes after `skipped` others.
fn node<'a>(value: &'a mut Value, skipped: &mut usize) -> Option<&'a mut Value> {
    if *skipped == 0 {
        return Some(value);
    }
    *skipped -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| node(item, skipped)),
        Value::Object(fields) => fields.values_mut().find_map(|field| node(field, skipped)),
        _ => None,
    }
}

/// Pointers to everything in an object, as a JSON patch writes them.
pub fn pointers(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| pointers(item, &format!("{at}/{index}"), into));
        }
        Value::Object(fields) => fields.iter().for_each(|(name, field)| {
            pointers(field, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), into);
        }),
        _ => {}
    }
}
