//! What a claim, or the template of one, asks for.

use api::field::{Error, Errors, Path};
use api::validate::{dns1123_subdomain, label_value, qualified_name};
use serde_json::Value;

use super::{names, selectors};
use crate::registry::admission_rules::{items, text, texts};
use crate::registry::csi::driver_name;
use crate::registry::rules::complain;

pub(super) const LIST_MAX: usize = 32;
const ALTERNATIVES_MAX: usize = 8;
const PARAMETERS_BYTES_MAX: usize = 10 * 1024;
pub(super) const TAINT_EFFECTS: [&str; 3] = ["NoExecute", "NoSchedule", "None"];

/// Checks the items of a list that is not too long. Upstream: `validateSlice`. False: it is too long.
pub(super) fn each(
    owner: &Value,
    list: &str,
    max: usize,
    path: &Path,
    errors: &mut Errors,
    mut check: impl FnMut(&Value, &Path, &mut Errors),
) -> bool {
    let (all, path) = (items(owner, list), path.child(list));
    if all.len() > max {
        errors.push(Error::too_many(&path, all.len(), max));
        return false;
    }
    for (index, item) in all.iter().enumerate() {
        check(item, &path.index(index), errors);
    }
    true
}

/// The same for items that must differ by a key. Upstream: `validateSet`.
pub(super) fn each_once(
    owner: &Value,
    list: &str,
    key: impl Fn(&Value) -> String,
    max: usize,
    path: &Path,
    errors: &mut Errors,
    check: impl FnMut(&Value, &Path, &mut Errors),
) {
    if !each(owner, list, max, path, errors, check) {
        return;
    }
    let path = path.child(list);
    let mut seen: Vec<String> = Vec::new();
    for (index, item) in items(owner, list).iter().enumerate() {
        let key = key(item);
        if seen.contains(&key) {
            errors.push(Error::duplicate(&path.index(index), key));
        } else {
            seen.push(key);
        }
    }
}

pub(super) fn itself(item: &Value) -> String {
    item.as_str().unwrap_or_default().to_owned()
}

pub(super) fn name_of(item: &Value) -> String {
    text(item, "name").to_owned()
}

/// `validateResourceClaimSpec`
pub(super) fn validate(spec: &Value, path: &Path, errors: &mut Errors) {
    let (devices, path) = (&spec["devices"], path.child("devices"));
    each_once(devices, "requests", name_of, LIST_MAX, &path, errors, request);
    each(devices, "constraints", LIST_MAX, &path, errors, |constraint, path, errors| {
        references(constraint, devices, path, errors);
        let attribute = |field: &str| constraint.get(field).and_then(Value::as_str);
        if let Some(name) = attribute("matchAttribute") {
            names::attribute_with_domain(name, &path.child("matchAttribute"), errors);
        } else if let Some(name) = attribute("distinctAttribute") {
            names::attribute_with_domain(name, &path.child("distinctAttribute"), errors);
        } else {
            // Upstream's words for none.
            let why =
                "exactly one of \"matchAttribute\" or \"distinctAttribute\" is required, but multiple fields are set";
            errors.push(Error::required(path, why));
        }
    });
    each(devices, "config", LIST_MAX, &path, errors, |config, path, errors| {
        references(config, devices, path, errors);
        configuration(config, false, path, errors);
    });
}

fn request(request: &Value, path: &Path, errors: &mut Errors) {
    names::label(text(request, "name"), &path.child("name"), errors);
    let exactly = request.get("exactly").filter(|exactly| !exactly.is_null());
    match (exactly, items(request, "firstAvailable").is_empty()) {
        (None, true) => {
            errors.push(Error::required(path, "exactly one of `exactly` or `firstAvailable` is required"));
        }
        (Some(_), false) => {
            let why = "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set";
            errors.push(Error::invalid(path, Value::Null, why));
        }
        (Some(exactly), true) => devices(exactly, &path.child("exactly"), errors),
        (None, false) => {
            each_once(request, "firstAvailable", name_of, ALTERNATIVES_MAX, path, errors, |one, path, errors| {
                names::label(text(one, "name"), &path.child("name"), errors);
                devices(one, path, errors);
            });
        }
    }
}

/// Which devices, and how many.
fn devices(request: &Value, path: &Path, errors: &mut Errors) {
    let class = text(request, "deviceClassName");
    let at = path.child("deviceClassName");
    if class.is_empty() {
        errors.push(Error::required(&at, ""));
    } else {
        complain(errors, &at, class, dns1123_subdomain(class));
    }
    selectors::validate(request, false, path, errors);
    let count = request.get("count").and_then(Value::as_i64).unwrap_or(0);
    let at = path.child("count");
    match text(request, "allocationMode") {
        "All" if count != 0 => {
            errors.push(Error::invalid(&at, count, "must not be specified when allocationMode is 'All'"));
        }
        "ExactCount" if count <= 0 => errors.push(Error::invalid(&at, count, "must be greater than zero")),
        "All" | "ExactCount" => {}
        other => errors.push(Error::not_supported(&path.child("allocationMode"), other, &["All", "ExactCount"])),
    }
    tolerations(request, path, errors);
}

