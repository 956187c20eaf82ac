//! FlowSchema and PriorityLevelConfiguration. Upstream: `pkg/apis/flowcontrol`. What they do is in
//! [`crate::flow_control`].

use api::Object as _;
use api::field::{Error, Errors, Path};
use api::object::Tree;
use serde_json::{Value, json};

use super::admission_rules::{default_field, items, one_of, text, texts};
use crate::flow_control::objects;
use crate::strategy::TreeStrategy;

const GROUP: &str = "flowcontrol.apiserver.k8s.io";
const PRECEDENCE_MAX: i64 = 10_000;

pub(super) struct FlowSchema;
pub(super) struct PriorityLevelConfiguration;

impl TreeStrategy for FlowSchema {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "FlowSchema";
    const HAS_STATUS: bool = true;
    const HAS_GENERATION: bool = true;

    fn default(object: &mut Tree) {
        if let Some(spec) = object.fields_mut().get_mut("spec").and_then(Value::as_object_mut) {
            default_field(spec, "matchingPrecedence", json!(1000));
        }
    }

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let (spec, path) = (object.get("spec").unwrap_or(&Value::Null), Path::new("spec"));
        let precedence = spec.get("matchingPrecedence").and_then(Value::as_i64).unwrap_or(0);
        let at = path.child("matchingPrecedence");
        if precedence <= 0 {
            errors.push(Error::invalid(&at, precedence, "must be a positive value"));
        }
        if precedence > PRECEDENCE_MAX {
            errors.push(Error::invalid(&at, precedence, format!("must not be greater than {PRECEDENCE_MAX}")));
        }
        if precedence == 1 && object.meta().name.as_deref() != Some("exempt") {
            errors.push(Error::invalid(
                &at,
                precedence,
                "only the schema named 'exempt' may have matchingPrecedence 1",
            ));
        }
        if let Some(method) = spec.get("distinguisherMethod").filter(|method| !method.is_null()) {
            one_of(method, "type", &["ByNamespace", "ByUser"], &path.child("distinguisherMethod"), &mut errors);
        }
        let level = object.text("/spec/priorityLevelConfiguration/name");
        let at = path.child("priorityLevelConfiguration");
        let at = at.child("name");
        if level.is_empty() {
            errors.push(Error::required(&at, "must reference a priority level"));
        } else {
            let complaints = api::validate::dns1123_subdomain(level);
            errors.extend(complaints.into_iter().map(|why| Error::invalid(&at, level, why)));
        }
        let rules = path.child("rules");
        for (index, rule) in items(spec, "rules").iter().enumerate() {
            self::rule(rule, &rules.index(index), &mut errors);
        }
        errors.extend(fixed_value(object));
        errors
    }
}

/// `ValidateFlowSchemaPolicyRulesWithSubjects`
fn rule(rule: &Value, path: &Path, errors: &mut Errors) {
    let subjects = path.child("subjects");
    if items(rule, "subjects").is_empty() {
        errors.push(Error::required(&subjects, "subjects must contain at least one value"));
    }
    for (index, subject) in items(rule, "subjects").iter().enumerate() {
        self::subject(subject, &subjects.index(index), errors);
    }
    if items(rule, "resourceRules").is_empty() && items(rule, "nonResourceRules").is_empty() {
        let why = "at least one of resourceRules and nonResourceRules has to be non-empty";
        errors.push(Error::required(path, why));
    }
    let all = path.child("resourceRules");
    for (index, rule) in items(rule, "resourceRules").iter().enumerate() {
        let path = all.index(index);
        verbs(rule, &path, errors);
        let required = "resource rules must supply at least one api group";
        names(rule, "apiGroups", "api groups", required, &path, errors);
        let required = "resource rules must supply at least one resource";
        names(rule, "resources", "resources", required, &path, errors);
        if rule["clusterScope"] != true || !items(rule, "namespaces").is_empty() {
            let required = "resource rules that are not cluster scoped must supply at least one namespace";
            names(rule, "namespaces", "namespaces", required, &path, errors);
        }
        let namespaces = texts(rule, "namespaces");
        for (index, namespace) in namespaces.iter().enumerate().filter(|_| !namespaces.contains(&"*")) {
            let at = path.child("namespaces");
            let at = at.index(index);
            for why in api::validate::dns1123_label(namespace) {
                let why = format!("each member of this list must be '*' or a DNS-1123 label; {why}");
                errors.push(Error::invalid(&at, *namespace, why));
            }
        }
    }
    let all = path.child("nonResourceRules");
    for (index, rule) in items(rule, "nonResourceRules").iter().enumerate() {
        let path = all.index(index);
        verbs(rule, &path, errors);
        let required = "nonResourceURLs must contain at least one value";
        names(rule, "nonResourceURLs", "non-resource URLs", required, &path, errors);
        let urls = texts(rule, "nonResourceURLs");
        for (index, url) in urls.iter().enumerate().filter(|_| !urls.contains(&"*")) {
            if let Some(why) = wrong_with_url(url) {
                errors.push(Error::invalid(&path.child("nonResourceURLs").index(index), *url, why));
            }
        }
    }
}

