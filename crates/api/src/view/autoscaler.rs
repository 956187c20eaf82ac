//! `autoscaling/v1`: it knows the target for CPU alone, and keeps the rest of `autoscaling/v2` in annotations.
//!
//! Upstream's annotations hold JSON in the order of Go's structs, with the names of `autoscaling/v1` for metrics and those
//! of the internal type for the behaviour: the tables below are both.

use serde_json::{Map, Value, json};

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";

/// A source of metrics: its field, then the names in version 1, in their order, and where version 2 has them.
type Names = &'static [(&'static str, &'static str)];

const SOURCES: &[(&str, Names)] = &[
    (
        "object",
        &[
            ("target", "/describedObject"),
            ("metricName", "/metric/name"),
            ("targetValue", "/target/value"),
            ("selector", "/metric/selector"),
            ("averageValue", "/target/averageValue"),
        ],
    ),
    (
        "pods",
        &[
            ("metricName", "/metric/name"),
            ("targetAverageValue", "/target/averageValue"),
            ("selector", "/metric/selector"),
        ],
    ),
    (
        "resource",
        &[
            ("name", "/name"),
            ("targetAverageUtilization", "/target/averageUtilization"),
            ("targetAverageValue", "/target/averageValue"),
        ],
    ),
    (
        "containerResource",
        &[
            ("name", "/name"),
            ("targetAverageUtilization", "/target/averageUtilization"),
            ("targetAverageValue", "/target/averageValue"),
            ("container", "/container"),
        ],
    ),
    (
        "external",
        &[
            ("metricName", "/metric/name"),
            ("metricSelector", "/metric/selector"),
            ("targetValue", "/target/value"),
            ("targetAverageValue", "/target/averageValue"),
        ],
    ),
];

/// The same for what a metric is at.
const CURRENT: &[(&str, Names)] = &[
    (
        "object",
        &[
            ("target", "/describedObject"),
            ("metricName", "/metric/name"),
            ("currentValue", "/current/value"),
            ("selector", "/metric/selector"),
            ("averageValue", "/current/averageValue"),
        ],
    ),
    (
        "pods",
        &[
            ("metricName", "/metric/name"),
            ("currentAverageValue", "/current/averageValue"),
            ("selector", "/metric/selector"),
        ],
    ),
    (
        "resource",
        &[
            ("name", "/name"),
            ("currentAverageUtilization", "/current/averageUtilization"),
            ("currentAverageValue", "/current/averageValue"),
        ],
    ),
    (
        "containerResource",
        &[
            ("name", "/name"),
            ("currentAverageUtilization", "/current/averageUtilization"),
            ("currentAverageValue", "/current/averageValue"),
            ("container", "/container"),
        ],
    ),
    (
        "external",
        &[
            ("metricName", "/metric/name"),
            ("metricSelector", "/metric/selector"),
            ("currentValue", "/current/value"),
            ("currentAverageValue", "/current/averageValue"),
        ],
    ),
];

const REFERENCE: &[&str] = &["kind", "name", "apiVersion"];
const CONDITION: &[&str] = &["type", "status", "lastTransitionTime", "reason", "message"];

/// JSON text of an object with its fields in a given order.
struct Ordered(String);

impl Ordered {
    fn new() -> Ordered {
        Ordered("{".into())
    }

