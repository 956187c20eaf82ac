//! ReplicationController.

use api::Propagation;
use api::field::{Error, Errors, Path};
use api::meta;
use api::selector::Selector;
use api::types::{ReplicationController, ReplicationControllerSpec, ReplicationControllerStatus};

use super::rules::{default_to, not_negative, subdomain_name};
use super::{pod_template, replica_set};
use crate::strategy::Strategy;

impl Strategy for ReplicationController {
    const HAS_GENERATION: bool = true;
    const DELETE_PROPAGATION: Propagation = Propagation::Orphan;
    const FIELDS: &'static [&'static str] = &["status.replicas"];

    fn default(&mut self) {
        let spec = self.spec.get_or_insert_default();
        default_to(&mut spec.replicas, 1);
        if let Some(template) = &mut spec.template {
            pod_template::default(template);
            if let Some(labels) = template.metadata.as_ref().and_then(|meta| meta.labels.as_ref()) {
                for field in [&mut spec.selector, &mut self.metadata.labels] {
                    if field.as_ref().is_none_or(|field| field.is_empty()) {
                        *field = Some(labels.clone());
                    }
                }
            }
        }
        self.status.get_or_insert_default();
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(ReplicationControllerStatus::default());
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

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let none = ReplicationControllerSpec::default();
        let (spec, path) = (self.spec.as_ref().unwrap_or(&none), Path::new("spec"));
        not_negative(spec.min_ready_seconds.unwrap_or(0), &path.child("minReadySeconds"), &mut errors);
        let selector = spec.selector.clone().unwrap_or_default();
        if selector.is_empty() {
            errors.push(Error::required(&path.child("selector"), ""));
        }
        not_negative(spec.replicas.unwrap_or(1), &path.child("replicas"), &mut errors);
        let path = path.child("template");
        let Some(template) = &spec.template else {
            errors.push(Error::required(&path, ""));
            return errors;
        };
        let matches =
            template.metadata.as_ref().is_some_and(|meta| Selector::from_map(&selector).matches(meta::labels(meta)));
        if !selector.is_empty() && !matches {
            pod_template::labels_do_not_match(template, &path, &mut errors);
        }
        pod_template::validate(template, &path, &mut errors);
        pod_template::runs_for_ever(template, "ReplicationController", &path, &mut errors);
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
            let counts = replica_set::Counts {
                terminating: 0,
                replicas: status.replicas,
                fully_labeled: status.fully_labeled_replicas.unwrap_or(0),
                ready: status.ready_replicas.unwrap_or(0),
                available: status.available_replicas.unwrap_or(0),
                observed_generation: status.observed_generation.unwrap_or(0),
            };
            counts.validate(&mut errors);
        }
        errors
    }

    fn field(&self, _name: &str) -> std::borrow::Cow<'_, str> {
        self.status.as_ref().map_or(0, |status| status.replicas).to_string().into()
    }
}
