//! Which requests a webhook or an admission policy is about: what both kinds of configuration share. Upstream:
//! `pkg/apis/admissionregistration`.

use api::field::{Error, Errors, Path};
use api::types::LabelSelector;
use api::validate::{label_selector, path_segment};
use serde_json::{Map, Value, json};

const OPERATIONS: [&str; 5] = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

/// Sets an absent field of a JSON object.
pub(crate) fn default_field(fields: &mut Map<String, Value>, name: &str, value: Value) {
    let field = fields.entry(name).or_insert(Value::Null);
    if field.is_null() {
        *field = value;
    }
}

/// The objects of a list in a JSON object.
pub(super) fn objects_mut<'a>(
    fields: &'a mut Map<String, Value>,
    list: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let list = fields.get_mut(list).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// The items of a list in a JSON object.
pub(crate) fn items<'a>(value: &'a Value, list: &str) -> &'a [Value] {
    value.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The text of a field; empty when there is none.
pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The texts of a list.
pub(crate) fn texts<'a>(value: &'a Value, list: &str) -> Vec<&'a str> {
    items(value, list).iter().filter_map(Value::as_str).collect()
}

pub(super) fn default_rules(fields: &mut Map<String, Value>, list: &str) {
    for rule in objects_mut(fields, list) {
        default_field(rule, "scope", json!("*"));
    }
}

pub(super) fn default_selectors(fields: &mut Map<String, Value>) {
    default_field(fields, "matchPolicy", json!("Equivalent"));
    default_field(fields, "namespaceSelector", json!({}));
    default_field(fields, "objectSelector", json!({}));
}

pub(super) fn default_match_resources(fields: &mut Map<String, Value>) {
    default_selectors(fields);
    default_rules(fields, "resourceRules");
    default_rules(fields, "excludeResourceRules");
}

/// `MatchResources` of a policy or binding.
pub(super) fn match_resources(value: &Value, path: &Path, errors: &mut Errors) {
    selectors(value, path, errors);
    for list in ["resourceRules", "excludeResourceRules"] {
        let all = path.child(list);
        for (index, rule) in items(value, list).iter().enumerate() {
            let path = all.index(index);
            let (names, names_path) = (texts(rule, "resourceNames"), path.child("resourceNames"));
            for (index, name) in names.iter().enumerate() {
                let path = names_path.index(index);
                errors.extend(path_segment(name, false).into_iter().map(|why| Error::invalid(&path, *name, why)));
                if names[..index].contains(name) {
                    errors.push(Error::duplicate(&path, *name));
                }
            }
            self::rule(rule, &path, errors);
        }
    }
    one_of(value, "matchPolicy", &["Equivalent", "Exact"], path, errors);
}

pub(super) fn selectors(value: &Value, path: &Path, errors: &mut Errors) {
    for name in ["namespaceSelector", "objectSelector"] {
        if let Some(selector) =
            value.get(name).and_then(|one| serde_json::from_value::<LabelSelector>(one.clone()).ok())
        {
            label_selector(&selector, &path.child(name), errors);
        }
    }
}

/// A field that is absent or one of a few words.
pub(super) fn one_of(value: &Value, field: &str, supported: &[&str], path: &Path, errors: &mut Errors) {
    if let Some(word) = value.get(field).and_then(Value::as_str).filter(|word| !supported.contains(word)) {
        errors.push(Error::not_supported(&path.child(field), word, supported));
    }
}

/// `validateRuleWithOperations`
pub(super) fn rule(rule: &Value, path: &Path, errors: &mut Errors) {
    let operations = path.child("operations");
    wildcard_alone(rule, "operations", "operations", path, errors);
    for (index, operation) in texts(rule, "operations").iter().enumerate() {
        if !OPERATIONS.contains(operation) {
            errors.push(Error::not_supported(&operations.index(index), *operation, &OPERATIONS));
        }
    }
    wildcard_alone(rule, "apiGroups", "API groups", path, errors);
    wildcard_alone(rule, "apiVersions", "API versions", path, errors);
    let versions = path.child("apiVersions");
    for (index, version) in texts(rule, "apiVersions").iter().enumerate() {
        if version.is_empty() {
            errors.push(Error::required(&versions.index(index), ""));
        }
    }
    resources(rule, &path.child("resources"), errors);
    one_of(rule, "scope", &["*", "Cluster", "Namespaced"], path, errors);
}

/// A list that is not empty, and in which `*` stands alone.
fn wildcard_alone(rule: &Value, list: &str, what: &str, path: &Path, errors: &mut Errors) {
    let given = texts(rule, list);
    let path = path.child(list);
    if given.is_empty() {
        errors.push(Error::required(&path, ""));
    }
    if given.len() > 1 && given.contains(&"*") {
        let why = format!("if '*' is present, must not specify other {what}");
        errors.push(Error::invalid(&path, rule[list].clone(), why));
    }
}

fn resources(rule: &Value, path: &Path, errors: &mut Errors) {
    let given = texts(rule, "resources");
    if given.is_empty() {
        errors.push(Error::required(path, ""));
    }
    // Resources all of whose subresources are named, and subresources that are named of every resource.
    let (mut whole, mut everywhere): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for (index, resource) in given.iter().enumerate() {
        let at = path.index(index);
        if resource.is_empty() {
            errors.push(Error::required(&at, ""));
        }
        let Some((name, sub)) = resource.split_once('/') else { continue };
        if whole.contains(&name) {
            let why = format!("if '{name}/*' is present, must not specify {resource}");
            errors.push(Error::invalid(&at, *resource, why));
        }
        if everywhere.contains(&sub) {
            let why = format!("if '*/{sub}' is present, must not specify {resource}");
            errors.push(Error::invalid(&at, *resource, why));
        }
        if sub == "*" {
            whole.push(name);
        }
        if name == "*" {
            everywhere.push(sub);
        }
    }
    let mut refuse = |why: &str| errors.push(Error::invalid(path, rule["resources"].clone(), why));
    if given.len() > 1 && given.contains(&"*/*") {
        refuse("if '*/*' is present, must not specify other resources");
    }
    if given.contains(&"*") && given.iter().any(|one| *one != "*" && !one.contains('/')) {
        refuse("if '*' is present, must not specify other resources without subresources");
    }
}
