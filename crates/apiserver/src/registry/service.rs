//! Service.

use api::types::*;

use crate::strategy::Strategy;

impl Strategy for Service {
    const CREATE_ON_UPDATE: bool = true;
    const DELETE_RETURNS_OBJECT: bool = true;

    fn prepare_for_create(&mut self) {
        self.status = None;
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
