//! API Priority and Fairness, as clients over HTTP meet it.

use api::time::{MILLISECOND, SECOND};
use api::{CauseId, User};
use apiserver::authentication::{Credentials, Entry};
use apiserver::flow_control::FlowControl;
use apiserver::route::{self, HttpRequest, Route};
use apiserver::{ApiServer, Context};
use serde_json::{Value, json};

const FLOW_CONTROL: &str = "/apis/flowcontrol.apiserver.k8s.io/v1";

struct Cluster {
    server: ApiServer,
}

impl Cluster {
    fn new() -> Cluster {
        Cluster { server: ApiServer::new(1) }
    }

    /// A request that takes a millisecond comes in; it is not answered before `self.server.answered()`.
    fn enter(&mut self, user: &User, method: &str, path: &str) -> Entry {
        let credentials = Credentials { user: Some(user), ..Credentials::default() };
        let http = HttpRequest { method, path, credentials, ..HttpRequest::default() };
        self.server.enter(SECOND, MILLISECOND, &http)
    }

    /// The names of the schema and the level that a request belongs to.
    fn flow(&mut self, user: &User, method: &str, path: &str) -> [String; 2] {
        let entry = self.enter(user, method, path);
        self.server.answered();
        let Some(flow) = entry.marks.flow else { return [String::new(), String::new()] };
        let control = self.server.flow_control();
        let schema = control.schemas().iter().find(|schema| schema.uid == flow.schema_uid).unwrap();
        let level = control.levels().iter().find(|level| level.uid == flow.level_uid).unwrap();
        [schema.name.clone(), level.name.clone()]
    }

    fn ask(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let admin = User::admin();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let credentials = Credentials { user: Some(&admin), ..Credentials::default() };
        let http = HttpRequest { method, path, body: &body, credentials, ..HttpRequest::default() };
        let caller = self.server.enter(SECOND, MILLISECOND, &http).caller.unwrap();
        self.server.answered();
        let Ok(Route::Resource(resource, request)) = route::parse(&self.server.kinds(), &http) else {
            panic!("{path} names a resource")
        };
        let context = Context::new(SECOND, caller, CauseId::default());
        let result = self.server.handle_authorized(&context, *request);
        let answer = route::answer(&resource, result, false, Vec::new(), SECOND);
        (answer.code, serde_json::from_str(&answer.body).unwrap())
    }

    /// A level of its own for one user.
    fn confine(&mut self, name: &str, shares: u64, response: Value) -> User {
        let limited =
            json!({ "nominalConcurrencyShares": shares, "borrowingLimitPercent": 0, "limitResponse": response });
        let level = json!({ "metadata": { "name": name }, "spec": { "type": "Limited", "limited": limited } });
        let (code, answer) = self.ask("POST", &format!("{FLOW_CONTROL}/prioritylevelconfigurations"), level);
        assert_eq!(code, 201, "{answer}");
        let (code, answer) = self.ask("POST", &format!("{FLOW_CONTROL}/flowschemas"), schema(name, name));
        assert_eq!(code, 201, "{answer}");
        User::new(name, &["system:authenticated"])
    }
}

fn schema(name: &str, level: &str) -> Value {
    let everything = json!([{
        "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": true,
    }]);
    json!({
        "metadata": { "name": name },
        "spec": {
            "priorityLevelConfiguration": { "name": level },
            "matchingPrecedence": 300,
            "distinguisherMethod": { "type": "ByUser" },
            "rules": [{ "subjects": [{ "kind": "User", "user": { "name": name } }], "resourceRules": everything }],
        },
    })
}

