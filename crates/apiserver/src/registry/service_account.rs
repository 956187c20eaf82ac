//! ServiceAccount.

use api::types::*;

use crate::strategy::Strategy;

impl Strategy for ServiceAccount {
    const DELETE_RETURNS_OBJECT: bool = true;

    fn validate_name(_name: &str, _prefix: bool) -> Vec<String> {
        Vec::new()
    }
}
