//! Whether a request is one that a webhook or a policy asks about. Upstream:
//! `apiserver/pkg/admission/plugin/webhook/predicates` and `plugin/policy/matching`.

use api::selector::Selector;
use api::types::{LabelSelector, Namespace, ObjectMeta};
use api::{Kinded, Object, Verb};
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

/// `MatchResources` of a policy or a binding; absent ones match everything.
pub(super) fn resources_match(
    storage: &Storage,
    attributes: &Attributes,
    resources: &Value,
    objects: &[&dyn Object],
) -> bool {
    if resources.is_null() {
        return true;
    }
    let rules = items(resources, "resourceRules");
    let equivalent = text(resources, "matchPolicy") != "Exact";
    let matches = |rule: &Value| rule_matches(attributes, rule, equivalent);
    let excluded = items(resources, "excludeResourceRules").iter().any(matches);
    (rules.is_empty() || rules.iter().any(matches))
        && !excluded
        && selectors_match(storage, attributes, resources, objects)
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

/// `equivalent`: the rule may name the resource in another of its versions.
pub(super) fn rule_matches(attributes: &Attributes, rule: &Value, equivalent: bool) -> bool {
    let (kind, served) = (attributes.kind, attributes.served);
    let one_of = |list: &str, wanted: &str| texts(rule, list).iter().any(|one| *one == "*" || *one == wanted);
    let names = texts(rule, "resourceNames");
    let scope = match text(rule, "scope") {
        // A namespace counts as lying at the cluster's scope.
        "Namespaced" => kind.namespaced,
        "Cluster" => !kind.namespaced,
        _ => true,
    };
    scope
        && one_of("operations", operation(attributes))
        && one_of("apiGroups", kind.group)
        && (one_of("apiVersions", served.version) || (equivalent && one_of("apiVersions", kind.version)))
        && texts(rule, "resources").iter().any(|resource| resource_matches(attributes, resource))
        && (names.is_empty() || names.contains(&attributes.request.name.as_str()))
}

fn resource_matches(attributes: &Attributes, wanted: &str) -> bool {
    let (name, subresource) = wanted.split_once('/').unwrap_or((wanted, ""));
    let is = attributes.request.subresource.as_str();
    (name == "*" || name == attributes.kind.plural)
        && (subresource == is || (subresource == "*" && wanted.contains('/')))
}
