//! A Pod goes to the zone of its bound volumes, where these say so by their labels.

use std::sync::Arc;

use api::meta;

use super::volume_restrictions::concerns;
use crate::cache::{NodeInfo, PodInfo};
use crate::framework::{
    ClusterEvent, CycleState, FilterPlugin, Handle, PreFilterPlugin, PreFilterResult, QueueingHint, Status,
};

pub struct VolumeZone;

#[derive(Clone, Debug, Default)]
pub struct State {
    /// Label and the zones or regions that will do.
    topologies: Arc<[(&'static str, Vec<String>)]>,
}

const REASON: &str = "node(s) had no available volume zone";

const TOPOLOGY_LABELS: [&str; 4] = [
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
];

impl PreFilterPlugin for VolumeZone {
    fn pre_filter(&self, handle: Handle, state: &mut CycleState, pod: &PodInfo) -> Result<PreFilterResult, Status> {
        let mut topologies = Vec::new();
        for claim in pod.claims.iter().filter_map(|key| handle.listers.claims.get(key)) {
            let name = claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).unwrap_or_default();
            let Some(volume) = handle.listers.volumes.get(name) else { continue };
            for label in TOPOLOGY_LABELS {
                if let Some(values) = meta::label(&volume.metadata, label) {
                    // Volumes of several zones join them by two underscores.
                    topologies.push((label, values.split("__").map(str::to_owned).collect()));
                }
            }
        }
        if topologies.is_empty() {
            return Err(Status::SKIP);
        }
        state.volume_zone = State { topologies: topologies.into() };
        Ok(None)
    }
}

impl FilterPlugin for VolumeZone {
    fn filter(&self, _handle: Handle, state: &CycleState, _pod: &PodInfo, node: &NodeInfo) -> Status {
        // Nodes without any zone belong to a cluster of one zone.
        if TOPOLOGY_LABELS.iter().all(|label| node.label(label).is_none()) {
            return Status::SUCCESS;
        }
        let fits = |(label, values): &(&str, Vec<String>)| {
            node.label(label).is_some_and(|value| values.iter().any(|known| known == value))
        };
        if state.volume_zone.topologies.iter().all(fits) { Status::SUCCESS } else { Status::unresolvable(REASON) }
    }
}

impl QueueingHint for VolumeZone {
    fn may_help(&self, _handle: Handle, pod: &PodInfo, event: &ClusterEvent) -> bool {
        match event {
            ClusterEvent::ClaimChanged(claim) => concerns(pod, &claim.metadata),
            ClusterEvent::NodeAdded(_)
            | ClusterEvent::NodeUpdated { .. }
            | ClusterEvent::VolumeChanged(_)
            | ClusterEvent::StorageClassChanged => true,
            _ => false,
        }
    }
}