#[test]
fn requests_belong_to_the_first_schema_that_matches() {
    let mut cluster = Cluster::new();
    let node = User::new("system:node:a", &["system:nodes", "system:authenticated"]);
    let account = |namespace: &str| {
        let groups = ["system:serviceaccounts", "system:authenticated"];
        User::new(&format!("system:serviceaccount:{namespace}:web"), &groups)
    };
    let jane = User::new("jane", &["system:authenticated"]);
    let pods = "/api/v1/namespaces/default/pods";
    let lease = "/apis/coordination.k8s.io/v1/namespaces/default/leases/a";
    let cases = [
        (User::admin(), "GET", pods, ["exempt", "exempt"]),
        (jane.clone(), "GET", "/readyz", ["probes", "exempt"]),
        (jane.clone(), "GET", "/version", ["global-default", "global-default"]),
        (jane.clone(), "GET", pods, ["global-default", "global-default"]),
        (node.clone(), "PATCH", "/api/v1/nodes/a/status", ["system-node-high", "node-high"]),
        (node.clone(), "PUT", lease, ["system-node-high", "node-high"]),
        (node, "GET", pods, ["system-nodes", "system"]),
        (User::new("system:kube-scheduler", &[]), "GET", pods, ["kube-scheduler", "workload-high"]),
        (account("kube-system"), "GET", lease, ["workload-leader-election", "leader-election"]),
        (account("kube-system"), "GET", pods, ["kube-system-service-accounts", "workload-high"]),
        (account("default"), "GET", pods, ["service-accounts", "workload-low"]),
    ];
    for (user, method, path, expected) in cases {
        assert_eq!(cluster.flow(&user, method, path), expected, "{} {method} {path}", user.name);
    }
    // What goes on for as long as its client likes is nobody's concern, but for the beginning of a watch.
    assert_eq!(cluster.flow(&jane, "GET", &format!("{pods}/web/exec?command=ls")), ["", ""]);
    assert_eq!(cluster.flow(&jane, "GET", &format!("{pods}?watch=1"))[0], "global-default");
}

#[test]
fn seats_are_those_of_a_real_cluster() {
    let cluster = Cluster::new();
    let control: &FlowControl = cluster.server.flow_control();
    let limits: Vec<(&str, u64, u64)> = control
        .levels()
        .iter()
        .map(|level| (level.name.as_str(), level.limits().nominal, level.limits().lower))
        .collect();
    let expected = [
        ("catch-all", 13, 13),
        ("exempt", 0, 0),
        ("global-default", 49, 24),
        ("leader-election", 25, 25),
        ("node-high", 98, 73),
        ("system", 74, 50),
        ("workload-high", 98, 49),
        ("workload-low", 245, 24),
    ];
    assert_eq!(limits, expected);
}

#[test]
fn those_who_ask_together_share_the_seats_of_their_level() {
    let mut cluster = Cluster::new();
    let user = cluster.confine("batch", 1, json!({ "type": "Reject" }));
    let pods = "/api/v1/namespaces/default/pods";
    let seats = cluster.server.flow_control().levels().iter().find(|level| level.name == "batch").unwrap();
    let seats = seats.limits().nominal;
    let refused = |entry: Entry| entry.caller.err().filter(|answer| answer.code == 429);
    for _ in 0..seats {
        assert!(refused(cluster.enter(&user, "GET", pods)).is_none());
    }
    let entry = cluster.enter(&user, "GET", pods);
    assert!(entry.marks.flow.is_some(), "a refusal says whose it is");
    let answer = refused(entry).expect("one too many");
    assert_eq!((answer.retry_after, answer.body.as_str()), (1, "Too many requests, please try again later.\n"));
    cluster.server.answered();
    assert!(refused(cluster.enter(&user, "GET", pods)).is_none(), "they have been answered");
    let schema = cluster.server.flow_control().schemas().iter().find(|schema| schema.name == "batch").unwrap();
    assert_eq!((schema.counts.dispatched, schema.counts.rejected), (seats + 1, [0, 1, 0]));
}

#[test]
fn a_level_without_seats_is_a_jail() {
    let mut cluster = Cluster::new();
    let queuing = json!({ "queues": 1, "handSize": 1, "queueLengthLimit": 10 });
    let user = cluster.confine("jail", 0, json!({ "type": "Queue", "queuing": queuing }));
    let answer = cluster.enter(&user, "GET", "/api/v1/pods").caller.expect_err("nobody gets out");
    assert_eq!(answer.code, 429);
}

