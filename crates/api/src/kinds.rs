//! The table of kinds. Adding one is a row here and a strategy in `apiserver::registry`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::{ListableResource, Metadata};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::object::Object;
use crate::request::Subresource;

/// A row's number. Small numbers are the built-in kinds in the table's order; custom resources follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindId(pub u16);

/// What the API server knows of a kind before it knows any object of it.
#[derive(Debug)]
pub struct Kind {
    pub id: KindId,
    /// Empty for the core group.
    pub group: &'static str,
    pub version: &'static str,
    /// `Pod`
    pub kind: &'static str,
    pub list_kind: &'static str,
    /// `pods`
    pub plural: &'static str,
    /// `pod`
    pub singular: &'static str,
    pub short_names: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub namespaced: bool,
    pub subresources: &'static [Subresource],
    /// Decodes the typed struct. Unknown fields are passed over: `crate::decode` reports them.
    pub decode: fn(Value) -> Result<Box<dyn Object>, serde_json::Error>,
}

impl Kind {
    /// `v1`, `apps/v1`
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.into() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `pods`, `deployments.apps`: how error messages and kubectl name the resource.
    pub fn group_resource(&self) -> String {
        if self.group.is_empty() { self.plural.into() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `Pod`, `Deployment.apps`: how validation errors name the kind.
    pub fn group_kind(&self) -> String {
        if self.group.is_empty() { self.kind.into() } else { format!("{}.{}", self.kind, self.group) }
    }

    pub fn has(&self, subresource: Subresource) -> bool {
        self.subresources.contains(&subresource)
    }
}

/// A Rust type that is a row of the table.
pub trait Kinded: Metadata<Ty = ObjectMeta> + ListableResource {
    const ID: KindId;

    fn row() -> &'static Kind {
        &KINDS[Self::ID.0 as usize]
    }
}

fn decode<T: Object + DeserializeOwned>(value: Value) -> Result<Box<dyn Object>, serde_json::Error> {
    Ok(Box::new(T::deserialize(value)?))
}

macro_rules! kinds {
    ($($scope:ident $type:ty, $singular:literal, [$($short:literal)*], [$($category:literal)*], [$($sub:ident)*];)*) => {
        pub static KINDS: &[Kind] = &[$(
            Kind {
                id: <$type as Kinded>::ID,
                group: <$type as k8s_openapi::Resource>::GROUP,
                version: <$type as k8s_openapi::Resource>::VERSION,
                kind: <$type as k8s_openapi::Resource>::KIND,
                list_kind: <$type as ListableResource>::LIST_KIND,
                plural: <$type as k8s_openapi::Resource>::URL_PATH_SEGMENT,
                singular: $singular,
                short_names: &[$($short),*],
                categories: &[$($category),*],
                namespaced: kinds!(@scope $scope),
                subresources: &[$(Subresource::$sub),*],
                decode: decode::<$type>,
            }
        ),*];
        kinds!(@number 0u16; $($type,)*);
    };
    (@scope namespaced) => { true };
    (@scope cluster) => { false };
    (@number $n:expr; ) => {};
    (@number $n:expr; $type:ty, $($rest:ty,)*) => {
        impl Kinded for $type {
            const ID: KindId = KindId($n);
        }
        kinds!(@number $n + 1; $($rest,)*);
    };
}

use crate::types::*;

kinds! {
    cluster Namespace, "namespace", ["ns"], [], [Status Finalize];
    cluster Node, "node", ["no"], [], [Status Proxy];
    namespaced Pod, "pod", ["po"], ["all"],
        [Status Binding Eviction Log Exec Attach PortForward Proxy EphemeralContainers Resize];
    namespaced Service, "service", ["svc"], ["all"], [Status Proxy];
    namespaced Endpoints, "endpoints", ["ep"], [], [];
    namespaced EndpointSlice, "endpointslice", [], [], [];
    namespaced ConfigMap, "configmap", ["cm"], [], [];
    namespaced Secret, "secret", [], [], [];
    namespaced ServiceAccount, "serviceaccount", ["sa"], [], [Token];
    cluster PersistentVolume, "persistentvolume", ["pv"], [], [Status];
    namespaced PersistentVolumeClaim, "persistentvolumeclaim", ["pvc"], [], [Status];
    cluster StorageClass, "storageclass", ["sc"], [], [];
    namespaced Event, "event", ["ev"], [], [];
    namespaced Lease, "lease", [], [], [];
    namespaced Deployment, "deployment", ["deploy"], ["all"], [Status Scale];
    namespaced ReplicaSet, "replicaset", ["rs"], ["all"], [Status Scale];
    namespaced StatefulSet, "statefulset", ["sts"], ["all"], [Status Scale];
    namespaced ControllerRevision, "controllerrevision", [], [], [];
    namespaced Ingress, "ingress", ["ing"], [], [Status];
    cluster IngressClass, "ingressclass", [], [], [];
    cluster PriorityClass, "priorityclass", ["pc"], [], [];
    namespaced PodDisruptionBudget, "poddisruptionbudget", ["pdb"], [], [Status];
}

/// Finds a row by group, version and plural name, as in a path.
pub fn by_resource(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|row| row.plural == plural && row.group == group && row.version == version)
}

/// Finds a row by `apiVersion` and `kind`, as in a manifest.
pub fn by_kind(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    KINDS.iter().find(|row| row.kind == kind && row.group == group && row.version == version)
}

/// The row of a built-in kind.
pub fn row(id: KindId) -> &'static Kind {
    &KINDS[id.0 as usize]
}