/// `validateDeviceToleration`, of each.
pub(super) fn tolerations(owner: &Value, path: &Path, errors: &mut Errors) {
    each(owner, "tolerations", usize::MAX, path, errors, |toleration, path, errors| {
        let (key, value) = (text(toleration, "key"), text(toleration, "value"));
        if !key.is_empty() {
            complain(errors, &path.child("key"), key, qualified_name(key));
        }
        let at = path.child("value");
        match text(toleration, "operator") {
            "Exists" if !value.is_empty() => {
                errors.push(Error::invalid(&at, value, "must be empty for operator `Exists`"));
            }
            "Exists" => {}
            "Equal" => complain(errors, &at, value, label_value(value)),
            other => errors.push(Error::not_supported(&path.child("operator"), other, &["Equal", "Exists"])),
        }
        let effect = text(toleration, "effect");
        if !effect.is_empty() && !TAINT_EFFECTS.contains(&effect) {
            errors.push(Error::not_supported(&path.child("effect"), effect, &TAINT_EFFECTS));
        }
    });
}

/// The requests of a claim that a constraint or configuration is about.
pub(super) fn references(owner: &Value, devices: &Value, path: &Path, errors: &mut Errors) {
    each_once(owner, "requests", itself, LIST_MAX, path, errors, |name, path, errors| {
        reference(name.as_str().unwrap_or_default(), devices, path, errors);
    });
}

/// `validateRequestNameRef`
pub(super) fn reference(name: &str, devices: &Value, path: &Path, errors: &mut Errors) {
    let parts: Vec<&str> = name.split('/').collect();
    if parts.len() <= 2 {
        parts.iter().for_each(|part| names::label(part, path, errors));
    }
    let named = |list: &[Value], name: &str| list.iter().any(|one| text(one, "name") == name);
    let requests = items(devices, "requests");
    let is_known = match parts[..] {
        [request] => named(requests, request),
        [request, alternative] => {
            let request = requests.iter().find(|one| text(one, "name") == request);
            request.is_some_and(|request| named(items(request, "firstAvailable"), alternative))
        }
        _ => false,
    };
    if !is_known {
        let why =
            "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
        errors.push(Error::invalid(path, name, why));
    }
}

/// `validateDeviceConfiguration`
pub(super) fn configuration(config: &Value, stored: bool, path: &Path, errors: &mut Errors) {
    let path = path.child("opaque");
    let Some(opaque) = config.get("opaque").filter(|opaque| !opaque.is_null()) else {
        return errors.push(Error::required(&path, ""));
    };
    driver_name(text(opaque, "driver"), &path.child("driver"), errors);
    let max = if stored { usize::MAX } else { PARAMETERS_BYTES_MAX };
    raw(opaque.get("parameters"), max, &path.child("parameters"), errors);
}

/// `validateRawExtension`
pub(super) fn raw(value: Option<&Value>, bytes_max: usize, path: &Path, errors: &mut Errors) {
    match value.filter(|value| !value.is_null()) {
        None => errors.push(Error::required(path, "")),
        Some(value) if value.to_string().len() > bytes_max => errors.push(Error::too_long(path, bytes_max)),
        Some(Value::Object(_)) => {}
        Some(_) => errors.push(Error::invalid(path, "<value omitted>", "must be a valid JSON object")),
    }
}

/// `validateDeviceBindingParameters`
pub(super) fn binding_conditions(owner: &Value, path: &Path, errors: &mut Errors) {
    const MAX: usize = 4;
    const LISTS: [&str; 2] = ["bindingConditions", "bindingFailureConditions"];
    for list in LISTS {
        each(owner, list, MAX, path, errors, |name, path, errors| {
            let name = name.as_str().unwrap_or_default();
            complain(errors, path, name, qualified_name(name));
        });
    }
    let [conditions, failures] = LISTS.map(|list| texts(owner, list));
    for (list, all) in LISTS.into_iter().zip([&conditions, &failures]) {
        let at = path.child(list);
        for (index, name) in all.iter().enumerate() {
            if all[..index].contains(name) {
                errors.push(Error::duplicate(&at.index(index), *name));
            }
            if list == LISTS[1] && conditions.contains(name) {
                let why = "bindingFailureConditions must not overlap with bindingConditions";
                errors.push(Error::invalid(&at.index(index), *name, why));
            }
        }
    }
    for (missing, present, all) in [(0, 1, &conditions), (1, 0, &failures)] {
        let other = if missing == 0 { &failures } else { &conditions };
        if all.is_empty() && !other.is_empty() {
            let (missing, present) = (LISTS[missing], LISTS[present]);
            let given = owner.get(missing).cloned().unwrap_or_default();
            errors.push(Error::invalid(
                &path.child(missing),
                given,
                format!("{missing} are required to use {present}"),
            ));
        }
    }
}
