//! Whether a request is one that a webhook or a policy asks about. Upstream:
//! `apiserver/pkg/admission/plugin/webhook/predicates` and `plugin/policy/matching`.

use api::selector::Selector;
use api::types::{LabelSelector, Namespace, ObjectMeta};
use api::{Kind, Kinded, Object, Verb};
use serde_json::Value;

use super::Attributes;
use crate::parts::is_connection;
use crate::registry::admission_rules::{items, text, texts};
use crate::storage::Storage;

/// As rules name it.
pub(super) fn operation(attributes: &Attributes) -> &'static str {
    match attributes.verb {
        _ if is_connection(attributes.request.subresource) => "CONNECT",
        Verb::Create => "CREATE",
        Verb::Delete | Verb::DeleteCollection => "DELETE",
        _ => "UPDATE",
    }
}

/// Policies and webhooks do not watch over themselves.
pub(super) fn is_exempt(attributes: &Attributes) -> bool {
    attributes.kind.group == "admissionregistration.k8s.io"
}

/// `MatchResources` of a policy or a binding: the form in which the request is one that they ask about. Absent ones match
/// everything.
pub(super) fn resources_match(
    storage: &Storage,
    attributes: &Attributes,
    resources: &Value,
    objects: &[&dyn Object],
) -> Option<&'static Kind> {
    if resources.is_null() {
        return Some(attributes.served);
    }
    let matched = |list: &str| rules_match(attributes, resources, list);
    if matched("excludeResourceRules").is_some() || !selectors_match(storage, attributes, resources, objects) {
        return None;
    }
    if items(resources, "resourceRules").is_empty() { Some(attributes.served) } else { matched("resourceRules") }
}

/// The form in which one of the rules names what the request names. With `matchPolicy: Equivalent` that may be another
/// than the request's own.
pub(super) fn rules_match(attributes: &Attributes, owner: &Value, list: &str) -> Option<&'static Kind> {
    let rules = items(owner, list);
    if rules.iter().any(|rule| rule_matches(attributes, rule, attributes.served)) {
        return Some(attributes.served);
    }
    if text(owner, "matchPolicy") == "Exact" {
        return None;
    }
    let others = attributes.equivalents();
    rules.iter().find_map(|rule| others.iter().copied().find(|form| rule_matches(attributes, rule, form)))
}

/// `namespaceSelector` and `objectSelector`
pub(super) fn selectors_match(
    storage: &Storage,
    attributes: &Attributes,
    owner: &Value,
    objects: &[&dyn Object],
) -> bool {
    if let Some(selector) = selector(owner, "namespaceSelector") {
        let labels = |meta: &ObjectMeta| selector.matches(api::meta::labels(meta));
        let matches = if attributes.kind.id == Namespace::ID {
            objects.iter().any(|object| labels(object.meta()))
        } else if attributes.kind.namespaced {
            let namespace = storage.find::<Namespace>("", &attributes.request.namespace);
            namespace.is_some_and(|namespace| labels(&namespace.metadata))
        } else {
            true
        };
        if !matches {
            return false;
        }
    }
    match selector(owner, "objectSelector") {
        Some(selector) => objects.iter().any(|object| selector.matches(api::meta::labels(object.meta()))),
        None => true,
    }
}

/// A selector that does not select everything.
fn selector(owner: &Value, field: &str) -> Option<Selector> {
    let selector: LabelSelector = serde_json::from_value(owner.get(field)?.clone()).ok()?;
    let selector = Selector::from_label_selector(Some(&selector));
    (!selector.is_everything()).then_some(selector)
}

fn rule_matches(attributes: &Attributes, rule: &Value, form: &Kind) -> bool {
    let one_of = |list: &str, wanted: &str| texts(rule, list).iter().any(|one| *one == "*" || *one == wanted);
    let names = texts(rule, "resourceNames");
    let scope = match text(rule, "scope") {
        // A namespace counts as lying at the cluster's scope.
        "Namespaced" => form.namespaced,
        "Cluster" => !form.namespaced,
        _ => true,
    };
    scope
        && one_of("operations", operation(attributes))
        && one_of("apiGroups", form.group)
        && one_of("apiVersions", form.version)
        && texts(rule, "resources").iter().any(|resource| resource_matches(attributes, resource))
        && (names.is_empty() || names.contains(&attributes.request.name.as_str()))
}

fn resource_matches(attributes: &Attributes, wanted: &str) -> bool {
    let (name, subresource) = wanted.split_once('/').unwrap_or((wanted, ""));
    let is = attributes.request.subresource.as_str();
    (name == "*" || name == attributes.kind.plural)
        && (subresource == is || (subresource == "*" && wanted.contains('/')))
}
