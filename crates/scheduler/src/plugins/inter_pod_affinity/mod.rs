//! `spec.affinity.podAffinity` and `podAntiAffinity`: Pods beside or away from other Pods.

mod filter;
mod score;

use std::collections::BTreeMap;
use std::sync::Arc;

use api::meta;

use crate::cache::{AffinityTerm, PodInfo};
use crate::framework::{ClusterEvent, Handle, QueueingHint};

pub struct InterPodAffinity;

#[derive(Clone, Debug, Default)]
pub struct State {
    filter: filter::State,
    score: Arc<score::State>,
}

/// Sums by topology key and by the value that nodes have under it.
type TopologySums = BTreeMap<Arc<str>, BTreeMap<Arc<str>, i64>>;

fn add_to(sums: &mut TopologySums, key: &str, value: &str, amount: i64) {
    if !sums.contains_key(key) {
        sums.insert(key.into(), BTreeMap::new());
    }
    let Some(values) = sums.get_mut(key) else { return };
    match values.get_mut(value) {
        Some(sum) => *sum += amount,
        None => {
            values.insert(value.into(), amount);
        }
    }
}

impl AffinityTerm {
    fn matches(&self, handle: Handle, pod: &PodInfo) -> bool {
        self.selector.matches(meta::labels(&pod.pod.metadata)) && self.matches_namespace(handle, pod.namespace())
    }

    fn matches_namespace(&self, handle: Handle, namespace: &str) -> bool {
        if self.namespaces.iter().any(|known| known == namespace) || self.namespace_selector.is_everything() {
            return true;
        }
        let found = handle.listers.namespaces.get(namespace);
        found.is_some_and(|found| self.namespace_selector.matches(meta::labels(&found.metadata)))
    }
}

fn matches_all(handle: Handle, terms: &[AffinityTerm], pod: &PodInfo) -> bool {
    !terms.is_empty() && terms.iter().all(|term| term.matches(handle, pod))
}

impl QueueingHint for InterPodAffinity {
    fn may_help(&self, handle: Handle, pod: &PodInfo, event: &ClusterEvent) -> bool {
        let mine = pod.affinity.as_deref();
        let attracts = |other: &PodInfo| mine.is_some_and(|terms| matches_all(handle, &terms.required, other));
        let repels = |other: &PodInfo| {
            let by_me = mine.is_some_and(|terms| terms.required_anti.iter().any(|term| term.matches(handle, other)));
            let by_other = other.affinity.as_deref();
            by_me || by_other.is_some_and(|terms| terms.required_anti.iter().any(|term| term.matches(handle, pod)))
        };
        match event {
            ClusterEvent::PodAdded(added) => attracts(added),
            ClusterEvent::PodDeleted(deleted) => repels(deleted) || attracts(deleted),
            ClusterEvent::PodUpdated { old, new } => attracts(new) != attracts(old) || (repels(old) && !repels(new)),
            ClusterEvent::NodeAdded(_)
            | ClusterEvent::NodeUpdated { .. }
            | ClusterEvent::UnscheduledPodUpdated { .. }
            | ClusterEvent::NamespaceChanged => true,
            _ => false,
        }
    }
}
