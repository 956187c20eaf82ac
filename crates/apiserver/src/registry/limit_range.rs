//! LimitRange.

use std::collections::BTreeSet;

use api::field::{Error, Errors, Path};
use api::quota::Resources;
use api::types::{LimitRange, LimitRangeItem, Quantity};
use api::validate::qualified_name;

use super::quota_names;
use super::rules::{amount, complain, subdomain_name};
use crate::strategy::Strategy;

const TYPES: &[&str] = &["Pod", "Container", "PersistentVolumeClaim"];

impl Strategy for LimitRange {
    const CREATE_ON_UPDATE: bool = true;

    fn default(&mut self) {
        for limit in self.spec.iter_mut().flat_map(|spec| &mut spec.limits) {
            if limit.type_ == "Container" {
                container_defaults(limit);
            }
        }
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let path = Path::new("spec");
        let path = path.child("limits");
        let limits = self.spec.as_ref().map(|spec| spec.limits.as_slice()).unwrap_or_default();
        for (index, limit) in limits.iter().enumerate() {
            let path = path.index(index);
            limit_type(&limit.type_, &path.child("type"), &mut errors);
            if limits[..index].iter().any(|other| other.type_ == limit.type_) {
                errors.push(Error::duplicate(&path.child("type"), limit.type_.as_str()));
            }
            validate_item(limit, &path, &mut errors);
        }
        errors
    }
}

/// The default limit is the most that is allowed, the default request the default limit, or else the least.
fn container_defaults(limit: &mut LimitRangeItem) {
    let fill = |into: &mut Option<Resources>, from: Option<Resources>| {
        for (name, amount) in from.into_iter().flatten() {
            into.get_or_insert_default().entry(name).or_insert(amount);
        }
    };
    fill(&mut limit.default, limit.max.clone());
    fill(&mut limit.default_request, limit.default.clone());
    fill(&mut limit.default_request, limit.min.clone());
}

fn limit_type(type_: &str, path: &Path, errors: &mut Errors) {
    let bad = qualified_name(type_);
    if bad.is_empty() && !type_.contains('/') && !TYPES.contains(&type_) {
        errors.push(Error::invalid(path, type_, "must be a standard limit type or fully qualified"));
    }
    complain(errors, path, type_, bad);
}

fn validate_item(limit: &LimitRangeItem, path: &Path, errors: &mut Errors) {
    let lists = [
        ("max", &limit.max),
        ("min", &limit.min),
        ("default", &limit.default),
        ("defaultRequest", &limit.default_request),
    ];
    for (at, (name, resources)) in lists.into_iter().enumerate() {
        let path = path.child(name);
        let is_default = at >= 2;
        if is_default && limit.type_ == "Pod" {
            if resources.as_ref().is_some_and(|resources| !resources.is_empty()) {
                errors.push(Error::forbidden(&path, "may not be specified when `type` is 'Pod'"));
            }
            continue;
        }
        names(limit, resources, &path, errors);
    }
    let has_storage = |resources: &Option<Resources>| resources.as_ref().is_some_and(|all| all.contains_key("storage"));
    if limit.type_ == "PersistentVolumeClaim" && !has_storage(&limit.min) && !has_storage(&limit.max) {
        let why = "either minimum or maximum storage value is required, but neither was provided";
        errors.push(Error::required(&path.child("limits"), why));
    }
    names(limit, &limit.max_limit_request_ratio, &path.child("maxLimitRequestRatio"), errors);
    let all = [&limit.max, &limit.min, &limit.default, &limit.default_request, &limit.max_limit_request_ratio];
    let keys: BTreeSet<&String> = all.into_iter().flatten().flat_map(Resources::keys).collect();
    for key in keys {
        compare(limit, key, path, errors);
    }
}

fn names(limit: &LimitRangeItem, resources: &Option<Resources>, path: &Path, errors: &mut Errors) {
    for name in resources.iter().flat_map(Resources::keys) {
        let path = path.key(name);
        match limit.type_.as_str() {
            "Pod" | "Container" => quota_names::validate_container(name, &path, errors),
            _ => quota_names::validate(name, &path, errors),
        }
    }
}

/// A resource's amounts have to fit each other.
fn compare(limit: &LimitRangeItem, key: &str, path: &Path, errors: &mut Errors) {
    let of = |resources: &'_ Option<Resources>| resources.as_ref().and_then(|resources| resources.get(key)).cloned();
    let is_pod = limit.type_ == "Pod";
    let (max, min, ratio) = (of(&limit.max), of(&limit.min), of(&limit.max_limit_request_ratio));
    let default = of(&limit.default).filter(|_| !is_pod);
    let request = of(&limit.default_request).filter(|_| !is_pod);
    // What may not be greater than what; the field and the value that are blamed.
    let min_value = ("min value", &min);
    let max_value = ("max value", &max);
    let request_value = ("default request value", &request);
    let default_value = ("default value", &default);
    let rules = [
        (min_value, max_value, "min", &min),
        (min_value, request_value, "defaultRequest", &request),
        (request_value, max_value, "defaultRequest", &request),
        (request_value, ("default limit value", &default), "defaultRequest", &request),
        (min_value, default_value, "default", &min),
        (default_value, max_value, "default", &max),
    ];
    for ((low_name, low), (high_name, high), field, blamed) in rules {
        if let (Some(low), Some(high), Some(blamed)) = (low, high, blamed)
            && amount(low) > amount(high)
        {
            let why = format!("{low_name} {} is greater than {high_name} {}", low.0, high.0);
            errors.push(Error::invalid(&path.child(field).key(key), blamed.0.as_str(), why));
        }
    }
    if let Some(ratio) = &ratio {
        self::ratio(ratio, min.as_ref(), max.as_ref(), key, path, errors);
    }
    let may_overcommit = (!key.contains('/') || key.contains("kubernetes.io/")) && !key.starts_with("hugepages-");
    if let (false, Some(default), Some(request)) = (may_overcommit, default, request)
        && amount(&default) != amount(&request)
    {
        let why = format!("default value {} must equal to defaultRequest value {} in {key}", default.0, request.0);
        errors.push(Error::invalid(&path.child("defaultRequest").key(key), request.0.as_str(), why));
    }
}

/// How much more than the request a limit may be.
fn ratio(
    ratio: &Quantity,
    min: Option<&Quantity>,
    max: Option<&Quantity>,
    key: &str,
    path: &Path,
    errors: &mut Errors,
) {
    let path = path.child("maxLimitRequestRatio");
    let path = path.key(key);
    if amount(ratio).0 < 1_000_000_000 {
        errors.push(Error::invalid(&path, ratio.0.as_str(), format!("ratio {} is less than 1", ratio.0)));
    }
    if let (Some(min), Some(max)) = (min, max) {
        let limit = amount(max).millis() as f64 / amount(min).millis() as f64;
        if amount(ratio).millis() as f64 / 1000.0 > limit {
            let why = format!("ratio {} is greater than max/min = {limit:.6}", ratio.0);
            errors.push(Error::invalid(&path, ratio.0.as_str(), why));
        }
    }
}
