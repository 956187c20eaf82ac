//! ServiceAccount.

use api::types::ServiceAccount;

use super::rules::subdomain_name;
use crate::strategy::Strategy;

impl Strategy for ServiceAccount {
    const DELETE_RETURNS_OBJECT: bool = true;

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }
}
