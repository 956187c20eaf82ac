//! NetworkPolicy.

use api::types::NetworkPolicy;

use super::rules::subdomain_name;
use crate::strategy::Strategy;

impl Strategy for NetworkPolicy {
    const HAS_GENERATION: bool = true;

    fn same_generation(&self, old: &Self) -> bool {
        self.spec == old.spec
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }
}
