//! The agent of one node: registers it, runs the Pods that are bound to it, reports what became of them.
//!
//! Upstream: `pkg/kubelet`. One [`Kubelet`] is one [`client::Component`]; it drives one [`runtime::Runtime`], which is
//! what its node keeps when the kubelet itself is restarted.
//!
//! # How it is driven
//!
//! The component interface does everything that goes through the API. The rest of a node is asked directly by the core:
//! logs, exec and attach sessions, requests that reach a Pod ([`Kubelet::serve`]), requests that its processes make
//! ([`Kubelet::take_outgoing`], [`Kubelet::deliver`]), disks that must be carried from node to node
//! ([`Kubelet::take_disk_moves`]), power. After any of these calls `next_work` may have changed.
//!
//! # Reading order
//!
//! [`config`], [`annotations`] (what a manifest may say about a simulated workload), `kubelet` (the loop), `host` (what
//! workers share: timers, runtime, what the PLEG has yet to see), `pod_worker` (one Pod's life), then by step:
//! `admission`, `volume_manager` and `disks`, `ipam`, `pod_actions`, `container_start`, `image_manager`, `environment`,
//! `lifecycle`, `prober`, `pod_status`, `status_manager`, `termination`. Beside the Pods: `node_status`, `lease`, `server`
//! (logs, exec, attach), `stats`. `timing` is the table of periods.
//!
//! # Known differences from a real kubelet
//!
//! No eviction by node pressure, no image garbage collection, no static Pods, no devices, no in-place resize, no ephemeral
//! containers. An emptyDir with a size limit is full at the limit; upstream evicts the Pod. Volumes of kinds that are not
//! simulated are empty directories. Service account tokens are readable text, not signed. `CrashLoopBackOff` is shown
//! while the delay lasts; since 1.35 upstream shows it when the delay is over. Of two goroutines that race upstream, one
//! always wins here.

mod admission;
pub mod annotations;
mod backoff;
pub mod config;
mod container;
mod container_start;
mod disks;
mod environment;
mod format;
mod host;
mod image_manager;
mod ipam;
mod kubelet;
mod lease;
mod lifecycle;
mod node_status;
mod pod_actions;
mod pod_status;
mod pod_worker;
mod prober;
mod server;
mod stats;
mod status_manager;
mod termination;
mod timers;
mod timing;
mod volume_manager;

pub use config::NodeConfig;
pub use disks::DiskMove;
pub use kubelet::{ExecSession, Kubelet, Milestones, Outgoing, OutgoingId, PodUsage};
