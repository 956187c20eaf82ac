//! One sync of a claim.

use std::sync::Arc;

use api::types::{PersistentVolumeClaim, Pod, StorageClass};
use api::{Status, meta};
use client::{Client, EventType};

use super::matching::{self, is_bound_to};
use super::{BIND_COMPLETED, BOUND_BY_CONTROLLER, PersistentVolumeController, SELECTED_NODE, class_of, volume_name};
use crate::caches::Caches;
use crate::pods;

/// The annotations by which a provisioner knows that it is meant.
const PROVISIONER: [&str; 2] =
    ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"];

type Claim = Arc<PersistentVolumeClaim>;

impl PersistentVolumeController {
    pub(super) fn sync_claim(&mut self, claim: &Claim, caches: &Caches, client: &mut Client) -> Result<(), Status> {
        if meta::annotation(&claim.metadata, BIND_COMPLETED).is_some() {
            return self.sync_bound(claim, client);
        }
        match volume_name(claim).map(str::to_owned) {
            None => self.sync_unbound(claim, caches, client),
            Some(name) => self.sync_prebound(claim, &name, client),
        }
    }

    fn event(&mut self, claim: &Claim, kind: EventType, reason: &str, message: String, client: &mut Client) {
        self.recorder.event(client, &**claim, kind, reason, message);
    }

    fn sync_unbound(&mut self, claim: &Claim, caches: &Caches, client: &mut Client) -> Result<(), Status> {
        let class = caches.storage_classes.get(class_of(claim)).cloned();
        let waits =
            class.as_ref().is_some_and(|class| class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer"));
        if let Some(volume) = matching::best(&self.volumes, claim, waits) {
            return self.bind(&volume, claim, client);
        }
        let node_selected = meta::annotation(&claim.metadata, SELECTED_NODE).is_some();
        if waits && !node_selected {
            let (reason, message) = consumers(claim, caches);
            self.event(claim, EventType::Normal, reason, message, client);
        } else if !class_of(claim).is_empty() {
            return self.provision(claim, class.as_deref(), client);
        } else {
            let message = "no persistent volumes available for this claim and no storage class is set";
            self.event(claim, EventType::Normal, "FailedBinding", message.into(), client);
        }
        self.set_claim_phase(claim, "Pending", None, client)
    }

    /// Leaves the volume to the provisioner of the class.
    fn provision(&mut self, claim: &Claim, class: Option<&StorageClass>, client: &mut Client) -> Result<(), Status> {
        let Some(class) = class else {
            let message = format!("storageclass.storage.k8s.io {:?} not found", class_of(claim));
            self.event(claim, EventType::Warning, "ProvisioningFailed", message, client);
            return Ok(());
        };
        let provisioner = class.provisioner.as_str();
        if provisioner.starts_with("kubernetes.io/") {
            let message = format!("no volume plugin matched name: {provisioner}");
            self.event(claim, EventType::Warning, "ProvisioningFailed", message, client);
            return Ok(());
        }
        let claim = self.set_provisioner(claim, provisioner, client)?;
        let message = format!(
            "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the \
             system administrator. If volume creation is delayed, please verify that the provisioner is running and \
             correctly registered."
        );
        self.event(&claim, EventType::Normal, "ExternalProvisioning", message, client);
        Ok(())
    }

    fn set_provisioner(&mut self, claim: &Claim, provisioner: &str, client: &mut Client) -> Result<Claim, Status> {
        if PROVISIONER.iter().all(|name| meta::annotation(&claim.metadata, name) == Some(provisioner)) {
            return Ok(claim.clone());
        }
        let mut changed = (**claim).clone();
        for name in PROVISIONER {
            meta::set_annotation(&mut changed.metadata, name, provisioner);
        }
        let updated = client.update(changed)?;
        self.store_claim(updated.clone());
        Ok(updated)
    }

    /// The user has named the volume.
    fn sync_prebound(&mut self, claim: &Claim, name: &str, client: &mut Client) -> Result<(), Status> {
        let Some(volume) = self.volumes.get(name).cloned() else {
            return self.set_claim_phase(claim, "Pending", None, client);
        };
        let claimed = volume.spec.as_ref().is_some_and(|spec| spec.claim_ref.is_some());
        if !claimed && let Some(why) = matching::mismatch(&volume, claim) {
            let message = format!("Cannot bind to requested volume {name:?}: {why}");
            self.event(claim, EventType::Warning, "VolumeMismatch", message, client);
            return self.set_claim_phase(claim, "Pending", None, client);
        }
        if !claimed || is_bound_to(&volume, claim) {
            return self.bind(&volume, claim, client);
        }
        if meta::annotation(&claim.metadata, BOUND_BY_CONTROLLER).is_some() {
            let message = format!("volume {name:?} is already bound to a different claim");
            return Err(Status::internal(message));
        }
        let message = format!("volume {name:?} already bound to a different claim.");
        self.event(claim, EventType::Warning, "FailedBinding", message, client);
        self.set_claim_phase(claim, "Pending", None, client)
    }

    fn sync_bound(&mut self, claim: &Claim, client: &mut Client) -> Result<(), Status> {
        let (reason, message) = match volume_name(claim).map(|name| self.volumes.get(name).cloned()) {
            None => ("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!"),
            Some(None) => {
                ("ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!")
            }
            Some(Some(volume)) => {
                let reference = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
                if reference.is_none_or(|reference| reference.uid == claim.metadata.uid) {
                    return self.bind(&volume, claim, client);
                }
                ("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly")
            }
        };
        if super::claim_phase(claim) != "Lost" {
            self.set_claim_phase(claim, "Lost", None, client)?;
            self.event(claim, EventType::Warning, reason, message.into(), client);
        }
        Ok(())
    }
}

/// Whom a claim waits for whose volume is chosen only once a Pod needs it.
fn consumers(claim: &Claim, caches: &Caches) -> (&'static str, String) {
    let namespace = claim.metadata.namespace.as_deref().unwrap_or_default();
    let name = claim.metadata.name.as_deref().unwrap_or_default();
    let waiting = caches.pods.in_namespace(namespace).filter(|pod| pods::node_name(pod).is_empty());
    let names: Vec<&str> = waiting
        .filter(|pod| uses(pod, name) && !pods::is_finished(pod))
        .filter_map(|pod| pod.metadata.name.as_deref())
        .collect();
    match names.as_slice() {
        [] => ("WaitForFirstConsumer", "waiting for first consumer to be created before binding".into()),
        [only] => ("WaitForPodScheduled", format!("waiting for pod {only} to be scheduled")),
        many => ("WaitForPodScheduled", format!("waiting for pods {} to be scheduled", many.join(","))),
    }
}

/// Whether the Pod mounts the claim.
pub(crate) fn uses(pod: &Pod, claim: &str) -> bool {
    claims_of(pod).any(|used| used == claim)
}

/// Names of the claims that a Pod mounts.
pub(crate) fn claims_of(pod: &Pod) -> impl Iterator<Item = String> {
    let pod_name = pod.metadata.name.as_deref().unwrap_or_default();
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(move |volume| match (&volume.persistent_volume_claim, &volume.ephemeral) {
        (Some(source), _) => Some(source.claim_name.clone()),
        (None, Some(_)) => Some(format!("{pod_name}-{}", volume.name)),
        (None, None) => None,
    })
}