fn subject(subject: &Value, path: &Path, errors: &mut Errors) {
    const PARTS: [(&str, &str); 3] = [("ServiceAccount", "serviceAccount"), ("User", "user"), ("Group", "group")];
    let kind = text(subject, "kind");
    let Some((_, part)) = PARTS.iter().find(|(one, _)| *one == kind) else {
        let kinds = ["Group", "ServiceAccount", "User"];
        return errors.push(Error::not_supported(&path.child("kind"), kind, &kinds));
    };
    let at = path.child(part);
    match subject.get(part).filter(|named| !named.is_null()) {
        None => errors.push(Error::required(&at, format!("{part} is required when subject kind is '{kind}'"))),
        Some(named) => {
            let name = text(named, "name");
            if name.is_empty() {
                errors.push(Error::required(&at.child("name"), ""));
            } else if kind == "ServiceAccount" && name != "*" {
                let complaints = api::validate::dns1123_subdomain(name);
                errors.extend(complaints.into_iter().map(|why| Error::invalid(&at.child("name"), name, why)));
            }
            if kind == "ServiceAccount" {
                let namespace = text(named, "namespace");
                let at = at.child("namespace");
                if namespace.is_empty() {
                    errors.push(Error::required(&at, "must specify namespace for service account"));
                } else {
                    let complaints = api::validate::dns1123_label(namespace);
                    errors.extend(complaints.into_iter().map(|why| Error::invalid(&at, namespace, why)));
                }
            }
        }
    }
    for (other, part) in PARTS.iter().filter(|(other, _)| *other != kind) {
        if subject.get(part).is_some_and(|named| !named.is_null()) {
            let why = format!("{part} is forbidden when subject kind is not '{other}'");
            errors.push(Error::forbidden(&path.child(part), why));
        }
    }
}

const VERBS: [&str; 9] = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];

fn verbs(rule: &Value, path: &Path, errors: &mut Errors) {
    names(rule, "verbs", "verbs", "verbs must contain at least one value", path, errors);
    let verbs = texts(rule, "verbs");
    if !verbs.contains(&"*") && verbs.iter().any(|verb| !VERBS.contains(verb)) {
        errors.push(Error::not_supported(&path.child("verbs"), rule["verbs"].clone(), &VERBS));
    }
}

/// A list that has something in it, and `*` only alone.
fn names(rule: &Value, list: &str, what: &str, required: &str, path: &Path, errors: &mut Errors) {
    let given = texts(rule, list);
    if given.is_empty() {
        errors.push(Error::required(&path.child(list), required));
    } else if given.len() > 1 && given.contains(&"*") {
        let why = format!("if '*' is present, must not specify other {what}");
        errors.push(Error::invalid(&path.child(list), rule[list].clone(), why));
    }
}

