//! Which objects a list or watch is about: namespace, label selector, field selector.

use std::borrow::Cow;

use api::selector::{FieldSelector, Selector};
use api::{Object, Request, Status};

use crate::strategy::KindRules;

#[derive(Clone)]
pub(crate) struct Filter {
    namespace: String,
    labels: Selector,
    fields: FieldSelector,
    rules: KindRules,
    /// What is asked for are the Events of `events.k8s.io`, which names their fields differently.
    renamed: bool,
}

/// The selectable fields of `events.k8s.io` Events, and what core Events call them.
const RENAMED: [(&str, &str); 10] = [
    ("reason", "reason"),
    ("regarding.kind", "involvedObject.kind"),
    ("regarding.namespace", "involvedObject.namespace"),
    ("regarding.name", "involvedObject.name"),
    ("regarding.uid", "involvedObject.uid"),
    ("regarding.apiVersion", "involvedObject.apiVersion"),
    ("regarding.resourceVersion", "involvedObject.resourceVersion"),
    ("regarding.fieldPath", "involvedObject.fieldPath"),
    ("reportingController", "reportingComponent"),
    ("type", "type"),
];

/// What Pods call their node, and what they called it once.
const NODE_NAME: &str = "spec.nodeName";
const OLD_NODE_NAME: &str = "spec.host";

impl Filter {
    pub fn of(rules: KindRules, request: &Request) -> Result<Filter, Status> {
        let options = &request.options;
        let labels = Selector::parse(&options.label_selector)
            .map_err(|message| Status::bad_request(format!("unable to parse requirement: {message}")))?;
        let mut fields = FieldSelector::parse(&options.field_selector).map_err(Status::bad_request)?;
        let renamed = !request.kind.is_custom() && api::kinds::row(request.kind).group == "events.k8s.io";
        if let Some(unknown) = fields.names().find(|name| !is_known(name, &rules, renamed)) {
            return Err(Status::bad_request(not_selectable(unknown, &rules)));
        }
        if !request.name.is_empty() {
            fields = fields.with("metadata.name", &request.name);
        }
        Ok(Filter { namespace: request.namespace.clone(), labels, fields, rules, renamed })
    }

    pub fn matches(&self, object: &dyn Object) -> bool {
        (self.namespace.is_empty() || object.namespace() == self.namespace)
            && self.fields.matches(|name| field(object, self.stored_name(name), &self.rules))
            && (self.labels.is_everything() || self.labels.matches(api::meta::labels(object.meta())))
    }

    fn stored_name<'a>(&self, name: &'a str) -> &'a str {
        if name == OLD_NODE_NAME {
            return NODE_NAME;
        }
        RENAMED.iter().find(|(shown, _)| self.renamed && *shown == name).map_or(name, |(_, stored)| stored)
    }

    pub fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything()
    }

    /// The node whose Pods are asked for.
    pub fn node(&self) -> Option<&str> {
        self.fields.required(NODE_NAME).or_else(|| self.fields.required(OLD_NODE_NAME))
    }
}

fn not_selectable(name: &str, rules: &KindRules) -> String {
    match rules {
        KindRules::BuiltIn(kind) if kind.kind == "Job" => format!("field label {name:?} not supported for batchv1.Job"),
        KindRules::BuiltIn(kind) if kind.kind == "ResourceSlice" => {
            format!("field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: {name}")
        }
        // Kinds without selectable fields of their own go through upstream's default conversion.
        _ if rules.fields().is_empty() => {
            format!("{name:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
        }
        _ => format!("field label not supported: {name}"),
    }
}

fn is_known(name: &str, rules: &KindRules, renamed: bool) -> bool {
    let own = || if renamed { RENAMED.iter().any(|(shown, _)| *shown == name) } else { rules.fields().contains(&name) };
    matches!(name, "metadata.name" | "metadata.namespace") || own()
}

fn field<'a>(object: &'a dyn Object, name: &str, rules: &KindRules) -> Cow<'a, str> {
    match name {
        "metadata.name" => Cow::Borrowed(object.name()),
        "metadata.namespace" => Cow::Borrowed(object.namespace()),
        other => rules.field(object, other),
    }
}
