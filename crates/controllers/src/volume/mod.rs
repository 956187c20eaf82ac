//! The persistent volume controller: binds claims to volumes, asks for volumes to be made, releases those whose claim has
//! gone.

mod bind;
mod claim;
mod matching;
mod release;

use std::fmt;

use api::time::SECOND;
use api::types::{PersistentVolume, PersistentVolumeClaim};
use api::{SimTime, Status, meta};
use client::{Cache, Client, Recorder};

use crate::caches::{Caches, Seen};
use crate::controller::{Event, Queue, Reconciler};

pub(crate) use claim::{claims_of, uses};

const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// Everything is looked at again this often.
const RESYNC_PERIOD: SimTime = 15 * SECOND;

/// Keeps caches of its own, which show its writes at once: two claims must not be bound to one volume.
#[derive(Clone)]
pub struct PersistentVolumeController {
    recorder: Recorder,
    volumes: Cache<PersistentVolume>,
    claims: Cache<PersistentVolumeClaim>,
}

impl Default for PersistentVolumeController {
    fn default() -> Self {
        PersistentVolumeController {
            recorder: Recorder::new("persistentvolume-controller", ""),
            volumes: Cache::default(),
            claims: Cache::default(),
        }
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Resync,
    Claim(String),
    Volume(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Resync => f.write_str("(all volumes and claims)"),
            Key::Claim(key) | Key::Volume(key) => f.write_str(key),
        }
    }
}

impl Reconciler for PersistentVolumeController {
    type Key = Key;
    const NAME: &'static str = "persistentvolume-binder-controller";
    const KIND: &'static str = "PersistentVolumeClaim";
    /// One for volumes, one for claims.
    const WORKERS: usize = 2;

    fn start(&mut self, queue: &mut Queue<Key>) {
        queue.add_after(Key::Resync, RESYNC_PERIOD);
    }

    fn observe(&mut self, event: &Event, _caches: &Caches, queue: &mut Queue<Key>) {
        match &event.seen {
            Seen::PersistentVolume(_, Some(volume)) => {
                self.store_volume(volume.clone());
                queue.add(Key::Volume(meta::key(&volume.metadata)));
            }
            Seen::PersistentVolume(Some(volume), None) => {
                self.volumes.remove(&meta::key(&volume.metadata));
                if let Some(key) = claim_of(volume) {
                    queue.add(Key::Claim(key));
                }
            }
            Seen::PersistentVolumeClaim(_, Some(claim)) => {
                self.store_claim(claim.clone());
                queue.add(Key::Claim(meta::key(&claim.metadata)));
            }
            Seen::PersistentVolumeClaim(Some(claim), None) => {
                self.claims.remove(&meta::key(&claim.metadata));
                if let Some(name) = volume_name(claim) {
                    queue.add(Key::Volume(name.into()));
                }
            }
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &Key,
        caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<Key>,
    ) -> Result<(), Status> {
        match key {
            Key::Resync => {
                queue.add_after(Key::Resync, RESYNC_PERIOD);
                self.volumes.keys().for_each(|key| queue.add(Key::Volume(key.into())));
                self.claims.keys().for_each(|key| queue.add(Key::Claim(key.into())));
                Ok(())
            }
            Key::Claim(key) => match self.claims.get(key).cloned() {
                Some(claim) => self.sync_claim(&claim, caches, client),
                None => Ok(()),
            },
            Key::Volume(key) => match self.volumes.get(key).cloned() {
                Some(volume) => self.sync_volume(&volume, client, queue),
                None => Ok(()),
            },
        }
    }
}

impl PersistentVolumeController {
    fn store_volume(&mut self, volume: std::sync::Arc<PersistentVolume>) {
        let key = meta::key(&volume.metadata);
        let known = self.volumes.get(&key).map(|known| meta::revision(&known.metadata)).unwrap_or_default();
        if known <= meta::revision(&volume.metadata) {
            self.volumes.insert(key, volume);
        }
    }

    fn store_claim(&mut self, claim: std::sync::Arc<PersistentVolumeClaim>) {
        let key = meta::key(&claim.metadata);
        let known = self.claims.get(&key).map(|known| meta::revision(&known.metadata)).unwrap_or_default();
        if known <= meta::revision(&claim.metadata) {
            self.claims.insert(key, claim);
        }
    }
}

/// The volume that the claim is bound to, or asks for by name.
fn volume_name(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.spec.as_ref()?.volume_name.as_deref().filter(|name| !name.is_empty())
}

/// The key of the claim that the volume is bound to, or kept for.
fn claim_of(volume: &PersistentVolume) -> Option<String> {
    let reference = volume.spec.as_ref()?.claim_ref.as_ref()?;
    Some(meta::key_of(reference.namespace.as_deref()?, reference.name.as_deref()?))
}

/// The class that a claim asks for; empty for none.
fn class_of(claim: &PersistentVolumeClaim) -> &str {
    let annotated = meta::annotation(&claim.metadata, CLASS);
    annotated.or_else(|| claim.spec.as_ref()?.storage_class_name.as_deref()).unwrap_or_default()
}

fn claim_phase(claim: &PersistentVolumeClaim) -> &str {
    claim.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

fn volume_phase(volume: &PersistentVolume) -> &str {
    volume.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}
