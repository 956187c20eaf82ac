//! A container's state and what follows from it alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::logs::Logs;
use super::types::{
    ContainerConfig, ContainerId, ContainerState, ContainerStatus, ExecResult, RuntimeEvent, SandboxConfig, SandboxId,
    Usage,
};
use crate::images::Image;
use crate::images::spec::Behaviour;
use crate::process::{Kernel, Pid, PipeId};
use crate::service::Service;
use crate::vfs::{PinnedMount, Tree};
use crate::{NetOp, SECOND, SimTime};

/// One container.
#[derive(Clone, Debug)]
pub struct Container {
    pub id: ContainerId,
    pub sandbox: SandboxId,
    pub config: Arc<ContainerConfig>,
    pub image: Image,
    pub state: ContainerState,
    pub created_at: SimTime,
    pub started_at: Option<SimTime>,
    pub finished_at: Option<SimTime>,
    pub exit_code: i32,
    pub reason: &'static str,
    pub message: String,
    pub cpu_limit_milli: Option<u64>,
    pub memory_limit_bytes: Option<u64>,
    pub root: Tree,
    pub mounts: Vec<PinnedMount>,
    pub logs: Logs,
    /// Where [`super::Runtime`] has it in its timers.
    pub deadline: Option<SimTime>,
    pub(super) kernel: Option<Box<Kernel>>,
    pub(super) service: Option<(Pid, Service)>,
    pub(super) input: Option<PipeId>,
    pub(super) kill_at: Option<SimTime>,
    pub(super) out_of_memory_at: Option<SimTime>,
    pub(super) held_memory: BTreeMap<Pid, u64>,
    pub(super) random: u64,
    pub(super) meter: CpuMeter,
}

/// CPU use in the last 15 seconds or so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CpuMeter {
    pub(super) since: SimTime,
    ns: u64,
    last_milli: u64,
    total_ns: u64,
}

impl CpuMeter {
    const WINDOW_NS: SimTime = 15 * SECOND;

    pub(super) fn add(&mut self, now: SimTime, ns: u64) {
        let age = now.saturating_sub(self.since);
        if age >= Self::WINDOW_NS {
            self.last_milli = self.ns * 1000 / age;
            self.since = now;
            self.ns = 0;
        }
        self.ns += ns;
        self.total_ns += ns;
    }

    pub(super) fn milli(&self, now: SimTime) -> u64 {
        let age = now.saturating_sub(self.since);
        if age >= SECOND { self.ns * 1000 / age } else { self.last_milli }
    }
}

/// A command that runs in a container.
#[derive(Clone, Debug)]
pub struct Exec {
    pub container: ContainerId,
    pub pid: Pid,
    pub result: ExecResult,
    pub kill_at: Option<SimTime>,
    pub input: Option<PipeId>,
    /// How much of the output has been taken.
    pub taken: (usize, usize),
}

/// What a container does beyond itself, for the runtime to pass on.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    pub events: Vec<RuntimeEvent>,
    pub net: Vec<(ContainerId, Pid, NetOp, SimTime)>,
}

impl Container {
    pub fn new(id: ContainerId, sandbox: SandboxId, config: ContainerConfig, image: Image, root: Tree) -> Self {
        Self {
            id,
            sandbox,
            cpu_limit_milli: config.cpu_limit_milli,
            memory_limit_bytes: config.memory_limit_bytes,
            config: Arc::new(config),
            image,
            state: ContainerState::Created,
            created_at: 0,
            started_at: None,
            finished_at: None,
            exit_code: 0,
            reason: "",
            message: String::new(),
            root,
            mounts: Vec::new(),
            logs: Logs::default(),
            deadline: None,
            kernel: None,
            service: None,
            input: None,
            kill_at: None,
            out_of_memory_at: None,
            held_memory: BTreeMap::new(),
            random: id.0,
            meter: CpuMeter::default(),
        }
    }

