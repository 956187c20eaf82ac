//! Who writes an admission policy, or binds one, must be allowed to read the parameters with which it is evaluated. Upstream:
//! `pkg/registry/admissionregistration/*/authz.go`.

use api::field::{Error, Path};
use api::object::Tree;
use api::{Kind, Object, Status, User, kinds};
use serde_json::Value;

use super::{Attributes, MASTERS, decide};
use crate::admission::forms;
use crate::custom::CustomKinds;
use crate::registry::admission_rules::text;
use crate::storage::Storage;

/// Of a policy or a binding that keeps its own rules.
pub(crate) fn check(
    storage: &Storage,
    customs: &CustomKinds,
    user: &User,
    kind: &Kind,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    if kind.group != "admissionregistration.k8s.io" || user.is_in(MASTERS) {
        return Ok(());
    }
    let spec = |object: &dyn Object| object.downcast_ref::<Tree>().and_then(|tree| tree.get("spec")).cloned();
    let new = spec(object).unwrap_or_default();
    let old = old.and_then(spec).unwrap_or_default();
    let kept = |field: &str| new[field] == old[field];
    let (field, policy) = match kind.kind {
        "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy" if !kept("paramKind") => ("paramKind", None),
        "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding"
            if !kept("paramRef") || !kept("policyName") =>
        {
            ("paramRef", kind.kind.strip_suffix("Binding"))
        }
        _ => return Ok(()),
    };
    if new[field].is_null() {
        return Ok(());
    }
    let param_kind = match policy {
        None => new["paramKind"].clone(),
        Some(policy) => param_kind_of(storage, policy, text(&new, "policyName")),
    };
    let (group, resource) = resource_of(customs, &param_kind);
    let (reference, is_mutating) = (&new["paramRef"], kind.kind.starts_with("Mutating"));
    let (namespace, name) = match policy {
        None => ("*", "*"),
        Some(_) => (text(reference, "namespace"), text(reference, "name")),
    };
    let verb = if policy.is_some() && is_mutating && name.is_empty() { "list" } else { "get" };
    let asked = Attributes { verb, group: &group, resource: &resource, namespace, name, ..Attributes::default() };
    if decide(storage, user, &asked).allowed {
        return Ok(());
    }
    let who = go_user(user);
    let why = match policy {
        None => format!(
            "user {who} must have \"get\" permission on all objects of the referenced paramKind (kind={}, apiVersion={})",
            text(&param_kind, "kind"),
            text(&param_kind, "apiVersion")
        ),
        // Upstream mixes the two up.
        Some(_) if is_mutating => {
            format!("user {verb} does not have \"{who}\" permission on the object referenced by paramRef")
        }
        Some(_) => format!("user {who} does not have \"get\" permission on the object referenced by paramRef"),
    };
    let error = Error::forbidden(&Path::new("spec").child(field), why);
    Err(Status::invalid(kind, object.name(), &[error]))
}

/// The kind of parameters that a binding's policy has.
fn param_kind_of(storage: &Storage, kind: &str, name: &str) -> Value {
    let row = kinds::by_kind("admissionregistration.k8s.io/v1", kind).expect("policies are in the table of kinds");
    let policy = storage.get(row, "", name).and_then(|policy| policy.downcast_ref::<Tree>());
    policy.and_then(|policy| policy.at("/spec/paramKind")).cloned().unwrap_or_default()
}

/// As far as it is known; `*` for what is not.
fn resource_of(customs: &CustomKinds, kind: &Value) -> (String, String) {
    if kind.is_null() {
        return ("*".into(), "*".into());
    }
    let api_version = text(kind, "apiVersion");
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let resource = forms::by_kind(customs, api_version, text(kind, "kind")).map_or("*", |row| row.plural);
    (group.into(), resource.into())
}

/// A user as Go prints the structure: `&{name uid [groups] map[key:[values]]}`.
fn go_user(user: &User) -> String {
    let extra: Vec<String> = user.extra.iter().map(|(key, values)| format!("{key}:[{}]", values.join(" "))).collect();
    format!("&{{{} {} [{}] map[{}]}}", user.name, user.uid, user.groups.join(" "), extra.join(" "))
}
