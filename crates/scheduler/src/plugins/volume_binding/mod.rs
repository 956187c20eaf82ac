//! Brings Pods to nodes that can reach their volumes, and binds or orders volumes for claims that wait for their first
//! consumer.

mod binder;
mod matching;

use std::sync::Arc;

use api::meta;
use api::types::{PersistentVolumeClaim, StorageClass};

use super::volume_restrictions::concerns;
use crate::cache::{NodeInfo, PodInfo};
use crate::framework::{
    ClusterEvent, CycleState, FilterPlugin, Handle, PreFilterPlugin, PreFilterResult, QueueingHint, Status,
};
use crate::listers::Listers;
use api::node_selector::NodeTerms;

pub use binder::{PodVolumes, are_bound, bind, find_pod_volumes};

pub struct VolumeBinding;

#[derive(Clone, Debug, Default)]
pub struct State {
    claims: Arc<Claims>,
}

/// A Pod's claims.
#[derive(Debug, Default)]
pub struct Claims {
    bound: Vec<Arc<PersistentVolumeClaim>>,
    /// Waiting for a consumer, the smallest first.
    unbound: Vec<Arc<PersistentVolumeClaim>>,
}

const REASON_UNBOUND_IMMEDIATE: &str = "pod has unbound immediate PersistentVolumeClaims";
const REASON_NO_VOLUME: &str = "node(s) didn't find available persistent volumes to bind";
const REASON_NODE_CONFLICT: &str = "node(s) didn't match PersistentVolume's node affinity";
const REASON_VOLUME_GONE: &str = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";

const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

fn volume_name(claim: &PersistentVolumeClaim) -> &str {
    claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).unwrap_or_default()
}

fn class_name(claim: &PersistentVolumeClaim) -> &str {
    claim.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref()).unwrap_or_default()
}

/// Bound from both sides.
fn is_fully_bound(claim: &PersistentVolumeClaim) -> bool {
    !volume_name(claim).is_empty() && meta::annotation(&claim.metadata, BIND_COMPLETED).is_some()
}

fn waits_for_consumer(class: &StorageClass) -> bool {
    class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer")
}

impl PreFilterPlugin for VolumeBinding {
    fn pre_filter(&self, handle: Handle, state: &mut CycleState, pod: &PodInfo) -> Result<PreFilterResult, Status> {
        if pod.claims.is_empty() {
            return Err(Status::SKIP);
        }
        let mut claims = Claims::default();
        for key in &pod.claims {
            let claim = usable_claim(handle.listers, pod, key)?;
            if is_fully_bound(claim) {
                claims.bound.push(claim.clone());
                continue;
            }
            let class = handle.listers.storage_classes.get(class_name(claim));
            if !class.is_some_and(|class| waits_for_consumer(class)) || !volume_name(claim).is_empty() {
                return Err(Status::unresolvable(REASON_UNBOUND_IMMEDIATE));
            }
            claims.unbound.push(claim.clone());
        }
        claims.unbound.sort_by_key(|claim| matching::requested(claim));
        state.volume_binding.claims = Arc::new(claims);
        Ok(None)
    }
}

fn usable_claim<'a>(listers: &'a Listers, pod: &PodInfo, key: &str) -> Result<&'a Arc<PersistentVolumeClaim>, Status> {
    let name = meta::split_key(key).1;
    let Some(claim) = listers.claims.get(key) else {
        let named = pod
            .spec()
            .into_iter()
            .flat_map(|spec| spec.volumes.iter().flatten())
            .any(|volume| volume.persistent_volume_claim.as_ref().is_some_and(|source| source.claim_name == name));
        return Err(Status::unresolvable(if named {
            format!("persistentvolumeclaim {name:?} not found")
        } else {
            format!("waiting for ephemeral volume controller to create the persistentvolumeclaim {name:?}")
        }));
    };
    if claim.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Lost") {
        let volume = volume_name(claim);
        let text = format!("persistentvolumeclaim {name:?} bound to non-existent persistentvolume {volume:?}");
        return Err(Status::unresolvable(text));
    }
    if meta::is_being_deleted(&claim.metadata) {
        return Err(Status::unresolvable(format!("persistentvolumeclaim {name:?} is being deleted")));
    }
    Ok(claim)
}

impl FilterPlugin for VolumeBinding {
    fn filter(&self, handle: Handle, state: &CycleState, _pod: &PodInfo, node: &NodeInfo) -> Status {
        match find_pod_volumes(handle.listers, &state.volume_binding.claims, node) {
            Ok(_) => Status::SUCCESS,
            Err(status) => status,
        }
    }
}

impl State {
    /// What is to be bound or ordered when the Pod goes to the node. Empty for most Pods.
    pub fn reserve(&self, listers: &Listers, node: &NodeInfo) -> Result<PodVolumes, Status> {
        find_pod_volumes(listers, &self.claims, node)
    }
}

fn reaches(volume: &api::types::PersistentVolume, node: &NodeInfo) -> bool {
    let affinity = volume.spec.as_ref().and_then(|spec| spec.node_affinity.as_ref());
    let required = affinity.and_then(|affinity| affinity.required.as_ref());
    required.is_none_or(|selector| NodeTerms::new(selector).matches(&node.name, node.labels()))
}

impl QueueingHint for VolumeBinding {
    fn may_help(&self, _handle: Handle, pod: &PodInfo, event: &ClusterEvent) -> bool {
        match event {
            ClusterEvent::ClaimChanged(claim) => concerns(pod, &claim.metadata),
            ClusterEvent::VolumeChanged(_)
            | ClusterEvent::StorageClassChanged
            | ClusterEvent::NodeAdded(_)
            | ClusterEvent::NodeUpdated { .. } => true,
            _ => false,
        }
    }
}
