//! Making and deleting one disk.

use api::types::{
    CSIPersistentVolumeSource, ObjectMeta, ObjectReference, PersistentVolume, PersistentVolumeClaim,
    PersistentVolumeSpec, StorageClass,
};
use api::{Status, meta};
use client::{Client, DeleteOptions, EventType};

use crate::DRIVER;
use crate::provisioner::{PROVISIONED_BY, Provisioner};

/// Keeps the volume until its disk is gone.
const FINALIZER: &str = "external-provisioner.volume.kubernetes.io/finalizer";

impl Provisioner {
    pub(crate) fn announce(&mut self, key: &str, client: &mut Client) {
        let Some(claim) = self.claims.get(key) else { return };
        let message = format!("External provisioner is provisioning volume for claim {key:?}");
        self.recorder.event(client, &**claim, EventType::Normal, "Provisioning", message);
    }

    /// The disk is there: tell the cluster of it. The volume controller binds the two.
    pub(crate) fn create_volume(&mut self, key: &str, client: &mut Client) -> Result<(), Status> {
        let Some(claim) = self.claims.get(key).cloned() else { return Ok(()) };
        let volume = volume_for(&claim, self.class_of(&claim));
        let name = volume.metadata.name.clone().unwrap_or_default();
        match client.create(volume) {
            Err(status) if status.is_already_exists() => return Ok(()),
            Err(status) => {
                let message = format!("failed to create PV object for volume {name}: {status}");
                self.recorder.event(client, &*claim, EventType::Warning, "ProvisioningFailed", message);
                return Err(status);
            }
            Ok(_) => {}
        }
        let message = format!("Successfully provisioned volume {name}");
        self.recorder.event(client, &*claim, EventType::Normal, "ProvisioningSucceeded", message);
        Ok(())
    }

    pub(crate) fn delete_volume(&mut self, name: &str, client: &mut Client) -> Result<(), Status> {
        let deleted = client.delete::<PersistentVolume>("", name, DeleteOptions::default());
        let released = deleted.and_then(|()| {
            let volume = client.get::<PersistentVolume>("", name)?;
            let mut changed = (*volume).clone();
            if let Some(finalizers) = &mut changed.metadata.finalizers {
                finalizers.retain(|finalizer| finalizer != FINALIZER);
            }
            client.update(changed).map(drop)
        });
        match released {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(()),
        }
    }
}

fn volume_for(claim: &PersistentVolumeClaim, class: Option<&StorageClass>) -> PersistentVolume {
    let uid = claim.metadata.uid.clone().unwrap_or_default();
    let name = format!("pvc-{uid}");
    let spec = claim.spec.as_ref();
    let requested = spec.and_then(|spec| spec.resources.as_ref()?.requests.as_ref()?.get("storage")).cloned();
    let mut volume = PersistentVolume {
        metadata: ObjectMeta {
            name: Some(name.clone()),
            finalizers: Some(vec![FINALIZER.into()]),
            ..ObjectMeta::default()
        },
        spec: Some(PersistentVolumeSpec {
            access_modes: spec.and_then(|spec| spec.access_modes.clone()),
            capacity: requested.map(|storage| [("storage".to_owned(), storage)].into()),
            claim_ref: Some(ObjectReference {
                api_version: Some("v1".into()),
                kind: Some("PersistentVolumeClaim".into()),
                namespace: claim.metadata.namespace.clone(),
                name: claim.metadata.name.clone(),
                uid: Some(uid),
                resource_version: claim.metadata.resource_version.clone(),
                field_path: None,
            }),
            csi: Some(CSIPersistentVolumeSource {
                driver: DRIVER.into(),
                volume_handle: name,
                fs_type: Some("ext4".into()),
                volume_attributes: class.and_then(|class| class.parameters.clone()),
                ..CSIPersistentVolumeSource::default()
            }),
            mount_options: class.and_then(|class| class.mount_options.clone()),
            persistent_volume_reclaim_policy: class.and_then(|class| class.reclaim_policy.clone()),
            storage_class_name: spec.and_then(|spec| spec.storage_class_name.clone()),
            volume_mode: spec.and_then(|spec| spec.volume_mode.clone()),
            ..PersistentVolumeSpec::default()
        }),
        status: None,
    };
    meta::set_annotation(&mut volume.metadata, PROVISIONED_BY, DRIVER);
    volume
}
