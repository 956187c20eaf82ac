//! RuntimeClass.

use api::field::{Error, Errors, Path};
use api::types::RuntimeClass;
use api::validate::{dns1123_label, labels};

use super::pod;
use super::rules::{IMMUTABLE, complain, list, subdomain_name};
use crate::strategy::Strategy;

impl Strategy for RuntimeClass {
    const CREATE_ON_UPDATE: bool = true;
    const UNCONDITIONAL_UPDATE: bool = false;

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        complain(&mut errors, &Path::new("handler"), &self.handler, dns1123_label(&self.handler));
        if let Some(fixed) = self.overhead.as_ref().and_then(|overhead| overhead.pod_fixed.as_ref()) {
            let path = Path::new("overhead");
            let path = path.child("podFixed");
            pod::overhead(fixed, &path.child("limits"), &mut errors);
        }
        if let Some(scheduling) = &self.scheduling {
            let path = Path::new("scheduling");
            labels(scheduling.node_selector.as_ref(), &path.child("nodeSelector"), &mut errors);
            pod::validate_tolerations(list(&scheduling.tolerations), &path.child("tolerations"), &mut errors);
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = self.validate();
        if self.handler != old.handler {
            errors.push(Error::invalid(&Path::new("handler"), self.handler.as_str(), IMMUTABLE));
        }
        errors
    }
}
