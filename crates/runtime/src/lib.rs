//! A node's container runtime, simulated: images, file systems, processes, logs and exec.
//!
//! Upstream: containerd with runc, seen through the CRI, plus the programs that well-known images hold. Nothing here
//! knows a Kubernetes type: the kubelet drives a [`Runtime`] with plain data, and the network layer asks containers
//! to [`serve`](Runtime::serve) requests.
//!
//! # How it is driven
//!
//! Everything is sans-IO, deterministic and `Clone` (cloning is cheap: trees, images and scripts are shared). Time
//! comes in as [`SimTime`]. After any call the owner
//!
//! 1. takes [`Runtime::take_events`] (containers that exited, execs that finished),
//! 2. takes [`Runtime::take_net_calls`] (what processes want from the network) and answers each, when its virtual time
//!    has passed, with [`Runtime::answer_net_call`],
//! 3. calls [`Runtime::advance`] again no later than [`Runtime::poll_timeout`].
//!
//! [`Runtime::pump`] does 2 with a [`Network`] that answers at once.
//!
//! # Life of a container
//!
//! [`Runtime::pull_image`] → [`Runtime::run_sandbox`] → [`Runtime::create_container`] →
//! [`Runtime::start_container`] → (exit, or [`Runtime::stop_container`]) → [`Runtime::remove_container`].
//!
//! # Reading order
//!
//! `images` (catalogue as data) → `vfs` → `shell` (parser and interpreter) → `process` (a container's processes, pipes
//! and signals) → `tools` (`grep`, `wget`, …) → `service` (nginx, redis, … as behaviours) → `node` ([`Runtime`]).
//!
//! # Known differences from a real node
//!
//! Programs are modelled, not run: a catalogued program behaves as its table row says, and a program of an unknown
//! image is a server on the ports that its container declares. Permissions are not enforced. A shell that never
//! sleeps is slowed down so that it uses all of its CPU in few steps.

pub mod images;
mod name_hash;
mod network;
mod node;
mod process;
mod service;
mod shell;
mod tools;
pub mod vfs;

pub use images::{Image, ImageReference, PullError};
pub use network::{
    Call, DnsRecord, NetCall, NetCallId, NetOp, NetReply, NetResult, Network, Outcome, Protocol, Reply, Request,
};
pub use node::{
    ContainerConfig, ContainerId, ContainerState, ContainerStatus, DnsConfig, ExecError, ExecId, ExecRequest,
    ExecResult, LogLine, LogOptions, LogStream, NodeConfig, Pull, RegistryFault, Runtime, RuntimeError, RuntimeEvent,
    SandboxConfig, SandboxId, SandboxStatus, Settings, Signal, Usage,
};
pub use vfs::{Mount, VolumeId, Volumes};

/// Virtual time in nanoseconds since the cluster began.
pub type SimTime = u64;

/// One microsecond of [`SimTime`].
pub const MICROSECOND: SimTime = 1_000;
/// One millisecond of [`SimTime`].
pub const MILLISECOND: SimTime = 1_000_000;
/// One second of [`SimTime`].
pub const SECOND: SimTime = 1_000_000_000;
