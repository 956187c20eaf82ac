//! Node.

use std::borrow::Cow;

use api::field::{Error, Errors, Path};
use api::types::{Node, Taint};
use api::validate::{label_value, qualified_name};

use super::addresses::is_cidr;
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
        taints(list(&spec.taints), &path.child("taints"), &mut errors);
        for (index, range) in list(&spec.pod_cidrs).iter().enumerate() {
            if !is_cidr(range) {
                let path = path.child("podCIDRs");
                let why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
                errors.push(Error::invalid(&path.index(index), range.as_str(), why));
            }
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = self.validate();
        let path = Path::new("spec");
        if let (Some(new), Some(old)) = (&self.spec, &old.spec) {
            let had = list(&old.pod_cidrs);
            if !had.is_empty() && had != list(&new.pod_cidrs) {
                let why = "node updates may not change podCIDR except from \"\" to valid";
                errors.push(Error::forbidden(&path.child("podCIDRs"), why));
            }
            let (new, old) = (text(&new.provider_id), text(&old.provider_id));
            if !old.is_empty() && new != old {
                let why = "node updates may not change providerID except from \"\" to valid";
                errors.push(Error::forbidden(&path.child("providerID"), why));
            }
        }
        errors
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

fn taints(taints: &[Taint], path: &Path, errors: &mut Errors) {
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
            let [key, value, effect] = [taint.key.as_str(), value, taint.effect.as_str()].map(serde_json::Value::from);
            let shown = format!("{{\"Key\":{key},\"Value\":{value},\"Effect\":{effect},\"TimeAdded\":null}}");
            errors.push(Error::duplicate(&path, shown).verbatim());
        }
    }
}
