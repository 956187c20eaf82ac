//! The public face.

use api::request::{ExecOptions, StreamOutput};
use api::{LogOptions, SimTime, Status};
use client::{Change, Client, Component, Watch};
use runtime::vfs::Tree;
use runtime::{NetOp, NetReply, Outcome, Reply, Request, Usage};

use crate::NodeConfig;

/// Names an exec or attach session on its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExecSession(pub u64);

/// Names one request that a Pod of this node makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutgoingId(pub u64);

/// A request that a process of this node makes. The core carries it and brings the answer with [`Kubelet::deliver`].
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub id: OutgoingId,
    /// `namespace/name` of the Pod.
    pub pod: String,
    pub pod_ip: String,
    /// When the process made it.
    pub at: SimTime,
    pub op: NetOp,
}

/// A disk goes to or comes from this node.
#[derive(Clone, Debug)]
pub enum DiskMove {
    /// A Pod needs the volume of this PersistentVolume. The core answers with [`Kubelet::mount_disk`] as soon as the disk is
    /// attached to this node; until then the Pod waits.
    Mount { volume: String },
    /// No Pod of this node uses the disk any more: here is what it holds.
    Unmount { volume: String, tree: Tree },
}

/// When a Pod reached the points of its start, for the page and for measurements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Milestones {
    pub seen: Option<SimTime>,
    pub volumes_mounted: Option<SimTime>,
    pub sandbox_ready: Option<SimTime>,
    pub images_pulled: Option<SimTime>,
    pub containers_started: Option<SimTime>,
    /// When the Ready condition last became true.
    pub ready: Option<SimTime>,
}

/// What a Pod's containers use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodUsage {
    /// Container name and use.
    pub containers: Vec<(String, Usage)>,
}

/// One node's kubelet with everything that is on the node.
#[derive(Clone)]
pub struct Kubelet {
    config: NodeConfig,
}

impl Kubelet {
    pub fn new(config: NodeConfig) -> Kubelet {
        Kubelet { config }
    }

    pub fn node_name(&self) -> &str {
        &self.config.name
    }

    /// The log as `kubectl logs` gets it, all of it so far. `pod` is `namespace/name`.
    pub fn logs(&self, _now: SimTime, _pod: &str, _options: &LogOptions) -> Result<String, Status> {
        Ok(String::new())
    }

    /// What was logged after `serial`, with the next serial, for `logs -f`. Ends (`true`) when the container has exited.
    pub fn follow_logs(
        &self,
        _now: SimTime,
        _pod: &str,
        _options: &LogOptions,
        serial: u64,
    ) -> Result<(String, u64, bool), Status> {
        Ok((String::new(), serial, true))
    }

    /// Starts a command in a container.
    pub fn exec_start(&mut self, _now: SimTime, _pod: &str, _options: &ExecOptions) -> Result<ExecSession, Status> {
        Err(Status::internal(""))
    }

    /// Attaches to a container's output (and to its input with `stdin`).
    pub fn attach_start(&mut self, _now: SimTime, _pod: &str, _options: &ExecOptions) -> Result<ExecSession, Status> {
        Err(Status::internal(""))
    }

    /// Text for the session's standard input, or Ctrl-C with `None`.
    pub fn exec_write(&mut self, _now: SimTime, _session: ExecSession, _text: Option<&str>) {}

    /// End of the session's standard input.
    pub fn exec_close_input(&mut self, _now: SimTime, _session: ExecSession) {}

    /// What the session has brought since it was last asked.
    pub fn exec_read(&mut self, _now: SimTime, _session: ExecSession) -> StreamOutput {
        StreamOutput::default()
    }

    pub fn exec_close(&mut self, _now: SimTime, _session: ExecSession) {}

    /// A request arrives at an address of this node. `Outcome::Unreachable` when no Pod has the address. When the reply has
    /// `downstream` calls, follow them and ask [`Kubelet::complete`].
    pub fn serve(&mut self, _now: SimTime, _ip: &str, _request: &Request) -> Reply {
        Reply::at_once(Outcome::Unreachable, 0)
    }

    /// The final reply, once the calls that it depends on have ended.
    pub fn complete(
        &mut self,
        _now: SimTime,
        _ip: &str,
        _request: &Request,
        reply: Reply,
        _outcomes: &[Outcome],
    ) -> Reply {
        reply
    }

    /// Requests of this node's processes that nobody has carried yet. Ask after `work` and after every other call.
    pub fn take_outgoing(&mut self) -> Vec<Outgoing> {
        Vec::new()
    }

    /// The answer to one of them, at the time when it arrives.
    pub fn deliver(&mut self, _now: SimTime, _id: OutgoingId, _reply: NetReply) {}

    /// Disks that are wanted here or can go. Ask after `work`.
    pub fn take_disk_moves(&mut self) -> Vec<DiskMove> {
        Vec::new()
    }

    /// A disk that was asked for is attached.
    pub fn mount_disk(&mut self, _now: SimTime, _volume: &str, _tree: Tree) {}

    /// Everything on the node stops at once. Disks keep what they hold.
    pub fn power_off(&mut self, _now: SimTime) {}

    /// The node boots: the kubelet starts anew, and containers are started again.
    pub fn power_on(&mut self, _now: SimTime) {}

    pub fn is_powered_on(&self) -> bool {
        true
    }

    /// Registry faults and other things that only the runtime knows.
    pub fn set_registry_fault(&mut self, _fault: Option<runtime::RegistryFault>) {}

    pub fn pod_usage(&self, _now: SimTime, _pod: &str) -> Option<PodUsage> {
        None
    }

    /// What the whole node uses, system processes included.
    pub fn node_usage(&self, _now: SimTime) -> Usage {
        Usage::default()
    }

    /// The last results of a Pod's readiness probes, oldest first, at most 4.
    pub fn probe_results(&self, _pod: &str) -> Vec<bool> {
        Vec::new()
    }

    /// How much of the image that a Pod waits for has been pulled, 0 to 1.
    pub fn pulling(&self, _now: SimTime, _pod: &str) -> Option<f32> {
        None
    }

    pub fn milestones(&self, _pod: &str) -> Option<Milestones> {
        None
    }
}

impl Component for Kubelet {
    fn name(&self) -> &'static str {
        "kubelet"
    }

    fn watches(&self) -> Vec<Watch> {
        Vec::new()
    }

    fn observe(&mut self, _now: SimTime, _watch: usize, _change: &Change) {}

    fn next_work(&self) -> Option<SimTime> {
        None
    }

    fn work(&mut self, _client: &mut Client) {}
}
