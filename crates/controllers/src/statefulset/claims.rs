//! The claims of a StatefulSet's Pods, and what becomes of them.

use std::sync::Arc;

use api::types::{OwnerReference, PersistentVolumeClaim, Pod, StatefulSet};
use api::{Status, meta};
use client::EventType;

use super::control::{Pass, Sync};
use super::identity;

impl Sync<'_, '_> {
    /// Creates the claims of a Pod that do not exist yet.
    pub fn create_claims(&mut self, pod: &Pod) -> Result<(), Status> {
        let set = self.set;
        let namespace = set.metadata.namespace.as_deref().unwrap_or_default();
        let mut result = Ok(());
        let templates = set.spec.iter().flat_map(|spec| spec.volume_claim_templates.iter().flatten());
        for template in templates {
            let claim = new_claim(set, template, identity::ordinal(pod));
            let name = claim.metadata.name.clone().unwrap_or_default();
            match self.caches.claims.find(namespace, &name) {
                Some(found) if meta::is_being_deleted(&found.metadata) => {
                    result = Err(Status::internal(format!("pvc {name} is being deleted")));
                }
                Some(_) => {}
                None => match self.client.create(claim) {
                    Err(status) if status.is_already_exists() => {}
                    Err(status) => {
                        self.record_claim_event(&name, pod, Some(&status));
                        result = Err(status);
                    }
                    Ok(_) => self.record_claim_event(&name, pod, None),
                },
            }
        }
        result
    }

    fn record_claim_event(&mut self, claim: &str, pod: &Pod, error: Option<&Status>) {
        let set = self.set;
        let pod = pod.metadata.name.as_deref().unwrap_or_default();
        let name = set.metadata.name.as_deref().unwrap_or_default();
        match error {
            None => {
                let message = format!("Create Claim {claim} Pod {pod} in StatefulSet {name} success");
                self.recorder.event(self.client, set, EventType::Normal, "SuccessfulCreate", message);
            }
            Some(error) => {
                let message = format!("Create Claim {claim} for Pod {pod} in StatefulSet {name} failed error: {error}");
                self.recorder.event(self.client, set, EventType::Warning, "FailedCreate", message);
            }
        }
    }

    fn claims_of(&self, pod: &Pod) -> Vec<Arc<PersistentVolumeClaim>> {
        let set = self.set;
        let namespace = set.metadata.namespace.as_deref().unwrap_or_default();
        let ordinal = identity::ordinal(pod);
        let names = identity::templates(set).map(|template| identity::claim_name(set, template, ordinal));
        names.filter_map(|name| self.caches.claims.find(namespace, &name).cloned()).collect()
    }

    /// A claim that still belongs to an earlier Pod of this name is about to be deleted with it.
    pub fn has_stale_claims(&self, pod: &Pod) -> bool {
        let owned_by_pod = |claim: &Arc<PersistentVolumeClaim>| {
            let owners = claim.metadata.owner_references.iter().flatten();
            let mut owners = owners.filter(|owner| owner.kind == "Pod");
            owners.any(|owner| Some(&owner.name) == pod.metadata.name.as_ref())
        };
        self.claims_of(pod).iter().any(owned_by_pod)
    }

    pub fn claims_match_retention(&self, pod: &Pod) -> bool {
        let set = self.set;
        self.claims_of(pod).iter().all(|claim| wanted_owners(set, pod, claim).is_none())
    }

    /// Ties the claims to the set or to the Pod, so that the garbage collector deletes them with it, as the policy asks.
    pub fn fix_claims(&mut self, pod: &Pod) -> Result<Pass, Status> {
        let set = self.set;
        for claim in self.claims_of(pod) {
            if let Some(owners) = wanted_owners(set, pod, &claim) {
                let mut changed = (*claim).clone();
                changed.metadata.owner_references = Some(owners).filter(|owners| !owners.is_empty());
                self.client.update(changed)?;
            }
        }
        Ok(Pass::Continue)
    }
}

/// The owners that a claim should have; `None` when it has them. Owners from elsewhere are left alone.
fn wanted_owners(set: &StatefulSet, pod: &Pod, claim: &PersistentVolumeClaim) -> Option<Vec<OwnerReference>> {
    let policy = set.spec.as_ref().and_then(|spec| spec.persistent_volume_claim_retention_policy.as_ref());
    let deletes = |value: Option<&String>| value.is_some_and(|value| value == "Delete");
    let scaled = policy.is_some_and(|policy| deletes(policy.when_scaled.as_ref()));
    let deleted = policy.is_some_and(|policy| deletes(policy.when_deleted.as_ref()));
    let condemned = !identity::is_in_range(identity::ordinal(pod), set);
    let by_pod = scaled && condemned;
    let by_set = deleted && !by_pod;

    let owners = claim.metadata.owner_references.as_deref().unwrap_or_default();
    let is_ours = |owner: &OwnerReference| {
        Some(&owner.uid) == set.metadata.uid.as_ref() || Some(&owner.uid) == pod.metadata.uid.as_ref()
    };
    let mut wanted: Vec<OwnerReference> = owners.iter().filter(|owner| !is_ours(owner)).cloned().collect();
    if by_set {
        wanted.push(meta::controller_reference(set));
    }
    if by_pod {
        wanted.push(OwnerReference { controller: None, block_owner_deletion: None, ..meta::controller_reference(pod) });
    }
    let same =
        wanted.len() == owners.len() && wanted.iter().all(|owner| owners.iter().any(|other| other.uid == owner.uid));
    (!same).then_some(wanted)
}

fn new_claim(set: &StatefulSet, template: &PersistentVolumeClaim, ordinal: i32) -> PersistentVolumeClaim {
    let mut claim = PersistentVolumeClaim { status: None, ..template.clone() };
    let name = template.metadata.name.as_deref().unwrap_or_default();
    claim.metadata.name = Some(identity::claim_name(set, name, ordinal));
    claim.metadata.namespace = set.metadata.namespace.clone();
    let selected = set.spec.as_ref().and_then(|spec| spec.selector.match_labels.as_ref());
    for (key, value) in selected.into_iter().flatten() {
        meta::set_label(&mut claim.metadata, key, value.clone());
    }
    claim
}
