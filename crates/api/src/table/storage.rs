//! Volumes, claims and what provisions them.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::format::{access_modes, or_unset};
use super::{AGE, Cell, Column, NAME, Printer, age, col, printer, wide};
use crate::meta;
use crate::time::SimTime;

const VOLUME: &[Column] = &[
    NAME,
    col("Capacity"),
    col("Access Modes"),
    col("Reclaim Policy"),
    col("Status"),
    col("Claim"),
    col("StorageClass"),
    col("VolumeAttributesClass"),
    col("Reason"),
    AGE,
    wide("VolumeMode"),
];
const CLAIM: &[Column] = &[
    NAME,
    col("Status"),
    col("Volume"),
    col("Capacity"),
    col("Access Modes"),
    col("StorageClass"),
    col("VolumeAttributesClass"),
    AGE,
    wide("VolumeMode"),
];
const CLASS: &[Column] =
    &[NAME, col("Provisioner"), col("ReclaimPolicy"), col("VolumeBindingMode"), col("AllowVolumeExpansion"), AGE];

pub(super) static PRINTERS: &[Printer] = &[
    printer!(PersistentVolume, VOLUME, volume),
    printer!(PersistentVolumeClaim, CLAIM, claim),
    printer!(StorageClass, CLASS, storage_class),
];

/// The annotation that older manifests name their class in.
const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

fn capacity(capacity: Option<&std::collections::BTreeMap<String, Quantity>>) -> String {
    let storage = capacity.and_then(|capacity| capacity.get("storage"));
    storage.map(|quantity| crate::quantity::canonical(&quantity.0).unwrap_or(quantity.0.clone())).unwrap_or_default()
}

fn phase(meta: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta, phase: Option<&str>) -> Cell {
    if meta::is_being_deleted(meta) { "Terminating".into() } else { phase.unwrap_or_default().into() }
}

fn volume(object: &PersistentVolume, now: SimTime) -> Vec<Cell> {
    let none = Default::default();
    let spec = object.spec.as_ref().unwrap_or(&none);
    let status = object.status.as_ref();
    let claim = spec.claim_ref.as_ref().map(|claim| {
        format!("{}/{}", claim.namespace.as_deref().unwrap_or_default(), claim.name.as_deref().unwrap_or_default())
    });
    let class = meta::annotation(&object.metadata, CLASS_ANNOTATION).or(spec.storage_class_name.as_deref());
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        capacity(spec.capacity.as_ref()).into(),
        access_modes(spec.access_modes.as_ref()).into(),
        spec.persistent_volume_reclaim_policy.as_deref().unwrap_or_default().into(),
        phase(&object.metadata, status.and_then(|status| status.phase.as_deref())),
        claim.unwrap_or_default().into(),
        class.unwrap_or_default().into(),
        or_unset(spec.volume_attributes_class_name.as_deref()).into(),
        status.and_then(|status| status.reason.as_deref()).unwrap_or_default().into(),
        age::of(&object.metadata, now).into(),
        or_unset(spec.volume_mode.as_deref()).into(),
    ]
}

fn claim(object: &PersistentVolumeClaim, now: SimTime) -> Vec<Cell> {
    let none = Default::default();
    let spec = object.spec.as_ref().unwrap_or(&none);
    let no_status = Default::default();
    let status = object.status.as_ref().unwrap_or(&no_status);
    let volume = spec.volume_name.as_deref().unwrap_or_default();
    // What an unbound claim asks for is not what it has.
    let (size, modes) = if volume.is_empty() {
        (String::new(), String::new())
    } else {
        (capacity(status.capacity.as_ref()), access_modes(status.access_modes.as_ref()))
    };
    let class = meta::annotation(&object.metadata, CLASS_ANNOTATION).or(spec.storage_class_name.as_deref());
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        phase(&object.metadata, status.phase.as_deref()),
        volume.into(),
        size.into(),
        modes.into(),
        class.unwrap_or_default().into(),
        or_unset(spec.volume_attributes_class_name.as_deref()).into(),
        age::of(&object.metadata, now).into(),
        or_unset(spec.volume_mode.as_deref()).into(),
    ]
}

fn storage_class(object: &StorageClass, now: SimTime) -> Vec<Cell> {
    let mut name = object.metadata.name.clone().unwrap_or_default();
    let is_default = |name: &str| meta::annotation(&object.metadata, name) == Some("true");
    if is_default("storageclass.kubernetes.io/is-default-class")
        || is_default("storageclass.beta.kubernetes.io/is-default-class")
    {
        name.push_str(" (default)");
    }
    vec![
        name.into(),
        object.provisioner.as_str().into(),
        object.reclaim_policy.as_deref().unwrap_or("Delete").into(),
        object.volume_binding_mode.as_deref().unwrap_or("Immediate").into(),
        object.allow_volume_expansion.unwrap_or_default().into(),
        age::of(&object.metadata, now).into(),
    ]
}
