//! RBAC: the rules of the roles that are bound to a user. Upstream: `plugin/pkg/auth/authorizer/rbac` and
//! `pkg/registry/rbac/validation`.
//!
//! Differs: bindings are looked at in the order of their names, where upstream's order is random.

use api::User;
use api::types::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject};

use super::{Attributes, Decision};
use crate::storage::Storage;

const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

pub(super) fn decide(storage: &Storage, user: &User, attributes: &Attributes) -> Decision {
    let mut allowed = None;
    let errors = visit(storage, user, attributes.namespace, &mut |binding, rule| {
        if allows(attributes, rule) {
            allowed = Some(binding.to_string());
        }
        allowed.is_none()
    });
    match allowed {
        Some(binding) => Decision::allow(format!("RBAC: allowed by {binding}")),
        None if errors.is_empty() => Decision::no_opinion(""),
        None => Decision::no_opinion(format!("RBAC: {}", aggregate(&errors))),
    }
}

/// Every rule that applies to a user in a namespace, and what could not be resolved.
pub(crate) fn rules_for(storage: &Storage, user: &User, namespace: &str) -> (Vec<PolicyRule>, Vec<String>) {
    let mut rules = Vec::new();
    let errors = visit(storage, user, namespace, &mut |_, rule| {
        rules.push(rule.clone());
        true
    });
    (rules, errors)
}

/// Several errors as one text, as upstream's `Aggregate` prints them.
pub(crate) fn aggregate(errors: &[String]) -> String {
    match errors {
        [only] => only.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}

/// A binding through which a rule applies, as reasons name it.
struct Bound<'a> {
    kind: &'static str,
    name: String,
    role: &'a RoleRef,
    subject: &'a Subject,
    namespace: &'a str,
}

impl std::fmt::Display for Bound<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (role, subject) = (self.role, self.subject);
        write!(f, "{} {:?} of {} {:?} to {} ", self.kind, self.name, role.kind, role.name, subject.kind)?;
        if subject.kind != "ServiceAccount" {
            return write!(f, "{:?}", subject.name);
        }
        let namespace = subject.namespace.as_deref().filter(|one| !one.is_empty()).unwrap_or(self.namespace);
        write!(f, "{:?}", format!("{}/{namespace}", subject.name))
    }
}

/// Shows the rules that apply to a user, until the visitor has seen enough.
fn visit(
    storage: &Storage,
    user: &User,
    namespace: &str,
    visitor: &mut dyn FnMut(&Bound, &PolicyRule) -> bool,
) -> Vec<String> {
    let mut errors = Vec::new();
    let mut show = |bound: Bound, namespace: &str| match rules_of(storage, bound.role, namespace) {
        Ok(rules) => rules.iter().all(|rule| visitor(&bound, rule)),
        Err(error) => {
            errors.push(error);
            true
        }
    };
    for binding in storage.all::<ClusterRoleBinding>() {
        let Some(subject) = applies(user, binding.subjects.as_deref(), "") else { continue };
        let name = binding.metadata.name.clone().unwrap_or_default();
        let bound = Bound { kind: "ClusterRoleBinding", name, role: &binding.role_ref, subject, namespace: "" };
        if !show(bound, "") {
            return errors;
        }
    }
    if namespace.is_empty() {
        return errors;
    }
    for binding in storage.within::<RoleBinding>(namespace) {
        let Some(subject) = applies(user, binding.subjects.as_deref(), namespace) else { continue };
        let name = format!("{}/{namespace}", binding.metadata.name.as_deref().unwrap_or_default());
        let bound = Bound { kind: "RoleBinding", name, role: &binding.role_ref, subject, namespace };
        if !show(bound, namespace) {
            return errors;
        }
    }
    errors
}

/// The rules of the role that a binding names.
pub(crate) fn rules_of<'a>(storage: &'a Storage, role: &RoleRef, namespace: &str) -> Result<&'a [PolicyRule], String> {
    let (name, kind) = (&role.name, &role.kind);
    let rules = match kind.as_str() {
        "Role" => storage.find::<Role>(namespace, name).map(|role| &role.rules),
        "ClusterRole" => storage.find::<ClusterRole>("", name).map(|role| &role.rules),
        other => return Err(format!("unsupported role reference kind: {other:?}")),
    };
    let missing = || format!("{}.rbac.authorization.k8s.io {name:?} not found", kind.to_lowercase());
    rules.map(|rules| rules.as_deref().unwrap_or_default()).ok_or_else(missing)
}

