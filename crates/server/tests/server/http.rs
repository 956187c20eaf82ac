//! The server over a plain socket: what a client library sees.

use std::time::{Duration, Instant};

use crate::harness::Server;
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";
const YAML: (&str, &str) = ("Content-Type", "application/yaml");

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec:
  containers: [{ name: web, image: 'nginx:1.27' }]
";

#[test]
fn a_pod_is_created_watched_and_read() {
    let server = Server::start("pod");
    let nodes =
        server.until("/api/v1/nodes", |answer| answer.json()["items"].as_array().is_some_and(|all| all.len() == 2));
    let revision = nodes.json()["metadata"]["resourceVersion"].as_str().expect("a revision").to_owned();

    let account = "/api/v1/namespaces/default/serviceaccounts/default";
    server.until(account, |answer| answer.code == 200);
    let created = server.send("POST", PODS, &[YAML], POD);
    assert_eq!(created.code, 201, "{created:?}");
    server.until(&format!("{PODS}/web"), |answer| answer.json()["status"]["phase"] == "Running");

    let watch = format!("{PODS}?watch=1&resourceVersion={revision}&timeoutSeconds=1&allowWatchBookmarks=true");
    let events = server.get(&watch);
    let phases: Vec<Value> = events
        .body
        .lines()
        .map(|line| serde_json::from_str(line).expect("an event a line"))
        .map(|event: Value| json!([event["type"], event["object"]["status"]["phase"]]))
        .collect();
    assert_eq!(phases.first(), Some(&json!(["ADDED", "Pending"])), "{events:?}");
    assert_eq!(phases.last(), Some(&json!(["MODIFIED", "Running"])), "{events:?}");

    let logs = server.get(&format!("{PODS}/web/log?tailLines=1"));
    assert!(logs.head.contains("content-type: text/plain"), "{logs:?}");
    assert!(logs.body.contains("start worker process"), "{logs:?}");

    let accept = ("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io");
    let table = server.send("GET", PODS, &[accept], "").json();
    assert_eq!(table["rows"][0]["cells"][2], "Running");

    let deleted = server.send("DELETE", &format!("{PODS}/web"), &[], "");
    assert_eq!(deleted.json()["metadata"]["deletionGracePeriodSeconds"], 30);
    server.until(&format!("{PODS}/web"), |answer| answer.code == 404);
}

#[test]
fn discovery_health_and_refusals() {
    let server = Server::start("refusals");
    assert_eq!(server.get("/readyz").body, "ok");
    assert_eq!(server.get("/version").json()["minor"], "36");
    let apps = server.get("/apis/apps/v1").json();
    assert!(apps["resources"].as_array().expect("a list").iter().any(|one| one["name"] == "deployments/scale"));

    assert_eq!(server.get("/apis/none.example.com/v1").body, "404 page not found\n");
    assert_eq!(server.send("POST", PODS, &[("Content-Type", "text/plain")], POD).code, 415);
    assert_eq!(server.get(&format!("{PODS}/none/exec?command=ls")).code, 400);
    let warned = server.send(
        "POST",
        "/api/v1/namespaces/default/configmaps",
        &[YAML],
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, other: 1}",
    );
    assert!(warned.head.contains("warning: 299 - \"unknown field \\\"other\\\"\""), "{warned:?}");
}

