//! HorizontalPodAutoscaler.

use api::field::{Error, Errors, Path};
use api::types::{
    CrossVersionObjectReference, HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscaler,
    HorizontalPodAutoscalerSpec, HorizontalPodAutoscalerStatus, LabelSelector, MetricIdentifier, MetricSpec,
    MetricTarget, Quantity, ResourceMetricSource,
};
use api::validate::{dns1123_label, label_selector, path_segment};

use super::rules::{amount, complain, default_text, default_to, list, not_negative, one_of, subdomain_name, text};
use crate::strategy::Strategy;

const WINDOW_SECONDS_MAX: i32 = 3600;
const PERIOD_SECONDS_MAX: i32 = 1800;
const SOURCES: &[&str] = &["ContainerResource", "External", "Object", "Pods", "Resource"];

impl Strategy for HorizontalPodAutoscaler {
    fn default(&mut self) {
        let spec = &mut self.spec;
        default_to(&mut spec.min_replicas, 1);
        if list(&spec.metrics).is_empty() {
            spec.metrics = Some(vec![cpu_utilization(80)]);
        }
        if let Some(behavior) = &mut spec.behavior {
            let up = behavior.scale_up.get_or_insert_default();
            default_to(&mut up.stabilization_window_seconds, 0);
            scaling_defaults(up, &[("Pods", 4), ("Percent", 100)]);
            scaling_defaults(behavior.scale_down.get_or_insert_default(), &[("Percent", 100)]);
        }
        self.status.get_or_insert_default();
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(HorizontalPodAutoscalerStatus::default());
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        validate_spec(&self.spec, 1, &Path::new("spec"), &mut errors);
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = Errors::new();
        let least = if old.spec.min_replicas == Some(0) { 0 } else { 1 };
        validate_spec(&self.spec, least, &Path::new("spec"), &mut errors);
        errors
    }

    fn validate_status_update(&self, _old: &Self) -> Errors {
        let mut errors = Errors::new();
        let (Some(status), path) = (&self.status, Path::new("status")) else { return errors };
        not_negative(status.current_replicas.unwrap_or(0), &path.child("currentReplicas"), &mut errors);
        not_negative(status.desired_replicas, &path.child("desiredReplicas"), &mut errors);
        errors
    }
}

fn cpu_utilization(percent: i32) -> MetricSpec {
    let target =
        MetricTarget { type_: "Utilization".into(), average_utilization: Some(percent), ..MetricTarget::default() };
    let source = ResourceMetricSource { name: "cpu".into(), target };
    MetricSpec { type_: "Resource".into(), resource: Some(source), ..MetricSpec::default() }
}

fn scaling_defaults(rules: &mut HPAScalingRules, policies: &[(&str, i32)]) {
    default_text(&mut rules.select_policy, "Max");
    rules.policies.get_or_insert_with(|| {
        let policies = policies.iter();
        let policy = |(type_, value): &(&str, i32)| HPAScalingPolicy {
            type_: (*type_).into(),
            value: *value,
            period_seconds: 15,
        };
        policies.map(policy).collect()
    });
}

fn validate_spec(spec: &HorizontalPodAutoscalerSpec, least: i32, path: &Path, errors: &mut Errors) {
    let (max, max_path) = (spec.max_replicas, path.child("maxReplicas"));
    if let Some(min) = spec.min_replicas.filter(|min| *min < least) {
        let why = format!("must be greater than or equal to {least}");
        errors.push(Error::invalid(&path.child("minReplicas"), min, why));
    }
    if max == 0 {
        errors.push(Error::required(&max_path, "must be set and greater than 0"));
    } else if max < 0 {
        errors.push(Error::invalid(&max_path, max, "must be greater than 0"));
    }
    if spec.min_replicas.is_some_and(|min| max < min) {
        errors.push(Error::invalid(&max_path, max, "must be greater than or equal to `minReplicas`"));
    }
    target(&spec.scale_target_ref, &path.child("scaleTargetRef"), errors);
    let metrics = list(&spec.metrics);
    let metrics_path = path.child("metrics");
    for (index, metric) in metrics.iter().enumerate() {
        validate_metric(metric, &metrics_path.index(index), errors);
    }
    let wakes = metrics.iter().any(|metric| matches!(metric.type_.as_str(), "Object" | "External"));
    if spec.min_replicas == Some(0) && !wakes {
        let why = "must specify at least one Object or External metric to support scaling to zero replicas";
        errors.push(Error::forbidden(&metrics_path, why));
    }
    if let Some(behavior) = &spec.behavior {
        let path = path.child("behavior");
        for (name, rules) in [("scaleUp", &behavior.scale_up), ("scaleDown", &behavior.scale_down)] {
            if let Some(rules) = rules {
                scaling_rules(rules, &path.child(name), errors);
            }
        }
    }
}

