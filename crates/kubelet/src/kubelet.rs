//! One node: its loop, and what the core asks of it directly. Pods are named `namespace/name`.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::request::WatchKind;
use api::types::{Node, Pod, Service};
use api::{CauseId, SimTime, meta, object};
use client::{Change, Client, Component, EventType, Watch};
use runtime::vfs::Tree;
use runtime::{NetCallId, NetOp, NetReply, Outcome, RegistryFault, Reply, Request, Usage};

use crate::admission;
use crate::config::NodeConfig;
use crate::disks::{DiskMove, Disks};
use crate::host::{Host, PodId, Timer};
use crate::lease::NodeLease;
use crate::node_status::NodeReporter;
use crate::pod_worker::{PodWorker, Stage};
use crate::server::Session;
use crate::timing;

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
    pub pod: String,
    pub pod_ip: String,
    /// When the process made it.
    pub at: SimTime,
    pub op: NetOp,
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
    pub(crate) host: Host,
    workers: BTreeMap<PodId, Box<PodWorker>>,
    /// The latest worker of each name.
    by_key: BTreeMap<String, PodId>,
    workers_made: u32,
    reporter: NodeReporter,
    lease: NodeLease,
    powered_off_at: Option<SimTime>,
    pub(crate) sessions: BTreeMap<ExecSession, Session>,
    pub(crate) sessions_opened: u64,
}

/// Positions in [`Component::watches`].
const PODS: usize = 0;
const SERVICES: usize = 1;
const NODE: usize = 2;

impl Kubelet {
    pub fn new(config: NodeConfig) -> Kubelet {
        let mut host = Host::new(config);
        host.timers.set(Timer::NodeStatus, 0);
        host.timers.set(Timer::Lease, 0);
        Kubelet {
            host,
            workers: BTreeMap::new(),
            by_key: BTreeMap::new(),
            workers_made: 0,
            reporter: NodeReporter::default(),
            lease: NodeLease::default(),
            powered_off_at: None,
            sessions: BTreeMap::new(),
            sessions_opened: 0,
        }
    }

    pub fn node_name(&self) -> &str {
        &self.host.config.name
    }

    pub fn config(&self) -> &NodeConfig {
        &self.host.config
    }

    pub(crate) fn worker(&self, pod: &str) -> Option<&PodWorker> {
        self.workers.get(self.by_key.get(pod)?).map(|worker| &**worker)
    }

    /// A request arrives at an address of this node: a Pod's, or the node's own for Pods in its network and for host
    /// ports. `Outcome::Unreachable` when nobody has the address. When the reply has `downstream` calls, follow them and
    /// ask [`Kubelet::complete`].
    pub fn serve(&mut self, now: SimTime, ip: &str, request: &Request) -> Reply {
        let Some((id, port)) = self.receiver(now, ip, request.port) else {
            let known = self.powered_off_at.is_none() && ip == self.host.config.ip;
            return Reply::at_once(if known { Outcome::Refused } else { Outcome::Unreachable }, 0);
        };
        let Some(worker) = self.workers.get_mut(&id) else { return Reply::at_once(Outcome::Unreachable, 0) };
        let Some(sandbox) = &worker.sandbox else { return Reply::at_once(Outcome::Unreachable, 0) };
        let reply = if port == request.port {
            self.host.runtime.serve(now, sandbox.id, request)
        } else {
            self.host.runtime.serve(now, sandbox.id, &Request { port, ..request.clone() })
        };
        if !matches!(reply.outcome, Outcome::Refused) {
            worker.served += 1;
        }
        self.host.collect(now);
        reply
    }

    /// The final reply, once the calls that it depends on have ended.
    pub fn complete(&mut self, now: SimTime, ip: &str, request: &Request, reply: Reply, outcomes: &[Outcome]) -> Reply {
        let receiver = self.receiver(now, ip, request.port).and_then(|(id, _)| self.workers.get(&id));
        let Some(sandbox) = receiver.and_then(|worker| worker.sandbox.as_ref()) else {
            return Reply::at_once(Outcome::Reset, 0);
        };
        let reply = self.host.runtime.complete(now, sandbox.id, request, reply, outcomes);
        self.host.collect(now);
        reply
    }

