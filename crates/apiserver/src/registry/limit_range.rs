//! LimitRange.

use api::types::LimitRange;

use super::rules::subdomain_name;
use crate::strategy::Strategy;

impl Strategy for LimitRange {
    const CREATE_ON_UPDATE: bool = true;

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }
}
