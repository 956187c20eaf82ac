//! How components see the cluster: typed verbs, informer caches, work queues, the event recorder. What upstream keeps in
//! `client-go`.
//!
//! A [`Component`] is sans-IO: it says what it watches, is told of changes, says when it has work, and does one piece of
//! work at a time with a [`Client`]. Calls are synchronous and cost virtual time: [`Client::now`] moves on with each.
//! Components know neither the API server nor each other; the core implements [`Api`] and drives them.

pub mod cache;
pub mod component;
pub mod queue;
pub mod recorder;
mod verbs;

pub use cache::Cache;
pub use component::{Change, Component, Watch};
pub use queue::WorkQueue;
pub use recorder::{EventType, Recorder, reference_to};
pub use verbs::{Activity, Api, Client, DeleteOptions, Note};
