//! What `agnhost webhook` and `agnhost crd-conversion-webhook` answer: the webhooks of Kubernetes' own tests. Upstream:
//! `test/images/agnhost/webhook` and `…/crd-conversion-webhook`.
//!
//! Differs: no certificate is asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::{Outcome, Protocol, Request, SECOND};

/// How long a path takes.
pub fn delay(path: &str) -> u64 {
    if path == "/always-allow-delay-5s" { 5 * SECOND } else { 0 }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn not_found() -> Outcome {
    Outcome::answer(404, "404 page not found\n")
}

fn answer(review: &Value) -> Outcome {
    let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    Outcome::Answered { status: 200, headers, body: review.to_string() }
}

/// Answers over TLS only.
pub fn serve(argv: &[String], request: &Request, converts: bool) -> Outcome {
    if request.protocol == Protocol::Http {
        return Outcome::answer(400, "Client sent an HTTP request to an HTTPS server.\n");
    }
    let path = request.path_only();
    match (path, converts) {
        ("/readyz", _) => Outcome::answer(200, "ok"),
        ("/crdconvert", true) => converted(&request.body),
        (_, true) => not_found(),
        (_, false) => admitted(argv, path, &request.body),
    }
}

/// A webhook's verdict.
enum Verdict {
    Allow,
    Patch(Value),
    /// Not allowed, with this status.
    Deny(Value),
    /// No answer ever comes.
    Silence,
    /// The program ends the connection.
    Panic,
}

type Judge = fn(&Value, &[String]) -> Verdict;

fn admitted(argv: &[String], path: &str, body: &str) -> Outcome {
    let judge: Judge = match path {
        "/always-allow-delay-5s" => |_, _| Verdict::Allow,
        "/always-deny" => |_, _| Verdict::Deny(json!({ "message": "this webhook denies all requests" })),
        "/add-label" => |request, _| add_label(request),
        "/pods" => |request, _| pods(request),
        "/pods/attach" => |request, _| attachment(request),
        "/mutating-pods" => |request, _| init_container(request),
        "/mutating-pods-sidecar" => sidecar,
        "/configmaps" => |request, _| match of(request, "configmaps") {
            true => data(request, "the configmap contains unwanted key and value", "the configmap"),
            false => Verdict::Panic,
        },
        "/mutating-configmaps" => |request, _| match of(request, "configmaps") {
            true => stages(request),
            false => Verdict::Panic,
        },
        "/custom-resource" => {
            |request, _| data(request, "the custom resource contains unwanted data", "the custom resource")
        }
        "/mutating-custom-resource" => |request, _| stages(request),
        "/crd" => |request, _| unwanted_label(request, "the crd contains unwanted label"),
        _ => return not_found(),
    };
    let Ok(review) = serde_json::from_str::<Value>(body) else {
        return Outcome::answer(400, "Request could not be decoded: couldn't get version/kind; json parse error\n");
    };
    let version = text(&review, "/apiVersion");
    if text(&review, "/kind") != "AdmissionReview" || !version.starts_with("admission.k8s.io/v1") {
        let kind = text(&review, "/kind");
        return Outcome::answer(400, format!("Unsupported group version kind: {version}, Kind={kind}\n"));
    }
    let mut response = json!({ "uid": review["request"]["uid"], "allowed": true });
    match judge(&review["request"], argv) {
        Verdict::Allow => {}
        Verdict::Patch(patch) => {
            response["patch"] = STANDARD.encode(patch.to_string()).into();
            response["patchType"] = "JSONPatch".into();
        }
        Verdict::Deny(mut status) => {
            status["metadata"] = json!({});
            response["allowed"] = false.into();
            response["status"] = status;
        }
        Verdict::Silence => return Outcome::TimedOut,
        Verdict::Panic => return Outcome::Reset,
    }
    answer(&json!({ "kind": "AdmissionReview", "apiVersion": version, "response": response }))
}

fn of(request: &Value, resource: &str) -> bool {
    let is = &request["resource"];
    let group = is["group"].as_str().unwrap_or_default();
    group.is_empty() && is["version"] == "v1" && is["resource"] == resource
}

fn add(path: &str, value: impl Into<Value>) -> Verdict {
    Verdict::Patch(json!([{ "op": "add", "path": path, "value": value.into() }]))
}

fn add_label(request: &Value) -> Verdict {
    let labels = request.pointer("/object/metadata/labels").and_then(Value::as_object);
    match labels.filter(|labels| !labels.is_empty()).map(|labels| labels.get("added-label")) {
        None => add("/metadata/labels", json!({ "added-label": "yes" })),
        Some(None) => add("/metadata/labels/added-label", "yes"),
        Some(Some(value)) if value != "yes" => {
            Verdict::Patch(json!([{ "op": "replace", "path": "/metadata/labels/added-label", "value": "yes" }]))
        }
        Some(Some(_)) => Verdict::Allow,
    }
}

fn unwanted_label(request: &Value, why: &str) -> Verdict {
    match text(request, "/object/metadata/labels/webhook-e2e-test") {
        "webhook-disallow" => Verdict::Deny(json!({ "message": why })),
        _ => Verdict::Allow,
    }
}

fn containers<'a>(request: &'a Value, list: &str) -> impl Iterator<Item = &'a str> {
    let list = request.pointer(&format!("/object/spec/{list}")).and_then(Value::as_array);
    list.into_iter().flatten().map(|container| text(container, "/name"))
}

