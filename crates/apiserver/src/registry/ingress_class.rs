//! IngressClass.

use api::types::*;

use crate::strategy::Strategy;

impl Strategy for IngressClass {
    const HAS_GENERATION: bool = true;

    fn validate_name(_name: &str, _prefix: bool) -> Vec<String> {
        Vec::new()
    }
}