#[test]
fn it_stops_when_asked() {
    let mut server = Server::start("stop");
    let started = Instant::now();
    let pid = server.process().id().to_string();
    let sent = std::process::Command::new("kill").arg(pid).status().expect("kill runs");
    assert!(sent.success());
    let code = server.process().wait().expect("the server ends");
    assert!(code.success(), "{code}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// A Namespace of which only the name is set, as client-go writes it.
const NAMESPACE: &str = "k8s\0\n\x0f\n\x02v1\x12\x09Namespace\x12\x1b\n\x13\n\x03dev\x12\0\x1a\0\"\0*\x002\08\0B\0\x12\0\x1a\x02\n\0\x1a\0\"\0";

#[test]
fn typed_go_clients_speak_protobuf() {
    let server = Server::start("protobuf");
    let both = ("Accept", "application/vnd.kubernetes.protobuf,application/json");
    let created = server.send("POST", "/api/v1/namespaces", &[("Content-Type", PROTOBUF), both], NAMESPACE);
    assert_eq!(created.code, 201, "{created:?}");
    assert!(created.head.contains("content-type: application/vnd.kubernetes.protobuf\r\n"), "{created:?}");
    assert!(created.body.starts_with("k8s\0") && created.body.contains("dev"), "{created:?}");
    assert_eq!(server.get("/api/v1/namespaces/dev").json()["spec"]["finalizers"], json!(["kubernetes"]));

    let again = server.send("POST", "/api/v1/namespaces", &[("Content-Type", PROTOBUF)], NAMESPACE);
    assert_eq!((again.code, &again.json()["reason"]), (409, &json!("AlreadyExists")));
    let broken = server.send("POST", "/api/v1/namespaces", &[("Content-Type", PROTOBUF)], "k8s\0\n\x0f");
    assert_eq!(broken.code, 400, "{broken:?}");
    let watch = server.send("GET", "/api/v1/namespaces?watch=1&timeoutSeconds=1", &[both], "");
    assert!(watch.head.contains("application/vnd.kubernetes.protobuf;stream=watch"), "{watch:?}");
    assert!(watch.body.contains("ADDED") && watch.body.contains("k8s\0"), "{watch:?}");
}

#[test]
fn bad_bodies_are_refused_and_harm_nobody() {
    let server = Server::start("bodies");
    let maps = "/api/v1/namespaces/default/configmaps";
    let post = |body: &str| server.send("POST", maps, &[], body).code;
    assert_eq!(post("{\"kind\": \"ConfigMap\", "), 400);
    assert_eq!(post(&"[".repeat(100_000)), 400);
    assert_eq!(post(&format!("{{\"data\": {{\"a\": \"{}\"}}}}", "a".repeat(3 << 20))), 413);
    let message = server.send("POST", maps, &[], &" ".repeat((3 << 20) + 1)).json()["message"].clone();
    assert_eq!(message, "Request entity too large: limit is 3145728");
    assert_eq!(post("{\"metadata\": {\"name\": \"a\"}}"), 201);
}

#[test]
fn large_answers_are_compressed_on_request() {
    let server = Server::start("gzip");
    let gzip = ("Accept-Encoding", "gzip");
    assert!(server.send("GET", "/openapi/v2", &[gzip], "").head.contains("content-encoding: gzip"));
    assert!(!server.send("GET", "/version", &[gzip], "").head.contains("content-encoding"));
}

#[test]
fn openapi_tells_how_to_patch() {
    let server = Server::start("openapi");
    let index = server.get("/openapi/v3").json();
    let link = index["paths"]["apis/apps/v1"]["serverRelativeURL"].as_str().expect("a link").to_owned();
    assert!(link.starts_with("/openapi/v3/apis/apps/v1?hash="), "{link}");
    let answer = server.get(&link);
    assert!(answer.head.contains("etag: "), "{}", answer.head);
    let schemas = &answer.json()["components"]["schemas"];
    let containers = &schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"];
    assert_eq!(containers["x-kubernetes-patch-merge-key"], "name");
    assert_eq!(containers["x-kubernetes-list-type"], "map");
    let gvk = &schemas["io.k8s.api.apps.v1.Deployment"]["x-kubernetes-group-version-kind"][0];
    assert_eq!(gvk, &json!({ "group": "apps", "kind": "Deployment", "version": "v1" }));
    assert_eq!(server.get("/openapi/v3/apis/none.example.com/v1").code, 404);
}

#[test]
fn it_tells_of_its_health_and_load() {
    let server = Server::start("health");
    assert_eq!(server.get("/livez/etcd").body, "ok");
    assert!(server.get("/readyz?verbose").body.ends_with("[+]shutdown ok\nreadyz check passed\n"));
    server.get("/api/v1/namespaces/default/pods");
    let metrics = server.get("/metrics").body;
    let line = "apiserver_request_total{code=\"200\",component=\"apiserver\",dry_run=\"\",group=\"\",resource=\"pods\",\
                scope=\"namespace\",subresource=\"\",verb=\"LIST\",version=\"v1\"} 1\n";
    assert!(metrics.contains(line), "{metrics}");
}

#[test]
fn pods_and_services_are_asked_through_the_proxy() {
    let server = Server::start("proxy");
    server.until("/api/v1/namespaces/default/serviceaccounts/default", |answer| answer.code == 200);
    assert_eq!(server.send("POST", PODS, &[YAML], POD).code, 201);
    server.until(&format!("{PODS}/web"), |answer| answer.json()["status"]["phase"] == "Running");
    let page = server.get(&format!("{PODS}/web:80/proxy/"));
    assert!(page.code == 200 && page.body.contains("Welcome to nginx"), "{page:?}");
    assert_eq!(server.get(&format!("{PODS}/web:81/proxy/")).code, 503);
    let services = "/api/v1/namespaces/default/services";
    let service =
        "{metadata: {name: web}, spec: {selector: {app: web}, ports: [{name: http, port: 8080, targetPort: 80}]}}";
    assert_eq!(server.send("POST", services, &[YAML], service).code, 201);
    let path = format!("{services}/web:http/proxy/");
    assert!(server.until(&path, |answer| answer.code == 200).body.contains("Welcome to nginx"));
}

#[test]
fn administrators_act_as_others() {
    let server = Server::start("impersonation");
    let jane = ("Impersonate-User", "jane");
    let groups = ("Impersonate-Group", "system:masters");
    assert_eq!(server.send("GET", "/api/v1/namespaces", &[groups], "").code, 500);
    assert_eq!(server.send("GET", "/api/v1/namespaces", &[("Impersonate-User", "system:anonymous")], "").code, 403);
    let maps = "/api/v1/namespaces/default/configmaps";
    assert_eq!(server.send("POST", maps, &[YAML, jane, groups], "metadata: {name: hers}").code, 201);
}
