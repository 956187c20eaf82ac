//! Admission webhooks, as the API server calls them: what it sends, and what it makes of the answers.

use std::cell::RefCell;

use api::k8s_openapi::ByteString;
use api::request::ExecOptions;
use api::time::SECOND;
use api::types::{Deployment, Pod, Service, ServiceAccount};
use api::{Body, Caller, CauseId, Kinded, Request, Response, SimTime, Status, Subresource, Verb, kinds};
use apiserver::outside::{Answer, Failure, Outside, Post};
use apiserver::{ApiServer, Context};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

const GROUP: &str = "admissionregistration.k8s.io/v1";
/// The patch of a response that labels an object, in base64.
const LABELS: &str = "W3sib3AiOiJhZGQiLCJwYXRoIjoiL21ldGFkYXRhL2xhYmVscyIsInZhbHVlIjp7ImEiOiJiIn19XQ==";

/// A network in which everything answers as `answer` says to the request that it is sent.
struct Hooks<'a> {
    answer: &'a dyn Fn(&Post, Value) -> Result<Answer, Failure>,
    sent: RefCell<Vec<(Post, Value)>>,
}

impl Outside for Hooks<'_> {
    fn post(&self, requests: &[Post]) -> Vec<Result<Answer, Failure>> {
        let answer = |post: &Post| {
            let review: Value = serde_json::from_str(&post.body).expect("a review is JSON");
            self.sent.borrow_mut().push((post.clone(), review.clone()));
            (self.answer)(post, review)
        };
        requests.iter().map(answer).collect()
    }
}

/// A response with these fields to a review.
fn respond(review: &Value, response: Value) -> Result<Answer, Failure> {
    let mut response = response;
    response["uid"] = review["request"]["uid"].clone();
    let body = json!({ "kind": "AdmissionReview", "apiVersion": review["apiVersion"], "response": response });
    Ok(Answer { status: 200, body: body.to_string() })
}

struct Cluster {
    server: ApiServer,
    now: SimTime,
}

impl Cluster {
    /// With a Service for webhooks, and one webhook for ConfigMaps, which has these fields besides.
    fn new(kind: &str, fields: Value) -> Cluster {
        let mut cluster = Cluster { server: ApiServer::new(1), now: SECOND };
        let spec = json!({ "clusterIP": "10.96.0.7", "ports": [{ "port": 443, "targetPort": 8443 }] });
        cluster.quietly(json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "hook" }, "spec": spec }));
        let mut hook = json!({
            "name": "h.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "clientConfig": { "service": { "name": "hook", "namespace": "default", "path": "/check" } },
            "rules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE", "DELETE"],
                "resources": ["configmaps"],
            }],
        });
        hook.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let metadata = json!({ "name": "c" });
        cluster.quietly(json!({ "apiVersion": GROUP, "kind": kind, "metadata": metadata, "webhooks": [hook] }));
        cluster
    }

    fn quietly(&mut self, object: Value) {
        self.send(Verb::Create, object, None, false).expect("a sound object");
    }

    fn send(&mut self, verb: Verb, object: Value, hooks: Option<&Hooks>, dry_run: bool) -> Result<Value, Status> {
        let text = |field: &str| object[field].as_str().unwrap_or_default();
        let kind = kinds::by_kind(text("apiVersion"), text("kind")).expect("a known kind");
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let name = if verb == Verb::Create { "" } else { name };
        let mut request = Request::of(verb, kind.id, if kind.namespaced { "default" } else { "" }, name);
        request.options.dry_run = dry_run;
        if verb != Verb::Delete {
            request.body = Body::Json(object);
        }
        self.call(request, hooks)
    }

    fn call(&mut self, request: Request, hooks: Option<&Hooks>) -> Result<Value, Status> {
        self.now += SECOND;
        let outside = hooks.map(|hooks| hooks as &dyn Outside);
        let context = Context { outside, ..Context::new(self.now, Caller::admin("test"), CauseId(self.now)) };
        if matches!(request.subresource, Subresource::Exec | Subresource::Proxy) {
            return self.server.admit_connection(&context, &request).map(|()| Value::Null);
        }
        match self.server.handle(&context, request)? {
            Response::Object(object) => Ok(object.to_value()),
            _ => Ok(Value::Null),
        }
    }
}

fn config_map() -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" }, "data": { "a": "1" } })
}

