//! DaemonSet.

use api::field::{Error, Errors, Path};
use api::meta;
use api::selector::Selector;
use api::types::{
    DaemonSet, DaemonSetSpec, DaemonSetStatus, DaemonSetUpdateStrategy, IntOrString, RollingUpdateDaemonSet,
};
use serde_json::Value;

use super::deployment::{at_most_100_percent, is_zero, positive_or_percent};
use super::pod_template;
use super::rules::{
    default_text, default_to, int_or_string, not_decremented, not_negative, subdomain_name, text, twice,
};
use crate::strategy::Strategy;

/// Counts changes of the template. Upstream's internal type has a field for it, which this version shows so.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

impl Strategy for DaemonSet {
    const HAS_GENERATION: bool = true;

    fn default(&mut self) {
        let spec = self.spec.get_or_insert_default();
        pod_template::default(&mut spec.template);
        let strategy = spec.update_strategy.get_or_insert_default();
        default_text(&mut strategy.type_, "RollingUpdate");
        if text(&strategy.type_) == "RollingUpdate" {
            let rolling = strategy.rolling_update.get_or_insert_default();
            default_to(&mut rolling.max_unavailable, IntOrString::Int(1));
            default_to(&mut rolling.max_surge, IntOrString::Int(0));
        }
        default_to(&mut spec.revision_history_limit, 10);
        self.status.get_or_insert_default();
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(DaemonSetStatus::default());
        meta::set_annotation(&mut self.metadata, TEMPLATE_GENERATION, "1");
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
        let template = |set: &Self| set.spec.as_ref().map(|spec| spec.template.clone());
        let before: i64 = generation(old).parse().unwrap_or(0);
        let changed = template(self) != template(old);
        meta::set_annotation(&mut self.metadata, TEMPLATE_GENERATION, (before + i64::from(changed)).to_string());
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
        meta::set_annotation(&mut self.metadata, TEMPLATE_GENERATION, generation(old));
    }

    fn same_generation(&self, old: &Self) -> bool {
        self.spec == old.spec
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let none = DaemonSetSpec::default();
        validate_spec(self.spec.as_ref().unwrap_or(&none), &Path::new("spec"), &mut errors);
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = twice(self.validate());
        if let (Some(new), Some(old)) = (&self.spec, &old.spec) {
            pod_template::same_selector(&new.selector, &old.selector, &mut errors);
        }
        errors
    }

    fn warnings(&self, _is_new: bool) -> Vec<String> {
        let Some(spec) = &self.spec else { return Vec::new() };
        let path = Path::new("spec");
        pod_template::warnings(None, &spec.template, &path.child("template"), None)
    }

    fn validate_status_update(&self, old: &Self) -> Errors {
        let mut errors = Errors::new();
        let (Some(status), path) = (&self.status, Path::new("status")) else { return errors };
        let counts = [
            ("currentNumberScheduled", status.current_number_scheduled),
            ("numberMisscheduled", status.number_misscheduled),
            ("desiredNumberScheduled", status.desired_number_scheduled),
            ("numberReady", status.number_ready),
        ];
        for (name, count) in counts {
            not_negative(count, &path.child(name), &mut errors);
        }
        not_negative(status.observed_generation.unwrap_or(0), &path.child("observedGeneration"), &mut errors);
        let counts = [
            ("updatedNumberScheduled", status.updated_number_scheduled),
            ("numberAvailable", status.number_available),
            ("numberUnavailable", status.number_unavailable),
            ("collisionCount", status.collision_count),
        ];
        for (name, count) in counts {
            not_negative(count.unwrap_or(0), &path.child(name), &mut errors);
        }
        let before = old.status.as_ref().and_then(|status| status.collision_count);
        not_decremented(status.collision_count, before, &path.child("collisionCount"), &mut errors);
        errors
    }
}

fn generation(set: &DaemonSet) -> &str {
    meta::annotation(&set.metadata, TEMPLATE_GENERATION).unwrap_or("0")
}

fn validate_spec(spec: &DaemonSetSpec, path: &Path, errors: &mut Errors) {
    let selector_path = path.child("selector");
    let wanted = pod_template::given(&spec.selector);
    let before = errors.len();
    if let Some(wanted) = wanted {
        api::validate::label_selector(wanted, &selector_path, errors);
    }
    let template_path = path.child("template");
    let labels = spec.template.metadata.as_ref().map(meta::labels);
    let selector = wanted.map_or(Selector::nothing(), |wanted| Selector::from_label_selector(Some(wanted)));
    if errors.len() == before && !labels.is_some_and(|labels| selector.matches(labels)) {
        pod_template::labels_do_not_match(&spec.template, &template_path, errors);
    }
    if wanted.is_some_and(pod_template::is_empty) {
        errors.push(Error::invalid_verbatim(&selector_path, "{}", "empty selector is invalid for daemonset"));
    }
    pod_template::validate(&spec.template, &template_path, errors);
    pod_template::runs_for_ever(&spec.template, "DaemonSet", &template_path, errors);
    not_negative(spec.min_ready_seconds.unwrap_or(0), &path.child("minReadySeconds"), errors);
    if let Some(strategy) = &spec.update_strategy {
        update_strategy(strategy, &path.child("updateStrategy"), errors);
    }
    not_negative(spec.revision_history_limit.unwrap_or(0), &path.child("revisionHistoryLimit"), errors);
}

fn update_strategy(strategy: &DaemonSetUpdateStrategy, path: &Path, errors: &mut Errors) {
    match (text(&strategy.type_), &strategy.rolling_update) {
        ("OnDelete", _) => {}
        ("RollingUpdate", None) => errors.push(Error::required(&path.child("rollingUpdate"), "")),
        ("RollingUpdate", Some(rolling)) => rolling_update(rolling, &path.child("rollingUpdate"), errors),
        (other, _) => {
            let value = format!("{{\"Type\":{},\"RollingUpdate\":null}}", Value::from(other));
            errors.push(Error::not_supported(path, value, &["RollingUpdate", "OnDelete"]).verbatim());
        }
    }
}

fn rolling_update(rolling: &RollingUpdateDaemonSet, path: &Path, errors: &mut Errors) {
    let zero = IntOrString::Int(0);
    let unavailable = rolling.max_unavailable.as_ref().unwrap_or(&zero);
    let surge = rolling.max_surge.as_ref().unwrap_or(&zero);
    let (unavailable_path, surge_path) = (path.child("maxUnavailable"), path.child("maxSurge"));
    positive_or_percent(unavailable, &unavailable_path, errors);
    positive_or_percent(surge, &surge_path, errors);
    at_most_100_percent(unavailable, &unavailable_path, errors);
    at_most_100_percent(surge, &surge_path, errors);
    match (is_zero(unavailable), is_zero(surge)) {
        (false, false) => {
            let why = "may not be set when maxUnavailable is non-zero";
            errors.push(Error::invalid(&surge_path, int_or_string(surge), why));
        }
        (true, true) => errors.push(Error::required(&unavailable_path, "cannot be 0 when maxSurge is 0")),
        _ => {}
    }
}
