//! The node's runtime: sandboxes, containers, logs, exec.

mod runtime;
mod types;

pub use runtime::Runtime;
pub use types::{
    ContainerConfig, ContainerId, ContainerState, ContainerStatus, DnsConfig, ExecError, ExecId, ExecRequest,
    ExecResult, LogLine, LogOptions, LogStream, NodeConfig, Pull, RegistryFault, RuntimeError, RuntimeEvent,
    SandboxConfig, SandboxId, SandboxStatus, Settings, Signal, Usage,
};
