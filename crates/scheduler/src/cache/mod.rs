//! What the scheduler knows of nodes and of the Pods on them, with Pods that it has placed but not yet seen bound.
//!
//! Upstream copies this into a snapshot before each cycle, as informers write to it meanwhile. Here a cycle is one piece
//! of work into which no event can fall: the cache is its own snapshot.

mod label_sets;
pub mod node_info;
mod node_tree;
pub mod pod_info;
pub mod resource;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::meta;
use api::types::{Node, Pod, Quantity};
use rustc_hash::FxHashMap;

pub use label_sets::LabelSets;
pub use node_info::{HOSTNAME, NodeInfo, PodOnNode, Slot, ZONE};
use node_tree::NodeTree;
pub use pod_info::{AffinityTerm, HostPort, PodAffinityTerms, PodInfo};
pub use resource::Resource;

#[derive(Clone, Debug, Default)]
pub struct Cache {
    nodes: Vec<Option<NodeInfo>>,
    free: Vec<Slot>,
    slots: FxHashMap<Arc<str>, Slot>,
    /// By uid.
    pods: FxHashMap<Arc<str>, PodState>,
    tree: NodeTree,
    images: BTreeMap<Box<str>, Arc<ImageState>>,
    pub label_sets: LabelSets,
    /// Nodes that have Pods with affinity terms, and with required anti-affinity terms.
    with_affinity: BTreeSet<Slot>,
    with_required_anti_affinity: BTreeSet<Slot>,
}

#[derive(Clone, Debug)]
struct PodState {
    info: Arc<PodInfo>,
    slot: Slot,
    /// Placed by us; the watch has not confirmed it.
    assumed: bool,
}

/// An image that some nodes have.
#[derive(Clone, Debug, Default)]
pub struct ImageState {
    /// Bytes.
    pub size: i64,
    pub nodes: BTreeSet<Slot>,
}

impl Cache {
    /// Brings the order of nodes up to date; before each cycle.
    pub fn refresh(&mut self) {
        self.tree.refresh();
    }

    /// The nodes in the order in which they are looked at.
    pub fn order(&self) -> &[Slot] {
        self.tree.order()
    }

    pub fn nodes(&self) -> impl Iterator<Item = &NodeInfo> {
        self.order().iter().map(|&slot| self.node(slot))
    }

    /// All slots are below this.
    pub fn slots(&self) -> usize {
        self.nodes.len()
    }

    pub fn node(&self, slot: Slot) -> &NodeInfo {
        self.nodes[slot as usize].as_ref().expect("slots are handed out for nodes that exist")
    }

    pub fn find(&self, name: &str) -> Option<&NodeInfo> {
        self.slots.get(name).map(|&slot| self.node(slot)).filter(|node| node.node.is_some())
    }

    pub fn images(&self) -> &BTreeMap<Box<str>, Arc<ImageState>> {
        &self.images
    }

    pub fn nodes_with_affinity(&self) -> impl Iterator<Item = &NodeInfo> {
        self.with_affinity.iter().map(|&slot| self.node(slot)).filter(|node| node.node.is_some())
    }

    pub fn nodes_with_required_anti_affinity(&self) -> impl Iterator<Item = &NodeInfo> {
        self.with_required_anti_affinity.iter().map(|&slot| self.node(slot)).filter(|node| node.node.is_some())
    }

    /// Adds a node or takes its new state, and returns the one before.
    pub fn set_node(&mut self, node: Arc<Node>) -> Option<Arc<Node>> {
        let slot = self.slot_of(node.metadata.name.as_deref().unwrap_or_default());
        let info = self.node_mut(slot);
        let old = info.node.clone();
        let old_zone = old.is_some().then(|| node_tree::zone_of(info));
        info.set_node(node.clone());
        let zone = node_tree::zone_of(info);
        if old_zone.as_ref() != Some(&zone) {
            if let Some(old_zone) = old_zone {
                self.tree.remove(&old_zone, slot);
            }
            self.tree.add(zone, slot);
        }
        if old.as_ref().map(|old| images_of(old)) != Some(images_of(&node)) {
            self.forget_images(old.as_deref(), slot);
            self.learn_images(&node, slot);
        }
        old
    }

    pub fn remove_node(&mut self, name: &str) {
        let Some(&slot) = self.slots.get(name) else { return };
        let info = self.node_mut(slot);
        let zone = node_tree::zone_of(info);
        let old = info.node.take();
        if old.is_some() {
            self.tree.remove(&zone, slot);
            self.forget_images(old.as_deref(), slot);
        }
        self.drop_if_empty(slot);
    }

    /// Counts a Pod on a node before its binding is seen.
    pub fn assume_pod(&mut self, info: Arc<PodInfo>, slot: Slot) {
        self.insert_pod(info, slot, true);
    }

    /// Takes an assumed Pod back.
    pub fn forget_pod(&mut self, uid: &str) {
        if self.is_assumed(uid) {
            self.take_pod(uid);
        }
    }

    pub fn is_assumed(&self, uid: &str) -> bool {
        self.pods.get(uid).is_some_and(|pod| pod.assumed)
    }

