//! Secret.

use api::types::*;

use crate::strategy::Strategy;

impl Strategy for Secret {
    fn validate_name(_name: &str, _prefix: bool) -> Vec<String> {
        Vec::new()
    }
}
