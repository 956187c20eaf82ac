//! Watches: who is told of which change.
//!
//! The fan-out is indexed: a watcher with the field selector `spec.nodeName=X` is found by its node, as upstream's watch
//! cache does with its trigger function, so that a hundred kubelets do not each look at every Pod.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use api::object::Tree;
use api::request::{CauseId, WatchEvent, WatchId, WatchKind};
use api::types::Pod;
use api::{Caller, Draft, Kind, KindId, Kinded, ObjectRef, Request, Status};
use serde_json::json;

use crate::fields::Filter;
use crate::list::revision_of;
use crate::{ApiServer, Context};

#[derive(Clone, Default)]
pub(crate) struct Watches {
    last: u64,
    watchers: BTreeMap<WatchId, Watcher>,
    by_kind: BTreeMap<KindId, Audience>,
    /// Watchers with events that nobody has fetched.
    stirred: BTreeSet<WatchId>,
}

#[derive(Clone)]
struct Watcher {
    /// What is watched, and as what its events are shown.
    kind: KindId,
    served: &'static Kind,
    filter: Filter,
    pending: VecDeque<WatchEvent>,
}

/// The watchers of one kind.
#[derive(Clone, Default)]
struct Audience {
    everybody: Vec<WatchId>,
    by_node: BTreeMap<String, Vec<WatchId>>,
}

impl Watches {
    fn open(&mut self, served: &'static Kind, filter: Filter, pending: VecDeque<WatchEvent>) -> WatchId {
        let kind = served.stored().id;
        self.last += 1;
        let id = WatchId(self.last);
        let audience = self.by_kind.entry(kind).or_default();
        match filter.node() {
            Some(node) if kind == Pod::ID => audience.by_node.entry(node.into()).or_default().push(id),
            _ => audience.everybody.push(id),
        }
        if !pending.is_empty() {
            self.stirred.insert(id);
        }
        self.watchers.insert(id, Watcher { kind, served, filter, pending });
        id
    }

    fn close(&mut self, id: WatchId) {
        let Some(watcher) = self.watchers.remove(&id) else { return };
        self.stirred.remove(&id);
        let Some(audience) = self.by_kind.get_mut(&watcher.kind) else { return };
        audience.everybody.retain(|other| *other != id);
        if let Some(node) = watcher.filter.node()
            && let Some(watchers) = audience.by_node.get_mut(node)
        {
            watchers.retain(|other| *other != id);
        }
    }

    /// How many hear of every change of a kind.
    pub fn watchers(&self, kind: KindId) -> usize {
        self.by_kind.get(&kind).map_or(0, |audience| audience.everybody.len())
    }

    /// Tells everybody whom a change concerns: `old` and `new` are the object before and after.
    pub fn publish(&mut self, kind: KindId, old: Option<&ObjectRef>, new: Option<&ObjectRef>, cause: CauseId) {
        if kind.is_custom() && kind != KindId::ANY_CUSTOM {
            self.publish_to(KindId::ANY_CUSTOM, old, new, cause);
        }
        self.publish_to(kind, old, new, cause);
    }

    fn publish_to(&mut self, kind: KindId, old: Option<&ObjectRef>, new: Option<&ObjectRef>, cause: CauseId) {
        let Some(audience) = self.by_kind.get(&kind) else { return };
        let mut told = |id: WatchId| {
            let Some(watcher) = self.watchers.get_mut(&id) else { return };
            if let Some(event) = watcher.filter.transition(old, new, cause) {
                watcher.pending.push_back(event);
                self.stirred.insert(id);
            }
        };
        audience.everybody.iter().copied().for_each(&mut told);
        if audience.by_node.is_empty() {
            return;
        }
        let (before, after) = (old.and_then(node_of), new.and_then(node_of));
        let nodes = [before, after.filter(|node| before != Some(node))];
        for watchers in nodes.into_iter().flatten().filter_map(|node| audience.by_node.get(node)) {
            watchers.iter().copied().for_each(&mut told);
        }
    }
}

fn node_of(object: &ObjectRef) -> Option<&str> {
    object.downcast_ref::<Pod>()?.spec.as_ref()?.node_name.as_deref()
}

