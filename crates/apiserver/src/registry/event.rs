//! Event.

use api::types::*;

use crate::strategy::Strategy;

impl Strategy for Event {
    const CREATE_ON_UPDATE: bool = true;

    fn validate_name(_name: &str, _prefix: bool) -> Vec<String> {
        Vec::new()
    }
}
