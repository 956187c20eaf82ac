//! The cluster's network as data: what each node's kernel and each proxy has been told, and where a packet goes because
//! of it.
//!
//! Every part is a component of its own and learns of Services and endpoints only by its watches, so what they know can
//! be stale, as in a real cluster. Upstream: `pkg/proxy`, CoreDNS's kubernetes plugin, ingress-nginx, the service
//! controller of a cloud provider.
//!
//! Reading order: [`slices`] (endpoints as a watcher knows them), [`kube_proxy`], [`dns`], [`ingress`], [`load_balancer`].
//!
//! Known differences: one address family, no NetworkPolicy, no packet is ever reordered or lost on a healthy path.

pub mod dns;
pub mod ingress;
pub mod kube_proxy;
pub mod load_balancer;
pub mod slices;

pub use dns::{ClusterDns, Resolved};
pub use ingress::{Backend, IngressController};
pub use kube_proxy::{Destination, KubeProxy};
pub use load_balancer::LoadBalancers;
pub use slices::{Slices, Target};