impl ApiServer {
    pub(crate) fn watch(&mut self, kind: &'static Kind, request: &Request) -> Result<WatchId, Status> {
        let served = self.kind(request.kind)?;
        let filter = Filter::of(self.rules(kind, request), request)?;
        let mut pending = VecDeque::new();
        let options = &request.options;
        let from = revision_of(&options.resource_version)?;
        if from == 0 || options.send_initial_events {
            let present = if kind.id == KindId::ANY_CUSTOM {
                let resources = self.customs.resources();
                let kinds = resources.values().map(|resource| resource.kind.stored());
                kinds.flat_map(|kind| self.storage.range(kind, &request.namespace)).collect()
            } else {
                self.storage.range(kind, &request.namespace)
            };
            pending.extend(
                present.into_iter().filter_map(|object| filter.transition(None, Some(object), CauseId::default())),
            );
        } else {
            match self.storage.changes_since(kind.id, from) {
                Ok(changes) => pending.extend(
                    changes
                        .into_iter()
                        .filter_map(|change| filter.transition(change.old.as_ref(), change.new.as_ref(), change.cause)),
                ),
                Err(_) => {
                    let message = format!("too old resource version: {from} ({})", self.storage.compacted());
                    return Err(Status::expired(message));
                }
            }
        }
        if options.send_initial_events && options.allow_watch_bookmarks {
            pending.push_back(initial_events_end(served, self.storage.revision()));
        }
        Ok(self.watches.open(served, filter, pending))
    }

    /// What a watch has brought since it was last asked.
    pub fn watch_events(&mut self, id: WatchId) -> Vec<WatchEvent> {
        let caller = Caller::new("system:apiserver", &["system:masters"], "kube-apiserver");
        self.watch_events_with(&Context::new(0, caller, CauseId::default()), id)
    }

    /// The same where a webhook may be needed to convert them. What cannot be converted is left out.
    pub fn watch_events_with(&mut self, context: &Context, id: WatchId) -> Vec<WatchEvent> {
        self.watches.stirred.remove(&id);
        let Some(watcher) = self.watches.watchers.get_mut(&id) else { return Vec::new() };
        let mut events: Vec<WatchEvent> = watcher.pending.drain(..).collect();
        let served = watcher.served;
        if served.id == KindId::ANY_CUSTOM {
            let resources = self.customs.resources();
            for event in &mut events {
                if let Some(resource) = resources.get(&event.object.kind_id()) {
                    event.object = resource.shown(&event.object);
                }
            }
        }
        if served.view.is_some() {
            events.retain_mut(|event| match self.in_version(context, served, event.object.clone()) {
                Ok(object) => {
                    event.object = self.shown(served, &object);
                    true
                }
                Err(_) => false,
            });
        }
        events
    }

    pub fn close_watch(&mut self, id: WatchId) {
        self.watches.close(id);
    }

    /// The watches that have events to fetch, taken out: each is named once until it is fetched and stirred again.
    pub fn take_stirred(&mut self) -> Vec<WatchId> {
        std::mem::take(&mut self.watches.stirred).into_iter().collect()
    }

    /// How many watches are open.
    pub fn open_watches(&self) -> usize {
        self.watches.watchers.len()
    }
}

/// The bookmark that says: this was everything there is.
fn initial_events_end(kind: &Kind, revision: u64) -> WatchEvent {
    let object = json!({
        "apiVersion": kind.api_version(),
        "kind": kind.kind,
        "metadata": {
            "resourceVersion": revision.to_string(),
            "annotations": { "k8s.io/initial-events-end": "true" },
        },
    });
    let object = Draft::new(Tree::new(kind.id, object)).share();
    WatchEvent { kind: WatchKind::Bookmark, object, cause: CauseId::default() }
}

impl Filter {
    /// What a change means to a watcher: an object that comes to match is added, one that ceases to is deleted.
    fn transition(&self, old: Option<&ObjectRef>, new: Option<&ObjectRef>, cause: CauseId) -> Option<WatchEvent> {
        let matched = old.filter(|object| self.matches(&***object));
        let matches = new.filter(|object| self.matches(&***object));
        let (kind, object) = match (matched, matches) {
            (None, None) => return None,
            (None, Some(new)) => (WatchKind::Added, new.clone()),
            (Some(_), Some(new)) => (WatchKind::Modified, new.clone()),
            (Some(old), None) => (WatchKind::Deleted, last_state(old, new)),
        };
        Some(WatchEvent { kind, object, cause })
    }
}

/// A deletion shows the object as it last matched, at the revision at which it ceased to.
fn last_state(old: &ObjectRef, new: Option<&ObjectRef>) -> ObjectRef {
    let Some(new) = new else { return old.clone() };
    let mut object = old.draft();
    object.meta_mut().resource_version = new.meta().resource_version.clone();
    object.share()
}
