//! Requests and limits.

use std::collections::BTreeMap;

use api::field::{Error, Errors, Path};
use api::types::{ContainerResizePolicy, PodResourceClaim, PodSpec, Quantity, ResourceClaim, ResourceRequirements};
use api::validate::{dns1123_label, dns1123_subdomain};

use super::spec::required_word;
use crate::registry::rules::{amount, complain, list, one_of, text};
use crate::registry::{go_diff, quota_names};

const RESIZABLE: &[&str] = &["cpu", "memory"];
const RESIZE_POLICIES: &[&str] = &["NotRequired", "RestartContainer"];

/// Whose resources they are. A Pod as a whole has fewer kinds than its containers.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Level {
    Container,
    Pod,
}

/// `validateResourceRequirements`. `known` are the names of the Pod's claims.
pub(super) fn requirements(
    requirements: &ResourceRequirements,
    known: &[&str],
    level: Level,
    path: &Path,
    errors: &mut Errors,
) {
    let (limits_path, requests_path) = (path.child("limits"), path.child("requests"));
    let none = BTreeMap::new();
    let limits = requirements.limits.as_ref().unwrap_or(&none);
    let requests = requirements.requests.as_ref().unwrap_or(&none);
    for (name, quantity) in limits {
        let path = limits_path.key(name);
        resource(name, quantity, level, &path, errors);
        huge_pages(name, quantity, &path, errors);
    }
    for (name, request) in requests {
        let path = requests_path.key(name);
        resource(name, request, level, &path, errors);
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
        huge_pages(name, request, &path, errors);
    }
    let has = |wanted: fn(&str) -> bool| limits.keys().chain(requests.keys()).any(|name| wanted(name));
    if has(is_huge_pages) && !has(|name| name == "cpu" || name == "memory") {
        errors.push(Error::forbidden(path, "HugePages require cpu or memory"));
    }
    claims(list(&requirements.claims), known, &path.child("claims"), errors);
}

/// The claims of devices that a container uses.
fn claims(claims: &[ResourceClaim], known: &[&str], path: &Path, errors: &mut Errors) {
    for (index, claim) in claims.iter().enumerate() {
        let (path, name) = (path.index(index), claim.name.as_str());
        if name.is_empty() {
            errors.push(Error::required(&path, ""));
            continue;
        }
        let request = text(&claim.request);
        let mut of_the_same = claims[..index].iter().filter(|other| other.name == name);
        if of_the_same.clone().any(|other| text(&other.request).is_empty()) {
            errors.push(Error::duplicate(&path, name));
        } else {
            if !request.is_empty() {
                complain(errors, &path.child("request"), request, dns1123_label(request));
            }
            if request.is_empty() && of_the_same.next().is_some() {
                errors.push(Error::duplicate(&path, name));
            } else if of_the_same.any(|other| text(&other.request) == request) {
                errors.push(Error::duplicate(&path, format!("{name}/{request}")));
            }
        }
        if !known.contains(&name) {
            let mut detail = "must be one of the names in pod.spec.resourceClaims".to_owned();
            let mut known = known.to_vec();
            known.sort_unstable();
            known.dedup();
            detail += &if known.is_empty() { " which is empty".into() } else { format!(": {}", known.join(", ")) };
            errors.push(Error { detail, ..Error::not_found(&path, name) });
        }
    }
}

