//! Which volume suits a claim.

use std::sync::Arc;

use api::meta;
use api::quantity::Amount;
use api::selector::Selector;
use api::types::{PersistentVolume, PersistentVolumeClaim};
use client::Cache;

use super::{CLASS, class_of, volume_phase};

/// The smallest volume that has what the claim asks for; one that is kept for the claim comes first. `delayed`: only the
/// scheduler chooses, unless somebody has kept a volume for the claim.
pub(super) fn best(
    volumes: &Cache<PersistentVolume>,
    claim: &PersistentVolumeClaim,
    delayed: bool,
) -> Option<Arc<PersistentVolume>> {
    let selector = claim.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    let selector = selector.map(|selector| Selector::from_label_selector(Some(selector)));
    let requested = requested(claim);
    let mut best: Option<(&Arc<PersistentVolume>, Amount)> = None;
    for volume in volumes.iter() {
        let kept = is_bound_to(volume, claim);
        let claimed = volume.spec.as_ref().is_some_and(|spec| spec.claim_ref.is_some());
        if (claimed && !kept) || !has_modes(volume, claim) || meta::is_being_deleted(&volume.metadata) {
            continue;
        }
        let capacity = capacity(volume);
        if kept {
            if capacity < requested {
                continue;
            }
            return Some(volume.clone());
        }
        let suits = !delayed
            && volume_phase(volume) == "Available"
            && volume_class(volume) == class_of(claim)
            && capacity >= requested
            && selector.as_ref().is_none_or(|selector| selector.matches(meta::labels(&volume.metadata)));
        if suits && best.is_none_or(|(_, smallest)| capacity < smallest) {
            best = Some((volume, capacity));
        }
    }
    best.map(|(volume, _)| volume.clone())
}

/// Whether the volume's reference names the claim; one that has no uid yet was written by a user.
pub(super) fn is_bound_to(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let Some(reference) = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()) else { return false };
    let uid = reference.uid.as_deref().filter(|uid| !uid.is_empty());
    reference.name == claim.metadata.name
        && reference.namespace == claim.metadata.namespace
        && uid.is_none_or(|uid| Some(uid) == claim.metadata.uid.as_deref())
}

/// Why a volume that the claim asks for by name does not do.
pub(super) fn mismatch(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> Option<String> {
    if capacity(volume) < requested(claim) {
        return Some("requested PV is too small".into());
    }
    if volume_class(volume) != class_of(claim) {
        return Some("storageClassName does not match".into());
    }
    if volume_mode(volume.spec.as_ref().and_then(|spec| spec.volume_mode.as_ref()))
        != volume_mode(claim.spec.as_ref().and_then(|spec| spec.volume_mode.as_ref()))
    {
        return Some("incompatible volumeMode".into());
    }
    (!has_modes(volume, claim)).then(|| "incompatible accessMode".into())
}

fn volume_mode(mode: Option<&String>) -> &str {
    mode.map_or("Filesystem", String::as_str)
}

/// Volume mode and all access modes.
fn has_modes(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let (Some(volume), Some(claim)) = (&volume.spec, &claim.spec) else { return false };
    let offered = volume.access_modes.as_deref().unwrap_or_default();
    volume_mode(volume.volume_mode.as_ref()) == volume_mode(claim.volume_mode.as_ref())
        && claim.access_modes.iter().flatten().all(|mode| offered.contains(mode))
}

fn volume_class(volume: &PersistentVolume) -> &str {
    let annotated = meta::annotation(&volume.metadata, CLASS);
    annotated.or_else(|| volume.spec.as_ref()?.storage_class_name.as_deref()).unwrap_or_default()
}

fn capacity(volume: &PersistentVolume) -> Amount {
    let capacity = volume.spec.as_ref().and_then(|spec| spec.capacity.as_ref()?.get("storage"));
    capacity.map(Amount::of).unwrap_or_default()
}

fn requested(claim: &PersistentVolumeClaim) -> Amount {
    let resources = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref());
    resources.and_then(|resources| resources.requests.as_ref()?.get("storage")).map(Amount::of).unwrap_or_default()
}