/// The first of the subjects that is the user.
fn applies<'a>(user: &User, subjects: Option<&'a [Subject]>, namespace: &str) -> Option<&'a Subject> {
    subjects.unwrap_or_default().iter().find(|subject| match subject.kind.as_str() {
        "User" => user.name == subject.name,
        "Group" => user.is_in(&subject.name),
        "ServiceAccount" => {
            let own = subject.namespace.as_deref().filter(|own| !own.is_empty()).unwrap_or(namespace);
            let rest = user.name.strip_prefix(SERVICE_ACCOUNT).and_then(|rest| rest.split_once(':'));
            !own.is_empty() && rest == Some((own, subject.name.as_str()))
        }
        _ => false,
    })
}

fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|one| one == wanted)
}

fn list(list: &Option<Vec<String>>) -> &[String] {
    list.as_deref().unwrap_or_default()
}

/// Whether a rule allows a request.
pub(crate) fn allows(attributes: &Attributes, rule: &PolicyRule) -> bool {
    let verb = has(&rule.verbs, "*") || has(&rule.verbs, attributes.verb);
    if let Some(path) = attributes.path {
        return verb && list(&rule.non_resource_urls).iter().any(|url| url_covers(url, path));
    }
    let groups = list(&rule.api_groups);
    let names = list(&rule.resource_names);
    let combined = attributes.combined_resource();
    verb && (has(groups, "*") || has(groups, attributes.group))
        && list(&rule.resources).iter().any(|resource| resource_covers(resource, &combined))
        && (names.is_empty() || has(names, attributes.name))
}

/// `*`, the resource itself, or a subresource of every resource.
fn resource_covers(owned: &str, wanted: &str) -> bool {
    let subresource = wanted.split_once('/').map(|(_, subresource)| subresource);
    owned == "*" || owned == wanted || (subresource.is_some() && owned.strip_prefix("*/") == subresource)
}

fn url_covers(owned: &str, wanted: &str) -> bool {
    owned == wanted || owned.strip_suffix('*').is_some_and(|prefix| wanted.starts_with(prefix))
}

/// The wanted rules, taken apart, that no owned rule covers.
pub(super) fn missing(owned: &[PolicyRule], wanted: &[PolicyRule]) -> Vec<PolicyRule> {
    let parts = wanted.iter().flat_map(parts_of);
    parts.filter(|part| !owned.iter().any(|rule| covers(rule, part))).collect()
}

/// A rule as rules of one verb, one resource, one name.
fn parts_of(rule: &PolicyRule) -> Vec<PolicyRule> {
    let mut parts = Vec::new();
    let only = |text: &String| Some(vec![text.clone()]);
    for group in list(&rule.api_groups) {
        for resource in list(&rule.resources) {
            for verb in &rule.verbs {
                let whole = PolicyRule {
                    api_groups: only(group),
                    resources: only(resource),
                    verbs: vec![verb.clone()],
                    ..PolicyRule::default()
                };
                let names = list(&rule.resource_names).iter();
                parts.extend(names.map(|name| PolicyRule { resource_names: only(name), ..whole.clone() }));
                if list(&rule.resource_names).is_empty() {
                    parts.push(whole);
                }
            }
        }
    }
    for url in list(&rule.non_resource_urls) {
        let of_verb = |verb: &String| PolicyRule {
            non_resource_urls: only(url),
            verbs: vec![verb.clone()],
            ..PolicyRule::default()
        };
        parts.extend(rule.verbs.iter().map(of_verb));
    }
    parts
}

fn covers(owned: &PolicyRule, part: &PolicyRule) -> bool {
    let all = |owned: &[String], wanted: &[String]| wanted.iter().all(|one| has(owned, one));
    let names = list(&owned.resource_names);
    let wanted_names = list(&part.resource_names);
    (has(&owned.verbs, "*") || all(&owned.verbs, &part.verbs))
        && (has(list(&owned.api_groups), "*") || all(list(&owned.api_groups), list(&part.api_groups)))
        && list(&part.resources)
            .iter()
            .all(|wanted| list(&owned.resources).iter().any(|resource| resource_covers(resource, wanted)))
        && list(&part.non_resource_urls)
            .iter()
            .all(|wanted| list(&owned.non_resource_urls).iter().any(|url| url_covers(url, wanted)))
        && (names.is_empty() || (!wanted_names.is_empty() && all(names, wanted_names)))
}
