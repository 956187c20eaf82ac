//! IngressClass.

use api::field::{Error, Errors, Path};
use api::types::{IngressClass, IngressClassParametersReference};
use api::validate::dns1123_label;

use super::ingress::typed_reference;
use super::rules::{IMMUTABLE, complain, default_text, domain_prefixed_path, subdomain_name, text};
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
        domain_prefixed_path(controller, &controller_path, &mut errors);
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

fn parameters(parameters: &IngressClassParametersReference, path: &Path, errors: &mut Errors) {
    typed_reference(&parameters.api_group, &parameters.kind, &parameters.name, path, errors);
    match text(&parameters.scope) {
        "Namespace" => match &parameters.namespace {
            None => {
                let why = "`parameters.scope` is set to 'Namespace'";
                errors.push(Error::required(&path.child("namespace"), why));
            }
            Some(namespace) => complain(errors, &path.child("namespace"), namespace, dns1123_label(namespace)),
        },
        "Cluster" if parameters.namespace.is_some() => {
            let why = "`parameters.scope` is set to 'Cluster'";
            errors.push(Error::forbidden(&path.child("namespace"), why));
        }
        "Cluster" => {}
        other => errors.push(Error::not_supported(&path.child("scope"), other, &["Cluster", "Namespace"])),
    }
}
