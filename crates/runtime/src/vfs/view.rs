//! A container's view: its own tree with volumes mounted in it.

use std::sync::Arc;

use super::{Dir, File, FsError, Mount, Node, Tree, Volumes, path_names};
use crate::SimTime;

const LINKS_MAX: usize = 40;

/// A mount as a running container holds it.
///
/// `pinned` is a file that was bound by `sub_path`: it keeps its content when the volume is projected anew, as a bind
/// mount of the old file does.
#[derive(Clone, Debug)]
pub struct PinnedMount {
    names: Vec<Arc<str>>,
    mount: Mount,
    pinned: Option<Tree>,
}

impl PinnedMount {
    /// Binds a mount, as `runc` does when the container is created.
    pub fn bind(mount: &Mount, volumes: &mut Volumes, now: SimTime) -> Result<Self, FsError> {
        let names = path_names(&mount.path).into_iter().map(Arc::from).collect();
        let tree = volumes.get_mut(&mount.volume).ok_or(FsError::NotFound)?;
        let mut bound = Self { names, mount: mount.clone(), pinned: None };
        if mount.sub_path.is_empty() {
            return Ok(bound);
        }
        let mut view = View { root: tree, mounts: &mut [], volumes: &mut Volumes::default(), now, read_only: false };
        match view.locate(&mount.sub_path, true) {
            Ok(place) if !view.node_at(&place)?.is_dir() => {
                let node = view.node_at(&place)?.clone();
                bound.pinned = Some(Tree::new(node));
            }
            Ok(place) => bound.mount.sub_path = place.names.join("/"),
            Err(_) => tree.make_dir_all(&mount.sub_path, now)?,
        }
        Ok(bound)
    }

    pub fn mount(&self) -> &Mount {
        &self.mount
    }
}

/// File operations of one container. All paths are absolute.
pub struct View<'a> {
    pub root: &'a mut Tree,
    pub mounts: &'a mut [PinnedMount],
    pub volumes: &'a mut Volumes,
    pub now: SimTime,
    /// The root file system is read-only; volumes are not.
    pub read_only: bool,
}

struct Place {
    mount: Option<usize>,
    /// Names inside the tree that holds the node.
    names: Vec<String>,
    /// Names from the container's root, without symbolic links.
    absolute: Vec<String>,
}

