//! The informer caches that all controllers share.

use std::sync::Arc;

use api::Kinded;
use api::meta;
use api::types::*;
use client::{Cache, Change};

/// Pods by the uid of the controller that owns them, or by [`orphans_of`] their namespace.
pub const PODS_BY_CONTROLLER: usize = 0;
/// Pods by the node that they are bound to.
pub const PODS_BY_NODE: usize = 1;
/// Pods by each of their labels, as [`label_value`] writes it.
pub const PODS_BY_LABEL: usize = 2;
/// ReplicaSets and the like by the uid of their controller, or by [`orphans_of`] their namespace.
pub const BY_CONTROLLER: usize = 0;
/// EndpointSlices by `namespace/service`.
pub const SLICES_BY_SERVICE: usize = 0;
/// Services by the first pair of their selector, as [`label_value`] writes it.
pub const SERVICES_BY_SELECTOR: usize = 0;

macro_rules! caches {
    ($($field:ident: $type:ident [$($index:expr),*];)*) => {
        /// One informer cache for each kind that a controller looks things up in.
        #[derive(Clone)]
        pub struct Caches {
            $(pub $field: Cache<$type>,)*
        }

        /// An object before and after a change.
        pub enum Seen {
            $($type(Option<Arc<$type>>, Option<Arc<$type>>),)*
            /// A kind without a cache.
            Other,
        }

        impl Default for Caches {
            fn default() -> Caches {
                Caches { $($field: Cache::with_indices(&[$($index),*]),)* }
            }
        }

        impl Caches {
            pub(crate) fn apply(&mut self, change: &Change) -> Seen {
                let kind = change.object.kind_id();
                $(if kind == $type::ID {
                    let (old, new) = self.$field.apply(change);
                    return Seen::$type(old, new);
                })*
                Seen::Other
            }
        }
    };
}

caches! {
    pods: Pod [by_controller, by_node, by_label];
    nodes: Node [];
    leases: Lease [];
    namespaces: Namespace [];
    services: Service [by_selector];
    endpoints: Endpoints [];
    endpoint_slices: EndpointSlice [by_service];
    config_maps: ConfigMap [];
    service_accounts: ServiceAccount [];
    volumes: PersistentVolume [];
    claims: PersistentVolumeClaim [];
    storage_classes: StorageClass [];
    deployments: Deployment [];
    replica_sets: ReplicaSet [by_controller];
    stateful_sets: StatefulSet [];
    daemon_sets: DaemonSet [];
    replication_controllers: ReplicationController [];
    jobs: Job [by_controller];
    cron_jobs: CronJob [];
    resource_quotas: ResourceQuota [];
    autoscalers: HorizontalPodAutoscaler [];
    controller_revisions: ControllerRevision [by_controller];
    disruption_budgets: PodDisruptionBudget [];
}

/// The index value of objects of a namespace that no controller owns.
pub fn orphans_of(namespace: &str) -> String {
    ["orphans/", namespace].concat()
}

pub fn label_value(namespace: &str, key: &str, value: &str) -> String {
    [namespace, "/", key, "=", value].concat()
}

fn by_controller<T: Kinded>(object: &T) -> Vec<String> {
    let meta = object.metadata();
    vec![match meta::controller_of(meta) {
        Some(owner) => owner.uid.clone(),
        None => orphans_of(meta.namespace.as_deref().unwrap_or_default()),
    }]
}

fn by_node(pod: &Pod) -> Vec<String> {
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).filter(|node| !node.is_empty());
    node.into_iter().collect()
}

fn by_label(pod: &Pod) -> Vec<String> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    meta::labels(&pod.metadata).iter().map(|(key, value)| label_value(namespace, key, value)).collect()
}

fn by_selector(service: &Service) -> Vec<String> {
    let namespace = service.metadata.namespace.as_deref().unwrap_or_default();
    let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    let first = selector.and_then(|selector| selector.iter().next());
    first.map(|(key, value)| label_value(namespace, key, value)).into_iter().collect()
}

fn by_service(slice: &EndpointSlice) -> Vec<String> {
    let service = meta::label(&slice.metadata, "kubernetes.io/service-name");
    service
        .map(|name| meta::key_of(slice.metadata.namespace.as_deref().unwrap_or_default(), name))
        .into_iter()
        .collect()
}
