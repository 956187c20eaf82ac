//! What CSI drivers and their nodes say of themselves: CSIDriver, CSINode, CSIStorageCapacity, VolumeAttachment,
//! VolumeAttributesClass. Upstream: `pkg/apis/storage`.

use api::Object as _;
use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::validate::dns1123_subdomain;
use serde_json::{Value, json};

use super::admission_rules::{default_field, items, text, texts};
use super::rules::IMMUTABLE;
use crate::strategy::TreeStrategy;

const GROUP: &str = "storage.k8s.io";
const DRIVER_NAME_BYTES_MAX: usize = 63;

pub(super) struct CsiDriver;
pub(super) struct CsiNode;
pub(super) struct CsiStorageCapacity;
pub(super) struct VolumeAttachment;
pub(super) struct VolumeAttributesClass;

pub(super) fn driver_name(name: &str, path: &Path, errors: &mut Errors) {
    if name.is_empty() {
        errors.push(Error::required(path, ""));
    }
    if name.len() > DRIVER_NAME_BYTES_MAX {
        errors.push(Error::too_long(path, DRIVER_NAME_BYTES_MAX));
    }
    if !name.is_empty() {
        let complaints = dns1123_subdomain(&name.to_lowercase());
        errors.extend(complaints.into_iter().map(|why| Error::invalid(path, name, why)));
    }
}

/// Fields of the specification that stay as they are.
pub(super) fn immutable(object: &Tree, old: &Tree, fields: &[&str], errors: &mut Errors) {
    let spec = Path::new("spec");
    for field in fields {
        let pointer = format!("/spec/{field}");
        let (new, old) = (object.at(&pointer), old.at(&pointer));
        if new != old {
            errors.push(Error::invalid(&spec.child(field), new.cloned().unwrap_or_default(), IMMUTABLE));
        }
    }
}

impl TreeStrategy for CsiDriver {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "CSIDriver";

    fn default(object: &mut Tree) {
        let Some(spec) = object.fields_mut().get_mut("spec").and_then(Value::as_object_mut) else { return };
        default_field(spec, "attachRequired", json!(true));
        default_field(spec, "podInfoOnMount", json!(false));
        default_field(spec, "storageCapacity", json!(false));
        default_field(spec, "fsGroupPolicy", json!("ReadWriteOnceWithFSType"));
        default_field(spec, "requiresRepublish", json!(false));
        default_field(spec, "seLinuxMount", json!(false));
        default_field(spec, "volumeLifecycleModes", json!([]));
        if spec["volumeLifecycleModes"] == json!([]) {
            spec["volumeLifecycleModes"] = json!(["Persistent"]);
        }
    }

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let metadata = Path::new("metadata");
        let name = object.meta().name.as_deref().unwrap_or_default();
        if name.len() > DRIVER_NAME_BYTES_MAX {
            errors.push(Error::too_long(&metadata.child("name"), DRIVER_NAME_BYTES_MAX));
        }
        let (spec, path) = (object.get("spec").unwrap_or(&Value::Null), Path::new("spec"));
        super::admission_rules::one_of(
            spec,
            "fsGroupPolicy",
            &["File", "None", "ReadWriteOnceWithFSType"],
            &path,
            &mut errors,
        );
        let requests = path.child("tokenRequests");
        let mut audiences: Vec<&str> = Vec::new();
        for (index, request) in items(spec, "tokenRequests").iter().enumerate() {
            let path = requests.index(index);
            let audience = text(request, "audience");
            if audiences.contains(&audience) {
                errors.push(Error::duplicate(&path.child("audience"), audience));
            }
            audiences.push(audience);
            let Some(seconds) = request.get("expirationSeconds").and_then(Value::as_i64) else { continue };
            let path = path.child("expirationSeconds");
            if seconds < 600 {
                errors.push(Error::invalid(&path, seconds, "may not specify a duration less than 10 minutes"));
            }
            if seconds > 1 << 32 {
                errors.push(Error::invalid(&path, seconds, "may not specify a duration larger than 2^32 seconds"));
            }
        }
        let modes = path.child("volumeLifecycleModes");
        for mode in texts(spec, "volumeLifecycleModes") {
            if !["Ephemeral", "Persistent"].contains(&mode) {
                errors.push(Error::not_supported(&modes, mode, &["Ephemeral", "Persistent"]));
            }
        }
        errors
    }

    fn validate_update(object: &Tree, old: &Tree) -> Errors {
        let mut errors = Self::validate(object);
        immutable(object, old, &["attachRequired", "volumeLifecycleModes"], &mut errors);
        errors
    }
}

