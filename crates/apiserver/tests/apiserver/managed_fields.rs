//! Who owns which field, as a client sees it.

use api::time::SECOND;
use api::types::{ConfigMap, Deployment};
use api::{Caller, CauseId, Kinded, Request, SimTime, Verb};
use apiserver::route::{self, HttpRequest, Route};
use apiserver::{ApiServer, Context};
use serde_json::{Value, json};

const APPLY: &str = "application/apply-patch+yaml";
const MERGE: &str = "application/merge-patch+json";
const CONFIG_MAP: &str = "/api/v1/namespaces/default/configmaps/c";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/default/deployments/web";

struct Session {
    server: ApiServer,
    now: SimTime,
}

impl Session {
    fn new() -> Session {
        Session { server: ApiServer::new(1), now: SECOND }
    }

    /// Sends a request a second after the one before: the code and the body of its answer.
    fn send(&mut self, method: &str, path: &str, content_type: &str, body: &Value) -> (u16, Value) {
        self.now += SECOND;
        let body = body.to_string();
        let user_agent = "agent/1.0 (test)";
        let http = HttpRequest { method, path, content_type, user_agent, body: &body, ..HttpRequest::default() };
        let answer = match route::parse(&self.server.kinds(), &http) {
            Ok(Route::Resource(resource, request)) => {
                let result = self.server.handle(&self.context("agent"), *request);
                route::answer(&resource, result, self.server.was_created(), Vec::new(), self.now)
            }
            Ok(Route::Other(path)) => panic!("{path} names no resource"),
            Err(answer) => answer,
        };
        (answer.code, serde_json::from_str(&answer.body).unwrap_or_default())
    }

    fn context(&self, agent: &'static str) -> Context<'static> {
        Context::new(self.now, Caller::admin(agent), CauseId::default())
    }

    fn apply(&mut self, path: &str, manager: &str, config: &Value) -> (u16, Value) {
        self.send("PATCH", &format!("{path}?fieldManager={manager}"), APPLY, config)
    }

    fn merge(&mut self, path: &str, manager: &str, patch: &Value) -> (u16, Value) {
        self.send("PATCH", &format!("{path}?fieldManager={manager}"), MERGE, patch)
    }
}

/// `alice Apply {"f:data":{"f:a":{}}}`, a line each.
fn owners(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    entries
        .map(|entry| {
            let through = entry.get("subresource").map(|one| format!("/{}", text(one))).unwrap_or_default();
            format!("{} {}{through} {}", text(&entry["manager"]), text(&entry["operation"]), entry["fieldsV1"])
        })
        .collect()
}

fn config_map(data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" }, "data": data })
}

fn deployment(spec: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
        "spec": {
            "selector": { "matchLabels": { "a": "b" } },
            "template": {
                "metadata": { "labels": { "a": "b" } },
                "spec": { "containers": [{ "name": "c", "image": "nginx" }] },
            },
        },
    });
    for (name, value) in spec.as_object().into_iter().flatten() {
        object["spec"][name] = value.clone();
    }
    object
}

#[test]
fn components_are_noted_on_what_clients_have_made_and_pay_nothing_for_their_own() {
    let mut session = Session::new();
    session.apply(DEPLOYMENT, "alice", &deployment(&json!({ "replicas": 2 })));
    let context = session.context("kube-controller-manager");
    let read = Request::new::<Deployment>(Verb::Get, "default", "web");
    let Ok(api::Response::Object(live)) = session.server.handle(&context, read) else { panic!("it is there") };
    let mut changed = live.downcast_ref::<Deployment>().expect("a Deployment").clone();
    changed.status.get_or_insert_default().replicas = Some(1);
    let write = Request::new::<Deployment>(Verb::Update, "default", "web").on(api::Subresource::Status).body(changed);
    session.server.handle(&context, write).expect("a status is written");
    let made = ConfigMap { metadata: live.meta().clone(), ..ConfigMap::default() };
    let metadata = api::types::ObjectMeta { name: Some("c".into()), ..Default::default() };
    let write = Request::of(Verb::Create, ConfigMap::ID, "default", "").body(ConfigMap { metadata, ..made });
    session.server.handle(&context, write).expect("a ConfigMap is made");

    let (_, seen) = session.send("GET", DEPLOYMENT, "", &Value::Null);
    assert_eq!(owners(&seen)[1..], ["kube-controller-manager Update/status {\"f:status\":{\"f:replicas\":{}}}"]);
    let (_, seen) = session.send("GET", CONFIG_MAP, "", &Value::Null);
    assert!(owners(&seen).is_empty());
}