fn target(target: &CrossVersionObjectReference, path: &Path, errors: &mut Errors) {
    for (name, value) in [("kind", &target.kind), ("name", &target.name)] {
        let path = path.child(name);
        if value.is_empty() {
            errors.push(Error::required(&path, ""));
        } else {
            complain(errors, &path, value, path_segment(value, false));
        }
    }
    let version = text(&target.api_version);
    if version.is_empty() || (!version.contains('/') && version != "v1") {
        let why = "apiVersion must specify API group";
        errors.push(Error::invalid(&path.child("apiVersion"), version, why));
    }
}

fn scaling_rules(rules: &HPAScalingRules, path: &Path, errors: &mut Errors) {
    if let Some(seconds) = rules.stabilization_window_seconds {
        let path = path.child("stabilizationWindowSeconds");
        if seconds < 0 {
            errors.push(Error::invalid(&path, seconds, "must be greater than or equal to zero"));
        }
        at_most(seconds, WINDOW_SECONDS_MAX, &path, errors);
    }
    if let Some(policy) = &rules.select_policy {
        one_of(policy, &["Disabled", "Max", "Min"], &path.child("selectPolicy"), errors);
    }
    if let Some(tolerance) = &rules.tolerance
        && amount(tolerance).0 < 0
    {
        let why = "must be greater than or equal to zero";
        errors.push(Error::invalid(&path.child("tolerance"), tolerance.0.as_str(), why));
    }
    let path = path.child("policies");
    if list(&rules.policies).is_empty() {
        errors.push(Error::required(&path, "must specify at least one Policy"));
    }
    for (index, policy) in list(&rules.policies).iter().enumerate() {
        let path = path.index(index);
        one_of(&policy.type_, &["Percent", "Pods"], &path.child("type"), errors);
        for (name, value) in [("value", policy.value), ("periodSeconds", policy.period_seconds)] {
            if value <= 0 {
                errors.push(Error::invalid(&path.child(name), value, "must be greater than zero"));
            }
        }
        at_most(policy.period_seconds, PERIOD_SECONDS_MAX, &path.child("periodSeconds"), errors);
    }
}

fn at_most(value: i32, limit: i32, path: &Path, errors: &mut Errors) {
    if value > limit {
        errors.push(Error::invalid(path, value, format!("must be less than or equal to {limit}")));
    }
}

fn validate_metric(metric: &MetricSpec, path: &Path, errors: &mut Errors) {
    let type_path = path.child("type");
    if metric.type_.is_empty() {
        errors.push(Error::required(&type_path, "must specify a metric source type"));
    }
    one_of(&metric.type_, SOURCES, &type_path, errors);
    let present: Vec<&str> = [
        ("object", metric.object.is_some()),
        ("external", metric.external.is_some()),
        ("pods", metric.pods.is_some()),
        ("resource", metric.resource.is_some()),
        ("containerResource", metric.container_resource.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, is_present)| is_present.then_some(name))
    .collect();
    if let Some(first) = present.first() {
        source(metric, first, &path.child(first), errors);
    }
    if !SOURCES.contains(&metric.type_.as_str()) {
        one_of(&metric.type_, SOURCES, &type_path, errors);
    }
    let expected = SOURCES
        .iter()
        .find(|source| **source == metric.type_)
        .map_or(String::new(), |source| source[..1].to_ascii_lowercase() + &source[1..]);
    if !expected.is_empty() && !present.contains(&expected.as_str()) {
        let why = "must populate information for the given metric source";
        errors.push(Error::required(&path.child(&expected), why));
    }
    if present.len() != 1 {
        for name in present.iter().filter(|name| **name != expected) {
            errors.push(Error::forbidden(&path.child(name), "must populate the given metric source only"));
        }
    }
}

