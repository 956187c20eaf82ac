//! Node.

use std::borrow::Cow;

use api::field::{Error, Errors, Path};
use api::types::Node;
use api::validate::{label_value, qualified_name};
use serde_json::Value;

use super::addresses::{cidr_warnings, is_cidr, parse_ip};
use super::quota_names;
use super::rules::{complain, list, subdomain_name, text};
use crate::strategy::Strategy;

const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];

impl Strategy for Node {
    const FIELDS: &'static [&'static str] = &["spec.unschedulable"];

    fn default(&mut self) {
        let spec = self.spec.get_or_insert_default();
        spec.unschedulable = spec.unschedulable.filter(|unschedulable| *unschedulable);
        // The first range and the list of ranges say the same.
        if spec.pod_cidrs.as_ref().is_none_or(Vec::is_empty) {
            spec.pod_cidrs = spec.pod_cidr.clone().filter(|range| !range.is_empty()).map(|range| vec![range]);
        }
        let status = self.status.get_or_insert_default();
        if status.allocatable.is_none() {
            status.allocatable.clone_from(&status.capacity);
        }
        status.node_info.get_or_insert_default();
        status.daemon_endpoints.get_or_insert_default().kubelet_endpoint.get_or_insert_default();
        if spec.pod_cidr.is_none() {
            spec.pod_cidr = spec.pod_cidrs.as_ref().and_then(|ranges| ranges.first().cloned());
        }
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        if self.spec != old.spec {
            self.spec.clone_from(&old.spec);
        }
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let (Some(spec), path) = (&self.spec, Path::new("spec")) else { return errors };
        taints(self, &mut errors);
        amounts(self, &mut errors);
        let ranges = list(&spec.pod_cidrs);
        for (index, range) in list(&spec.pod_cidrs).iter().enumerate() {
            if !is_cidr(range) {
                let path = path.child("podCIDRs");
                let why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
                errors.push(Error::invalid(&path.index(index), range.as_str(), why));
            }
        }
        let is_four =
            |range: &String| parse_ip(range.split('/').next().unwrap_or_default()).is_some_and(|ip| ip.is_ipv4());
        if ranges.len() > 1 && !(ranges.len() == 2 && is_four(&ranges[0]) != is_four(&ranges[1])) {
            let why = "may specify no more than one CIDR for each IP family";
            errors.push(Error::invalid(&path.child("podCIDRs"), ranges.to_vec(), why));
        }
        errors
    }

    fn validate_status_update(&self, old: &Self) -> Errors {
        let mut errors = Errors::new();
        changes(self, old, &mut errors);
        errors
    }

    /// Upstream checks the new Node by itself first.
    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = self.validate();
        changes(self, old, &mut errors);
        errors
    }

    fn warnings(&self, _is_new: bool) -> Vec<String> {
        let path = Path::new("spec");
        let path = path.child("podCIDRs");
        let ranges = self.spec.iter().flat_map(|spec| list(&spec.pod_cidrs)).enumerate();
        ranges.flat_map(|(index, range)| cidr_warnings(&path.index(index), range)).collect()
    }

    fn field(&self, name: &str) -> Cow<'_, str> {
        match name {
            "spec.unschedulable" => {
                let unschedulable = self.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true);
                if unschedulable { "true" } else { "false" }.into()
            }
            _ => "".into(),
        }
    }
}

/// `ValidateNodeUpdate`
fn changes(new: &Node, old: &Node, errors: &mut Errors) {
    amounts(new, errors);
    let addresses = new.status.as_ref().map(|status| list(&status.addresses)).unwrap_or_default();
    let path = Path::new("status");
    let path = path.child("addresses");
    for (index, address) in addresses.iter().enumerate() {
        if addresses[..index].contains(address) {
            let [kind, value] = [&address.type_, &address.address].map(|text| Value::from(text.as_str()));
            let shown = format!("{{\"Type\":{kind},\"Address\":{value}}}");
            errors.push(Error::duplicate(&path.index(index), shown).verbatim());
        }
    }
    let path = Path::new("spec");
    if let (Some(new), Some(old)) = (&new.spec, &old.spec) {
        let (has, had) = (list(&new.pod_cidrs), list(&old.pod_cidrs));
        let changed = if has.len() == had.len() {
            has.iter().zip(had).filter(|(new, old)| new != old).count()
        } else {
            usize::from(!had.is_empty())
        };
        for _ in 0..changed {
            let why = "node updates may not change podCIDR except from \"\" to valid";
            errors.push(Error::forbidden(&path.child("podCIDRs"), why));
        }
        let (new, old) = (text(&new.provider_id), text(&old.provider_id));
        if !old.is_empty() && new != old {
            let why = "node updates may not change providerID except from \"\" to valid";
            errors.push(Error::forbidden(&path.child("providerID"), why));
        }
    }
    taints(new, errors);
}

/// `ValidateNodeResources`
fn amounts(node: &Node, errors: &mut Errors) {
    let path = Path::new("status");
    let Some(status) = &node.status else { return };
    for (name, resources) in [("capacity", &status.capacity), ("allocatable", &status.allocatable)] {
        let path = path.child(name);
        for (name, quantity) in resources.iter().flatten() {
            quota_names::quantity(name, quantity, &path.child(name), errors);
        }
    }
}

/// Upstream takes them for metadata.
fn taints(node: &Node, errors: &mut Errors) {
    let path = Path::new("metadata");
    let path = path.child("taints");
    let taints = node.spec.as_ref().map(|spec| list(&spec.taints)).unwrap_or_default();
    for (index, taint) in taints.iter().enumerate() {
        let path = path.index(index);
        complain(errors, &path.child("key"), &taint.key, qualified_name(&taint.key));
        let value = text(&taint.value);
        let bad = label_value(value);
        if !bad.is_empty() {
            errors.push(Error::invalid(&path.child("value"), value, bad.join(";")));
        }
        if taint.effect.is_empty() {
            errors.push(Error::required(&path.child("effect"), ""));
        } else if !EFFECTS.contains(&taint.effect.as_str()) {
            errors.push(Error::not_supported(&path.child("effect"), taint.effect.as_str(), EFFECTS));
        }
        if taints[..index].iter().any(|other| other.key == taint.key && other.effect == taint.effect) {
            let [key, value, effect] = [taint.key.as_str(), value, taint.effect.as_str()].map(Value::from);
            let shown = format!("{{\"Key\":{key},\"Value\":{value},\"Effect\":{effect},\"TimeAdded\":null}}");
            let detail = "taints must be unique by key and effect pair".into();
            errors.push(Error { detail, ..Error::duplicate(&path, shown).verbatim() });
        }
    }
}
