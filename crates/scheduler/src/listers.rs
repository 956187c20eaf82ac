//! The objects besides Pods and nodes that plugins look up.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::types::{
    Namespace, PersistentVolume, PersistentVolumeClaim, PodDisruptionBudget, ReplicaSet, Service, StatefulSet,
    StorageClass,
};
use client::Cache;

#[derive(Clone, Default)]
pub struct Listers {
    pub namespaces: Cache<Namespace>,
    pub services: Cache<Service>,
    pub replica_sets: Cache<ReplicaSet>,
    pub stateful_sets: Cache<StatefulSet>,
    pub claims: Cache<PersistentVolumeClaim>,
    pub volumes: Cache<PersistentVolume>,
    pub storage_classes: Cache<StorageClass>,
    pub budgets: Cache<PodDisruptionBudget>,
    /// Volumes that were promised to a Pod whose binding is under way, with the Pod's uid.
    pub assumed_volumes: BTreeMap<String, Arc<str>>,
}
