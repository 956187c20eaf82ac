//! Pod.
//!
//! Reading order: [`defaults`], [`spec`] (the order in which everything is checked), then one file for each part.

mod affinity;
mod annotations;
mod containers;
mod defaults;
mod dns;
mod env;
mod ephemeral;
mod handlers;
mod mounts;
mod qos;
mod resize;
mod resources;
mod security;
mod spec;
mod spread;
mod tolerations;
mod update;
mod volumes;
mod warnings;
mod windows;

use std::borrow::Cow;

use api::field::{Error, Errors, Path};
use api::types::{Pod, PodCondition, PodSpec, PodStatus, Time};
use api::validate::dns1123_label;
use api::{Object, Subresource};

use crate::registry::rules::{is_empty, list, selectable, subdomain_name};
use crate::strategy::Strategy;

pub(in crate::registry) use affinity::node_selector;
pub(in crate::registry) use annotations::{agree as annotations_agree, validate as validate_annotations};
pub(in crate::registry) use defaults::spec as default_spec;
pub(in crate::registry) use handlers::port;
pub(in crate::registry) use resources::overhead;
pub(in crate::registry) use spec::{required_word, validate as validate_spec};
pub(in crate::registry) use tolerations::validate as validate_tolerations;
pub(in crate::registry) use warnings::{fraction_warning, of as warnings};

impl Strategy for Pod {
    const DELETE_RETURNS_OBJECT: bool = true;
    const HAS_GENERATION: bool = true;
    const FIELDS: &'static [&'static str] = &[
        "spec.nodeName",
        "spec.host",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.hostIP",
        "status.podIP",
        "status.podIPs",
        "status.nominatedNodeName",
    ];

    fn default(&mut self) {
        defaults::pod(self);
    }

    fn prepare_for_create(&mut self) {
        let spec = self.spec.get_or_insert_default();
        let gated = !list(&spec.scheduling_gates).is_empty();
        let since = self.metadata.creation_timestamp.clone();
        let conditions = gated.then(|| vec![blocked_by_gates(since)]);
        self.status = Some(PodStatus {
            phase: Some("Pending".into()),
            qos_class: Some(qos::class(spec).into()),
            conditions,
            ..PodStatus::default()
        });
        drop_disabled(spec);
        affinity::merge_label_keys(self);
        if let (Some(annotations), Some(spec)) = (&self.metadata.annotations, &mut self.spec) {
            annotations::to_fields(annotations, spec);
        }
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
        let had_gates = old.spec.as_ref().is_some_and(|spec| !list(&spec.scheduling_gates).is_empty());
        let has_gates = self.spec.as_ref().is_some_and(|spec| !list(&spec.scheduling_gates).is_empty());
        if had_gates && !has_gates {
            remove_blocked(self.status.get_or_insert_default());
        }
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        if self.spec != old.spec {
            self.spec.clone_from(&old.spec);
        }
        let status = self.status.get_or_insert_default();
        if is_empty(&status.qos_class) {
            let before = old.status.as_ref().and_then(|status| status.qos_class.clone());
            status.qos_class = before.filter(|class| !class.is_empty());
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
        let path = Path::new("spec");
        let none = PodSpec::default();
        let spec = self.spec.as_ref().unwrap_or(&none);
        validate_whole(self, &mut errors);
        if !list(&spec.ephemeral_containers).is_empty() {
            errors.push(Error::forbidden(&path.child("ephemeralContainers"), "cannot be set on create"));
        }
        if !is_empty(&spec.node_name) && !list(&spec.scheduling_gates).is_empty() {
            let why = "cannot be set until all schedulingGates have been cleared";
            errors.push(Error::forbidden(&path.child("nodeName"), why));
        }
        annotations::agree(annotations_of(self), spec, &path, &mut errors);
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let none = PodSpec::default();
        let mut errors = Errors::new();
        validate_whole(self, &mut errors);
        validate_annotation_changes(self, old, &mut errors);
        let (new, old) = (self.spec.as_ref().unwrap_or(&none), old.spec.as_ref().unwrap_or(&none));
        update::validate(new, old, &mut errors);
        errors
    }

    /// Hardly anybody updates a Pod by hand.
    fn warnings(&self, is_new: bool) -> Vec<String> {
        let Some(spec) = self.spec.as_ref().filter(|_| is_new) else { return Vec::new() };
        let mut texts = Vec::new();
        let complaints = dns1123_label(self.metadata.name.as_deref().unwrap_or_default());
        if !complaints.is_empty() {
            texts.push(format!(
                "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS \
                 label is recommended: [{}]",
                complaints.join(" ")
            ));
        }
        texts.extend(warnings(spec, annotations_of(self), None));
        texts
    }

    fn validate_status_update(&self, old: &Self) -> Errors {
        let mut errors = Errors::new();
        validate_annotation_changes(self, old, &mut errors);
        errors.extend(update::validate_status(self, old));
        errors
    }

    fn field(&self, name: &str) -> Cow<'_, str> {
        let spec = |field: fn(&PodSpec) -> &Option<String>| self.spec.as_ref().map(field).map_or("".into(), selectable);
        let status =
            |field: fn(&PodStatus) -> &Option<String>| self.status.as_ref().map(field).map_or("".into(), selectable);
        match name {
            "spec.nodeName" => spec(|spec| &spec.node_name),
            "spec.restartPolicy" => spec(|spec| &spec.restart_policy),
            "spec.schedulerName" => spec(|spec| &spec.scheduler_name),
            "spec.serviceAccountName" => spec(|spec| &spec.service_account_name),
            "spec.hostNetwork" => {
                let host_network = self.spec.as_ref().and_then(|spec| spec.host_network) == Some(true);
                if host_network { "true" } else { "false" }.into()
            }
            "status.phase" => status(|status| &status.phase),
            "status.podIP" => status(|status| &status.pod_ip),
            "status.nominatedNodeName" => status(|status| &status.nominated_node_name),
            // Upstream lets clients ask for more addresses, and compares them with nothing.
            _ => "".into(),
        }
    }
}

