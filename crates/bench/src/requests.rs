//! Requests through the whole pipeline, from a path and a text to a text: one verb a run.

use crate::door::{Door, JSON, deployment};
use crate::{Parameters, Run};

/// What there is before the run, and what it works on.
const OBJECTS: usize = 500;
const PATH: &str = "/apis/apps/v1/namespaces/default/deployments";
pub const VERBS: &[&str] = &["create", "get", "list", "merge", "strategic", "json", "apply"];

/// `verb` is one of [`VERBS`]; a `list` is one of 500 Deployments.
pub fn prepare(parameters: &mut Parameters) -> Result<Run, String> {
    let verb: String = parameters.take("verb", "create".to_owned())?;
    let count: usize = parameters.take("count", if verb == "list" { 50 } else { 5000 })?;
    if !VERBS.contains(&verb.as_str()) {
        return Err(format!("there is no verb {verb:?}: there are {}", VERBS.join(", ")));
    }
    let mut door = Door::new(1);
    for number in 0..OBJECTS {
        let name = format!("web-{number}");
        door.send("POST", PATH, JSON, &deployment(&name, 1));
    }
    let requests: Vec<Asked> = (0..count).map(|number| asked(&verb, number)).collect();
    Ok(Box::new(move || {
        let mut bytes = 0;
        for Asked { method, path, content_type, body } in &requests {
            bytes += door.send(method, path, content_type, body).len();
        }
        format!(" requests={} bytes={bytes}", requests.len())
    }))
}

struct Asked {
    method: &'static str,
    path: String,
    content_type: &'static str,
    body: String,
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
