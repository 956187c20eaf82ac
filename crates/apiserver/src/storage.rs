//! Objects in etcd: keys, revisions, lifetimes.

use api::object::Tree;
use api::request::CauseId;
use api::time::SECOND;
use api::types::Event;
use api::{Draft, Kind, KindId, Kinded, Object, ObjectRef, SimTime};
use etcd::{Change, Compare, Etcd, LeaseId, Op};

/// Events live for an hour, as with `--event-ttl` left alone.
const EVENT_TTL: SimTime = 3600 * SECOND;
/// Events of this long share a lease, and at most so many.
const LEASE_REUSE: SimTime = 60 * SECOND;
const LEASE_EVENTS_MAX: usize = 1000;
/// Changes that a watch can begin at. A rollout of thousands of Pods would otherwise keep every state of each in memory
/// until the next compaction, five minutes later.
const HISTORY_MAX: usize = 2000;

#[derive(Clone, Default)]
pub(crate) struct Storage {
    etcd: Etcd<ObjectRef>,
    /// Something has asked to see writes: a webhook or an admission policy was made at some time.
    admission_objects: bool,
    event_lease: Option<EventLease>,
}

/// A part of a list.
pub(crate) struct Page<'a> {
    /// The key of the last object of the part before.
    pub after: Option<&'a str>,
    pub limit: usize,
    pub at: Option<u64>,
    /// `None` for all.
    pub matches: Option<&'a dyn Fn(&ObjectRef) -> bool>,
}

/// The lease that new events share. Upstream: `leaseManager`.
#[derive(Clone)]
struct EventLease {
    id: LeaseId,
    expires: SimTime,
    events: usize,
}

/// `/registry/pods/default/web`
fn key(kind: &Kind, namespace: &str, name: &str) -> String {
    let group = if kind.group.contains('.') { kind.group } else { "" };
    let mut key = String::with_capacity(16 + group.len() + kind.plural.len() + namespace.len() + name.len());
    key.push_str("/registry/");
    if !group.is_empty() {
        key.push_str(group);
        key.push('/');
    }
    key.push_str(kind.plural);
    key.push('/');
    if !namespace.is_empty() {
        key.push_str(namespace);
        key.push('/');
    }
    key.push_str(name);
    key
}

impl Storage {
    pub fn revision(&self) -> u64 {
        self.etcd.revision()
    }

    pub fn compacted(&self) -> u64 {
        self.etcd.compacted()
    }

    pub fn len(&self) -> usize {
        self.etcd.len()
    }

    pub fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Option<&ObjectRef> {
        self.etcd.get(&key(kind, namespace, name)).map(|(object, _)| object)
    }

    pub fn find<T: Object + Kinded>(&self, namespace: &str, name: &str) -> Option<&T> {
        self.get(T::row(), namespace, name)?.downcast_ref()
    }

