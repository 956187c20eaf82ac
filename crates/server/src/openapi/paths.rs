//! The operations of each kind, as far as clients look at them: which there are, which kind they are of, what they take.

use api::{Kind, Subresource, Verb, schema};
use serde_json::{Map, Value, json};

use super::schemas::{Dialect, PATCH, STATUS, Schemas, group_version_kind};

const WRITE: &[&str] = &["dryRun", "fieldManager", "fieldValidation"];
const APPLY: &[&str] = &["dryRun", "fieldManager", "fieldValidation", "force"];
const DELETE: &[&str] = &["dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"];
const LIST: &[&str] = &[
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
];
const PATCHES: [&str; 4] = [
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
];

/// Writes the paths of kinds, and the schemas that they need.
pub struct Paths {
    dialect: Dialect,
    pub schemas: Schemas,
    pub done: Map<String, Value>,
}

/// One method of a path.
struct Operation<'a> {
    /// `list`, `read`, `create`: begins its id.
    name: &'a str,
    /// `x-kubernetes-action`
    action: &'a str,
    parameters: &'a [&'a str],
    body: Option<Value>,
    answer: Value,
}

impl Paths {
    pub fn new(dialect: Dialect) -> Paths {
        Paths { dialect, schemas: Schemas::new(dialect), done: Map::new() }
    }

    pub fn add(&mut self, kind: &Kind) {
        let root = match kind.group {
            "" => format!("/api/{}", kind.version),
            group => format!("/apis/{group}/{}", kind.version),
        };
        let scope = if kind.namespaced { "/namespaces/{namespace}" } else { "" };
        let collection = format!("{root}{scope}/{}", kind.plural);
        if kind.namespaced && kind.verbs().contains(&Verb::List) {
            let list = self.list(kind);
            let all = self.operation(kind, "ForAllNamespaces", &list);
            self.put(format!("{root}/{}", kind.plural), vec![("get", all)]);
        }
        let operations = self.of_collection(kind);
        self.put(collection.clone(), operations);
        let operations = self.of_object(kind, "", kind.verbs());
        self.put(format!("{collection}/{{name}}"), operations);
        for sub in kind.subresources {
            let operations = match sub {
                Subresource::Status | Subresource::EphemeralContainers | Subresource::Resize => {
                    self.of_object(kind, sub.as_str(), &[Verb::Get, Verb::Update, Verb::Patch])
                }
                Subresource::Finalize => self.of_object(kind, sub.as_str(), &[Verb::Update]),
                Subresource::Scale => self.of_scale(kind),
                _ => continue,
            };
            self.put(format!("{collection}/{{name}}/{}", sub.as_str()), operations);
        }
    }

    fn put(&mut self, path: String, operations: Vec<(&'static str, Value)>) {
        if operations.is_empty() {
            return;
        }
        let names = ["name", "namespace"].into_iter().filter(|name| path.contains(&format!("{{{name}}}")));
        let mut parameters: Vec<Value> = names.map(|name| self.parameter(name, "path")).collect();
        parameters.push(self.parameter("pretty", "query"));
        let mut item: Map<String, Value> =
            operations.into_iter().map(|(method, operation)| (method.to_owned(), operation)).collect();
        item.insert("parameters".into(), parameters.into());
        self.done.insert(path, item.into());
    }

    fn list(&mut self, kind: &Kind) -> Operation<'static> {
        Operation { name: "list", action: "list", parameters: LIST, body: None, answer: self.schemas.list_of(kind) }
    }

    fn of_collection(&mut self, kind: &Kind) -> Vec<(&'static str, Value)> {
        let mut operations = Vec::new();
        let verbs = kind.verbs();
        if verbs.contains(&Verb::List) {
            let list = self.list(kind);
            operations.push(("get", self.operation(kind, "", &list)));
        }
        if verbs.contains(&Verb::Create) {
            let schema = self.schemas.of_kind(kind);
            let (name, body) = ("create", Some(schema.clone()));
            let create = Operation { name, action: "post", parameters: WRITE, body, answer: schema };
            operations.push(("post", self.operation(kind, "", &create)));
        }
        if verbs.contains(&Verb::DeleteCollection) {
            let (parameters, answer) = ([DELETE, LIST].concat(), self.schemas.well_known(STATUS));
            let delete = Operation {
                name: "deleteCollection",
                action: "deletecollection",
                parameters: &parameters,
                body: Some(self.schemas.of_type("meta.v1.DeleteOptions")),
                answer,
            };
            operations.push(("delete", self.operation(kind, "", &delete)));
        }
        operations
    }

