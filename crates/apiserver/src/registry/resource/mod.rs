//! Devices and claims to them: ResourceClaim, ResourceClaimTemplate, DeviceClass and ResourceSlice. Upstream:
//! `pkg/apis/resource`. They are stored and checked; no scheduler allocates a device.
//!
//! Differs: a taint without a time is not given one.

pub(crate) mod admin_access;
mod claim;
mod device;
mod names;
mod selectors;
mod slice;
mod status;

use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::types::ObjectMeta;
use api::wire::go_json;
use serde_json::{Map, Value, json};

use super::admission_rules::{default_field, objects_mut};
use super::go_diff;
use super::rules::IMMUTABLE;
use crate::strategy::TreeStrategy;

pub(super) use slice::ResourceSlice;

const GROUP: &str = "resource.k8s.io";

pub(super) struct DeviceClass;
pub(super) struct ResourceClaim;
pub(super) struct ResourceClaimTemplate;

impl TreeStrategy for DeviceClass {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "DeviceClass";
    const DELETE_RETURNS_OBJECT: bool = true;
    const HAS_GENERATION: bool = true;

    fn default(object: &mut Tree) {
        default_field(object.fields_mut(), "spec", json!({}));
    }

    fn validate(object: &Tree) -> Errors {
        class_spec(object, &Value::Null)
    }

    fn validate_update(object: &Tree, old: &Tree) -> Errors {
        class_spec(object, old.get("spec").unwrap_or(&Value::Null))
    }
}

/// `validateDeviceClassSpec`
fn class_spec(object: &Tree, old: &Value) -> Errors {
    let mut errors = Errors::new();
    let (spec, path) = (object.get("spec").unwrap_or(&Value::Null), Path::new("spec"));
    let is_stored = |list: &str| !old.is_null() && spec.get(list) == old.get(list);
    selectors::validate(spec, is_stored("selectors"), &path, &mut errors);
    let stored = is_stored("config");
    claim::each(spec, "config", claim::LIST_MAX, &path, &mut errors, |config, path, errors| {
        claim::configuration(config, stored, path, errors);
    });
    if let Some(name) = spec.get("extendedResourceName").and_then(Value::as_str)
        && !names::is_extended_resource(name)
    {
        let why = "must be a valid extended resource name";
        errors.push(Error::invalid(&path.child("extendedResourceName"), name, why));
    }
    errors
}

impl TreeStrategy for ResourceClaim {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "ResourceClaim";
    const DELETE_RETURNS_OBJECT: bool = true;
    const HAS_STATUS: bool = true;

    fn default(object: &mut Tree) {
        default_field(object.fields_mut(), "spec", json!({}));
        default_claim(object.fields_mut().get_mut("spec"));
        let status = object.fields_mut().get_mut("status").and_then(Value::as_object_mut);
        let devices = status.and_then(|status| status.get_mut("allocation")?.get_mut("devices")?.as_object_mut());
        for result in devices.into_iter().flat_map(|devices| objects_mut(devices, "results")) {
            default_tolerations(result);
        }
    }

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        claim::validate(object.get("spec").unwrap_or(&Value::Null), &Path::new("spec"), &mut errors);
        errors
    }

    fn validate_update(object: &Tree, old: &Tree) -> Errors {
        let mut errors = Self::validate(object);
        immutable_spec(object, old, "resource.v1.ResourceClaimSpec", &mut errors);
        errors
    }

    fn prepare_for_status_update(object: &mut Tree, old: &Tree) {
        let status = object.get("status").cloned();
        object.clone_fields_from(old);
        object.set("status", status);
        status::drop_deallocated(object, old);
    }

    fn validate_status_update(object: &Tree, old: &Tree) -> Errors {
        status::validate(object, old)
    }
}

impl TreeStrategy for ResourceClaimTemplate {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "ResourceClaimTemplate";
    const DELETE_RETURNS_OBJECT: bool = true;

    fn default(object: &mut Tree) {
        default_field(object.fields_mut(), "spec", json!({}));
        let Some(spec) = object.fields_mut().get_mut("spec").and_then(Value::as_object_mut) else { return };
        default_field(spec, "metadata", json!({}));
        default_field(spec, "spec", json!({}));
        default_claim(spec.get_mut("spec"));
    }

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let spec = Path::new("spec");
        if let Some(Ok(meta)) =
            object.at("/spec/metadata").map(|meta| serde_json::from_value::<ObjectMeta>(meta.clone()))
        {
            let path = spec.child("metadata");
            api::validate::annotations(meta.annotations.as_ref(), &path.child("annotations"), &mut errors);
            api::validate::labels(meta.labels.as_ref(), &path.child("labels"), &mut errors);
        }
        claim::validate(object.at("/spec/spec").unwrap_or(&Value::Null), &spec.child("spec"), &mut errors);
        errors
    }

    fn validate_update(object: &Tree, old: &Tree) -> Errors {
        let mut errors = Self::validate(object);
        immutable_spec(object, old, "resource.v1.ResourceClaimTemplateSpec", &mut errors);
        errors
    }
}