/// `ValidateNonResourceURLPath`
fn wrong_with_url(url: &str) -> Option<&'static str> {
    match url {
        "" => Some("must not be empty"),
        "/" => None,
        _ if !url.starts_with('/') => Some("must start with slash"),
        _ if url.contains(' ') => Some("must not contain white-space"),
        _ if url.contains("//") => Some("must not contain double slash"),
        _ if url.contains('*') && url.strip_suffix("/*").is_none_or(|rest| rest.contains('*')) => {
            Some("wildcard can only do suffix matching")
        }
        _ => None,
    }
}

/// The objects without which nothing goes have a specification that nobody changes. What an exempt level lends is another
/// matter.
fn fixed_value(object: &Tree) -> Option<Error> {
    let name = object.meta().name.as_deref().filter(|name| matches!(*name, "exempt" | "catch-all"))?;
    let kind = object.text("/kind");
    let is_it = |value: &Value| value["kind"] == kind && value["metadata"]["name"] == name;
    let fixed = objects::bootstrap(0).into_iter().find(is_it)?;
    let without_exempt = |spec: Option<&Value>| {
        let mut spec = spec.cloned().unwrap_or_default();
        if let Some(fields) = spec.as_object_mut() {
            fields.remove("exempt");
        }
        spec
    };
    if without_exempt(object.get("spec")) == without_exempt(fixed.get("spec")) {
        return None;
    }
    let but =
        if kind == "PriorityLevelConfiguration" && name == "exempt" { " except the 'spec.exempt' field" } else { "" };
    let why = format!("spec of '{name}'{but} must equal the fixed value");
    Some(Error::invalid(&Path::new("spec"), object.get("spec").cloned().unwrap_or_default(), why))
}

impl TreeStrategy for PriorityLevelConfiguration {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "PriorityLevelConfiguration";
    const HAS_STATUS: bool = true;
    const HAS_GENERATION: bool = true;

    fn default(object: &mut Tree) {
        let Some(spec) = object.fields_mut().get_mut("spec").and_then(Value::as_object_mut) else { return };
        if let Some(exempt) = spec.get_mut("exempt").and_then(Value::as_object_mut) {
            default_field(exempt, "nominalConcurrencyShares", json!(0));
            default_field(exempt, "lendablePercent", json!(0));
        }
        let Some(limited) = spec.get_mut("limited").and_then(Value::as_object_mut) else { return };
        default_field(limited, "nominalConcurrencyShares", json!(30));
        default_field(limited, "lendablePercent", json!(0));
        let queuing = limited.get_mut("limitResponse").and_then(|response| response.get_mut("queuing"));
        if let Some(queuing) = queuing.and_then(Value::as_object_mut) {
            default_field(queuing, "handSize", json!(8));
            default_field(queuing, "queues", json!(64));
            default_field(queuing, "queueLengthLimit", json!(50));
        }
    }

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let (spec, path) = (object.get("spec").unwrap_or(&Value::Null), Path::new("spec"));
        let part = |field: &str| spec.get(field).filter(|value| !value.is_null());
        let (kind, name) = (text(spec, "type"), object.meta().name.as_deref().unwrap_or_default());
        if (name == "exempt") != (kind == "Exempt") {
            let why = "type must be 'Exempt' if and only if name is 'exempt'";
            errors.push(Error::invalid(&path.child("type"), kind, why));
        }
        let (limited, exempt) = (path.child("limited"), path.child("exempt"));
        match (kind, part("limited"), part("exempt")) {
            ("Exempt", Some(_), _) => {
                errors.push(Error::forbidden(&limited, "must be nil if the type is not Limited"));
            }
            ("Exempt", None, Some(given)) => shares(given, &exempt, &mut errors),
            ("Limited", None, _) => errors.push(Error::required(&limited, "must not be empty when type is Limited")),
            ("Limited", Some(_), Some(_)) => {
                errors.push(Error::forbidden(&exempt, "must be nil if the type is Limited"));
            }
            ("Limited", Some(given), None) => self::limited(given, &limited, &mut errors),
            ("Exempt", None, None) => {}
            (other, ..) => errors.push(Error::not_supported(&path.child("type"), other, &["Exempt", "Limited"])),
        }
        errors.extend(fixed_value(object));
        errors
    }
}