    /// The operations of one object or of a subresource that has the object's own form.
    fn of_object(&mut self, kind: &Kind, sub: &str, verbs: &[Verb]) -> Vec<(&'static str, Value)> {
        let schema = self.schemas.of_kind(kind);
        self.of_state(kind, sub, verbs, &schema)
    }

    fn of_scale(&mut self, kind: &Kind) -> Vec<(&'static str, Value)> {
        let Some(scale) = schema::of("autoscaling", "v1", "Scale") else { return Vec::new() };
        let schema = self.schemas.of_type(scale);
        self.of_state(kind, "scale", &[Verb::Get, Verb::Update, Verb::Patch], &schema)
    }

    fn of_state(&mut self, kind: &Kind, sub: &str, verbs: &[Verb], schema: &Value) -> Vec<(&'static str, Value)> {
        let mut operations = Vec::new();
        for verb in verbs {
            let (method, name, action, parameters) = match verb {
                Verb::Get => ("get", "read", "get", &[][..]),
                Verb::Update => ("put", "replace", "put", WRITE),
                Verb::Patch => ("patch", "patch", "patch", APPLY),
                Verb::Delete => ("delete", "delete", "delete", DELETE),
                _ => continue,
            };
            let body = match verb {
                Verb::Update => Some(schema.clone()),
                Verb::Patch => Some(self.schemas.well_known(PATCH)),
                Verb::Delete => Some(self.schemas.of_type("meta.v1.DeleteOptions")),
                _ => None,
            };
            let answer = if *verb == Verb::Delete { self.schemas.well_known(STATUS) } else { schema.clone() };
            let operation = Operation { name, action, parameters, body, answer };
            operations.push((method, self.operation(kind, &capitalized(sub), &operation)));
        }
        operations
    }

    fn operation(&self, kind: &Kind, suffix: &str, operation: &Operation) -> Value {
        let Operation { name, action, parameters, body, answer } = operation;
        let scope = if kind.namespaced && suffix != "ForAllNamespaces" { "Namespaced" } else { "" };
        let group: String = match kind.group {
            "" => "Core".into(),
            group => group.trim_end_matches(".k8s.io").split('.').map(capitalized).collect(),
        };
        let version = capitalized(kind.version);
        let id = match *name {
            "deleteCollection" => format!("delete{group}{version}Collection{scope}{}", kind.kind),
            name => format!("{name}{group}{version}{scope}{}{suffix}", kind.kind),
        };
        let tag = format!("{}_{}", group[..1].to_lowercase() + &group[1..], kind.version);
        let mut value = json!({
            "operationId": id,
            "tags": [tag],
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": group_version_kind(kind),
        });
        let mut parameters: Vec<Value> = parameters.iter().map(|name| self.parameter(name, "query")).collect();
        match self.dialect {
            Dialect::V2 => {
                if let Some(schema) = body {
                    parameters.push(json!({ "name": "body", "in": "body", "schema": schema }));
                }
                value["responses"] = json!({ "200": { "description": "OK", "schema": answer } });
            }
            Dialect::V3 => {
                let types = match *action {
                    // The strategic one, which is last, needs types: kubectl goes by what is said here.
                    "patch" if kind.id.is_custom() => &PATCHES[..3],
                    "patch" => &PATCHES[..],
                    _ => &["*/*"],
                };
                if let Some(schema) = body {
                    value["requestBody"] = json!({ "content": content(types, schema) });
                }
                let types = &["application/json", "application/vnd.kubernetes.protobuf", "application/yaml"];
                let answer = json!({ "description": "OK", "content": content(types, answer) });
                value["responses"] = json!({ "200": answer });
            }
        }
        if !parameters.is_empty() {
            value["parameters"] = parameters.into();
        }
        value
    }

    fn parameter(&self, name: &str, place: &str) -> Value {
        let kind = match name {
            "force" | "watch" | "allowWatchBookmarks" | "sendInitialEvents" | "orphanDependents" => "boolean",
            "limit" | "timeoutSeconds" | "gracePeriodSeconds" => "integer",
            _ => "string",
        };
        let mut parameter = json!({ "name": name, "in": place });
        match self.dialect {
            Dialect::V2 => parameter["type"] = kind.into(),
            Dialect::V3 => parameter["schema"] = json!({ "type": kind, "uniqueItems": true }),
        }
        if place == "path" {
            parameter["required"] = true.into();
        }
        parameter
    }
}

fn content(types: &[&str], schema: &Value) -> Value {
    types.iter().map(|media| ((*media).to_owned(), json!({ "schema": schema }))).collect::<Map<_, _>>().into()
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
