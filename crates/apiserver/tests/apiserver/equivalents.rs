//! Policies for resources in several versions.

use serde_json::{Value, json};

use crate::http::Cluster;

const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1";

/// With a custom resource in two versions, of which the first is stored.
fn cluster() -> Cluster {
    let mut cluster = Cluster::new();
    let version = |name: &str, storage: bool, field: &str| {
        let spec =
            json!({ "type": "object", "properties": { "size": { "type": "integer" }, field: { "type": "string" } } });
        let schema = json!({ "type": "object", "properties": { "spec": spec } });
        json!({ "name": name, "served": true, "storage": storage, "schema": { "openAPIV3Schema": schema } })
    };
    let spec = json!({
        "group": "example.com", "scope": "Namespaced", "names": { "plural": "things", "kind": "Thing" },
        "versions": [version("v1", true, "old"), version("v2", false, "new")],
    });
    let definition = json!({ "metadata": { "name": "things.example.com" }, "spec": spec });
    cluster.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition);
    cluster
}

fn thing(version: &str, spec: Value) -> (String, Value) {
    let object = json!({
        "apiVersion": format!("example.com/{version}"), "kind": "Thing", "metadata": { "name": "t" }, "spec": spec,
    });
    (format!("/apis/example.com/{version}/namespaces/default/things"), object)
}

/// A policy about one version of things, and its binding.
fn policy(cluster: &mut Cluster, kind: &str, constraints: Value, spec: Value) {
    let rule = json!({
        "apiGroups": ["example.com"], "apiVersions": ["v2"], "operations": ["CREATE", "UPDATE"], "resources": ["things"],
    });
    let (mut spec, mut bound) = (spec, json!({ "policyName": "p" }));
    spec["matchConstraints"] = constraints;
    spec["matchConstraints"]["resourceRules"] = json!([rule]);
    let actions = spec.as_object_mut().and_then(|spec| spec.remove("validationActions"));
    if let Some(actions) = actions {
        bound["validationActions"] = actions;
    }
    if !spec["paramKind"].is_null() {
        bound["paramRef"] = json!({ "name": "t", "namespace": "default", "parameterNotFoundAction": "Deny" });
    }
    cluster.create(&format!("{POLICIES}/{kind}policies"), json!({ "metadata": { "name": "p" }, "spec": spec }));
    cluster.create(&format!("{POLICIES}/{kind}policybindings"), json!({ "metadata": { "name": "p" }, "spec": bound }));
}

#[test]
fn a_policy_sees_the_version_that_its_rules_name() {
    let expression = "object.apiVersion == 'example.com/v2' && request.kind.version == 'v2' && \
                      request.requestKind.version == 'v1' && (oldObject == null || oldObject.apiVersion == 'example.com/v2')";
    let spec = || {
        let tell = format!("{} ? '' : 'no'", expression);
        json!({
            "validations": [{ "expression": format!("({expression}) && object.spec.size < 3"), "messageExpression": tell }],
            "validationActions": ["Deny"],
        })
    };
    let mut cluster_of = cluster();
    policy(&mut cluster_of, "validatingadmission", json!({}), spec());
    let (path, small) = thing("v1", json!({ "size": 1, "old": "kept" }));
    cluster_of.create(&path, small.clone());
    let patch = json!({ "spec": { "size": 2 } }).to_string();
    let named = format!("{path}/t");
    let patched = cluster_of.send(apiserver::route::HttpRequest {
        method: "PATCH",
        path: &named,
        content_type: "application/merge-patch+json",
        body: &patch,
        ..Default::default()
    });
    assert_eq!((patched.code, &patched.body["spec"]), (200, &json!({ "size": 2, "old": "kept" })), "{}", patched.text);

    let mut exact = cluster();
    policy(&mut exact, "validatingadmission", json!({ "matchPolicy": "Exact" }), spec());
    let (path, large) = thing("v1", json!({ "size": 9 }));
    exact.create(&path, large);
    let (path, large) = thing("v2", json!({ "size": 9 }));
    let mut large = large;
    large["metadata"]["name"] = "other".into();
    assert!(exact.refused("POST", &path, large).starts_with("422 things.example.com \"other\" is forbidden: "));
}

#[test]
fn a_mutation_is_brought_back_into_the_version_of_the_request() {
    let mut cluster = cluster();
    let mutation = json!({
        "patchType": "ApplyConfiguration",
        "applyConfiguration": { "expression": "Object{spec: Object.spec{size: 7, new: 'gone'}}" },
    });
    let spec = json!({ "mutations": [mutation], "reinvocationPolicy": "Never" });
    policy(&mut cluster, "mutatingadmission", json!({}), spec);
    let (path, object) = thing("v1", json!({ "size": 1 }));
    assert_eq!(cluster.create(&path, object)["spec"], json!({ "size": 7 }));
}

#[test]
fn parameters_may_be_custom_resources() {
    let spec = |version: &str| {
        json!({
            "paramKind": { "apiVersion": format!("example.com/{version}"), "kind": "Thing" },
            "validations": [{ "expression": "object.spec.size < params.spec.size" }], "validationActions": ["Warn"],
        })
    };
    let mut known = cluster();
    let (path, object) = thing("v1", json!({ "size": 3 }));
    known.create(&path, object.clone());
    policy(&mut known, "validatingadmission", json!({}), spec("v2"));
    let mut other = object;
    other["metadata"]["name"] = "other".into();
    let warnings = known.ask("POST", &path, other.clone()).warnings;
    let failed = "failed expression: object.spec.size < params.spec.size";
    assert_eq!(warnings, [format!("Validation failed for ValidatingAdmissionPolicy 'p' with binding 'p': {failed}")]);

    // What cannot be configured is refused, whatever the binding's actions are.
    let mut unknown = cluster();
    policy(&mut unknown, "validatingadmission", json!({}), spec("v3"));
    assert_eq!(
        unknown.refused("POST", &path, other),
        "422 things.example.com \"other\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: failed to configure \
         policy: failed to find resource referenced by paramKind: 'example.com/v3, Kind=Thing'"
    );
}
