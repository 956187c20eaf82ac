//! ControllerRevision.

use api::field::{Error, Errors, Path};
use api::types::ControllerRevision;

use super::rules::{not_negative, subdomain_name};
use crate::strategy::Strategy;

impl Strategy for ControllerRevision {
    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        if self.data.is_none() {
            errors.push(Error::required(&Path::new("data"), "data is mandatory"));
        }
        not_negative(self.revision, &Path::new("revision"), &mut errors);
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = self.validate();
        if self.data != old.data {
            let value = self.data.as_ref().map(|data| data.0.clone()).unwrap_or_default();
            errors.push(Error::invalid(&Path::new("data"), value, super::rules::IMMUTABLE));
        }
        errors
    }
}
