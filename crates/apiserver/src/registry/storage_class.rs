//! StorageClass.

use std::collections::{BTreeMap, BTreeSet};

use api::field::{Error, Errors, Path};
use api::types::{StorageClass, TopologySelectorTerm};
use api::validate::qualified_name;

use super::rules::{IMMUTABLE, complain, default_text, list, one_of, subdomain_name, text};
use crate::strategy::Strategy;

impl Strategy for StorageClass {
    const DELETE_RETURNS_OBJECT: bool = true;

    fn default(&mut self) {
        default_text(&mut self.reclaim_policy, "Delete");
        default_text(&mut self.volume_binding_mode, "Immediate");
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let path = Path::new("provisioner");
        if self.provisioner.is_empty() {
            errors.push(Error::required(&path, ""));
        } else {
            let lower = self.provisioner.to_lowercase();
            complain(&mut errors, &path, &lower, qualified_name(&lower));
        }
        if let Some(parameters) = &self.parameters {
            let sizes = parameters.iter().map(|(key, value)| (key.len(), value.len()));
            super::csi::parameters(sizes, &mut errors);
        }
        let policy = text(&self.reclaim_policy);
        one_of(policy, &["Delete", "Retain"], &Path::new("reclaimPolicy"), &mut errors);
        let mode = text(&self.volume_binding_mode);
        one_of(mode, &["Immediate", "WaitForFirstConsumer"], &Path::new("volumeBindingMode"), &mut errors);
        topologies(list(&self.allowed_topologies), &Path::new("allowedTopologies"), &mut errors);
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = self.validate();
        if self.parameters != old.parameters {
            errors.push(Error::forbidden(&Path::new("parameters"), "updates to parameters are forbidden."));
        }
        for (name, new, old) in [
            ("provisioner", self.provisioner.as_str(), old.provisioner.as_str()),
            ("reclaimPolicy", text(&self.reclaim_policy), text(&old.reclaim_policy)),
            ("volumeBindingMode", text(&self.volume_binding_mode), text(&old.volume_binding_mode)),
        ] {
            if new != old {
                errors.push(Error::invalid(&Path::new(name), new, IMMUTABLE));
            }
        }
        errors
    }
}

/// `validateAllowedTopologies`
fn topologies(terms: &[TopologySelectorTerm], path: &Path, errors: &mut Errors) {
    let mut seen: Vec<BTreeMap<&str, BTreeSet<&String>>> = Vec::new();
    for (index, term) in terms.iter().enumerate() {
        let path = path.index(index);
        let path = path.child("matchLabelExpressions");
        let mut selected: BTreeMap<&str, BTreeSet<&String>> = BTreeMap::new();
        for (index, expression) in list(&term.match_label_expressions).iter().enumerate() {
            let path = path.index(index);
            let values_path = path.child("values");
            if expression.values.is_empty() {
                errors.push(Error::required(&values_path, ""));
            }
            let mut values = BTreeSet::new();
            for (index, value) in expression.values.iter().enumerate().filter(|(_, value)| !values.insert(*value)) {
                errors.push(Error::duplicate(&values_path.index(index), value.as_str()));
            }
            let (key, key_path) = (expression.key.as_str(), path.child("key"));
            complain(errors, &key_path, key, qualified_name(key));
            if selected.insert(key, values).is_some() {
                errors.push(Error::duplicate(&key_path, key));
            }
        }
        if seen.contains(&selected) {
            errors.push(Error::duplicate(&path, ""));
        }
        seen.push(selected);
    }
}
