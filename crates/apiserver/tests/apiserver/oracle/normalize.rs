//! What a correct server may choose freely becomes a placeholder: `oracle/normalize.py`, for the answers' side only.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::{Map, Value};

pub struct Normalizer {
    patterns: Vec<(Regex, &'static str)>,
    revisions: Vec<(Regex, &'static str)>,
    address: Regex,
    cluster_ip: Regex,
    /// Names that the server has generated, and what stands for them.
    names: BTreeMap<String, String>,
    generated: Vec<(Regex, String)>,
    /// The text of all requests of the case: what it names is kept.
    sent: String,
    unordered: bool,
    /// The case is about who owns which field.
    keeps_managers: bool,
}

const RANDOM: &str = "[bcdfghjklmnpqrstvwxz2456789]{5}";

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid pattern")
}

impl Normalizer {
    pub fn new(sent: &str, unordered: bool, keeps_managers: bool) -> Normalizer {
        let bases = regex(r#""generateName":"([^"]+)""#);
        let generated = bases
            .captures_iter(sent)
            .map(|found| {
                (regex(&format!("{}{RANDOM}\\b", found[1].replace('.', "\\."))), format!("{}<rand>", &found[1]))
            })
            .collect();
        Normalizer {
            patterns: vec![
                (regex(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uid>"),
                (regex(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6,9}(?:Z|[+-]\d\d:\d\d)"), "<microtime>"),
                (regex(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)"), "<time>"),
                (regex(&format!("kube-api-access-{RANDOM}")), "kube-api-access-<rand>"),
                (regex(r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"), "<token>"),
            ],
            revisions: vec![
                (regex(r"(ResourceVersion in precondition: )\d+"), "${1}<rv>"),
                (regex(r"(ResourceVersion in object meta: )\d+"), "${1}<rv>"),
                (regex(r"(too old resource version: )\d+ \(\d+\)"), "${1}<rv> (<rv>)"),
                (regex(r"(Too large resource version: )\d+(, current: )\d+"), "${1}<rv>${2}<rv>"),
                (regex(r#"(resourceVersion: "?)\d+\b"#), "${1}<rv>"),
                (regex(r"(does not match the ResourceVersion in record \()\d+"), "${1}<rv>"),
                (regex(r#"(resourceVersion\\*":\\*")\d+"#), "${1}<rv>"),
            ],
            address: regex(r"^\d+\.\d+\.\d+\.\d+$"),
            cluster_ip: regex(r#"(clusterIPs?\\*":\[?\\*")(\d+\.\d+\.\d+\.\d+)"#),
            names: BTreeMap::new(),
            generated,
            sent: sent.to_owned(),
            unordered,
            keeps_managers,
        }
    }

    pub fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (pattern, placeholder) in &self.patterns {
            text = pattern.replace_all(&text, *placeholder).into_owned();
        }
        for (pattern, placeholder) in &self.revisions {
            text = pattern.replace_all(&text, *placeholder).into_owned();
        }
        for (name, placeholder) in &self.names {
            text = text.replace(name, placeholder);
        }
        for (pattern, placeholder) in &self.generated {
            text = pattern.replace_all(&text, placeholder.as_str()).into_owned();
        }
        let keep = |found: &regex_lite::Captures| match self.sent.contains(&found[2]) {
            true => found[0].to_owned(),
            false => format!("{}<clusterIP>", &found[1]),
        };
        self.cluster_ip.replace_all(&text, keep).into_owned()
    }

    /// An answer's text in normal form.
    pub fn body(&mut self, text: &str, is_watch: bool) -> Value {
        if !is_watch {
            return match serde_json::from_str::<Value>(text) {
                Ok(value) => {
                    self.collect(&value);
                    self.walk(&value)
                }
                Err(_) => Value::from(self.text(text)),
            };
        }
        let events: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let is_kept =
            |event: &&Value| event["type"] != "BOOKMARK" || event.to_string().contains("k8s.io/initial-events-end");
        for event in &events {
            self.collect(event);
        }
        events.iter().filter(is_kept).map(|event| self.walk(event)).collect()
    }

    /// The recording is in normal form, but for what this replay does not look at.
    pub fn expected(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                if !self.keeps_managers {
                    fields.remove("managedFields");
                }
                fields.values_mut().for_each(|value| self.expected(value));
                for rules in ["resourceRules", "nonResourceRules"] {
                    if let Some(Value::Array(rules)) = fields.get_mut(rules) {
                        rules.sort_by_key(ToString::to_string);
                    }
                }
                if self.unordered {
                    sort_causes(fields);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|value| self.expected(value)),
            _ => {}
        }
    }

    fn collect(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                let name = |name: &str| value["metadata"][name].as_str();
                if let (Some(base), Some(name)) = (name("generateName"), name("name"))
                    && name.starts_with(base)
                    && name.len() == base.len() + 5
                    && !self.sent.contains(name)
                {
                    self.names.insert(name.to_owned(), format!("{base}<rand>"));
                }
                fields.values().for_each(|value| self.collect(value));
            }
            Value::Array(items) => items.iter().for_each(|value| self.collect(value)),
            _ => {}
        }
    }

    fn walk(&self, value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let mut normal = Map::new();
                for (name, value) in fields {
                    match (name.as_str(), value) {
                        ("managedFields", _) if !self.keeps_managers => {}
                        ("managedFields", Value::Array(entries)) => {
                            normal.insert(name.clone(), self.walk(&sorted_managers(entries)));
                        }
                        _ => {
                            normal.insert(self.text(name), self.field(name, value));
                        }
                    }
                }
                if self.unordered {
                    sort_causes(&mut normal);
                }
                if normal.get("kind").is_some_and(|kind| kind == "Table") {
                    self.table(&mut normal);
                }
                for rules in ["resourceRules", "nonResourceRules"] {
                    if let Some(Value::Array(rules)) = normal.get_mut(rules) {
                        rules.sort_by_key(ToString::to_string);
                    }
                }
                Value::Object(normal)
            }
            Value::Array(items) => items.iter().map(|value| self.walk(value)).collect(),
            Value::String(text) => self.text(text).into(),
            other => other.clone(),
        }
    }

    fn field(&self, name: &str, value: &Value) -> Value {
        let is_address = |text: &str| self.address.is_match(text) && !self.sent.contains(text);
        match (name, value) {
            ("resourceVersion", Value::String(text)) if !matches!(text.as_str(), "" | "0") => "<rv>".into(),
            ("continue", Value::String(text)) if !text.is_empty() => "<continue>".into(),
            ("nodePort" | "healthCheckNodePort", Value::Number(number)) if !self.sent.contains(&number.to_string()) => {
                "<nodePort>".into()
            }
            ("clusterIP", Value::String(text)) if is_address(text) => "<clusterIP>".into(),
            ("clusterIPs", Value::Array(items)) => items
                .iter()
                .map(|item| if item.as_str().is_some_and(is_address) { "<clusterIP>".into() } else { item.clone() })
                .collect(),
            _ => self.walk(value),
        }
    }

    fn table(&self, table: &mut Map<String, Value>) {
        const AGES: [&str; 7] = ["Age", "Last Schedule", "Duration", "Last Seen", "First Seen", "Count", "Expires"];
        let age = regex(r"^(<invalid>|<unknown>|\d+(y\d+d|d\d+h|h\d+m|m\d+s|[ydhms]))$");
        let port = regex(r":(3[0-2]\d{3})/");
        let ago = regex(r"\(\S+ ago\)$");
        let columns: Vec<String> = table
            .get("columnDefinitions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|column| column["name"].as_str().unwrap_or_default().to_owned())
            .collect();
        let rows = table.get_mut("rows").and_then(Value::as_array_mut).into_iter().flatten();
        for row in rows {
            let cells = row.get_mut("cells").and_then(Value::as_array_mut).into_iter().flatten();
            for (cell, column) in cells.zip(&columns) {
                let Some(text) = cell.as_str() else { continue };
                let normal = if AGES.contains(&column.as_str()) && age.is_match(text) {
                    "<age>".to_owned()
                } else if self.address.is_match(text) && !self.sent.contains(text) {
                    "<clusterIP>".to_owned()
                } else if column == "Port(s)" {
                    let keep = |found: &regex_lite::Captures| match self.sent.contains(&found[1]) {
                        true => found[0].to_owned(),
                        false => ":<nodePort>/".to_owned(),
                    };
                    port.replace_all(text, keep).into_owned()
                } else {
                    ago.replace(text, "(<age> ago)").into_owned()
                };
                *cell = normal.into();
            }
        }
    }
}

/// Managers without their times, on which their order depends.
fn sorted_managers(entries: &[Value]) -> Value {
    let mut entries = entries.to_vec();
    for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
        entry.remove("time");
    }
    entries.sort_by_key(|entry| {
        ["operation", "manager", "subresource", "apiVersion"].map(|field| entry[field].to_string())
    });
    entries.into()
}

/// Some answers list their causes in the order of a Go map.
fn sort_causes(status: &mut Map<String, Value>) {
    let causes = status.get_mut("details").and_then(|details| details.get_mut("causes")).and_then(Value::as_array_mut);
    let Some(causes) = causes else { return };
    causes.sort_by_key(Value::to_string);
    if let Some(Value::String(message)) = status.get_mut("message")
        && message.contains("Apply failed")
    {
        let mut lines: Vec<&str> = message.lines().collect();
        lines.sort_unstable();
        *message = lines.join("\n");
    }
    if let Some(Value::String(message)) = status.get_mut("message")
        && let Some(at) = message.find("is invalid: [")
    {
        message.truncate(at);
        message.push_str("is invalid: [<causes>]");
    }
}

/// Lines such as `$.body.spec.replicas: want 1, got 2`.
pub fn differences(want: &Value, got: &Value, path: &str, found: &mut Vec<String>) {
    match (want, got) {
        (Value::Object(want), Value::Object(got)) => {
            for (name, value) in want {
                match got.get(name) {
                    None => found.push(format!("{path}.{name}: missing, want {}", short(value))),
                    Some(other) => differences(value, other, &format!("{path}.{name}"), found),
                }
            }
            for (name, value) in got.iter().filter(|(name, _)| !want.contains_key(*name)) {
                found.push(format!("{path}.{name}: unexpected {}", short(value)));
            }
        }
        (Value::Array(want), Value::Array(got)) => {
            if want.len() != got.len() {
                found.push(format!("{path}: want {} items, got {}", want.len(), got.len()));
            }
            for (index, (want, got)) in want.iter().zip(got).enumerate() {
                differences(want, got, &format!("{path}[{index}]"), found);
            }
        }
        (Value::String(want), Value::String(_)) if want == "<hash>" => {}
        (Value::String(want), Value::String(got)) if hashless(want) == hashless(got) => {}
        (want, got) if want == got => {}
        (want, got) => found.push(format!("{path}: want {}, got {}", short(want), short(got))),
    }
}

fn hashless(text: &str) -> String {
    regex(r"\b[4-9bcdf]{7,10}\b").replace_all(text, "<hash>").into_owned()
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 1500 { text.chars().take(1500).collect::<String>() + "…" } else { text }
}