    pub fn status(&self) -> ContainerStatus {
        ContainerStatus {
            id: self.id,
            sandbox: self.sandbox,
            name: self.config.name.clone(),
            attempt: self.config.attempt,
            image: self.image.reference.to_string(),
            image_id: self.image.repository_digest.to_string(),
            state: self.state,
            created_at: self.created_at,
            started_at: self.started_at,
            finished_at: self.finished_at,
            exit_code: self.exit_code,
            reason: self.reason.to_owned(),
            message: self.message.clone(),
        }
    }

    pub fn usage(&self, now: SimTime) -> Usage {
        let disk_bytes = self.root.used_bytes();
        let log_bytes = self.logs.bytes();
        if self.state != ContainerState::Running {
            return Usage { disk_bytes, log_bytes, ..Usage::default() };
        }
        let idle = self.service.as_ref().map_or(0, |(_, service)| service.idle_cpu_milli);
        let cap = self.cpu_limit_milli.unwrap_or(u64::MAX);
        let age = now.saturating_sub(self.started_at.unwrap_or(now));
        let shell_bytes = if self.kernel.is_some() { 700 << 10 } else { 0 };
        let cpu_milli = self.config.settings.cpu_milli.unwrap_or_else(|| idle + self.meter.milli(now)).min(cap);
        let base_milli = self.config.settings.cpu_milli.unwrap_or(idle).min(cap);
        Usage {
            cpu_milli,
            cpu_total_ns: self.meter.total_ns + (u128::from(age) * u128::from(base_milli) / 1000) as u64,
            memory_bytes: shell_bytes + self.memory_bytes(),
            disk_bytes,
            log_bytes,
        }
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        let service = self.service.as_ref().map_or(0, |(_, service)| service.memory_bytes);
        let held: u64 = self.held_memory.values().sum();
        match (&self.service, self.config.settings.memory_bytes) {
            (None, Some(bytes)) => bytes,
            _ => service + held,
        }
    }

    /// Whether a request to that port would reach a listener.
    pub fn listens(&self, now: SimTime, port: u16) -> bool {
        self.state == ContainerState::Running
            && self
                .service
                .as_ref()
                .is_some_and(|(_, s)| (s.ports.contains(&port) || self.is_hollow()) && now >= s.listening_from)
    }

    /// Whether it only stands for what it would run.
    pub fn is_hollow(&self) -> bool {
        matches!(self.image.spec.behaviour, Behaviour::Hollow)
    }

    /// The command line: entry point and arguments, by the rules of `command` and `args`.
    pub(super) fn command_line(&self) -> Vec<String> {
        let spec = self.image.spec;
        let owned = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
        if self.is_hollow() {
            return owned(spec.entrypoint);
        }
        let (entrypoint, arguments) = match (self.config.command.is_empty(), self.config.args.is_empty()) {
            (true, true) => (owned(spec.entrypoint), owned(spec.cmd)),
            (true, false) => (owned(spec.entrypoint), self.config.args.clone()),
            (false, _) => (self.config.command.clone(), self.config.args.clone()),
        };
        entrypoint.into_iter().chain(arguments).collect()
    }

    pub(super) fn environment(&self, sandbox: &SandboxConfig) -> BTreeMap<Arc<str>, Arc<str>> {
        const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let home = if self.uid() == 0 { "/root" } else { "/" };
        let base = [("PATH", PATH), ("HOME", home), ("HOSTNAME", sandbox.hostname.as_str())];
        let version = self.image.tag.split('-').next().unwrap_or_default();
        let of_image = self.image.spec.env.iter().map(|(n, v)| (*n, if *v == "{version}" { version } else { *v }));
        let own = self.config.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        base.into_iter().chain(of_image).chain(own).map(|(n, v)| (Arc::from(n), Arc::from(v))).collect()
    }

    pub(super) fn uid(&self) -> u32 {
        self.config.run_as_user.unwrap_or(self.image.spec.uid)
    }
}
