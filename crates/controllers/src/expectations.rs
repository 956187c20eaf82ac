//! What a controller has done that its cache does not show yet: upstream's `ControllerExpectations`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::time::MINUTE;
use api::types::Pod;
use api::{SimTime, meta};

/// For each key the creations and deletions whose watch events are still to come.
#[derive(Clone, Default)]
pub struct Expectations {
    expected: BTreeMap<String, Expected>,
}

#[derive(Clone)]
struct Expected {
    creations: i64,
    /// Pods whose deletion is still to be seen.
    deletions: BTreeSet<String>,
    since: SimTime,
}

/// After this long a controller believes its cache again.
const TIMEOUT: SimTime = 5 * MINUTE;

impl Expectations {
    pub fn satisfied(&self, key: &str, now: SimTime) -> bool {
        self.expected.get(key).is_none_or(|expected| {
            (expected.creations <= 0 && expected.deletions.is_empty()) || now > expected.since + TIMEOUT
        })
    }

    pub fn expect_creations(&mut self, key: &str, count: usize, now: SimTime) {
        self.expect_both(key, count, [], now);
    }

    pub fn expect_deletions(&mut self, key: &str, pods: impl IntoIterator<Item = String>, now: SimTime) {
        self.expect_both(key, 0, pods, now);
    }

    pub fn expect_both(
        &mut self,
        key: &str,
        creations: usize,
        deletions: impl IntoIterator<Item = String>,
        now: SimTime,
    ) {
        let deletions = deletions.into_iter().collect();
        self.expected.insert(key.into(), Expected { creations: creations as i64, deletions, since: now });
    }

    /// A creation was seen, or will not happen.
    pub fn creation_observed(&mut self, key: &str) {
        if let Some(expected) = self.expected.get_mut(key) {
            expected.creations -= 1;
        }
    }

    /// A deletion was seen, or will not happen.
    pub fn deletion_observed(&mut self, key: &str, pod: &str) {
        if let Some(expected) = self.expected.get_mut(key) {
            expected.deletions.remove(pod);
        }
    }

    /// A Pod of the key has changed.
    pub fn pod_observed(&mut self, key: &str, old: Option<&Arc<Pod>>, new: Option<&Arc<Pod>>) {
        let Some(pod) = new.or(old) else { return };
        if old.is_none() {
            self.creation_observed(key);
        }
        if new.is_none() || meta::is_being_deleted(&pod.metadata) {
            self.deletion_observed(key, &meta::key(&pod.metadata));
        }
    }

    pub fn forget(&mut self, key: &str) {
        self.expected.remove(key);
    }
}
