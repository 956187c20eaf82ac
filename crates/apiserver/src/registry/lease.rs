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

    /// Leaders are not chosen by strategies where the gate of coordinated election is off, as it is by default.
    fn prepare_for_create(&mut self) {
        let spec = self.spec.get_or_insert_default();
        (spec.strategy, spec.preferred_holder) = (None, None);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        if old.spec.as_ref().is_none_or(|spec| spec.strategy.is_none() && spec.preferred_holder.is_none()) {
            self.prepare_for_create();
        }
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
