//! ReplicaSet.

use api::field::{Error, Errors, Path};
use api::types::{PodTemplateSpec, ReplicaSet, ReplicaSetSpec, ReplicaSetStatus};

use super::pod_template;
use super::rules::{default_to, not_negative, subdomain_name, twice};
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
        let mut errors = twice(self.validate());
        if let (Some(new), Some(old)) = (&self.spec, &old.spec) {
            pod_template::same_selector(&new.selector, &old.selector, &mut errors);
        }
        errors
    }

    fn warnings(&self, is_new: bool) -> Vec<String> {
        let Some(spec) = &self.spec else { return Vec::new() };
        let path = Path::new("spec");
        let name = self.metadata.name.as_deref().filter(|_| is_new);
        let template = spec.template.as_ref();
        template
            .map(|template| pod_template::warnings(name, template, &path.child("template"), None))
            .unwrap_or_default()
    }

    fn validate_status_update(&self, _old: &Self) -> Errors {
        let mut errors = Errors::new();
        if let Some(status) = &self.status {
            let counts = Counts {
                replicas: status.replicas,
                fully_labeled: status.fully_labeled_replicas.unwrap_or(0),
                ready: status.ready_replicas.unwrap_or(0),
                available: status.available_replicas.unwrap_or(0),
                terminating: status.terminating_replicas.unwrap_or(0),
                observed_generation: status.observed_generation.unwrap_or(0),
            };
            counts.validate(&mut errors);
        }
        errors
    }
}

/// What the statuses of ReplicaSets and ReplicationControllers count.
pub(super) struct Counts {
    pub replicas: i32,
    pub fully_labeled: i32,
    pub ready: i32,
    pub available: i32,
    pub terminating: i32,
    pub observed_generation: i64,
}

impl Counts {
    pub fn validate(&self, errors: &mut Errors) {
        let path = Path::new("status");
        let counts = [
            ("fullyLabeledReplicas", self.fully_labeled),
            ("readyReplicas", self.ready),
            ("availableReplicas", self.available),
        ];
        not_negative(self.replicas, &path.child("replicas"), errors);
        for (name, count) in counts {
            not_negative(count, &path.child(name), errors);
        }
        not_negative(self.terminating, &path.child("terminatingReplicas"), errors);
        not_negative(self.observed_generation, &path.child("observedGeneration"), errors);
        for (name, count) in counts {
            if count > self.replicas {
                errors.push(Error::invalid(&path.child(name), count, "cannot be greater than status.replicas"));
            }
        }
        if self.available > self.ready {
            let why = "cannot be greater than readyReplicas";
            errors.push(Error::invalid(&path.child("availableReplicas"), self.available, why));
        }
    }
}
