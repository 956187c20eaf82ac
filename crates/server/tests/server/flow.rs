//! What flow control shows to clients, and what a node answers through the API server.

use crate::harness::Server;
use serde_json::Value;

#[test]
fn every_answer_says_where_its_request_belongs() {
    let server = Server::start("flow");
    let schemas = server.get("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/exempt").json();
    let uid = schemas["metadata"]["uid"].as_str().expect("a uid").to_owned();
    for path in ["/version", "/api/v1/pods", "/api/v1/pods/none", "/openapi/v3", "/api/v1/nodes/none"] {
        let answer = server.get(path);
        assert!(answer.head.contains(&format!("x-kubernetes-pf-flowschema-uid: {uid}")), "{path}: {answer:?}");
        assert!(answer.head.contains("x-kubernetes-pf-prioritylevel-uid: "), "{path}: {answer:?}");
        assert!(answer.head.contains("audit-id: "), "{path}: {answer:?}");
    }
    let named = server.send("GET", "/version", &[("Audit-ID", "mine")], "");
    assert!(named.head.contains("audit-id: mine"), "{named:?}");
    let impersonated = server.send("GET", "/version", &[("Impersonate-User", "jane")], "");
    assert!(!impersonated.head.contains(&uid), "{impersonated:?}");

    let metrics = server.get("/metrics").body;
    let has = |line: &str| assert!(metrics.contains(line), "{line}\n{metrics}");
    has("apiserver_flowcontrol_nominal_limit_seats{priority_level=\"global-default\"} 49");
    has(
        "apiserver_flowcontrol_dispatched_requests_total{flow_schema=\"global-default\",priority_level=\"global-default\"} 1",
    );
    has(
        "apiserver_flowcontrol_dispatched_requests_total{flow_schema=\"kube-scheduler\",priority_level=\"workload-high\"}",
    );
    let levels = server.get("/debug/api_priority_and_fairness/dump_priority_levels").body;
    assert!(
        levels
            .starts_with("PriorityLevelName, ActiveQueues, IsIdle, IsQuiescing, WaitingRequests, ExecutingRequests\n")
    );
    assert!(
        levels.contains("\nworkload-low,      0,            true,   false,       0,               0\n"),
        "{levels}"
    );
}

#[test]
fn whoever_asks_too_much_at_once_is_told_to_come_back() {
    let server = Server::start("jail");
    let create = |resource: &str, body: &str| {
        let path = format!("/apis/flowcontrol.apiserver.k8s.io/v1/{resource}");
        let made = server.send("POST", &path, &[("Content-Type", "application/yaml")], body);
        assert_eq!(made.code, 201, "{made:?}");
    };
    create(
        "prioritylevelconfigurations",
        "{metadata: {name: jail}, spec: {type: Limited, limited: {nominalConcurrencyShares: 0, borrowingLimitPercent: 0, \
         limitResponse: {type: Queue, queuing: {queues: 1, handSize: 1, queueLengthLimit: 1}}}}}",
    );
    create(
        "flowschemas",
        "{metadata: {name: jail}, spec: {priorityLevelConfiguration: {name: jail}, matchingPrecedence: 10, rules: [\
         {subjects: [{kind: User, user: {name: jane}}], nonResourceRules: [{verbs: ['*'], nonResourceURLs: ['*']}]}]}}",
    );
    let refused = server.send("GET", "/version", &[("Impersonate-User", "jane")], "");
    assert_eq!((refused.code, refused.body.as_str()), (429, "Too many requests, please try again later.\n"));
    assert!(refused.head.contains("retry-after: 1\r\n"), "{refused:?}");
    assert!(refused.head.contains("x-kubernetes-pf-flowschema-uid: "), "{refused:?}");
    assert_eq!(server.send("GET", "/version", &[("Impersonate-User", "john")], "").code, 200);
}

#[test]
fn a_node_answers_for_its_kubelet() {
    let server = Server::start("node-proxy");
    server.until("/api/v1/nodes/node-1", |answer| answer.code == 200);
    assert_eq!(server.get("/api/v1/nodes/node-1/proxy/healthz").body, "ok");
    let pods = server.get("/api/v1/nodes/node-1/proxy/pods").json();
    assert_eq!(pods["kind"], "PodList");
    let summary: Value = server.get("/api/v1/nodes/node-1:10250/proxy/stats/summary").json();
    assert_eq!(summary["node"]["nodeName"], "node-1");
    assert!(summary["node"]["memory"]["usageBytes"].as_u64().is_some_and(|bytes| bytes > 0), "{summary}");
    let metrics = server.get("/api/v1/nodes/node-1/proxy/metrics");
    assert!(metrics.body.contains("kubelet_node_name{node=\"node-1\"} 1"), "{metrics:?}");
    assert_eq!(server.get("/api/v1/nodes/node-1/proxy/none").body, "404 page not found\n");
    let missing = server.get("/api/v1/nodes/node-9/proxy/pods");
    assert_eq!((missing.code, &missing.json()["message"]), (404, &"nodes \"node-9\" not found".into()));
}
