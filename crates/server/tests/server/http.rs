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