    /// Who gets what is sent to an address and port, and at which port of its own.
    fn receiver(&self, now: SimTime, ip: &str, port: u16) -> Option<(PodId, u16)> {
        if self.powered_off_at.is_some() {
            return None;
        }
        if let Some(&id) = self.host.ips.get(ip) {
            return Some((id, port));
        }
        if ip != self.host.config.ip {
            return None;
        }
        self.workers.values().find_map(|worker| {
            let sandbox = worker.sandbox.as_ref().filter(|sandbox| sandbox.ready)?;
            if worker.is_host_network() {
                return self.host.runtime.listener(now, sandbox.id, port).map(|_| (worker.id, port));
            }
            let ports = worker.spec()?.containers.iter().flat_map(|container| container.ports.iter().flatten());
            let mapped = ports.into_iter().find(|mapped| mapped.host_port == Some(i32::from(port)))?;
            Some((worker.id, u16::try_from(mapped.container_port).ok()?))
        })
    }

    /// How many requests a Pod has taken.
    pub fn requests_served(&self, pod: &str) -> u64 {
        self.worker(pod).map_or(0, |worker| worker.served)
    }

    /// Requests of this node's processes that nobody has carried yet. Ask after `work` and after every other call.
    pub fn take_outgoing(&mut self) -> Vec<Outgoing> {
        let pending = std::mem::take(&mut self.host.outgoing);
        let outgoing = pending.into_iter().filter_map(|pending| {
            let (id, _) = self.host.owners.get(&pending.container)?;
            let worker = self.workers.get(id)?;
            Some(Outgoing {
                id: OutgoingId(pending.call.0),
                pod: worker.key.clone(),
                pod_ip: worker.ip().unwrap_or_default().to_owned(),
                at: pending.at,
                op: pending.op,
            })
        });
        outgoing.collect()
    }

    /// The answer to one of them, at the time when it arrives.
    pub fn deliver(&mut self, now: SimTime, id: OutgoingId, reply: NetReply) {
        self.host.runtime.answer_net_call(now, NetCallId(id.0), reply);
        self.host.collect(now);
    }

    /// Disks that are wanted here or can go. Ask after `work`.
    pub fn take_disk_moves(&mut self) -> Vec<DiskMove> {
        self.host.disks.take_moves()
    }

    /// A disk that was asked for is attached. Waiting Pods see it when they next look.
    pub fn mount_disk(&mut self, now: SimTime, volume: &str, tree: Tree) {
        self.host.disks.arrive(&mut self.host.runtime, volume, tree);
        NodeReporter::mark_changed(&mut self.host, now, false);
    }

    /// Takes a disk away by force, as when it is detached from a node that does not answer.
    pub fn detach_disk(&mut self, volume: &str) -> Option<Tree> {
        self.host.runtime.volumes_mut().remove(&Disks::volume_id(volume))
    }

    /// What a disk holds while it is here.
    pub fn disk(&self, volume: &str) -> Option<&Tree> {
        self.host.runtime.volumes().get(&Disks::volume_id(volume))
    }

    /// Everything on the node stops at once. Images, dead containers and directories stay, as on a real disk.
    pub fn power_off(&mut self, now: SimTime) {
        if self.powered_off_at.is_some() {
            return;
        }
        self.powered_off_at = Some(now);
        for worker in self.workers.values_mut() {
            worker.power_off(&mut self.host, now);
        }
        self.host.power_off();
        self.sessions.clear();
    }

