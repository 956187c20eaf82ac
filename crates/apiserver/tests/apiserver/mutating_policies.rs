//! MutatingAdmissionPolicy: what policies make of objects, and what they say when they cannot.

use api::time::SECOND;
use api::{Body, Caller, CauseId, Kind, Request, Response, SimTime, Status, Verb, kinds};
use apiserver::{ApiServer, Context};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

const GROUP: &str = "admissionregistration.k8s.io/v1";

struct Cluster {
    server: ApiServer,
    now: SimTime,
}

impl Cluster {
    fn new() -> Cluster {
        let mut cluster = Cluster { server: ApiServer::new(1), now: SECOND };
        cluster.must(json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default" } }));
        cluster
    }

    fn create(&mut self, object: Value) -> Result<Value, Status> {
        self.now += SECOND;
        let text = |field: &str| object[field].as_str().unwrap_or_default();
        let kind: &Kind = kinds::by_kind(text("apiVersion"), text("kind")).expect("a known kind");
        let namespace = if kind.namespaced { "default" } else { "" };
        let mut request = Request::of(Verb::Create, kind.id, namespace, "");
        request.body = Body::Json(object);
        let context = Context::new(self.now, Caller::admin("test"), CauseId(self.now));
        match self.server.handle(&context, request)? {
            Response::Object(object) => Ok(object.to_value()),
            other => panic!("an object was expected, not {other:?}"),
        }
    }

    fn must(&mut self, object: Value) -> Value {
        self.create(object).expect("a sound object")
    }

    /// A policy for what is created of a resource of any group, and its binding.
    fn policy(&mut self, name: &str, resource: &str, spec: Value) {
        let mut spec = spec;
        let rule =
            json!({ "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": [resource] });
        spec["matchConstraints"] = json!({ "resourceRules": [rule] });
        if spec["reinvocationPolicy"].is_null() {
            spec["reinvocationPolicy"] = "Never".into();
        }
        let mut bound = json!({ "policyName": name });
        if let Some(reference) = spec.as_object_mut().and_then(|spec| spec.remove("paramRef")) {
            bound["paramRef"] = reference;
        }
        self.must(json!({
            "apiVersion": GROUP, "kind": "MutatingAdmissionPolicy", "metadata": { "name": name }, "spec": spec,
        }));
        self.must(json!({
            "apiVersion": GROUP, "kind": "MutatingAdmissionPolicyBinding", "metadata": { "name": name }, "spec": bound,
        }));
    }
}

fn apply(expression: &str) -> Value {
    json!({ "patchType": "ApplyConfiguration", "applyConfiguration": { "expression": expression } })
}

fn patch(expression: &str) -> Value {
    json!({ "patchType": "JSONPatch", "jsonPatch": { "expression": expression } })
}

fn deployment() -> Value {
    let container = json!({ "name": "web", "image": "nginx" });
    let template = json!({ "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [container] } });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "labels": { "a/b": "1" } },
        "spec": { "replicas": 1, "selector": { "matchLabels": { "app": "web" } }, "template": template },
    })
}

fn config_map(data: Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "settings" }, "data": data })
}

/// What one policy's mutations make of a Deployment: the replicas, the labels, the containers' names, the volumes; or why
/// it is refused.
fn mutated(spec: Value) -> String {
    let mut cluster = Cluster::new();
    cluster.policy("p", "deployments", spec);
    match cluster.create(deployment()) {
        Ok(made) => {
            let pod = &made["spec"]["template"]["spec"];
            let names = |list: &str| -> Vec<&str> {
                pod[list].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect()
            };
            let (containers, volumes) = (names("containers"), names("volumes"));
            format!("{} {} {containers:?} {volumes:?}", made["spec"]["replicas"], made["metadata"]["labels"])
        }
        Err(status) => format!("{} {} {}", status.code, status.reason.as_str(), status.message),
    }
}

fn check(mutations: &[Value], expected: Expect) {
    expected.assert_eq(&mutated(json!({ "mutations": mutations })));
}

