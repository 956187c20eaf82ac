//! What CSI drivers and their nodes say of themselves: CSIDriver, CSINode, CSIStorageCapacity, VolumeAttachment,
//! VolumeAttributesClass. Upstream: `pkg/apis/storage`.

use api::Object as _;
use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::validate::{dns1123_subdomain, label_selector, qualified_name};
use serde_json::{Value, json};

use super::admission_rules::{default_field, items, text, texts};
use super::rules::{IMMUTABLE, complain, twice};
use super::{go_diff, persistent_volume};
use crate::strategy::TreeStrategy;

const GROUP: &str = "storage.k8s.io";
const DRIVER_NAME_BYTES_MAX: usize = 63;
const NODE_ID_BYTES_MAX: usize = 256;
const PARAMETERS_MAX: usize = 512;
const PARAMETERS_BYTES_MAX: usize = 256 << 10;
const ATTACHMENT_METADATA_BYTES_MAX: usize = 256 << 10;
const VOLUME_ERROR_BYTES_MAX: usize = 1024;

pub(super) struct CsiDriver;
pub(super) struct CsiNode;
pub(super) struct CsiStorageCapacity;
pub(super) struct VolumeAttachment;
pub(super) struct VolumeAttributesClass;

/// `ValidateCSIDriverName`
pub(super) fn driver_name(name: &str, path: &Path, errors: &mut Errors) {
    if name.is_empty() {
        errors.push(Error::required(path, ""));
    }
    if name.len() > DRIVER_NAME_BYTES_MAX {
        errors.push(Error::too_long(path, DRIVER_NAME_BYTES_MAX));
    }
    let complaints = dns1123_subdomain(&name.to_lowercase());
    errors.extend(complaints.into_iter().map(|why| Error::invalid(path, name, why)));
}

/// `validateParameters` of a class, of whose keys and values it takes the lengths.
pub(super) fn parameters(sizes: impl Iterator<Item = (usize, usize)>, errors: &mut Errors) {
    let (sizes, path): (Vec<_>, _) = (sizes.collect(), Path::new("parameters"));
    if sizes.len() > PARAMETERS_MAX {
        return errors.push(Error::too_long(&path, PARAMETERS_MAX));
    }
    if sizes.iter().any(|(key, _)| *key == 0) {
        errors.push(Error::invalid(&path, "", "field can not be empty."));
    }
    if sizes.iter().map(|(key, value)| key + value).sum::<usize>() > PARAMETERS_BYTES_MAX {
        errors.push(Error::too_long(&path, PARAMETERS_BYTES_MAX));
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
    const UNCONDITIONAL_UPDATE: bool = false;
    const DELETE_RETURNS_OBJECT: bool = true;

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
                continue;
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
                errors.push(Error::not_supported(&modes, mode, &["Persistent", "Ephemeral"]));
            }
        }
        let period = spec.get("nodeAllocatableUpdatePeriodSeconds").and_then(Value::as_i64);
        if let Some(period) = period.filter(|period| *period < 10) {
            let path = path.child("nodeAllocatableUpdatePeriodSeconds");
            errors.push(Error::invalid(&path, period, "must be greater than or equal to 10 seconds"));
        }
        errors
    }

    /// Generations are counted from the first change on.
    fn prepare_for_update(object: &mut Tree, old: &Tree) {
        if object.get("spec") != old.get("spec") {
            object.meta_mut().generation = Some(old.meta().generation.unwrap_or(0) + 1);
        }
    }

    fn validate_update(object: &Tree, old: &Tree) -> Errors {
        let mut errors = twice(Self::validate(object));
        // Upstream's spelling.
        if object.at("/spec/attachRequired") != old.at("/spec/attachRequired") {
            let value = object.at("/spec/attachRequired").cloned().unwrap_or_default();
            errors.push(Error::invalid(&Path::new("spec").child("attachedRequired"), value, IMMUTABLE));
        }
        immutable(object, old, &["volumeLifecycleModes"], &mut errors);
        errors
    }
}

