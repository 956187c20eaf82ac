//! A claim with access mode ReadWriteOncePod serves one Pod of the cluster at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cache::{NodeInfo, PodInfo};
use crate::framework::{
    ClusterEvent, CycleState, FilterPlugin, Handle, PreFilterPlugin, PreFilterResult, QueueingHint, Status,
};

pub struct VolumeRestrictions;

#[derive(Clone, Debug, Default)]
pub struct State {
    /// The Pod's claims of that mode, and how often other Pods use them.
    exclusive: Arc<BTreeSet<Arc<str>>>,
    conflicts: i64,
}

const REASON: &str = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";

impl PreFilterPlugin for VolumeRestrictions {
    fn pre_filter(&self, handle: Handle, state: &mut CycleState, pod: &PodInfo) -> Result<PreFilterResult, Status> {
        let exclusive = exclusive_claims(handle, pod);
        if exclusive.is_empty() {
            return Err(Status::SKIP);
        }
        let others = handle.cache.nodes().flat_map(|node| &node.pods);
        let conflicts = others.map(|other| uses(&other.info, &exclusive)).sum();
        state.volume_restrictions = State { exclusive: Arc::new(exclusive), conflicts };
        Ok(None)
    }

    fn add_pod(&self, _handle: Handle, state: &mut CycleState, _pod: &PodInfo, added: &PodInfo, _node: &NodeInfo) {
        let state = &mut state.volume_restrictions;
        state.conflicts += uses(added, &state.exclusive);
    }

    fn remove_pod(&self, _handle: Handle, state: &mut CycleState, _pod: &PodInfo, removed: &PodInfo, _node: &NodeInfo) {
        let state = &mut state.volume_restrictions;
        state.conflicts -= uses(removed, &state.exclusive);
    }
}

fn exclusive_claims(handle: Handle, pod: &PodInfo) -> BTreeSet<Arc<str>> {
    let is_exclusive = |key: &&Arc<str>| {
        let claim = handle.listers.claims.get(key);
        let modes = claim.and_then(|claim| claim.spec.as_ref()).and_then(|spec| spec.access_modes.as_ref());
        modes.is_some_and(|modes| modes.iter().any(|mode| mode == "ReadWriteOncePod"))
    };
    pod.claims.iter().filter(is_exclusive).cloned().collect()
}

fn uses(pod: &PodInfo, claims: &BTreeSet<Arc<str>>) -> i64 {
    pod.claims.iter().filter(|key| claims.contains(*key)).count() as i64
}

impl FilterPlugin for VolumeRestrictions {
    fn filter(&self, _handle: Handle, state: &CycleState, _pod: &PodInfo, _node: &NodeInfo) -> Status {
        if state.volume_restrictions.conflicts > 0 { Status::unschedulable(REASON) } else { Status::SUCCESS }
    }
}

impl QueueingHint for VolumeRestrictions {
    fn may_help(&self, _handle: Handle, pod: &PodInfo, event: &ClusterEvent) -> bool {
        match event {
            ClusterEvent::PodDeleted(deleted) => deleted.claims.iter().any(|key| pod.claims.contains(key)),
            ClusterEvent::ClaimChanged(claim) => concerns(pod, &claim.metadata),
            _ => false,
        }
    }
}

/// Whether a claim is one of the Pod's.
pub fn concerns(pod: &PodInfo, claim: &api::types::ObjectMeta) -> bool {
    let key = api::meta::key(claim);
    pod.claims.iter().any(|known| **known == *key)
}
