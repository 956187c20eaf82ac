//! Deployment.

use api::field::{Error, Errors, Path};
use api::types::{
    Deployment, DeploymentSpec, DeploymentStatus, DeploymentStrategy, IntOrString, RollingUpdateDeployment,
};
use serde_json::Value;

use super::pod_template;
use super::rules::{default_text, default_to, int_or_string, not_decremented, not_negative, subdomain_name, text};
use crate::strategy::Strategy;

impl Strategy for Deployment {
    const HAS_GENERATION: bool = true;

    fn default(&mut self) {
        let spec = self.spec.get_or_insert_default();
        pod_template::default(&mut spec.template);
        default_to(&mut spec.replicas, 1);
        default_to(&mut spec.revision_history_limit, 10);
        default_to(&mut spec.progress_deadline_seconds, 600);
        let strategy = spec.strategy.get_or_insert_default();
        default_text(&mut strategy.type_, "RollingUpdate");
        if text(&strategy.type_) == "RollingUpdate" {
            let rolling = strategy.rolling_update.get_or_insert_default();
            default_to(&mut rolling.max_unavailable, IntOrString::String("25%".into()));
            default_to(&mut rolling.max_surge, IntOrString::String("25%".into()));
        }
        self.status.get_or_insert_default();
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(DeploymentStatus::default());
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        if self.spec != old.spec {
            self.spec.clone_from(&old.spec);
        }
        self.metadata.labels.clone_from(&old.metadata.labels);
    }

    fn same_generation(&self, old: &Self) -> bool {
        self.spec == old.spec && self.metadata.annotations == old.metadata.annotations
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let none = DeploymentSpec::default();
        validate_spec(self.spec.as_ref().unwrap_or(&none), &Path::new("spec"), &mut errors);
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = self.validate();
        if let (Some(new), Some(old)) = (&self.spec, &old.spec) {
            pod_template::same_selector(&new.selector, &old.selector, &mut errors);
        }
        errors
    }

    fn warnings(&self, is_new: bool) -> Vec<String> {
        let Some(spec) = &self.spec else { return Vec::new() };
        let path = Path::new("spec");
        let name = self.metadata.name.as_deref().filter(|_| is_new);
        pod_template::warnings(name, &spec.template, &path.child("template"), None)
    }

    fn validate_status_update(&self, old: &Self) -> Errors {
        let mut errors = Errors::new();
        let (Some(status), path) = (&self.status, Path::new("status")) else { return errors };
        let replicas = status.replicas.unwrap_or(0);
        let counts = [
            ("replicas", status.replicas),
            ("updatedReplicas", status.updated_replicas),
            ("readyReplicas", status.ready_replicas),
            ("availableReplicas", status.available_replicas),
            ("unavailableReplicas", status.unavailable_replicas),
            ("terminatingReplicas", status.terminating_replicas),
            ("collisionCount", status.collision_count),
        ];
        not_negative(status.observed_generation.unwrap_or(0), &path.child("observedGeneration"), &mut errors);
        for (name, count) in counts {
            not_negative(count.unwrap_or(0), &path.child(name), &mut errors);
        }
        for (name, count) in &counts[1..4] {
            let count = count.unwrap_or(0);
            if count > replicas {
                errors.push(Error::invalid(&path.child(name), count, "cannot be greater than status.replicas"));
            }
        }
        let (available, ready) = (status.available_replicas.unwrap_or(0), status.ready_replicas.unwrap_or(0));
        if available > ready {
            let why = "cannot be greater than readyReplicas";
            errors.push(Error::invalid(&path.child("availableReplicas"), available, why));
        }
        let before = old.status.as_ref().and_then(|status| status.collision_count);
        not_decremented(status.collision_count, before, &path.child("collisionCount"), &mut errors);
        errors
    }
}

fn validate_spec(spec: &DeploymentSpec, path: &Path, errors: &mut Errors) {
    not_negative(spec.replicas.unwrap_or(1), &path.child("replicas"), errors);
    pod_template::validate_selected(&spec.selector, &spec.template, "deployment", path, errors);
    if let Some(strategy) = &spec.strategy {
        self::strategy(strategy, &path.child("strategy"), errors);
    }
    let min_ready = spec.min_ready_seconds.unwrap_or(0);
    not_negative(min_ready, &path.child("minReadySeconds"), errors);
    not_negative(spec.revision_history_limit.unwrap_or(0), &path.child("revisionHistoryLimit"), errors);
    if let Some(deadline) = spec.progress_deadline_seconds {
        let path = path.child("progressDeadlineSeconds");
        not_negative(deadline, &path, errors);
        if deadline <= min_ready {
            errors.push(Error::invalid(&path, deadline, "must be greater than minReadySeconds"));
        }
    }
}

fn strategy(strategy: &DeploymentStrategy, path: &Path, errors: &mut Errors) {
    match (text(&strategy.type_), &strategy.rolling_update) {
        ("Recreate", Some(_)) => {
            let why = "may not be specified when strategy `type` is 'Recreate'";
            errors.push(Error::forbidden(&path.child("rollingUpdate"), why));
        }
        ("Recreate", None) => {}
        ("RollingUpdate", None) => {
            errors.push(Error::required(&path.child("rollingUpdate"), "this should be defaulted and never be nil"));
        }
        ("RollingUpdate", Some(rolling)) => rolling_update(rolling, &path.child("rollingUpdate"), errors),
        (other, _) => {
            let value = format!("{{\"Type\":{},\"RollingUpdate\":null}}", Value::from(other));
            errors.push(Error::not_supported(path, value, &["Recreate", "RollingUpdate"]).verbatim());
        }
    }
}

fn rolling_update(rolling: &RollingUpdateDeployment, path: &Path, errors: &mut Errors) {
    let zero = IntOrString::Int(0);
    let unavailable = rolling.max_unavailable.as_ref().unwrap_or(&zero);
    let surge = rolling.max_surge.as_ref().unwrap_or(&zero);
    let unavailable_path = path.child("maxUnavailable");
    positive_or_percent(unavailable, &unavailable_path, errors);
    positive_or_percent(surge, &path.child("maxSurge"), errors);
    if is_zero(unavailable) && is_zero(surge) {
        let why = "may not be 0 when `maxSurge` is 0";
        errors.push(Error::invalid(&unavailable_path, int_or_string(unavailable), why));
    }
    at_most_100_percent(unavailable, &unavailable_path, errors);
}

pub(super) fn is_zero(value: &IntOrString) -> bool {
    match value {
        IntOrString::Int(number) => *number == 0,
        IntOrString::String(text) => percent(text).is_none_or(|percent| percent == 0),
    }
}

pub(super) fn positive_or_percent(value: &IntOrString, path: &Path, errors: &mut Errors) {
    match value {
        IntOrString::Int(number) => not_negative(*number, path, errors),
        IntOrString::String(text) if percent(text).is_none() => {
            let why = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', \
                       regex used for validation is '[0-9]+%')";
            errors.push(Error::invalid(path, text.as_str(), why));
        }
        IntOrString::String(_) => {}
    }
}

pub(super) fn at_most_100_percent(value: &IntOrString, path: &Path, errors: &mut Errors) {
    if let IntOrString::String(text) = value
        && percent(text).is_some_and(|percent| percent > 100)
    {
        errors.push(Error::invalid(path, text.as_str(), "must not be greater than 100%"));
    }
}

fn percent(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('%')?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}
