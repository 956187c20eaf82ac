//! One device of a ResourceSlice.

use api::field::{Error, Errors, Path};
use api::quantity::{self, Amount};
use api::validate::{dns1123_subdomain, label_value, qualified_name};
use serde_json::{Map, Value};

use super::claim::{TAINT_EFFECTS, binding_conditions, each, each_once};
use super::{names, slice};
use crate::registry::admission_rules::{items, text};
use crate::registry::go_diff;
use crate::registry::rules::complain;

const ATTRIBUTES_MAX: usize = 32;
const VALUE_BYTES_MAX: usize = 64;
const TAINTS_MAX: usize = 16;
const CONSUMPTIONS_MAX: usize = 2;
const COUNTERS_MAX: usize = 32;
const VALUES_MAX: usize = 10;

fn entries<'a>(owner: &'a Value, map: &str) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    owner.get(map).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

/// `validateDevice`. `chooses`: each device says on which nodes it is.
pub(super) fn validate(device: &Value, old: Option<&Value>, chooses: bool, path: &Path, errors: &mut Errors) {
    names::label(text(device, "name"), &path.child("name"), errors);
    let count = entries(device, "attributes").count() + entries(device, "capacity").count();
    if count > ATTRIBUTES_MAX {
        let why = format!("the total number of attributes and capacities must not exceed {ATTRIBUTES_MAX}");
        errors.push(Error::invalid(path, count, why));
    }
    let all = path.child("attributes");
    for (name, value) in entries(device, "attributes") {
        names::attribute(name, &all, errors);
        attribute(value, &all.key(name), errors);
    }
    let is_new = |part: &str| old.is_none_or(|old| old.get(part) != device.get(part));
    let all = path.child("capacity");
    for (name, capacity) in entries(device, "capacity").filter(|_| is_new("capacity")) {
        names::attribute(name, &all, errors);
        let path = all.key(name);
        let path = path.child("requestPolicy");
        let Some(policy) = capacity.get("requestPolicy").filter(|policy| !policy.is_null()) else { continue };
        if device["allowMultipleAllocations"] == true {
            request_policy(policy, amount(&capacity["value"]), &path, errors);
        } else {
            errors.push(Error::forbidden(&path, "allowMultipleAllocations must be true"));
        }
    }
    if is_new("taints") {
        each(device, "taints", TAINTS_MAX, path, errors, taint);
    }
    let set = |one: &Value| text(one, "counterSet").to_owned();
    each_once(device, "consumesCounters", set, CONSUMPTIONS_MAX, path, errors, |one, path, errors| {
        counters(one, "counterSet", path, errors);
    });
    nodes(device, chooses, path, errors);
    binding_conditions(device, path, errors);
}

fn attribute(value: &Value, path: &Path, errors: &mut Errors) {
    let is_given = |field: &&str| value.get(field).is_some_and(|value| !value.is_null());
    for field in ["string", "version"].into_iter().filter(is_given) {
        let (text, path) = (text(value, field), path.child(field));
        if field == "version" && !is_semver(text) {
            errors.push(Error::invalid(&path, text, "must be a string compatible with semver.org spec 2.0.0"));
        }
        if text.len() > VALUE_BYTES_MAX {
            errors.push(Error::too_long(&path, VALUE_BYTES_MAX));
        }
    }
    let why = "exactly one value must be specified";
    match ["int", "bool", "string", "version"].iter().filter(|field| is_given(field)).count() {
        0 => errors.push(Error::invalid(path, "", why)),
        1 => {}
        _ => {
            let shown = go_diff::compact("resource.v1.DeviceAttribute", value);
            errors.push(Error::invalid_verbatim(path, shown, why));
        }
    }
}

fn is_semver(text: &str) -> bool {
    let (rest, build) = text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
    let (numbers, release) = rest.split_once('-').map_or((rest, None), |(rest, release)| (rest, Some(release)));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = |part: &str| is_digits(part) && (part == "0" || !part.starts_with('0'));
    let is_word =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    numbers.split('.').count() == 3
        && numbers.split('.').all(is_number)
        && release.is_none_or(|all| all.split('.').all(|one| is_word(one) && (!is_digits(one) || is_number(one))))
        && build.is_none_or(|all| all.split('.').all(is_word))
}

/// A quantity, and how it is shown.
fn amount(value: &Value) -> Option<(Amount, &str)> {
    let text = value.as_str()?;
    quantity::parse(text).map(|(amount, _)| (amount, text))
}

/// `validateRequestPolicy`
fn request_policy(policy: &Value, capacity: Option<(Amount, &str)>, path: &Path, errors: &mut Errors) {
    let (values, range) = (items(policy, "validValues"), policy.get("validRange").filter(|range| !range.is_null()));
    let used = match (values.is_empty(), range) {
        (true, None) => return,
        (false, Some(_)) => {
            let why = "exactly one policy can be specified, cannot specify \"validValues\" and \"validRange\" at the same \
                       time";
            return errors.push(Error::forbidden(path, why));
        }
        (false, None) => "validValues",
        (true, Some(_)) => "validRange",
    };
    let (Some(default), Some(capacity)) = (amount(&policy["default"]), capacity) else {
        let why = format!("required when {used} is defined");
        return errors.push(Error::required(&path.child("default"), why));
    };
    match range {
        Some(range) => valid_range(range, default, capacity, &path.child(used), errors),
        None => valid_values(policy, default, capacity, path, errors),
    }
}

