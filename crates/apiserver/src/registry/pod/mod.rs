//! Pod.
//!
//! Reading order: [`defaults`], [`spec`] (the order in which everything is checked), then one file for each part.

mod affinity;
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

use std::borrow::Cow;

use api::field::{Error, Errors, Path};
use api::types::{Pod, PodCondition, PodSpec, PodStatus, Time};
use api::validate::dns1123_label;
use api::{Object, Subresource};

use crate::registry::rules::{is_empty, list, selectable, subdomain_name};
use crate::strategy::Strategy;

pub(in crate::registry) use affinity::node_selector;
pub(in crate::registry) use defaults::spec as default_spec;
pub(in crate::registry) use handlers::port;
pub(in crate::registry) use resources::overhead;
pub(in crate::registry) use spec::{required_word, validate as validate_spec};
pub(in crate::registry) use tolerations::validate as validate_tolerations;
pub(in crate::registry) use volumes::host_path;
pub(in crate::registry) use warnings::{fraction_warning, of as warnings};

impl Strategy for Pod {
    const DELETE_RETURNS_OBJECT: bool = true;
    const HAS_GENERATION: bool = true;
    const FIELDS: &'static [&'static str] = &[
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
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
        validate_spec(spec, &path, &mut errors);
        if !list(&spec.ephemeral_containers).is_empty() {
            errors.push(Error::forbidden(&path.child("ephemeralContainers"), "cannot be set on create"));
        }
        if !is_empty(&spec.node_name) && !list(&spec.scheduling_gates).is_empty() {
            let why = "cannot be set until all schedulingGates have been cleared";
            errors.push(Error::forbidden(&path.child("nodeName"), why));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let none = PodSpec::default();
        let (new, old) = (self.spec.as_ref().unwrap_or(&none), old.spec.as_ref().unwrap_or(&none));
        let mut errors = Errors::new();
        validate_spec(new, &Path::new("spec"), &mut errors);
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
        texts.extend(warnings(spec, self.metadata.annotations.as_ref(), None));
        texts
    }

    fn validate_status_update(&self, old: &Self) -> Errors {
        update::validate_status(self, old)
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
            "status.podIPs" => {
                let ips = self.status.iter().flat_map(|status| list(&status.pod_ips)).map(|ip| ip.ip.as_str());
                ips.collect::<Vec<_>>().join(",").into()
            }
            "status.nominatedNodeName" => status(|status| &status.nominated_node_name),
            _ => "".into(),
        }
    }
}

/// What PUT and PATCH of `ephemeralcontainers` and `resize` change: one part of the specification, and nothing else.
pub fn update_part(part: Subresource, new: &mut dyn Object, old: &dyn Object) -> Errors {
    let (Some(new), Some(old)) = (new.downcast_mut::<Pod>(), old.downcast_ref::<Pod>()) else { return Errors::new() };
    let mut errors = match part {
        Subresource::Resize => resize::update(new, old),
        _ => ephemeral::update(new, old),
    };
    if new.spec != old.spec {
        new.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
    }
    let mut wrong = Errors::new();
    if let Some(spec) = &new.spec {
        validate_spec(spec, &Path::new("spec"), &mut wrong);
    }
    wrong.append(&mut errors);
    wrong
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
