//! When what is due.

use std::collections::{BTreeMap, BTreeSet};

use api::SimTime;

/// One moment for each key, the earliest first.
#[derive(Clone)]
pub struct Timers<K> {
    by_time: BTreeSet<(SimTime, K)>,
    by_key: BTreeMap<K, SimTime>,
}

impl<K: Ord + Copy> Default for Timers<K> {
    fn default() -> Self {
        Timers { by_time: BTreeSet::new(), by_key: BTreeMap::new() }
    }
}

impl<K: Ord + Copy> Timers<K> {
    /// Sets the key's moment, whatever it was before.
    pub fn set(&mut self, key: K, at: SimTime) {
        if let Some(old) = self.by_key.insert(key, at) {
            if old == at {
                return;
            }
            self.by_time.remove(&(old, key));
        }
        self.by_time.insert((at, key));
    }

    /// Sets the key's moment unless it has an earlier one.
    pub fn set_earlier(&mut self, key: K, at: SimTime) {
        if self.by_key.get(&key).is_none_or(|&old| at < old) {
            self.set(key, at);
        }
    }

    pub fn cancel(&mut self, key: K) {
        if let Some(at) = self.by_key.remove(&key) {
            self.by_time.remove(&(at, key));
        }
    }

    pub fn next(&self) -> Option<SimTime> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes the first key that is due.
    pub fn pop(&mut self, now: SimTime) -> Option<K> {
        let &(at, key) = self.by_time.first()?;
        if at > now {
            return None;
        }
        self.by_time.pop_first();
        self.by_key.remove(&key);
        Some(key)
    }

    pub fn clear(&mut self) {
        self.by_time.clear();
        self.by_key.clear();
    }
}
