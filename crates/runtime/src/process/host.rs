use super::{Pid, Sink};
use crate::images::ImageSpec;
use crate::vfs::{PinnedMount, Tree, View};
use crate::{LogStream, NetOp, NodeConfig, SandboxConfig, Signal, SimTime, Volumes};

/// What a container's processes can touch of the world around them.
pub struct Host<'a> {
    pub root: &'a mut Tree,
    pub mounts: &'a mut [PinnedMount],
    pub volumes: &'a mut Volumes,
    pub read_only_root: bool,
    pub image: &'a ImageSpec,
    pub node: &'a NodeConfig,
    pub sandbox: &'a SandboxConfig,
    pub uid: u32,
    pub cpu_limit_milli: Option<u64>,
    pub memory_limit_bytes: Option<u64>,
    pub random: &'a mut u64,
    pub effects: &'a mut Vec<Effect>,
    /// Standard input is a terminal.
    pub interactive: bool,
}

impl Host<'_> {
    pub fn view(&mut self, now: SimTime) -> View<'_> {
        View { root: self.root, mounts: self.mounts, volumes: self.volumes, now, read_only: self.read_only_root }
    }

    /// The next random number.
    pub fn draw(&mut self) -> u64 {
        *self.random = self.random.wrapping_add(1);
        crate::name_hash::mix(*self.random)
    }
}

/// What processes did that reaches outside of their container.
#[derive(Clone, Debug)]
pub enum Effect {
    Output {
        sink: Sink,
        stream: LogStream,
        text: String,
        at: SimTime,
    },
    Net {
        pid: Pid,
        op: NetOp,
        at: SimTime,
    },
    /// A server program starts as this process.
    ServiceStarted {
        pid: Pid,
        argv: Vec<String>,
        at: SimTime,
    },
    ServiceSignalled {
        pid: Pid,
        signal: Signal,
        at: SimTime,
    },
    ServiceEnded {
        pid: Pid,
    },
    /// The container's processes hold this much more memory, in bytes.
    MemoryUsed {
        pid: Pid,
        bytes: u64,
        at: SimTime,
    },
}
