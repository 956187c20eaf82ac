//! What became of a claim: who may use it, and which devices it was given.

use api::Object as _;
use api::field::{Error, Errors, Path};
use api::object::Tree;
use serde_json::Value;

use super::claim::{self, LIST_MAX, each, each_once, itself};
use super::{names, slice};
use crate::registry::addresses::interface_address;
use crate::registry::admission_rules::{items, text};
use crate::registry::conditions::conditions;
use crate::registry::csi::driver_name;
use crate::registry::go_diff;
use crate::registry::rules::IMMUTABLE;

const RESERVED_MAX: usize = 256;
const DATA_BYTES_MAX: usize = 10 * 1024;
const CONDITIONS_MAX: usize = 8;
const INTERFACE_NAME_BYTES_MAX: usize = 256;
const HARDWARE_ADDRESS_BYTES_MAX: usize = 128;
const IPS_MAX: usize = 16;

/// What names a device, or a share of one.
fn device_id(device: &Value) -> String {
    let id = ["driver", "pool", "device"].map(|field| text(device, field)).join("/");
    match text(device, "shareID") {
        "" => id,
        share => format!("{id}/{share}"),
    }
}

fn results(claim: &Tree) -> &[Value] {
    items(claim.at("/status/allocation/devices").unwrap_or(&Value::Null), "results")
}

/// The status of a device goes with its allocation.
pub(super) fn drop_deallocated(claim: &mut Tree, old: &Tree) {
    let is_allocated = |claim: &Tree, id: &str| results(claim).iter().any(|result| device_id(result) == id);
    let devices = claim.at("/status/devices").and_then(Value::as_array).cloned().unwrap_or_default();
    let kept = devices.into_iter().filter(|device| {
        let id = device_id(device);
        is_allocated(claim, &id) || !is_allocated(old, &id)
    });
    let kept: Vec<Value> = kept.collect();
    if let Some(status) = claim.fields_mut().get_mut("status").and_then(Value::as_object_mut) {
        match kept.is_empty() {
            true => status.remove("devices"),
            false => status.insert("devices".into(), kept.into()),
        };
    }
}

/// `ValidateResourceClaimStatusUpdate`
pub(super) fn validate(claim: &Tree, old: &Tree) -> Errors {
    let mut errors = Errors::new();
    let (status, path) = (claim.get("status").unwrap_or(&Value::Null), Path::new("status"));
    let before = old.get("status").unwrap_or(&Value::Null);
    let uid = |one: &Value| text(one, "uid").to_owned();
    each_once(status, "reservedFor", uid, RESERVED_MAX, &path, &mut errors, |consumer, path, errors| {
        for field in ["resource", "name", "uid"] {
            if text(consumer, field).is_empty() {
                errors.push(Error::required(&path.child(field), ""));
            }
        }
    });
    let allocated: Vec<String> = results(claim).iter().map(device_id).collect();
    each_once(status, "devices", device_id, usize::MAX, &path, &mut errors, |device, path, errors| {
        self::device(device, &allocated, path, errors);
    });
    let allocation = |status: &Value| status.get("allocation").filter(|allocation| !allocation.is_null()).cloned();
    let (new, old_allocation) = (allocation(status), allocation(before));
    let reserved = items(status, "reservedFor");
    let at = path.child("reservedFor");
    if !reserved.is_empty() && new.is_none() {
        errors.push(Error::forbidden(&at, "may not be specified when `allocated` is not set"));
    }
    let is_new = |consumer: &Value| !items(before, "reservedFor").contains(consumer);
    if new.is_some() && claim.meta().deletion_timestamp.is_some() && reserved.iter().any(is_new) {
        let why = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set";
        errors.push(Error::forbidden(&at, why));
    }
    let at = path.child("allocation");
    match (new, old_allocation) {
        (Some(new), Some(old)) if new != old => {
            let shown = go_diff::compact("resource.v1.AllocationResult", &new);
            errors.push(Error::invalid_verbatim(&at, shown, IMMUTABLE));
        }
        (Some(new), None) => {
            let devices = claim.at("/spec/devices").unwrap_or(&Value::Null);
            self::allocation(&new, devices, &at, &mut errors);
        }
        _ => {}
    }
    errors
}

