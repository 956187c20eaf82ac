//! Roles and their bindings.

use api::types::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};

use super::rules::subdomain_name;
use crate::strategy::Strategy;

impl Strategy for Role {
    const CREATE_ON_UPDATE: bool = true;

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }
}

impl Strategy for RoleBinding {
    const CREATE_ON_UPDATE: bool = true;

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }
}

impl Strategy for ClusterRole {
    const CREATE_ON_UPDATE: bool = true;

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }
}

impl Strategy for ClusterRoleBinding {
    const CREATE_ON_UPDATE: bool = true;

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }
}
