//! The objects with which every cluster begins. Upstream: `apiserver/pkg/apis/flowcontrol/bootstrap`.

use api::{SimTime, time};
use serde_json::{Value, json};

use super::settle::dangling;

pub(super) const API_VERSION: &str = "flowcontrol.apiserver.k8s.io/v1";

/// How many there are, of which one flow gets so many, and their length.
type Queues = (i64, i64, i64);

/// Names, shares, what they lend in percent, and their queues.
const LEVELS: [(&str, i64, i64, Option<Queues>); 7] = [
    ("catch-all", 5, 0, None),
    ("global-default", 20, 50, Some((128, 6, 50))),
    ("leader-election", 10, 0, Some((16, 4, 50))),
    ("node-high", 40, 25, Some((64, 6, 50))),
    ("system", 30, 33, Some((64, 6, 50))),
    ("workload-high", 40, 50, Some((128, 6, 50))),
    ("workload-low", 100, 90, Some((128, 6, 50))),
];

/// The objects with which every cluster begins.
pub(crate) fn bootstrap(now: SimTime) -> Vec<Value> {
    let object = |kind: &str, name: &str, spec: Value| {
        json!({
            "apiVersion": API_VERSION,
            "kind": kind,
            "metadata": {
                "name": name,
                "generation": 1,
                "annotations": { "apf.kubernetes.io/autoupdate-spec": "true" },
            },
            "spec": spec,
            "status": {},
        })
    };
    let mut objects = vec![object(
        "PriorityLevelConfiguration",
        "exempt",
        json!({ "type": "Exempt", "exempt": { "nominalConcurrencyShares": 0, "lendablePercent": 0 } }),
    )];
    for (name, shares, lends, queues) in LEVELS {
        let response = match queues {
            None => json!({ "type": "Reject" }),
            Some((queues, hand, length)) => json!({
                "type": "Queue",
                "queuing": { "queues": queues, "handSize": hand, "queueLengthLimit": length },
            }),
        };
        let limited =
            json!({ "nominalConcurrencyShares": shares, "lendablePercent": lends, "limitResponse": response });
        objects.push(object("PriorityLevelConfiguration", name, json!({ "type": "Limited", "limited": limited })));
    }
    for schema in SCHEMAS {
        let mut spec = json!({
            "priorityLevelConfiguration": { "name": schema.level },
            "matchingPrecedence": schema.precedence,
            "rules": [schema.rule()],
        });
        if !schema.distinguishes.is_empty() {
            spec["distinguisherMethod"] = json!({ "type": schema.distinguishes });
        }
        let mut object = object("FlowSchema", schema.name, spec);
        let mut condition = dangling(schema.level, true);
        condition["lastTransitionTime"] = json!(time::stamp(now));
        object["status"] = json!({ "conditions": [condition] });
        objects.push(object);
    }
    objects
}

struct Schema {
    name: &'static str,
    level: &'static str,
    precedence: i64,
    distinguishes: &'static str,
    /// `group NAME`, `user NAME`, `account NAMESPACE NAME`
    subjects: &'static [&'static str],
    about: About,
}

enum About {
    Everything,
    Paths(&'static [&'static str]),
    Resources(&'static [Resources]),
}

struct Resources {
    verbs: &'static [&'static str],
    group: &'static str,
    resources: &'static [&'static str],
    namespace: &'static str,
    cluster_scope: bool,
}

const fn resources(group: &'static str, resources: &'static [&'static str], namespace: &'static str) -> Resources {
    Resources { verbs: &["get", "create", "update"], group, resources, namespace, cluster_scope: false }
}

const NODES: &[Resources] = &[
    Resources { verbs: &["*"], cluster_scope: true, ..resources("", &["nodes", "nodes/status"], "*") },
    Resources { verbs: &["*"], ..resources("coordination.k8s.io", &["leases"], "*") },
];

const EVERYBODY: &[&str] = &["group system:unauthenticated", "group system:authenticated"];

const fn schema(
    name: &'static str,
    level: &'static str,
    precedence: i64,
    distinguishes: &'static str,
    subjects: &'static [&'static str],
    about: About,
) -> Schema {
    Schema { name, level, precedence, distinguishes, subjects, about }
}

