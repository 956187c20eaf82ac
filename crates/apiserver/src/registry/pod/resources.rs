//! Requests and limits.

use std::collections::BTreeMap;

use api::field::{Error, Errors, Path};
use api::types::{Quantity, ResourceRequirements};
use api::validate::qualified_name;

use crate::registry::rules::{NOT_NEGATIVE, amount, complain};

const STANDARD: &[&str] = &["cpu", "memory", "ephemeral-storage"];

pub(super) fn requirements(requirements: &ResourceRequirements, path: &Path, errors: &mut Errors) {
    let (limits_path, requests_path) = (path.child("limits"), path.child("requests"));
    let none = BTreeMap::new();
    let limits = requirements.limits.as_ref().unwrap_or(&none);
    let requests = requirements.requests.as_ref().unwrap_or(&none);
    for (name, quantity) in limits {
        resource(name, quantity, &limits_path.key(name), errors);
    }
    for (name, request) in requests {
        resource(name, request, &requests_path.key(name), errors);
        let shown = || request.0.clone();
        match limits.get(name) {
            Some(limit) if !may_overcommit(name) && amount(request) != amount(limit) => {
                let why = format!("must be equal to {name} limit of {}", limit.0);
                errors.push(Error::invalid(&requests_path, shown(), why));
            }
            Some(limit) if amount(request) > amount(limit) => {
                let why = format!("must be less than or equal to {name} limit of {}", limit.0);
                errors.push(Error::invalid(&requests_path, shown(), why));
            }
            None if !may_overcommit(name) => {
                errors.push(Error::required(&limits_path, "Limit must be set for non overcommitable resources"));
            }
            _ => {}
        }
    }
    let has = |wanted: fn(&str) -> bool| limits.keys().chain(requests.keys()).any(|name| wanted(name));
    if has(is_huge_pages) && !has(|name| name == "cpu" || name == "memory") {
        errors.push(Error::forbidden(path, "HugePages require cpu or memory"));
    }
}

pub(in crate::registry) fn overhead(overhead: &BTreeMap<String, Quantity>, path: &Path, errors: &mut Errors) {
    for (name, quantity) in overhead {
        resource(name, quantity, &path.key(name), errors);
    }
}

fn resource(name: &str, quantity: &Quantity, path: &Path, errors: &mut Errors) {
    if !is_standard(name) {
        complain(errors, path, name, qualified_name(name));
        if !name.contains('/') {
            errors.push(Error::invalid(path, name, "must be a standard resource type or fully qualified"));
            errors.push(Error::invalid(path, name, "must be a standard resource for containers"));
        }
    }
    quantity_value(name, quantity, path, errors);
}

/// An amount of a resource: never negative, and whole where it cannot be divided.
fn quantity_value(name: &str, quantity: &Quantity, path: &Path, errors: &mut Errors) {
    let value = amount(quantity);
    if value.0 < 0 {
        errors.push(Error::invalid(path, quantity.0.as_str(), NOT_NEGATIVE));
    }
    if is_extended(name) && value.0 % 1_000_000_000 != 0 {
        errors.push(Error::invalid(path, quantity.0.as_str(), "must be an integer"));
    }
}

fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name) || is_huge_pages(name)
}

fn is_huge_pages(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// Kubernetes' own resources.
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name) && !name.starts_with("requests.")
}

/// Whether a request may be lower than its limit.
fn may_overcommit(name: &str) -> bool {
    is_native(name) && !is_huge_pages(name)
}