/// What PUT and PATCH of `ephemeralcontainers` and `resize` change: one part of the specification, and nothing else.
pub fn update_part(part: Subresource, new: &mut dyn Object, old: &dyn Object) -> Errors {
    let (Some(new), Some(old)) = (new.downcast_mut::<Pod>(), old.downcast_ref::<Pod>()) else { return Errors::new() };
    match part {
        Subresource::Resize => resize::prepare(new, old),
        _ => ephemeral::prepare(new, old),
    }
    if new.spec != old.spec {
        new.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
    }
    let refused = if part == Subresource::Resize { resize::refuse(old) } else { ephemeral::refuse(old) };
    if let Some(error) = refused {
        return vec![error];
    }
    let mut errors = Errors::new();
    validate_whole(new, &mut errors);
    match part {
        Subresource::Resize => resize::validate(new, old, &mut errors),
        _ => ephemeral::validate(new, old, &mut errors),
    }
    errors
}

fn annotations_of(pod: &Pod) -> &annotations::Annotations {
    static NONE: annotations::Annotations = annotations::Annotations::new();
    pod.metadata.annotations.as_ref().unwrap_or(&NONE)
}

fn validate_annotation_changes(new: &Pod, old: &Pod, errors: &mut Errors) {
    let none = PodSpec::default();
    let path = Path::new("metadata");
    let spec = new.spec.as_ref().unwrap_or(&none);
    annotations::validate_update(annotations_of(new), annotations_of(old), spec, &path.child("annotations"), errors);
}

/// `validatePodMetadataAndSpec`
fn validate_whole(pod: &Pod, errors: &mut Errors) {
    let none = PodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&none);
    annotations::validate(annotations_of(pod), spec, &Path::new("metadata").child("annotations"), errors);
    let path = Path::new("spec");
    validate_spec(spec, Some(&pod.metadata), &path, errors);
    containers::images(spec, &path, errors);
}

/// Fields whose feature gates are off are as if nobody had written them.
fn drop_disabled(spec: &mut PodSpec) {
    spec.scheduling_group = None;
    for source in spec.volumes.iter_mut().flatten().filter_map(|volume| volume.projected.as_mut()?.sources.as_mut()) {
        for source in source {
            source.cluster_trust_bundle = None;
            source.pod_certificate = None;
        }
    }
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        if let Some(lifecycle) = &mut container.lifecycle {
            lifecycle.stop_signal = None;
        }
    }
}

fn blocked_by_gates(since: Option<Time>) -> PodCondition {
    PodCondition {
        type_: "PodScheduled".into(),
        status: "False".into(),
        reason: Some("SchedulingGated".into()),
        message: Some("Scheduling is blocked due to non-empty scheduling gates".into()),
        last_transition_time: since,
        ..PodCondition::default()
    }
}

fn remove_blocked(status: &mut PodStatus) {
    if let Some(conditions) = &mut status.conditions {
        conditions.retain(|condition| condition.reason.as_deref() != Some("SchedulingGated"));
        if conditions.is_empty() {
            status.conditions = None;
        }
    }
}
