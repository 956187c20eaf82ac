//! PodDisruptionBudget.

use api::field::{Error, Errors, Path};
use api::types::{PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus};
use api::validate::label_selector;
use api::wire::go_json;

use super::conditions::conditions;
use super::deployment::{at_most_100_percent, positive_or_percent};
use super::rules::{int_or_string, not_negative, one_of};
use crate::strategy::Strategy;

impl Strategy for PodDisruptionBudget {
    const HAS_GENERATION: bool = true;
    const UNCONDITIONAL_UPDATE: bool = false;

    fn prepare_for_create(&mut self) {
        // Upstream's status is no pointer: its zeros are always written.
        self.status = Some(PodDisruptionBudgetStatus::default());
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
    }

    fn same_generation(&self, old: &Self) -> bool {
        self.spec == old.spec
    }

    fn validate_name(_name: &str, _prefix: bool) -> Vec<String> {
        Vec::new()
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        if let Some(spec) = &self.spec {
            validate_spec(spec, &Path::new("spec"), &mut errors);
        }
        errors
    }

    fn validate_status_update(&self, _old: &Self) -> Errors {
        let mut errors = Errors::new();
        let (Some(status), path) = (&self.status, Path::new("status")) else { return errors };
        conditions(&api::wire::value_of(status), &path, &mut errors);
        let counts = [
            ("disruptionsAllowed", status.disruptions_allowed),
            ("currentHealthy", status.current_healthy),
            ("desiredHealthy", status.desired_healthy),
            ("expectedPods", status.expected_pods),
        ];
        for (name, count) in counts {
            not_negative(count.unwrap_or(0), &path.child(name), &mut errors);
        }
        errors
    }
}

fn validate_spec(spec: &PodDisruptionBudgetSpec, path: &Path, errors: &mut Errors) {
    if spec.min_available.is_some() && spec.max_unavailable.is_some() {
        let why = "minAvailable and maxUnavailable cannot be both set";
        errors.push(Error::invalid_verbatim(path, shown(spec), why));
    }
    for (name, value) in [("minAvailable", &spec.min_available), ("maxUnavailable", &spec.max_unavailable)] {
        if let Some(value) = value {
            let path = path.child(name);
            positive_or_percent(value, &path, errors);
            at_most_100_percent(value, &path, errors);
        }
    }
    if let Some(selector) = &spec.selector {
        label_selector(selector, &path.child("selector"), errors);
    }
    if let Some(policy) = &spec.unhealthy_pod_eviction_policy {
        let path = path.child("unhealthyPodEvictionPolicy");
        one_of(policy, &["AlwaysAllow", "IfHealthyBudget"], &path, errors);
    }
}

/// The specification as Go prints its internal type.
fn shown(spec: &PodDisruptionBudgetSpec) -> String {
    let count = |value: &Option<_>| value.as_ref().map_or("null".into(), |value| int_or_string(value).to_string());
    let selector = spec.selector.as_ref().map_or("null".into(), |selector| go_json("meta.v1.LabelSelector", selector));
    let policy = spec.unhealthy_pod_eviction_policy.as_ref().map_or("null".into(), |policy| format!("{policy:?}"));
    format!(
        "{{\"MinAvailable\":{},\"Selector\":{selector},\"MaxUnavailable\":{},\"UnhealthyPodEvictionPolicy\":{policy}}}",
        count(&spec.min_available),
        count(&spec.max_unavailable),
    )
}
