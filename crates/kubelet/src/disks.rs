//! Disks of PersistentVolumes that can be attached to any node: what they hold is carried by the core.

use std::collections::{BTreeMap, BTreeSet};

use runtime::vfs::Tree;
use runtime::{Runtime, VolumeId};

use crate::host::PodId;

/// A disk goes to or comes from this node.
#[derive(Clone, Debug)]
pub enum DiskMove {
    /// A Pod needs the volume of this PersistentVolume. The core answers with [`crate::Kubelet::mount_disk`] as soon as
    /// the disk is attached to this node; until then the Pod waits.
    Mount { volume: String },
    /// No Pod of this node uses the disk any more: here is what it holds.
    Unmount { volume: String, tree: Tree },
}

#[derive(Clone, Default)]
pub struct Disks {
    /// PersistentVolume and the Pods that use it here.
    users: BTreeMap<String, BTreeSet<PodId>>,
    moves: Vec<DiskMove>,
}

impl Disks {
    pub fn volume_id(volume: &str) -> VolumeId {
        VolumeId::new(["pv/", volume].concat())
    }

    /// Says that a Pod wants the disk, and whether it is here.
    pub fn want(&mut self, runtime: &Runtime, volume: &str, pod: PodId) -> bool {
        let users = self.users.entry(volume.into()).or_default();
        if users.is_empty() {
            self.moves.push(DiskMove::Mount { volume: volume.into() });
        }
        users.insert(pod);
        runtime.volumes().contains(&Disks::volume_id(volume))
    }

    /// A Pod has no more use for the disk.
    pub fn release(&mut self, runtime: &mut Runtime, volume: &str, pod: PodId) {
        let Some(users) = self.users.get_mut(volume) else { return };
        users.remove(&pod);
        if !users.is_empty() {
            return;
        }
        self.users.remove(volume);
        match runtime.volumes_mut().remove(&Disks::volume_id(volume)) {
            Some(tree) => self.moves.push(DiskMove::Unmount { volume: volume.into(), tree }),
            // It was asked for and never came: nobody need bring it any more.
            None => self.moves.retain(|known| !matches!(known, DiskMove::Mount { volume: wanted } if wanted == volume)),
        }
    }

    /// Brings a disk. One that nobody wants any more goes straight back.
    pub fn arrive(&mut self, runtime: &mut Runtime, volume: &str, tree: Tree) -> Vec<PodId> {
        let Some(users) = self.users.get(volume) else {
            self.moves.push(DiskMove::Unmount { volume: volume.into(), tree });
            return Vec::new();
        };
        runtime.volumes_mut().insert(Disks::volume_id(volume), tree);
        users.iter().copied().collect()
    }

    pub fn take_moves(&mut self) -> Vec<DiskMove> {
        std::mem::take(&mut self.moves)
    }

    /// The PersistentVolumes that Pods of this node use, for `node.status.volumesInUse`.
    pub fn in_use(&self) -> impl Iterator<Item = &str> {
        self.users.keys().map(String::as_str)
    }
}
