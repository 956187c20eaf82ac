//! PodTemplate, the object.

use api::types::PodTemplate;

use super::rules::subdomain_name;
use crate::strategy::Strategy;

impl Strategy for PodTemplate {
    const HAS_GENERATION: bool = true;
    const DELETE_RETURNS_OBJECT: bool = true;

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }
}