fn valid_values(policy: &Value, default: (Amount, &str), capacity: (Amount, &str), path: &Path, errors: &mut Errors) {
    let values: Vec<_> = items(policy, "validValues").iter().filter_map(amount).collect();
    let at = path.child("validValues");
    for (index, pair) in values.windows(2).enumerate().filter(|(_, pair)| pair[0].0 > pair[1].0) {
        let why = "values must be sorted in ascending order";
        errors.push(Error::invalid(&at.index(index + 1), pair[1].1, why));
    }
    let key = |one: &Value| amount(one).map_or_else(String::new, |(amount, _)| amount.units().to_string());
    each_once(policy, "validValues", key, VALUES_MAX, path, errors, |one, path, errors| {
        if let Some((_, text)) = amount(one).filter(|(amount, _)| *amount > capacity.0) {
            let why = format!("option is larger than capacity value: {}", capacity.1);
            errors.push(Error::invalid(path, text, why));
        }
    });
    if !values.iter().any(|(amount, _)| *amount == default.0) {
        errors.push(Error::invalid(&at, default.1, "default value is not valid according to the requestPolicy"));
    }
}

fn valid_range(range: &Value, default: (Amount, &str), capacity: (Amount, &str), path: &Path, errors: &mut Errors) {
    let Some(min) = amount(&range["min"]) else {
        return errors.push(Error::required(&path.child("min"), "required when validRange is defined"));
    };
    let mut refuse =
        |field: &str, value: &str, why: String| errors.push(Error::invalid(&path.child(field), value, why));
    if min.0 > capacity.0 {
        refuse("min", min.1, format!("min is larger than capacity value: {}", capacity.1));
    }
    if default.0 < min.0 {
        refuse("default", default.1, format!("default is less than min: {}", min.1));
    }
    let max = amount(&range["max"]);
    if let Some(max) = max {
        if min.0 > max.0 {
            refuse("max", min.1, format!("min is larger than max: {}", max.1));
        }
        if max.0 > capacity.0 {
            refuse("max", max.1, format!("max is larger than capacity value: {}", capacity.1));
        }
        if default.0 > max.0 {
            refuse("default", default.1, format!("default is more than max: {}", max.1));
        }
    }
    let Some(step) = amount(&range["step"]).filter(|(step, _)| step.units() > 0) else { return };
    let first = min.0.units().saturating_add(step.0.units());
    if first > capacity.0.units() {
        refuse("step", step.1, format!("one step {first} is larger than capacity value: {}", capacity.1));
    }
    for (value, text) in [Some(default), max].into_iter().flatten() {
        if (value.units().saturating_sub(min.0.units())) % step.0.units() != 0 {
            refuse("step", text, format!("value is not a multiple of a given step ({}) from ({})", step.1, min.1));
        }
    }
}

fn taint(taint: &Value, path: &Path, errors: &mut Errors) {
    let (key, value, effect) = (text(taint, "key"), text(taint, "value"), text(taint, "effect"));
    complain(errors, &path.child("key"), key, qualified_name(key));
    complain(errors, &path.child("value"), value, label_value(value));
    let path = path.child("effect");
    if effect.is_empty() {
        errors.push(Error::required(&path, ""));
    } else if !TAINT_EFFECTS.contains(&effect) {
        errors.push(Error::not_supported(&path, effect, &TAINT_EFFECTS));
    }
}

/// A set of counters, whose name stands in a field.
pub(super) fn counters(owner: &Value, name_field: &str, path: &Path, errors: &mut Errors) {
    let name = text(owner, name_field);
    if name.is_empty() {
        errors.push(Error::required(&path.child(name_field), ""));
    } else {
        names::label(name, &path.child(name_field), errors);
    }
    let (path, count) = (path.child("counters"), entries(owner, "counters").count());
    if count == 0 {
        errors.push(Error::required(&path, ""));
    } else if count > COUNTERS_MAX {
        errors.push(Error::too_many(&path, count, COUNTERS_MAX));
    } else {
        entries(owner, "counters").for_each(|(name, _)| names::label(name, &path, errors));
    }
}

fn nodes(device: &Value, chooses: bool, path: &Path, errors: &mut Errors) {
    let given = |field: &str| device.get(field).filter(|value| !value.is_null());
    let (name, selector, all) = (given("nodeName"), given("nodeSelector"), given("allNodes"));
    if !chooses {
        if name.or(selector).or(all).is_some() {
            let why = "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true \
                       in the ResourceSlice spec";
            errors.push(Error::invalid(path, Value::Null, why));
        }
        return;
    }
    let mut set = Vec::new();
    match name.and_then(Value::as_str) {
        Some("") => errors.push(Error::invalid(&path.child("nodeName"), "", "must not be empty")),
        Some(name) => {
            set.push("`nodeName`");
            complain(errors, &path.child("nodeName"), name, dns1123_subdomain(name));
        }
        None => {}
    }
    if let Some(selector) = selector {
        set.push("`nodeSelector`");
        slice::node_selector(selector, &path.child("nodeSelector"), errors);
    }
    match all.and_then(Value::as_bool) {
        Some(true) => set.push("`allNodes`"),
        Some(false) => {
            errors.push(Error::invalid(&path.child("allNodes"), false, "must be either unset or set to true"));
        }
        None => {}
    }
    let why = "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to \
               true in the ResourceSlice spec";
    match set.len() {
        0 => errors.push(Error::required(path, why)),
        1 => {}
        _ => errors.push(Error::invalid(path, format!("{{{}}}", set.join(", ")), why)),
    }
}
