//! ReplicaSet.

use api::field::{Error, Errors, Path};
use api::types::{PodTemplateSpec, ReplicaSet, ReplicaSetSpec, ReplicaSetStatus};

use super::pod_template;
use super::rules::{default_to, not_negative, subdomain_name};
use crate::strategy::Strategy;

impl Strategy for ReplicaSet {
    const HAS_GENERATION: bool = true;

    fn default(&mut self) {
        let spec = self.spec.get_or_insert_default();
        pod_template::default(spec.template.get_or_insert_default());
        default_to(&mut spec.replicas, 1);
        self.status.get_or_insert_default();
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(ReplicaSetStatus::default());
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
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let none = ReplicaSetSpec::default();
        let (spec, path) = (self.spec.as_ref().unwrap_or(&none), Path::new("spec"));
        let empty = PodTemplateSpec::default();
        let template = spec.template.as_ref().unwrap_or(&empty);
        not_negative(spec.replicas.unwrap_or(1), &path.child("replicas"), &mut errors);
        not_negative(spec.min_ready_seconds.unwrap_or(0), &path.child("minReadySeconds"), &mut errors);
        // Upstream says "deployment" here too.
        pod_template::validate_selected(&spec.selector, template, "deployment", &path, &mut errors);
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = self.validate();
        if let (Some(new), Some(old)) = (&self.spec, &old.spec) {
            pod_template::same_selector(&new.selector, &old.selector, &mut errors);
        }
        errors
    }

    fn validate_status_update(&self, _old: &Self) -> Errors {
        let mut errors = Errors::new();
        let (Some(status), path) = (&self.status, Path::new("status")) else { return errors };
        let counts = [
            ("fullyLabeledReplicas", status.fully_labeled_replicas.unwrap_or(0)),
            ("readyReplicas", status.ready_replicas.unwrap_or(0)),
            ("availableReplicas", status.available_replicas.unwrap_or(0)),
        ];
        not_negative(status.replicas, &path.child("replicas"), &mut errors);
        for (name, count) in counts {
            not_negative(count, &path.child(name), &mut errors);
        }
        not_negative(status.observed_generation.unwrap_or(0), &path.child("observedGeneration"), &mut errors);
        for (name, count) in counts {
            if count > status.replicas {
                errors.push(Error::invalid(&path.child(name), count, "cannot be greater than status.replicas"));
            }
        }
        if counts[2].1 > counts[1].1 {
            let why = "cannot be greater than readyReplicas";
            errors.push(Error::invalid(&path.child("availableReplicas"), counts[2].1, why));
        }
        errors
    }
}
