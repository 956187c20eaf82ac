//! The node's runtime: sandboxes, containers, logs, exec.

mod container;
mod exec;
mod logs;
mod machine;
mod root_files;
mod runtime;
#[cfg(test)]
mod tests;
mod types;

pub use runtime::Runtime;
pub use types::{
    ContainerConfig, ContainerId, ContainerState, ContainerStatus, DnsConfig, ExecError, ExecId, ExecRequest,
    ExecResult, LogLine, LogOptions, LogStream, NodeConfig, Pull, RegistryFault, RuntimeError, RuntimeEvent,
    SandboxConfig, SandboxId, SandboxStatus, Settings, Signal, Usage,
};
