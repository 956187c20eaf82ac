//! Pods that were promised a node, because preemption makes room there.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::cache::PodInfo;
use crate::framework::Nominations;

#[derive(Clone, Debug, Default)]
pub struct Nominator {
    pub by_node: Nominations,
    /// By uid.
    nodes: FxHashMap<Arc<str>, Arc<str>>,
}

impl Nominator {
    pub fn add(&mut self, pod: Arc<PodInfo>, node: &str) {
        self.remove(&pod.uid);
        let node: Arc<str> = node.into();
        self.nodes.insert(pod.uid.clone(), node.clone());
        self.by_node.entry(node).or_default().push(pod);
    }

    pub fn remove(&mut self, uid: &str) -> bool {
        let Some(node) = self.nodes.remove(uid) else { return false };
        if let Some(pods) = self.by_node.get_mut(&node) {
            pods.retain(|pod| &*pod.uid != uid);
            if pods.is_empty() {
                self.by_node.remove(&node);
            }
        }
        true
    }

    /// Pods of a lower priority that were promised the node: their promise is void when another takes the place.
    pub fn lower_on(&self, node: &str, priority: i32) -> Vec<Arc<PodInfo>> {
        let nominated = self.by_node.get(node).into_iter().flatten();
        nominated.filter(|pod| pod.priority < priority).cloned().collect()
    }
}
