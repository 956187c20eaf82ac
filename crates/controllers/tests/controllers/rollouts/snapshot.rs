//! What a recording keeps of the cluster.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{NAMESPACE, Trace, text};

/// Events that an earlier snapshot has listed.
pub type Seen = BTreeSet<(String, String)>;

const DEPLOYMENT: &[&str] = &[
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "observedGeneration",
    "terminatingReplicas",
];
const STATEFUL_SET: &[&str] =
    &["replicas", "readyReplicas", "availableReplicas", "currentReplicas", "updatedReplicas", "observedGeneration"];
const DAEMON_SET: &[&str] = &[
    "desiredNumberScheduled",
    "currentNumberScheduled",
    "numberReady",
    "numberAvailable",
    "numberUnavailable",
    "updatedNumberScheduled",
    "numberMisscheduled",
    "observedGeneration",
];
const JOB: &[&str] = &["active", "ready", "succeeded", "failed", "terminating", "completedIndexes", "failedIndexes"];
const BUDGET: &[&str] =
    &["currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods", "observedGeneration"];

/// The status fields that are compared.
fn status_fields(resource: &str) -> &'static [&'static str] {
    match resource {
        "deployments" => DEPLOYMENT,
        "replicasets" => &["replicas", "readyReplicas", "availableReplicas", "fullyLabeledReplicas"],
        "statefulsets" => STATEFUL_SET,
        "daemonsets" => DAEMON_SET,
        "jobs" => JOB,
        "poddisruptionbudgets" => BUDGET,
        "horizontalpodautoscalers" => &["currentReplicas", "desiredReplicas"],
        "resourcequotas" => &["hard", "used"],
        "persistentvolumeclaims" => &["phase", "capacity", "accessModes"],
        "persistentvolumes" | "namespaces" => &["phase"],
        _ => &[],
    }
}

impl Trace<'_> {
    pub fn snapshot(&mut self) -> Value {
        let mut result = Map::new();
        for resource in self.case["watch"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let rows = match resource {
                "events" => self.events(),
                "endpointslices" => self.items(resource).iter().map(slice).collect(),
                "pods" => self.items(resource).iter().map(pod).collect(),
                _ => self.rows(resource),
            };
            result.insert(resource.into(), Value::Array(rows));
        }
        normalize(Value::Object(result))
    }

    fn rows(&mut self, resource: &str) -> Vec<Value> {
        let cluster = matches!(resource, "nodes" | "persistentvolumes" | "namespaces");
        let items = self.items(resource);
        let mine = items
            .iter()
            .filter(|item| !cluster || item["metadata"]["name"].as_str().is_some_and(|name| name.contains(NAMESPACE)));
        mine.map(|item| row(resource, item)).collect()
    }

    fn events(&mut self) -> Vec<Value> {
        let mut rows: Vec<Value> = Vec::new();
        for event in self.items("events") {
            if event["source"]["component"] == "default-scheduler" {
                continue;
            }
            let message = event["message"].as_str().unwrap_or_default();
            let key = if event["type"] == "Warning" {
                (event["reason"].to_string(), text::normal(message))
            } else {
                (event["metadata"]["name"].to_string(), event["count"].to_string())
            };
            if !self.seen.insert(key) {
                continue;
            }
            let row = json!({
                "object": event["involvedObject"]["kind"],
                "type": event["type"],
                "reason": event["reason"],
                "message": text::normal(message),
            });
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        rows
    }
}

