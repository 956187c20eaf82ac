//! The kinds' rules: one file, or folder, each. Upstream: `pkg/registry/*/*/strategy.go`, `pkg/apis/*/v1/defaults.go` and
//! `pkg/apis/*/validation`.
//!
//! Adding a kind: a row in `api::kinds`, a file here, and a line in [`STRATEGIES`].

mod config_map;
mod controller_revision;
mod deployment;
mod endpoint_slice;
mod endpoints;
mod event;
mod go_diff;
mod ingress;
mod ingress_class;
mod lease;
mod namespace;
mod node;
mod persistent_volume;
mod persistent_volume_claim;
pub mod pod;
mod pod_disruption_budget;
mod pod_template;
mod priority_class;
mod replica_set;
mod rules;
mod secret;
mod service;
mod service_account;
mod stateful_set;
mod storage_class;

use api::types::*;
use api::{KindId, Object};

use crate::strategy::Rules;

/// In the order of `api::kinds`.
static STRATEGIES: &[Rules] = &[
    Rules::of::<Namespace>(),
    Rules::of::<Node>(),
    Rules::of::<Pod>(),
    Rules::of::<Service>(),
    Rules::of::<Endpoints>(),
    Rules::of::<EndpointSlice>(),
    Rules::of::<ConfigMap>(),
    Rules::of::<Secret>(),
    Rules::of::<ServiceAccount>(),
    Rules::of::<PersistentVolume>(),
    Rules::of::<PersistentVolumeClaim>(),
    Rules::of::<StorageClass>(),
    Rules::of::<Event>(),
    Rules::of::<Lease>(),
    Rules::of::<Deployment>(),
    Rules::of::<ReplicaSet>(),
    Rules::of::<StatefulSet>(),
    Rules::of::<ControllerRevision>(),
    Rules::of::<Ingress>(),
    Rules::of::<IngressClass>(),
    Rules::of::<PriorityClass>(),
    Rules::of::<PodDisruptionBudget>(),
];

/// The rules of a built-in kind.
pub fn rules(kind: KindId) -> &'static Rules {
    &STRATEGIES[kind.0 as usize]
}

/// Whether an object that is being deleted may go once it has no `metadata.finalizers`. A namespace has finalizers of its
/// own in `spec`.
pub fn finishes_without_finalizers(object: &dyn Object) -> bool {
    let Some(namespace) = object.downcast_ref::<Namespace>() else { return true };
    namespace.spec.as_ref().and_then(|spec| spec.finalizers.as_ref()).is_none_or(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stand_in_the_order_of_the_kinds() {
        for (index, row) in api::kinds::KINDS.iter().enumerate() {
            assert_eq!(rules(row.id).kind, KindId(index as u16), "{}", row.kind);
        }
        assert_eq!(STRATEGIES.len(), api::kinds::KINDS.len());
    }
}