impl TreeStrategy for CsiNode {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "CSINode";

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let spec = Path::new("spec");
        let all = spec.child("drivers");
        let mut names: Vec<&str> = Vec::new();
        for (index, driver) in items(object.get("spec").unwrap_or(&Value::Null), "drivers").iter().enumerate() {
            let path = all.index(index);
            let name = text(driver, "name");
            driver_name(name, &path.child("name"), &mut errors);
            if names.contains(&name) {
                errors.push(Error::duplicate(&path.child("name"), name));
            }
            names.push(name);
            if text(driver, "nodeID").is_empty() {
                errors.push(Error::required(&path.child("nodeID"), ""));
            }
            let keys = path.child("topologyKeys");
            for (at, key) in texts(driver, "topologyKeys").into_iter().enumerate() {
                let complaints = api::validate::qualified_name(key).into_iter();
                errors.extend(complaints.map(|why| Error::invalid(&keys.index(at), key, why)));
            }
            let count = driver.get("allocatable").and_then(|one| one.get("count")).and_then(Value::as_i64);
            if let Some(count) = count.filter(|count| *count < 0) {
                let path = path.child("allocatable");
                errors.push(Error::invalid(&path.child("count"), count, super::rules::NOT_NEGATIVE));
            }
        }
        errors
    }
}

impl TreeStrategy for CsiStorageCapacity {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "CSIStorageCapacity";

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let class = object.text("/storageClassName");
        let path = Path::new("storageClassName");
        let complaints = dns1123_subdomain(class).into_iter();
        errors.extend(complaints.map(|why| Error::invalid(&path, class, why)));
        errors
    }

    fn validate_update(object: &Tree, old: &Tree) -> Errors {
        let mut errors = Self::validate(object);
        for field in ["nodeTopology", "storageClassName"] {
            if object.get(field) != old.get(field) {
                let value = object.get(field).cloned().unwrap_or_default();
                errors.push(Error::invalid(&Path::new(field), value, IMMUTABLE));
            }
        }
        errors
    }
}

impl TreeStrategy for VolumeAttachment {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "VolumeAttachment";
    const HAS_STATUS: bool = true;

    fn prepare_for_create(object: &mut Tree) {
        object.set("status", Some(json!({ "attached": false })));
    }

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let path = Path::new("spec");
        let attacher = object.text("/spec/attacher");
        driver_name(attacher, &path.child("attacher"), &mut errors);
        let source = path.child("source");
        let is_set = |field: &str| object.at(&format!("/spec/source/{field}")).is_some_and(|value| !value.is_null());
        match (is_set("inlineVolumeSpec"), is_set("persistentVolumeName")) {
            (false, false) => {
                let why = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
                errors.push(Error::required(&source, why));
            }
            (true, true) => {
                let why = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
                errors.push(Error::forbidden(&source, why));
            }
            (false, true) if object.text("/spec/source/persistentVolumeName").is_empty() => {
                errors.push(Error::required(
                    &source.child("persistentVolumeName"),
                    "must specify non empty persistentVolumeName",
                ));
            }
            _ => {}
        }
        let node = object.text("/spec/nodeName");
        let at = path.child("nodeName");
        let complaints = dns1123_subdomain(node).into_iter();
        errors.extend(complaints.map(|why| Error::invalid(&at, node, why)));
        errors
    }

    fn validate_update(object: &Tree, old: &Tree) -> Errors {
        let mut errors = Self::validate(object);
        if object.get("spec") != old.get("spec") {
            let value = object.get("spec").cloned().unwrap_or_default();
            errors.push(Error::invalid(&Path::new("spec"), value, IMMUTABLE));
        }
        errors
    }
}

impl TreeStrategy for VolumeAttributesClass {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "VolumeAttributesClass";

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let name = object.text("/driverName");
        let path = Path::new("driverName");
        if name.is_empty() {
            errors.push(Error::required(&path, ""));
        } else {
            let complaints = api::validate::qualified_name(&name.to_lowercase()).into_iter();
            errors.extend(complaints.map(|why| Error::invalid(&path, name, why)));
        }
        if object.get("parameters").and_then(Value::as_object).is_none_or(|map| map.is_empty()) {
            errors.push(Error::required(&Path::new("parameters"), "must contain at least one key/value pair"));
        }
        errors
    }

    fn validate_update(object: &Tree, old: &Tree) -> Errors {
        let mut errors = Errors::new();
        if object.get("driverName") != old.get("driverName") {
            errors.push(Error::forbidden(&Path::new("driverName"), "updates to driverName are forbidden."));
        }
        if object.get("parameters") != old.get("parameters") {
            errors.push(Error::forbidden(&Path::new("parameters"), "updates to parameters are forbidden."));
        }
        errors
    }
}
