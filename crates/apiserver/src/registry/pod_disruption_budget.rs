//! PodDisruptionBudget.

use api::types::*;

use crate::strategy::Strategy;

impl Strategy for PodDisruptionBudget {
    const HAS_GENERATION: bool = true;
    const UNCONDITIONAL_UPDATE: bool = false;

    fn prepare_for_create(&mut self) {
        // Upstream's status is no pointer: its zeros are always written.
        self.status = Some(PodDisruptionBudgetStatus::default());
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
    }

    fn same_generation(&self, old: &Self) -> bool {
        self.spec == old.spec
    }

    fn validate_name(_name: &str, _prefix: bool) -> Vec<String> {
        Vec::new()
    }
}