    fn field(&mut self, name: &str, json: &str) {
        let comma = if self.0.len() > 1 { "," } else { "" };
        self.0.push_str(&format!("{comma}\"{name}\":{json}"));
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

fn array(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// The fields of an object that are there, in order.
fn pick(object: &Value, names: &[&str]) -> String {
    let mut text = Ordered::new();
    for name in names {
        if let Some(value) = object.get(name) {
            text.field(name, &value.to_string());
        }
    }
    text.end()
}

/// A metric as version 1 has it.
fn metric_to_v1(metric: &Value, sources: &[(&str, Names)]) -> String {
    let mut text = Ordered::new();
    text.field("type", &metric["type"].to_string());
    for (field, names) in sources {
        let Some(source) = metric.get(field) else { continue };
        let mut fields = Ordered::new();
        for (name, pointer) in *names {
            match source.pointer(pointer) {
                Some(reference) if *pointer == "/describedObject" => fields.field(name, &pick(reference, REFERENCE)),
                Some(value) => fields.field(name, &value.to_string()),
                None => {}
            }
        }
        text.field(field, &fields.end());
    }
    text.end()
}

/// A metric of version 1 as version 2 has it. `amount` is where its numbers go: `target` or `current`.
fn metric_from_v1(metric: &Value, sources: &[(&str, Names)], amount: &str) -> Value {
    let mut restored = json!({ "type": metric["type"] });
    for (field, names) in sources {
        let Some(source) = metric.get(field) else { continue };
        let mut into = json!({});
        for (name, pointer) in *names {
            if let Some(value) = source.get(name) {
                put(&mut into, pointer, value.clone());
            }
        }
        if amount == "target" {
            let target = into[amount].take();
            let has = |name: &str| target.get(name).is_some();
            let type_ = match () {
                () if has("averageUtilization") => "Utilization",
                () if has("averageValue") => "AverageValue",
                () => "Value",
            };
            into[amount] = target;
            into[amount]["type"] = type_.into();
        }
        restored[*field] = into;
    }
    restored
}

fn put(object: &mut Value, pointer: &str, value: Value) {
    let place = pointer.split('/').skip(1).fold(object, |place, name| &mut place[name]);
    *place = value;
}

/// The behaviour as the internal type prints it.
fn behavior_to_text(behavior: &Value) -> String {
    let mut text = Ordered::new();
    for (name, field) in [("ScaleUp", "scaleUp"), ("ScaleDown", "scaleDown")] {
        let Some(rules) = behavior.get(field) else {
            text.field(name, "null");
            continue;
        };
        let policies = rules["policies"].as_array().into_iter().flatten().map(|policy| {
            let mut fields = Ordered::new();
            for (name, field) in [("Type", "type"), ("Value", "value"), ("PeriodSeconds", "periodSeconds")] {
                fields.field(name, &policy[field].to_string());
            }
            fields.end()
        });
        let mut fields = Ordered::new();
        fields.field("StabilizationWindowSeconds", &rules["stabilizationWindowSeconds"].to_string());
        fields.field("SelectPolicy", &rules["selectPolicy"].to_string());
        fields.field("Policies", &array(policies));
        fields.field("Tolerance", &rules["tolerance"].to_string());
        text.field(name, &fields.end());
    }
    text.end()
}

/// Fields with Go's names get their own; those that hold nothing go.
fn from_go_names(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| {
                let mut letters = name.chars();
                let first = letters.next().map(|first| first.to_ascii_lowercase());
                (first.into_iter().chain(letters).collect(), from_go_names(value))
            });
            Value::Object(fields.collect())
        }
        Value::Array(items) => items.into_iter().map(from_go_names).collect(),
        other => other,
    }
}

fn is_cpu_utilization(metric: &Value) -> bool {
    metric["type"] == "Resource"
        && metric["resource"]["name"] == "cpu"
        && metric["resource"]["target"]["averageUtilization"].is_number()
}

fn is_cpu_at(metric: &Value) -> bool {
    metric["type"] == "Resource"
        && metric["resource"]["name"] == "cpu"
        && metric["resource"]["current"]["averageUtilization"].is_number()
}

/// Takes the first element that fits out of a list.
fn take_first(list: &mut Vec<Value>, fits: fn(&Value) -> bool) -> Option<Value> {
    let at = list.iter().position(fits)?;
    Some(list.remove(at))
}

