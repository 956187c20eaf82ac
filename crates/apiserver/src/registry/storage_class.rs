//! StorageClass.

use api::types::*;

use crate::strategy::Strategy;

impl Strategy for StorageClass {
    fn validate_name(_name: &str, _prefix: bool) -> Vec<String> {
        Vec::new()
    }
}
