//! ValidatingWebhookConfiguration and MutatingWebhookConfiguration.

use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::validate::{dns1035_label, dns1123_subdomain, fully_qualified_name};
use serde_json::{Value, json};

use super::admission_policy::match_conditions;
use super::admission_rules::{default_field, default_rules, default_selectors, items, objects_mut, one_of, rule};
use super::admission_rules::{selectors, text};
use crate::admission::policy::expression;
use crate::strategy::TreeStrategy;

const REVIEW_VERSIONS: [&str; 2] = ["v1", "v1beta1"];

pub(super) struct Validating;
pub(super) struct Mutating;

impl TreeStrategy for Validating {
    const GROUP: &'static str = "admissionregistration.k8s.io";
    const KIND: &'static str = "ValidatingWebhookConfiguration";
    const UNCONDITIONAL_UPDATE: bool = false;
    const HAS_GENERATION: bool = true;

    fn default(object: &mut Tree) {
        default_webhooks(object, false);
    }

    fn same_generation(object: &Tree, old: &Tree) -> bool {
        object.get("webhooks") == old.get("webhooks")
    }

    fn validate(object: &Tree) -> Errors {
        webhooks(object)
    }
}

impl TreeStrategy for Mutating {
    const GROUP: &'static str = "admissionregistration.k8s.io";
    const KIND: &'static str = "MutatingWebhookConfiguration";
    const UNCONDITIONAL_UPDATE: bool = false;
    const HAS_GENERATION: bool = true;

    fn default(object: &mut Tree) {
        default_webhooks(object, true);
    }

    fn same_generation(object: &Tree, old: &Tree) -> bool {
        object.get("webhooks") == old.get("webhooks")
    }

    fn validate(object: &Tree) -> Errors {
        webhooks(object)
    }
}

fn default_webhooks(object: &mut Tree, mutates: bool) {
    for hook in objects_mut(object.fields_mut(), "webhooks") {
        default_field(hook, "failurePolicy", json!("Fail"));
        default_selectors(hook);
        default_field(hook, "timeoutSeconds", json!(10));
        if mutates {
            default_field(hook, "reinvocationPolicy", json!("Never"));
        }
        default_rules(hook, "rules");
        let service = hook.get_mut("clientConfig").and_then(|config| config.get_mut("service"));
        if let Some(service) = service.and_then(Value::as_object_mut) {
            default_field(service, "port", json!(443));
        }
    }
}

fn webhooks(object: &Tree) -> Errors {
    let mut errors = Errors::new();
    let all = Path::new("webhooks");
    let mut names: Vec<&str> = Vec::new();
    let hooks = object.get("webhooks").and_then(Value::as_array).into_iter().flatten();
    for (index, hook) in hooks.enumerate() {
        let path = all.index(index);
        webhook(hook, &path, &mut errors);
        let missing = format!("must specify one of {}", REVIEW_VERSIONS.join(", "));
        let at = path.child("admissionReviewVersions");
        review_versions(&hook["admissionReviewVersions"], &missing, &at, &mut errors);
        one_of(hook, "reinvocationPolicy", &["IfNeeded", "Never"], &path, &mut errors);
        let name = text(hook, "name");
        if names.contains(&name) {
            errors.push(Error::duplicate(&path.child("name"), name));
        }
        names.push(name);
    }
    errors
}

fn webhook(hook: &Value, path: &Path, errors: &mut Errors) {
    let name = text(hook, "name");
    let name_path = path.child("name");
    if name.is_empty() {
        errors.push(Error::required(&name_path, ""));
    } else {
        let complaints = fully_qualified_name(name).into_iter();
        errors.extend(complaints.map(|why| Error::invalid(&name_path, name, why)));
    }
    let rules = path.child("rules");
    for (index, one) in items(hook, "rules").iter().enumerate() {
        rule(one, &rules.index(index), errors);
    }
    one_of(hook, "failurePolicy", &["Fail", "Ignore"], path, errors);
    one_of(hook, "matchPolicy", &["Equivalent", "Exact"], path, errors);
    if hook.get("sideEffects").is_none_or(Value::is_null) {
        errors.push(Error::required(&path.child("sideEffects"), "must specify one of None, NoneOnDryRun"));
    }
    one_of(hook, "sideEffects", &["None", "NoneOnDryRun"], path, errors);
    if let Some(seconds) = hook.get("timeoutSeconds").and_then(Value::as_i64).filter(|one| !(1..=30).contains(one)) {
        let why = "the timeout value must be between 1 and 30 seconds";
        errors.push(Error::invalid(&path.child("timeoutSeconds"), seconds, why));
    }
    selectors(hook, path, errors);
    match_conditions(hook, &expression::env(false), &path.child("matchConditions"), errors);
    client_config(hook.get("clientConfig").unwrap_or(&Value::Null), &path.child("clientConfig"), errors);
}

