//! StorageClass.

use api::field::{Error, Errors, Path};
use api::types::StorageClass;
use api::validate::qualified_name;

use super::rules::{IMMUTABLE, complain, default_text, list, one_of, subdomain_name, text};
use crate::strategy::Strategy;

impl Strategy for StorageClass {
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
            complain(&mut errors, &path, &self.provisioner, qualified_name(&lower));
        }
        if self.parameters.as_ref().is_some_and(|parameters| parameters.contains_key("")) {
            errors.push(Error::invalid(&Path::new("parameters"), "", "field can not be empty."));
        }
        let policy = text(&self.reclaim_policy);
        one_of(policy, &["Delete", "Retain"], &Path::new("reclaimPolicy"), &mut errors);
        let mode = text(&self.volume_binding_mode);
        one_of(mode, &["Immediate", "WaitForFirstConsumer"], &Path::new("volumeBindingMode"), &mut errors);
        let path = Path::new("allowedTopologies");
        for (index, term) in list(&self.allowed_topologies).iter().enumerate() {
            let path = path.index(index);
            let path = path.child("matchLabelExpressions");
            for (index, expression) in list(&term.match_label_expressions).iter().enumerate() {
                let path = path.index(index);
                if expression.values.is_empty() {
                    errors.push(Error::required(&path.child("values"), ""));
                }
                complain(&mut errors, &path.child("key"), &expression.key, qualified_name(&expression.key));
            }
        }
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
