//! One sync of a volume.

use std::sync::Arc;

use api::types::{PersistentVolume, PersistentVolumeClaim};
use api::{Status, meta};
use client::Client;

use super::{
    BOUND_BY_CONTROLLER, Key, PROVISIONED_BY, PersistentVolumeController, claim_of, volume_name, volume_phase,
};
use crate::controller::Queue;

impl PersistentVolumeController {
    pub(super) fn sync_volume(
        &mut self,
        volume: &Arc<PersistentVolume>,
        client: &mut Client,
        queue: &mut Queue<Key>,
    ) -> Result<(), Status> {
        let reference = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
        let uid = reference.and_then(|reference| reference.uid.as_deref()).filter(|uid| !uid.is_empty());
        let (Some(uid), Some(key)) = (uid, claim_of(volume)) else {
            return self.set_volume_phase(volume, "Available", client).map(drop);
        };
        let Some(claim) = self.find_claim(&key, uid, client)? else {
            // Whether the data goes too is up to the provisioner, which watches for released volumes.
            if !matches!(volume_phase(volume), "Released" | "Failed") {
                self.set_volume_phase(volume, "Released", client)?;
            }
            return Ok(());
        };
        match volume_name(&claim) {
            None => {
                queue.add(Key::Claim(key));
                Ok(())
            }
            Some(name) if Some(name) == volume.metadata.name.as_deref() => {
                self.set_volume_phase(volume, "Bound", client).map(drop)
            }
            Some(_) => self.unbind(volume, client),
        }
    }

    /// The claim under that uid. What the cache does not have may be too new for it.
    fn find_claim(
        &mut self,
        key: &str,
        uid: &str,
        client: &mut Client,
    ) -> Result<Option<Arc<PersistentVolumeClaim>>, Status> {
        let is_it = |claim: &Arc<PersistentVolumeClaim>| claim.metadata.uid.as_deref() == Some(uid);
        if let Some(claim) = self.claims.get(key).filter(|claim| is_it(claim)) {
            return Ok(Some(claim.clone()));
        }
        let (namespace, name) = meta::split_key(key);
        match client.get::<PersistentVolumeClaim>(namespace, name) {
            Ok(claim) => Ok(Some(claim).filter(is_it)),
            Err(status) if status.is_not_found() => Ok(None),
            Err(status) => Err(status),
        }
    }

    /// The claim has gone to another volume.
    fn unbind(&mut self, volume: &Arc<PersistentVolume>, client: &mut Client) -> Result<(), Status> {
        let deletes = volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref());
        if meta::annotation(&volume.metadata, PROVISIONED_BY).is_some() && deletes == Some("Delete") {
            return self.set_volume_phase(volume, "Released", client).map(drop);
        }
        let mut changed = (**volume).clone();
        let by_controller = meta::annotation(&volume.metadata, BOUND_BY_CONTROLLER).is_some();
        let reference = &mut changed.spec.get_or_insert_default().claim_ref;
        if by_controller {
            *reference = None;
        } else if let Some(reference) = reference {
            reference.uid = None;
        }
        if by_controller && let Some(annotations) = &mut changed.metadata.annotations {
            annotations.remove(BOUND_BY_CONTROLLER);
        }
        let updated = client.update(changed)?;
        self.store_volume(updated.clone());
        self.set_volume_phase(&updated, "Available", client).map(drop)
    }
}
