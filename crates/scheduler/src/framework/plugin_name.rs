//! The plugins of the default profile.

use std::fmt;

/// In the order in which the default profile runs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum PluginName {
    SchedulingGates,
    NodeUnschedulable,
    NodeName,
    TaintToleration,
    NodeAffinity,
    NodePorts,
    NodeResourcesFit,
    VolumeRestrictions,
    VolumeBinding,
    VolumeZone,
    PodTopologySpread,
    InterPodAffinity,
    DynamicResources,
    DefaultPreemption,
    NodeResourcesBalancedAllocation,
    ImageLocality,
    DefaultBinder,
}

impl PluginName {
    pub const ALL: [PluginName; 17] = [
        PluginName::SchedulingGates,
        PluginName::NodeUnschedulable,
        PluginName::NodeName,
        PluginName::TaintToleration,
        PluginName::NodeAffinity,
        PluginName::NodePorts,
        PluginName::NodeResourcesFit,
        PluginName::VolumeRestrictions,
        PluginName::VolumeBinding,
        PluginName::VolumeZone,
        PluginName::PodTopologySpread,
        PluginName::InterPodAffinity,
        PluginName::DynamicResources,
        PluginName::DefaultPreemption,
        PluginName::NodeResourcesBalancedAllocation,
        PluginName::ImageLocality,
        PluginName::DefaultBinder,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            PluginName::SchedulingGates => "SchedulingGates",
            PluginName::NodeUnschedulable => "NodeUnschedulable",
            PluginName::NodeName => "NodeName",
            PluginName::TaintToleration => "TaintToleration",
            PluginName::NodeAffinity => "NodeAffinity",
            PluginName::NodePorts => "NodePorts",
            PluginName::NodeResourcesFit => "NodeResourcesFit",
            PluginName::VolumeRestrictions => "VolumeRestrictions",
            PluginName::VolumeBinding => "VolumeBinding",
            PluginName::VolumeZone => "VolumeZone",
            PluginName::PodTopologySpread => "PodTopologySpread",
            PluginName::InterPodAffinity => "InterPodAffinity",
            PluginName::DynamicResources => "DynamicResources",
            PluginName::DefaultPreemption => "DefaultPreemption",
            PluginName::NodeResourcesBalancedAllocation => "NodeResourcesBalancedAllocation",
            PluginName::ImageLocality => "ImageLocality",
            PluginName::DefaultBinder => "DefaultBinder",
        }
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of plugins in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PluginSet(u32);

impl PluginSet {
    pub fn insert(&mut self, plugin: PluginName) {
        self.0 |= 1 << plugin as u32;
    }

    pub fn extend(&mut self, plugins: impl IntoIterator<Item = PluginName>) {
        plugins.into_iter().for_each(|plugin| self.insert(plugin));
    }

    pub fn contains(self, plugin: PluginName) -> bool {
        self.0 & (1 << plugin as u32) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = PluginName> {
        PluginName::ALL.into_iter().filter(move |plugin| self.contains(*plugin))
    }
}
