//! StatefulSet.

use api::field::{Error, Errors, Path};
use api::types::{
    IntOrString, PersistentVolumeClaimStatus, StatefulSet, StatefulSetPersistentVolumeClaimRetentionPolicy,
    StatefulSetSpec, StatefulSetStatus, StatefulSetUpdateStrategy,
};
use api::validate::{annotations, dns1123_label, labels};
use serde_json::Value;

use super::rules::{
    complain, default_text, default_to, int_or_string, label_name, not_decremented, not_negative, one_of, text,
};
use super::{persistent_volume_claim, pod_template};
use crate::strategy::Strategy;

const MAY_CHANGE: &str = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
     'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

impl Strategy for StatefulSet {
    const HAS_GENERATION: bool = true;

    fn default(&mut self) {
        let spec = self.spec.get_or_insert_default();
        pod_template::default(&mut spec.template);
        default_text(&mut spec.pod_management_policy, "OrderedReady");
        let strategy = spec.update_strategy.get_or_insert_default();
        if text(&strategy.type_).is_empty() {
            strategy.type_ = Some("RollingUpdate".into());
        }
        if text(&strategy.type_) == "RollingUpdate" {
            default_to(&mut strategy.rolling_update.get_or_insert_default().partition, 0);
        }
        let retention = spec.persistent_volume_claim_retention_policy.get_or_insert_default();
        default_text(&mut retention.when_deleted, "Retain");
        default_text(&mut retention.when_scaled, "Retain");
        default_to(&mut spec.replicas, 1);
        default_to(&mut spec.revision_history_limit, 10);
        for claim in spec.volume_claim_templates.iter_mut().flatten() {
            persistent_volume_claim::default_spec(claim.spec.get_or_insert_default());
            let status = claim.status.get_or_insert_with(PersistentVolumeClaimStatus::default);
            default_text(&mut status.phase, "Pending");
        }
        default_to(&mut self.status.get_or_insert_default().available_replicas, 0);
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(StatefulSetStatus { available_replicas: Some(0), ..StatefulSetStatus::default() });
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        if self.spec != old.spec {
            self.spec.clone_from(&old.spec);
        }
    }

    fn same_generation(&self, old: &Self) -> bool {
        self.spec == old.spec
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        label_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let none = StatefulSetSpec::default();
        validate_spec(self.spec.as_ref().unwrap_or(&none), &Path::new("spec"), &mut errors);
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = self.validate();
        if let (Some(new), Some(old)) = (&self.spec, &old.spec) {
            let mut kept = new.clone();
            kept.replicas = old.replicas;
            kept.ordinals.clone_from(&old.ordinals);
            kept.template.clone_from(&old.template);
            kept.update_strategy.clone_from(&old.update_strategy);
            kept.revision_history_limit = old.revision_history_limit;
            kept.min_ready_seconds = old.min_ready_seconds;
            kept.persistent_volume_claim_retention_policy.clone_from(&old.persistent_volume_claim_retention_policy);
            if kept != *old {
                errors.push(Error::forbidden(&Path::new("spec"), MAY_CHANGE));
            }
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
            ("readyReplicas", status.ready_replicas.unwrap_or(0)),
            ("currentReplicas", status.current_replicas.unwrap_or(0)),
            ("updatedReplicas", status.updated_replicas.unwrap_or(0)),
            ("availableReplicas", status.available_replicas.unwrap_or(0)),
        ];
        not_negative(status.replicas, &path.child("replicas"), &mut errors);
        for (name, count) in counts {
            not_negative(count, &path.child(name), &mut errors);
        }
        not_negative(status.observed_generation.unwrap_or(0), &path.child("observedGeneration"), &mut errors);
        not_negative(status.collision_count.unwrap_or(0), &path.child("collisionCount"), &mut errors);
        for (name, count) in counts {
            if count > status.replicas {
                errors.push(Error::invalid(&path.child(name), count, "cannot be greater than status.replicas"));
            }
        }
        let available = status.available_replicas.unwrap_or(0);
        if available > status.ready_replicas.unwrap_or(0) {
            let why = "cannot be greater than status.readyReplicas";
            errors.push(Error::invalid(&path.child("availableReplicas"), available, why));
        }
        let before = old.status.as_ref().and_then(|status| status.collision_count);
        not_decremented(status.collision_count, before, &path.child("collisionCount"), &mut errors);
        errors
    }
}

