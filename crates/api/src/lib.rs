//! The machinery of the Kubernetes API, without behaviour: what upstream keeps in `apimachinery` and `api`.
//!
//! Objects are the typed structs of [`k8s_openapi`], shared as [`ObjectRef`] (`Arc<dyn Object>`): decoded once, cloned
//! only by the one who changes them. [`kinds`] is the table of what exists; a [`Request`] names a row of it, and its
//! answer is a [`Response`] or a [`Status`].
//!
//! Reading order: [`object`], [`kinds`], [`request`], [`status`], then what they lean on.

pub mod cron;
pub mod custom;
pub mod decode;
pub mod field;
pub mod go;
pub mod json;
pub mod jsonpath;
pub mod kinds;
pub mod meta;
pub mod node_selector;
pub mod object;
pub mod patch;
pub mod quantity;
pub mod quota;
pub mod request;
pub mod rng;
pub mod schema;
pub mod selector;
pub mod status;
pub mod table;
pub mod time;
pub mod validate;
mod view;
pub mod wire;
pub mod x509;
pub mod yaml;

pub use k8s_openapi;
pub use kinds::{Kind, KindId, Kinded};
pub use object::{Draft, Object, ObjectRef};
pub use request::{
    Body, Caller, CauseId, FieldValidation, List, LogOptions, Options, Patch, PatchKind, Propagation, Request,
    Response, Subresource, User, Verb, WatchEvent, WatchId, WatchKind,
};
pub use status::{Reason, Status};
pub use time::SimTime;

/// The typed kinds under their plain names: `use api::types::*`.
pub mod types {
    pub use k8s_openapi::ByteString;
    pub use k8s_openapi::api::apps::v1::*;
    pub use k8s_openapi::api::autoscaling::v2::*;
    pub use k8s_openapi::api::batch::v1::*;
    pub use k8s_openapi::api::coordination::v1::*;
    pub use k8s_openapi::api::core::v1::*;
    pub use k8s_openapi::api::discovery::v1::EndpointPort as SlicePort;
    pub use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointHints, EndpointSlice, ForZone};
    pub use k8s_openapi::api::networking::v1::*;
    pub use k8s_openapi::api::node::v1::RuntimeClass;
    pub use k8s_openapi::api::policy::v1::*;
    pub use k8s_openapi::api::rbac::v1::*;
    pub use k8s_openapi::api::scheduling::v1::*;
    pub use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, StorageClass, VolumeAttachment};
    pub use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
    pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
        Condition, LabelSelector, LabelSelectorRequirement, ListMeta, ManagedFieldsEntry, MicroTime, ObjectMeta,
        OwnerReference, Time,
    };
    pub use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
}
