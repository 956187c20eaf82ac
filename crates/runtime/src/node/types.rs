//! Plain data that goes into and comes out of a [`Runtime`](crate::Runtime).

use std::fmt;
use std::str::FromStr;

use crate::name_hash::mix;
use crate::{Mount, SimTime};

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Prints as 64 hexadecimal digits, as containerd's do, and parses back from them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let tail = [mix(self.0), mix(self.0 ^ 1), mix(self.0 ^ 2)];
                write!(f, "{:016x}{:016x}{:016x}{:016x}", self.0, tail[0], tail[1], tail[2])
            }
        }

        impl FromStr for $name {
            type Err = ();

            /// Accepts the printed form, any prefix of at least 16 digits, and either after `containerd://`.
            fn from_str(text: &str) -> Result<Self, ()> {
                let digits = text.strip_prefix("containerd://").unwrap_or(text);
                let head = digits.get(..16).ok_or(())?;
                u64::from_str_radix(head, 16).map(Self).map_err(|_| ())
            }
        }
    };
}

hex_id! {
    /// Names a Pod sandbox on its node.
    SandboxId
}
hex_id! {
    /// Names a container on its node.
    ContainerId
}
hex_id! {
    /// Names one command that runs inside a container.
    ExecId
}

/// What the node is, as its processes can see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    pub name: String,
    pub kernel_version: String,
    pub os_image: String,
    /// As in `uname -m`: `x86_64` or `aarch64`.
    pub machine: String,
    pub cpu_milli: u64,
    pub memory_bytes: u64,
    /// Unix time in seconds at [`SimTime`] zero.
    pub epoch_unix_seconds: i64,
    /// Throughput of image pulls.
    pub pull_bytes_per_second: u64,
    /// Time for the registry to answer before the first byte of a layer.
    pub registry_latency_ns: u64,
    /// As a hollow node of kubemark: every image is there, and whatever is started runs until it is stopped, answers
    /// requests on every port and takes every command for done.
    pub hollow: bool,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            name: "node".to_owned(),
            kernel_version: "6.12.0".to_owned(),
            os_image: "Debian GNU/Linux 12 (bookworm)".to_owned(),
            machine: "x86_64".to_owned(),
            cpu_milli: 4000,
            memory_bytes: 8 << 30,
            epoch_unix_seconds: 1_767_225_600,
            pull_bytes_per_second: 50_000_000,
            registry_latency_ns: 400_000_000,
            hollow: false,
        }
    }
}

/// A registry that misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistryFault {
    /// Connections time out.
    Unreachable,
    /// Pulls are refused with Docker Hub's rate limit.
    RateLimited,
}

/// How an image pull ends, known when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// The image id, or why there is none.
    pub outcome: Result<String, crate::PullError>,
    /// When the pull ends. The image exists from then on.
    pub finished_at: SimTime,
    pub size_bytes: u64,
    /// What the registry sent: the layers that the node did not have.
    pub transferred_bytes: u64,
}

/// Name resolution inside a sandbox: its `/etc/resolv.conf`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsConfig {
    pub servers: Vec<String>,
    pub searches: Vec<String>,
    pub options: Vec<String>,
}

/// A Pod, as the runtime sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SandboxConfig {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    pub attempt: u32,
    pub hostname: String,
    /// Set later with [`Runtime::set_sandbox_ip`](crate::Runtime::set_sandbox_ip) when the CNI plugin has chosen it.
    pub ip: Option<String>,
    pub host_network: bool,
    pub dns: DnsConfig,
    /// `hostAliases`: an address and its names.
    pub hosts: Vec<(String, Vec<String>)>,
}

/// A sandbox and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxStatus {
    pub id: SandboxId,
    pub config: SandboxConfig,
    pub created_at: SimTime,
    pub ready: bool,
}

/// A container to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerConfig {
    pub name: String,
    pub attempt: u32,
    /// An image reference as the user wrote it, or an image id.
    pub image: String,
    /// Replaces the image's entry point when not empty.
    pub command: Vec<String>,
    /// Replaces the image's command when not empty.
    pub args: Vec<String>,
    pub working_dir: Option<String>,
    pub env: Vec<(String, String)>,
    pub mounts: Vec<Mount>,
    /// `containerPort`s: where a container of an unknown image listens.
    pub ports: Vec<u16>,
    pub run_as_user: Option<u32>,
    pub read_only_root: bool,
    pub cpu_limit_milli: Option<u64>,
    pub memory_limit_bytes: Option<u64>,
    pub tty: bool,
    /// Keeps standard input open for [`Runtime::feed_container`](crate::Runtime::feed_container).
    pub stdin: bool,
    pub settings: Settings,
}

/// What the author of a manifest sets about a simulated workload, by annotations `sim.tabernetes.dev/…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Replaces the catalogue's time from start to listening.
    pub startup_ns: Option<u64>,
    /// Exit with `exit_code` this long after the start.
    pub exit_after_ns: Option<u64>,
    pub exit_code: Option<i32>,
    /// Replaces the catalogue's steady CPU use.
    pub cpu_milli: Option<u64>,
    /// Replaces the catalogue's memory use. Above the limit the container is OOM-killed.
    pub memory_bytes: Option<u64>,
    /// Replaces the catalogue's time per request.
    pub latency_ns: Option<u64>,
    /// Requests in 1000 that fail with status 500.
    pub error_per_mille: Option<u32>,
    /// Requests fail with status 503 until this long after the start.
    pub ready_after_ns: Option<u64>,
    /// `host[:port][/path]` of servers that each request calls first.
    pub calls: Vec<String>,
}

