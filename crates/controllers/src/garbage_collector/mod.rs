//! The garbage collector: deletes what has lost its owners.
//!
//! The [`graph`] knows every object and who owns it, from the watches alone. What may have to go is checked against the
//! API server, one object at a time, before anything is deleted.

mod attempt;
mod graph;

use std::collections::BTreeSet;
use std::fmt;

use api::request::WatchKind;
use api::types::Event as EventObject;
use api::{Kinded, Status};
use client::Client;

use crate::caches::Caches;
use crate::controller::{Event, Queue, Reconciler};
use graph::{Graph, Uid};

#[derive(Clone, Default)]
pub struct GarbageCollector {
    graph: Graph,
    /// Owners that the API server did not know.
    absent: BTreeSet<Uid>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Look whether the object has to go.
    Delete(Uid),
    /// Cut the object's dependents loose.
    Orphan(Uid),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Delete(uid) | Key::Orphan(uid) => f.write_str(uid),
        }
    }
}

impl Reconciler for GarbageCollector {
    type Key = Key;
    const NAME: &'static str = "garbage-collector-controller";
    const KIND: &'static str = "";
    const WORKERS: usize = 20;

    fn observe(&mut self, event: &Event, _caches: &Caches, queue: &mut Queue<Key>) {
        let object = &event.change.object;
        if object.kind_id() == EventObject::ID {
            return;
        }
        self.graph.custom.observe(event);
        match event.change.kind {
            WatchKind::Added | WatchKind::Modified => self.graph.put(object, queue),
            WatchKind::Deleted => {
                if self.graph.remove(object.uid(), queue) {
                    self.absent.insert(object.uid().into());
                }
            }
            WatchKind::Bookmark => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &Key,
        _caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<Key>,
    ) -> Result<(), Status> {
        match key {
            Key::Delete(uid) => self.attempt_to_delete(uid, client, queue),
            Key::Orphan(uid) => self.attempt_to_orphan(uid, client),
        }
    }
}
