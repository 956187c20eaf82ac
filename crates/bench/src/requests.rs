//! Requests through the whole pipeline, from a path and a text to a text: one verb a run.

use crate::door::{Door, JSON, deployment};
use crate::{Parameters, Run};

/// What there is before the run, and what it works on.
const OBJECTS: usize = 500;
const PATH: &str = "/apis/apps/v1/namespaces/default/deployments";
pub const VERBS: &[&str] = &["create", "get", "list", "merge", "strategic", "json", "apply"];

pub(crate) fn prepare(parameters: &mut Parameters) -> Result<Run, String> {
    let requests = take(parameters)?;
    let mut door = Door::new(1);
    let mut send =
        move |Asked { method, path, content_type, body }: &Asked| door.send(method, path, content_type, body).len();
    for request in preparation() {
        send(&request);
    }
    Ok(Box::new(move || {
        let bytes: usize = requests.iter().map(&mut send).sum();
        format!(" requests={} bytes={bytes}", requests.len())
    }))
}

pub struct Asked {
    pub method: &'static str,
    pub path: String,
    pub content_type: &'static str,
    pub body: String,
}

/// The requests of a run: `verb` is one of [`VERBS`]; a `list` is one of 500 Deployments.
///
/// # Errors
///
/// There is no such verb, or no such number.
pub fn take(parameters: &mut Parameters) -> Result<Vec<Asked>, String> {
    let verb: String = parameters.take("verb", "create".to_owned())?;
    let count: usize = parameters.take("count", if verb == "list" { 50 } else { 5000 })?;
    if !VERBS.contains(&verb.as_str()) {
        return Err(format!("there is no verb {verb:?}: there are {}", VERBS.join(", ")));
    }
    Ok((0..count).map(|number| asked(&verb, number)).collect())
}

/// What makes the objects that a run works on.
pub fn preparation() -> Vec<Asked> {
    let create = |number| Asked {
        method: "POST",
        path: PATH.to_owned(),
        content_type: JSON,
        body: deployment(&format!("web-{number}"), 1),
    };
    (0..OBJECTS).map(create).collect()
}

fn asked(verb: &str, number: usize) -> Asked {
    let revision = 2 + number / OBJECTS;
    let name = format!("web-{}", number % OBJECTS);
    let image = format!("nginx:1.{revision}");
    let one = format!("{PATH}/{name}?fieldManager=bench");
    let (method, path, content_type, body) = match verb {
        "create" => ("POST", PATH.to_owned(), JSON, deployment(&format!("new-{number}"), 1)),
        "list" => ("GET", PATH.to_owned(), JSON, String::new()),
        "merge" => {
            let body = serde_json::json!({ "metadata": { "annotations": { "revision": revision.to_string() } } });
            ("PATCH", one, "application/merge-patch+json", body.to_string())
        }
        "strategic" => {
            let containers = serde_json::json!([{ "name": "web", "image": image }]);
            let body = serde_json::json!({ "spec": { "template": { "spec": { "containers": containers } } } });
            ("PATCH", one, "application/strategic-merge-patch+json", body.to_string())
        }
        "json" => {
            let pointer = "/spec/template/spec/containers/0/image";
            let body = serde_json::json!([{ "op": "replace", "path": pointer, "value": image }]);
            ("PATCH", one, "application/json-patch+json", body.to_string())
        }
        "apply" => ("PATCH", one + "&force=true", "application/apply-patch+yaml", deployment(&name, revision)),
        _ => ("GET", one, JSON, String::new()),
    };
    Asked { method, path, content_type, body }
}
