//! Admission policies in CEL and their bindings. Upstream: `pkg/apis/admissionregistration/validation`.

use api::Object as _;
use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::validate::{dns1035_label, dns1123_subdomain, label_selector, path_segment, qualified_name};
use cel::{Env, Type};
use serde_json::{Value, json};

use super::admission_rules::{default_field, default_match_resources, items, match_resources, one_of, text, texts};
use super::rules::complain;
use crate::admission::policy::expression::{self, Yields};
use crate::strategy::TreeStrategy;

const GROUP: &str = "admissionregistration.k8s.io";
const AUDIT_ANNOTATIONS_MAX: usize = 20;
const MATCH_CONDITIONS_MAX: usize = 64;
const MUTABLE: [&str; 4] = ["*", "CONNECT", "CREATE", "UPDATE"];

pub(super) struct Validating;
pub(super) struct Mutating;
pub(super) struct ValidatingBinding;
pub(super) struct MutatingBinding;

impl TreeStrategy for Validating {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "ValidatingAdmissionPolicy";
    const UNCONDITIONAL_UPDATE: bool = false;
    const HAS_STATUS: bool = true;
    const HAS_GENERATION: bool = true;

    fn default(object: &mut Tree) {
        default_policy(object);
    }

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let (spec, path) = (object.get("spec").unwrap_or(&Value::Null), Path::new("spec"));
        let env = policy(spec, &path, &mut errors);
        let (validations, annotations) = (items(spec, "validations"), items(spec, "auditAnnotations"));
        if validations.is_empty() && annotations.is_empty() {
            let why = "validations or auditAnnotations must contain at least one item";
            errors.push(Error::required(&path.child("validations"), why));
            errors.push(Error::required(&path.child("auditAnnotations"), why));
        }
        let all = path.child("validations");
        for (index, one) in validations.iter().enumerate() {
            validation(one, &env, &all.index(index), &mut errors);
        }
        let all = path.child("auditAnnotations");
        if annotations.len() > AUDIT_ANNOTATIONS_MAX {
            let why = format!("must not have more than {AUDIT_ANNOTATIONS_MAX} auditAnnotations");
            errors.push(Error::invalid(&all, spec["auditAnnotations"].clone(), why));
        }
        for (index, one) in annotations.iter().enumerate() {
            let path = all.index(index);
            let (key, key_path) = (text(one, "key"), path.child("key"));
            if key.is_empty() {
                errors.push(Error::required(&key_path, "key is required"));
            } else {
                let name = format!("{}/{key}", object.meta().name.as_deref().unwrap_or_default());
                complain(&mut errors, &key_path, &name, qualified_name(&name));
            }
            if annotations[..index].iter().any(|other| text(other, "key") == key) {
                errors.push(Error::duplicate(&key_path, key));
            }
            let path = path.child("valueExpression");
            expression_of(
                one,
                "valueExpression",
                "valueExpression is not specified",
                Yields::TextOrNull,
                &env,
                &path,
                &mut errors,
            );
        }
        errors
    }
}

impl TreeStrategy for Mutating {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "MutatingAdmissionPolicy";
    const UNCONDITIONAL_UPDATE: bool = false;
    const HAS_GENERATION: bool = true;

    fn default(object: &mut Tree) {
        default_policy(object);
    }

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let (spec, path) = (object.get("spec").unwrap_or(&Value::Null), Path::new("spec"));
        operations(&spec["matchConstraints"], &path.child("matchConstraints"), &mut errors);
        let mut env = policy(spec, &path, &mut errors);
        env.allow_patches();
        let all = path.child("mutations");
        if items(spec, "mutations").is_empty() {
            errors.push(Error::required(&all, "mutations must contain at least one item"));
        }
        for (index, one) in items(spec, "mutations").iter().enumerate() {
            mutation(one, &env, &all.index(index), &mut errors);
        }
        if text(spec, "reinvocationPolicy").is_empty() {
            errors.push(Error::required(&path.child("reinvocationPolicy"), ""));
        } else {
            one_of(spec, "reinvocationPolicy", &["IfNeeded", "Never"], &path, &mut errors);
        }
        errors
    }
}

