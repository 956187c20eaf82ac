//! Namespace.

use api::types::*;

use crate::strategy::Strategy;

impl Strategy for Namespace {
    fn prepare_for_create(&mut self) {
        self.spec = Some(NamespaceSpec { finalizers: Some(vec!["kubernetes".into()]) });
        self.status = Some(NamespaceStatus { phase: Some("Active".into()), ..NamespaceStatus::default() });
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        if self.spec != old.spec {
            self.spec.clone_from(&old.spec);
        }
    }

    fn validate_name(_name: &str, _prefix: bool) -> Vec<String> {
        Vec::new()
    }
}