#[test]
fn configurations_are_merged() {
    check(
        &[apply(
            "Object{spec: Object.spec{replicas: object.spec.replicas + 2, template: Object.spec.template{
                spec: Object.spec.template.spec{
                    containers: [Object.spec.template.spec.containers{name: 'side', image: 'busybox'}],
                    volumes: [Object.spec.template.spec.volumes{name: 'v',
                        emptyDir: Object.spec.template.spec.volumes.emptyDir{}}]}}}}",
        )],
        expect![[r#"3 {"a/b":"1"} ["web", "side"] ["v"]"#]],
    );
    check(
        &[apply("Object{metadata: Object.metadata{labels: {'team': 'red'}}}")],
        expect![[r#"1 {"a/b":"1","team":"red"} ["web"] []"#]],
    );
}

#[test]
fn patches_are_applied_in_order() {
    check(
        &[
            apply("Object{spec: Object.spec{replicas: object.spec.replicas + 100}}"),
            patch("[JSONPatch{op: 'replace', path: '/spec/replicas', value: object.spec.replicas + 10}]"),
        ],
        expect![[r#"111 {"a/b":"1"} ["web"] []"#]],
    );
    check(
        &[patch(
            "[JSONPatch{op: 'remove', path: '/metadata/labels/' + jsonpatch.escapeKey('a/b')},
              JSONPatch{op: 'add', path: '/spec/template/spec/containers/-', value:
                Object.spec.template.spec.containers{name: 'x', image: 'busybox'}}]",
        )],
        expect![[r#"1 null ["web", "x"] []"#]],
    );
    check(
        &[patch(
            "[JSONPatch{op: 'test', path: '/spec/replicas', value: 9},
              JSONPatch{op: 'replace', path: '/spec/replicas', value: 3}]",
        )],
        expect![[r#"1 {"a/b":"1"} ["web"] []"#]],
    );
}

#[test]
fn what_cannot_be_done_is_refused() {
    check(
        &[apply("Object{spec: Object.specx{replicas: 1}}")],
        expect![[r#"
        403 Invalid policy 'p' with binding 'p' denied request: type mismatch: unexpected type name "Object.specx", expected "Object.spec", which matches field name path from root Object type"#]],
    );
    check(
        &[apply("Object{spec: Object.spec{replicasx: 1}}")],
        expect![[r#"
        403 Invalid policy 'p' with binding 'p' denied request: error applying patch: failed to convert patch object to typed object: .spec.replicasx: field not declared in schema"#]],
    );
    check(
        &[apply("Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {'l': 'v'}}}}")],
        expect![[r#"
        403 Invalid policy 'p' with binding 'p' denied request: error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.selector"#]],
    );
    check(
        &[patch(
            "[JSONPatch{op: 'replace', path: '/spec/template/spec/containers/-', value: Object.spec.template.spec.containers{name: 'x'}}]",
        )],
        expect![[r#"
            403 Invalid policy 'p' with binding 'p' denied request: JSONPath: replace operation does not apply: doc is missing key: /spec/template/spec/containers/-: missing value"#]],
    );
    check(
        &[patch("[JSONPatch{op: 'add', path: '/spec/wrong', value: 1}]")],
        expect![[r#"
        500 InternalError Internal error occurred: strict decoding error: unknown field "spec.wrong""#]],
    );
    check(
        &[patch("[JSONPatch{op: 'add', path: '/spec/replicas', value: object.spec.none}]")],
        expect![[r#"
        403 Invalid policy 'p' with binding 'p' denied request: expression '[JSONPatch{op: 'add', path: '/spec/replicas', value: object.spec.none}]' resulted in error: no such key: none"#]],
    );
}

#[test]
fn conditions_variables_and_the_authorizer_decide() {
    let replicas = patch("[JSONPatch{op: 'replace', path: '/spec/replicas', value: variables.wanted}]");
    let spec = |condition: &str| {
        json!({
            "matchConditions": [{ "name": "c", "expression": condition }],
            "variables": [{ "name": "wanted", "expression": "object.spec.replicas * 7" }],
            "mutations": [replicas],
        })
    };
    let seven = r#"7 {"a/b":"1"} ["web"] []"#;
    assert_eq!(mutated(spec("object.metadata.name == 'web'")), seven);
    assert_eq!(mutated(spec("authorizer.requestResource.check('create').allowed()")), seven);
    assert_eq!(mutated(spec("object.metadata.name == 'other'")), r#"1 {"a/b":"1"} ["web"] []"#);
    let mut lenient = spec("object.spec.none == 1");
    expect![[r#"403 Invalid policy 'p' with binding 'p' denied request: expression 'object.spec.none == 1' resulted in error: no such key: none"#]]
        .assert_eq(&mutated(lenient.clone()));
    lenient["failurePolicy"] = "Ignore".into();
    assert_eq!(mutated(lenient), r#"1 {"a/b":"1"} ["web"] []"#);
}

#[test]
fn parameters_come_from_objects() {
    let mut cluster = Cluster::new();
    let mut params = config_map(json!({ "team": "red" }));
    params["metadata"]["name"] = "params".into();
    let spec = |action: &str| {
        json!({
            "paramKind": { "apiVersion": "v1", "kind": "ConfigMap" },
            "paramRef": { "name": "params", "parameterNotFoundAction": action },
            "mutations": [apply("Object{metadata: Object.metadata{labels: {'team': params.data.team}}}")],
        })
    };
    cluster.policy("p", "secrets", spec("Deny"));
    let secret = |name: &str| json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name } });
    let refused = cluster.create(secret("a")).expect_err("there are no parameters").message;
    expect!["policy 'p' with binding 'p' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"].assert_eq(&refused);
    cluster.must(params);
    assert_eq!(cluster.must(secret("b"))["metadata"]["labels"], json!({ "team": "red" }));

    let mut cluster = Cluster::new();
    cluster.policy("p", "secrets", spec("Allow"));
    assert_eq!(cluster.must(secret("a"))["metadata"]["labels"], Value::Null);
}

/// The first policy counts how often it is asked, the second sees what the first has left.
#[test]
fn a_policy_is_asked_again_if_it_wants_to() {
    let count = "[JSONPatch{op: 'add', path: '/data/count', value: object.data.count + 'x'}]";
    let other = "[JSONPatch{op: 'add', path: '/data/other', value: 'yes'}]";
    for (policy, expected) in [("Never", "x"), ("IfNeeded", "xx")] {
        let mut cluster = Cluster::new();
        cluster.policy("a", "configmaps", json!({ "reinvocationPolicy": policy, "mutations": [patch(count)] }));
        cluster.policy("b", "configmaps", json!({ "mutations": [patch(other)] }));
        let made = cluster.must(config_map(json!({ "count": "" })));
        assert_eq!(made["data"], json!({ "count": expected, "other": "yes" }), "{policy}");
    }
}

#[test]
fn policies_are_checked_when_they_are_made() {
    let rule = json!({ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["DELETE"], "resources": ["pods"] });
    let mutations = json!([
        { "patchType": "JSONPatch", "applyConfiguration": { "expression": "Object{}" } },
        { "patchType": "ApplyConfiguration", "applyConfiguration": { "expression": "Object.spec{}" } },
        { "patchType": "JSONPatch", "jsonPatch": { "expression": "[JSONPatch{op: 1}]" } },
        { "patchType": "JSONPatch", "jsonPatch": { "expression": "[JSONPatch{opp: 'add'}]" } },
        { "patchType": "ApplyConfiguration", "applyConfiguration": { "expression": "'teapot'" } },
        { "patchType": "Merge" },
        {},
    ]);
    let policy = json!({
        "apiVersion": GROUP, "kind": "MutatingAdmissionPolicy", "metadata": { "name": "p" },
        "spec": {
            "matchConstraints": { "resourceRules": [rule] },
            "variables": [{ "name": "bad-name", "expression": "Object{}" }, { "name": "in", "expression": "1" }],
            "mutations": mutations,
        },
    });
    let status = Cluster::new().create(policy).expect_err("nothing is right in it");
    let causes = status.details.expect("it says what is wrong").causes;
    let lines: Vec<String> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    expect![[r#"
        spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"
        spec.variables[0].name: Invalid value: "bad-name": must be a valid CEL identifier
        spec.variables[0].expression: Invalid value: "Object{}": compilation failed: ERROR: <input>:1:7: undeclared reference to 'Object' (in container '')
         | Object{}
         | ......^
        spec.variables[1].name: Invalid value: "in": must be a valid CEL identifier
        spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch
        spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch
        spec.mutations[1].applyConfiguration.expression: Invalid value: "Object.spec{}": must evaluate to Object but got Object.spec
        spec.mutations[2].jsonPatch.expression: Invalid value: "[JSONPatch{op: 1}]": compilation failed: ERROR: <input>:1:14: expected type of field 'op' is 'string' but provided type is 'int'
         | [JSONPatch{op: 1}]
         | .............^
        spec.mutations[3].jsonPatch.expression: Invalid value: "[JSONPatch{opp: 'add'}]": compilation failed: ERROR: <input>:1:15: undefined field 'opp'
         | [JSONPatch{opp: 'add'}]
         | ..............^
        spec.mutations[4].applyConfiguration.expression: Invalid value: "'teapot'": must evaluate to Object but got string
        spec.mutations[5].patchType: Unsupported value: "Merge": supported values: "ApplyConfiguration", "JSONPatch"
        spec.mutations[6].patchType: Required value
        spec.reinvocationPolicy: Required value"#]].assert_eq(&lines.join("\n"));
}
