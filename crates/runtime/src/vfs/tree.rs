//! One file tree. Cloning shares all nodes; a write copies only the directories on its path.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::FsError;
use crate::SimTime;

/// A file, directory or symbolic link.
#[derive(Clone, Debug)]
pub enum Node {
    File(Arc<File>),
    Dir(Arc<Dir>),
    Symlink(Arc<str>),
}

/// A regular file.
#[derive(Clone, Debug, Default)]
pub struct File {
    pub content: Vec<u8>,
    pub mode: u32,
    pub modified: SimTime,
}

/// A directory.
#[derive(Clone, Debug, Default)]
pub struct Dir {
    pub entries: BTreeMap<Arc<str>, Node>,
    pub mode: u32,
    pub modified: SimTime,
}

impl Node {
    /// Size in bytes as `ls -l` shows it.
    pub fn size(&self) -> u64 {
        match self {
            Self::File(file) => file.content.len() as u64,
            Self::Dir(_) => 4096,
            Self::Symlink(target) => target.len() as u64,
        }
    }

    /// Bytes of all files in it.
    pub fn total_size(&self) -> u64 {
        match self {
            Self::File(file) => file.content.len() as u64,
            Self::Dir(dir) => dir.entries.values().map(Self::total_size).sum(),
            Self::Symlink(_) => 0,
        }
    }

    pub fn is_dir(&self) -> bool {
        matches!(self, Self::Dir(_))
    }

    /// Permission bits.
    pub fn mode(&self) -> u32 {
        match self {
            Self::File(file) => file.mode,
            Self::Dir(dir) => dir.mode,
            Self::Symlink(_) => 0o777,
        }
    }

    pub fn modified(&self) -> SimTime {
        match self {
            Self::File(file) => file.modified,
            Self::Dir(dir) => dir.modified,
            Self::Symlink(_) => 0,
        }
    }
}

/// A file tree with its size in bytes and, optionally, a limit to it.
///
/// Paths are lists of names from the root; nothing here follows symbolic links (see [`View`](super::View)).
#[derive(Clone, Debug)]
pub struct Tree {
    root: Node,
    grown_bytes: i64,
    changes: u64,
    limit_bytes: Option<u64>,
}

impl Default for Tree {
    fn default() -> Self {
        Self::new(Node::Dir(Arc::new(Dir { mode: 0o755, ..Dir::default() })))
    }
}

impl Tree {
    /// A tree around an existing root, which counts as size zero.
    pub fn new(root: Node) -> Self {
        Self { root, grown_bytes: 0, changes: 0, limit_bytes: None }
    }

    /// An empty directory that holds at most `limit_bytes` of files.
    pub fn with_limit(limit_bytes: Option<u64>) -> Self {
        Self { limit_bytes, ..Self::default() }
    }

    pub fn limit_bytes(&self) -> Option<u64> {
        self.limit_bytes
    }

    pub fn set_limit_bytes(&mut self, limit: Option<u64>) {
        self.limit_bytes = limit;
    }

    /// Bytes written since the tree was made.
    pub fn used_bytes(&self) -> u64 {
        u64::try_from(self.grown_bytes).unwrap_or(0)
    }

    /// Takes another tree's content without counting it as written.
    pub fn adopt(&mut self, other: Self) {
        self.root = other.root;
    }

    /// How often something was written or removed.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The node at a path.
    pub fn get<S: AsRef<str>>(&self, path: &[S]) -> Result<&Node, FsError> {
        let mut node = &self.root;
        for name in path {
            let Node::Dir(dir) = node else { return Err(FsError::NotADirectory) };
            node = dir.entries.get(name.as_ref()).ok_or(FsError::NotFound)?;
        }
        Ok(node)
    }

    /// Puts a node at a path whose parent directory exists, replacing what was there.
    pub fn put<S: AsRef<str>>(&mut self, path: &[S], node: Node, now: SimTime) -> Result<(), FsError> {
        let old = self.get(path).map_or(0, Node::total_size);
        self.charge(signed(node.total_size()) - signed(old))?;
        let Some((name, parent)) = path.split_last() else {
            self.root = node;
            return Ok(());
        };
        let dir = self.dir_mut(parent)?;
        dir.modified = now;
        dir.entries.insert(Arc::from(name.as_ref()), node);
        Ok(())
    }