    /// The node boots: the kubelet starts anew, and containers are started again. Deliver what its watches have missed
    /// first, or right after.
    pub fn power_on(&mut self, now: SimTime) {
        if self.powered_off_at.take().is_none() {
            return;
        }
        self.host.started_at = now;
        self.host.boots += 1;
        self.reporter.restart();
        self.lease.forget();
        self.host.timers.set(Timer::NodeStatus, now);
        self.host.timers.set(Timer::Lease, now);
        for worker in self.workers.values_mut() {
            worker.ask(&mut self.host, now);
        }
    }

    pub fn is_powered_on(&self) -> bool {
        self.powered_off_at.is_none()
    }

    /// Makes the registries misbehave, as seen from this node.
    pub fn set_registry_fault(&mut self, fault: Option<RegistryFault>) {
        self.host.runtime.set_registry_fault(fault);
    }

    fn observe_pod(&mut self, now: SimTime, change: &Change, pod: Arc<Pod>) {
        let key = meta::key(&pod.metadata);
        let known = self.by_key.get(&key).copied();
        let worker = known.and_then(|id| self.workers.get_mut(&id));
        let worker = worker.filter(|worker| worker.pod.metadata.uid == pod.metadata.uid);
        if change.kind == WatchKind::Deleted {
            let Some(worker) = worker else { return };
            worker.removed = true;
            worker.cause = change.cause;
            worker.ask(&mut self.host, now);
            let id = worker.id;
            self.drop_if_over(id);
            return;
        }
        if let Some(worker) = worker {
            worker.observe(&mut self.host, now, pod, change.cause);
            return;
        }
        if let Some(id) = known
            && let Some(old) = self.workers.get_mut(&id)
        {
            // Another Pod has the name: the one of before is gone.
            old.removed = true;
            old.ask(&mut self.host, now);
            self.drop_if_over(id);
        }
        self.workers_made += 1;
        let id = PodId(self.workers_made);
        let mut worker = PodWorker::new(id, pod, change.cause, now);
        let phase = worker.status().and_then(|status| status.phase.as_deref());
        if matches!(phase, Some("Succeeded" | "Failed")) {
            worker.stage = Stage::Finished;
            worker.admitted = true;
        }
        self.host.timers.set(Timer::Work(id), now);
        self.by_key.insert(key, id);
        self.workers.insert(id, Box::new(worker));
    }

    /// Forgets a Pod that is gone from the API and of which nothing runs.
    fn drop_if_over(&mut self, id: PodId) {
        let over = self.workers.get(&id).is_some_and(|worker| worker.removed && worker.stage == Stage::Finished);
        if !over {
            return;
        }
        let Some(mut worker) = self.workers.remove(&id) else { return };
        worker.clean_up(&mut self.host);
        if self.by_key.get(&worker.key) == Some(&id) {
            self.by_key.remove(&worker.key);
        }
    }

    /// Does something with one Pod's worker.
    fn with_worker(
        &mut self,
        id: PodId,
        client: &mut Client,
        act: impl FnOnce(&mut PodWorker, &mut Host, &mut Client),
    ) {
        if let Some(worker) = self.workers.get_mut(&id) {
            act(worker, &mut self.host, client);
        }
        self.drop_if_over(id);
    }

    fn admit(&mut self, id: PodId, client: &mut Client) {
        let Some(worker) = self.workers.get(&id) else { return };
        if worker.admitted {
            return;
        }
        let others = self
            .workers
            .values()
            .filter(|other| other.admitted && other.stage == Stage::Sync && other.rejection.is_none())
            .map(|other| &*other.pod);
        let result = admission::admit(&self.host.config, self.host.node.as_deref(), &worker.pod, others);
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.admitted = true;
        if let Err(rejection) = result {
            let (reason, message) = (rejection.reason.clone(), rejection.message.clone());
            worker.event(&mut self.host, client, EventType::Warning, &reason, message);
            worker.rejection = Some(rejection);
        }
    }

