//! What a component of the cluster is.

use api::request::{CauseId, WatchKind};
use api::{KindId, Kinded, ObjectRef, SimTime};

use crate::Client;

/// One list+watch that a component keeps open from its start. Its position in [`Component::watches`] is its number.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    pub kind: Option<KindId>,
    /// Empty for all namespaces.
    pub namespace: String,
    pub label_selector: String,
    pub field_selector: String,
}

impl Watch {
    pub fn all<T: Kinded>() -> Watch {
        Watch { kind: Some(T::ID), ..Watch::default() }
    }

    pub fn fields(mut self, selector: &str) -> Watch {
        self.field_selector = selector.into();
        self
    }
}

/// One change that a watch brings. The first list comes as `Added`s, and a relist as the difference.
#[derive(Clone, Debug)]
pub struct Change {
    pub kind: WatchKind,
    pub object: ObjectRef,
    /// The trace record of the request that made the change.
    pub cause: CauseId,
}

/// A part of the control plane or of a node. It keeps nothing that it cannot rebuild from its watches, except what a real
/// one keeps on its node.
pub trait Component {
    /// `kube-scheduler`, `kubelet`, …: the user agent.
    fn name(&self) -> &'static str;

    fn watches(&self) -> Vec<Watch>;

    /// Takes a change into its caches and queues; never calls the API.
    fn observe(&mut self, now: SimTime, watch: usize, change: &Change);

    /// When it next has work, if it knows. Asked after every `observe` and `work`.
    fn next_work(&self) -> Option<SimTime>;

    /// Does one piece of work that is due. The component is then busy until [`Client::now`], unless it is
    /// [concurrent](Component::is_concurrent).
    fn work(&mut self, client: &mut Client);

    /// The component does several things at a time (goroutines) and takes account in [`Component::next_work`] of what is
    /// still busy; otherwise whoever drives it waits until the last piece of work is over.
    fn is_concurrent(&self) -> bool {
        false
    }
}
