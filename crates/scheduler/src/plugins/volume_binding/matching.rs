//! Which volume suits a claim.

use api::meta;
use api::quantity::Amount;
use api::selector::Selector;
use api::types::{PersistentVolume, PersistentVolumeClaim};

use super::{class_name, reaches};
use crate::cache::NodeInfo;
use crate::listers::Listers;

pub fn requested(claim: &PersistentVolumeClaim) -> Amount {
    let requests = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref()?.requests.as_ref());
    requests.and_then(|requests| requests.get("storage")).map(Amount::of).unwrap_or_default()
}

fn capacity(volume: &PersistentVolume) -> Amount {
    let capacity = volume.spec.as_ref().and_then(|spec| spec.capacity.as_ref());
    capacity.and_then(|capacity| capacity.get("storage")).map(Amount::of).unwrap_or_default()
}

/// The smallest available volume that the node reaches and that has all that the claim asks for; one that is already
/// meant for the claim goes first.
pub fn find_matching_volume<'a>(
    listers: &'a Listers,
    claim: &PersistentVolumeClaim,
    node: &NodeInfo,
    taken: &[String],
) -> Option<&'a PersistentVolume> {
    let mut best: Option<&PersistentVolume> = None;
    for volume in listers.volumes.iter() {
        let name = volume.metadata.name.as_deref().unwrap_or_default();
        let free = !taken.iter().any(|other| other == name) && !listers.assumed_volumes.contains_key(name);
        if !free || !suits(volume, claim) || !reaches(volume, node) {
            continue;
        }
        if is_meant_for(volume, claim) == Some(true) {
            return Some(volume);
        }
        if best.is_none_or(|best| capacity(volume) < capacity(best)) {
            best = Some(volume);
        }
    }
    best
}

/// Whether the volume names the claim; `None` when it names none.
fn is_meant_for(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> Option<bool> {
    let named = volume.spec.as_ref()?.claim_ref.as_ref()?;
    let same = named.namespace == claim.metadata.namespace && named.name == claim.metadata.name;
    let same_uid = named.uid.as_deref().is_none_or(|uid| uid.is_empty() || Some(uid) == claim.metadata.uid.as_deref());
    Some(same && same_uid)
}

fn suits(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let (Some(has), Some(wants)) = (&volume.spec, &claim.spec) else { return false };
    let mode = |mode: &Option<String>| mode.as_deref().unwrap_or("Filesystem") == "Block";
    let available = volume.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Available");
    let modes = has.access_modes.as_deref().unwrap_or_default();
    let selector = wants.selector.as_ref().map(|selector| Selector::from_label_selector(Some(selector)));
    let meant = is_meant_for(volume, claim);
    meant != Some(false)
        && (available || meant == Some(true))
        && !meta::is_being_deleted(&volume.metadata)
        && has.storage_class_name.as_deref().unwrap_or_default() == class_name(claim)
        && mode(&has.volume_mode) == mode(&wants.volume_mode)
        && wants.access_modes.iter().flatten().all(|mode| modes.contains(mode))
        && capacity(volume) >= requested(claim)
        && selector.is_none_or(|selector| selector.matches(meta::labels(&volume.metadata)))
}