impl TreeStrategy for ValidatingBinding {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "ValidatingAdmissionPolicyBinding";
    const UNCONDITIONAL_UPDATE: bool = false;
    const HAS_GENERATION: bool = true;

    fn default(object: &mut Tree) {
        default_binding(object);
    }

    fn validate(object: &Tree) -> Errors {
        // Upstream's spelling.
        let mut errors = binding(object, "matchResouces");
        let (spec, path) = (object.get("spec").unwrap_or(&Value::Null), Path::new("spec"));
        let path = path.child("validationActions");
        let actions = texts(spec, "validationActions");
        if actions.is_empty() {
            errors.push(Error::required(&path, "at least one validation action is required"));
        }
        for (index, action) in actions.iter().enumerate() {
            if !["Audit", "Deny", "Warn"].contains(action) {
                errors.push(Error::not_supported(&path.index(index), *action, &["Audit", "Deny", "Warn"]));
            } else if actions[..index].contains(action) {
                errors.push(Error::duplicate(&path.index(index), *action));
            }
        }
        if actions.contains(&"Deny") && actions.contains(&"Warn") {
            let why = "must not contain both Deny and Warn (repeating the same validation failure information in the API \
                       response and headers serves no purpose)";
            errors.push(Error::invalid(&path, spec["validationActions"].clone(), why));
        }
        errors
    }
}

impl TreeStrategy for MutatingBinding {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "MutatingAdmissionPolicyBinding";
    const UNCONDITIONAL_UPDATE: bool = false;
    const HAS_GENERATION: bool = true;

    fn default(object: &mut Tree) {
        default_binding(object);
    }

    fn validate(object: &Tree) -> Errors {
        let mut errors = binding(object, "matchResources");
        if let Some(resources) = object.at("/spec/matchResources") {
            operations(resources, &Path::new("spec").child("matchResources"), &mut errors);
        }
        errors
    }
}

fn default_policy(object: &mut Tree) {
    let Some(spec) = object.fields_mut().get_mut("spec").and_then(Value::as_object_mut) else { return };
    default_field(spec, "failurePolicy", json!("Fail"));
    if let Some(constraints) = spec.get_mut("matchConstraints").and_then(Value::as_object_mut) {
        default_match_resources(constraints);
    }
}

fn default_binding(object: &mut Tree) {
    let Some(spec) = object.fields_mut().get_mut("spec").and_then(Value::as_object_mut) else { return };
    if let Some(resources) = spec.get_mut("matchResources").and_then(Value::as_object_mut) {
        default_match_resources(resources);
    }
}

/// What both kinds of policy share, and the variables of their expressions.
fn policy(spec: &Value, path: &Path, errors: &mut Errors) -> Env {
    one_of(spec, "failurePolicy", &["Fail", "Ignore"], path, errors);
    let param_kind = spec.get("paramKind").filter(|kind| !kind.is_null());
    if let Some(kind) = param_kind {
        let path = path.child("paramKind");
        self::param_kind(text(kind, "apiVersion"), text(kind, "kind"), &path, errors);
    }
    let constraints_path = path.child("matchConstraints");
    match spec.get("matchConstraints").filter(|constraints| !constraints.is_null()) {
        None => errors.push(Error::required(&constraints_path, "")),
        Some(constraints) => {
            match_resources(constraints, &constraints_path, errors);
            if items(constraints, "resourceRules").is_empty() {
                errors.push(Error::required(&constraints_path.child("resourceRules"), ""));
            }
        }
    }
    let mut env = expression::env(param_kind.is_some());
    match_conditions(spec, &env, &path.child("matchConditions"), errors);
    let all = path.child("variables");
    let mut declared: Vec<(&str, Type)> = Vec::new();
    expression::declare_variables(&mut env, &declared);
    for (index, variable) in items(spec, "variables").iter().enumerate() {
        let path = all.index(index);
        let name = text(variable, "name");
        if name.is_empty() {
            errors.push(Error::required(&path.child("name"), "name is not specified"));
        } else if !is_identifier(name) {
            errors.push(Error::invalid(&path.child("name"), name, "must be a valid CEL identifier"));
        }
        if declared.iter().any(|(other, _)| *other == name) {
            errors.push(Error::duplicate(&path.child("name"), name));
        }
        let path = path.child("expression");
        let of =
            expression_of(variable, "expression", "expression is not specified", Yields::Anything, &env, &path, errors);
        declared.push((name, of.unwrap_or(Type::Dyn)));
        expression::declare_variables(&mut env, &declared);
    }
    env
}

