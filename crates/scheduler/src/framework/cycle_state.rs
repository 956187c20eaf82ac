//! What plugins keep while they schedule one Pod.

use crate::plugins::{image_locality, inter_pod_affinity, node_affinity, pod_topology_spread, taint_toleration};
use crate::plugins::{volume_binding, volume_restrictions, volume_zone};

use super::PluginSet;

/// Cloned by preemption, once for each node on which it tries to evict.
#[derive(Clone, Debug, Default)]
pub struct CycleState {
    pub skipped_filters: PluginSet,
    pub skipped_scores: PluginSet,
    /// The DynamicResources plugin has had its turn, without which its PostFilter fails.
    pub dynamic_resources: bool,
    pub node_affinity: node_affinity::State,
    pub taint_toleration: taint_toleration::State,
    pub pod_topology_spread: pod_topology_spread::State,
    pub inter_pod_affinity: inter_pod_affinity::State,
    pub volume_binding: volume_binding::State,
    pub volume_zone: volume_zone::State,
    pub volume_restrictions: volume_restrictions::State,
    pub image_locality: image_locality::State,
}
