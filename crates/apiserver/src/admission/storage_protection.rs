//! StorageObjectInUseProtection: claims and volumes stay while something uses them.

use api::types::{PersistentVolume, PersistentVolumeClaim};
use api::{Kinded, Object, Status, Verb};

use super::Attributes;
use crate::storage::Storage;

pub(super) fn admit(
    _storage: &Storage,
    attributes: &Attributes,
    object: &mut dyn Object,
    _old: Option<&dyn Object>,
) -> Result<(), Status> {
    if attributes.verb != Verb::Create {
        return Ok(());
    }
    let finalizer = match attributes.kind.id {
        PersistentVolume::ID => "kubernetes.io/pv-protection",
        PersistentVolumeClaim::ID => "kubernetes.io/pvc-protection",
        _ => return Ok(()),
    };
    let finalizers = object.meta_mut().finalizers.get_or_insert_default();
    if !finalizers.iter().any(|present| present == finalizer) {
        finalizers.push(finalizer.into());
    }
    Ok(())
}