    /// Appends to the file at a path.
    pub fn append<S: AsRef<str>>(&mut self, path: &[S], bytes: &[u8], now: SimTime) -> Result<(), FsError> {
        if !matches!(self.get(path)?, Node::File(_)) {
            return Err(FsError::IsADirectory);
        }
        self.charge(signed(bytes.len() as u64))?;
        let Node::File(file) = self.node_mut(path)? else { return Err(FsError::IsADirectory) };
        let file = Arc::make_mut(file);
        file.content.extend_from_slice(bytes);
        file.modified = now;
        Ok(())
    }

    /// Takes the node at a path out of the tree.
    pub fn remove<S: AsRef<str>>(&mut self, path: &[S], now: SimTime) -> Result<Node, FsError> {
        let (name, parent) = path.split_last().ok_or(FsError::Busy)?;
        let dir = self.dir_mut(parent)?;
        let node = dir.entries.remove(name.as_ref()).ok_or(FsError::NotFound)?;
        dir.modified = now;
        self.grown_bytes -= signed(node.total_size());
        self.changes += 1;
        Ok(node)
    }

    /// Changes permission bits and, if given, the time of the last change.
    pub fn set_attributes<S: AsRef<str>>(
        &mut self,
        path: &[S],
        mode: Option<u32>,
        modified: Option<SimTime>,
    ) -> Result<(), FsError> {
        match self.node_mut(path)? {
            Node::File(file) => {
                let file = Arc::make_mut(file);
                file.mode = mode.unwrap_or(file.mode);
                file.modified = modified.unwrap_or(file.modified);
            }
            Node::Dir(dir) => {
                let dir = Arc::make_mut(dir);
                dir.mode = mode.unwrap_or(dir.mode);
                dir.modified = modified.unwrap_or(dir.modified);
            }
            Node::Symlink(_) => {}
        }
        Ok(())
    }

    /// Writes a file and the directories that lead to it. For populating images and volumes.
    pub fn write_all(&mut self, path: &str, content: &[u8], mode: u32, now: SimTime) -> Result<(), FsError> {
        let file = File { content: content.to_vec(), mode, modified: now };
        self.put_all(path, Node::File(Arc::new(file)), now)
    }

    /// Makes a symbolic link and the directories that lead to it.
    pub fn link_all(&mut self, path: &str, target: &str, now: SimTime) -> Result<(), FsError> {
        self.put_all(path, Node::Symlink(Arc::from(target)), now)
    }

    /// Makes a directory and those that lead to it.
    pub fn make_dir_all(&mut self, path: &str, now: SimTime) -> Result<(), FsError> {
        let names = path_names(path);
        for end in 1..=names.len() {
            match self.get(&names[..end]) {
                Ok(Node::Dir(_)) => {}
                Ok(_) => return Err(FsError::NotADirectory),
                Err(_) => {
                    let dir = Dir { mode: 0o755, modified: now, ..Dir::default() };
                    self.put(&names[..end], Node::Dir(Arc::new(dir)), now)?;
                }
            }
        }
        Ok(())
    }

    fn put_all(&mut self, path: &str, node: Node, now: SimTime) -> Result<(), FsError> {
        if let Some((parent, _)) = path.trim_end_matches('/').rsplit_once('/') {
            self.make_dir_all(parent, now)?;
        }
        self.put(&path_names(path), node, now)
    }

    fn charge(&mut self, bytes: i64) -> Result<(), FsError> {
        let after = self.grown_bytes + bytes;
        if bytes > 0 && self.limit_bytes.is_some_and(|limit| after > signed(limit)) {
            return Err(FsError::NoSpace);
        }
        self.grown_bytes = after;
        self.changes += 1;
        Ok(())
    }

    fn dir_mut<S: AsRef<str>>(&mut self, path: &[S]) -> Result<&mut Dir, FsError> {
        match self.node_mut(path)? {
            Node::Dir(dir) => Ok(Arc::make_mut(dir)),
            _ => Err(FsError::NotADirectory),
        }
    }

    fn node_mut<S: AsRef<str>>(&mut self, path: &[S]) -> Result<&mut Node, FsError> {
        let mut node = &mut self.root;
        for name in path {
            let Node::Dir(dir) = node else { return Err(FsError::NotADirectory) };
            node = Arc::make_mut(dir).entries.get_mut(name.as_ref()).ok_or(FsError::NotFound)?;
        }
        Ok(node)
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// The names on a path, without empty ones and `.`.
pub fn path_names(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty() && *name != ".").collect()
}