static SCHEMAS: &[Schema] = &[
    schema("exempt", "exempt", 1, "", &["group system:masters"], About::Everything),
    schema("probes", "exempt", 2, "", EVERYBODY, About::Paths(&["/healthz", "/readyz", "/livez"])),
    schema(
        "system-leader-election",
        "leader-election",
        100,
        "ByUser",
        &["user system:kube-controller-manager", "user system:kube-scheduler", "account kube-system *"],
        About::Resources(&[resources("coordination.k8s.io", &["leases"], "kube-system")]),
    ),
    schema(
        "endpoint-controller",
        "workload-high",
        150,
        "ByUser",
        &[
            "user system:kube-controller-manager",
            "account kube-system endpoint-controller",
            "account kube-system endpointslicemirroring-controller",
        ],
        About::Resources(&[resources("", &["endpoints"], "*")]),
    ),
    schema(
        "workload-leader-election",
        "leader-election",
        200,
        "ByUser",
        &["account kube-system *"],
        About::Resources(&[resources("coordination.k8s.io", &["leases"], "*")]),
    ),
    schema("system-node-high", "node-high", 400, "ByUser", &["group system:nodes"], About::Resources(NODES)),
    schema("system-nodes", "system", 500, "ByUser", &["group system:nodes"], About::Everything),
    schema(
        "kube-controller-manager",
        "workload-high",
        800,
        "ByNamespace",
        &["user system:kube-controller-manager"],
        About::Everything,
    ),
    schema("kube-scheduler", "workload-high", 800, "ByNamespace", &["user system:kube-scheduler"], About::Everything),
    schema(
        "kube-system-service-accounts",
        "workload-high",
        900,
        "ByNamespace",
        &["account kube-system *"],
        About::Everything,
    ),
    schema("service-accounts", "workload-low", 9000, "ByUser", &["group system:serviceaccounts"], About::Everything),
    schema("global-default", "global-default", 9900, "ByUser", EVERYBODY, About::Everything),
    schema("catch-all", "catch-all", 10_000, "ByUser", EVERYBODY, About::Everything),
];

impl Schema {
    fn rule(&self) -> Value {
        let subjects: Vec<Value> = self.subjects.iter().map(|text| subject(text)).collect();
        let mut rule = json!({ "subjects": subjects });
        let all = || json!(["*"]);
        match self.about {
            About::Everything => {
                rule["resourceRules"] = json!([{
                    "verbs": all(), "apiGroups": all(), "resources": all(), "clusterScope": true, "namespaces": all(),
                }]);
                rule["nonResourceRules"] = json!([{ "verbs": all(), "nonResourceURLs": all() }]);
            }
            About::Paths(paths) => rule["nonResourceRules"] = json!([{ "verbs": ["get"], "nonResourceURLs": paths }]),
            About::Resources(resources) => rule["resourceRules"] = resources.iter().map(Resources::rule).collect(),
        }
        rule
    }
}

impl Resources {
    fn rule(&self) -> Value {
        let Resources { verbs, group, resources, namespace, cluster_scope } = self;
        let mut rule =
            json!({ "verbs": verbs, "apiGroups": [group], "resources": resources, "namespaces": [namespace] });
        if *cluster_scope {
            rule["clusterScope"] = true.into();
        }
        rule
    }
}

fn subject(text: &str) -> Value {
    match text.split(' ').collect::<Vec<_>>().as_slice() {
        ["user", name] => json!({ "kind": "User", "user": { "name": name } }),
        ["group", name] => json!({ "kind": "Group", "group": { "name": name } }),
        ["account", namespace, name] => {
            json!({ "kind": "ServiceAccount", "serviceAccount": { "namespace": namespace, "name": name } })
        }
        _ => Value::Null,
    }
}
