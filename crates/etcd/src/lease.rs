//! Leases: keys that vanish unless somebody keeps them alive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::{Error, Etcd, Op, Revision};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeaseId(pub u64);

#[derive(Clone, Default)]
pub(crate) struct Leases {
    next: u64,
    leases: BTreeMap<LeaseId, Lease>,
    /// By moment of expiry, so that nothing is scanned.
    expiries: BTreeSet<(u64, LeaseId)>,
}

#[derive(Clone)]
struct Lease {
    /// Nanoseconds.
    ttl: u64,
    expires: u64,
    keys: BTreeSet<Arc<str>>,
}

impl Leases {
    /// Takes the key off a lease and hangs it on another, if that exists. Returns what it hangs on.
    pub(crate) fn hang(&mut self, key: &Arc<str>, old: Option<LeaseId>, new: Option<LeaseId>) -> Option<LeaseId> {
        if let Some(old) = old.and_then(|old| self.leases.get_mut(&old)) {
            old.keys.remove(key);
        }
        self.leases.get_mut(&new?)?.keys.insert(key.clone());
        new
    }
}

impl<V: Clone> Etcd<V> {
    /// A new lease that ends `ttl` nanoseconds from now.
    pub fn grant(&mut self, now: u64, ttl: u64) -> LeaseId {
        self.leases.next += 1;
        let id = LeaseId(self.leases.next);
        let expires = now + ttl;
        self.leases.leases.insert(id, Lease { ttl, expires, keys: BTreeSet::new() });
        self.leases.expiries.insert((expires, id));
        id
    }

    pub fn keep_alive(&mut self, now: u64, id: LeaseId) -> Result<(), Error> {
        let lease = self.leases.leases.get_mut(&id).ok_or(Error::LeaseNotFound)?;
        self.leases.expiries.remove(&(lease.expires, id));
        lease.expires = now + lease.ttl;
        self.leases.expiries.insert((lease.expires, id));
        Ok(())
    }

    /// Ends the lease and deletes its keys, in one write.
    pub fn revoke(&mut self, id: LeaseId) -> Result<Option<Revision>, Error> {
        let lease = self.leases.leases.remove(&id).ok_or(Error::LeaseNotFound)?;
        self.leases.expiries.remove(&(lease.expires, id));
        if lease.keys.is_empty() {
            return Ok(None);
        }
        Ok(self.txn(&[], lease.keys.iter().map(|key| Op::Delete { key }).collect()))
    }

    /// When the next lease ends.
    pub fn next_expiry(&self) -> Option<u64> {
        self.leases.expiries.first().map(|(expires, _)| *expires)
    }

    /// Revokes every lease that has ended, and returns the last write's revision if there was one.
    pub fn expire(&mut self, now: u64) -> Option<Revision> {
        let mut last = None;
        while let Some(&(expires, id)) = self.leases.expiries.first() {
            if expires > now {
                break;
            }
            last = self.revoke(id).ok().flatten().or(last);
        }
        last
    }
}