#[test]
fn schemas_say_whether_their_level_exists() {
    let mut cluster = Cluster::new();
    let schemas = format!("{FLOW_CONTROL}/flowschemas");
    cluster.ask("POST", &schemas, schema("lost", "nowhere"));
    let condition = |cluster: &mut Cluster| {
        cluster.ask("GET", &format!("{FLOW_CONTROL}/flowschemas/lost"), Value::Null).1["status"]["conditions"][0]
            .clone()
    };
    let found = condition(&mut cluster);
    assert_eq!(
        (&found["type"], &found["status"], &found["reason"]),
        (&json!("Dangling"), &json!("True"), &json!("NotFound"))
    );
    let text = "This FlowSchema references the PriorityLevelConfiguration object named \"nowhere\" but there is no such object";
    assert_eq!(found["message"], text);
    let lost = User::new("lost", &["system:authenticated"]);
    assert_eq!(cluster.flow(&lost, "GET", "/api/v1/pods")[0], "global-default", "such a schema is passed over");

    let levels = format!("{FLOW_CONTROL}/prioritylevelconfigurations");
    let limited = json!({ "limitResponse": { "type": "Reject" } });
    cluster.ask(
        "POST",
        &levels,
        json!({ "metadata": { "name": "nowhere" }, "spec": { "type": "Limited", "limited": limited } }),
    );
    assert_eq!(condition(&mut cluster)["status"], "False");
    assert_eq!(cluster.flow(&lost, "GET", "/api/v1/pods"), ["lost", "nowhere"]);

    cluster.ask("DELETE", &format!("{levels}/workload-low"), Value::Null);
    assert_eq!(cluster.ask("GET", &format!("{levels}/workload-low"), Value::Null).0, 200, "it is made again");
}

#[test]
fn configuration_is_checked() {
    let mut cluster = Cluster::new();
    let mut messages = |path: &str, body: Value| {
        let (code, answer) = cluster.ask("POST", &format!("{FLOW_CONTROL}/{path}"), body);
        assert_eq!(code, 422, "{answer}");
        let causes = answer["details"]["causes"].as_array().unwrap().clone();
        causes.iter().map(|cause| format!("{}: {}", cause["field"], cause["message"])).collect::<Vec<_>>().join("\n")
    };
    let queuing = json!({ "queues": 4, "handSize": 5, "queueLengthLimit": 0 });
    let limited = json!({ "nominalConcurrencyShares": -1, "lendablePercent": 101, "limitResponse": { "type": "Queue", "queuing": queuing } });
    let found = messages(
        "prioritylevelconfigurations",
        json!({ "metadata": { "name": "a" }, "spec": { "type": "Limited", "limited": limited } }),
    );
    expect_test::expect![[r#"
        "spec.limited.nominalConcurrencyShares": "Invalid value: -1: must be a non-negative integer"
        "spec.limited.lendablePercent": "Invalid value: 101: must be between 0 and 100, inclusive"
        "spec.limited.limitResponse.queuing.queueLengthLimit": "Invalid value: 0: must be positive"
        "spec.limited.limitResponse.queuing.handSize": "Invalid value: 5: should not be greater than queues (4)""#]]
    .assert_eq(&found);
    let rule = json!({
        "subjects": [{ "kind": "ServiceAccount", "serviceAccount": { "name": "a" } }],
        "resourceRules": [{ "verbs": ["*", "get"], "apiGroups": ["*"], "resources": [] }],
        "nonResourceRules": [{ "verbs": ["get"], "nonResourceURLs": ["a", "/b*"] }],
    });
    let spec = json!({ "priorityLevelConfiguration": { "name": "system" }, "rules": [rule] });
    let found = messages("flowschemas", json!({ "metadata": { "name": "a" }, "spec": spec }));
    expect_test::expect![[r#"
        "spec.rules[0].subjects[0].serviceAccount.namespace": "Required value: must specify namespace for service account"
        "spec.rules[0].resourceRules[0].verbs": "Invalid value: [\"*\",\"get\"]: if '*' is present, must not specify other verbs"
        "spec.rules[0].resourceRules[0].resources": "Required value: resource rules must supply at least one resource"
        "spec.rules[0].resourceRules[0].namespaces": "Required value: resource rules that are not cluster scoped must supply at least one namespace"
        "spec.rules[0].nonResourceRules[0].nonResourceURLs[0]": "Invalid value: \"a\": must start with slash"
        "spec.rules[0].nonResourceRules[0].nonResourceURLs[1]": "Invalid value: \"/b*\": wildcard can only do suffix matching""#]]
    .assert_eq(&found);
}
