//! What limits Pods and namespaces: quotas, ranges, disruption budgets, priorities, autoscalers. Over JSON, because each
//! of these is read for nothing else here.

use api::types::{LimitRange, ResourceQuota};
use api::{Kind, Kinded};
use serde_json::{Map, Value};

use super::events::events;
use super::{Context, Writer, label_selector, text};

/// What a scope of a quota means, in upstream's words.
const SCOPES: [(&str, &str); 4] = [
    (
        "Terminating",
        "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being \
         actively terminated by the system.",
    ),
    (
        "NotTerminating",
        "Matches all pods that do not have an active deadline. These pods usually include long running pods whose \
         container command is not expected to terminate.",
    ),
    (
        "BestEffort",
        "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.",
    ),
    (
        "NotBestEffort",
        "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed \
         quality of service.",
    ),
];

fn name_and_namespace(writer: &mut Writer, value: &Value) {
    writer.field(0, "Name", text(&value["metadata"]["name"]));
    writer.field(0, "Namespace", text(&value["metadata"]["namespace"]));
}

pub(super) fn quota(writer: &mut Writer, value: &Value, _: &mut Context) {
    name_and_namespace(writer, value);
    quota_table(writer, 0, value, "----");
}

/// The scopes and amounts of a quota.
fn quota_table(writer: &mut Writer, level: usize, value: &Value, line: &str) {
    let scopes: Vec<&str> =
        value["spec"]["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !scopes.is_empty() {
        writer.field(level, "Scopes", scopes.join(", "));
        for (_, help) in scopes.iter().filter_map(|scope| SCOPES.iter().find(|(name, _)| name == scope)) {
            writer.line(0, format!("{} * {help}", " ".repeat(level)));
        }
    }
    writer.line(level, "Resource\tUsed\tHard");
    writer.line(level, format!("--------\t{line}\t{line}"));
    let status = &value["status"];
    for (name, hard) in status["hard"].as_object().into_iter().flatten() {
        let used = status["used"][name].as_str().unwrap_or("0");
        writer.line(level, format!("{name}\t{used}\t{}", text(hard)));
    }
}

/// The quotas and ranges of a namespace, as the end of its description.
pub(super) fn of_namespace(writer: &mut Writer, context: &mut Context) {
    let namespace = context.info.name.clone();
    let mut of = |kind: &'static Kind| -> Vec<Value> {
        let listed = crate::resource::list(context.call, kind, &namespace, Default::default());
        listed.map(|(items, _)| items.iter().map(|item| item.to_value()).collect()).unwrap_or_default()
    };
    let (quotas, ranges) = (of(ResourceQuota::row()), of(LimitRange::row()));
    writer.line(0, "");
    writer.line(0, if quotas.is_empty() { "No resource quota." } else { "Resource Quotas" });
    for quota in &quotas {
        writer.field(1, "Name", text(&quota["metadata"]["name"]));
        quota_table(writer, 1, quota, "---");
    }
    writer.line(0, "");
    if ranges.is_empty() {
        return writer.line(0, "No LimitRange resource.");
    }
    writer.line(0, "Resource Limits");
    limit_headers(writer, " ");
    ranges.iter().for_each(|range| limits(writer, " ", range));
}

pub(super) fn limit_range(writer: &mut Writer, value: &Value, _: &mut Context) {
    name_and_namespace(writer, value);
    limit_headers(writer, "");
    limits(writer, "", value);
}

fn limit_headers(writer: &mut Writer, indent: &str) {
    for line in [
        "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio",
        "----\t--------\t---\t---\t---------------\t-------------\t-----------------------",
    ] {
        writer.line(0, format!("{indent}{line}"));
    }
}