/// `validateParamKind`
fn param_kind(api_version: &str, kind: &str, path: &Path, errors: &mut Errors) {
    let at = path.child("apiVersion");
    let mut refuse = |path: &Path, value: &str, why: String| errors.push(Error::invalid(path, value, why));
    match api_version.split('/').collect::<Vec<_>>()[..] {
        [""] => errors.push(Error::required(&at, "")),
        [.., _, _, _] => refuse(&at, api_version, format!("unexpected GroupVersion string: {api_version}")),
        ref parts => {
            let (group, version) = (if parts.len() == 2 { parts[0] } else { "" }, parts[parts.len() - 1]);
            let bad = if group.is_empty() { Vec::new() } else { dns1123_subdomain(group) };
            if !bad.is_empty() {
                refuse(&at, group, bad.join(","));
            }
            let bad = dns1035_label(version);
            if version.is_empty() {
                refuse(&at, api_version, "version must be specified".into());
            } else if !bad.is_empty() {
                refuse(&at, version, bad.join(","));
            }
        }
    }
    let (at, bad) = (path.child("kind"), dns1035_label(&kind.to_lowercase()));
    if kind.is_empty() {
        errors.push(Error::required(&at, ""));
    } else if !bad.is_empty() {
        let why = format!("may have mixed case, but should otherwise match: {}", bad.join(","));
        errors.push(Error::invalid(&at, kind, why));
    }
}

fn is_identifier(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let reserved = cel::RESERVED.contains(&name) || matches!(name, "true" | "false" | "null" | "in");
    starts && !reserved && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `matchConditions`, of policies and of webhooks.
pub(super) fn match_conditions(owner: &Value, env: &Env, path: &Path, errors: &mut Errors) {
    let all = items(owner, "matchConditions");
    if all.len() > MATCH_CONDITIONS_MAX {
        errors.push(Error::too_many(path, all.len(), MATCH_CONDITIONS_MAX));
    }
    for (index, condition) in all.iter().enumerate() {
        let (path, name) = (path.index(index), text(condition, "name"));
        expression_of(condition, "expression", "", Yields::Bool, env, &path.child("expression"), errors);
        let path = path.child("name");
        if name.is_empty() {
            errors.push(Error::required(&path, ""));
            continue;
        }
        errors.extend(qualified_name(name).into_iter().map(|why| Error::invalid(&path, name, why)));
        if all[..index].iter().any(|other| text(other, "name") == name) {
            errors.push(Error::duplicate(&path, name));
        }
    }
}

/// There is nothing to mutate in what is deleted.
fn operations(resources: &Value, path: &Path, errors: &mut Errors) {
    let path = path.child("resourceRules");
    let path = path.child("operations");
    for operation in items(resources, "resourceRules").iter().flat_map(|rule| texts(rule, "operations")) {
        if !MUTABLE.contains(&operation) {
            errors.push(Error::not_supported(&path, operation, &MUTABLE));
        }
    }
}

fn mutation(one: &Value, env: &Env, path: &Path, errors: &mut Errors) {
    let (own, other, yields) = match text(one, "patchType") {
        "" => return errors.push(Error::required(&path.child("patchType"), "")),
        "JSONPatch" => ("jsonPatch", "applyConfiguration", Yields::Patches),
        "ApplyConfiguration" => ("applyConfiguration", "jsonPatch", Yields::Object),
        _ => return one_of(one, "patchType", &["ApplyConfiguration", "JSONPatch"], path, errors),
    };
    let of = text(one, "patchType");
    let at = path.child(own);
    match one.get(own).filter(|patch| !patch.is_null()) {
        None => errors.push(Error::required(&at, format!("must be specified when patchType is {of}"))),
        Some(patch) => {
            expression_of(patch, "expression", "", yields, env, &at.child("expression"), errors);
        }
    }
    if one.get(other).is_some_and(|patch| !patch.is_null()) {
        let why = format!("must not be specified when patchType is {of}");
        errors.push(Error::invalid(&path.child(other), format!("{{{other}}}"), why));
    }
}

fn validation(one: &Value, env: &Env, path: &Path, errors: &mut Errors) {
    let at = path.child("expression");
    expression_of(one, "expression", "expression is not specified", Yields::Bool, env, &at, errors);
    let source = text(one, "messageExpression");
    let at = path.child("messageExpression");
    if !source.is_empty() && source.trim().is_empty() {
        errors.push(Error::invalid(&at, source, "must be non-empty if specified"));
    } else if !source.is_empty() {
        expression_of(one, "messageExpression", "", Yields::Text, env, &at, errors);
    }
    let message = text(one, "message");
    let breaks = |text: &str| text.trim().contains(['\n', '\r']);
    let at = path.child("message");
    if !message.is_empty() && message.trim().is_empty() {
        errors.push(Error::invalid(&at, message, "message must be non-empty if specified"));
    } else if breaks(message) {
        errors.push(Error::invalid(&at, message, "message must not contain line breaks"));
    } else if breaks(text(one, "expression")) && message.is_empty() {
        errors.push(Error::required(&at, "message must be specified if expression contains line breaks"));
    }
    let reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];
    one_of(one, "reason", &reasons, path, errors);
}

