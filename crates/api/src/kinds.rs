//! The table of kinds. Adding one is a row here and a strategy in `apiserver::registry`.
//!
//! A kind that some component works with is `typed`: its objects are `k8s-openapi` structs. The others are `tree`s: JSON
//! that decoding has checked against the schema ([`crate::object::Tree`]), which costs the page no code. A `review` is
//! only ever created and never stored. A row may be a view of another: a second version, or a twin in another group.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::{ListableResource, Metadata, Resource};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::custom::{self, CustomKind};
use crate::object::{Draft, Object, Tree};
use crate::request::{Subresource, Verb};

/// A row's number. Small numbers are the built-in kinds in the table's order; those of custom resources are hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindId(pub u32);

impl KindId {
    const CUSTOM: u32 = 1 << 31;

    /// Every custom resource: what the garbage collector watches, as upstream's opens a watch for each.
    pub const ANY_CUSTOM: KindId = KindId(u32::MAX);

    /// The number of a custom kind: the same wherever its resource has these names.
    pub(crate) fn custom(hash: u32) -> KindId {
        KindId(hash | KindId::CUSTOM)
    }

    /// A kind that a CustomResourceDefinition makes.
    pub fn is_custom(self) -> bool {
        self.0 & KindId::CUSTOM != 0
    }
}

/// What the API server knows of a kind before it knows any object of it.
#[derive(Clone, Debug)]
pub struct Kind {
    pub id: KindId,
    /// Empty for the core group.
    pub group: &'static str,
    pub version: &'static str,
    /// `Pod`
    pub kind: &'static str,
    /// Empty for reviews.
    pub list_kind: &'static str,
    /// `pods`
    pub plural: &'static str,
    /// `pod`
    pub singular: &'static str,
    pub short_names: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub namespaced: bool,
    pub subresources: &'static [Subresource],
    /// Decodes the object. Unknown fields are passed over: `crate::decode` reports them.
    pub decode: fn(&'static Kind, Value) -> Result<Draft, serde::de::value::Error>,
    /// Objects of this kind are kept as those of another.
    pub view: Option<View>,
    /// What else a CustomResourceDefinition says of it.
    pub custom: Option<&'static CustomKind>,
}

/// How a kind is kept as another.
#[derive(Clone, Copy, Debug)]
pub struct View {
    pub stored: KindId,
    pub to_stored: fn(Value) -> Value,
    pub from_stored: fn(Value) -> Value,
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

    /// A question that is answered and forgotten: it can be created, and nothing else.
    pub fn is_review(&self) -> bool {
        self.list_kind.is_empty()
    }

    /// In the order in which discovery lists them.
    pub fn verbs(&self) -> &'static [Verb] {
        use Verb::*;
        match self.kind {
            _ if self.is_review() => &[Create],
            _ if self.id.is_custom() => &[Delete, DeleteCollection, Get, List, Patch, Create, Update, Watch],
            "Namespace" => &[Create, Delete, Get, List, Patch, Update, Watch],
            "ComponentStatus" => &[Get, List],
            _ => &[Create, Delete, DeleteCollection, Get, List, Patch, Update, Watch],
        }
    }

    /// The kind as which its objects are kept: itself, unless it is a view.
    pub fn stored(&'static self) -> &'static Kind {
        self.view.map_or(self, |view| row(view.stored))
    }

    /// Objects of this kind lie in the store under its own name.
    pub fn is_stored(&self) -> bool {
        self.view.is_none() && self.verbs().contains(&Verb::Create) && !self.is_review()
    }
}

/// A Rust type that is a row of the table.
pub trait Kinded: Metadata<Ty = ObjectMeta> + ListableResource {
    const ID: KindId;

    fn row() -> &'static Kind {
        &KINDS[Self::ID.0 as usize]
    }
}