fn row(resource: &str, item: &Value) -> Value {
    let (meta, spec, status) = (&item["metadata"], &item["spec"], &item["status"]);
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            row.insert(name.into(), value);
        }
    };
    put("name", meta["name"].clone());
    put("specReplicas", spec["replicas"].clone());
    for field in status_fields(resource) {
        put(field, status[*field].clone());
    }
    let conditions: Vec<Value> = status["conditions"].as_array().into_iter().flatten().map(condition).collect();
    let shown = |condition: &&Value| resource != "nodes" || condition["type"] == "Ready";
    let conditions: Vec<Value> = conditions.iter().filter(shown).cloned().collect();
    if !conditions.is_empty() {
        put("conditions", conditions.into());
    }
    if meta.get("deletionTimestamp").is_some() {
        put("terminating", true.into());
    }
    put("finalizers", meta["finalizers"].clone());
    if let Some(owners) = meta["ownerReferences"].as_array().filter(|owners| !owners.is_empty()) {
        let names = owners.iter().map(|owner| format!("{}/{}", plain(&owner["kind"]), plain(&owner["name"])));
        put("owner", names.collect());
    }
    put("revision", meta["annotations"]["deployment.kubernetes.io/revision"].clone());
    match resource {
        "replicasets" => put("image", spec["template"]["spec"]["containers"][0]["image"].clone()),
        "jobs" => put("suspend", spec["suspend"].as_bool().unwrap_or(false).into()),
        "controllerrevisions" => put("revision", item["revision"].clone()),
        "statefulsets" if !status["updateRevision"].is_null() => {
            put("updated", (status["currentRevision"] == status["updateRevision"]).into());
        }
        "nodes" => {
            let taints = spec["taints"].as_array().into_iter().flatten();
            put(
                "taints",
                taints.map(|taint| format!("{}:{}", plain(&taint["key"]), plain(&taint["effect"]))).collect(),
            );
        }
        "persistentvolumeclaims" => put("volumeName", spec["volumeName"].clone()),
        "persistentvolumes" => put("claim", spec["claimRef"]["name"].clone()),
        _ => {}
    }
    Value::Object(row)
}

/// Which of the reasons of an unfinished rollout is seen last depends on how syncs coalesce.
fn condition(condition: &Value) -> Value {
    let mut row = Map::new();
    for field in ["type", "status", "reason", "message"] {
        if !condition[field].is_null() {
            row.insert(field.into(), condition[field].clone());
        }
    }
    let reason = condition["reason"].as_str().unwrap_or_default();
    if matches!(reason, "NewReplicaSetCreated" | "FoundNewReplicaSet" | "ReplicaSetUpdated") {
        row.insert("reason".into(), "<progressing>".into());
        row.insert("message".into(), "<progressing>".into());
    }
    Value::Object(row)
}

fn pod(item: &Value) -> Value {
    let (meta, status) = (&item["metadata"], &item["status"]);
    let conditions = status["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ready = conditions.iter().any(|it| it["type"] == "Ready" && it["status"] == "True");
    let mut row = json!({
        "name": meta["name"],
        "image": item["spec"]["containers"][0]["image"],
        "phase": status["phase"],
        "ready": ready,
        "bound": item["spec"]["nodeName"].as_str().is_some_and(|node| !node.is_empty()),
        "owner": meta["ownerReferences"][0]["kind"],
    });
    if meta.get("deletionTimestamp").is_some() {
        row["terminating"] = true.into();
    }
    let index = &meta["annotations"]["batch.kubernetes.io/job-completion-index"];
    if !index.is_null() {
        row["index"] = index.clone();
    }
    if let Some(disruption) = conditions.iter().find(|it| it["type"] == "DisruptionTarget") {
        row["disruption"] = disruption["reason"].clone();
    }
    if let Some(finalizers) = meta.get("finalizers") {
        row["finalizers"] = finalizers.clone();
    }
    row
}

fn slice(item: &Value) -> Value {
    let ports = item["ports"].as_array().into_iter().flatten();
    let ports = ports.map(|port| json!({ "name": port["name"], "port": port["port"], "protocol": port["protocol"] }));
    let endpoints = item["endpoints"].as_array().into_iter().flatten();
    let endpoints = endpoints
        .map(|endpoint| json!({ "conditions": endpoint["conditions"], "target": endpoint["targetRef"]["kind"] }));
    json!({
        "service": item["metadata"]["labels"]["kubernetes.io/service-name"],
        "ports": ports.collect::<Vec<_>>(),
        "endpoints": endpoints.collect::<Vec<_>>(),
    })
}

fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn normalize(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text::normal(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(normalize).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, normalize(value))).collect())
        }
        other => other,
    }
}