impl View<'_> {
    pub fn read(&mut self, path: &str) -> Result<Vec<u8>, FsError> {
        match self.stat(path)? {
            Node::File(file) => Ok(file.content.clone()),
            _ => Err(FsError::IsADirectory),
        }
    }

    /// The node at a path, symbolic links followed.
    pub fn stat(&mut self, path: &str) -> Result<Node, FsError> {
        let place = self.locate(path, true)?;
        self.node_at(&place).cloned()
    }

    /// The node at a path, the last symbolic link not followed.
    pub fn stat_link(&mut self, path: &str) -> Result<Node, FsError> {
        let place = self.locate(path, false)?;
        self.node_at(&place).cloned()
    }

    pub fn exists(&mut self, path: &str) -> bool {
        self.stat(path).is_ok()
    }

    pub fn is_dir(&mut self, path: &str) -> bool {
        self.stat(path).is_ok_and(|node| node.is_dir())
    }

    /// Names in a directory in byte order, with the mount points in it.
    pub fn list(&mut self, path: &str) -> Result<Vec<String>, FsError> {
        let place = self.locate(path, true)?;
        let Node::Dir(dir) = self.node_at(&place)? else { return Err(FsError::NotADirectory) };
        let mut names: Vec<String> = dir.entries.keys().map(|name| name.to_string()).collect();
        for mount in self.mounts.iter() {
            let depth = place.absolute.len();
            if mount.names.len() > depth && mount.names[..depth].iter().map(|n| &**n).eq(place.absolute.iter()) {
                names.push(mount.names[depth].to_string());
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The path without symbolic links, `.` and `..`.
    pub fn canonical(&mut self, path: &str) -> Result<String, FsError> {
        let place = self.locate(path, true)?;
        self.node_at(&place)?;
        Ok(format!("/{}", place.absolute.join("/")))
    }

    /// Replaces or makes a file.
    pub fn write(&mut self, path: &str, content: &[u8]) -> Result<(), FsError> {
        let place = self.locate(path, true)?;
        let mode = match self.node_at(&place) {
            Ok(Node::Dir(_)) => return Err(FsError::IsADirectory),
            Ok(node) => node.mode(),
            Err(FsError::NotFound) => 0o644,
            Err(error) => return Err(error),
        };
        let now = self.now;
        let file = File { content: content.to_vec(), mode, modified: now };
        self.put(&place, Node::File(Arc::new(file)))
    }

    /// Appends to a file, which is made when it does not exist.
    pub fn append(&mut self, path: &str, content: &[u8]) -> Result<(), FsError> {
        let place = self.locate(path, true)?;
        if self.node_at(&place).is_err() {
            return self.write(path, content);
        }
        let now = self.now;
        self.tree_for_writing(&place)?.append(&place.names, content, now)
    }

    /// Makes a file or sets its time of change.
    pub fn touch(&mut self, path: &str) -> Result<(), FsError> {
        let place = self.locate(path, true)?;
        if self.node_at(&place).is_err() {
            return self.write(path, b"");
        }
        let now = self.now;
        self.tree_for_writing(&place)?.set_attributes(&place.names, None, Some(now))
    }

    pub fn set_mode(&mut self, path: &str, mode: u32) -> Result<(), FsError> {
        let place = self.locate(path, true)?;
        self.tree_for_writing(&place)?.set_attributes(&place.names, Some(mode), None)
    }

    pub fn make_dir(&mut self, path: &str) -> Result<(), FsError> {
        let place = self.locate(path, false)?;
        if self.node_at(&place).is_ok() {
            return Err(FsError::Exists);
        }
        let dir = Dir { mode: 0o755, modified: self.now, ..Dir::default() };
        self.put(&place, Node::Dir(Arc::new(dir)))
    }

    /// Makes a directory and those that lead to it; it may exist.
    pub fn make_dir_all(&mut self, path: &str) -> Result<(), FsError> {
        let names = path_names(path);
        for end in 1..=names.len() {
            let prefix = format!("/{}", names[..end].join("/"));
            match self.stat(&prefix) {
                Ok(Node::Dir(_)) => {}
                Ok(_) if end == names.len() => return Err(FsError::Exists),
                Ok(_) => return Err(FsError::NotADirectory),
                Err(_) => self.make_dir(&prefix)?,
            }
        }
        Ok(())
    }

    pub fn make_link(&mut self, target: &str, path: &str) -> Result<(), FsError> {
        let place = self.locate(path, false)?;
        if self.node_at(&place).is_ok() {
            return Err(FsError::Exists);
        }
        self.put(&place, Node::Symlink(Arc::from(target)))
    }

    /// Puts a copy of a whole node at a path.
    pub fn put_node(&mut self, path: &str, node: Node) -> Result<(), FsError> {
        let place = self.locate(path, false)?;
        self.put(&place, node)
    }

    /// Removes a file, link or, with `recursive`, a directory and what it holds.
    pub fn remove(&mut self, path: &str, recursive: bool) -> Result<(), FsError> {
        let place = self.locate(path, false)?;
        if self.is_mount_point(&place.absolute) {
            return Err(FsError::Busy);
        }
        if let Node::Dir(dir) = self.node_at(&place)?
            && !recursive
            && !dir.entries.is_empty()
        {
            return Err(FsError::NotEmpty);
        }
        let now = self.now;
        self.tree_for_writing(&place)?.remove(&place.names, now).map(drop)
    }

    /// Used and total bytes of the volume or root that holds a path, with its mount point.
    pub fn usage(&mut self, path: &str) -> Result<(String, u64, Option<u64>), FsError> {
        let place = self.locate(path, true)?;
        let tree = self.tree_at(&place)?;
        let (used, limit) = (tree.used_bytes(), tree.limit_bytes());
        let at = place.mount.map_or_else(|| "/".to_owned(), |index| self.mounts[index].mount.path.clone());
        Ok((at, used, limit))
    }

    fn put(&mut self, place: &Place, node: Node) -> Result<(), FsError> {
        let now = self.now;
        self.tree_for_writing(place)?.put(&place.names, node, now)
    }

    fn tree_at(&self, place: &Place) -> Result<&Tree, FsError> {
        let Some(index) = place.mount else { return Ok(self.root) };
        let mount = &self.mounts[index];
        match &mount.pinned {
            Some(tree) => Ok(tree),
            None => self.volumes.get(&mount.mount.volume).ok_or(FsError::NotFound),
        }
    }

    fn tree_for_writing(&mut self, place: &Place) -> Result<&mut Tree, FsError> {
        let Some(index) = place.mount else {
            return if self.read_only { Err(FsError::ReadOnly) } else { Ok(self.root) };
        };
        let mount = &mut self.mounts[index];
        if mount.mount.read_only {
            return Err(FsError::ReadOnly);
        }
        match &mut mount.pinned {
            Some(tree) => Ok(tree),
            None => self.volumes.get_mut(&mount.mount.volume).ok_or(FsError::NotFound),
        }
    }

    fn node_at(&self, place: &Place) -> Result<&Node, FsError> {
        self.tree_at(place)?.get(&place.names)
    }

    fn is_mount_point(&self, absolute: &[String]) -> bool {
        self.mounts.iter().any(|mount| mount.names.iter().map(|n| &**n).eq(absolute.iter()))
    }

    /// Where `absolute` (without symbolic links) lives: the deepest mount on it, and the rest of the path.
    fn place(&self, absolute: Vec<String>) -> Place {
        let under = |mount: &PinnedMount| {
            mount.names.len() <= absolute.len() && mount.names.iter().zip(&absolute).all(|(a, b)| **a == **b)
        };
        let deepest = self.mounts.iter().enumerate().filter(|(_, m)| under(m)).max_by_key(|(_, m)| m.names.len());
        let Some((index, mount)) = deepest else {
            return Place { mount: None, names: absolute.clone(), absolute };
        };
        let mut names: Vec<String> = Vec::new();
        if mount.pinned.is_none() {
            names.extend(path_names(&mount.mount.sub_path).into_iter().map(str::to_owned));
        }
        names.extend_from_slice(&absolute[mount.names.len()..]);
        Place { mount: Some(index), names, absolute }
    }

    /// Follows symbolic links over mounts. All directories on the way must exist; the last name need not.
    fn locate(&mut self, path: &str, follow_last: bool) -> Result<Place, FsError> {
        let mut todo: Vec<String> = path_names(path).into_iter().rev().map(str::to_owned).collect();
        let mut absolute: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(name) = todo.pop() {
            if name == ".." {
                absolute.pop();
                continue;
            }
            absolute.push(name);
            let place = self.place(absolute.clone());
            let node = match self.node_at(&place) {
                Ok(node) => node,
                Err(_) if self.leads_to_mount(&absolute) => continue,
                Err(FsError::NotFound) if todo.is_empty() => return Ok(place),
                Err(error) => return Err(error),
            };
            match node {
                Node::Symlink(target) if follow_last || !todo.is_empty() => {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(FsError::TooManyLinks);
                    }
                    let target = target.clone();
                    absolute.pop();
                    if target.starts_with('/') {
                        absolute.clear();
                    }
                    todo.extend(path_names(&target).into_iter().rev().map(str::to_owned));
                }
                Node::File(_) if !todo.is_empty() => return Err(FsError::NotADirectory),
                _ => {}
            }
        }
        Ok(self.place(absolute))
    }

    fn leads_to_mount(&self, absolute: &[String]) -> bool {
        self.mounts.iter().any(|mount| {
            mount.names.len() >= absolute.len() && mount.names.iter().zip(absolute).all(|(a, b)| **a == **b)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{FsError, Mount, PinnedMount, Tree, View, Volumes};
    use crate::VolumeId;

    fn with_view<R>(mounts: &[(&str, &str, &str, bool)], apply: impl FnOnce(&mut View<'_>) -> R) -> R {
        let mut volumes = Volumes::default();
        let mut bound = Vec::new();
        for (path, volume, sub_path, read_only) in mounts {
            let id = VolumeId::new(volume);
            volumes.create(&id, Some(100));
            let mount =
                Mount { path: path.to_string(), volume: id, sub_path: sub_path.to_string(), read_only: *read_only };
            bound.push(PinnedMount::bind(&mount, &mut volumes, 0).expect("the volume exists"));
        }
        let mut root = Tree::default();
        root.make_dir_all("/etc", 0).expect("a new directory");
        apply(&mut View { root: &mut root, mounts: &mut bound, volumes: &mut volumes, now: 0, read_only: false })
    }

    #[test]
    fn errors() {
        with_view(&[("/ro", "settings", "", true), ("/data", "data", "", false)], |view| {
            assert_eq!(view.read("/nope"), Err(FsError::NotFound));
            assert_eq!(view.read("/etc"), Err(FsError::IsADirectory));
            assert_eq!(view.write("/nope/x", b""), Err(FsError::NotFound));
            assert_eq!(view.write("/ro/x", b""), Err(FsError::ReadOnly));
            assert_eq!(view.write("/data/big", &[0; 101]), Err(FsError::NoSpace));
            assert_eq!(view.write("/data/fits", &[0; 60]), Ok(()));
            assert_eq!(view.append("/data/fits", &[0; 60]), Err(FsError::NoSpace));
            assert_eq!(view.remove("/data", true), Err(FsError::Busy));
            assert_eq!(view.read("/data/fits/x"), Err(FsError::NotADirectory));
            view.make_link("/loop", "/loop").expect("a dangling link is fine");
            assert_eq!(view.read("/loop"), Err(FsError::TooManyLinks));
        });
    }

    #[test]
    fn links_lead_over_mounts() {
        with_view(&[("/data", "data", "a/b", false), ("/all", "data", "", false)], |view| {
            view.make_link("../data", "/etc/link").expect("it is free");
            view.write("/etc/link/f", b"text").expect("the link leads to a directory");
            assert_eq!(view.read("/all/a/b/f"), Ok(b"text".to_vec()));
            assert_eq!(view.canonical("/etc/link/f"), Ok("/data/f".to_owned()));
            assert_eq!(view.list("/"), Ok(vec!["all".to_owned(), "data".to_owned(), "etc".to_owned()]));
        });
    }

    #[test]
    fn a_clone_does_not_see_later_writes() {
        let mut tree = Tree::default();
        tree.write_all("/a/b", b"1", 0o644, 0).expect("writable");
        let copy = tree.clone();
        tree.write_all("/a/b", b"23", 0o644, 0).expect("writable");
        assert_eq!((copy.used_bytes(), tree.used_bytes()), (1, 2));
        assert_eq!(copy.get(&["a", "b"]).map(super::Node::size), Ok(1));
    }
}