fn limits(writer: &mut Writer, indent: &str, value: &Value) {
    const FIELDS: [&str; 5] = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"];
    for item in value["spec"]["limits"].as_array().into_iter().flatten() {
        let maps = FIELDS.iter().filter_map(|field| item[*field].as_object());
        let mut resources: Vec<&String> = maps.flat_map(Map::keys).collect();
        resources.sort();
        resources.dedup();
        for resource in resources {
            let cells = FIELDS.map(|field| item[field][resource].as_str().unwrap_or("-"));
            writer.line(0, format!("{indent}{}\t{resource}\t{}", text(&item["type"]), cells.join("\t")));
        }
    }
}

pub(super) fn disruption_budget(writer: &mut Writer, value: &Value, context: &mut Context) {
    name_and_namespace(writer, value);
    let spec = &value["spec"];
    if !spec["minAvailable"].is_null() {
        writer.field(0, "Min available", text(&spec["minAvailable"]));
    } else if !spec["maxUnavailable"].is_null() {
        writer.field(0, "Max unavailable", text(&spec["maxUnavailable"]));
    }
    let selector = if spec["selector"].is_null() { "<unset>".into() } else { label_selector(&spec["selector"]) };
    writer.field(0, "Selector", selector);
    writer.line(0, "Status:");
    for (title, field) in [
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ] {
        writer.field(2, title, value["status"][field].as_i64().unwrap_or_default());
    }
    events(writer, context);
}

pub(super) fn priority_class(writer: &mut Writer, value: &Value, context: &mut Context) {
    writer.field(0, "Name", text(&value["metadata"]["name"]));
    writer.field(0, "Value", value["value"].as_i64().unwrap_or_default());
    writer.field(0, "GlobalDefault", value["globalDefault"].as_bool().unwrap_or_default());
    writer.field(0, "PreemptionPolicy", value["preemptionPolicy"].as_str().unwrap_or("PreemptLowerPriority"));
    writer.field(0, "Description", text(&value["description"]));
    let annotations = value["metadata"]["annotations"].as_object().into_iter().flatten();
    let shown: Vec<String> = annotations.map(|(key, value)| format!("{key}={}", text(value))).collect();
    writer.field(0, "Annotations", super::or_none(Some(&shown.join(","))));
    events(writer, context);
}

pub(super) fn autoscaler(writer: &mut Writer, value: &Value, context: &mut Context) {
    let object = context.info.object.clone();
    // Whatever version was asked for, upstream describes the one with all metrics.
    let second = crate::resource::by_kind(context.call.client, "autoscaling/v2", "HorizontalPodAutoscaler");
    let second =
        second.and_then(|kind| crate::resource::get(context.call, kind, object.namespace(), object.name()).ok());
    let object = second.unwrap_or(object);
    let value = &if value["apiVersion"] == "autoscaling/v2" { value.clone() } else { object.to_value() };
    let (spec, status) = (&value["spec"], &value["status"]);
    super::head(writer, object.meta());
    super::labels_and_annotations(writer, object.meta());
    writer.field(0, "CreationTimestamp", super::time(object.meta().creation_timestamp.as_ref()));
    let target = &spec["scaleTargetRef"];
    writer.field(0, "Reference", format!("{}/{}", text(&target["kind"]), text(&target["name"])));
    writer.line(0, "Metrics:\t( current / target )");
    for (at, metric) in spec["metrics"].as_array().into_iter().flatten().enumerate() {
        writer.line(1, metric_line(metric, &status["currentMetrics"][at]));
    }
    let low = spec["minReplicas"].as_i64();
    writer.field(0, "Min replicas", low.map_or("<unset>".into(), |low| low.to_string()));
    writer.field(0, "Max replicas", text(&spec["maxReplicas"]));
    if spec["behavior"].is_object() {
        writer.line(0, "Behavior:");
        behavior(writer, "Scale Up", &spec["behavior"]["scaleUp"]);
        behavior(writer, "Scale Down", &spec["behavior"]["scaleDown"]);
    }
    let count = |field: &str| status[field].as_i64().unwrap_or_default();
    let pods = format!("{} current / {} desired", count("currentReplicas"), count("desiredReplicas"));
    writer.field(0, &format!("{} pods", text(&target["kind"])), pods);
    if let Some(conditions) = status["conditions"].as_array().filter(|conditions| !conditions.is_empty()) {
        writer.line(0, "Conditions:");
        writer.line(1, "Type\tStatus\tReason\tMessage");
        writer.line(1, "----\t------\t------\t-------");
        for condition in conditions {
            let cells = ["type", "status", "reason", "message"].map(|field| text(&condition[field]));
            writer.line(1, cells.join("\t"));
        }
    }
    events(writer, context);
}

