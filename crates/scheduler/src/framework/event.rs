//! What happens in the cluster that may make a waiting Pod schedulable.

use std::sync::Arc;

use api::types::{Node, PersistentVolume, PersistentVolumeClaim};

use crate::cache::PodInfo;

#[derive(Clone, Debug)]
pub enum ClusterEvent {
    NodeAdded(Arc<Node>),
    /// Only for changes of what scheduling looks at.
    NodeUpdated {
        old: Arc<Node>,
        new: Arc<Node>,
    },
    NodeDeleted,
    /// Pods on nodes.
    PodAdded(Arc<PodInfo>),
    PodUpdated {
        old: Arc<PodInfo>,
        new: Arc<PodInfo>,
    },
    PodDeleted(Arc<PodInfo>),
    /// The waiting Pod itself.
    UnscheduledPodUpdated {
        old: Arc<PodInfo>,
        new: Arc<PodInfo>,
    },
    ClaimChanged(Arc<PersistentVolumeClaim>),
    VolumeChanged(Arc<PersistentVolume>),
    StorageClassChanged,
    CsiNodeChanged,
    NamespaceChanged,
}