/// The part of its life that a container is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContainerState {
    Created,
    Running,
    Exited,
}

/// A container and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerStatus {
    pub id: ContainerId,
    pub sandbox: SandboxId,
    pub name: String,
    pub attempt: u32,
    /// Normalised reference, such as `docker.io/library/nginx:latest`.
    pub image: String,
    /// Repository and digest, such as `docker.io/library/nginx@sha256:…`.
    pub image_id: String,
    pub state: ContainerState,
    pub created_at: SimTime,
    pub started_at: Option<SimTime>,
    pub finished_at: Option<SimTime>,
    pub exit_code: i32,
    /// `Completed`, `Error`, `OOMKilled`, `StartError`, or empty while it has not exited.
    pub reason: String,
    pub message: String,
}

/// What a container uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub cpu_milli: u64,
    /// CPU time since the start, in nanoseconds.
    pub cpu_total_ns: u64,
    pub memory_bytes: u64,
    /// What the container wrote to its own layer.
    pub disk_bytes: u64,
    pub log_bytes: u64,
}

/// Something happened that nobody asked for at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuntimeEvent {
    ContainerExited { id: ContainerId, at: SimTime },
    ExecFinished { id: ExecId, at: SimTime },
}

/// Which of a process's outputs a log line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogStream {
    Stdout,
    Stderr,
}

/// One line of a container's log, without its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub at: SimTime,
    pub stream: LogStream,
    pub text: String,
}

/// Which log lines to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Lines written at this time or later.
    pub since: Option<SimTime>,
    /// At most this many of the last lines.
    pub tail: Option<usize>,
    /// Lines after this serial number, for following. See [`Runtime::log_serial`](crate::Runtime::log_serial).
    pub after: Option<u64>,
    pub limit_bytes: Option<usize>,
}

/// The signals that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    Hup,
    Int,
    Quit,
    Kill,
    Usr1,
    Usr2,
    Pipe,
    Term,
}

impl Signal {
    const TABLE: [(Self, i32, &'static str); 8] = [
        (Self::Hup, 1, "HUP"),
        (Self::Int, 2, "INT"),
        (Self::Quit, 3, "QUIT"),
        (Self::Kill, 9, "KILL"),
        (Self::Usr1, 10, "USR1"),
        (Self::Usr2, 12, "USR2"),
        (Self::Pipe, 13, "PIPE"),
        (Self::Term, 15, "TERM"),
    ];

    /// The Linux number.
    pub fn number(self) -> i32 {
        Self::TABLE.iter().find(|row| row.0 == self).map_or(0, |row| row.1)
    }

    /// From `TERM`, `SIGTERM` or `15`.
    pub fn parse(text: &str) -> Option<Self> {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        Self::TABLE.iter().find(|row| row.2 == name || row.1.to_string() == name).map(|row| row.0)
    }
}

/// A command to run in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecRequest {
    pub command: Vec<String>,
    /// Killed after this long, as an `exec` probe is.
    pub timeout_ns: Option<u64>,
    /// What the command reads from its standard input, up to end of file.
    pub stdin: String,
    /// Keeps standard input open: lines come by [`Runtime::feed_exec`](crate::Runtime::feed_exec), and a shell prompts.
    pub interactive: bool,
}

/// What an exec has written and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecResult {
    pub stdout: String,
    pub stderr: String,
    /// `None` while it runs.
    pub exit_code: Option<i32>,
    pub timed_out: bool,
    pub finished_at: Option<SimTime>,
}

/// Why a command could not be run in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecError {
    NoSuchContainer(ContainerId),
    NotRunning(ContainerId),
    /// runc's text for a command that does not exist.
    StartFailed(String),
}

impl fmt::Display for ExecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchContainer(id) => {
                write!(
                    f,
                    "rpc error: code = NotFound desc = an error occurred when try to find container \"{id}\": not found"
                )
            }
            Self::NotRunning(id) => {
                write!(
                    f,
                    "rpc error: code = Unknown desc = failed to exec in container: container is not in CONTAINER_RUNNING state: {id}"
                )
            }
            Self::StartFailed(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for ExecError {}

/// Why the runtime refused a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuntimeError {
    NoSuchSandbox(SandboxId),
    NoSuchContainer(ContainerId),
    /// The image is not on the node.
    NoSuchImage(String),
    /// The container could not be created: a mount failed or there is no command.
    CreateFailed(String),
    /// The container could not be started and is in state `Exited` with reason `StartError`. Exit code, then text.
    StartFailed(i32, String),
    /// The call does not fit the container's state.
    WrongState(String),
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchSandbox(id) => write!(f, "an error occurred when try to find sandbox \"{id}\": not found"),
            Self::NoSuchContainer(id) => write!(f, "an error occurred when try to find container \"{id}\": not found"),
            Self::NoSuchImage(name) => write!(f, "failed to resolve image \"{name}\": not found"),
            Self::CreateFailed(text) | Self::StartFailed(_, text) | Self::WrongState(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for RuntimeError {}