fn pods(request: &Value) -> Verdict {
    if !of(request, "pods") {
        let why = "expect resource to be {Group:\"\", Version:\"v1\", Resource:\"pods\"}";
        return Verdict::Deny(json!({ "message": why }));
    }
    let label = text(request, "/object/metadata/labels/webhook-e2e-test");
    if label == "wait-forever" {
        return Verdict::Silence;
    }
    let mut why = Vec::new();
    if label == "webhook-disallow" {
        why.push("the pod contains unwanted label;");
    }
    let unwanted = containers(request, "containers").filter(|name| name.contains("webhook-disallow"));
    why.extend(unwanted.map(|_| "the pod contains unwanted container name;"));
    if why.is_empty() { Verdict::Allow } else { Verdict::Deny(json!({ "message": why.join(" ") })) }
}

fn attachment(request: &Value) -> Verdict {
    if text(request, "/name") != "to-be-attached-pod" {
        return Verdict::Allow;
    }
    Verdict::Deny(json!({ "message": "attaching to pod 'to-be-attached-pod' is not allowed" }))
}

fn init_container(request: &Value) -> Verdict {
    const NAME: &str = "webhook-added-init-container";
    if !of(request, "pods") {
        return Verdict::Panic;
    }
    let is_done = containers(request, "initContainers").any(|name| name == NAME);
    if text(request, "/object/metadata/name") != "webhook-to-be-mutated" || is_done {
        return Verdict::Allow;
    }
    add("/spec/initContainers", json!([{ "image": "webhook-added-image", "name": NAME, "resources": {} }]))
}

fn sidecar(request: &Value, argv: &[String]) -> Verdict {
    const NAME: &str = "webhook-added-sidecar";
    let image = argv.iter().find_map(|arg| arg.trim_start_matches('-').strip_prefix("sidecar-image="));
    let Some(image) = image.filter(|image| !image.is_empty()) else {
        let why = "No image specified by the sidecar-image parameter";
        return Verdict::Deny(json!({ "status": "Failure", "message": why, "code": 500 }));
    };
    if !of(request, "pods") {
        return Verdict::Panic;
    }
    if containers(request, "containers").any(|name| name == NAME) {
        return Verdict::Allow;
    }
    add("/spec/containers/-", json!({ "image": image, "name": NAME, "resources": {} }))
}

/// Refuses certain values of the `data` of what is written or deleted.
fn data(request: &Value, unwanted: &str, what: &str) -> Verdict {
    let deletes = text(request, "/operation") == "DELETE";
    let object = if deletes { "/oldObject" } else { "/object" };
    let why = match (text(request, &format!("{object}/data/webhook-e2e-test")), deletes) {
        ("webhook-disallow", false) => unwanted.to_owned(),
        ("webhook-nondeletable", true) => {
            format!("{what} cannot be deleted because it contains unwanted key and value")
        }
        _ => return Verdict::Allow,
    };
    Verdict::Deny(json!({ "reason": why }))
}

fn stages(request: &Value) -> Verdict {
    let is_set = |name: &str| text(request, &format!("/object/data/{name}")) == "yes";
    match (is_set("mutation-start"), is_set("mutation-stage-1")) {
        (_, true) => add("/data/mutation-stage-2", "yes"),
        (true, false) => add("/data/mutation-stage-1", "yes"),
        (false, false) => Verdict::Allow,
    }
}

