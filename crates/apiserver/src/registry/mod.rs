//! One strategy a kind, in the order of `api::kinds`.

mod config_map;
mod controller_revision;
mod deployment;
mod endpoint_slice;
mod endpoints;
mod event;
mod ingress;
mod ingress_class;
mod lease;
mod namespace;
mod node;
mod persistent_volume;
mod persistent_volume_claim;
mod pod;
mod priority_class;
mod replica_set;
mod secret;
mod service;
mod service_account;
mod stateful_set;
mod storage_class;

use api::types::*;
use api::{KindId, Object};

use crate::strategy::Rules;

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
];

/// The rules of a kind.
pub fn rules(kind: KindId) -> &'static Rules {
    STRATEGIES.iter().find(|rules| rules.kind == kind).expect("every kind of the table has a strategy")
}

/// A namespace also waits for its `spec.finalizers`.
pub(crate) fn finishes_without_finalizers(object: &dyn Object) -> bool {
    let Some(namespace) = object.downcast_ref::<Namespace>() else { return true };
    let finalizers = namespace.spec.as_ref().and_then(|spec| spec.finalizers.as_ref());
    finalizers.is_none_or(Vec::is_empty)
}
