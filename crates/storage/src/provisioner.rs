//! The component: which claims and volumes are its business, and when.

use std::collections::BTreeMap;
use std::fmt;

use api::time::MILLISECOND;
use api::types::{PersistentVolume, PersistentVolumeClaim, StorageClass};
use api::{CauseId, SimTime, meta};
use client::{Cache, Change, Client, Component, Recorder, Watch, WorkQueue};

use crate::DRIVER;

const STORAGE_PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
pub(crate) const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";

/// How long the storage system works on a disk: at least this, and up to as much again.
const CREATE_TIME: SimTime = 1500 * MILLISECOND;
const DELETE_TIME: SimTime = 800 * MILLISECOND;

/// See the module's documentation. A clone is a checkpoint.
#[derive(Clone)]
pub struct Provisioner {
    pub(crate) recorder: Recorder,
    pub(crate) volumes: Cache<PersistentVolume>,
    pub(crate) claims: Cache<PersistentVolumeClaim>,
    pub(crate) classes: Cache<StorageClass>,
    queue: WorkQueue<Key>,
    /// Disks that are being made or deleted, and when that is over.
    under_way: BTreeMap<Key, SimTime>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// Make a disk for the claim.
    Create(String),
    /// Delete the disk of the volume.
    Delete(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Create(key) | Key::Delete(key) => f.write_str(key),
        }
    }
}

impl Default for Provisioner {
    fn default() -> Self {
        Provisioner {
            recorder: Recorder::new("sim.csi.tabernetes.dev_csi-provisioner-0", ""),
            volumes: Cache::default(),
            claims: Cache::default(),
            classes: Cache::default(),
            queue: WorkQueue::default(),
            under_way: BTreeMap::new(),
        }
    }
}

impl Component for Provisioner {
    fn name(&self) -> &'static str {
        "csi-provisioner"
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::all::<StorageClass>(), Watch::all::<PersistentVolume>(), Watch::all::<PersistentVolumeClaim>()]
    }

    fn observe(&mut self, _now: SimTime, watch: usize, change: &Change) {
        match watch {
            0 => drop(self.classes.apply(change)),
            1 => {
                let (_, volume) = self.volumes.apply(change);
                if let Some(volume) = volume.filter(|volume| is_to_be_deleted(volume)) {
                    self.queue.add(Key::Delete(meta::key(&volume.metadata)), change.cause);
                }
            }
            _ => {
                let (_, claim) = self.claims.apply(change);
                if let Some(claim) = claim.filter(|claim| self.is_to_be_made(claim)) {
                    self.queue.add(Key::Create(meta::key(&claim.metadata)), change.cause);
                }
            }
        }
    }

    fn next_work(&self) -> Option<SimTime> {
        self.queue.next()
    }

    fn work(&mut self, client: &mut Client) {
        let Some((key, cause)) = self.queue.take(client.now()) else { return };
        if !self.is_needed(&key) {
            self.under_way.remove(&key);
            self.queue.forget(&key);
            return;
        }
        let (what, kind) = match key {
            Key::Create(_) => ("provision", "PersistentVolumeClaim"),
            Key::Delete(_) => ("delete volume", "PersistentVolume"),
        };
        let cause = client.begin(what, kind, &key.to_string(), cause);
        match self.under_way.get(&key) {
            None => self.start(key, client, cause),
            Some(&until) if until > client.now() => self.queue.add_at(key, until, cause),
            Some(_) => self.finish(key, client, cause),
        }
    }
}

impl Provisioner {
    fn is_needed(&self, key: &Key) -> bool {
        match key {
            Key::Create(key) => self.claims.get(key).is_some_and(|claim| self.is_to_be_made(claim)),
            Key::Delete(key) => self.volumes.get(key).is_some_and(|volume| is_to_be_deleted(volume)),
        }
    }

    /// A claim without a volume whose class is ours; where the volume waits for a consumer, the scheduler has to have
    /// chosen a node.
    fn is_to_be_made(&self, claim: &PersistentVolumeClaim) -> bool {
        let bound = claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).is_some_and(|it| !it.is_empty());
        let is_ours = meta::annotation(&claim.metadata, STORAGE_PROVISIONER) == Some(DRIVER);
        if bound || !is_ours || meta::is_being_deleted(&claim.metadata) {
            return false;
        }
        let waits = self
            .class_of(claim)
            .is_some_and(|class| class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer"));
        !waits || meta::annotation(&claim.metadata, SELECTED_NODE).is_some()
    }

    pub(crate) fn class_of(&self, claim: &PersistentVolumeClaim) -> Option<&StorageClass> {
        let name = claim.spec.as_ref()?.storage_class_name.as_deref()?;
        self.classes.get(name).map(|class| &**class)
    }

    fn start(&mut self, key: Key, client: &mut Client, cause: CauseId) {
        let least = match &key {
            Key::Create(claim) => {
                self.announce(claim, client);
                CREATE_TIME
            }
            Key::Delete(_) => DELETE_TIME,
        };
        let until = client.now() + least + client.random_below(least);
        self.under_way.insert(key.clone(), until);
        self.queue.add_at(key, until, cause);
    }

    fn finish(&mut self, key: Key, client: &mut Client, cause: CauseId) {
        let result = match &key {
            Key::Create(claim) => self.create_volume(claim, client),
            Key::Delete(volume) => self.delete_volume(volume, client),
        };
        match result {
            Ok(()) => {
                self.under_way.remove(&key);
                self.queue.forget(&key);
            }
            Err(status) => {
                client.note("retry", status.message);
                self.queue.add_rate_limited(key, client.now(), cause);
            }
        }
    }
}

fn is_to_be_deleted(volume: &PersistentVolume) -> bool {
    let policy = volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref());
    let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref());
    let is_ours = meta::annotation(&volume.metadata, PROVISIONED_BY) == Some(DRIVER);
    is_ours && policy == Some("Delete") && phase == Some("Released")
}
