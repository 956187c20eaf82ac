//! The trees on a node that outlive containers, and how containers see them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{FsError, Tree};
use crate::SimTime;

/// Names a volume on its node. The kubelet chooses it, for example `<pod uid>/<volume name>` or a disk's handle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolumeId(pub Arc<str>);

impl VolumeId {
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(Arc::from(name.as_ref()))
    }
}

/// A volume in a container's file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Absolute path in the container.
    pub path: String,
    pub volume: VolumeId,
    /// Path inside the volume, empty for its root. Made as a directory when it is missing and the mount writable.
    pub sub_path: String,
    pub read_only: bool,
}

/// All volumes of a node.
#[derive(Clone, Debug, Default)]
pub struct Volumes {
    volumes: BTreeMap<VolumeId, Tree>,
}

impl Volumes {
    /// Makes an empty volume unless it exists. Writing more than `limit_bytes` gives [`FsError::NoSpace`].
    pub fn create(&mut self, id: &VolumeId, limit_bytes: Option<u64>) {
        self.volumes.entry(id.clone()).or_insert_with(|| Tree::with_limit(limit_bytes));
    }

    /// Brings a tree from elsewhere, such as a disk that was attached to another node.
    pub fn insert(&mut self, id: VolumeId, tree: Tree) {
        self.volumes.insert(id, tree);
    }

    /// Takes a volume off the node, with its data.
    pub fn remove(&mut self, id: &VolumeId) -> Option<Tree> {
        self.volumes.remove(id)
    }

    pub fn contains(&self, id: &VolumeId) -> bool {
        self.volumes.contains_key(id)
    }

    pub fn get(&self, id: &VolumeId) -> Option<&Tree> {
        self.volumes.get(id)
    }

    pub fn get_mut(&mut self, id: &VolumeId) -> Option<&mut Tree> {
        self.volumes.get_mut(id)
    }

    /// Volumes in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&VolumeId, &Tree)> {
        self.volumes.iter()
    }

    /// Writes a file and the directories that lead to it.
    pub fn write_file(
        &mut self,
        id: &VolumeId,
        path: &str,
        content: &[u8],
        mode: u32,
        now: SimTime,
    ) -> Result<(), FsError> {
        self.volumes.get_mut(id).ok_or(FsError::NotFound)?.write_all(path, content, mode, now)
    }

    /// Replaces the whole content, as the kubelet's atomic writer does for ConfigMaps, Secrets and projections: files
    /// under a hidden directory, `..data` pointing to it, and one link per top-level name. Each file is path, content
    /// and permission bits. `serial` names the hidden directory.
    pub fn project(
        &mut self,
        id: &VolumeId,
        files: &[(String, Vec<u8>, u32)],
        serial: u64,
        now: SimTime,
    ) -> Result<(), FsError> {
        let tree = self.volumes.get_mut(id).ok_or(FsError::NotFound)?;
        let mut data = Tree::default();
        let mut next = Tree::with_limit(tree.limit_bytes());
        for (path, content, mode) in files {
            data.write_all(path, content, *mode, now)?;
            let top = path.split('/').next().unwrap_or_default();
            next.link_all(top, &["..data/", top].concat(), now)?;
        }
        data.set_attributes::<&str>(&[], None, Some(now))?;
        let hidden = format!("..{serial:020}");
        next.link_all("..data", &hidden, now)?;
        next.put(&[&hidden], data.root().clone(), now)?;
        *tree = next;
        Ok(())
    }
}
