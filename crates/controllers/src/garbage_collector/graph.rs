//! Who owns what.

use std::collections::{BTreeMap, BTreeSet};

use api::types::{ObjectMeta, OwnerReference};
use api::{KindId, ObjectRef, meta};

use super::Key;
use crate::controller::Queue;
use crate::custom_kinds::CustomKinds;

pub(super) type Uid = Box<str>;

pub(super) const ORPHAN: &str = "orphan";
pub(super) const FOREGROUND: &str = "foregroundDeletion";

/// All objects by uid, with their owners and dependents.
#[derive(Clone, Default)]
pub(super) struct Graph {
    nodes: BTreeMap<Uid, Node>,
    pub custom: CustomKinds,
}

#[derive(Clone)]
pub(super) struct Node {
    /// `None` for a kind that the cluster does not know.
    pub kind: Option<KindId>,
    pub namespace: String,
    pub name: String,
    pub owners: Vec<OwnerReference>,
    pub dependents: BTreeSet<Uid>,
    pub being_deleted: bool,
    /// Waits for its dependents to go first (foreground deletion).
    pub deleting_dependents: bool,
    /// Known only from the references of its dependents: its own watch has not told of it yet, or never will.
    pub is_virtual: bool,
}

impl Node {
    /// Whether the owner of that uid must wait for this object.
    pub fn blocks(&self, owner: &str) -> bool {
        self.owners.iter().any(|reference| reference.uid == owner && reference.block_owner_deletion == Some(true))
    }
}

fn owners_of(object: &ObjectMeta) -> &[OwnerReference] {
    object.owner_references.as_deref().unwrap_or_default()
}

fn is_waiting_with(object: &ObjectMeta, finalizer: &str) -> bool {
    meta::is_being_deleted(object) && object.finalizers.iter().flatten().any(|other| other == finalizer)
}

impl Graph {
    pub fn get(&self, uid: &str) -> Option<&Node> {
        self.nodes.get(uid)
    }

    /// Takes in an object as it is.
    pub fn put(&mut self, object: &ObjectRef, queue: &mut Queue<Key>) {
        let (uid, meta) = (object.uid(), object.meta());
        let owners = owners_of(meta);
        match self.nodes.get_mut(uid) {
            Some(node) if !node.is_virtual => {
                node.being_deleted |= meta::is_being_deleted(meta);
                if node.owners != owners {
                    let old = std::mem::replace(&mut node.owners, owners.to_vec());
                    self.owners_changed(uid, &old, owners, queue);
                }
            }
            found => {
                let dependents = found.map(|node| std::mem::take(&mut node.dependents)).unwrap_or_default();
                let node = Node {
                    kind: Some(object.kind_id()),
                    namespace: object.namespace().into(),
                    name: object.name().into(),
                    owners: owners.to_vec(),
                    dependents,
                    being_deleted: meta::is_being_deleted(meta),
                    deleting_dependents: false,
                    is_virtual: false,
                };
                self.nodes.insert(uid.into(), node);
                for owner in owners {
                    self.add_dependent(owner, object.namespace(), uid, queue);
                }
            }
        }
        self.process_transition(uid, meta, queue);
    }

    /// Forgets an object. Whether it had dependents.
    pub fn remove(&mut self, uid: &str, queue: &mut Queue<Key>) -> bool {
        let Some(node) = self.nodes.remove(uid) else { return false };
        for dependent in &node.dependents {
            queue.add(Key::Delete(dependent.clone()));
        }
        for reference in &node.owners {
            if let Some(owner) = self.nodes.get_mut(reference.uid.as_str()) {
                owner.dependents.remove(uid);
                if owner.deleting_dependents {
                    queue.add(Key::Delete(reference.uid.as_str().into()));
                }
                self.drop_empty_virtual(&reference.uid);
            }
        }
        !node.dependents.is_empty()
    }

    /// A virtual node stands for nothing once nobody refers to it.
    fn drop_empty_virtual(&mut self, uid: &str) {
        if self.nodes.get(uid).is_some_and(|node| node.is_virtual && node.dependents.is_empty()) {
            self.nodes.remove(uid);
        }
    }

    fn add_dependent(&mut self, owner: &OwnerReference, namespace: &str, uid: &str, queue: &mut Queue<Key>) {
        if let Some(node) = self.nodes.get_mut(owner.uid.as_str()) {
            node.dependents.insert(uid.into());
            return;
        }
        let kind = self.custom.by_kind(&owner.api_version, &owner.kind);
        let namespaced = kind.is_none_or(|kind| kind.namespaced);
        let node = Node {
            kind: kind.map(|kind| kind.id),
            namespace: if namespaced { namespace.into() } else { String::new() },
            name: owner.name.clone(),
            owners: Vec::new(),
            dependents: [Uid::from(uid)].into(),
            being_deleted: false,
            deleting_dependents: false,
            is_virtual: true,
        };
        self.nodes.insert(owner.uid.as_str().into(), node);
        queue.add(Key::Delete(owner.uid.as_str().into()));
    }

    fn owners_changed(&mut self, uid: &str, old: &[OwnerReference], new: &[OwnerReference], queue: &mut Queue<Key>) {
        let namespace = self.nodes.get(uid).map(|node| node.namespace.clone()).unwrap_or_default();
        for removed in old {
            let kept = new.iter().find(|owner| owner.uid == removed.uid);
            let blocked = removed.block_owner_deletion == Some(true);
            let blocks = kept.is_some_and(|owner| owner.block_owner_deletion == Some(true));
            // An owner that waits for its dependents may have waited for this one.
            let waits = self.nodes.get(removed.uid.as_str()).is_some_and(|owner| owner.deleting_dependents);
            if blocked && !blocks && waits {
                queue.add(Key::Delete(removed.uid.as_str().into()));
            }
            if kept.is_none() {
                if let Some(owner) = self.nodes.get_mut(removed.uid.as_str()) {
                    owner.dependents.remove(uid);
                }
                self.drop_empty_virtual(&removed.uid);
            }
        }
        for added in new.iter().filter(|owner| old.iter().all(|other| other.uid != owner.uid)) {
            self.add_dependent(added, &namespace, uid, queue);
        }
    }

    fn process_transition(&mut self, uid: &str, meta: &ObjectMeta, queue: &mut Queue<Key>) {
        if is_waiting_with(meta, ORPHAN) {
            queue.add(Key::Orphan(uid.into()));
        } else if is_waiting_with(meta, FOREGROUND) {
            let Some(node) = self.nodes.get_mut(uid) else { return };
            if !node.deleting_dependents {
                node.deleting_dependents = true;
                for dependent in &node.dependents {
                    queue.add(Key::Delete(dependent.clone()));
                }
                queue.add(Key::Delete(uid.into()));
            }
        }
    }
}
