//! DefaultStorageClass: a claim that names no class gets the newest default one.

use api::types::{PersistentVolumeClaim, StorageClass};
use api::{Object, Status, Verb, meta};

use super::Attributes;
use crate::storage::Storage;

const IS_DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";

pub(super) fn admit(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut dyn Object,
    _old: Option<&dyn Object>,
) -> Result<(), Status> {
    if attributes.verb != Verb::Create {
        return Ok(());
    }
    let Some(claim) = object.downcast_mut::<PersistentVolumeClaim>() else { return Ok(()) };
    if meta::annotation(&claim.metadata, "volume.beta.kubernetes.io/storage-class").is_some() {
        return Ok(());
    }
    let spec = claim.spec.get_or_insert_default();
    if spec.storage_class_name.is_none() {
        let default = storage
            .all::<StorageClass>()
            .filter(|class| meta::annotation(&class.metadata, IS_DEFAULT) == Some("true"))
            .max_by_key(|class| {
                (class.metadata.creation_timestamp.clone(), std::cmp::Reverse(class.metadata.name.clone()))
            });
        spec.storage_class_name = default.and_then(|class| class.metadata.name.clone());
    }
    Ok(())
}