fn validate_spec(spec: &StatefulSetSpec, path: &Path, errors: &mut Errors) {
    let policy = text(&spec.pod_management_policy);
    if !matches!(policy, "OrderedReady" | "Parallel") {
        let why = "must be 'OrderedReady' or 'Parallel'";
        errors.push(Error::invalid(&path.child("podManagementPolicy"), policy, why));
    }
    if let Some(strategy) = &spec.update_strategy {
        update_strategy(strategy, &path.child("updateStrategy"), errors);
    }
    if let Some(retention) = &spec.persistent_volume_claim_retention_policy {
        self::retention(retention, &path.child("persistentVolumeClaimRetentionPolicy"), errors);
    }
    not_negative(spec.replicas.unwrap_or(1), &path.child("replicas"), errors);
    not_negative(spec.min_ready_seconds.unwrap_or(0), &path.child("minReadySeconds"), errors);
    if let Some(ordinals) = &spec.ordinals {
        let path = path.child("ordinals");
        not_negative(ordinals.start.unwrap_or(0), &path.child("start"), errors);
    }
    let service = text(&spec.service_name);
    if !service.is_empty() {
        complain(errors, &path.child("serviceName"), service, dns1123_label(service));
    }
    selected_template(spec, path, errors);
}

/// The selector and the template, of which hardly more than the labels is checked: the volumes that its containers mount
/// come from claims as well.
fn selected_template(spec: &StatefulSetSpec, path: &Path, errors: &mut Errors) {
    let template_path = path.child("template");
    if let Some(selector) = pod_template::validate_selector(&spec.selector, "statefulset", "", path, errors) {
        pod_template::validate_labels(&spec.template, &selector, &template_path, errors);
        if let Some(meta) = &spec.template.metadata {
            labels(meta.labels.as_ref(), &template_path.child("labels"), errors);
            annotations(meta.annotations.as_ref(), &template_path.child("annotations"), errors);
        }
    }
    pod_template::runs_for_ever(&spec.template, "StatefulSet", &template_path, errors);
}

fn update_strategy(strategy: &StatefulSetUpdateStrategy, path: &Path, errors: &mut Errors) {
    match (text(&strategy.type_), &strategy.rolling_update) {
        ("OnDelete", Some(rolling)) => {
            let partition = rolling.partition.map_or(Value::Null, Value::from);
            let value = format!("{{\"Partition\":{partition},\"MaxUnavailable\":null}}");
            let why = "only allowed for updateStrategy 'RollingUpdate'";
            errors.push(Error::invalid_verbatim(&path.child("rollingUpdate"), value, why));
        }
        ("OnDelete", None) | ("RollingUpdate", None) => {}
        ("RollingUpdate", Some(rolling)) => {
            let path = path.child("rollingUpdate");
            not_negative(rolling.partition.unwrap_or(0), &path.child("partition"), errors);
            if let Some(unavailable) = &rolling.max_unavailable {
                super::deployment::positive_or_percent(unavailable, &path.child("maxUnavailable"), errors);
                let is_zero = match unavailable {
                    IntOrString::Int(count) => *count == 0,
                    IntOrString::String(percent) => percent.trim_end_matches('%').parse() == Ok(0),
                };
                if is_zero {
                    let value = int_or_string(unavailable);
                    errors.push(Error::invalid(&path.child("maxUnavailable"), value, "cannot be 0"));
                }
                super::deployment::at_most_100_percent(unavailable, &path.child("maxUnavailable"), errors);
            }
        }
        (other, _) => {
            let value = format!("{{\"Type\":{},\"RollingUpdate\":null}}", Value::from(other));
            errors.push(Error::invalid_verbatim(path, value, "must be 'RollingUpdate' or 'OnDelete'"));
        }
    }
}

fn retention(policy: &StatefulSetPersistentVolumeClaimRetentionPolicy, path: &Path, errors: &mut Errors) {
    for (name, value) in [("whenDeleted", &policy.when_deleted), ("whenScaled", &policy.when_scaled)] {
        one_of(text(value), &["Retain", "Delete"], &path.child(name), errors);
    }
}
