//! A whole Kubernetes cluster in one value.
//!
//! A [`Cluster`] is the API server over its store, the controllers, the scheduler, a kubelet and a kube-proxy for each
//! node, DNS, the ingress controller, and clients that send traffic. It is driven by one event queue in virtual time, and a
//! run is a pure function: `(seed, configuration, command log) → trace`. The same value runs natively and in a browser.
//!
//! Reading order: [`cluster`] (the loop), `link` (what a call to the API costs and leaves in the trace), [`trace`],
//! `member` (a component and the state of its process), `traffic` (requests on their way), then what a person sees:
//! [`session`] (commands in, reports out), `view`, `inspect`, [`scenario`] and [`share`].

mod addons;
pub mod cluster;
pub mod config;
mod dial;
mod events;
pub mod examples;
mod inspect;
mod kubelet_api;
mod link;
mod load;
mod member;
mod outbound;
pub mod scenario;
mod serve;
pub mod session;
pub mod share;
mod streams;
pub mod trace;
mod traffic;
mod view;

pub use cluster::Cluster;
pub use config::{ClusterConfig, CostModel};
pub use controllers::certificates::{Authority, SigningKey};
pub use dial::Place;
pub use runtime::{Outcome, Protocol, Request as ContainerRequest};
pub use serve::Served;
