//! Kinds without a describer: all their fields, with names made from the JSON ones.

use serde_json::{Map, Value};

use super::events::events;
use super::{Context, Writer, annotations, labels};
use crate::output::go_text;

/// Fields of metadata that are shown above, or never.
const HIDDEN: [&str; 5] = ["annotations", "labels", "name", "namespace", "managedFields"];

pub(super) fn describe(writer: &mut Writer, context: &mut Context) {
    let object = context.info.object.clone();
    let value = api::wire::form(&*object);
    writer.field(0, "Name", object.name());
    writer.field(0, "Namespace", object.namespace());
    labels(writer, 0, object.meta().labels.as_ref());
    annotations(writer, 0, object.meta().annotations.as_ref());
    if let Value::Object(fields) = &value {
        write_fields(writer, 0, fields, &[]);
    }
    events(writer, context);
}

fn write_fields(writer: &mut Writer, level: usize, fields: &Map<String, Value>, hidden: &[&str]) {
    // A map of serde's is sorted as upstream sorts its fields.
    for (name, value) in fields.iter().filter(|(name, _)| !hidden.contains(&name.as_str())) {
        let title = title(name);
        match value {
            Value::Object(inner) => {
                writer.line(level, format!("{title}:"));
                let hidden: &[&str] = if level == 0 && name == "metadata" { &HIDDEN } else { &[] };
                write_fields(writer, level + 1, inner, hidden);
            }
            Value::Array(items) => {
                writer.line(level, format!("{title}:"));
                for item in items {
                    match item {
                        Value::Object(inner) => write_fields(writer, level + 1, inner, &[]),
                        other => writer.line(level + 1, go_text(other)),
                    }
                }
            }
            other => writer.field(level, &title, go_text(other)),
        }
    }
}

/// `creationTimestamp` is `Creation Timestamp`, `apiVersion` is `API Version`, `uid` is `UID`. What has other letters stays
/// as it is.
fn title(name: &str) -> String {
    const ACRONYMS: [&str; 5] = ["API", "URL", "UID", "OSB", "GUID"];
    if !name.chars().all(|c| c.is_alphabetic() || c == '-') {
        return name.to_owned();
    }
    let cased = words(name).into_iter().map(|word| {
        if ACRONYMS.contains(&word.to_uppercase().as_str()) {
            return word.to_uppercase();
        }
        let mut chars = word.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
    });
    cased.collect::<Vec<_>>().join(" ")
}

/// The words of a camel-cased name. The last of several capitals begins the next word: `URLs` is `UR` and `Ls`.
fn words(name: &str) -> Vec<String> {
    let class = |c: char| (c.is_uppercase(), c.is_lowercase());
    let mut words: Vec<String> = Vec::new();
    for c in name.chars() {
        let last = words.last().and_then(|word| word.chars().last());
        match (last, words.last_mut()) {
            (Some(last), Some(word)) if class(last) == class(c) => word.push(c),
            (Some(last), Some(word)) if last.is_uppercase() && c.is_lowercase() => {
                word.pop();
                if word.is_empty() {
                    words.pop();
                }
                words.push([last, c].iter().collect());
            }
            _ => words.push(c.into()),
        }
    }
    words
}