/// `validatePodResources`: what a Pod asks for as a whole, beside what its containers ask for.
pub(super) fn of_pod(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let Some(resources) = &spec.resources else { return };
    let path = path.child("resources");
    if spec.os.as_ref().is_some_and(|os| os.name == "windows") {
        errors.push(Error::forbidden(&path, "may not be set for a windows pod"));
        return;
    }
    if resources.claims.is_some() {
        errors.push(Error::forbidden(&path.child("claims"), "claims may not be set for Resources at pod-level"));
    }
    let known: Vec<&str> = list(&spec.resource_claims).iter().map(|claim| claim.name.as_str()).collect();
    requirements(resources, &known, Level::Pod, &path, errors);
    let none = BTreeMap::new();
    let requests = resources.requests.as_ref().unwrap_or(&none);
    let limits = resources.limits.as_ref().unwrap_or(&none);
    let not_less = |field: &str, what: &str, of_pod: &BTreeMap<_, Quantity>, name: &String, sum: &Quantity| {
        let own = of_pod.get(name).filter(|own| amount(sum) > amount(own))?;
        let why = format!("must be greater than or equal to aggregate container {what} of {}", sum.0);
        Some(Error::invalid(&path.child(field).key(name), own.0.as_str(), why))
    };
    for (name, sum) in api::quota::container_resources(spec, api::quota::requests) {
        errors.extend(not_less("requests", "requests", requests, &name, &sum));
    }
    for (name, sum) in api::quota::container_resources(spec, api::quota::limits) {
        errors.extend(not_less("limits", "limits", limits, &name, &sum).filter(|_| is_huge_pages(&name)));
    }
    let containers_path = path.child("containers");
    for (index, container) in spec.containers.iter().enumerate() {
        for (name, limit) in api::quota::limits(container).into_iter().flatten() {
            if let Some(own) = limits.get(name).filter(|own| amount(limit) > amount(own)) {
                let why = format!("must be less than or equal to pod limits of {}", own.0);
                let path = containers_path.index(index);
                errors.push(Error::invalid(&path.key(name).child("limits"), limit.0.as_str(), why));
            }
        }
    }
}

/// `validatePodResourceClaims`
pub(super) fn pod_claims(claims: &[PodResourceClaim], path: &Path, errors: &mut Errors) {
    for (index, claim) in claims.iter().enumerate() {
        let (path, name) = (path.index(index), claim.name.as_str());
        if name.is_empty() {
            errors.push(Error::required(&path.child("name"), ""));
        } else if claims[..index].iter().any(|other| other.name == name) {
            errors.push(Error::duplicate(&path.child("name"), name));
        } else {
            complain(errors, &path.child("name"), name, dns1123_label(name));
        }
        let shown = || go_diff::compact("core.v1.PodResourceClaim", claim);
        let names = [
            ("resourceClaimName", &claim.resource_claim_name),
            ("resourceClaimTemplateName", &claim.resource_claim_template_name),
        ];
        match names.iter().filter(|(_, name)| name.is_some()).count() {
            2 => {
                let why = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
                errors.push(Error::invalid_verbatim(&path, shown(), why));
            }
            0 => {
                let why = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
                errors.push(Error::invalid_verbatim(&path, shown(), why));
            }
            _ => {}
        }
        for (field, name) in names {
            if let Some(name) = name {
                complain(errors, &path.child(field), name, dns1123_subdomain(name));
            }
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
            let why = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            errors.push(Error::invalid(path, policy.restart_policy.as_str(), why));
        }
    }
}

/// Upstream checks it as the limits of a container.
pub(in crate::registry) fn overhead(overhead: &BTreeMap<String, Quantity>, path: &Path, errors: &mut Errors) {
    let limits = ResourceRequirements { limits: Some(overhead.clone()), ..ResourceRequirements::default() };
    requirements(&limits, &[], Level::Container, path, errors);
}

fn resource(name: &str, quantity: &Quantity, level: Level, path: &Path, errors: &mut Errors) {
    match level {
        Level::Container => quota_names::validate_container(name, path, errors),
        Level::Pod => {
            let before = errors.len();
            quota_names::validate(name, path, errors);
            if errors.len() == before && !is_huge_pages(name) {
                one_of(name, &["cpu", "hugepages-", "memory"], path, errors);
            }
        }
    }
    quota_names::quantity(name, quantity, path, errors);
}

fn huge_pages(name: &str, quantity: &Quantity, path: &Path, errors: &mut Errors) {
    if let Some((size, _)) = name.strip_prefix("hugepages-").and_then(api::quantity::parse)
        && (size.0 == 0 || amount(quantity).0 % size.0 != 0)
    {
        let why = format!("{} is not positive integer multiple of {name}", quantity.0);
        errors.push(Error::invalid(path, quantity.0.as_str(), why));
    }
}

fn is_huge_pages(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// Kubernetes' own resources.
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// Whether a request may be lower than its limit.
fn may_overcommit(name: &str) -> bool {
    is_native(name) && !is_huge_pages(name)
}