fn typed<T: Object + DeserializeOwned>(_: &'static Kind, value: Value) -> Result<Draft, serde::de::value::Error> {
    Ok(Draft::new(crate::decode::typed::<T>(value)?))
}

pub(crate) fn tree(kind: &'static Kind, value: Value) -> Result<Draft, serde::de::value::Error> {
    Ok(Draft::new(Tree::new(kind.id, value)))
}

macro_rules! kinds {
    ($($scope:ident $form:ident $type:ty $(=> $view:expr)?, $singular:literal, [$($short:literal)*], [$($category:literal)*],
       [$($sub:ident)*];)*) => {
        pub static KINDS: &[Kind] = &kinds!(@rows [] 0u32; $(
            {
                $form $type;
                group: <$type as Resource>::GROUP,
                version: <$type as Resource>::VERSION,
                kind: <$type as Resource>::KIND,
                plural: <$type as Resource>::URL_PATH_SEGMENT,
                singular: $singular,
                short_names: &[$($short),*],
                categories: &[$($category),*],
                namespaced: kinds!(@scope $scope),
                subresources: &[$(Subresource::$sub),*],
                view: kinds!(@view $($view)?),
            }
        )*);
        kinds!(@ids 0u32; $($form $type,)*);
    };
    (@rows [$($done:expr,)*] $n:expr; ) => { [$($done),*] };
    (@rows [$($done:expr,)*] $n:expr; { $form:ident $type:ty; $($field:ident: $value:expr,)* } $($rest:tt)*) => {
        kinds!(@rows [$($done,)* Kind {
            id: KindId($n),
            list_kind: kinds!(@list $form $type),
            decode: kinds!(@decode $form $type),
            custom: None,
            $($field: $value,)*
        },] $n + 1; $($rest)*)
    };
    (@ids $n:expr; ) => {};
    (@ids $n:expr; typed $type:ty, $($rest:tt)*) => {
        impl Kinded for $type {
            const ID: KindId = KindId($n);
        }
        kinds!(@ids $n + 1; $($rest)*);
    };
    (@ids $n:expr; $form:ident $type:ty, $($rest:tt)*) => { kinds!(@ids $n + 1; $($rest)*); };
    (@scope namespaced) => { true };
    (@scope cluster) => { false };
    (@view) => { None };
    (@view $view:expr) => { Some($view) };
    (@list review $type:ty) => { "" };
    (@list $form:ident $type:ty) => { <$type as ListableResource>::LIST_KIND };
    (@decode typed $type:ty) => { typed::<$type> };
    (@decode $form:ident $type:ty) => { tree };
}

use k8s_openapi::api::admissionregistration::v1 as admission;
use k8s_openapi::api::authentication::v1 as authentication;
use k8s_openapi::api::authorization::v1 as authorization;
use k8s_openapi::api::autoscaling;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::events::v1 as events;
use k8s_openapi::api::flowcontrol::v1 as flow;
use k8s_openapi::api::resource::v1 as resource;
use k8s_openapi::api::storage::v1 as storage;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;

use crate::types::*;
use crate::view;

