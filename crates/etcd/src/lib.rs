//! The cluster's store: etcd's MVCC key space, without its wire format.
//!
//! Every write makes a new [`Revision`]; old versions stay readable until [`Etcd::compact`]. Transactions compare before
//! they write, watches replay from a revision, keys may hang on a [`Lease`](LeaseId). Values are opaque and cheap to
//! clone (the API server stores shared objects), so a clone of the store is a checkpoint.
//!
//! Upstream: `server/storage/mvcc`, `server/lease`. Known differences: one member (writes take effect at once; a leader's
//! log would stand in front of [`Etcd::txn`]), values are not bytes, so there is no space quota.

mod lease;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

pub use lease::LeaseId;

/// The number of a write, from 1.
pub type Revision = u64;

/// The key space and its history.
#[derive(Clone)]
pub struct Etcd<V> {
    revision: Revision,
    compacted: Revision,
    keys: BTreeMap<Arc<str>, Key<V>>,
    /// Every change since the compaction, in order.
    log: VecDeque<Change<V>>,
    leases: lease::Leases,
    live_keys: usize,
}

#[derive(Clone)]
struct Key<V> {
    /// Shared with the log and the leases.
    name: Arc<str>,
    /// Oldest first; a deletion is a version without a value.
    versions: Vec<Version<V>>,
    /// What the key hangs on.
    lease: Option<LeaseId>,
}

#[derive(Clone)]
struct Version<V> {
    revision: Revision,
    create_revision: Revision,
    value: Option<V>,
}

/// A key with its value at some revision.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyValue<V> {
    pub key: Arc<str>,
    pub value: V,
    pub create_revision: Revision,
    pub mod_revision: Revision,
}

/// One write, as a watch reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<V> {
    pub revision: Revision,
    pub key: Arc<str>,
    /// `None` for a deletion.
    pub value: Option<V>,
    pub previous: Option<V>,
}

