//! The event queue: what happens next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use api::SimTime;
use api::request::WatchId;

/// Everything that can happen. Ties in time are broken by the order in which events were planned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// A component has work.
    Wake(usize),
    /// A watch brings its events.
    Deliver(WatchId),
    /// Stored objects run out.
    Expire,
    /// The API server compacts the store.
    Compact,
    /// A client outside sends its next request.
    Traffic(usize),
    /// A request that a process made is answered.
    Answer(usize, u64),
    /// A node reaches a disk.
    Attach(usize, String),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct EventQueue {
    heap: BinaryHeap<Reverse<(SimTime, u64, Event)>>,
    planned: u64,
}

impl EventQueue {
    pub fn plan(&mut self, at: SimTime, event: Event) {
        self.planned += 1;
        self.heap.push(Reverse((at, self.planned, event)));
    }

    pub fn next_at(&self) -> Option<SimTime> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    pub fn pop(&mut self) -> Option<(SimTime, Event)> {
        self.heap.pop().map(|Reverse((at, _, event))| (at, event))
    }
}
