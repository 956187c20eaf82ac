//! The public face: one node's container runtime.

use crate::images::ImageStatus;
use crate::*;

/// One node's container runtime.
#[derive(Clone, Debug)]
pub struct Runtime {
    config: NodeConfig,
    volumes: Volumes,
}

/// Signatures first; bodies follow.
#[allow(unused_variables, missing_docs)]
impl Runtime {
    /// `seed` varies what programs draw at random.
    pub fn new(config: NodeConfig, seed: u64) -> Self {
        Self { config, volumes: Volumes::default() }
    }
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }
    pub fn volumes(&self) -> &Volumes {
        &self.volumes
    }
    /// Where the kubelet makes, fills and removes volumes.
    pub fn volumes_mut(&mut self) -> &mut Volumes {
        &mut self.volumes
    }

    // Images.
    pub fn set_registry_fault(&mut self, fault: Option<RegistryFault>) {}
    /// Whether the node has the image (present at `now`, by reference or id).
    pub fn image_status(&self, now: SimTime, image: &str) -> Option<ImageStatus> {
        None
    }
    pub fn images(&self, now: SimTime) -> Vec<ImageStatus> {
        Vec::new()
    }
    /// Starts a pull; the outcome is known, the image present from `finished_at`.
    pub fn pull_image(&mut self, now: SimTime, image: &str) -> Pull {
        Pull { outcome: Ok(String::new()), finished_at: now, size_bytes: 0, transferred_bytes: 0 }
    }
    pub fn remove_image(&mut self, id: &str) -> bool {
        false
    }
    /// Bytes of all images on the node.
    pub fn image_bytes(&self) -> u64 {
        0
    }

    // Sandboxes.
    pub fn run_sandbox(&mut self, now: SimTime, config: SandboxConfig) -> SandboxId {
        SandboxId(0)
    }
    pub fn set_sandbox_ip(&mut self, id: SandboxId, ip: Option<String>) -> Result<(), RuntimeError> {
        Ok(())
    }
    /// Kills what still runs in it; it stays, not ready, until removed.
    pub fn stop_sandbox(&mut self, now: SimTime, id: SandboxId) -> Result<(), RuntimeError> {
        Ok(())
    }
    /// Removes it with its containers.
    pub fn remove_sandbox(&mut self, id: SandboxId) -> Result<(), RuntimeError> {
        Ok(())
    }
    pub fn sandbox(&self, id: SandboxId) -> Option<SandboxStatus> {
        None
    }
    pub fn sandboxes(&self) -> Vec<SandboxStatus> {
        Vec::new()
    }

    // Containers.
    pub fn create_container(
        &mut self,
        now: SimTime,
        sandbox: SandboxId,
        config: ContainerConfig,
    ) -> Result<ContainerId, RuntimeError> {
        Ok(ContainerId(0))
    }
    pub fn start_container(&mut self, now: SimTime, id: ContainerId) -> Result<(), RuntimeError> {
        Ok(())
    }
    /// Sends SIGTERM (or the image's stop signal); after `grace_ns` kills. The exit comes as an event.
    pub fn stop_container(&mut self, now: SimTime, id: ContainerId, grace_ns: u64) -> Result<(), RuntimeError> {
        Ok(())
    }
    pub fn signal_container(&mut self, now: SimTime, id: ContainerId, signal: Signal) -> Result<(), RuntimeError> {
        Ok(())
    }
    /// As when the kernel's OOM killer chose it (exit 137, `OOMKilled`).
    pub fn oom_kill_container(&mut self, now: SimTime, id: ContainerId) -> Result<(), RuntimeError> {
        Ok(())
    }
    pub fn remove_container(&mut self, id: ContainerId) -> Result<(), RuntimeError> {
        Ok(())
    }
    pub fn container(&self, id: ContainerId) -> Option<ContainerStatus> {
        None
    }
    pub fn containers(&self) -> Vec<ContainerStatus> {
        Vec::new()
    }
    pub fn containers_of(&self, sandbox: SandboxId) -> Vec<ContainerStatus> {
        Vec::new()
    }
    pub fn usage(&self, now: SimTime, id: ContainerId) -> Option<Usage> {
        None
    }
    pub fn update_resources(
        &mut self,
        now: SimTime,
        id: ContainerId,
        cpu_limit_milli: Option<u64>,
        memory_limit_bytes: Option<u64>,
    ) -> Result<(), RuntimeError> {
        Ok(())
    }
    /// Content of a file in the container, for termination messages (works on exited containers).
    pub fn read_file(&self, id: ContainerId, path: &str) -> Option<Vec<u8>> {
        None
    }

    // Logs.
    /// A container's log. It stays readable after the exit until the container is removed.
    pub fn logs(&self, now: SimTime, id: ContainerId, options: &LogOptions) -> Vec<LogLine> {
        Vec::new()
    }
    /// The serial number of the last line, for [`LogOptions::after`].
    pub fn log_serial(&self, id: ContainerId) -> u64 {
        0
    }

    // Exec.
    /// Runs a command. Short commands have finished when this returns: look at [`Runtime::exec_result`] first.
    pub fn exec(&mut self, now: SimTime, id: ContainerId, request: ExecRequest) -> Result<ExecId, ExecError> {
        Err(ExecError::NoSuchContainer(id))
    }
    pub fn exec_result(&self, id: ExecId) -> Option<&ExecResult> {
        None
    }
    /// Takes what the command has written since the last call, for an interactive session.
    pub fn take_exec_output(&mut self, id: ExecId) -> (String, String) {
        Default::default()
    }
    /// Standard input for an interactive exec (text with its line end), or end of file with `None`.
    pub fn feed_exec(&mut self, now: SimTime, id: ExecId, input: Option<&str>) {}
    pub fn signal_exec(&mut self, now: SimTime, id: ExecId, signal: Signal) {}
    /// Kills the command if it runs and forgets it.
    pub fn close_exec(&mut self, now: SimTime, id: ExecId) {}

    // Serving.
    pub fn listener(&self, now: SimTime, sandbox: SandboxId, port: u16) -> Option<ContainerId> {
        None
    }
    /// Delivers a request to the sandbox: `Refused` when nothing listens on the port.
    pub fn serve(&mut self, now: SimTime, sandbox: SandboxId, request: &Request) -> Reply {
        Reply::at_once(Outcome::Refused, 0)
    }
    /// The final reply, once the reply's downstream calls have ended with `outcomes` (in order).
    pub fn complete(
        &mut self,
        now: SimTime,
        sandbox: SandboxId,
        request: &Request,
        reply: Reply,
        outcomes: &[Outcome],
    ) -> Reply {
        reply
    }

    // Time.
    /// When [`Runtime::advance`] must be called next.
    pub fn poll_timeout(&self) -> Option<SimTime> {
        None
    }
    pub fn advance(&mut self, now: SimTime) {}
    pub fn take_events(&mut self) -> Vec<RuntimeEvent> {
        Vec::new()
    }
    pub fn take_net_calls(&mut self) -> Vec<NetCall> {
        Vec::new()
    }
    /// Answers a call at the time when the answer arrives. `took_ns` of the reply is ignored here except for printing.
    pub fn answer_net_call(&mut self, now: SimTime, id: NetCallId, reply: NetReply) {}
    /// Answers all pending calls from `network`, each `took_ns` later, and advances.
    pub fn pump(&mut self, now: SimTime, network: &mut dyn Network) {}
}