/// The source of a metric. `name` is the field that holds it.
fn source(metric: &MetricSpec, name: &str, path: &Path, errors: &mut Errors) {
    let target_path = path.child("target");
    if let ("object", Some(source)) = (name, &metric.object) {
        target(&source.described_object, &path.child("describedObject"), errors);
        identifier(&source.metric, &path.child("metric"), errors);
        metric_target(&source.target, &target_path, errors);
        if source.target.value.is_none() && source.target.average_value.is_none() {
            let why = "must set either a target value or averageValue";
            errors.push(Error::required(&target_path.child("averageValue"), why));
        }
    } else if let ("external", Some(source)) = (name, &metric.external) {
        identifier(&source.metric, &path.child("metric"), errors);
        metric_target(&source.target, &target_path, errors);
        match (&source.target.value, &source.target.average_value) {
            (None, None) => {
                let why = "must set either a target value for metric or a per-pod target";
                errors.push(Error::required(&target_path.child("averageValue"), why));
            }
            (Some(_), Some(_)) => {
                let why = "may not set both a target value for metric and a per-pod target";
                errors.push(Error::forbidden(&target_path.child("value"), why));
            }
            _ => {}
        }
    } else if let ("pods", Some(source)) = (name, &metric.pods) {
        identifier(&source.metric, &path.child("metric"), errors);
        metric_target(&source.target, &target_path, errors);
        if source.target.average_value.is_none() {
            let why = "must specify a positive target averageValue";
            errors.push(Error::required(&target_path.child("averageValue"), why));
        }
    } else if let ("resource", Some(source)) = (name, &metric.resource) {
        resource(&source.name, &source.target, path, errors);
    } else if let Some(source) = &metric.container_resource {
        let container_path = path.child("container");
        if source.container.is_empty() {
            errors.push(Error::required(&container_path, "must specify a container"));
        } else {
            complain(errors, &container_path, &source.container, dns1123_label(&source.container));
        }
        resource(&source.name, &source.target, path, errors);
    }
}

fn resource(name: &str, target: &MetricTarget, path: &Path, errors: &mut Errors) {
    if name.is_empty() {
        errors.push(Error::required(&path.child("name"), "must specify a resource name"));
    }
    let path = path.child("target");
    metric_target(target, &path, errors);
    match (target.average_utilization, &target.average_value) {
        (None, None) => {
            let why = "must set either a target raw value or a target utilization";
            errors.push(Error::required(&path.child("averageUtilization"), why));
        }
        (Some(_), Some(_)) => {
            let why = "may not set both a target raw value and a target utilization";
            errors.push(Error::forbidden(&path.child("averageValue"), why));
        }
        _ => {}
    }
}

fn identifier(metric: &MetricIdentifier, path: &Path, errors: &mut Errors) {
    let name_path = path.child("name");
    if metric.name.is_empty() {
        errors.push(Error::required(&name_path, "must specify a metric name"));
    } else {
        complain(errors, &name_path, &metric.name, path_segment(&metric.name, false));
    }
    let selector: Option<&LabelSelector> = metric.selector.as_ref();
    if let Some(selector) = selector {
        label_selector(selector, &path.child("selector"), errors);
    }
}

fn metric_target(target: &MetricTarget, path: &Path, errors: &mut Errors) {
    let type_path = path.child("type");
    if target.type_.is_empty() {
        errors.push(Error::required(&type_path, "must specify a metric target type"));
    }
    if !matches!(target.type_.as_str(), "Utilization" | "Value" | "AverageValue") {
        let why = "must be either Utilization, Value, or AverageValue";
        errors.push(Error::invalid(&type_path, target.type_.as_str(), why));
    }
    let quantities: [(&str, &Option<Quantity>); 2] =
        [("value", &target.value), ("averageValue", &target.average_value)];
    for (name, quantity) in quantities {
        if let Some(quantity) = quantity.as_ref().filter(|quantity| amount(quantity).0 <= 0) {
            errors.push(Error::invalid(&path.child(name), quantity.0.as_str(), "must be positive"));
        }
    }
    if let Some(percent) = target.average_utilization.filter(|percent| *percent < 1) {
        errors.push(Error::invalid(&path.child("averageUtilization"), percent, "must be greater than 0"));
    }
}
