//! Finds a Pod's volumes for one node, writes the choice, and waits for the volume controllers to carry it out.

use std::sync::Arc;

use api::types::{ObjectReference, PersistentVolume, PersistentVolumeClaim, TopologySelectorTerm};
use api::{Kinded, Object, Request, Verb, meta};
use client::Client;

use super::matching::find_matching_volume;
use super::{BOUND_BY_CONTROLLER, Claims, NO_PROVISIONER, REASON_NO_VOLUME, REASON_NODE_CONFLICT, REASON_VOLUME_GONE};
use super::{SELECTED_NODE, class_name, is_fully_bound, reaches, volume_name};
use crate::cache::NodeInfo;
use crate::framework::Status;
use crate::listers::Listers;

/// What a Pod needs on the node that was chosen for it.
#[derive(Clone, Debug, Default)]
pub struct PodVolumes {
    /// Claim keys with the volumes that they get.
    pub bindings: Vec<(String, String)>,
    /// Keys of claims for which a volume is ordered.
    pub provisions: Vec<String>,
}

impl PodVolumes {
    pub fn is_empty(&self) -> bool {
        self.bindings.is_empty() && self.provisions.is_empty()
    }

    fn claims(&self) -> impl Iterator<Item = &String> {
        self.bindings.iter().map(|(claim, _)| claim).chain(&self.provisions)
    }
}

/// The Pod's volumes on a node, or why they cannot be had there.
pub fn find_pod_volumes(listers: &Listers, claims: &Claims, node: &NodeInfo) -> Result<PodVolumes, Status> {
    for claim in &claims.bound {
        let Some(volume) = listers.volumes.get(volume_name(claim)) else {
            return Err(Status::unresolvable(REASON_VOLUME_GONE));
        };
        if !reaches(volume, node) {
            return Err(Status::unresolvable(REASON_NODE_CONFLICT));
        }
    }
    let mut found = PodVolumes::default();
    let mut taken: Vec<String> = Vec::new();
    for claim in &claims.unbound {
        let key = meta::key(&claim.metadata);
        let selected = meta::annotation(&claim.metadata, SELECTED_NODE);
        if selected.is_some_and(|selected| selected != &*node.name) {
            return Err(Status::unresolvable(REASON_NO_VOLUME));
        }
        let volume = if selected.is_none() { find_matching_volume(listers, claim, node, &taken) } else { None };
        if let Some(name) = volume.and_then(|volume| volume.metadata.name.clone()) {
            taken.push(name.clone());
            found.bindings.push((key, name));
        } else if can_provision(listers, claim, node) {
            found.provisions.push(key);
        } else {
            return Err(Status::unresolvable(REASON_NO_VOLUME));
        }
    }
    Ok(found)
}

fn can_provision(listers: &Listers, claim: &PersistentVolumeClaim, node: &NodeInfo) -> bool {
    let Some(class) = listers.storage_classes.get(class_name(claim)) else { return false };
    let allows = |term: &TopologySelectorTerm| {
        term.match_label_expressions
            .iter()
            .flatten()
            .all(|rule| node.label(&rule.key).is_some_and(|value| rule.values.iter().any(|known| known == value)))
    };
    let topologies = class.allowed_topologies.as_deref().unwrap_or_default();
    !class.provisioner.is_empty()
        && class.provisioner != NO_PROVISIONER
        && (topologies.is_empty() || topologies.iter().any(allows))
}

/// Writes the choice: volumes get their claim, claims that wait for a new volume the node. Upstream does so in the
/// binding cycle, whose calls do not hold up the next scheduling cycle.
pub fn bind(client: &mut Client, listers: &Listers, volumes: &PodVolumes, node: &str) -> Result<(), String> {
    for (claim, volume) in &volumes.bindings {
        let (Some(claim), Some(volume)) = (listers.claims.get(claim), listers.volumes.get(volume)) else {
            return Err(format!("could not find v1.PersistentVolume {volume:?}"));
        };
        let mut volume: PersistentVolume = (**volume).clone();
        if let Some(spec) = &mut volume.spec {
            spec.claim_ref = Some(reference_to(claim));
        }
        meta::set_annotation(&mut volume.metadata, BOUND_BY_CONTROLLER, "yes");
        write(client, volume)?;
    }
    for key in &volumes.provisions {
        let Some(claim) = listers.claims.get(key) else {
            return Err(format!("could not find v1.PersistentVolumeClaim {key:?}"));
        };
        let mut claim: PersistentVolumeClaim = (**claim).clone();
        meta::set_annotation(&mut claim.metadata, SELECTED_NODE, node);
        write(client, claim)?;
    }
    Ok(())
}

fn reference_to(claim: &Arc<PersistentVolumeClaim>) -> ObjectReference {
    ObjectReference {
        api_version: Some("v1".into()),
        kind: Some("PersistentVolumeClaim".into()),
        namespace: claim.metadata.namespace.clone(),
        name: claim.metadata.name.clone(),
        uid: claim.metadata.uid.clone(),
        resource_version: claim.metadata.resource_version.clone(),
        ..ObjectReference::default()
    }
}

fn write<T: Kinded + Object>(client: &mut Client, object: T) -> Result<(), String> {
    let meta = object.metadata();
    let (namespace, name) = (meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default());
    let request = Request::new::<T>(Verb::Update, &namespace, &name).body(object);
    client.call_detached(request).map(drop).map_err(|status| status.message)
}

/// Whether the volume controllers are done. `Err` when they have given up on a claim, which frees its choice of node.
pub fn are_bound(listers: &Listers, volumes: &PodVolumes, node: &str) -> Result<bool, String> {
    let mut all = true;
    for key in volumes.claims() {
        let Some(claim) = listers.claims.get(key) else {
            return Err(format!("could not find v1.PersistentVolumeClaim {key:?}"));
        };
        all &= is_fully_bound(claim);
        let selected = meta::annotation(&claim.metadata, SELECTED_NODE);
        if volumes.provisions.contains(key) && !is_fully_bound(claim) && selected != Some(node) {
            return Err(format!("provisioning failed for PVC {:?}", meta::split_key(key).1));
        }
    }
    Ok(all)
}