impl TreeStrategy for CsiNode {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "CSINode";
    const UNCONDITIONAL_UPDATE: bool = false;
    const DELETE_RETURNS_OBJECT: bool = true;

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let spec = Path::new("spec");
        let all = spec.child("drivers");
        let mut names: Vec<&str> = Vec::new();
        for (index, driver) in items(object.get("spec").unwrap_or(&Value::Null), "drivers").iter().enumerate() {
            let path = all.index(index);
            let name = text(driver, "name");
            driver_name(name, &path.child("name"), &mut errors);
            let (id, id_path) = (text(driver, "nodeID"), path.child("nodeID"));
            if id.is_empty() {
                errors.push(Error::required(&id_path, ""));
            }
            if id.len() > NODE_ID_BYTES_MAX {
                let why = format!("must be {NODE_ID_BYTES_MAX} characters or less");
                errors.push(Error::invalid(&id_path, id, why));
            }
            let count = driver.get("allocatable").and_then(|one| one.get("count")).and_then(Value::as_i64);
            if let Some(count) = count.filter(|count| *count < 0) {
                let path = path.child("allocatable");
                errors.push(Error::invalid(&path.child("count"), count, super::rules::NOT_NEGATIVE));
            }
            if names.contains(&name) {
                errors.push(Error::duplicate(&path.child("name"), name));
            }
            names.push(name);
            let keys = texts(driver, "topologyKeys");
            for (index, key) in keys.iter().enumerate() {
                if key.is_empty() {
                    errors.push(Error::required(&path, ""));
                }
                if keys[..index].contains(key) {
                    errors.push(Error::duplicate(&path, *key));
                }
                complain(&mut errors, &path, key, qualified_name(key));
            }
        }
        errors
    }

    /// What a driver says of itself stays, but for how many volumes it can attach.
    fn validate_update(object: &Tree, old: &Tree) -> Errors {
        let mut errors = twice(Self::validate(object));
        let drivers =
            |object: &Tree| object.get("spec").map(|spec| items(spec, "drivers").to_vec()).unwrap_or_default();
        let fixed = |mut driver: Value| {
            driver.as_object_mut().map(|driver| driver.remove("allocatable"));
            driver
        };
        for old in drivers(old).into_iter().map(fixed) {
            for new in drivers(object).into_iter().map(fixed).filter(|new| new["name"] == old["name"] && *new != old) {
                let shown = go_diff::compact("storage.v1.CSINodeDriver", &new);
                errors.push(Error::invalid_verbatim(&Path::new("spec").child("drivers"), shown, IMMUTABLE));
            }
        }
        errors
    }
}

impl TreeStrategy for CsiStorageCapacity {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "CSIStorageCapacity";
    const UNCONDITIONAL_UPDATE: bool = false;
    const DELETE_RETURNS_OBJECT: bool = true;

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let topology = object.get("nodeTopology").filter(|topology| !topology.is_null());
        if let Some(Ok(topology)) = topology.map(|topology| serde_json::from_value(topology.clone())) {
            label_selector(&topology, &Path::new("nodeTopology"), &mut errors);
        }
        let class = object.text("/storageClassName");
        complain(&mut errors, &Path::new("storageClassName"), class, dns1123_subdomain(class));
        let capacity = object.text("/capacity");
        if api::quantity::parse(capacity).is_some_and(|(amount, _)| amount.0 < 0) {
            errors.push(Error::invalid(&Path::new("capacity"), capacity, super::rules::NOT_NEGATIVE));
        }
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
    const UNCONDITIONAL_UPDATE: bool = false;
    const DELETE_RETURNS_OBJECT: bool = true;
    const HAS_STATUS: bool = true;

    fn prepare_for_create(object: &mut Tree) {
        object.set("status", Some(json!({ "attached": false })));
    }

