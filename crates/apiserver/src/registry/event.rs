//! Event.

use std::borrow::Cow;

use api::field::{Error, Errors, Path};
use api::types::Event;

use super::rules::{selectable, subdomain_name, text};
use crate::strategy::Strategy;

impl Strategy for Event {
    const CREATE_ON_UPDATE: bool = true;
    const FIELDS: &'static [&'static str] = &[
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ];

    fn default(&mut self) {
        self.source.get_or_insert_default();
        self.reporting_component.get_or_insert_default();
        self.reporting_instance.get_or_insert_default();
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let path = Path::new("involvedObject");
        let involved = text(&self.involved_object.namespace);
        let namespace = text(&self.metadata.namespace);
        // Events about what has no namespace live in `default`.
        let fits = if involved.is_empty() {
            matches!(namespace, "" | "default" | "kube-system")
        } else {
            involved == namespace
        };
        if !fits {
            errors.push(Error::invalid(&path.child("namespace"), involved, "does not match event.namespace"));
        }
        errors
    }

    fn field(&self, name: &str) -> Cow<'_, str> {
        let involved = &self.involved_object;
        match name {
            "involvedObject.kind" => selectable(&involved.kind),
            "involvedObject.namespace" => selectable(&involved.namespace),
            "involvedObject.name" => selectable(&involved.name),
            "involvedObject.uid" => selectable(&involved.uid),
            "involvedObject.apiVersion" => selectable(&involved.api_version),
            "involvedObject.resourceVersion" => selectable(&involved.resource_version),
            "involvedObject.fieldPath" => selectable(&involved.field_path),
            "reason" => selectable(&self.reason),
            "reportingComponent" => selectable(&self.reporting_component),
            "source" => {
                let component = self.source.as_ref().map_or("".into(), |source| selectable(&source.component));
                if component.is_empty() { selectable(&self.reporting_component) } else { component }
            }
            "type" => selectable(&self.type_),
            _ => "".into(),
        }
    }
}