    /// The PLEG compares the runtime's containers with those that it knew.
    fn relist(&mut self, client: &mut Client) {
        let now = client.now();
        for id in std::mem::take(&mut self.host.changed) {
            let Some(worker) = self.workers.get_mut(&id) else { continue };
            for number in 0..worker.containers.len() {
                worker.observe_exit(&self.host, number);
            }
            worker.ask(&mut self.host, now);
        }
    }

    fn pull_ended(&mut self, client: &mut Client) {
        let now = client.now();
        let Host { images, runtime, timers, .. } = &mut self.host;
        let Some(pulled) = images.finish(now, runtime, timers) else { return };
        if pulled.result.is_ok() {
            NodeReporter::mark_changed(&mut self.host, now, false);
        }
        self.with_worker(pulled.pod, client, |worker, host, client| worker.pull_ended(host, client, &pulled));
    }
}

impl Component for Kubelet {
    fn name(&self) -> &'static str {
        "kubelet"
    }

    fn watches(&self) -> Vec<Watch> {
        let name = &self.host.config.name;
        vec![
            Watch::all::<Pod>().fields(&format!("spec.nodeName={name}")),
            Watch::all::<Service>(),
            Watch::all::<Node>().fields(&format!("metadata.name={name}")),
        ]
    }

    fn observe(&mut self, now: SimTime, watch: usize, change: &Change) {
        match watch {
            PODS => {
                if let Some(pod) = object::typed::<Pod>(&change.object) {
                    self.observe_pod(now, change, pod);
                }
            }
            SERVICES => {
                self.host.services.apply(change);
                self.host.service_variables.clear();
            }
            NODE => {
                let node = object::typed::<Node>(&change.object).filter(|_| change.kind != WatchKind::Deleted);
                if NodeReporter::observe(&mut self.host, node) {
                    NodeReporter::mark_changed(&mut self.host, now, true);
                }
            }
            _ => debug_assert!(false, "a watch that nobody asked for"),
        }
    }

    fn next_work(&self) -> Option<SimTime> {
        if self.powered_off_at.is_some() {
            return None;
        }
        [self.host.timers.next(), self.host.runtime.poll_timeout()].into_iter().flatten().min()
    }

    /// Workers are goroutines upstream, and none of them keeps the others waiting.
    fn is_concurrent(&self) -> bool {
        true
    }

    fn work(&mut self, client: &mut Client) {
        if self.powered_off_at.is_some() {
            return;
        }
        let now = client.now();
        if self.host.runtime.poll_timeout().is_some_and(|at| at <= now) {
            client.begin("processes", "Node", &self.host.config.name, CauseId::default());
            self.host.advance(now);
        }
        let Some(timer) = self.host.timers.pop(now) else { return };
        match timer {
            Timer::NodeStatus => self.reporter.sync(&mut self.host, client),
            Timer::Lease => {
                client.begin("renew lease", "Node", &self.host.config.name, CauseId::default());
                self.lease.renew(&mut self.host, client);
            }
            Timer::Relist => self.relist(client),
            Timer::Pull => self.pull_ended(client),
            Timer::Work(id) => {
                self.admit(id, client);
                self.with_worker(id, client, PodWorker::work);
            }
            Timer::Queue(id) => self.with_worker(id, client, |worker, host, client| worker.ask(host, client.now())),
            Timer::Refresh(id) => self.with_worker(id, client, |worker, host, client| {
                client.begin("refresh volumes", "Pod", &worker.key, worker.cause);
                worker.refresh_volumes(host, client);
                let delay = host.jitter(timing::SYNC_FREQUENCY);
                host.timers.set(Timer::Refresh(id), client.now() + delay);
            }),
            Timer::Probe(id, number, kind) => {
                self.with_worker(id, client, |worker, host, client| worker.probe(host, client, number.into(), kind));
            }
            Timer::ProbeEnd(id, number, kind) => self.with_worker(id, client, |worker, host, client| {
                if worker.probe_ended(host, client, number.into(), kind) {
                    worker.probe_changed(host, client);
                }
            }),
        }
    }
}