/// What comes of a ConfigMap with one webhook that answers so.
fn outcome(kind: &str, fields: Value, answer: &dyn Fn(&Post, Value) -> Result<Answer, Failure>) -> String {
    let hooks = Hooks { answer, sent: RefCell::default() };
    match Cluster::new(kind, fields).send(Verb::Create, config_map(), Some(&hooks), false) {
        Ok(made) => format!("created {}", made["metadata"]["labels"]),
        Err(status) => format!("{} {}", status.code, status.message),
    }
}

fn check(kind: &str, answer: &dyn Fn(&Post, Value) -> Result<Answer, Failure>, expected: Expect) {
    expected.assert_eq(&outcome(kind, json!({}), answer));
}

const MUTATING: &str = "MutatingWebhookConfiguration";
const VALIDATING: &str = "ValidatingWebhookConfiguration";

#[test]
fn a_review_says_what_is_asked() {
    let answer = |_: &Post, review: Value| respond(&review, json!({ "allowed": true }));
    let hooks = Hooks { answer: &answer, sent: RefCell::default() };
    let mut cluster = Cluster::new(VALIDATING, json!({}));
    cluster.send(Verb::Create, config_map(), Some(&hooks), false).unwrap();
    cluster.send(Verb::Delete, config_map(), Some(&hooks), false).unwrap();
    let mut sent = hooks.sent.into_inner();
    let (post, review) = &mut sent[0];
    assert_eq!((post.host.as_str(), post.port, post.path.as_str()), ("10.96.0.7", 443, "/check?timeout=10s"));
    for field in ["uid", "object"] {
        assert!(!review["request"][field].is_null(), "{field}");
        review["request"][field] = "some".into();
    }
    expect![[r#"
        {
          "apiVersion": "admission.k8s.io/v1",
          "kind": "AdmissionReview",
          "request": {
            "dryRun": false,
            "kind": {
              "group": "",
              "kind": "ConfigMap",
              "version": "v1"
            },
            "name": "c",
            "namespace": "default",
            "object": "some",
            "oldObject": null,
            "operation": "CREATE",
            "options": {
              "apiVersion": "meta.k8s.io/v1",
              "kind": "CreateOptions"
            },
            "requestKind": {
              "group": "",
              "kind": "ConfigMap",
              "version": "v1"
            },
            "requestResource": {
              "group": "",
              "resource": "configmaps",
              "version": "v1"
            },
            "resource": {
              "group": "",
              "resource": "configmaps",
              "version": "v1"
            },
            "uid": "some",
            "userInfo": {
              "groups": [
                "system:masters",
                "system:authenticated"
              ],
              "uid": "admin",
              "username": "kubernetes-admin"
            }
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(review).unwrap());
    let deletion = &sent[1].1["request"];
    assert_eq!((&deletion["operation"], &deletion["object"]), (&json!("DELETE"), &Value::Null));
    assert_eq!(deletion["oldObject"]["data"], json!({ "a": "1" }));
    assert_ne!(deletion["uid"], sent[0].1["request"]["uid"]);
}

#[test]
fn objects_are_patched() {
    let patch = json!({ "allowed": true, "patchType": "JSONPatch", "patch": LABELS });
    check(MUTATING, &|_, review| respond(&review, patch.clone()), expect![[r#"created {"a":"b"}"#]]);
    let half = json!({ "allowed": true, "patch": LABELS });
    let prefix =
        "500 Internal error occurred: failed calling webhook \"h.example.com\": received invalid webhook response";
    for (kind, why) in [
        (MUTATING, "webhook returned response.patch but not response.patchType"),
        (VALIDATING, "validating webhook may not return response.patch"),
    ] {
        let outcome = outcome(kind, json!({}), &|_, review| respond(&review, half.clone()));
        assert_eq!(outcome, format!("{prefix}: {why}"));
    }
}

#[test]
fn requests_are_denied() {
    for status in [json!({ "message": "no" }), json!({ "reason": "because", "code": 409 }), Value::Null] {
        let response = json!({ "allowed": false, "status": status });
        for kind in [MUTATING, VALIDATING] {
            let outcome = outcome(kind, json!({}), &|_, review| respond(&review, response.clone()));
            let why = match (status["message"].as_str(), status["reason"].as_str()) {
                (Some(text), _) | (_, Some(text)) => format!(": {text}"),
                _ => " without explanation".into(),
            };
            let code = status["code"].as_u64().unwrap_or(400);
            assert_eq!(outcome, format!("{code} admission webhook \"h.example.com\" denied the request{why}"));
        }
    }
}

#[test]
fn answers_may_be_missing_or_wrong() {
    let refused = |fields: Value, answer: Result<Answer, Failure>| {
        let text = outcome(VALIDATING, fields, &|_, _| answer.clone());
        let prefix = "500 Internal error occurred: failed calling webhook \"h.example.com\": ";
        text.strip_prefix(prefix).unwrap_or(&text).to_owned()
    };
    let answered = |status: u16, body: &str| refused(json!({}), Ok(Answer { status, body: body.into() }));
    let lost = |failure: Failure| refused(json!({}), Err(failure));
    let post = "failed to call webhook: Post \"https://hook.default.svc:443/check?timeout=10s\"";
    assert_eq!(lost(Failure::Refused), format!("{post}: dial tcp 10.96.0.7:443: connect: connection refused"));
    assert_eq!(lost(Failure::TimedOut), format!("{post}: context deadline exceeded"));
    assert_eq!(lost(Failure::Closed), format!("{post}: EOF"));
    assert_eq!(
        answered(200, "{}"),
        "received invalid webhook response: expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got \
         /, Kind="
    );
    assert_eq!(
        answered(200, "<html>"),
        "failed to call webhook: couldn't get version/kind; json parse error: invalid character '<' looking for \
         beginning of value"
    );
    assert_eq!(answered(404, ""), "failed to call webhook: the server could not find the requested resource");
    assert_eq!(
        answered(500, "oops"),
        "failed to call webhook: an error on the server (\"oops\") has prevented the request from succeeding"
    );
    assert_eq!(refused(json!({ "failurePolicy": "Ignore" }), Err(Failure::Refused)), "created null");
    let url = json!({ "clientConfig": { "url": "https://hooks.example.com/check" } });
    assert_eq!(
        refused(url, Err(Failure::UnknownHost)),
        "failed to call webhook: Post \"https://hooks.example.com/check?timeout=10s\": dial tcp: lookup \
         hooks.example.com: no such host"
    );
    let port = json!({ "clientConfig": { "service": { "name": "hook", "namespace": "default", "port": 8443 } } });
    assert_eq!(
        refused(port, Err(Failure::Refused)),
        "failed to call webhook: Post \"https://hook.default.svc:8443/?timeout=10s\": no service port 8443 found for \
         service \"hook\""
    );
}

#[test]
fn only_some_requests_are_asked_about() {
    let deny = |_: &Post, review: Value| respond(&review, json!({ "allowed": false }));
    let condition = |expression: &str| json!({ "matchConditions": [{ "name": "c", "expression": expression }] });
    assert_eq!(outcome(VALIDATING, condition("object.metadata.name != 'c'"), &deny), "created null");
    assert_ne!(outcome(VALIDATING, condition("request.operation == 'CREATE'"), &deny), "created null");
    let failed = outcome(VALIDATING, condition("object.none == 1"), &deny);
    assert_eq!(
        failed,
        "403 configmaps \"c\" is forbidden: expression 'object.none == 1' resulted in error: no such key: none"
    );
    let selector = json!({ "objectSelector": { "matchLabels": { "a": "b" } } });
    assert_eq!(outcome(VALIDATING, selector, &deny), "created null");
}

#[test]
fn a_dry_run_needs_webhooks_without_side_effects() {
    let answer = |_: &Post, review: Value| {
        assert_eq!(review["request"]["dryRun"], true);
        respond(&review, json!({ "allowed": true, "warnings": ["take care"] }))
    };
    let hooks = Hooks { answer: &answer, sent: RefCell::default() };
    let mut cluster = Cluster::new(VALIDATING, json!({}));
    cluster.send(Verb::Create, config_map(), Some(&hooks), true).unwrap();
    assert_eq!(cluster.server.take_warnings(), ["take care"]);
}

/// A webhook for what is sent to some subresources.
fn subresources(kind: &str) -> Cluster {
    let resources =
        ["*/scale", "pods/binding", "pods/eviction", "pods/exec", "services/proxy", "serviceaccounts/token"];
    let rule = json!({ "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": resources });
    let mut cluster = Cluster::new(kind, json!({ "rules": [rule] }));
    let container = json!({ "name": "web", "image": "nginx" });
    let template = json!({ "metadata": { "labels": { "a": "b" } }, "spec": { "containers": [container] } });
    let spec = json!({ "replicas": 1, "selector": { "matchLabels": { "a": "b" } }, "template": template });
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default" } });
    cluster.quietly(account);
    for (version, kind, spec) in [("apps/v1", "Deployment", &spec), ("v1", "Pod", &spec["template"]["spec"])] {
        cluster.quietly(json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "web" }, "spec": spec }));
    }
    cluster
}

fn to<T: Kinded>(verb: Verb, subresource: Subresource, name: &str, body: Value) -> Request {
    Request::of(verb, T::ID, "default", name).on(subresource).body(Body::Json(body))
}

fn to_scale(replicas: i64) -> Request {
    let scale = json!({ "metadata": { "name": "web" }, "spec": { "replicas": replicas } });
    to::<Deployment>(Verb::Update, Subresource::Scale, "web", scale)
}

#[test]
fn what_is_sent_to_subresources_is_reviewed_as_it_is() {
    let answer = |_: &Post, review: Value| respond(&review, json!({ "allowed": true }));
    let hooks = Hooks { answer: &answer, sent: RefCell::default() };
    let mut cluster = subresources(VALIDATING);
    let named = json!({ "metadata": { "name": "web" }, "target": { "name": "node-1" } });
    let exec = ExecOptions { command: vec!["date".into()], ..ExecOptions::default() };
    let requests = [
        to_scale(2),
        to::<ServiceAccount>(Verb::Create, Subresource::Token, "default", json!({ "spec": {} })),
        to::<Pod>(Verb::Create, Subresource::Binding, "web", named.clone()),
        Request::of(Verb::Create, Pod::ID, "default", "web").on(Subresource::Exec).body(Body::Exec(exec)),
        to::<Service>(Verb::Get, Subresource::Proxy, "hook", Value::Null),
        to::<Pod>(Verb::Create, Subresource::Eviction, "web", named),
    ];
    for request in requests {
        cluster.call(request, Some(&hooks)).unwrap();
    }
    let sent: Vec<String> = hooks.sent.borrow().iter().map(|(_, review)| line(&review["request"])).collect();
    expect![[r#"
        UPDATE deployments/scale web: autoscaling/v1 Scale {"replicas":2}
        CREATE serviceaccounts/token default: authentication.k8s.io/v1 TokenRequest {}
        CREATE pods/binding web: /v1 Binding null
        CONNECT pods/exec web: /v1 PodExecOptions null
        CONNECT services/proxy hook: /v1 ServiceProxyOptions null
        CREATE pods/eviction web: policy/v1 Eviction null"#]]
    .assert_eq(&sent.join("\n"));
    assert_eq!(hooks.sent.borrow()[3].1["request"]["object"]["command"], json!(["date"]));
}

fn line(review: &Value) -> String {
    let text = |pointer: &str| review.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!(
        "{} {}/{} {}: {}/{} {} {}",
        text("/operation"),
        text("/resource/resource"),
        text("/subResource"),
        text("/name"),
        text("/kind/group"),
        text("/kind/version"),
        text("/kind/kind"),
        review["object"]["spec"]
    )
}

#[test]
fn a_scale_is_changed_and_refused() {
    let patch = json!([{ "op": "replace", "path": "/spec/replicas", "value": 5 }]).to_string();
    let patch = json!({ "allowed": true, "patchType": "JSONPatch", "patch": ByteString(patch.into_bytes()) });
    let answer = |_: &Post, review: Value| respond(&review, patch.clone());
    let scaled = subresources(MUTATING).call(to_scale(2), Some(&Hooks { answer: &answer, sent: RefCell::default() }));
    assert_eq!(scaled.unwrap()["spec"], json!({ "replicas": 5 }));

    let status = json!({ "reason": "TooBig", "message": "no", "code": 418, "details": { "name": "web" } });
    let answer = |_: &Post, review: Value| respond(&review, json!({ "allowed": false, "status": status }));
    let mut cluster = subresources(VALIDATING);
    let refused = cluster.call(to_scale(2), Some(&Hooks { answer: &answer, sent: RefCell::default() })).unwrap_err();
    expect![[r#"{"apiVersion":"v1","code":418,"details":{"name":"web"},"kind":"Status","message":"admission webhook \"h.example.com\" denied the request: no","metadata":{},"reason":"TooBig","status":"Failure"}"#]]
        .assert_eq(&refused.to_value().to_string());
}

#[test]
fn a_webhook_is_asked_again_if_it_wants_to() {
    for (policy, expected) in [("Never", 2), ("IfNeeded", 3)] {
        let patch = json!({ "allowed": true, "patchType": "JSONPatch", "patch": LABELS });
        let answer = |post: &Post, review: Value| match post.path.as_str() {
            "/second?timeout=10s" => respond(&review, patch.clone()),
            _ => respond(&review, json!({ "allowed": true })),
        };
        let hooks = Hooks { answer: &answer, sent: RefCell::default() };
        let mut cluster = Cluster::new(MUTATING, json!({ "reinvocationPolicy": policy }));
        cluster.quietly(json!({
            "apiVersion": GROUP, "kind": MUTATING, "metadata": { "name": "d" },
            "webhooks": [{
                "name": "second.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
                "clientConfig": { "service": { "name": "hook", "namespace": "default", "path": "/second" } },
                "rules": [{
                    "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["configmaps"],
                }],
            }],
        }));
        cluster.send(Verb::Create, config_map(), Some(&hooks), false).unwrap();
        assert_eq!(hooks.sent.borrow().len(), expected, "{policy}");
    }
}

#[test]
fn a_webhook_sees_the_version_that_its_rules_name() {
    let patch = json!([{ "op": "replace", "path": "/spec/metrics/0/resource/target/averageUtilization", "value": 30 }]);
    let patch = json!({
        "allowed": true, "patchType": "JSONPatch", "patch": ByteString(patch.to_string().into_bytes()),
    });
    let answer = |_: &Post, review: Value| respond(&review, patch.clone());
    let autoscaler = |version: &str, spec: Value| {
        let mut spec = spec;
        (spec["maxReplicas"], spec["scaleTargetRef"]) =
            (5.into(), json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" }));
        let version = format!("autoscaling/{version}");
        json!({ "apiVersion": version, "kind": "HorizontalPodAutoscaler", "metadata": { "name": "h" }, "spec": spec })
    };
    let rule = |version: &str| {
        json!({
            "apiGroups": ["autoscaling"], "apiVersions": [version], "operations": ["CREATE"],
            "resources": ["horizontalpodautoscalers"],
        })
    };
    let old = autoscaler("v1", json!({ "targetCPUUtilizationPercentage": 80 }));

    let hooks = Hooks { answer: &answer, sent: RefCell::default() };
    let mut cluster = Cluster::new(MUTATING, json!({ "rules": [rule("v2")] }));
    let made = cluster.send(Verb::Create, old.clone(), Some(&hooks), false).unwrap();
    assert_eq!(made["spec"]["targetCPUUtilizationPercentage"], 30);
    let request = &hooks.sent.borrow()[0].1["request"];
    let versions = ["kind", "resource", "requestKind", "requestResource"].map(|field| &request[field]["version"]);
    assert_eq!(versions, ["v2", "v2", "v1", "v1"]);
    assert_eq!(request["object"]["apiVersion"], "autoscaling/v2");
    assert_eq!(request["object"]["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 80);

    let allow = |_: &Post, review: Value| respond(&review, json!({ "allowed": true }));
    let hooks = Hooks { answer: &allow, sent: RefCell::default() };
    let mut cluster = Cluster::new(VALIDATING, json!({ "rules": [rule("v1")] }));
    cluster.send(Verb::Create, old.clone(), Some(&hooks), false).unwrap();
    assert_eq!(hooks.sent.borrow()[0].1["request"]["object"]["spec"]["targetCPUUtilizationPercentage"], 80);

    let hooks = Hooks { answer: &allow, sent: RefCell::default() };
    let mut cluster = Cluster::new(VALIDATING, json!({ "rules": [rule("v2")], "matchPolicy": "Exact" }));
    cluster.send(Verb::Create, old, Some(&hooks), false).unwrap();
    assert!(hooks.sent.borrow().is_empty());
}

#[test]
fn events_of_both_groups_are_the_same() {
    let allow = |_: &Post, review: Value| respond(&review, json!({ "allowed": true }));
    let hooks = Hooks { answer: &allow, sent: RefCell::default() };
    let rule = json!({
        "apiGroups": ["events.k8s.io"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["events"],
    });
    let condition = json!({
        "name": "seen", "expression": "object.note == 'hi' && request.kind.group == 'events.k8s.io' && request.resource.group == ''",
    });
    let mut cluster = Cluster::new(VALIDATING, json!({ "rules": [rule], "matchConditions": [condition] }));
    let event = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": { "name": "e" }, "message": "hi",
        "involvedObject": { "kind": "Pod", "namespace": "default" },
    });
    cluster.send(Verb::Create, event, Some(&hooks), false).unwrap();
    let request = &hooks.sent.borrow()[0].1["request"];
    let groups = ["kind", "resource", "requestKind", "requestResource"].map(|field| &request[field]["group"]);
    assert_eq!(groups, ["events.k8s.io", "events.k8s.io", "", ""]);
    assert_eq!(request["object"]["note"], "hi");
}
