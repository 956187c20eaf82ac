//! The default profile: which plugin runs at which extension point, in order, and with which weight.

use crate::cache::PodInfo;
use crate::plugins::balanced_allocation::BalancedAllocation;
use crate::plugins::dynamic_resources::DynamicResources;
use crate::plugins::image_locality::ImageLocality;
use crate::plugins::inter_pod_affinity::InterPodAffinity;
use crate::plugins::node_affinity::NodeAffinity;
use crate::plugins::node_name::NodeName;
use crate::plugins::node_ports::NodePorts;
use crate::plugins::node_resources_fit::NodeResourcesFit;
use crate::plugins::node_unschedulable::NodeUnschedulable;
use crate::plugins::pod_topology_spread::PodTopologySpread;
use crate::plugins::scheduling_gates::{self, SchedulingGates};
use crate::plugins::taint_toleration::TaintToleration;
use crate::plugins::volume_binding::VolumeBinding;
use crate::plugins::volume_restrictions::VolumeRestrictions;
use crate::plugins::volume_zone::VolumeZone;

use super::{FilterPlugin, PluginName, PreFilterPlugin, PreScorePlugin, QueueingHint, ScorePlugin};

pub(super) static PRE_FILTERS: &[(PluginName, &dyn PreFilterPlugin)] = &[
    (PluginName::NodeAffinity, &NodeAffinity),
    (PluginName::NodePorts, &NodePorts),
    (PluginName::VolumeRestrictions, &VolumeRestrictions),
    (PluginName::VolumeBinding, &VolumeBinding),
    (PluginName::VolumeZone, &VolumeZone),
    (PluginName::PodTopologySpread, &PodTopologySpread),
    (PluginName::InterPodAffinity, &InterPodAffinity),
    (PluginName::DynamicResources, &DynamicResources),
];

pub(super) static FILTERS: &[(PluginName, &dyn FilterPlugin)] = &[
    (PluginName::NodeUnschedulable, &NodeUnschedulable),
    (PluginName::NodeName, &NodeName),
    (PluginName::TaintToleration, &TaintToleration),
    (PluginName::NodeAffinity, &NodeAffinity),
    (PluginName::NodePorts, &NodePorts),
    (PluginName::NodeResourcesFit, &NodeResourcesFit),
    (PluginName::VolumeRestrictions, &VolumeRestrictions),
    (PluginName::VolumeBinding, &VolumeBinding),
    (PluginName::VolumeZone, &VolumeZone),
    (PluginName::PodTopologySpread, &PodTopologySpread),
    (PluginName::InterPodAffinity, &InterPodAffinity),
];

pub(super) static PRE_SCORES: &[(PluginName, &dyn PreScorePlugin)] = &[
    (PluginName::TaintToleration, &TaintToleration),
    (PluginName::NodeAffinity, &NodeAffinity),
    (PluginName::PodTopologySpread, &PodTopologySpread),
    (PluginName::InterPodAffinity, &InterPodAffinity),
    (PluginName::NodeResourcesBalancedAllocation, &BalancedAllocation),
    (PluginName::ImageLocality, &ImageLocality),
];

/// With their weights.
pub(super) static SCORES: &[(PluginName, &dyn ScorePlugin, i64)] = &[
    (PluginName::TaintToleration, &TaintToleration, 3),
    (PluginName::NodeAffinity, &NodeAffinity, 2),
    (PluginName::NodeResourcesFit, &NodeResourcesFit, 1),
    (PluginName::PodTopologySpread, &PodTopologySpread, 2),
    (PluginName::InterPodAffinity, &InterPodAffinity, 2),
    (PluginName::NodeResourcesBalancedAllocation, &BalancedAllocation, 1),
    (PluginName::ImageLocality, &ImageLocality, 1),
];

/// The queueing hints of a plugin that can refuse Pods.
pub fn hints(plugin: PluginName) -> Option<&'static dyn QueueingHint> {
    Some(match plugin {
        PluginName::SchedulingGates => &SchedulingGates,
        PluginName::NodeUnschedulable => &NodeUnschedulable,
        PluginName::NodeName => &NodeName,
        PluginName::TaintToleration => &TaintToleration,
        PluginName::NodeAffinity => &NodeAffinity,
        PluginName::NodePorts => &NodePorts,
        PluginName::NodeResourcesFit => &NodeResourcesFit,
        PluginName::VolumeRestrictions => &VolumeRestrictions,
        PluginName::VolumeBinding => &VolumeBinding,
        PluginName::VolumeZone => &VolumeZone,
        PluginName::PodTopologySpread => &PodTopologySpread,
        PluginName::InterPodAffinity => &InterPodAffinity,
        PluginName::DynamicResources
        | PluginName::DefaultPreemption
        | PluginName::NodeResourcesBalancedAllocation
        | PluginName::ImageLocality
        | PluginName::DefaultBinder => return None,
    })
}

/// The plugin that keeps a Pod out of the queue, if any.
pub fn pre_enqueue(pod: &PodInfo) -> Option<PluginName> {
    scheduling_gates::is_gated(pod).then_some(PluginName::SchedulingGates)
}