    /// The objects of a kind in one namespace, or in all, in order of namespace and name.
    pub fn range<'a>(&'a self, kind: &Kind, namespace: &str) -> Vec<&'a ObjectRef> {
        let prefix = key(kind, namespace, "");
        self.etcd.range(&prefix, "").map(|(_, object)| object).collect()
    }

    /// How many objects of a kind there are in one namespace, or in all; no more than so many are counted.
    pub fn count(&self, kind: &Kind, namespace: &str, max: usize) -> usize {
        self.etcd.range(&key(kind, namespace, ""), "").take(max).count()
    }

    pub fn all<T: Object + Kinded>(&self) -> impl Iterator<Item = &T> {
        self.in_namespace("")
    }

    pub fn range_of<T: Kinded>(&self, namespace: &str) -> impl Iterator<Item = &ObjectRef> {
        self.range(T::row(), namespace).into_iter()
    }

    pub fn in_namespace<T: Object + Kinded>(&self, namespace: &str) -> impl Iterator<Item = &T> {
        self.range_of::<T>(namespace).filter_map(|object| object.downcast_ref())
    }

    /// There may be webhooks or admission policies: a question that every write asks.
    pub fn has_admission_objects(&self) -> bool {
        self.admission_objects
    }

    /// The objects of a kind that is kept as JSON.
    pub fn trees(&self, kind: &Kind) -> impl Iterator<Item = &Tree> {
        self.range(kind, "").into_iter().filter_map(|object| object.downcast_ref())
    }

    /// The typed objects of a kind in one namespace.
    pub fn within<T: Object + Kinded>(&self, namespace: &str) -> impl Iterator<Item = &T> {
        self.range(T::row(), namespace).into_iter().filter_map(|object| object.downcast_ref())
    }

    /// So many objects of a kind that match, in one namespace or in all, in order: those after the key of an object, as
    /// they were at a revision (or are), and how many more there are: whether there are any, if not all match.
    pub fn page(&self, kind: &Kind, namespace: &str, page: &Page) -> Result<(Vec<ObjectRef>, usize), etcd::Error> {
        let prefix = key(kind, namespace, "");
        // No key lies between one and the same with a zero at its end.
        let from = page.after.map(|after| key(kind, "", after) + "\0").unwrap_or_default();
        let at = page.at.unwrap_or(self.etcd.revision());
        let found = self.etcd.range_at(&prefix, &from, at)?.map(|(_, item)| item);
        let mut found = found.filter(|item| page.matches.is_none_or(|matches| matches(item)));
        let items = found.by_ref().take(page.limit).cloned().collect();
        let more = if page.matches.is_none() { found.count() } else { found.take(1).count() };
        Ok((items, more))
    }

    /// Writes an object if its key is still at `expected` (0: absent), and stamps it with the write's revision.
    pub fn put(&mut self, kind: &Kind, mut object: Draft, expected: u64, now: SimTime) -> Option<ObjectRef> {
        object.meta_mut().resource_version = Some((self.etcd.revision() + 1).to_string());
        self.admission_objects |= kind.group == "admissionregistration.k8s.io";
        let object = object.share();
        let key = key(kind, object.namespace(), object.name());
        let lease = (kind.id == Event::ID).then(|| self.event_lease(now));
        self.etcd.put_if(&key, expected, object.clone(), lease)?;
        if self.etcd.history() > HISTORY_MAX {
            self.etcd.compact(self.etcd.revision() - HISTORY_MAX as u64 / 2);
        }
        Some(object)
    }

    /// A lease that lasts as long as events do, and up to a minute more.
    fn event_lease(&mut self, now: SimTime) -> LeaseId {
        let lasts = |lease: &&mut EventLease| now + EVENT_TTL < lease.expires && lease.events < LEASE_EVENTS_MAX;
        if let Some(lease) = self.event_lease.as_mut().filter(lasts) {
            lease.events += 1;
            return lease.id;
        }
        let ttl = EVENT_TTL + LEASE_REUSE;
        let id = self.etcd.grant(now, ttl);
        self.event_lease = Some(EventLease { id, expires: now + ttl, events: 1 });
        id
    }

    /// Deletes an object and returns its last state, stamped with the deletion's revision.
    pub fn delete(&mut self, kind: &Kind, object: &ObjectRef) -> Option<ObjectRef> {
        let key = key(kind, object.namespace(), object.name());
        let expected = Compare::ModRevision(&key, object.revision());
        let revision = self.etcd.txn(&[expected], vec![Op::Delete { key: &key }])?;
        Some(at_revision(object, revision))
    }

    pub fn compact(&mut self, revision: u64) {
        self.etcd.compact(revision);
    }

    pub fn next_expiry(&self) -> Option<SimTime> {
        self.etcd.next_expiry()
    }

    /// Deletes what has run out and returns it.
    pub fn expire(&mut self, now: SimTime) -> Vec<(KindId, ObjectRef)> {
        let before = self.etcd.revision();
        if self.etcd.expire(now).is_none() {
            return Vec::new();
        }
        let changes = self.etcd.changes_since(before).expect("nothing compacts in between");
        changes
            .filter_map(|change| Some(at_revision(change.previous.as_ref()?, change.revision)))
            .map(|object| (object.kind_id(), object))
            .collect()
    }

    /// Changes of a kind after a revision, for a watch that starts there.
    pub fn changes_since(&self, kind: KindId, revision: u64) -> Result<Vec<Replayed>, etcd::Error> {
        let changes = self.etcd.changes_since(revision)?;
        Ok(changes.filter(|change| of_kind(change, kind)).map(replayed).collect())
    }
}

/// A change out of the store's history, with the cause that is no longer known.
pub(crate) struct Replayed {
    pub old: Option<ObjectRef>,
    pub new: Option<ObjectRef>,
    pub cause: CauseId,
}

fn of_kind(change: &Change<ObjectRef>, kind: KindId) -> bool {
    change.value.as_ref().or(change.previous.as_ref()).is_some_and(|object| object.kind_id() == kind)
}

fn replayed(change: &Change<ObjectRef>) -> Replayed {
    let old = match (&change.value, &change.previous) {
        (None, Some(previous)) => Some(at_revision(previous, change.revision)),
        (_, previous) => previous.clone(),
    };
    Replayed { old, new: change.value.clone(), cause: CauseId::default() }
}

fn at_revision(object: &ObjectRef, revision: u64) -> ObjectRef {
    let mut copy = object.draft();
    copy.meta_mut().resource_version = Some(revision.to_string());
    copy.share()
}
