//! PersistentVolumeClaimResize: a claim grows only when it is bound and its class allows it. Upstream:
//! `plugin/pkg/admission/storage/persistentvolume/resize`.

use api::quantity::Amount;
use api::types::{PersistentVolumeClaim, StorageClass};
use api::{Object, Status, Subresource, Verb};

use super::Attributes;
use crate::storage::Storage;

pub(super) fn validate(
    storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    if attributes.verb != Verb::Update || !attributes.is(Subresource::None) {
        return Ok(());
    }
    let Some(claim) = object.downcast_ref::<PersistentVolumeClaim>() else { return Ok(()) };
    let Some(old) = old.and_then(|old| old.downcast_ref::<PersistentVolumeClaim>()) else { return Ok(()) };
    let (Some(wanted), Some(had)) = (size(claim), size(old)) else { return Ok(()) };
    if wanted <= had {
        return Ok(());
    }
    let refuse = |why: &str| Err(Status::forbidden(attributes.kind, object.name(), why));
    if old.status.as_ref().and_then(|status| status.phase.as_deref()) != Some("Bound") {
        return refuse("Only bound persistent volume claims can be expanded");
    }
    let class = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref()).unwrap_or_default();
    let class = storage.find::<StorageClass>("", class);
    if class.is_some_and(|class| class.allow_volume_expansion == Some(true)) {
        return Ok(());
    }
    refuse(
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
    )
}

fn size(claim: &PersistentVolumeClaim) -> Option<Amount> {
    let requests = claim.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?;
    Some(Amount::of(requests.get("storage")?))
}
