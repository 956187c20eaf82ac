//! Lease.

use api::field::{Errors, Path};
use api::types::Lease;

use super::rules::{not_negative, positive, subdomain_name};
use crate::strategy::Strategy;

impl Strategy for Lease {
    const CREATE_ON_UPDATE: bool = true;
    const UNCONDITIONAL_UPDATE: bool = false;

    fn default(&mut self) {
        self.spec.get_or_insert_default();
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let (Some(spec), path) = (&self.spec, Path::new("spec")) else { return errors };
        if let Some(seconds) = spec.lease_duration_seconds {
            positive(seconds, &path.child("leaseDurationSeconds"), &mut errors);
        }
        not_negative(spec.lease_transitions.unwrap_or(0), &path.child("leaseTransitions"), &mut errors);
        errors
    }
}