fn remove_list(fields: &mut Map<String, Value>, name: &str) -> Vec<Value> {
    match fields.remove(name) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

pub(super) fn to_v1(mut autoscaler: Value) -> Value {
    autoscaler["apiVersion"] = "autoscaling/v1".into();
    let mut notes = Vec::new();
    if let Some(spec) = autoscaler.get_mut("spec").and_then(Value::as_object_mut) {
        let mut metrics = remove_list(spec, "metrics");
        if let Some(cpu) = take_first(&mut metrics, is_cpu_utilization) {
            let target = cpu["resource"]["target"]["averageUtilization"].clone();
            spec.insert("targetCPUUtilizationPercentage".into(), target);
        }
        if !metrics.is_empty() {
            notes.push((METRICS, array(metrics.iter().map(|metric| metric_to_v1(metric, SOURCES)))));
        }
        if let Some(behavior) = spec.remove("behavior") {
            notes.push((BEHAVIOR, behavior_to_text(&behavior)));
        }
    }
    if let Some(status) = autoscaler.get_mut("status").and_then(Value::as_object_mut) {
        status.entry("currentReplicas").or_insert_with(|| 0.into());
        let mut metrics = remove_list(status, "currentMetrics");
        if let Some(cpu) = take_first(&mut metrics, is_cpu_at) {
            let current = cpu["resource"]["current"]["averageUtilization"].clone();
            status.insert("currentCPUUtilizationPercentage".into(), current);
        }
        if !metrics.is_empty() {
            notes.push((CURRENT_METRICS, array(metrics.iter().map(|metric| metric_to_v1(metric, CURRENT)))));
        }
        let conditions = remove_list(status, "conditions");
        if !conditions.is_empty() {
            notes.push((CONDITIONS, array(conditions.iter().map(|condition| pick(condition, CONDITION)))));
        }
    }
    for (name, text) in notes {
        autoscaler["metadata"]["annotations"][name] = text.into();
    }
    autoscaler
}

pub(super) fn from_v1(mut autoscaler: Value) -> Value {
    autoscaler["apiVersion"] = "autoscaling/v2".into();
    let mut noted = |name: &str| -> Option<Value> {
        let annotations = autoscaler.pointer_mut("/metadata/annotations")?.as_object_mut()?;
        serde_json::from_str(annotations.remove(name)?.as_str()?).ok()
    };
    let listed = |value: Option<Value>| value.and_then(|value| value.as_array().cloned()).unwrap_or_default();
    let mut metrics: Vec<Value> =
        listed(noted(METRICS)).iter().map(|metric| metric_from_v1(metric, SOURCES, "target")).collect();
    let mut current: Vec<Value> =
        listed(noted(CURRENT_METRICS)).iter().map(|metric| metric_from_v1(metric, CURRENT, "current")).collect();
    let (conditions, behavior) = (noted(CONDITIONS), noted(BEHAVIOR).map(from_go_names));
    if let Some(spec) = autoscaler.get_mut("spec").and_then(Value::as_object_mut) {
        if let Some(target) = spec.remove("targetCPUUtilizationPercentage") {
            metrics.insert(0, cpu("target", json!({ "type": "Utilization", "averageUtilization": target })));
        }
        if !metrics.is_empty() {
            spec.insert("metrics".into(), metrics.into());
        }
        if let Some(behavior) = behavior {
            spec.insert("behavior".into(), behavior);
        }
    }
    if let Some(status) = autoscaler.get_mut("status").and_then(Value::as_object_mut) {
        if let Some(at) = status.remove("currentCPUUtilizationPercentage") {
            current.insert(0, cpu("current", json!({ "averageUtilization": at })));
        }
        if !current.is_empty() {
            status.insert("currentMetrics".into(), current.into());
        }
        if let Some(conditions) = conditions {
            status.insert("conditions".into(), conditions);
        }
    }
    autoscaler
}

fn cpu(field: &str, amount: Value) -> Value {
    json!({ "type": "Resource", "resource": { "name": "cpu", field: amount } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_version_1_does_not_know_survives_it() {
        let autoscaler = json!({
            "apiVersion": "autoscaling/v2",
            "metadata": { "name": "web", "annotations": { "note": "kept" } },
            "spec": {
                "maxReplicas": 3,
                "metrics": [
                    { "type": "Resource", "resource": { "name": "cpu",
                        "target": { "type": "Utilization", "averageUtilization": 80 } } },
                    { "type": "Pods", "pods": { "metric": { "name": "requests" },
                        "target": { "type": "AverageValue", "averageValue": "10" } } },
                ],
                "behavior": { "scaleDown": { "selectPolicy": "Disabled",
                    "policies": [{ "type": "Percent", "value": 100, "periodSeconds": 15 }] } },
            },
        });
        let seen = to_v1(autoscaler.clone());
        assert_eq!(seen["spec"]["targetCPUUtilizationPercentage"], 80);
        assert_eq!(
            seen["metadata"]["annotations"][METRICS],
            r#"[{"type":"Pods","pods":{"metricName":"requests","targetAverageValue":"10"}}]"#
        );
        assert_eq!(from_v1(seen), autoscaler);
    }
}
