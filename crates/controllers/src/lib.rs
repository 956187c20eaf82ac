//! kube-controller-manager: one [`Component`](client::Component) that runs one module per controller over shared informer
//! caches, as upstream's `pkg/controller` does.
//!
//! Every controller is a [`Reconciler`](controller::Reconciler): it turns changes into keys of its work queue and works
//! off one key at a time, level-triggered, through the client alone. A controller has as many workers as upstream's
//! defaults give it; each is busy for the virtual time that its calls take, so that controllers do not block each other.
//!
//! Reading order: [`manager`], [`controller`], [`caches`], then any controller; [`deployment`] and [`replicaset`] are the
//! ones to start with.

pub mod caches;
pub mod controller;
mod custom_kinds;
pub mod manager;

mod autoscaler;
pub mod certificates;
mod claim;
mod clusterrole_aggregation;
mod cron_job;
mod daemonset;
mod deployment;
mod disruption;
mod endpoint_slice;
mod endpoints;
mod expectations;
mod garbage_collector;
mod hash;
mod history;
mod job;
mod namespace;
mod node_ipam;
mod node_lifecycle;
mod owners;
mod pod_control;
mod pod_gc;
mod pods;
mod protection;
mod queue;
mod replicaset;
mod resource_quota;
mod root_ca;
mod service_account;
mod service_pods;
mod statefulset;
mod taint_eviction;
mod volume;

pub use controller::ControllerStatus;
pub use manager::{Config, ControllerManager};