#[test]
fn a_scale_is_a_way_to_the_replicas() {
    let mut session = Session::new();
    session.apply(DEPLOYMENT, "alice", &deployment(&json!({ "replicas": 2 })));
    let scale = format!("{DEPLOYMENT}/scale");
    let (code, _) = session.merge(&scale, "kubectl", &json!({ "spec": { "replicas": 3 } }));
    assert_eq!(code, 200);
    let (_, seen) = session.send("GET", DEPLOYMENT, "", &Value::Null);
    assert_eq!(owners(&seen)[1..], ["kubectl Update/scale {\"f:spec\":{\"f:replicas\":{}}}"]);
    let (code, refused) = session.apply(DEPLOYMENT, "alice", &deployment(&json!({ "replicas": 2 })));
    assert_eq!(code, 409);
    assert_eq!(
        refused["message"],
        "Apply failed with 1 conflict: conflict with \"kubectl\" with subresource \"scale\" using apps/v1: .spec.replicas"
    );
    let config = json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": { "name": "web" }, "spec": { "replicas": 5 },
    });
    let (code, refused) = session.apply(&scale, "bob", &config);
    assert_eq!(code, 409);
    assert_eq!(
        refused["message"],
        "Apply failed with 1 conflict: conflict with \"kubectl\" with subresource \"scale\" using autoscaling/v1: \
         .spec.replicas"
    );
    let (code, scaled) = session.apply(&scale, "bob&force=true", &config);
    assert_eq!((code, &scaled["spec"]["replicas"]), (200, &json!(5)));
    let (_, seen) = session.send("GET", DEPLOYMENT, "", &Value::Null);
    assert_eq!(owners(&seen)[0], "bob Apply/scale {\"f:spec\":{\"f:replicas\":{}}}");
}

#[test]
fn kubectl_takes_over_what_it_has_applied_before() {
    let mut session = Session::new();
    let last = config_map(&json!({ "a": "1", "b": "2" }));
    let mut manifest = last.clone();
    manifest["metadata"]["annotations"] =
        json!({ "kubectl.kubernetes.io/last-applied-configuration": last.to_string() });
    let path = "/api/v1/namespaces/default/configmaps?fieldManager=kubectl-client-side-apply";
    session.send("POST", path, "application/json", &manifest);
    let new = config_map(&json!({ "a": "x" }));
    let (code, refused) = session.apply(CONFIG_MAP, "alice", &new);
    let expected = "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using v1: .data.a";
    assert_eq!((code, &refused["message"]), (409, &json!(expected)));
    let (code, applied) = session.apply(CONFIG_MAP, "kubectl", &new);
    assert_eq!((code, &applied["data"]), (200, &json!({ "a": "x", "b": "2" })));
    let annotation = &applied["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"];
    assert_eq!(annotation.as_str(), Some((new.to_string() + "\n").as_str()));
}

#[test]
fn clients_reset_managers_or_send_their_own() {
    for reset in [json!([]), json!([{}])] {
        let mut session = Session::new();
        session.apply(CONFIG_MAP, "alice", &config_map(&json!({ "a": "1" })));
        let (_, seen) = session.merge(CONFIG_MAP, "bob", &json!({ "metadata": { "managedFields": reset } }));
        assert!(owners(&seen).is_empty());
        let (code, refused) = session.apply(CONFIG_MAP, "carol", &config_map(&json!({ "a": "2" })));
        assert_eq!(code, 409);
        let expected = "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.a";
        assert_eq!(refused["message"], expected);
    }
    let mut session = Session::new();
    session.apply(CONFIG_MAP, "alice", &config_map(&json!({ "a": "1" })));
    let own = json!([{
        "manager": "dave", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
        "fieldsV1": { "f:data": { "f:a": {} } },
    }]);
    let patch = json!({ "metadata": { "managedFields": own }, "data": { "b": "2" } });
    let (_, seen) = session.merge(CONFIG_MAP, "bob", &patch);
    assert_eq!(owners(&seen), ["dave Apply {\"f:data\":{\"f:a\":{}}}", "bob Update {\"f:data\":{\"f:b\":{}}}"]);
}

#[test]
fn what_changes_nothing_writes_nothing() {
    let mut session = Session::new();
    let config = config_map(&json!({ "a": "1" }));
    let (code, first) = session.apply(CONFIG_MAP, "alice", &config);
    assert_eq!(code, 201);
    assert_eq!(session.apply(CONFIG_MAP, "alice", &config), (200, first.clone()));
    assert_eq!(session.merge(CONFIG_MAP, "bob", &json!({ "data": { "a": "1" } })), (200, first.clone()));
    let (_, shared) = session.apply(CONFIG_MAP, "bob", &config);
    assert_ne!(shared["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    assert_eq!(owners(&shared).len(), 2);
}

#[test]
fn configurations_that_are_refused() {
    let mut session = Session::new();
    let with = |metadata: Value| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata });
    let cases = [
        (
            with(json!({ "name": "other" })),
            400,
            "the name of the object (other) does not match the name on the URL (c)",
        ),
        (
            with(json!({ "name": "c", "uid": "u" })),
            409,
            "Operation cannot be fulfilled on configmaps \"c\": uid mismatch: the provided object specified uid u, and no \
             existing object was found",
        ),
        (json!({ "apiVersion": "v1", "kind": "Secret" }), 400, "invalid object type: /v1, Kind=Secret"),
        (
            json!([]),
            400,
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value \
             of type map[string]interface {}",
        ),
        (
            with(json!({ "name": "c", "labels": { "a": 1 } })),
            500,
            "failed to create typed patch object (/c; /v1, Kind=ConfigMap): .metadata.labels.a: expected string, got \
             &value.valueUnstructured{Value:1}",
        ),
    ];
    for (config, code, message) in cases {
        let (found, refused) = session.apply(CONFIG_MAP, "alice", &config);
        assert_eq!((found, refused["message"].as_str()), (code, Some(message)));
    }
    let (code, refused) = session.apply(&format!("{DEPLOYMENT}/status"), "alice", &deployment(&json!({})));
    assert_eq!((code, &refused["reason"]), (404, &json!("NotFound")));
}
