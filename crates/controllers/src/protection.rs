//! Protection of storage in use: claims that Pods mount, and volumes that claims are bound to, are kept until they are
//! free.

use api::types::{ObjectMeta, PersistentVolume, PersistentVolumeClaim, Pod};
use api::{Status, meta};
use client::Client;

use crate::caches::{Caches, Seen};
use crate::controller::{Event, Queue, Reconciler};
use crate::pods;
use crate::volume::{claims_of, uses};

#[derive(Clone, Default)]
pub struct ClaimProtectionController;

#[derive(Clone, Default)]
pub struct VolumeProtectionController;

const CLAIM_FINALIZER: &str = "kubernetes.io/pvc-protection";
const VOLUME_FINALIZER: &str = "kubernetes.io/pv-protection";

fn has(meta: &ObjectMeta, finalizer: &str) -> bool {
    meta.finalizers.iter().flatten().any(|other| other == finalizer)
}

/// The metadata with the finalizer if the object lives, without it if it is being deleted; `None` if that is so already.
fn corrected(meta: &ObjectMeta, finalizer: &str) -> Option<ObjectMeta> {
    let wanted = !meta::is_being_deleted(meta);
    if has(meta, finalizer) == wanted {
        return None;
    }
    let mut changed = meta.clone();
    let finalizers = changed.finalizers.get_or_insert_default();
    if wanted {
        finalizers.push(finalizer.into());
    } else {
        finalizers.retain(|other| other != finalizer);
    }
    changed.finalizers = changed.finalizers.filter(|finalizers| !finalizers.is_empty());
    Some(changed)
}

impl Reconciler for ClaimProtectionController {
    type Key = String;
    const NAME: &'static str = "persistentvolumeclaim-protection-controller";
    const KIND: &'static str = "PersistentVolumeClaim";

    fn observe(&mut self, event: &Event, _caches: &Caches, queue: &mut Queue<String>) {
        match &event.seen {
            Seen::PersistentVolumeClaim(_, Some(claim)) if corrected(&claim.metadata, CLAIM_FINALIZER).is_some() => {
                queue.add(meta::key(&claim.metadata));
            }
            Seen::Pod(Some(pod), None) => enqueue_claims(pod, queue),
            Seen::Pod(_, Some(pod)) if pods::is_finished(pod) => enqueue_claims(pod, queue),
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        caches: &Caches,
        client: &mut Client,
        _queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        let Some(claim) = caches.claims.get(key) else { return Ok(()) };
        let Some(metadata) = corrected(&claim.metadata, CLAIM_FINALIZER) else { return Ok(()) };
        if meta::is_being_deleted(&metadata) && is_used(claim, caches) {
            return Ok(());
        }
        gone_is_fine(client.update(PersistentVolumeClaim { metadata, ..(**claim).clone() }).map(drop))
    }
}

fn enqueue_claims(pod: &Pod, queue: &mut Queue<String>) {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    for claim in claims_of(pod) {
        queue.add(meta::key_of(namespace, &claim));
    }
}

/// A Pod without a node does not count: it will not start on a claim that is being deleted.
fn is_used(claim: &PersistentVolumeClaim, caches: &Caches) -> bool {
    let namespace = claim.metadata.namespace.as_deref().unwrap_or_default();
    let name = claim.metadata.name.as_deref().unwrap_or_default();
    caches.pods.in_namespace(namespace).any(|pod| !pods::node_name(pod).is_empty() && uses(pod, name))
}

impl Reconciler for VolumeProtectionController {
    type Key = String;
    const NAME: &'static str = "persistentvolume-protection-controller";
    const KIND: &'static str = "PersistentVolume";

    fn observe(&mut self, event: &Event, _caches: &Caches, queue: &mut Queue<String>) {
        if let Seen::PersistentVolume(_, Some(volume)) = &event.seen
            && corrected(&volume.metadata, VOLUME_FINALIZER).is_some()
        {
            queue.add(meta::key(&volume.metadata));
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        caches: &Caches,
        client: &mut Client,
        _queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        let Some(volume) = caches.volumes.get(key) else { return Ok(()) };
        let Some(metadata) = corrected(&volume.metadata, VOLUME_FINALIZER) else { return Ok(()) };
        let bound = volume.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Bound");
        if meta::is_being_deleted(&metadata) && bound {
            return Ok(());
        }
        gone_is_fine(client.update(PersistentVolume { metadata, ..(**volume).clone() }).map(drop))
    }
}

fn gone_is_fine(result: Result<(), Status>) -> Result<(), Status> {
    match result {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(()),
    }
}