/// What must hold for a transaction to succeed.
#[derive(Clone, Debug)]
pub enum Compare<'a> {
    /// The key was last written at this revision; 0 when it must not exist.
    ModRevision(&'a str, Revision),
    CreateRevision(&'a str, Revision),
}

#[derive(Clone, Debug)]
pub enum Op<'a, V> {
    Put { key: &'a str, value: V, lease: Option<LeaseId> },
    Delete { key: &'a str },
}

/// Why a read or watch cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// `etcdserver: mvcc: required revision has been compacted`
    Compacted,
    /// `etcdserver: mvcc: required revision is a future revision`
    Future,
    /// `etcdserver: requested lease not found`
    LeaseNotFound,
}

impl<V> Default for Etcd<V> {
    fn default() -> Self {
        Etcd {
            revision: 1,
            compacted: 0,
            keys: BTreeMap::new(),
            log: VecDeque::new(),
            leases: lease::Leases::default(),
            live_keys: 0,
        }
    }
}

impl<V: Clone> Etcd<V> {
    /// The revision of the last write.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Reads at or before this revision are refused.
    pub fn compacted(&self) -> Revision {
        self.compacted
    }

    /// How many keys exist now.
    pub fn len(&self) -> usize {
        self.live_keys
    }

    pub fn is_empty(&self) -> bool {
        self.live_keys == 0
    }

    /// The key's newest value.
    pub fn get(&self, key: &str) -> Option<(&V, Revision)> {
        let version = self.keys.get(key)?.versions.last()?;
        Some((version.value.as_ref()?, version.revision))
    }

    /// The key's value as it was at a revision.
    pub fn get_at(&self, key: &str, at: Revision) -> Result<Option<KeyValue<V>>, Error> {
        self.check(at)?;
        Ok(self.keys.get(key).and_then(|key| {
            let Version { revision, create_revision, value } = key.at(at)?.clone();
            Some(KeyValue { key: key.name.clone(), value: value?, create_revision, mod_revision: revision })
        }))
    }

    /// The newest values of the keys that begin with `prefix`, in order, beginning at `from`.
    pub fn range(&self, prefix: &str, from: &str) -> impl Iterator<Item = (&str, &V)> + use<'_, V> {
        self.keys_of(prefix, from).filter_map(|key| Some((&*key.name, key.live()?.value.as_ref()?)))
    }

    /// The same as the key space was at a revision.
    pub fn range_at(
        &self,
        prefix: &str,
        from: &str,
        at: Revision,
    ) -> Result<impl Iterator<Item = (&str, &V)> + use<'_, V>, Error> {
        self.check(at)?;
        Ok(self.keys_of(prefix, from).filter_map(move |key| Some((&*key.name, key.at(at)?.value.as_ref()?))))
    }

    fn keys_of(&self, prefix: &str, from: &str) -> impl Iterator<Item = &Key<V>> + use<'_, V> {
        let end = after_all(prefix);
        let start = if from > prefix { from } else { prefix };
        let range = match end.as_deref() {
            Some(end) => (Bound::Included(start.min(end)), Bound::Excluded(end)),
            None => (Bound::Included(start), Bound::Unbounded),
        };
        self.keys.range::<str, _>(range).map(|(_, key)| key)
    }

    fn check(&self, at: Revision) -> Result<(), Error> {
        if at > self.revision {
            Err(Error::Future)
        } else if at < self.compacted {
            Err(Error::Compacted)
        } else {
            Ok(())
        }
    }

    /// Applies the operations as one write if everything compares, and returns its revision.
    pub fn txn(&mut self, compare: &[Compare], then: Vec<Op<V>>) -> Option<Revision> {
        let holds = compare.iter().all(|compare| match compare {
            Compare::ModRevision(key, revision) => self.last(key).map_or(0, |version| version.revision) == *revision,
            Compare::CreateRevision(key, revision) => {
                self.last(key).map_or(0, |version| version.create_revision) == *revision
            }
        });
        if !holds {
            return None;
        }
        self.revision += 1;
        for op in then {
            match op {
                Op::Put { key, value, lease } => drop(self.put(key, None, value, lease)),
                Op::Delete { key } => self.delete(key),
            }
        }
        Some(self.revision)
    }

    /// The transaction that is made most: puts a value if its key was last written at `expected`, 0 for a key that does
    /// not exist, and returns the write's revision.
    pub fn put_if(&mut self, key: &str, expected: Revision, value: V, lease: Option<LeaseId>) -> Option<Revision> {
        self.revision += 1;
        if self.put(key, Some(expected), value, lease) {
            return Some(self.revision);
        }
        self.revision -= 1;
        None
    }

    fn last(&self, key: &str) -> Option<&Version<V>> {
        self.keys.get(key)?.live()
    }

    /// False, and nothing done, when the key was not last written at the revision that is expected.
    fn put(&mut self, name: &str, expected: Option<Revision>, value: V, lease: Option<LeaseId>) -> bool {
        let revision = self.revision;
        let is_expected = |last: Revision| expected.is_none_or(|expected| expected == last);
        let key = match self.keys.get_mut(name) {
            Some(key) if is_expected(key.live().map_or(0, |version| version.revision)) => key,
            None if is_expected(0) => {
                let name: Arc<str> = name.into();
                self.keys.entry(name.clone()).or_insert(Key { name, versions: Vec::with_capacity(1), lease: None })
            }
            _ => return false,
        };
        let live = key.live();
        let create_revision = live.map_or(revision, |version| version.create_revision);
        let previous = live.and_then(|version| version.value.clone());
        if previous.is_none() {
            self.live_keys += 1;
        }
        key.versions.push(Version { revision, create_revision, value: Some(value.clone()) });
        key.lease = self.leases.hang(&key.name, key.lease, lease);
        self.log.push_back(Change { revision, key: key.name.clone(), value: Some(value), previous });
        true
    }

    fn delete(&mut self, name: &str) {
        let revision = self.revision;
        let Some(key) = self.keys.get_mut(name) else { return };
        let Some(previous) = key.versions.last().and_then(|version| version.value.clone()) else { return };
        key.versions.push(Version { revision, create_revision: 0, value: None });
        key.lease = self.leases.hang(&key.name, key.lease, None);
        self.live_keys -= 1;
        self.log.push_back(Change { revision, key: key.name.clone(), value: None, previous: Some(previous) });
    }

    /// How many changes can still be watched.
    pub fn history(&self) -> usize {
        self.log.len()
    }

    /// Every change after a revision, in order.
    pub fn changes_since(&self, revision: Revision) -> Result<impl Iterator<Item = &Change<V>>, Error> {
        if revision < self.compacted {
            return Err(Error::Compacted);
        }
        let start = self.log.partition_point(|change| change.revision <= revision);
        Ok(self.log.range(start..))
    }

    /// Forgets versions that were overwritten at or before a revision.
    pub fn compact(&mut self, revision: Revision) {
        let revision = revision.min(self.revision);
        if revision <= self.compacted {
            return;
        }
        self.compacted = revision;
        let end = self.log.partition_point(|change| change.revision <= revision);
        // Whatever made a key has left nothing behind it.
        for change in self.log.drain(..end).filter(|change| change.previous.is_some()) {
            let Some(Key { versions, .. }) = self.keys.get_mut(&change.key) else { continue };
            let newest = versions.partition_point(|version| version.revision <= revision).saturating_sub(1);
            versions.drain(..newest);
            if let [only] = versions.as_slice()
                && only.value.is_none()
                && only.revision <= revision
            {
                self.keys.remove(&change.key);
            }
        }
    }
}

impl<V> Key<V> {
    /// The newest version, unless the key is deleted.
    fn live(&self) -> Option<&Version<V>> {
        self.versions.last().filter(|version| version.value.is_some())
    }

    /// The version of a revision, unless the key did not exist then.
    fn at(&self, at: Revision) -> Option<&Version<V>> {
        let end = self.versions.partition_point(|version| version.revision <= at);
        self.versions[..end].last().filter(|version| version.value.is_some())
    }
}

/// The first text after all that begin with `prefix`.
fn after_all(prefix: &str) -> Option<String> {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests;