/// One metric: its name, what it is and what it should be.
fn metric_line(metric: &Value, current: &Value) -> String {
    let or_unknown = |value: &Value| if value.is_null() { "<unknown>".to_owned() } else { text(value) };
    let source = |field: &str| (&metric[field], &current[field]["current"]);
    let of_value = |spec: &Value, current: &Value| match spec["target"]["averageValue"].is_null() {
        true => format!("(target value):\t{} / {}", or_unknown(&current["value"]), text(&spec["target"]["value"])),
        false => format!(
            "(target average value):\t{} / {}",
            or_unknown(&current["averageValue"]),
            text(&spec["target"]["averageValue"])
        ),
    };
    match metric["type"].as_str().unwrap_or_default() {
        "External" => {
            let (spec, current) = source("external");
            format!("{:?} {}", text(&spec["metric"]["name"]), of_value(spec, current))
        }
        "Pods" => {
            let (spec, current) = source("pods");
            let (name, target) = (text(&spec["metric"]["name"]), text(&spec["target"]["averageValue"]));
            format!("{name:?} on pods:\t{} / {target}", or_unknown(&current["averageValue"]))
        }
        "Object" => {
            let (spec, current) = source("object");
            let about = &spec["describedObject"];
            let (kind, name) = (text(&about["kind"]), text(&about["name"]));
            format!("{:?} on {kind}/{name} {}", text(&spec["metric"]["name"]), of_value(spec, current))
        }
        "ContainerResource" => {
            let (spec, current) = source("containerResource");
            let title = format!("resource {} of container {:?} on pods", text(&spec["name"]), text(&spec["container"]));
            title + &of_resource(spec, current)
        }
        _ => {
            let (spec, current) = source("resource");
            format!("resource {} on pods{}", text(&spec["name"]), of_resource(spec, current))
        }
    }
}

fn of_resource(spec: &Value, current: &Value) -> String {
    let target = &spec["target"];
    if !target["averageValue"].is_null() {
        let shown = if current["averageValue"].is_null() { "<unknown>".into() } else { text(&current["averageValue"]) };
        return format!(":\t{shown} / {}", text(&target["averageValue"]));
    }
    let shown = match current["averageUtilization"].as_i64() {
        Some(percent) => format!("{percent}% ({})", text(&current["averageValue"])),
        None => "<unknown>".into(),
    };
    let wanted = target["averageUtilization"].as_i64().map_or("<auto>".into(), |percent| format!("{percent}%"));
    format!("  (as a percentage of request):\t{shown} / {wanted}")
}

fn behavior(writer: &mut Writer, title: &str, direction: &Value) {
    if !direction.is_object() {
        return;
    }
    writer.line(1, format!("{title}:"));
    let Some(policies) = direction["policies"].as_array().filter(|policies| !policies.is_empty()) else { return };
    if let Some(seconds) = direction["stabilizationWindowSeconds"].as_i64() {
        writer.line(2, format!("Stabilization Window: {seconds} seconds"));
    }
    writer.line(2, format!("Select Policy: {}", direction["selectPolicy"].as_str().unwrap_or("Max")));
    writer.line(2, "Policies:");
    for policy in policies {
        let [kind, value, period] = ["type", "value", "periodSeconds"].map(|field| text(&policy[field]));
        writer.line(3, format!("- Type: {kind}\tValue: {value}\tPeriod: {period} seconds"));
    }
}
