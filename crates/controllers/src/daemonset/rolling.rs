//! RollingUpdate: old Pods go as far as Pods may be unavailable, or new ones come first as far as they may surge.

use std::sync::Arc;

use api::meta;
use api::types::{DaemonSetUpdateStrategy, Pod};

use super::nodes::{self, Fit};
use super::sync::{Plan, Sync};
use crate::deployment::scaled;
use crate::history::REVISION_LABEL;

/// The new and the old Pod of a node; none when there are several of a sort, or none at all.
type Pair<'a> = Option<(Option<&'a Arc<Pod>>, Option<&'a Arc<Pod>>)>;

pub(super) fn surges(strategy: Option<&DaemonSetUpdateStrategy>) -> bool {
    let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
    scaled(rolling.and_then(|rolling| rolling.max_surge.as_ref()), 100, true) != 0
}

impl Sync<'_, '_> {
    pub fn roll(&self, hash: &str) -> Plan {
        let rolling = self.strategy().and_then(|strategy| strategy.rolling_update.as_ref());
        let desired = self.nodes().iter().filter(|node| nodes::fit(self.set, node) == Fit::Run).count() as i32;
        let surge = scaled(rolling.and_then(|rolling| rolling.max_surge.as_ref()), desired, true);
        let unavailable = scaled(rolling.and_then(|rolling| rolling.max_unavailable.as_ref()), desired, true);
        match (surge, unavailable) {
            (0, 0) => self.replace(hash, 1),
            (0, unavailable) => self.replace(hash, unavailable),
            (surge, _) => self.surge(hash, surge),
        }
    }

    fn replace(&self, hash: &str, unavailable_max: i32) -> Plan {
        let (mut unavailable, mut replaceable, mut candidates) = (0, Vec::new(), Vec::new());
        for pods in self.by_node().values() {
            match updated_pods(pods, hash) {
                Some((Some(new), None)) => unavailable += i32::from(!self.is_available(new)),
                Some((None, Some(old))) if !self.is_available(old) => {
                    replaceable.push(old.clone());
                    unavailable += 1;
                }
                Some((None, Some(old))) if unavailable < unavailable_max => candidates.push(old.clone()),
                Some((None, Some(_))) => {}
                _ => unavailable += 1,
            }
        }
        candidates.truncate((unavailable_max - unavailable).max(0) as usize);
        replaceable.append(&mut candidates);
        Plan { delete: replaceable, ..Plan::default() }
    }

    fn surge(&self, hash: &str, surge_max: i32) -> Plan {
        let (mut surging, mut allowed, mut candidates) = (0, Vec::new(), Vec::new());
        let mut plan = Plan::default();
        for (node, pods) in self.by_node() {
            match updated_pods(&pods, hash) {
                Some((None, Some(old))) if !self.is_available(old) => allowed.push(node.to_owned()),
                Some((None, Some(_))) if surging < surge_max => candidates.push(node.to_owned()),
                Some((Some(new), Some(old))) if self.is_available(new) => plan.delete.push(old.clone()),
                Some((Some(_), Some(_))) => surging += 1,
                _ => {}
            }
        }
        candidates.truncate((surge_max - surging).max(0) as usize);
        plan.create = allowed;
        plan.create.append(&mut candidates);
        plan
    }
}

fn updated_pods<'a>(pods: &[&'a Arc<Pod>], hash: &str) -> Pair<'a> {
    let alive = pods.iter().copied().filter(|pod| !meta::is_being_deleted(&pod.metadata));
    let is_new = |pod: &&Arc<Pod>| meta::label(&pod.metadata, REVISION_LABEL) == Some(hash);
    let (new, old): (Vec<_>, Vec<_>) = alive.partition(is_new);
    let one_each = new.len() <= 1 && old.len() <= 1 && !(new.is_empty() && old.is_empty());
    one_each.then(|| (new.first().copied(), old.first().copied()))
}