    fn validate(object: &Tree) -> Errors {
        let mut errors = attachment(object);
        // `ValidateVolumeAttachmentV1`
        let path = Path::new("spec");
        driver_name(object.text("/spec/attacher"), &path.child("attacher"), &mut errors);
        if let Some(name) = object.at("/spec/source/persistentVolumeName").and_then(Value::as_str) {
            let source = path.child("source");
            complain(&mut errors, &source.child("persistentVolumeName"), name, dns1123_subdomain(name));
        }
        errors
    }

    fn validate_status_update(object: &Tree, old: &Tree) -> Errors {
        Self::validate_update(object, old)
    }

    fn validate_update(object: &Tree, old: &Tree) -> Errors {
        let mut errors = twice(attachment(object));
        if object.get("spec") != old.get("spec") {
            let shown = go_diff::compact("storage.v1.VolumeAttachmentSpec", &object.get("spec"));
            errors.push(Error::invalid_verbatim(&Path::new("spec"), shown, IMMUTABLE));
        }
        errors
    }
}

/// `ValidateVolumeAttachment`
fn attachment(object: &Tree) -> Errors {
    let mut errors = Errors::new();
    let path = Path::new("spec");
    let attacher = object.text("/spec/attacher");
    if attacher.is_empty() {
        errors.push(Error::required(&path.child("attacher"), ""));
    }
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
        (true, false) => {
            let spec = object.at("/spec/source/inlineVolumeSpec").cloned().unwrap_or_default();
            let spec = api::decode::typed(spec).unwrap_or_default();
            persistent_volume::validate_spec(&spec, "", true, &source.child("inlineVolumeSpec"), &mut errors);
        }
        _ => {}
    }
    let node = object.text("/spec/nodeName");
    let at = path.child("nodeName");
    complain(&mut errors, &at, node, dns1123_subdomain(node));
    attachment_status(object.get("status").unwrap_or(&Value::Null), &mut errors);
    errors
}

/// `validateVolumeAttachmentStatus`
fn attachment_status(status: &Value, errors: &mut Errors) {
    let path = Path::new("status");
    let metadata = status["attachmentMetadata"].as_object().into_iter().flatten();
    let sizes = metadata.map(|(key, value)| key.len() + value.as_str().map_or(0, str::len));
    if sizes.sum::<usize>() > ATTACHMENT_METADATA_BYTES_MAX {
        errors.push(Error::too_long(&path.child("attachmentMetadata"), ATTACHMENT_METADATA_BYTES_MAX));
    }
    for field in ["attachError", "detachError"] {
        if text(&status[field], "message").len() > VOLUME_ERROR_BYTES_MAX {
            errors.push(Error::too_long(&path.child(field).child("message"), VOLUME_ERROR_BYTES_MAX));
        }
    }
}

impl TreeStrategy for VolumeAttributesClass {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "VolumeAttributesClass";
    const UNCONDITIONAL_UPDATE: bool = false;
    const DELETE_RETURNS_OBJECT: bool = true;

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let name = object.text("/driverName");
        let path = Path::new("driverName");
        if name.is_empty() {
            errors.push(Error::required(&path, ""));
        } else {
            let name = name.to_lowercase();
            complain(&mut errors, &path, &name, qualified_name(&name));
        }
        let given = object.get("parameters").and_then(Value::as_object);
        let sizes = given.into_iter().flatten().map(|(key, value)| (key.len(), value.as_str().map_or(0, str::len)));
        parameters(sizes, &mut errors);
        if given.is_none_or(|given| given.is_empty()) {
            errors.push(Error::required(&Path::new("parameters"), "must contain at least one key/value pair"));
        }
        errors
    }

    fn validate_update(object: &Tree, old: &Tree) -> Errors {
        let mut errors = Self::validate(object);
        if object.get("driverName") != old.get("driverName") {
            errors.push(Error::forbidden(&Path::new("driverName"), "updates to driverName are forbidden."));
        }
        if object.get("parameters") != old.get("parameters") {
            errors.push(Error::forbidden(&Path::new("parameters"), "updates to parameters are forbidden."));
        }
        errors.extend(Self::validate(object));
        errors
    }
}
