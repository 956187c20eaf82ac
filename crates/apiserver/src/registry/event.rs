//! Event.

use std::borrow::Cow;

use api::field::{Error, Errors, Path};
use api::types::Event;
use api::validate::qualified_name;

use super::rules::{complain, selectable, subdomain_name, text};
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
        if self.event_time.is_some() {
            return validate_new(self);
        }
        let mut errors = Errors::new();
        let path = Path::new("involvedObject");
        let involved = text(&self.involved_object.namespace);
        let namespace = text(&self.metadata.namespace);
        // Events about what has no namespace live in `default`.
        let fits = if involved.is_empty() { matches!(namespace, "" | "default") } else { involved == namespace };
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

/// An event with a time of its own follows the rules of the newer group.
fn validate_new(event: &Event) -> Errors {
    const NAME_LENGTH_MAX: usize = 128;
    const MESSAGE_LENGTH_MAX: usize = 1024;
    let mut errors = Errors::new();
    let involved = text(&event.involved_object.namespace);
    let namespace = text(&event.metadata.namespace);
    if involved.is_empty() && !matches!(namespace, "default" | "kube-system") {
        let path = Path::new("involvedObject");
        errors.push(Error::invalid(&path.child("namespace"), involved, "does not match event.namespace"));
    }
    let controller = text(&event.reporting_component);
    let path = Path::new("reportingController");
    if controller.is_empty() {
        errors.push(Error::required(&path, ""));
    }
    complain(&mut errors, &path, controller, qualified_name(controller));
    for (name, value) in [
        ("reportingInstance", text(&event.reporting_instance)),
        ("action", text(&event.action)),
        ("reason", text(&event.reason)),
    ] {
        if value.is_empty() {
            errors.push(Error::required(&Path::new(name), ""));
        } else if value.len() > NAME_LENGTH_MAX {
            let why = format!("can have at most {NAME_LENGTH_MAX} characters");
            errors.push(Error::invalid(&Path::new(name), "", why));
        }
    }
    if text(&event.message).len() > MESSAGE_LENGTH_MAX {
        let why = format!("can have at most {MESSAGE_LENGTH_MAX} characters");
        errors.push(Error::invalid(&Path::new("message"), "", why));
    }
    errors
}
