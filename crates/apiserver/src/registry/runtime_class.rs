//! RuntimeClass.

use api::types::RuntimeClass;

use super::rules::subdomain_name;
use crate::strategy::Strategy;

impl Strategy for RuntimeClass {
    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }
}