/// Where a webhook is: at a URL or behind a Service.
pub(crate) fn client_config(config: &Value, path: &Path, errors: &mut Errors) {
    let present = |field: &str| config.get(field).filter(|value| !value.is_null());
    match (present("url").and_then(Value::as_str), present("service")) {
        (None, None) | (Some(_), Some(_)) => {
            errors.push(Error::required(path, "exactly one of url or service is required"));
        }
        (Some(address), None) => url(address, &path.child("url"), errors),
        (None, Some(service)) => {
            let path = path.child("service");
            for field in ["name", "namespace"] {
                if text(service, field).is_empty() {
                    errors.push(Error::required(&path.child(field), format!("service {field} is required")));
                }
            }
            let port = service.get("port").and_then(Value::as_i64).unwrap_or(443);
            if !(1..=65535).contains(&port) {
                let why = "port is not valid: must be between 1 and 65535, inclusive";
                errors.push(Error::invalid(&path.child("port"), port, why));
            }
            service_path(text(service, "path"), &path.child("path"), errors);
        }
    }
}

/// Where behind a Service a webhook listens.
fn service_path(given: &str, path: &Path, errors: &mut Errors) {
    let mut refuse = |why: String| errors.push(Error::invalid(path, given, why));
    match given {
        "" | "/" => return,
        "//" => return refuse("segment[0] may not be empty".into()),
        _ => {}
    }
    if !given.starts_with('/') {
        refuse("must start with a '/'".into());
    }
    let mut rest = given.chars();
    rest.next();
    let rest = rest.as_str();
    for (index, step) in rest.strip_suffix('/').unwrap_or(rest).split('/').enumerate() {
        if step.is_empty() {
            refuse(format!("segment[{index}] may not be empty"));
        } else {
            dns1123_subdomain(step).into_iter().for_each(|why| refuse(format!("segment[{index}]: {why}")));
        }
    }
}

fn url(address: &str, path: &Path, errors: &mut Errors) {
    const FORM: &str = "; desired format: https://host[/path]";
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let mut refuse = |value: &str, why: &str| errors.push(Error::invalid(path, value, format!("{why}{FORM}")));
    if scheme != "https" {
        refuse(scheme, "'https' is the only allowed URL scheme");
    }
    let rest = if scheme.is_empty() { "" } else { rest };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() {
        refuse(host, "host must be specified");
    }
    if let Some((user, _)) = host.split_once('@') {
        refuse(user, "user information is not permitted in the URL");
    }
    if let Some((_, fragment)) = rest.split_once('#') {
        refuse(fragment, "fragments are not permitted in the URL");
    }
    if let Some((_, query)) = rest.split('#').next().and_then(|rest| rest.split_once('?')) {
        refuse(query, "query parameters are not permitted in the URL");
    }
}

/// The versions of reviews that a webhook understands.
pub(crate) fn review_versions(given: &Value, missing: &str, path: &Path, errors: &mut Errors) {
    let versions: Vec<&str> = given.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if versions.is_empty() {
        errors.push(Error::required(path, missing));
        return;
    }
    for (index, version) in versions.iter().enumerate() {
        let at = path.index(index);
        if versions[..index].contains(version) {
            errors.push(Error::invalid(&at, *version, "duplicate version"));
            continue;
        }
        errors.extend(dns1035_label(version).into_iter().map(|why| Error::invalid(&at, *version, why)));
    }
    if !versions.iter().any(|version| REVIEW_VERSIONS.contains(version)) {
        let why = format!("must include at least one of {}", REVIEW_VERSIONS.join(", "));
        errors.push(Error::invalid(path, given.clone(), why));
    }
}
