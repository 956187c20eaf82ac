//! Event.

use std::borrow::Cow;

use api::Object as _;
use api::field::{Error, Errors, Path};
use api::types::Event;
use api::validate::qualified_name;

use super::go_diff;
use super::rules::{IMMUTABLE, complain, selectable, subdomain_name, text};
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
        legacy(self, "reportingComponent")
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

/// `legacyValidateEvent`. The two groups call the controller by different names.
fn legacy(event: &Event, controller: &str) -> Errors {
    if event.event_time.is_some() {
        return validate_new(event, controller);
    }
    let mut errors = Errors::new();
    let path = Path::new("involvedObject");
    let involved = text(&event.involved_object.namespace);
    let namespace = text(&event.metadata.namespace);
    // Events about what has no namespace live in `default`.
    let fits = if involved.is_empty() { matches!(namespace, "" | "default") } else { involved == namespace };
    if !fits {
        errors.push(Error::invalid(&path.child("namespace"), involved, "does not match event.namespace"));
    }
    errors
}

/// Events that come through `events.k8s.io` are checked more strictly: `ValidateEventCreate`.
pub(crate) fn validate_strict(event: &Event) -> Errors {
    let mut errors = legacy(event, "reportingController");
    series(event, &mut errors);
    if event.event_time.is_none() {
        errors.push(Error::required(&Path::new("eventTime"), ""));
    }
    let kind = text(&event.type_);
    if !matches!(kind, "Normal" | "Warning") {
        errors.push(Error::invalid(&Path::new("type"), "", format!("has invalid value: {kind}")));
    }
    let is_sourced = event
        .source
        .as_ref()
        .is_some_and(|source| !text(&source.component).is_empty() || !text(&source.host).is_empty());
    for (field, is_set) in [
        ("firstTimestamp", event.first_timestamp.is_some()),
        ("lastTimestamp", event.last_timestamp.is_some()),
        ("count", event.count.unwrap_or(0) != 0),
        ("source", is_sourced),
    ] {
        if is_set {
            errors.push(Error::invalid(&Path::new(field), "", "needs to be unset"));
        }
    }
    errors
}

/// Of their changes, only the series may be one: `ValidateEventUpdate`.
pub(crate) fn validate_strict_update(event: &Event, old: &Event) -> Errors {
    let mut errors = legacy(event, "reportingController");
    if event.series != old.series {
        series(event, &mut errors);
    }
    let (new, old) = (event.to_value(), old.to_value());
    for (field, stored) in FIXED {
        if new[stored] != old[stored] {
            let shown = match *field {
                "involvedObject" | "related" => go_diff::compact("core.v1.ObjectReference", &new[stored]),
                "source" => go_diff::compact("core.v1.EventSource", &new[stored]),
                _ => new[stored].to_string(),
            };
            errors.push(Error::invalid_verbatim(&Path::new(field), shown, IMMUTABLE));
        }
    }
    errors
}

/// What stays as it is, in upstream's order, and its name in a stored event.
const FIXED: &[(&str, &str)] = &[
    ("involvedObject", "involvedObject"),
    ("reason", "reason"),
    ("message", "message"),
    ("source", "source"),
    ("firstTimestamp", "firstTimestamp"),
    ("lastTimestamp", "lastTimestamp"),
    ("count", "count"),
    ("reason", "reason"),
    ("type", "type"),
    ("eventTime", "eventTime"),
    ("action", "action"),
    ("related", "related"),
    ("reportingController", "reportingComponent"),
    ("reportingInstance", "reportingInstance"),
];

fn series(event: &Event, errors: &mut Errors) {
    let Some(series) = &event.series else { return };
    if series.count.unwrap_or(0) < 2 {
        errors.push(Error::invalid(&Path::new("series.count"), "", "should be at least 2"));
    }
    if series.last_observed_time.is_none() {
        errors.push(Error::required(&Path::new("series.lastObservedTime"), ""));
    }
}

/// An event with a time of its own follows the rules of the newer group.
fn validate_new(event: &Event, controller_field: &str) -> Errors {
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
    let path = Path::new(controller_field);
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