kinds! {
    cluster typed Namespace, "namespace", ["ns"], [], [Status Finalize];
    cluster typed Node, "node", ["no"], [], [Status Proxy];
    namespaced typed Pod, "pod", ["po"], ["all"],
        [Status Binding Eviction Log Exec Attach PortForward Proxy EphemeralContainers Resize];
    namespaced typed Service, "service", ["svc"], ["all"], [Status Proxy];
    namespaced typed Endpoints, "endpoints", ["ep"], [], [];
    namespaced typed EndpointSlice, "endpointslice", [], [], [];
    namespaced typed ConfigMap, "configmap", ["cm"], [], [];
    namespaced typed Secret, "secret", [], [], [];
    namespaced typed ServiceAccount, "serviceaccount", ["sa"], [], [Token];
    cluster typed PersistentVolume, "persistentvolume", ["pv"], [], [Status];
    namespaced typed PersistentVolumeClaim, "persistentvolumeclaim", ["pvc"], [], [Status];
    cluster typed StorageClass, "storageclass", ["sc"], [], [];
    namespaced typed Event, "event", ["ev"], [], [];
    namespaced typed Lease, "lease", [], [], [];
    namespaced typed Deployment, "deployment", ["deploy"], ["all"], [Status Scale];
    namespaced typed ReplicaSet, "replicaset", ["rs"], ["all"], [Status Scale];
    namespaced typed StatefulSet, "statefulset", ["sts"], ["all"], [Status Scale];
    namespaced typed ControllerRevision, "controllerrevision", [], [], [];
    namespaced typed Ingress, "ingress", ["ing"], [], [Status];
    cluster typed IngressClass, "ingressclass", [], [], [];
    cluster typed PriorityClass, "priorityclass", ["pc"], [], [];
    namespaced typed PodDisruptionBudget, "poddisruptionbudget", ["pdb"], [], [Status];
    namespaced typed PodTemplate, "podtemplate", [], [], [];
    namespaced typed ReplicationController, "replicationcontroller", ["rc"], ["all"], [Status Scale];
    namespaced typed ResourceQuota, "resourcequota", ["quota"], [], [Status];
    namespaced typed LimitRange, "limitrange", ["limits"], [], [];
    namespaced review Binding, "binding", [], [], [];
    cluster tree ComponentStatus, "componentstatus", ["cs"], [], [];
    namespaced typed DaemonSet, "daemonset", ["ds"], ["all"], [Status];
    namespaced typed Job, "job", [], ["all"], [Status];
    namespaced typed CronJob, "cronjob", ["cj"], ["all"], [Status];
    namespaced typed HorizontalPodAutoscaler, "horizontalpodautoscaler", ["hpa"], ["all"], [Status];
    namespaced tree autoscaling::v1::HorizontalPodAutoscaler => view::AUTOSCALER_V1, "horizontalpodautoscaler",
        ["hpa"], ["all"], [Status];
    namespaced tree events::Event => view::EVENT_V1, "event", ["ev"], [], [];
    namespaced typed NetworkPolicy, "networkpolicy", ["netpol"], [], [];
    cluster tree IPAddress, "ipaddress", ["ip"], [], [];
    cluster tree ServiceCIDR, "servicecidr", [], [], [Status];
    namespaced typed Role, "role", [], [], [];
    namespaced typed RoleBinding, "rolebinding", [], [], [];
    cluster typed ClusterRole, "clusterrole", [], [], [];
    cluster typed ClusterRoleBinding, "clusterrolebinding", [], [], [];
    cluster tree storage::CSIDriver, "csidriver", [], [], [];
    cluster tree storage::CSINode, "csinode", [], [], [];
    namespaced tree storage::CSIStorageCapacity, "csistoragecapacity", [], [], [];
    cluster tree storage::VolumeAttachment, "volumeattachment", [], [], [Status];
    cluster tree storage::VolumeAttributesClass, "volumeattributesclass", ["vac"], [], [];
    cluster typed RuntimeClass, "runtimeclass", [], [], [];
    cluster tree admission::ValidatingWebhookConfiguration, "validatingwebhookconfiguration", [], ["api-extensions"], [];
    cluster tree admission::MutatingWebhookConfiguration, "mutatingwebhookconfiguration", [], ["api-extensions"], [];
    cluster tree admission::ValidatingAdmissionPolicy, "validatingadmissionpolicy", [], ["api-extensions"], [Status];
    cluster tree admission::ValidatingAdmissionPolicyBinding, "validatingadmissionpolicybinding", [], ["api-extensions"],
        [];
    cluster tree admission::MutatingAdmissionPolicy, "mutatingadmissionpolicy", [], ["api-extensions"], [];
    cluster tree admission::MutatingAdmissionPolicyBinding, "mutatingadmissionpolicybinding", [], ["api-extensions"], [];
    cluster tree CustomResourceDefinition, "customresourcedefinition", ["crd" "crds"], ["api-extensions"], [Status];
    cluster tree APIService, "apiservice", [], ["api-extensions"], [Status];
    cluster tree CertificateSigningRequest, "certificatesigningrequest", ["csr"], [], [Approval Status];
    cluster tree flow::FlowSchema, "flowschema", [], [], [Status];
    cluster tree flow::PriorityLevelConfiguration, "prioritylevelconfiguration", [], [], [Status];
    cluster tree resource::DeviceClass, "deviceclass", [], [], [];
    namespaced tree resource::ResourceClaim, "resourceclaim", [], [], [Status];
    namespaced tree resource::ResourceClaimTemplate, "resourceclaimtemplate", [], [], [];
    cluster tree resource::ResourceSlice, "resourceslice", [], [], [];
    cluster review authentication::SelfSubjectReview, "selfsubjectreview", [], [], [];
    cluster review authentication::TokenReview, "tokenreview", [], [], [];
    namespaced review authorization::LocalSubjectAccessReview, "localsubjectaccessreview", [], [], [];
    cluster review authorization::SelfSubjectAccessReview, "selfsubjectaccessreview", [], [], [];
    cluster review authorization::SelfSubjectRulesReview, "selfsubjectrulesreview", [], [], [];
    cluster review authorization::SubjectAccessReview, "subjectaccessreview", [], [], [];
}

