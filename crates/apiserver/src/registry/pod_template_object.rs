//! PodTemplate, the object.

use api::field::{Errors, Path};
use api::types::{PodTemplate, PodTemplateSpec};

use super::pod_template;
use super::rules::subdomain_name;
use crate::strategy::Strategy;

impl Strategy for PodTemplate {
    const HAS_GENERATION: bool = true;
    const DELETE_RETURNS_OBJECT: bool = true;

    fn default(&mut self) {
        pod_template::default(self.template.get_or_insert_default());
    }

    fn same_generation(&self, old: &Self) -> bool {
        self.template == old.template
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn warnings(&self, _is_new: bool) -> Vec<String> {
        let template = self.template.as_ref();
        template
            .map(|template| pod_template::warnings(None, template, &Path::new("template"), None))
            .unwrap_or_default()
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let none = PodTemplateSpec::default();
        pod_template::validate(self.template.as_ref().unwrap_or(&none), &Path::new("template"), &mut errors);
        errors
    }
}