/// `/crdconvert`: `hostPort` of `stable.example.com/v1` is `host` and `port` in `v2`.
fn converted(body: &str) -> Outcome {
    let Ok(review) = serde_json::from_str::<Value>(body) else {
        return Outcome::answer(400, "failed to deserialize body\n");
    };
    if text(&review, "/kind") != "ConversionReview" {
        return Outcome::answer(400, "Unsupported group version kind\n");
    }
    let wanted = text(&review, "/request/desiredAPIVersion");
    let objects = review.pointer("/request/objects").and_then(Value::as_array).into_iter().flatten();
    let converted: Result<Vec<Value>, String> = objects.map(|object| convert(object, wanted)).collect();
    let mut response = json!({ "uid": review["request"]["uid"] });
    match converted {
        Ok(objects) => {
            response["convertedObjects"] = objects.into();
            response["result"] = json!({ "metadata": {}, "status": "Success" });
        }
        Err(why) => response["result"] = json!({ "metadata": {}, "status": "Failure", "message": why }),
    }
    answer(&json!({ "kind": "ConversionReview", "apiVersion": review["apiVersion"], "response": response }))
}

fn convert(object: &Value, wanted: &str) -> Result<Value, String> {
    const OLD: &str = "stable.example.com/v1";
    const NEW: &str = "stable.example.com/v2";
    let mut object = object.clone();
    let from = text(&object, "/apiVersion").to_owned();
    if from == wanted {
        return Err(format!("conversion from a version to itself should not call the webhook: {wanted}"));
    }
    let fields = object.as_object_mut().ok_or("an object was expected")?;
    match (from.as_str(), wanted) {
        (OLD, NEW) => {
            if let Some(both) = fields.remove("hostPort") {
                let both = both.as_str().unwrap_or_default();
                let parts: Vec<&str> = both.split(':').collect();
                let [host, port] = parts[..] else { return Err(format!("invalid hostPort value `{both}`")) };
                fields.insert("host".into(), host.into());
                fields.insert("port".into(), port.into());
            }
        }
        (NEW, OLD) => {
            let (host, port) = (fields.remove("host"), fields.remove("port"));
            if host.is_some() || port.is_some() {
                let shown = |part: Option<Value>| part.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
                fields.insert("hostPort".into(), format!("{}:{}", shown(host), shown(port)).into());
            }
        }
        (OLD | NEW, _) => return Err(format!("unexpected conversion version {wanted:?}")),
        _ => return Err(format!("unexpected conversion version {from:?}")),
    }
    fields.insert("apiVersion".into(), wanted.into());
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(path: &str, request: &Value) -> Value {
        let body = json!({ "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request });
        let mut post = Request::new(Protocol::Https, "10.0.0.1", 443);
        (post.path, post.body) = (format!("{path}?timeout=10s"), body.to_string());
        let outcome = serve(&["agnhost".into(), "webhook".into()], &post, false);
        serde_json::from_str::<Value>(outcome.body()).map_or(Value::Null, |answer| answer["response"].clone())
    }

    #[test]
    fn objects_are_labelled_once() {
        let request = |labels: Value| json!({ "uid": "1", "object": { "metadata": { "labels": labels } } });
        let patch = |labels: Value| {
            let response = review("/add-label", &request(labels));
            assert_eq!((&response["uid"], &response["allowed"]), (&json!("1"), &json!(true)));
            let patch = response["patch"].as_str().map(|text| STANDARD.decode(text).expect("base64"));
            patch.map(|patch| String::from_utf8(patch).expect("JSON"))
        };
        let first = r#"[{"op":"add","path":"/metadata/labels","value":{"added-label":"yes"}}]"#;
        assert_eq!(patch(json!({})).as_deref(), Some(first));
        assert_eq!(patch(json!({ "added-label": "yes" })), None);
        assert!(patch(json!({ "added-label": "no" })).is_some_and(|patch| patch.contains("replace")));
    }

    #[test]
    fn some_data_cannot_be_written_and_some_not_deleted() {
        let resource = json!({ "version": "v1", "resource": "configmaps" });
        let verdict = |operation: &str, value: &str| {
            let object = json!({ "data": { "webhook-e2e-test": value } });
            let request = json!({
                "uid": "1", "operation": operation, "resource": resource, "object": object, "oldObject": object,
            });
            review("/configmaps", &request)["allowed"] == true
        };
        assert!(!verdict("CREATE", "webhook-disallow") && verdict("DELETE", "webhook-disallow"));
        assert!(verdict("UPDATE", "webhook-nondeletable") && !verdict("DELETE", "webhook-nondeletable"));
    }

    #[test]
    fn hosts_and_ports_are_converted_there_and_back() {
        let old = json!({ "apiVersion": "stable.example.com/v1", "hostPort": "a:80" });
        let new = json!({ "apiVersion": "stable.example.com/v2", "host": "a", "port": "80" });
        assert_eq!(convert(&old, "stable.example.com/v2"), Ok(new.clone()));
        assert_eq!(convert(&new, "stable.example.com/v1"), Ok(old.clone()));
        assert_eq!(convert(&old, "example.com/v3"), Err("unexpected conversion version \"example.com/v3\"".into()));
    }
}