fn device(device: &Value, allocated: &[String], path: &Path, errors: &mut Errors) {
    driver_name(text(device, "driver"), &path.child("driver"), errors);
    names::pool(text(device, "pool"), &path.child("pool"), errors);
    names::label(text(device, "device"), &path.child("device"), errors);
    if let Some(share) = device.get("shareID").and_then(Value::as_str) {
        names::uid(share, &path.child("shareID"), errors);
    }
    let id = device_id(device);
    if !allocated.contains(&id) {
        errors.push(Error::invalid(path, id, "must be an allocated device in the claim"));
    }
    let count = items(device, "conditions").len();
    if count > CONDITIONS_MAX {
        errors.push(Error::too_many(&path.child("conditions"), count, CONDITIONS_MAX));
    }
    conditions(device, path, errors);
    if let Some(data) = device.get("data").filter(|data| !data.is_null()) {
        claim::raw(Some(data), DATA_BYTES_MAX, &path.child("data"), errors);
    }
    network(&device["networkData"], &path.child("networkData"), errors);
}

/// `validateNetworkDeviceData`
fn network(data: &Value, path: &Path, errors: &mut Errors) {
    for (field, max) in [("interfaceName", INTERFACE_NAME_BYTES_MAX), ("hardwareAddress", HARDWARE_ADDRESS_BYTES_MAX)] {
        if text(data, field).len() > max {
            errors.push(Error::too_long(&path.child(field), max));
        }
    }
    // However an address is written, it may be there but once.
    let usual = |address: &Value| {
        let address = itself(address);
        interface_address(&address).unwrap_or(address)
    };
    each_once(data, "ips", usual, IPS_MAX, path, errors, |address, path, errors| {
        let address = itself(address);
        match interface_address(&address) {
            None => {
                let why = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)";
                errors.push(Error::invalid(path, address, why));
            }
            Some(usual) if usual != address => {
                errors.push(Error::invalid(path, address, format!("must be in canonical form ({usual:?})")));
            }
            Some(_) => {}
        }
    });
}

/// `validateAllocationResult`
fn allocation(allocation: &Value, requests: &Value, path: &Path, errors: &mut Errors) {
    let (devices, at) = (&allocation["devices"], path.child("devices"));
    each(devices, "results", LIST_MAX, &at, errors, |result, path, errors| {
        claim::reference(text(result, "request"), requests, &path.child("request"), errors);
        driver_name(text(result, "driver"), &path.child("driver"), errors);
        names::pool(text(result, "pool"), &path.child("pool"), errors);
        names::label(text(result, "device"), &path.child("device"), errors);
        claim::binding_conditions(result, path, errors);
        claim::tolerations(result, path, errors);
        if let Some(share) = result.get("shareID").and_then(Value::as_str) {
            names::uid(share, &path.child("shareID"), errors);
        }
    });
    each(devices, "config", 2 * LIST_MAX, &at, errors, |config, path, errors| {
        let from = path.child("source");
        match text(config, "source") {
            "" => errors.push(Error::required(&from, "")),
            "FromClass" | "FromClaim" => {}
            other => errors.push(Error::not_supported(&from, other, &["FromClaim", "FromClass"])),
        }
        each_once(config, "requests", itself, LIST_MAX, path, errors, |name, path, errors| {
            claim::reference(name.as_str().unwrap_or_default(), requests, path, errors);
        });
        claim::configuration(config, false, path, errors);
    });
    if let Some(selector) = allocation.get("nodeSelector").filter(|selector| !selector.is_null()) {
        slice::node_selector(selector, &path.child("nodeSelector"), errors);
    }
}
