//! What a new cluster has before anybody asks for anything.

use api::object::Tree;
use api::rng::Rng;
use api::{Body, Caller, CauseId, Draft, Request, Verb, kinds, time};
use serde_json::{Value, json};

use crate::registry::api_service;
use crate::{ApiServer, Context, flow_control};

/// `--advertise-address`
const ADVERTISED: &str = "192.168.0.10";

/// Creates the system's namespaces and objects, as kube-apiserver and a usual installer do.
pub(crate) fn fill(server: &mut ApiServer) {
    let context = Context::new(0, Caller::new("system:apiserver", &["system:masters"], "kube-apiserver"), CauseId(0));
    for object in objects() {
        let api_version = object["apiVersion"].as_str().unwrap_or_default();
        let kind = object["kind"].as_str().unwrap_or_default();
        let row = kinds::by_kind(api_version, kind).expect("the bootstrap's kinds are in the table");
        let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut request = Request::of(Verb::Create, row.id, &namespace, "");
        request.body = Body::Json(object);
        server.handle(&context, request).expect("the bootstrap's objects are valid");
    }
    // What follows draws its uids from a stream of its own: what it holds changes nothing else that is drawn.
    let rng = std::mem::replace(&mut server.rng, Rng::new(0x7262_6163));
    for policy in crate::authorization::policy::objects() {
        server.keep(&context, policy);
    }
    for value in system_objects() {
        let kind = text(&value, "apiVersion")
            .zip(text(&value, "kind"))
            .and_then(|(version, kind)| kinds::by_kind(version, kind));
        let kind = kind.expect("the bootstrap's kinds are in the table");
        server.keep(&context, Draft::new(Tree::new(kind.id, value)));
    }
    server.settle_flow_control(&context);
    server.rng = rng;
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}

/// Priorities of the groups that the API server serves itself, and of their versions.
const API_SERVICES: &[(&str, &str, i64, i64)] = &[
    ("", "v1", 18000, 1),
    ("admissionregistration.k8s.io", "v1", 16700, 15),
    ("apiextensions.k8s.io", "v1", 16700, 15),
    ("apps", "v1", 17800, 15),
    ("authentication.k8s.io", "v1", 17700, 15),
    ("authorization.k8s.io", "v1", 17600, 15),
    ("autoscaling", "v1", 17500, 15),
    ("autoscaling", "v2", 17500, 30),
    ("batch", "v1", 17400, 15),
    ("certificates.k8s.io", "v1", 17300, 15),
    ("coordination.k8s.io", "v1", 16500, 15),
    ("discovery.k8s.io", "v1", 16200, 15),
    ("events.k8s.io", "v1", 17750, 15),
    ("flowcontrol.apiserver.k8s.io", "v1", 16100, 21),
    ("networking.k8s.io", "v1", 17200, 15),
    ("node.k8s.io", "v1", 16300, 15),
    ("policy", "v1", 17100, 15),
    ("rbac.authorization.k8s.io", "v1", 17000, 15),
    ("resource.k8s.io", "v1", 16200, 20),
    ("scheduling.k8s.io", "v1", 16600, 15),
    ("storage.k8s.io", "v1", 16800, 15),
];

/// What kube-apiserver's own controllers write at its start.
fn system_objects() -> Vec<Value> {
    let mut objects: Vec<Value> = API_SERVICES
        .iter()
        .map(|(group, version, group_priority, priority)| {
            api_service::local(group, version, *group_priority, *priority)
        })
        .collect();
    objects.extend(flow_control::objects::bootstrap(0));
    objects.push(json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": { "name": "kubernetes", "finalizers": ["networking.k8s.io/service-cidr-finalizer"], "generation": 1 },
        "spec": { "cidrs": ["10.96.0.0/12"] },
        "status": { "conditions": [{
            "type": "Ready",
            "status": "True",
            "lastTransitionTime": time::stamp(0),
            "reason": "",
            "message": "Kubernetes Service CIDR is ready",
        }] },
    }));
    objects
}

fn objects() -> Vec<Value> {
    let namespace = |name: &str| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    let priority = |name: &str, value: i64, description: &str| {
        json!({
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": { "name": name },
            "value": value,
            "description": description,
        })
    };
    vec![
        namespace("default"),
        namespace("kube-system"),
        namespace("kube-public"),
        namespace("kube-node-lease"),
        priority(
            "system-cluster-critical",
            2_000_000_000,
            "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
        ),
        priority(
            "system-node-critical",
            2_000_001_000,
            "Used for system critical pods that must not be moved from their current node.",
        ),
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": "kubernetes",
                "namespace": "default",
                "labels": { "component": "apiserver", "provider": "kubernetes" },
            },
            "spec": {
                "clusterIP": "10.96.0.1",
                "ports": [{ "name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443 }],
            },
        }),
        json!({
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {
                "name": "kubernetes",
                "namespace": "default",
                "labels": { "endpointslice.kubernetes.io/skip-mirror": "true" },
            },
            "subsets": [{
                "addresses": [{ "ip": ADVERTISED }],
                "ports": [{ "name": "https", "port": 6443, "protocol": "TCP" }],
            }],
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": "kubernetes",
                "namespace": "default",
                "labels": { "kubernetes.io/service-name": "kubernetes" },
            },
            "addressType": "IPv4",
            "endpoints": [{ "addresses": [ADVERTISED], "conditions": { "ready": true } }],
            "ports": [{ "name": "https", "port": 6443, "protocol": "TCP" }],
        }),
    ]
}
