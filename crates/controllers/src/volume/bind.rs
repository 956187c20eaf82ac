//! The writes that bind a claim to a volume. Each of the four is repeated until it holds.

use std::sync::Arc;

use api::types::{ObjectReference, PersistentVolume, PersistentVolumeClaim};
use api::{Status, meta};
use client::Client;

use super::matching::is_bound_to;
use super::{BIND_COMPLETED, BOUND_BY_CONTROLLER, PersistentVolumeController, claim_phase, volume_name, volume_phase};

impl PersistentVolumeController {
    pub(super) fn bind(
        &mut self,
        volume: &Arc<PersistentVolume>,
        claim: &Arc<PersistentVolumeClaim>,
        client: &mut Client,
    ) -> Result<(), Status> {
        let volume = self.bind_volume(volume, claim, client)?;
        let volume = self.set_volume_phase(&volume, "Bound", client)?;
        let claim = self.bind_claim(claim, &volume, client)?;
        self.set_claim_phase(&claim, "Bound", Some(&volume), client)
    }

    fn bind_volume(
        &mut self,
        volume: &Arc<PersistentVolume>,
        claim: &PersistentVolumeClaim,
        client: &mut Client,
    ) -> Result<Arc<PersistentVolume>, Status> {
        let reference = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
        if reference.is_some_and(|reference| reference.uid == claim.metadata.uid) && is_bound_to(volume, claim) {
            return Ok(volume.clone());
        }
        let mut changed = (**volume).clone();
        if !is_bound_to(volume, claim) {
            meta::set_annotation(&mut changed.metadata, BOUND_BY_CONTROLLER, "yes");
        }
        changed.spec.get_or_insert_default().claim_ref = Some(ObjectReference {
            api_version: Some("v1".into()),
            kind: Some("PersistentVolumeClaim".into()),
            namespace: claim.metadata.namespace.clone(),
            name: claim.metadata.name.clone(),
            uid: claim.metadata.uid.clone(),
            resource_version: claim.metadata.resource_version.clone(),
            field_path: None,
        });
        let updated = client.update(changed)?;
        self.store_volume(updated.clone());
        Ok(updated)
    }

    fn bind_claim(
        &mut self,
        claim: &Arc<PersistentVolumeClaim>,
        volume: &PersistentVolume,
        client: &mut Client,
    ) -> Result<Arc<PersistentVolumeClaim>, Status> {
        let bound = volume_name(claim) == volume.metadata.name.as_deref();
        let completed = meta::annotation(&claim.metadata, BIND_COMPLETED).is_some();
        if bound && completed {
            return Ok(claim.clone());
        }
        let mut changed = (**claim).clone();
        if !bound {
            changed.spec.get_or_insert_default().volume_name.clone_from(&volume.metadata.name);
            meta::set_annotation(&mut changed.metadata, BOUND_BY_CONTROLLER, "yes");
        }
        meta::set_annotation(&mut changed.metadata, BIND_COMPLETED, "yes");
        let updated = client.update(changed)?;
        self.store_claim(updated.clone());
        Ok(updated)
    }

    pub(super) fn set_volume_phase(
        &mut self,
        volume: &Arc<PersistentVolume>,
        phase: &str,
        client: &mut Client,
    ) -> Result<Arc<PersistentVolume>, Status> {
        if volume_phase(volume) == phase {
            return Ok(volume.clone());
        }
        let mut changed = (**volume).clone();
        let status = changed.status.get_or_insert_default();
        status.phase = Some(phase.into());
        status.message = None;
        let updated = client.update_status(changed)?;
        self.store_volume(updated.clone());
        Ok(updated)
    }

    /// Capacity and access modes become the volume's.
    pub(super) fn set_claim_phase(
        &mut self,
        claim: &Arc<PersistentVolumeClaim>,
        phase: &str,
        volume: Option<&PersistentVolume>,
        client: &mut Client,
    ) -> Result<(), Status> {
        let mut status = claim.status.clone().unwrap_or_default();
        status.phase = Some(phase.into());
        match volume.and_then(|volume| volume.spec.as_ref()) {
            None => {
                status.access_modes = None;
                status.capacity = None;
            }
            Some(spec) => {
                status.access_modes.clone_from(&spec.access_modes);
                // A bound claim may have grown since; its capacity is the resizer's.
                if claim_phase(claim) != phase || status.capacity.is_none() {
                    status.capacity.clone_from(&spec.capacity);
                }
            }
        }
        if claim.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let changed = PersistentVolumeClaim { status: Some(status), ..(**claim).clone() };
        let updated = client.update_status(changed)?;
        self.store_claim(updated);
        Ok(())
    }
}
