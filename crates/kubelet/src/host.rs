//! What the workers of one node share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::SimTime;
use api::rng::Rng;
use api::time::SECOND;
use api::types::{Node, Pod, Service};
use client::{Cache, Recorder};
use runtime::{ContainerId, ExecId, NetCallId, NetOp, Runtime, RuntimeEvent};

use crate::config::NodeConfig;
use crate::disks::Disks;
use crate::image_manager::ImageManager;
use crate::ipam::Ipam;
use crate::prober::ProbeKind;
use crate::timers::Timers;
use crate::timing;

/// One Pod worker of this node. Never used again, so that late timers and answers hit nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodId(pub u32);

/// What a moment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    NodeStatus,
    Lease,
    /// The PLEG looks at the runtime.
    Relist,
    /// The pull that is under way ends.
    Pull,
    /// A Pod worker goes on with what it is doing, or begins to.
    Work(PodId),
    /// The work queue asks for another sync.
    Queue(PodId),
    /// Volumes that mirror API objects are brought up to date.
    Refresh(PodId),
    Probe(PodId, u16, ProbeKind),
    ProbeEnd(PodId, u16, ProbeKind),
}

/// Who started a command in a container.
#[derive(Clone, Copy, Debug)]
pub enum ExecOwner {
    Probe(PodId, u16, ProbeKind),
    Hook(PodId),
}

/// A request that waits for the core to carry it.
#[derive(Clone, Debug)]
pub struct Pending {
    pub call: NetCallId,
    pub container: ContainerId,
    pub at: SimTime,
    pub op: NetOp,
}

#[derive(Clone)]
pub struct Host {
    pub config: NodeConfig,
    pub runtime: Runtime,
    pub timers: Timers<Timer>,
    pub recorder: Recorder,
    pub images: ImageManager,
    pub ipam: Ipam,
    pub disks: Disks,
    pub services: Cache<Service>,
    /// What containers of a namespace are told of its Services; under "" without the namespace's own.
    pub service_variables: BTreeMap<String, Arc<BTreeMap<String, String>>>,
    pub node: Option<Arc<Node>>,
    /// Which Pod has which address.
    pub ips: BTreeMap<String, PodId>,
    /// Which Pod's container number a container is.
    pub owners: BTreeMap<ContainerId, (PodId, u16)>,
    /// Containers whose worker waits for their end, so that it need not be noticed first.
    pub killing: BTreeSet<ContainerId>,
    pub execs: BTreeMap<ExecId, ExecOwner>,
    pub outgoing: Vec<Pending>,
    /// Pods with containers that changed since the PLEG last looked.
    pub changed: BTreeSet<PodId>,
    /// The node's own, so that what it draws does not depend on what others do.
    rng: Rng,
    pub started_at: SimTime,
    /// How often the node has been started again.
    pub boots: u64,
}

impl Host {
    pub fn new(config: NodeConfig) -> Host {
        let mut ipam = Ipam::default();
        ipam.set_range(&config.pod_cidr);
        Host {
            runtime: Runtime::new(config.runtime(), config.seed),
            timers: Timers::default(),
            recorder: if config.hollow { Recorder::silent() } else { Recorder::new("kubelet", &config.name) },
            images: ImageManager::default(),
            ipam,
            disks: Disks::default(),
            services: Cache::default(),
            service_variables: BTreeMap::new(),
            node: None,
            ips: BTreeMap::new(),
            owners: BTreeMap::new(),
            killing: BTreeSet::new(),
            execs: BTreeMap::new(),
            outgoing: Vec::new(),
            changed: BTreeSet::new(),
            rng: Rng::new(config.seed ^ name_hash(&config.name)),
            started_at: 0,
            boots: 0,
            config,
        }
    }

    /// Makes the runtime's time pass and turns what happened meanwhile into timers.
    pub fn advance(&mut self, now: SimTime) {
        self.runtime.advance(now);
        self.collect(now);
    }

    /// Takes what the runtime has to say. Called after everything that may let a process run.
    pub fn collect(&mut self, now: SimTime) {
        for event in self.runtime.take_events() {
            match event {
                RuntimeEvent::ContainerExited { id, .. } => {
                    let Some(&(pod, _)) = self.owners.get(&id) else { continue };
                    if self.killing.remove(&id) {
                        self.timers.set_earlier(Timer::Work(pod), now);
                    } else {
                        self.mark_changed(pod, now);
                    }
                }
                RuntimeEvent::ExecFinished { id, .. } => match self.execs.remove(&id) {
                    Some(ExecOwner::Probe(pod, container, kind)) => {
                        self.timers.set(Timer::ProbeEnd(pod, container, kind), now);
                    }
                    Some(ExecOwner::Hook(pod)) => self.timers.set_earlier(Timer::Work(pod), now),
                    None => {}
                },
            }
        }
        for call in self.runtime.take_net_calls() {
            self.outgoing.push(Pending { call: call.id, container: call.container, at: call.at, op: call.op });
        }
    }

    /// A Pod's address is free again.
    pub fn release_ip(&mut self, ip: &str) {
        if self.ips.remove(ip).is_some() {
            self.ipam.release(ip);
        }
    }

    /// What a node forgets without power.
    pub fn power_off(&mut self) {
        self.timers.clear();
        self.images.clear();
        self.ipam.clear();
        self.ips.clear();
        self.killing.clear();
        self.execs.clear();
        self.outgoing.clear();
        self.changed.clear();
        // Events and calls of processes that died with the power concern nobody.
        self.runtime.take_events().clear();
        self.runtime.take_net_calls().clear();
    }

    /// A container of the Pod changed: the PLEG sees it at its next look.
    pub fn mark_changed(&mut self, pod: PodId, now: SimTime) {
        self.changed.insert(pod);
        let phase = self.tick_phase(timing::RELIST);
        self.timers.set_earlier(Timer::Relist, next_tick(now, phase, timing::RELIST));
    }

    /// Asks for another sync of the Pod at or after a moment, when the work queue is next looked at.
    pub fn enqueue(&mut self, pod: PodId, at: SimTime) {
        let phase = self.tick_phase(timing::WORK_QUEUE);
        self.timers.set_earlier(Timer::Queue(pod), next_tick(at.saturating_sub(1), phase, timing::WORK_QUEUE));
    }

    /// Where in a period this node's tickers strike: nodes do not start at the same nanosecond.
    fn tick_phase(&self, period: SimTime) -> SimTime {
        let hash =
            self.config.name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        (self.started_at + hash % SECOND) % period
    }

    /// Upstream's `wait.Jitter` with factor 0.5.
    pub fn jitter(&mut self, delay: SimTime) -> SimTime {
        delay + self.rng.below(delay / 2 + 1)
    }

    /// Why Pods with their own address cannot start, if so.
    pub fn network_problem(&self, pod: &Pod) -> Option<&'static str> {
        let host_network = pod.spec.as_ref().is_some_and(|spec| spec.host_network == Some(true));
        (!host_network && !self.ipam.is_ready()).then_some(
            "network is not ready: container runtime network not ready: NetworkReady=false \
             reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized",
        )
    }
}

/// A number that follows from a name (FNV-1a).
pub fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The first tick after `now`.
fn next_tick(now: SimTime, phase: SimTime, period: SimTime) -> SimTime {
    if now < phase {
        return phase;
    }
    phase + ((now - phase) / period + 1) * period
}
