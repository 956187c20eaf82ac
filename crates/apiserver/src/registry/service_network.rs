//! IPAddress and ServiceCIDR: from which ranges Services have their addresses, and who has which. Upstream:
//! `pkg/apis/networking` and `pkg/registry/core/service/ipallocator`.
//!
//! Differs: addresses come out of the first ServiceCIDR alone; others are kept, and nothing is allocated from them.

use std::net::IpAddr;

use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::validate::{dns1123_subdomain, path_segment};
use serde_json::{Value, json};

use super::addresses::strict_ip;
use super::admission_rules::{text, texts};
use super::go_diff;
use super::rules::{IMMUTABLE, complain};
use crate::strategy::TreeStrategy;

const GROUP: &str = "networking.k8s.io";

pub(super) struct IpAddress;
pub(super) struct ServiceCidr;

impl TreeStrategy for IpAddress {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "IPAddress";

    fn validate_name(name: &str, _prefix: bool) -> Vec<String> {
        strict_ip(name)
    }

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let spec = Path::new("spec");
        let path = spec.child("parentRef");
        let Some(parent) = object.at("/spec/parentRef").filter(|parent| !parent.is_null()) else {
            errors.push(Error::required(&path, ""));
            return errors;
        };
        let group = text(parent, "group");
        if !group.is_empty() {
            complain(&mut errors, &path.child("group"), group, dns1123_subdomain(group));
        }
        for (field, is_required) in [("resource", true), ("name", true), ("namespace", false)] {
            match text(parent, field) {
                "" if is_required => errors.push(Error::required(&path.child(field), "")),
                value => complain(&mut errors, &path.child(field), value, path_segment(value, false)),
            }
        }
        errors
    }

    fn validate_update(object: &Tree, old: &Tree) -> Errors {
        let mut errors = Self::validate(object);
        let new = object.at("/spec/parentRef");
        if new != old.at("/spec/parentRef") {
            let spec = Path::new("spec");
            let shown = new.map_or("null".into(), |new| go_diff::compact("networking.v1.ParentReference", new));
            errors.push(Error::invalid_verbatim(&spec.child("parentRef"), shown, IMMUTABLE));
        }
        errors
    }
}

/// The object that says that a Service has an address.
pub(crate) fn address_of(service: &api::types::ObjectMeta, address: &str) -> Value {
    let family = if address.contains(':') { "IPv6" } else { "IPv4" };
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {
            "name": address,
            "labels": {
                "ipaddress.kubernetes.io/ip-family": family,
                "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
            },
        },
        "spec": { "parentRef": { "resource": "services", "namespace": service.namespace, "name": service.name } },
    })
}

impl TreeStrategy for ServiceCidr {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "ServiceCIDR";
    const HAS_STATUS: bool = true;
    const HAS_GENERATION: bool = true;

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let spec = Path::new("spec");
        let path = spec.child("cidrs");
        let ranges = ranges(object);
        let whole = || format!("{{\"CIDRs\":{}}}", json!(ranges));
        let is_ipv6 = |range: &&str| range.contains(':');
        match ranges.as_slice() {
            [] => errors.push(Error::required(&path, "at least one CIDR required")),
            [one, other] if is_ipv6(one) == is_ipv6(other) => {
                let why = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
                errors.push(Error::invalid_verbatim(&path, whole(), why));
            }
            [_] | [_, _] => {
                for (index, range) in ranges.iter().enumerate() {
                    check_range(range, &path.index(index), &mut errors);
                }
            }
            _ => errors.push(Error::invalid_verbatim(&path, whole(), "may only hold up to 2 values")),
        }
        errors
    }

    /// A range may be joined by one of the other family; nothing else changes.
    fn validate_update(object: &Tree, old: &Tree) -> Errors {
        let mut errors = Errors::new();
        let spec = Path::new("spec");
        let path = spec.child("cidrs");
        let (new, old) = (ranges(object), ranges(old));
        if new.len() < old.len() || new.len() > 2 {
            errors.push(Error::invalid(&path, json!(new), IMMUTABLE));
            return errors;
        }
        for (index, range) in new.iter().enumerate() {
            match old.get(index) {
                Some(before) if before != range => errors.push(Error::invalid(&path.index(index), *range, IMMUTABLE)),
                Some(_) => {}
                None => check_range(range, &path.index(index), &mut errors),
            }
        }
        errors
    }
}

fn ranges(object: &Tree) -> Vec<&str> {
    object.get("spec").map(|spec| texts(spec, "cidrs")).unwrap_or_default()
}

/// `IsValidCIDR`, which takes no other form than the usual one.
fn check_range(range: &str, path: &Path, errors: &mut Errors) {
    let parsed = range.split_once('/').and_then(|(address, bits)| {
        let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
        let (value, length) = match address {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let host = 1u128.checked_shl(u32::from(length - bits.min(length))).map_or(u128::MAX, |size| size - 1);
        (bits <= length).then_some((format!("{address}/{bits}"), value & host == 0))
    });
    match parsed {
        None => {
            let why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
            errors.push(Error::invalid(path, range, why));
        }
        Some((_, false)) => {
            errors.push(Error::invalid(path, range, "must not have bits set beyond the prefix length"));
        }
        Some((usual, true)) if usual != range => {
            errors.push(Error::invalid(path, range, format!("must be in canonical form ({usual:?})")));
        }
        Some(_) => {}
    }
}