    pub fn pod(&self, uid: &str) -> Option<&Arc<PodInfo>> {
        self.pods.get(uid).map(|pod| &pod.info)
    }

    /// Takes in a Pod that is bound to a node. Returns it as it was before, if it was known, and as it is.
    pub fn set_pod(&mut self, pod: Arc<Pod>, node_name: &str) -> (Option<Arc<PodInfo>>, Arc<PodInfo>) {
        let uid = pod.metadata.uid.as_deref().unwrap_or_default();
        if let Some(state) = self.pods.get_mut(uid)
            && let Some(node) = self.nodes[state.slot as usize].as_mut()
            && &*node.name == node_name
            && keeps_its_sums(state, &pod)
        {
            let old = state.info.clone();
            let new = Arc::new(old.with_object(pod));
            state.info = new.clone();
            state.assumed = false;
            node.replace_pod(new.clone());
            return (Some(old), new);
        }
        let new = Arc::new(PodInfo::new(pod));
        let old = self.take_pod(&new.uid);
        let slot = self.slot_of(node_name);
        self.insert_pod(new.clone(), slot, false);
        (old, new)
    }

    pub fn remove_pod(&mut self, uid: &str) -> Option<Arc<PodInfo>> {
        self.take_pod(uid)
    }

    fn insert_pod(&mut self, info: Arc<PodInfo>, slot: Slot, assumed: bool) {
        let label_set = self.label_sets.acquire(info.namespace(), meta::labels(&info.pod.metadata));
        self.node_mut(slot).add_pod(PodOnNode { info: info.clone(), label_set });
        self.note_affinity(slot);
        self.pods.insert(info.uid.clone(), PodState { info, slot, assumed });
    }

    fn take_pod(&mut self, uid: &str) -> Option<Arc<PodInfo>> {
        let PodState { info, slot, .. } = self.pods.remove(uid)?;
        if let Some(pod) = self.node_mut(slot).remove_pod(uid) {
            self.label_sets.release(pod.label_set);
        }
        self.note_affinity(slot);
        self.drop_if_empty(slot);
        Some(info)
    }

    fn note_affinity(&mut self, slot: Slot) {
        let info = self.node(slot);
        let (any, required_anti) = (info.pods_with_affinity > 0, info.pods_with_required_anti_affinity > 0);
        set_member(&mut self.with_affinity, slot, any);
        set_member(&mut self.with_required_anti_affinity, slot, required_anti);
    }

    fn node_mut(&mut self, slot: Slot) -> &mut NodeInfo {
        self.nodes[slot as usize].as_mut().expect("slots are handed out for nodes that exist")
    }

    fn slot_of(&mut self, name: &str) -> Slot {
        if let Some(&slot) = self.slots.get(name) {
            return slot;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(None);
            (self.nodes.len() - 1) as Slot
        });
        let name: Arc<str> = name.into();
        self.nodes[slot as usize] = Some(NodeInfo::new(slot, name.clone()));
        self.slots.insert(name, slot);
        slot
    }

    fn drop_if_empty(&mut self, slot: Slot) {
        let info = self.node(slot);
        if info.node.is_none() && info.pods.is_empty() {
            let name = info.name.clone();
            self.slots.remove(&name);
            self.nodes[slot as usize] = None;
            self.free.push(slot);
        }
    }

    fn learn_images(&mut self, node: &Node, slot: Slot) {
        for image in images_of(node) {
            for name in image.names.iter().flatten() {
                let state = Arc::make_mut(self.images.entry(name.as_str().into()).or_default());
                state.size = image.size_bytes.unwrap_or(0);
                state.nodes.insert(slot);
            }
        }
    }

    fn forget_images(&mut self, node: Option<&Node>, slot: Slot) {
        for name in node.into_iter().flat_map(images_of).flat_map(|image| image.names.iter().flatten()) {
            if let Some(state) = self.images.get_mut(name.as_str()).map(Arc::make_mut) {
                state.nodes.remove(&slot);
                if state.nodes.is_empty() {
                    self.images.remove(name.as_str());
                }
            }
        }
    }
}

/// Whether an update changes nothing that is computed from a Pod. Most do: they tell of its status.
fn keeps_its_sums(state: &PodState, pod: &Pod) -> bool {
    let old = &state.info.pod;
    old.metadata.labels == pod.metadata.labels
        && meta::is_being_deleted(&old.metadata) == meta::is_being_deleted(&pod.metadata)
        && (state.assumed || old.spec == pod.spec)
        && granted(old).eq(granted(pod))
}

/// What the node has granted to each container.
fn granted(pod: &Pod) -> impl Iterator<Item = (&str, &BTreeMap<String, Quantity>)> {
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    statuses.filter_map(|status| Some((status.name.as_str(), status.allocated_resources.as_ref()?)))
}

fn images_of(node: &Node) -> &[api::types::ContainerImage] {
    let status = node.status.as_ref();
    status.and_then(|status| status.images.as_deref()).unwrap_or_default()
}

fn set_member(set: &mut BTreeSet<Slot>, slot: Slot, member: bool) {
    if member {
        set.insert(slot);
    } else {
        set.remove(&slot);
    }
}
