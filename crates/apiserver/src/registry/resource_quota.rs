//! ResourceQuota.

use std::collections::BTreeSet;

use api::field::{Error, Errors, Path};
use api::quota::Resources;
use api::types::{ResourceQuota, ResourceQuotaSpec, ResourceQuotaStatus};

use serde_json::Value;

use super::go_diff;
use super::quota_names::{self, COMPUTE};
use super::rules::{IMMUTABLE, list, revision_required, subdomain_name};
use crate::strategy::Strategy;

const SCOPES: &[&str] = &[
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];

impl Strategy for ResourceQuota {
    const DELETE_RETURNS_OBJECT: bool = true;

    fn default(&mut self) {
        self.spec.get_or_insert_default();
        self.status.get_or_insert_default();
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(ResourceQuotaStatus::default());
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        if let Some(spec) = &self.spec {
            validate_spec(spec, &Path::new("spec"), &mut errors);
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = self.validate();
        let scopes = |quota: &Self| quota.spec.as_ref().map(|spec| list(&spec.scopes).to_vec()).unwrap_or_default();
        let (new, old) = (scopes(self), scopes(old));
        if new.iter().collect::<BTreeSet<_>>() != old.iter().collect::<BTreeSet<_>>() {
            let path = Path::new("spec");
            errors.push(Error::invalid(&path.child("scopes"), new, IMMUTABLE));
        }
        errors
    }

    fn validate_status_update(&self, _old: &Self) -> Errors {
        let mut errors = revision_required(&self.metadata);
        let (Some(status), path) = (&self.status, Path::new("status")) else { return errors };
        for (name, resources) in [("hard", &status.hard), ("used", &status.used)] {
            amounts(resources, &path.child(name), &mut errors);
        }
        errors
    }
}

fn validate_spec(spec: &ResourceQuotaSpec, path: &Path, errors: &mut Errors) {
    amounts(&spec.hard, &path.child("hard"), errors);
    let (scopes, scopes_path) = (list(&spec.scopes), path.child("scopes"));
    for scope in scopes {
        let mut refuse = |wrong: bool, why: &str| {
            if wrong {
                errors.push(Error::invalid(&scopes_path, scopes, why));
            }
        };
        refuse(!SCOPES.contains(&scope.as_str()), "unsupported scope");
        for _ in unfit(spec, scope) {
            refuse(true, "unsupported scope applied to resource");
        }
    }
    conflicts(&|name| scopes.iter().any(|scope| scope == name), scopes, &scopes_path, errors);
    scope_selector(spec, &path.child("scopeSelector"), errors);
}

/// Scopes of which no object has both. What is shown are the plain scopes in any case.
fn conflicts(has: &dyn Fn(&str) -> bool, scopes: &[String], path: &Path, errors: &mut Errors) {
    for (one, other) in [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")] {
        if has(one) && has(other) {
            let shown = if scopes.is_empty() { Value::Null } else { scopes.into() };
            errors.push(Error::invalid(path, shown, "conflicting scopes"));
        }
    }
}

fn amounts(resources: &Option<Resources>, path: &Path, errors: &mut Errors) {
    for (name, quantity) in resources.iter().flatten() {
        let path = path.key(name);
        quota_names::validate_for_quota(name, &path, errors);
        quota_names::quantity(name, quantity, &path, errors);
    }
}

/// The limited resources that a scope has nothing to do with.
fn unfit<'a>(spec: &'a ResourceQuotaSpec, scope: &'a str) -> impl Iterator<Item = &'a String> {
    let fits = move |name: &str| match scope {
        "BestEffort" => name == "pods",
        "VolumeAttributesClass" => matches!(name, "persistentvolumeclaims" | "requests.storage"),
        scope if SCOPES.contains(&scope) => name == "pods" || COMPUTE.contains(&name),
        _ => true,
    };
    let names = spec.hard.iter().flat_map(Resources::keys);
    names.filter(move |name| quota_names::is_for_quota(name) && !fits(name))
}

fn scope_selector(spec: &ResourceQuotaSpec, path: &Path, errors: &mut Errors) {
    let Some(selector) = &spec.scope_selector else { return };
    let path = path.child("matchExpressions");
    for expression in list(&selector.match_expressions) {
        let (scope, operator) = (expression.scope_name.as_str(), expression.operator.as_str());
        if !SCOPES.contains(&scope) {
            errors.push(Error::invalid(&path.child("scopeName"), scope, "unsupported scope"));
        }
        for _ in unfit(spec, scope) {
            let shown = go_diff::compact("core.v1.ScopeSelector", selector);
            errors.push(Error::invalid_verbatim(&path, shown, "unsupported scope applied to resource"));
        }
        let operator_path = path.child("operator");
        if !matches!(scope, "PriorityClass" | "VolumeAttributesClass")
            && SCOPES.contains(&scope)
            && operator != "Exists"
        {
            let why = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, \
                       ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or \
                       ResourceQuotaScopeCrossNamespacePodAffinity";
            errors.push(Error::invalid(&operator_path, operator, why));
        }
        let (values, values_path) = (list(&expression.values), path.child("values"));
        match operator {
            "In" | "NotIn" if values.is_empty() => {
                let why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                errors.push(Error::required(&values_path, why));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                errors.push(Error::invalid(&values_path, values, why));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => errors.push(Error::invalid(&operator_path, other, "not a valid selector operator")),
        }
    }
    let has = |name: &str| list(&selector.match_expressions).iter().any(|expression| expression.scope_name == name);
    conflicts(&has, list(&spec.scopes), &path, errors);
}
