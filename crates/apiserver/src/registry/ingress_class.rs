//! IngressClass.

use api::field::{Error, Errors, Path};
use api::types::{IngressClass, IngressClassParametersReference};

use super::rules::{IMMUTABLE, default_text, subdomain_name, text};
use crate::strategy::Strategy;

const CONTROLLER_LENGTH_MAX: usize = 250;

impl Strategy for IngressClass {
    const HAS_GENERATION: bool = true;

    fn default(&mut self) {
        let spec = self.spec.get_or_insert_default();
        if let Some(parameters) = &mut spec.parameters {
            default_text(&mut parameters.scope, "Cluster");
        }
    }

    fn same_generation(&self, old: &Self) -> bool {
        self.spec == old.spec
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let (Some(spec), path) = (&self.spec, Path::new("spec")) else { return errors };
        let controller = text(&spec.controller);
        let controller_path = path.child("controller");
        if controller.len() > CONTROLLER_LENGTH_MAX {
            errors.push(Error::too_long(&controller_path, CONTROLLER_LENGTH_MAX));
        }
        if !is_domain_prefixed_path(controller) {
            let why = "must be a domain-prefixed path (such as \"acme.io/foo\")";
            errors.push(Error::invalid(&controller_path, controller, why));
        }
        if let Some(parameters) = &spec.parameters {
            self::parameters(parameters, &path.child("parameters"), &mut errors);
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let controller = |class: &Self| class.spec.as_ref().and_then(|spec| spec.controller.clone());
        let mut errors = Errors::new();
        if controller(self) != controller(old) {
            let path = Path::new("spec");
            let value = controller(self).unwrap_or_default();
            errors.push(Error::invalid(&path.child("controller"), value, IMMUTABLE));
        }
        errors.extend(self.validate());
        errors
    }
}

fn is_domain_prefixed_path(text: &str) -> bool {
    let Some((domain, path)) = text.split_once('/') else { return false };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    api::validate::dns1123_subdomain(domain).is_empty() && !path.is_empty() && path.bytes().all(allowed)
}

fn parameters(parameters: &IngressClassParametersReference, path: &Path, errors: &mut Errors) {
    for (name, value) in [("kind", &parameters.kind), ("name", &parameters.name)] {
        if value.is_empty() {
            let why = if name == "kind" { "kind is required" } else { "name is required" };
            errors.push(Error::required(&path.child(name), why));
        }
    }
    let namespace = text(&parameters.namespace);
    match text(&parameters.scope) {
        "Namespace" if namespace.is_empty() => {
            let why = "`parameters.scope` is set to 'Namespace'";
            errors.push(Error::required(&path.child("namespace"), why));
        }
        "Cluster" if parameters.namespace.is_some() => {
            let why = "`parameters.scope` is set to 'Cluster'";
            errors.push(Error::forbidden(&path.child("namespace"), why));
        }
        "Namespace" | "Cluster" => {}
        other => errors.push(Error::not_supported(&path.child("scope"), other, &["Cluster", "Namespace"])),
    }
}