fn immutable_spec(object: &Tree, old: &Tree, type_name: &'static str, errors: &mut Errors) {
    if object.get("spec") != old.get("spec") {
        let shown = go_diff::compact(type_name, &object.get("spec"));
        errors.push(Error::invalid_verbatim(&Path::new("spec"), shown, IMMUTABLE));
    }
}

fn default_claim(spec: Option<&mut Value>) {
    let Some(spec) = spec.and_then(Value::as_object_mut) else { return };
    default_field(spec, "devices", json!({}));
    let Some(devices) = spec.get_mut("devices").and_then(Value::as_object_mut) else { return };
    for request in objects_mut(devices, "requests") {
        if let Some(exactly) = request.get_mut("exactly").and_then(Value::as_object_mut) {
            default_request(exactly);
        }
        objects_mut(request, "firstAvailable").for_each(default_request);
    }
}

fn default_request(request: &mut Map<String, Value>) {
    if request.get("allocationMode").is_none_or(|mode| mode.is_null() || mode == "") {
        request.insert("allocationMode".into(), json!("ExactCount"));
    }
    let counts = request["allocationMode"] == "ExactCount";
    if counts && request.get("count").is_none_or(|count| count.is_null() || *count == 0) {
        request.insert("count".into(), json!(1));
    }
    default_tolerations(request);
}

fn default_tolerations(owner: &mut Map<String, Value>) {
    for toleration in objects_mut(owner, "tolerations") {
        if toleration.get("operator").is_none_or(|operator| operator.is_null() || operator == "") {
            toleration.insert("operator".into(), json!("Equal"));
        }
    }
}

/// The JSON of a part of an object, as messages show it.
fn shown(type_name: &'static str, value: &Value) -> String {
    go_json(type_name, value)
}

#[cfg(test)]
mod tests {
    use api::kinds;

    use super::*;

    fn errors<S: TreeStrategy>(spec: Value) -> Vec<String> {
        let kind = kinds::by_kind("resource.k8s.io/v1", S::KIND).expect("a kind");
        let mut object = Tree::new(kind.id, json!({ "metadata": { "name": "a" }, "spec": spec }));
        S::default(&mut object);
        S::validate(&object).iter().map(ToString::to_string).collect()
    }

    fn requests(requests: Value) -> Vec<String> {
        errors::<ResourceClaim>(json!({ "devices": { "requests": requests } }))
    }

    #[test]
    fn a_request_is_exact_or_a_choice() {
        assert!(requests(json!([{ "name": "gpu", "exactly": { "deviceClassName": "gpu.example.com" } }])).is_empty());
        assert_eq!(
            requests(json!([{ "name": "gpu" }])),
            ["spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required"]
        );
        let request = json!({ "name": "gpu", "exactly": { "allocationMode": "All", "count": 2 } });
        assert_eq!(
            requests(json!([request])),
            [
                "spec.devices.requests[0].exactly.deviceClassName: Required value",
                "spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'"
            ]
        );
    }

    #[test]
    fn selectors_are_compiled() {
        let of =
            |expression: &str| errors::<DeviceClass>(json!({ "selectors": [{ "cel": { "expression": expression } }] }));
        assert!(of("device.driver == 'a.example.com' && device.attributes['a'].b").is_empty());
        assert!(of("device.capacity['a'].size.isGreaterThan(quantity('1Gi'))").is_empty());
        assert_eq!(
            of("device.driver"),
            [
                "spec.selectors[0].cel.expression: Invalid value: \"device.driver\": must evaluate to bool or the unknown \
              type, not string"
            ]
        );
    }

    #[test]
    fn a_slice_belongs_to_one_set_of_nodes() {
        let slice = json!({ "driver": "a.example.com", "pool": { "name": "p", "resourceSliceCount": 1 } });
        assert_eq!(
            errors::<ResourceSlice>(slice),
            [
                "spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is \
              required"
            ]
        );
    }
}
