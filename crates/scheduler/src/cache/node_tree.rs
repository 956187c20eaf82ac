//! The order in which nodes are looked at: one of each zone in turn, so that zones fill evenly.

use super::node_info::{NodeInfo, Slot, ZONE};

#[derive(Clone, Debug, Default)]
pub struct NodeTree {
    /// In order of their first nodes.
    zones: Vec<(String, Vec<Slot>)>,
    order: Vec<Slot>,
    stale: bool,
}

impl NodeTree {
    pub fn add(&mut self, zone: String, slot: Slot) {
        match self.zones.iter_mut().find(|(known, _)| *known == zone) {
            Some((_, slots)) => slots.push(slot),
            None => self.zones.push((zone, vec![slot])),
        }
        self.stale = true;
    }

    pub fn remove(&mut self, zone: &str, slot: Slot) {
        let Some(at) = self.zones.iter().position(|(known, _)| known == zone) else { return };
        self.zones[at].1.retain(|known| *known != slot);
        if self.zones[at].1.is_empty() {
            self.zones.remove(at);
        }
        self.stale = true;
    }

    /// Brings [`NodeTree::order`] up to date.
    pub fn refresh(&mut self) {
        if !self.stale {
            return;
        }
        self.stale = false;
        self.order.clear();
        let longest = self.zones.iter().map(|(_, slots)| slots.len()).max().unwrap_or(0);
        for round in 0..longest {
            self.order.extend(self.zones.iter().filter_map(|(_, slots)| slots.get(round)));
        }
    }

    pub fn order(&self) -> &[Slot] {
        &self.order
    }
}

/// Region and zone as one text; nodes without both form a zone of their own.
pub fn zone_of(node: &NodeInfo) -> String {
    let region = node.label("topology.kubernetes.io/region").unwrap_or_default();
    let zone = node.label(ZONE).unwrap_or_default();
    if region.is_empty() && zone.is_empty() { String::new() } else { format!("{region}:\0:{zone}") }
}
