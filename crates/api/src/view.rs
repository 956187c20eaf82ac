//! Kinds that are kept as another: a second version, or a twin in another group. Upstream's conversion functions.

use serde_json::{Map, Value, json};

use crate::kinds::{Kinded, View};
use crate::types::{Event, HorizontalPodAutoscaler};

pub(crate) const EVENT_V1: View = View { stored: Event::ID, to_stored: event_from_v1, from_stored: event_to_v1 };

pub(crate) const AUTOSCALER_V1: View =
    View { stored: HorizontalPodAutoscaler::ID, to_stored: autoscaler_from_v1, from_stored: autoscaler_to_v1 };

/// What `events.k8s.io` calls the fields of a core Event.
const EVENT_FIELDS: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

fn event_to_v1(mut event: Value) -> Value {
    rename(&mut event, EVENT_FIELDS.iter().map(|(core, twin)| (*core, *twin)));
    event["apiVersion"] = "events.k8s.io/v1".into();
    event
}

fn event_from_v1(mut event: Value) -> Value {
    rename(&mut event, EVENT_FIELDS.iter().map(|(core, twin)| (*twin, *core)));
    event["apiVersion"] = "v1".into();
    event
}

fn rename(object: &mut Value, names: impl Iterator<Item = (&'static str, &'static str)>) {
    let Some(fields) = object.as_object_mut() else { return };
    for (from, to) in names {
        if let Some(value) = fields.remove(from) {
            fields.insert(to.into(), value);
        }
    }
}

fn is_cpu_utilization(metric: &Value) -> bool {
    metric["type"] == "Resource"
        && metric["resource"]["name"] == "cpu"
        && metric["resource"]["target"]["type"] == "Utilization"
}

fn autoscaler_to_v1(mut autoscaler: Value) -> Value {
    autoscaler["apiVersion"] = "autoscaling/v1".into();
    if let Some(spec) = autoscaler.get_mut("spec").and_then(Value::as_object_mut) {
        let metrics = spec.remove("metrics").unwrap_or_default();
        let cpu = metrics.as_array().and_then(|metrics| metrics.iter().find(|metric| is_cpu_utilization(metric)));
        if let Some(cpu) = cpu {
            let target = cpu["resource"]["target"]["averageUtilization"].clone();
            spec.insert("targetCPUUtilizationPercentage".into(), target);
        }
    }
    autoscaler
}

fn autoscaler_from_v1(mut autoscaler: Value) -> Value {
    autoscaler["apiVersion"] = "autoscaling/v2".into();
    if let Some(spec) = autoscaler.get_mut("spec").and_then(Value::as_object_mut)
        && let Some(target) = spec.remove("targetCPUUtilizationPercentage")
    {
        spec.insert("metrics".into(), json!([cpu_utilization(target)]));
    }
    autoscaler
}

fn cpu_utilization(target: Value) -> Value {
    let mut resource = Map::new();
    resource.insert("name".into(), "cpu".into());
    resource.insert("target".into(), json!({ "type": "Utilization", "averageUtilization": target }));
    json!({ "type": "Resource", "resource": resource })
}