fn shares(value: &Value, path: &Path, errors: &mut Errors) {
    let number = |field: &str| value.get(field).and_then(Value::as_i64);
    let (shares, lends) = (number("nominalConcurrencyShares"), number("lendablePercent"));
    if let Some(shares) = shares.filter(|shares| *shares < 0) {
        let why = "must be a non-negative integer";
        errors.push(Error::invalid(&path.child("nominalConcurrencyShares"), shares, why));
    }
    if let Some(lends) = lends.filter(|lends| !(0..=100).contains(lends)) {
        errors.push(Error::invalid(&path.child("lendablePercent"), lends, "must be between 0 and 100, inclusive"));
    }
}

/// `ValidateLimitedPriorityLevelConfiguration`
fn limited(value: &Value, path: &Path, errors: &mut Errors) {
    shares(value, path, errors);
    let borrows = value.get("borrowingLimitPercent").and_then(Value::as_i64);
    if let Some(borrows) = borrows.filter(|borrows| *borrows < 0) {
        let why = "if specified, must be a non-negative integer";
        errors.push(Error::invalid(&path.child("borrowingLimitPercent"), borrows, why));
    }
    let path = path.child("limitResponse");
    let response = &value["limitResponse"];
    let at = path.child("queuing");
    match (text(response, "type"), response.get("queuing").filter(|queuing| !queuing.is_null())) {
        ("Reject", Some(_)) => {
            errors.push(Error::forbidden(&at, "must be nil if limited.limitResponse.type is not Limited"));
        }
        ("Queue", None) => {
            errors.push(Error::required(&at, "must not be empty if limited.limitResponse.type is Limited"));
        }
        ("Queue", Some(given)) => queuing(given, &at, errors),
        ("Reject", None) => {}
        (other, _) => errors.push(Error::not_supported(&path.child("type"), other, &["Queue", "Reject"])),
    }
}

const QUEUES_MAX: i64 = 10_000_000;
/// What a flow's hash has to say which queues it is dealt.
const HASH_BITS: u32 = 60;

fn queuing(value: &Value, path: &Path, errors: &mut Errors) {
    let number = |field: &str| value.get(field).and_then(Value::as_i64).unwrap_or(0);
    let (length, queues, hand) = (number("queueLengthLimit"), number("queues"), number("handSize"));
    let mut refuse = |field: &str, value: i64, why: String| errors.push(Error::invalid(&path.child(field), value, why));
    if length <= 0 {
        refuse("queueLengthLimit", length, "must be positive".into());
    }
    if queues <= 0 {
        refuse("queues", queues, "must be positive".into());
    } else if queues > QUEUES_MAX {
        refuse("queues", queues, format!("must not be greater than {QUEUES_MAX}"));
    }
    if hand <= 0 {
        refuse("handSize", hand, "must be positive".into());
    } else if hand > queues {
        refuse("handSize", hand, format!("should not be greater than queues ({queues})"));
    } else {
        let bits = entropy_bits(queues, hand);
        if bits > HASH_BITS {
            let why = format!(
                "required entropy bits of deckSize {queues} and handSize {hand} should not be greater than {HASH_BITS}"
            );
            refuse("handSize", hand, why);
        }
    }
}

/// How many bits of a hash dealing takes, rounded up. Upstream: `shufflesharding.RequiredEntropyBits`.
fn entropy_bits(queues: i64, hand: i64) -> u32 {
    let bits = |count: u128| 128 - (count - 1).leading_zeros();
    let hands = u32::try_from(hand).ok().and_then(|hand| (queues as u128).checked_pow(hand));
    // Of more hands than can be counted it is enough to know that they are too many.
    hands.map_or_else(|| bits(queues as u128).saturating_mul(hand as u32), bits)
}
