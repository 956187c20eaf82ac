//! Requests and limits.

use std::collections::BTreeMap;

use api::field::{Error, Errors, Path};
use api::types::{ContainerResizePolicy, Quantity, ResourceClaim, ResourceRequirements};
use api::validate::qualified_name;

use super::spec::required_word;
use crate::registry::rules::{NOT_NEGATIVE, amount, complain};

const STANDARD: &[&str] = &["cpu", "memory", "ephemeral-storage"];
/// Resources of quotas, which containers have none of.
const COUNTED: &[&str] = &[
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "storage",
];
const RESIZABLE: &[&str] = &["cpu", "memory"];
const RESIZE_POLICIES: &[&str] = &["NotRequired", "RestartContainer"];

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

/// The claims of devices that a container uses. `known` are those of its Pod.
pub(super) fn claims(claims: &[ResourceClaim], known: &[&str], path: &Path, errors: &mut Errors) {
    for (index, claim) in claims.iter().enumerate() {
        let (path, name) = (path.index(index), claim.name.as_str());
        if name.is_empty() {
            errors.push(Error::required(&path, ""));
            continue;
        }
        let same = |other: &ResourceClaim| other.name == name && other.request == claim.request;
        if claims[..index].iter().any(same) {
            errors.push(Error::duplicate(&path, name));
        }
        if !known.contains(&name) {
            let mut detail = "must be one of the names in pod.spec.resourceClaims".to_owned();
            let mut known = known.to_vec();
            known.sort_unstable();
            detail += &if known.is_empty() { " which is empty".into() } else { format!(": {}", known.join(", ")) };
            errors.push(Error { detail, ..Error::not_found(&path, name) });
        }
    }
}

pub(super) fn resize_policies(
    policies: &[ContainerResizePolicy],
    never_restarts: bool,
    path: &Path,
    errors: &mut Errors,
) {
    for (index, policy) in policies.iter().enumerate() {
        if policies[..index].iter().any(|other| other.resource_name == policy.resource_name) {
            errors.push(Error::duplicate(&path.index(index), policy.resource_name.as_str()));
        }
        required_word(&policy.resource_name, RESIZABLE, path, errors);
        required_word(&policy.restart_policy, RESIZE_POLICIES, path, errors);
        if never_restarts && policy.restart_policy != "NotRequired" {
            let why = "must be 'NotRequired' when `restartPolicy` is 'Never'";
            errors.push(Error::invalid(path, policy.restart_policy.as_str(), why));
        }
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
            if !COUNTED.contains(&name) {
                errors.push(Error::invalid(path, name, "must be a standard resource type or fully qualified"));
            }
            errors.push(Error::invalid(path, name, "must be a standard resource for containers"));
        }
    }
    quantity_value(name, quantity, path, errors);
    if let Some((size, _)) = name.strip_prefix("hugepages-").and_then(api::quantity::parse)
        && (size.0 == 0 || amount(quantity).0 % size.0 != 0)
    {
        let why = format!("{} is not positive integer multiple of {name}", quantity.0);
        errors.push(Error::invalid(path, quantity.0.as_str(), why));
    }
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
