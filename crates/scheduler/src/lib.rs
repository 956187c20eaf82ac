//! kube-scheduler: gives each Pod a node, and can say why.
//!
//! Reading order: [`Scheduler`] (the component and its state), `schedule_one` (the life of one attempt), [`framework`]
//! (extension points, the default profile), [`plugins`], [`queue`], [`cache`], [`decision`].
//!
//! Models `pkg/scheduler` of Kubernetes 1.36 with the default configuration: one profile, no extenders. Known
//! differences: nodes are looked at one after the other instead of sixteen at once, so exactly as many are looked at as
//! needed; equal Pods in a row are scheduled one by one instead of as a batch; victims of preemption are deleted at
//! once instead of in the background; there is no leader election, no dynamic resource allocation beyond its words in
//! messages, and no limit of volumes per node.

mod algorithm;
mod binding_cycle;
pub mod cache;
mod config;
pub mod decision;
mod event_handlers;
mod failure;
pub mod framework;
mod listers;
mod nominator;
pub mod plugins;
pub mod queue;
mod schedule_one;
mod scheduler;

pub use config::Config;
pub use decision::{Decision, Filtered, NodeVerdict, PluginScore};
pub use queue::QueueStatus;
pub use scheduler::Scheduler;
