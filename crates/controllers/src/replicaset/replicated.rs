//! What this controller looks after: ReplicaSets, and ReplicationControllers, which are the same under an older name.

use std::sync::Arc;

use api::selector::Selector;
use api::types::{
    PodTemplateSpec, ReplicaSet, ReplicaSetCondition, ReplicaSetStatus, ReplicationController,
    ReplicationControllerCondition, ReplicationControllerStatus,
};
use api::{Kinded, Object};
use client::Cache;

use crate::caches::{Caches, Seen};

/// An object before and after a change.
type Changed<'a, T> = (Option<&'a Arc<T>>, Option<&'a Arc<T>>);

pub trait Replicated: Kinded + Object + Clone {
    const CONTROLLER: &'static str;
    /// As events name their source.
    const COMPONENT: &'static str;

    fn cache(caches: &Caches) -> &Cache<Self>;
    fn changed(seen: &Seen) -> Option<Changed<'_, Self>>;
    fn selector(&self) -> Option<Selector>;
    fn template(&self) -> Option<&PodTemplateSpec>;
    fn replicas(&self) -> Option<i32>;
    fn min_ready_seconds(&self) -> i32;
    fn status(&self) -> ReplicaSetStatus;
    fn with_status(&self, status: ReplicaSetStatus) -> Self;
}

impl Replicated for ReplicaSet {
    const CONTROLLER: &'static str = "replicaset-controller";
    const COMPONENT: &'static str = "replicaset-controller";

    fn cache(caches: &Caches) -> &Cache<Self> {
        &caches.replica_sets
    }

    fn changed(seen: &Seen) -> Option<Changed<'_, Self>> {
        let Seen::ReplicaSet(old, new) = seen else { return None };
        Some((old.as_ref(), new.as_ref()))
    }

    fn selector(&self) -> Option<Selector> {
        self.spec.as_ref().map(|spec| Selector::from_label_selector(Some(&spec.selector)))
    }

    fn template(&self) -> Option<&PodTemplateSpec> {
        self.spec.as_ref()?.template.as_ref()
    }

    fn replicas(&self) -> Option<i32> {
        self.spec.as_ref()?.replicas
    }

    fn min_ready_seconds(&self) -> i32 {
        self.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or_default()
    }

    fn status(&self) -> ReplicaSetStatus {
        self.status.clone().unwrap_or_default()
    }

    fn with_status(&self, status: ReplicaSetStatus) -> Self {
        ReplicaSet { status: Some(status), ..self.clone() }
    }
}

impl Replicated for ReplicationController {
    const CONTROLLER: &'static str = "replicationcontroller-controller";
    const COMPONENT: &'static str = "replication-controller";

    fn cache(caches: &Caches) -> &Cache<Self> {
        &caches.replication_controllers
    }

    fn changed(seen: &Seen) -> Option<Changed<'_, Self>> {
        let Seen::ReplicationController(old, new) = seen else { return None };
        Some((old.as_ref(), new.as_ref()))
    }

    fn selector(&self) -> Option<Selector> {
        self.spec.as_ref()?.selector.as_ref().map(Selector::from_map)
    }

    fn template(&self) -> Option<&PodTemplateSpec> {
        self.spec.as_ref()?.template.as_ref()
    }

    fn replicas(&self) -> Option<i32> {
        self.spec.as_ref()?.replicas
    }

    fn min_ready_seconds(&self) -> i32 {
        self.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or_default()
    }

    fn status(&self) -> ReplicaSetStatus {
        let status = self.status.clone().unwrap_or_default();
        let condition = |condition: ReplicationControllerCondition| ReplicaSetCondition {
            type_: condition.type_,
            status: condition.status,
            reason: condition.reason,
            message: condition.message,
            last_transition_time: condition.last_transition_time,
        };
        ReplicaSetStatus {
            replicas: status.replicas,
            fully_labeled_replicas: status.fully_labeled_replicas,
            ready_replicas: status.ready_replicas,
            available_replicas: status.available_replicas,
            observed_generation: status.observed_generation,
            conditions: status.conditions.map(|conditions| conditions.into_iter().map(condition).collect()),
            terminating_replicas: None,
        }
    }

    fn with_status(&self, status: ReplicaSetStatus) -> Self {
        let condition = |condition: ReplicaSetCondition| ReplicationControllerCondition {
            type_: condition.type_,
            status: condition.status,
            reason: condition.reason,
            message: condition.message,
            last_transition_time: condition.last_transition_time,
        };
        let status = ReplicationControllerStatus {
            replicas: status.replicas,
            fully_labeled_replicas: status.fully_labeled_replicas,
            ready_replicas: status.ready_replicas,
            available_replicas: status.available_replicas,
            observed_generation: status.observed_generation,
            conditions: status.conditions.map(|conditions| conditions.into_iter().map(condition).collect()),
        };
        ReplicationController { status: Some(status), ..self.clone() }
    }
}
