//! The names of resources in quotas and limits: upstream's `apis/core/helper`.

use api::field::{Error, Errors, Path};
use api::types::Quantity;
use api::validate::qualified_name;

use super::rules::{NOT_NEGATIVE, amount, complain};

/// Whole objects.
pub(super) const COUNTS: &[&str] = &[
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];
/// What Pods use.
pub(super) const COMPUTE: &[&str] =
    &["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
const STORAGE: &[&str] =
    &["ephemeral-storage", "requests.ephemeral-storage", "limits.ephemeral-storage", "requests.storage"];

fn is_huge_pages(name: &str) -> bool {
    name.strip_prefix("requests.").unwrap_or(name).starts_with("hugepages-")
}

/// Whether a quota may name it without a domain.
pub(super) fn is_for_quota(name: &str) -> bool {
    COUNTS.contains(&name) || COMPUTE.contains(&name) || STORAGE.contains(&name) || is_huge_pages(name)
}

/// A resource of any kind. False where its form is wrong.
fn is_readable(name: &str, path: &Path, errors: &mut Errors) -> bool {
    let bad = qualified_name(name);
    let fine = bad.is_empty();
    complain(errors, path, name, bad);
    fine
}

pub(super) fn validate(name: &str, path: &Path, errors: &mut Errors) {
    if is_readable(name, path, errors) && !name.contains('/') && !is_for_quota(name) && name != "storage" {
        errors.push(Error::invalid(path, name, "must be a standard resource type or fully qualified"));
    }
}

/// One that containers may ask for.
pub(super) fn validate_container(name: &str, path: &Path, errors: &mut Errors) {
    validate(name, path, errors);
    let is_standard = matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
    if !name.contains('/') && !is_standard {
        errors.push(Error::invalid(path, name, "must be a standard resource for containers"));
    } else if name.contains('/') && !name.contains("kubernetes.io/") && !is_extended(name) {
        errors.push(Error::invalid(path, name, "doesn't follow extended resource name standard"));
    }
}

/// Of a vendor: quotas must be able to name it behind `requests.`.
fn is_extended(name: &str) -> bool {
    !name.starts_with("requests.") && qualified_name(&format!("requests.{name}")).is_empty()
}

/// One that a quota may limit.
pub(super) fn validate_for_quota(name: &str, path: &Path, errors: &mut Errors) {
    validate(name, path, errors);
    if !name.contains('/') && !is_for_quota(name) {
        errors.push(Error::invalid(path, name, "must be a standard resource for quota"));
    }
}

/// Resources that cannot be divided.
fn is_whole(name: &str) -> bool {
    COUNTS.contains(&name) || (name.contains('/') && !name.contains("kubernetes.io/") && is_extended(name))
}

/// `ValidateResourceQuantityValue`: an amount is never negative, and whole where it cannot be divided.
pub(super) fn quantity(name: &str, quantity: &Quantity, path: &Path, errors: &mut Errors) {
    let value = amount(quantity);
    if value.0 < 0 {
        errors.push(Error::invalid(path, quantity.0.as_str(), NOT_NEGATIVE));
    }
    if is_whole(name) && value.0 % 1_000_000_000 != 0 {
        errors.push(Error::invalid(path, quantity.0.as_str(), "must be an integer"));
    }
}
