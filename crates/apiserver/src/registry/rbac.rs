//! Roles and their bindings. Upstream: `pkg/apis/rbac`.

use api::field::{Error, Errors, Path};
use api::types::{AggregationRule, ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject};
use api::validate::{label_selector, path_segment};

use super::rules::{list, subdomain_name, text, twice};
use crate::strategy::Strategy;

const GROUP: &str = "rbac.authorization.k8s.io";

impl Strategy for Role {
    const CREATE_ON_UPDATE: bool = true;

    fn default(&mut self) {
        default_rules(&mut self.rules);
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        path_segment(name, prefix)
    }

    fn validate(&self) -> Errors {
        rules(&self.rules, true)
    }

    fn validate_update(&self, _old: &Self) -> Errors {
        twice(self.validate())
    }
}

impl Strategy for ClusterRole {
    const CREATE_ON_UPDATE: bool = true;

    fn default(&mut self) {
        default_rules(&mut self.rules);
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        path_segment(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = rules(&self.rules, false);
        if let Some(aggregation) = &self.aggregation_rule {
            aggregation_rule(aggregation, &mut errors);
        }
        errors
    }

    fn validate_update(&self, _old: &Self) -> Errors {
        twice(self.validate())
    }
}

impl Strategy for RoleBinding {
    const CREATE_ON_UPDATE: bool = true;

    fn default(&mut self) {
        default_binding(&mut self.role_ref, &mut self.subjects);
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        path_segment(name, prefix)
    }

    fn validate(&self) -> Errors {
        binding(&self.role_ref, &self.subjects, true)
    }

    fn validate_update(&self, old: &Self) -> Errors {
        binding_update(twice(self.validate()), &self.role_ref, &old.role_ref)
    }
}

impl Strategy for ClusterRoleBinding {
    const CREATE_ON_UPDATE: bool = true;

    fn default(&mut self) {
        default_binding(&mut self.role_ref, &mut self.subjects);
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        path_segment(name, prefix)
    }

    fn validate(&self) -> Errors {
        binding(&self.role_ref, &self.subjects, false)
    }

    fn validate_update(&self, old: &Self) -> Errors {
        binding_update(twice(self.validate()), &self.role_ref, &old.role_ref)
    }
}

/// No rules are `null` on the wire.
fn default_rules(rules: &mut Option<Vec<PolicyRule>>) {
    if rules.as_ref().is_some_and(Vec::is_empty) {
        *rules = None;
    }
}

fn default_binding(role: &mut RoleRef, subjects: &mut Option<Vec<Subject>>) {
    if role.api_group.as_deref().is_none_or(str::is_empty) {
        role.api_group = Some(GROUP.into());
    }
    if subjects.as_ref().is_some_and(Vec::is_empty) {
        *subjects = None;
    }
    for subject in subjects.iter_mut().flatten() {
        if matches!(subject.kind.as_str(), "User" | "Group") && subject.api_group.as_deref().is_none_or(str::is_empty) {
            subject.api_group = Some(GROUP.into());
        }
    }
}

/// `ValidatePolicyRule` of each. Paths are at the cluster's scope.
fn rules(rules: &Option<Vec<PolicyRule>>, namespaced: bool) -> Errors {
    let mut errors = Errors::new();
    let all = Path::new("rules");
    for (index, rule) in list(rules).iter().enumerate() {
        let path = all.index(index);
        if rule.verbs.is_empty() {
            errors.push(Error::required(&path.child("verbs"), "verbs must contain at least one value"));
        }
        let urls = list(&rule.non_resource_urls);
        let is_about_resources = !list(&rule.api_groups).is_empty()
            || !list(&rule.resources).is_empty()
            || !list(&rule.resource_names).is_empty();
        if !urls.is_empty() {
            let path = path.child("nonResourceURLs");
            let shown = || serde_json::Value::from(urls);
            if namespaced {
                errors.push(Error::invalid(&path, shown(), "namespaced rules cannot apply to non-resource URLs"));
            }
            if is_about_resources {
                let why = "rules cannot apply to both regular resources and non-resource URLs";
                errors.push(Error::invalid(&path, shown(), why));
            }
            continue;
        }
        if list(&rule.api_groups).is_empty() {
            errors.push(Error::required(&path.child("apiGroups"), "resource rules must supply at least one api group"));
        }
        if list(&rule.resources).is_empty() {
            errors.push(Error::required(&path.child("resources"), "resource rules must supply at least one resource"));
        }
    }
    errors
}

fn aggregation_rule(aggregation: &AggregationRule, errors: &mut Errors) {
    let rule = Path::new("aggregationRule");
    let path = rule.child("clusterRoleSelectors");
    let selectors = list(&aggregation.cluster_role_selectors);
    if selectors.is_empty() {
        errors.push(Error::required(&path, "at least one clusterRoleSelector required if aggregationRule is non-nil"));
    }
    for (index, selector) in selectors.iter().enumerate() {
        label_selector(selector, &path.index(index), errors);
    }
}

fn binding(role: &RoleRef, subjects: &Option<Vec<Subject>>, namespaced: bool) -> Errors {
    let mut errors = Errors::new();
    let path = Path::new("roleRef");
    let group = text(&role.api_group);
    if group != GROUP {
        errors.push(Error::not_supported(&path.child("apiGroup"), group, &[GROUP]));
    }
    let kinds: &[&str] = if namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    if !kinds.contains(&role.kind.as_str()) {
        errors.push(Error::not_supported(&path.child("kind"), role.kind.as_str(), kinds));
    }
    let name = path.child("name");
    if role.name.is_empty() {
        errors.push(Error::required(&name, ""));
    } else {
        let complaints = path_segment(&role.name, false);
        errors.extend(complaints.into_iter().map(|why| Error::invalid(&name, role.name.as_str(), why)));
    }
    let all = Path::new("subjects");
    for (index, one) in list(subjects).iter().enumerate() {
        subject(one, namespaced, &all.index(index), &mut errors);
    }
    errors
}

/// `ValidateRoleBindingSubject`
fn subject(subject: &Subject, namespaced: bool, path: &Path, errors: &mut Errors) {
    if subject.name.is_empty() {
        errors.push(Error::required(&path.child("name"), ""));
    }
    let group = text(&subject.api_group);
    match subject.kind.as_str() {
        "ServiceAccount" => {
            if !subject.name.is_empty() {
                let complaints = subdomain_name(&subject.name, false);
                let name = path.child("name");
                errors.extend(complaints.into_iter().map(|why| Error::invalid(&name, subject.name.as_str(), why)));
            }
            if !group.is_empty() {
                errors.push(Error::not_supported(&path.child("apiGroup"), group, &[""]));
            }
            if !namespaced && text(&subject.namespace).is_empty() {
                errors.push(Error::required(&path.child("namespace"), ""));
            }
        }
        "User" | "Group" => {
            if group != GROUP {
                errors.push(Error::not_supported(&path.child("apiGroup"), group, &[GROUP]));
            }
        }
        other => {
            errors.push(Error::not_supported(&path.child("kind"), other, &["ServiceAccount", "User", "Group"]));
        }
    }
}

/// A binding stays with its role.
fn binding_update(mut errors: Errors, new: &RoleRef, old: &RoleRef) -> Errors {
    if new != old {
        let shown =
            format!("{{\"APIGroup\":{:?},\"Kind\":{:?},\"Name\":{:?}}}", text(&new.api_group), new.kind, new.name);
        errors.push(Error::invalid_verbatim(&Path::new("roleRef"), shown, "cannot change roleRef"));
    }
    errors
}
