//! FlowSchema and PriorityLevelConfiguration, and those with which every cluster begins. Upstream:
//! `pkg/apis/flowcontrol`.
//!
//! Differs: they are kept and not applied; no request waits.

use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::time;
use serde_json::{Value, json};

use super::admission_rules::{default_field, items, one_of, text};
use crate::strategy::TreeStrategy;

const GROUP: &str = "flowcontrol.apiserver.k8s.io";
const PRECEDENCE_MAX: i64 = 10_000;

pub(super) struct FlowSchema;
pub(super) struct PriorityLevelConfiguration;

impl TreeStrategy for FlowSchema {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "FlowSchema";
    const HAS_STATUS: bool = true;
    const HAS_GENERATION: bool = true;

    fn default(object: &mut Tree) {
        if let Some(spec) = object.fields_mut().get_mut("spec").and_then(Value::as_object_mut) {
            default_field(spec, "matchingPrecedence", json!(1000));
        }
    }

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let (spec, path) = (object.get("spec").unwrap_or(&Value::Null), Path::new("spec"));
        let precedence = spec.get("matchingPrecedence").and_then(Value::as_i64).unwrap_or(0);
        let at = path.child("matchingPrecedence");
        if precedence <= 0 {
            errors.push(Error::invalid(&at, precedence, "must be a positive value"));
        }
        if precedence > PRECEDENCE_MAX {
            errors.push(Error::invalid(&at, precedence, format!("must not be greater than {PRECEDENCE_MAX}")));
        }
        if precedence == 1 && api::Object::meta(object).name.as_deref() != Some("exempt") {
            errors.push(Error::invalid(
                &at,
                precedence,
                "only the schema named 'exempt' may have matchingPrecedence 1",
            ));
        }
        if let Some(method) = spec.get("distinguisherMethod").filter(|method| !method.is_null()) {
            one_of(method, "type", &["ByNamespace", "ByUser"], &path.child("distinguisherMethod"), &mut errors);
        }
        let level = path.child("priorityLevelConfiguration");
        if object.text("/spec/priorityLevelConfiguration/name").is_empty() {
            errors.push(Error::required(&level.child("name"), "must reference a priority level"));
        }
        let rules = path.child("rules");
        for (index, rule) in items(spec, "rules").iter().enumerate() {
            let path = rules.index(index);
            let subjects = path.child("subjects");
            if items(rule, "subjects").is_empty() {
                errors.push(Error::required(&subjects, "subjects must contain at least one value"));
            }
            for (at, subject) in items(rule, "subjects").iter().enumerate() {
                one_of(subject, "kind", &["Group", "ServiceAccount", "User"], &subjects.index(at), &mut errors);
            }
            if items(rule, "resourceRules").is_empty() && items(rule, "nonResourceRules").is_empty() {
                errors.push(Error::required(
                    &path,
                    "at least one of resourceRules and nonResourceRules has to be non-empty",
                ));
            }
        }
        errors
    }
}

impl TreeStrategy for PriorityLevelConfiguration {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "PriorityLevelConfiguration";
    const HAS_STATUS: bool = true;
    const HAS_GENERATION: bool = true;

    fn default(object: &mut Tree) {
        let Some(spec) = object.fields_mut().get_mut("spec").and_then(Value::as_object_mut) else { return };
        if let Some(exempt) = spec.get_mut("exempt").and_then(Value::as_object_mut) {
            default_field(exempt, "nominalConcurrencyShares", json!(0));
            default_field(exempt, "lendablePercent", json!(0));
        }
        let Some(limited) = spec.get_mut("limited").and_then(Value::as_object_mut) else { return };
        default_field(limited, "nominalConcurrencyShares", json!(30));
        default_field(limited, "lendablePercent", json!(0));
        let queuing = limited.get_mut("limitResponse").and_then(|response| response.get_mut("queuing"));
        if let Some(queuing) = queuing.and_then(Value::as_object_mut) {
            default_field(queuing, "handSize", json!(8));
            default_field(queuing, "queues", json!(64));
            default_field(queuing, "queueLengthLimit", json!(50));
        }
    }

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let (spec, path) = (object.get("spec").unwrap_or(&Value::Null), Path::new("spec"));
        let is_set = |field: &str| spec.get(field).is_some_and(|value| !value.is_null());
        match text(spec, "type") {
            "Exempt" if is_set("limited") => {
                errors.push(Error::forbidden(&path.child("limited"), "must be nil if the type is not Limited"));
            }
            "Limited" if !is_set("limited") => {
                errors.push(Error::required(&path.child("limited"), "must not be empty when type is Limited"))
            }
            "Limited" if is_set("exempt") => {
                errors.push(Error::forbidden(&path.child("exempt"), "must be nil if the type is Limited"));
            }
            "Exempt" | "Limited" => {}
            other => errors.push(Error::not_supported(&path.child("type"), other, &["Exempt", "Limited"])),
        }
        errors
    }
}

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
pub(crate) fn bootstrap() -> Vec<Value> {
    let object = |kind: &str, name: &str, spec: Value| {
        json!({
            "apiVersion": format!("{GROUP}/v1"),
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
        object["status"] = json!({ "conditions": [{
            "type": "Dangling",
            "status": "False",
            "lastTransitionTime": time::stamp(0),
            "reason": "Found",
            "message": format!(
                "This FlowSchema references the PriorityLevelConfiguration object named {:?} and it exists",
                schema.level
            ),
        }] });
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
    /// Verbs, group, resources, namespace; an empty namespace is the cluster's scope.
    Resources(&'static [&'static str], &'static str, &'static [&'static str], &'static str),
}

const EVERYBODY: &[&str] = &["group system:unauthenticated", "group system:authenticated"];
const ELECTS: &[&str] = &["get", "create", "update"];

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
        About::Resources(ELECTS, "coordination.k8s.io", &["leases"], "kube-system"),
    ),
    schema(
        "endpoint-controller",
        "workload-high",
        150,
        "ByUser",
        &["user system:kube-controller-manager", "account kube-system endpoint-controller"],
        About::Resources(ELECTS, "", &["endpoints"], "*"),
    ),
    schema(
        "workload-leader-election",
        "leader-election",
        200,
        "ByUser",
        &["account kube-system *"],
        About::Resources(ELECTS, "coordination.k8s.io", &["leases"], "*"),
    ),
    schema(
        "system-node-high",
        "node-high",
        400,
        "ByUser",
        &["group system:nodes"],
        About::Resources(&["*"], "", &["nodes", "nodes/status"], ""),
    ),
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
            About::Resources(verbs, group, resources, namespace) => {
                let mut one = json!({ "verbs": verbs, "apiGroups": [group], "resources": resources });
                match namespace {
                    "" => one["clusterScope"] = true.into(),
                    namespace => one["namespaces"] = json!([namespace]),
                }
                rule["resourceRules"] = json!([one]);
            }
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
