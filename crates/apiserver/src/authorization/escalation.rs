//! Nobody gives away what he does not have: roles and bindings are checked against the writer's own rules, unless he may
//! `escalate` or `bind`. Upstream: `pkg/registry/rbac/*/policybased`.

use api::types::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef};
use api::{Kind, Object, Status, User};

use super::{Attributes, MASTERS, decide, rbac};
use crate::storage::Storage;

const GROUP: &str = "rbac.authorization.k8s.io";

pub(crate) fn check(
    storage: &Storage,
    user: &User,
    kind: &Kind,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    if kind.group != GROUP || user.is_in(MASTERS) {
        return Ok(());
    }
    let namespace = object.namespace();
    let may = |verb: &str, resource: &str, name: &str| {
        let attributes = Attributes { verb, group: GROUP, resource, namespace, name, ..Attributes::default() };
        decide(storage, user, &attributes).allowed
    };
    let granted: Vec<PolicyRule> = if let Some(role) = rules_of_role(object) {
        if old.and_then(rules_of_role).is_some_and(|before| before == role)
            || may("escalate", kind.plural, object.name())
        {
            return Ok(());
        }
        if role.aggregates { everything() } else { role.rules.to_vec() }
    } else if let Some((reference, subjects)) = binding_of(object) {
        if old.and_then(binding_of).is_some_and(|before| before == (reference, subjects)) {
            return Ok(());
        }
        let resource = if reference.kind == "Role" { "roles" } else { "clusterroles" };
        if may("bind", resource, &reference.name) {
            return Ok(());
        }
        match rbac::rules_of(storage, reference, namespace) {
            Ok(rules) => rules.to_vec(),
            Err(_) => return Err(missing_role(reference)),
        }
    } else {
        return Ok(());
    };
    let (owned, errors) = rbac::rules_for(storage, user, namespace);
    let missing = rbac::missing(&owned, &granted);
    if missing.is_empty() {
        return Ok(());
    }
    let mut lines: Vec<String> = compacted(missing).iter().map(described).collect();
    lines.sort();
    lines.dedup();
    let mut why = format!(
        "user {:?} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
        user.name,
        quoted(&user.groups),
        lines.join("\n")
    );
    if !errors.is_empty() {
        why.push_str(&format!("; resolution errors: [{}]", errors.join(" ")));
    }
    Err(Status::forbidden(kind, object.name(), &why))
}

#[derive(PartialEq)]
struct Granted<'a> {
    rules: &'a [PolicyRule],
    /// The rules of roles that do not exist yet come with it.
    aggregates: bool,
}

fn rules_of_role(object: &dyn Object) -> Option<Granted<'_>> {
    if let Some(role) = object.downcast_ref::<Role>() {
        return Some(Granted { rules: role.rules.as_deref().unwrap_or_default(), aggregates: false });
    }
    let role = object.downcast_ref::<ClusterRole>()?;
    let aggregates = role.aggregation_rule.is_some();
    Some(Granted { rules: role.rules.as_deref().unwrap_or_default(), aggregates })
}

fn binding_of(object: &dyn Object) -> Option<(&RoleRef, Option<&Vec<api::types::Subject>>)> {
    if let Some(binding) = object.downcast_ref::<RoleBinding>() {
        return Some((&binding.role_ref, binding.subjects.as_ref()));
    }
    let binding = object.downcast_ref::<ClusterRoleBinding>()?;
    Some((&binding.role_ref, binding.subjects.as_ref()))
}

fn missing_role(reference: &RoleRef) -> Status {
    let kind = if reference.kind == "Role" {
        api::kinds::by_kind("rbac.authorization.k8s.io/v1", "Role")
    } else {
        api::kinds::by_kind("rbac.authorization.k8s.io/v1", "ClusterRole")
    };
    let kind = kind.expect("roles are in the table of kinds");
    let mut status = Status::not_found(kind, &reference.name);
    // Here upstream names the kind where others name the resource.
    let singular = kind.singular;
    status.message = format!("{singular}.{GROUP} {:?} not found", reference.name);
    if let Some(details) = &mut status.details {
        details.kind = singular.into();
    }
    status
}

/// Whoever aggregates must hold everything.
fn everything() -> Vec<PolicyRule> {
    let all = || vec!["*".to_owned()];
    vec![
        PolicyRule { api_groups: Some(all()), resources: Some(all()), verbs: all(), ..PolicyRule::default() },
        PolicyRule { non_resource_urls: Some(all()), verbs: all(), ..PolicyRule::default() },
    ]
}

/// Rules that differ only by verb become one.
fn compacted(rules: Vec<PolicyRule>) -> Vec<PolicyRule> {
    let mut compacted: Vec<PolicyRule> = Vec::new();
    for rule in rules {
        let same = compacted.iter_mut().find(|other| {
            rule.non_resource_urls.is_none()
                && other.api_groups == rule.api_groups
                && other.resources == rule.resources
                && other.resource_names == rule.resource_names
                && other.non_resource_urls.is_none()
        });
        match same {
            Some(other) => other.verbs.extend(rule.verbs),
            None => compacted.push(rule),
        }
    }
    compacted
}

/// `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}`
fn described(rule: &PolicyRule) -> String {
    let empty = Vec::new();
    let parts = [
        ("APIGroups", rule.api_groups.as_ref()),
        ("Resources", rule.resources.as_ref()),
        ("NonResourceURLs", rule.non_resource_urls.as_ref()),
        ("ResourceNames", rule.resource_names.as_ref()),
        ("Verbs", Some(&rule.verbs)),
    ];
    let parts = parts.iter().map(|(name, list)| (name, list.unwrap_or(&empty))).filter(|(_, list)| !list.is_empty());
    let parts: Vec<String> = parts.map(|(name, list)| format!("{name}:{}", quoted(list))).collect();
    format!("{{{}}}", parts.join(", "))
}

/// A list as Go's `%q` prints it: `["a" "b"]`.
fn quoted(list: &[String]) -> String {
    let texts: Vec<String> = list.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", texts.join(" "))
}
