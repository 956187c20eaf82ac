//! ServiceAccount.

use api::field::Path;
use api::types::{ObjectReference, ServiceAccount};

use super::rules::subdomain_name;
use crate::strategy::Strategy;

impl Strategy for ServiceAccount {
    const DELETE_RETURNS_OBJECT: bool = true;

    fn prepare_for_create(&mut self) {
        only_names(self);
    }

    fn prepare_for_update(&mut self, _old: &Self) {
        only_names(self);
    }

    fn warnings(&self, is_new: bool) -> Vec<String> {
        const ENFORCES: &str = "kubernetes.io/enforce-mountable-secrets";
        if !is_new || api::meta::annotation(&self.metadata, ENFORCES).is_none() {
            return Vec::new();
        }
        let path = Path::new("metadata");
        let path = path.child("annotations");
        let why = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets";
        vec![format!("{}: {why}", path.key(ENFORCES))]
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }
}

/// References to Secrets hold nothing but names.
fn only_names(account: &mut ServiceAccount) {
    for secret in account.secrets.iter_mut().flatten() {
        *secret = ObjectReference { name: secret.name.take(), ..ObjectReference::default() };
    }
}
