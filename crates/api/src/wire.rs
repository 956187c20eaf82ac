//! Objects as Go's encoder writes them: the server's answers, and what kubectl prints.

use serde_json::{Map, Value, json};

use crate::object::Object;

/// An object as JSON, with the fields that Go writes though they hold nothing.
pub fn form(object: &dyn Object) -> Value {
    let mut value = object.to_value();
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    match kind.as_str() {
        "Event" if value["apiVersion"] == "events.k8s.io/v1" => {
            nulls(&mut value, &["eventTime", "deprecatedFirstTimestamp", "deprecatedLastTimestamp"]);
        }
        "Event" => nulls(&mut value, &["eventTime", "firstTimestamp", "lastTimestamp"]),
        "HorizontalPodAutoscaler" if value["apiVersion"] == "autoscaling/v2" => {
            if let Some(status) = value.get_mut("status") {
                nulls(status, &["currentMetrics"]);
            }
            conditions(&mut value, &["lastTransitionTime"]);
        }
        "LimitRange" => {
            if let Some(limits) = value.pointer_mut("/spec/limits").filter(|limits| **limits == json!([])) {
                *limits = Value::Null;
            }
        }
        "Pod" => {
            let Some(status) = value.get_mut("status") else { return value };
            for list in ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] {
                for container in items(status, list) {
                    container_states(container);
                }
            }
            conditions(&mut value, &["lastProbeTime", "lastTransitionTime"]);
        }
        "Node" => conditions(&mut value, &["lastHeartbeatTime", "lastTransitionTime"]),
        "PodDisruptionBudget" => {
            if let Some(status) = value.get_mut("status").and_then(Value::as_object_mut) {
                for count in ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] {
                    status.entry(count).or_insert_with(|| 0.into());
                }
            }
        }
        "PersistentVolumeClaim" => {
            conditions(&mut value, &["lastProbeTime", "lastTransitionTime"]);
            for source in ["/spec/dataSource", "/spec/dataSourceRef"] {
                if let Some(source) = value.pointer_mut(source) {
                    nulls(source, &["apiGroup"]);
                }
            }
        }
        "Role" | "ClusterRole" => nulls(&mut value, &["rules"]),
        "TokenRequest" => {
            if let Some(spec) = value.get_mut("spec") {
                nulls(spec, &["boundObjectRef"]);
            }
        }
        "Deployment" => conditions(&mut value, &["lastUpdateTime", "lastTransitionTime"]),
        "Job" => conditions(&mut value, &["lastProbeTime", "lastTransitionTime"]),
        "ReplicaSet" | "StatefulSet" | "DaemonSet" | "ReplicationController" => {
            conditions(&mut value, &["lastTransitionTime"])
        }
        _ => {}
    }
    value
}

fn conditions(value: &mut Value, times: &[&str]) {
    let Some(status) = value.get_mut("status") else { return };
    for condition in items(status, "conditions") {
        nulls(condition, times);
    }
}

fn container_states(container: &mut Value) {
    empty_structs(container, &["state", "lastState"]);
    for state in ["state", "lastState"] {
        if let Some(terminated) = container.get_mut(state).and_then(|state| state.get_mut("terminated")) {
            nulls(terminated, &["startedAt", "finishedAt"]);
        }
        if let Some(running) = container.get_mut(state).and_then(|state| state.get_mut("running")) {
            nulls(running, &["startedAt"]);
        }
    }
}

fn items<'a>(value: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> {
    value.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten()
}

fn nulls(value: &mut Value, names: &[&str]) {
    if let Some(fields) = value.as_object_mut() {
        for name in names {
            fields.entry(*name).or_insert(Value::Null);
        }
    }
}

fn empty_structs(value: &mut Value, names: &[&str]) {
    if let Some(fields) = value.as_object_mut() {
        for name in names {
            fields.entry(*name).or_insert_with(|| Value::Object(Map::new()));
        }
    }
}
