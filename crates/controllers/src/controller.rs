//! What a controller is.

use std::fmt::Display;

use api::{SimTime, Status};
use client::{Change, Client};

use crate::caches::{Caches, Seen};
pub use crate::queue::Queue;

/// One controller: what it does with a change, and with a key of its queue.
pub trait Reconciler: Clone + Send + Sync + 'static {
    type Key: Ord + Clone + Display + Send + Sync;

    /// As `--controllers` names it.
    const NAME: &'static str;
    /// The kind that its keys are about, for the trace.
    const KIND: &'static str;
    /// Upstream's default of its `--concurrent-…-syncs`.
    const WORKERS: usize = 1;

    /// Called once, before anything else: plans what does not wait for a change.
    fn start(&mut self, _queue: &mut Queue<Self::Key>) {}

    /// Turns a change, which is in the caches already, into keys. Never calls the API.
    fn observe(&mut self, event: &Event, caches: &Caches, queue: &mut Queue<Self::Key>);

    /// Brings the cluster closer to what the object of the key asks for. A failed key comes back with a growing delay.
    fn reconcile(
        &mut self,
        key: &Self::Key,
        caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<Self::Key>,
    ) -> Result<(), Status>;
}

/// A change as controllers are told of it.
pub struct Event<'a> {
    pub seen: Seen,
    /// The change with its type erased.
    pub change: &'a Change,
}

/// What the page shows of a controller.
#[derive(Clone, Debug, PartialEq)]
pub struct ControllerStatus {
    pub name: &'static str,
    /// Keys that are due.
    pub queued: usize,
    /// The key that was taken last, and when.
    pub last_key: Option<String>,
    pub last_at: Option<SimTime>,
}

/// A [`Reconciler`] with its queue, its type erased.
pub(crate) trait Controller: Send + Sync {
    fn observe(&mut self, now: SimTime, event: &Event, caches: &Caches);
    fn next_work(&self) -> Option<SimTime>;
    fn work(&mut self, caches: &Caches, client: &mut Client);
    fn status(&self) -> ControllerStatus;
    fn clone_boxed(&self) -> Box<dyn Controller>;
}

impl Clone for Box<dyn Controller> {
    fn clone(&self) -> Self {
        self.clone_boxed()
    }
}

#[derive(Clone)]
pub(crate) struct Running<R: Reconciler> {
    reconciler: R,
    queue: Queue<R::Key>,
}

impl<R: Reconciler> Running<R> {
    pub fn new(mut reconciler: R) -> Running<R> {
        let mut queue = Queue::new(R::WORKERS);
        reconciler.start(&mut queue);
        Running { reconciler, queue }
    }
}

impl<R: Reconciler> Controller for Running<R> {
    fn observe(&mut self, now: SimTime, event: &Event, caches: &Caches) {
        self.queue.at(now, event.change.cause);
        self.reconciler.observe(event, caches, &mut self.queue);
    }

    fn next_work(&self) -> Option<SimTime> {
        self.queue.next_work()
    }

    fn work(&mut self, caches: &Caches, client: &mut Client) {
        let Some((key, cause)) = self.queue.take(client.now()) else { return };
        let cause = client.begin("sync", R::KIND, &key.to_string(), cause);
        self.queue.at(client.now(), cause);
        let result = self.reconciler.reconcile(&key, caches, client, &mut self.queue);
        self.queue.at(client.now(), cause);
        match result {
            Ok(()) => self.queue.forget(&key),
            Err(status) => {
                client.note("retry", status.message);
                self.queue.add_rate_limited(key);
            }
        }
        self.queue.done(client.now());
    }

    fn status(&self) -> ControllerStatus {
        ControllerStatus {
            name: R::NAME,
            queued: self.queue.due(),
            last_key: self.queue.last().map(|(key, _)| key.to_string()),
            last_at: self.queue.last().map(|(_, at)| *at),
        }
    }

    fn clone_boxed(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}
