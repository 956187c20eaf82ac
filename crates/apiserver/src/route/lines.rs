//! The lines of watches: many clients watch the same, and what an event looks like is written once for all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{KindId, ObjectRef, SimTime, WatchEvent, WatchKind};

use super::{Include, Resource, Shape, watch_line};

/// What has been written in one round, in which no time passes.
#[derive(Default)]
pub struct Lines {
    /// The objects are kept, so that no other takes the place in memory by which they are known.
    written: BTreeMap<Key, (ObjectRef, Arc<str>)>,
}

/// The object by its place in memory, what became of it, and as what it is shown.
type Key = (usize, WatchKind, KindId, Shape, Include);

impl Lines {
    /// One event, as a line of a watch's stream.
    pub fn line(&mut self, event: &WatchEvent, resource: &Resource, now: SimTime) -> Arc<str> {
        let place = Arc::as_ptr(&event.object).cast::<()>().addr();
        let key = (place, event.kind, resource.kind.id, resource.shape, resource.include);
        let write = || (event.object.clone(), watch_line(event, resource, now).into());
        self.written.entry(key).or_insert_with(write).1.clone()
    }

    /// Begins the next round.
    pub fn clear(&mut self) {
        self.written.clear();
    }
}