/// The type that the expression in a field yields, unless it cannot be compiled.
fn expression_of(
    owner: &Value,
    field: &str,
    missing: &str,
    yields: Yields,
    env: &Env,
    path: &Path,
    errors: &mut Errors,
) -> Option<Type> {
    let source = text(owner, field);
    if source.trim().is_empty() {
        errors.push(Error::required(path, missing));
        return None;
    }
    match expression::compile(env, source, yields) {
        Ok(program) => Some(program.output().clone()),
        Err(why) => {
            errors.push(Error::invalid(path, source, why));
            None
        }
    }
}

fn binding(object: &Tree, resources_field: &str) -> Errors {
    let mut errors = Errors::new();
    let (spec, path) = (object.get("spec").unwrap_or(&Value::Null), Path::new("spec"));
    let name = text(spec, "policyName");
    let at = path.child("policyName");
    if name.is_empty() {
        errors.push(Error::required(&at, ""));
    } else {
        let complaints = super::subdomain_name(name, false).into_iter();
        errors.extend(complaints.map(|why| Error::invalid(&at, name, why)));
    }
    if let Some(reference) = spec.get("paramRef").filter(|reference| !reference.is_null()) {
        let path = path.child("paramRef");
        let (name, selector) = (text(reference, "name"), reference.get("selector").filter(|one| !one.is_null()));
        let exclusive = "name and selector are mutually exclusive";
        if !name.is_empty() {
            complain(&mut errors, &path.child("name"), name, path_segment(name, false));
            if selector.is_some() {
                errors.push(Error::forbidden(&path.child("name"), exclusive));
            }
        }
        if let Some(Ok(selector)) = selector.map(|selector| serde_json::from_value(selector.clone())) {
            label_selector(&selector, &path.child("selector"), &mut errors);
            if !name.is_empty() {
                errors.push(Error::forbidden(&path.child("selector"), exclusive));
            }
        }
        if name.is_empty() && selector.is_none() {
            errors.push(Error::required(&path, "one of name or selector must be specified"));
        }
        if reference.get("parameterNotFoundAction").is_none_or(Value::is_null) {
            errors.push(Error::required(&path.child("parameterNotFoundAction"), ""));
        }
        one_of(reference, "parameterNotFoundAction", &["Deny", "Allow"], &path, &mut errors);
    }
    if let Some(resources) = spec.get("matchResources").filter(|resources| !resources.is_null()) {
        match_resources(resources, &path.child(resources_field), &mut errors);
    }
    errors
}