/// Kinds that are checked, stored and served, and that no component acts upon though a real cluster's do.
pub const STORED_NOT_SIMULATED: [&str; 10] = [
    "CSIDriver",
    "CSINode",
    "CSIStorageCapacity",
    "DeviceClass",
    "NetworkPolicy",
    "ResourceClaim",
    "ResourceClaimTemplate",
    "ResourceSlice",
    "VolumeAttachment",
    "VolumeAttributesClass",
];

/// Finds a row by group, version and plural name, as in a path.
pub fn by_resource(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|row| row.plural == plural && row.group == group && row.version == version)
}

/// Finds a row by `apiVersion` and `kind`, as in a manifest.
pub fn by_kind(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    KINDS.iter().find(|row| row.kind == kind && row.group == group && row.version == version)
}

/// The kinds whose objects lie in the store, each once.
pub fn stored() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().filter(|kind| kind.is_stored())
}

/// What every kind's `scale` is.
static SCALE: Kind = Kind {
    id: KindId(u32::MAX >> 1),
    group: "autoscaling",
    version: "v1",
    kind: "Scale",
    list_kind: "",
    plural: "scale",
    singular: "scale",
    short_names: &[],
    categories: &[],
    namespaced: true,
    subresources: &[],
    decode: tree,
    view: None,
    custom: None,
};

/// What an object is shown as: its kind, unless it is the kind's `scale`.
pub fn shown_as(kind: &'static Kind, object: &dyn Object) -> &'static Kind {
    let tree = (object as &dyn std::any::Any).downcast_ref::<Tree>();
    let is_scale =
        tree.is_some_and(|tree| tree.get("kind").is_some_and(|name| *name == SCALE.kind) && kind.kind != SCALE.kind);
    if is_scale { &SCALE } else { kind }
}

/// The row of a kind. Of a custom one it holds the names alone that its number stands for: what else its definition says
/// differs from cluster to cluster, and each API server knows its own.
pub fn row(id: KindId) -> &'static Kind {
    if id.is_custom() { custom::named(id) } else { &KINDS[id.0 as usize] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_are_told_which_kinds_are_not_simulated() {
        let readme = include_str!("../../../README.md");
        for name in STORED_NOT_SIMULATED {
            assert!(KINDS.iter().any(|kind| kind.kind == name), "{name} is no kind");
            assert!(readme.contains(&format!("`{name}`")), "README.md does not name {name}");
        }
    }
}
