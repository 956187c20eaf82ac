//! The cluster and its event loop.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::request::WatchId;
use api::rng::Rng;
use api::time::{MINUTE, SECOND};
use api::types::Lease;
use api::{Caller, CauseId, Request, Response, SimTime, User, Verb};
use apiserver::authentication::with_implied_groups;
use apiserver::{ApiServer, Context};
use client::{Change, Client};
use controllers::ControllerManager;
use controllers::certificates::SigningKey;
use kubelet::{DiskMove, Kubelet, NodeConfig};
use network::{ClusterDns, IngressController, KubeProxy, LoadBalancers};
use runtime::vfs::Tree;
use scheduler::Scheduler;

use crate::ClusterConfig;
use crate::events::{Event, EventQueue};
use crate::link::{self, Link};
use crate::load::Load;
use crate::member::{Member, Part, ProcessState};
use crate::streams::Streams;
use crate::trace::{Origin, Trace, USER, What};
use crate::traffic::Traffic;

/// The API server compacts the store this often, and keeps as much history.
const COMPACTION_PERIOD: SimTime = 5 * MINUTE;
/// What a node takes to reach a disk.
const ATTACH_TIME: SimTime = 800 * api::time::MILLISECOND;

/// See the crate's documentation. A clone is a checkpoint.
#[derive(Clone)]
pub struct Cluster {
    pub(crate) config: ClusterConfig,
    pub(crate) now: SimTime,
    pub(crate) queue: EventQueue,
    pub(crate) server: ApiServer,
    /// `None` while its component works.
    pub(crate) members: Vec<Option<Member>>,
    watch_owner: BTreeMap<WatchId, (usize, usize)>,
    pub(crate) rng: Rng,
    pub(crate) trace: Trace,
    pub(crate) load: Load,
    pub(crate) traffic: Traffic,
    /// Contents of disks that no node has mounted, by PersistentVolume.
    disks: BTreeMap<String, Tree>,
    pub(crate) streams: Streams,
    compacted_revision: u64,
    pub(crate) last_change: SimTime,
}

impl Cluster {
    /// A cluster that has just been switched on: components connect, nodes register.
    pub fn new(config: ClusterConfig) -> Cluster {
        let mut rng = Rng::new(config.seed);
        let mut cluster = Cluster {
            now: config.starts_at,
            queue: EventQueue::default(),
            server: ApiServer::new(rng.next_u64()),
            members: Vec::new(),
            watch_owner: BTreeMap::new(),
            trace: Trace::default(),
            load: Load::default(),
            traffic: Traffic::default(),
            disks: BTreeMap::new(),
            streams: Streams::default(),
            compacted_revision: 0,
            last_change: config.starts_at,
            rng,
            config,
        };
        cluster.install_addons();
        cluster.add_control_plane();
        for number in 1..=cluster.config.nodes {
            cluster.add_node(number);
        }
        cluster.queue.plan(cluster.now + COMPACTION_PERIOD, Event::Compact);
        cluster.start_traffic();
        cluster
    }

    pub fn now(&self) -> SimTime {
        self.now
    }

    pub fn server(&self) -> &ApiServer {
        &self.server
    }

    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    fn add_control_plane(&mut self) {
        let signing_key = self.config.signing_key.unwrap_or_else(|| drawn_key(self.config.seed));
        let config = controllers::Config {
            controllers: self.config.controllers.clone(),
            signing_key,
            root_certificate: self.config.root_certificate.clone(),
        };
        let manager = Part::ControllerManager(Box::new(ControllerManager::new(&config)));
        self.add_master(
            "kube-controller-manager",
            "system:kube-controller-manager",
            "kube-controller-manager",
            manager,
        );
        let others = [
            (
                "kube-scheduler",
                "system:kube-scheduler",
                "kube-scheduler",
                Part::Scheduler(Box::new(Scheduler::new(scheduler::Config::default()))),
            ),
            (
                "csi-provisioner",
                "system:serviceaccount:kube-system:csi",
                "csi-provisioner",
                Part::Provisioner(Box::default()),
            ),
            ("coredns", "system:coredns", "coredns", Part::Dns(Box::<ClusterDns>::default())),
            (
                "ingress-nginx",
                "system:serviceaccount:ingress-nginx:ingress-nginx",
                "nginx-ingress-controller",
                Part::Ingress(Box::new(IngressController::new("203.0.113.2"))),
            ),
            (
                "cloud-controller-manager",
                "system:cloud-controller-manager",
                "service-controller",
                Part::LoadBalancers(Box::<LoadBalancers>::default()),
            ),
        ];
        for (name, user, agent, part) in others {
            if config.runs(name) {
                self.add_master(name, user, agent, part);
            }
        }
    }

    fn add_master(&mut self, name: &str, user: &str, agent: &'static str, part: Part) {
        self.add(name, "", part, component(user, &[], agent));
    }

    fn add_node(&mut self, number: u32) {
        let name = format!("node-{number}");
        let config = NodeConfig {
            name: name.clone(),
            ip: node_address(number),
            cpu_milli: self.config.node_cpu_milli,
            memory_bytes: self.config.node_memory_bytes,
            pods_max: self.config.node_pods_max,
            hollow: self.config.hollow,
            seed: self.rng.next_u64(),
            ..NodeConfig::default()
        };
        let caller = component(&format!("system:node:{name}"), &["system:nodes"], "kubelet");
        let kubelet = Part::Kubelet(Box::new(Kubelet::new(config)));
        self.add(&format!("kubelet/{name}"), &name, kubelet, caller);
        let caller = component("system:kube-proxy", &[], "kube-proxy");
        self.add(
            &format!("kube-proxy/{name}"),
            &name,
            Part::Proxy(Box::new(KubeProxy::new(&node_address(number)))),
            caller,
        );
    }

    fn add(&mut self, name: &str, node: &str, part: Part, caller: Caller) {
        let member = Member {
            name: name.into(),
            node: node.into(),
            part,
            state: ProcessState::Running,
            caller,
            watches: Vec::new(),
            wake: None,
            busy_until: self.now,
            limits: BTreeMap::new(),
        };
        self.members.push(Some(member));
        self.connect(self.members.len() - 1);
    }

    /// Opens the member's watches, as a process does when it starts.
    fn connect(&mut self, index: usize) {
        let Some(mut member) = self.members[index].take() else { return };
        for (number, watch) in member.part.component().watches().into_iter().enumerate() {
            let kind = watch.kind.expect("a watch names its kind");
            let mut request = Request::of(Verb::Watch, kind, &watch.namespace, "");
            request.options.label_selector = watch.label_selector;
            request.options.field_selector = watch.field_selector;
            let context = Context::new(self.now, member.caller.clone(), CauseId::default());
            let id = match self.server.handle(&context, request) {
                Ok(Response::Watch(id)) => id,
                other => panic!("the watch of {} was refused: {other:?}", member.name),
            };
            member.watches.push(id);
            self.watch_owner.insert(id, (index, number));
        }
        self.members[index] = Some(member);
        self.plan_deliveries(self.now);
        self.plan_wake(index);
    }

    /// Runs everything that happens until `until`, and sets the clock there.
    pub fn run_until(&mut self, until: SimTime) {
        while self.next_at().is_some_and(|at| at <= until) {
            self.step();
        }
        self.now = self.now.max(until);
    }

    /// When the next event happens.
    pub fn next_at(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    /// Handles one event, and says whether it wrote anything to the store.
    pub fn step(&mut self) -> bool {
        let Some((at, event)) = self.queue.pop() else { return false };
        let before = self.server.revision();
        self.now = self.now.max(at);
        match event {
            Event::Wake(index) => self.wake(index, at),
            Event::Deliver(watch) => self.deliver(watch),
            Event::Expire => {
                self.server.expire(self.now);
                self.plan_deliveries(self.now);
                self.plan_expiry();
            }
            Event::Compact => {
                self.server.compact(self.compacted_revision);
                self.compacted_revision = self.server.revision();
                self.queue.plan(self.now + COMPACTION_PERIOD, Event::Compact);
                self.plan_expiry();
            }
            Event::Traffic(source) => self.send_traffic(source),
            Event::Answer(index, id) => self.bring_answer(index, id),
            Event::Attach(index, volume) => self.attach(index, &volume),
        }
        self.server.revision() != before
    }

    fn plan_expiry(&mut self) {
        if let Some(at) = self.server.next_expiry() {
            self.queue.plan(at.max(self.now + SECOND), Event::Expire);
        }
    }

    /// Lets the watchers of what was just written hear of it.
    pub(crate) fn plan_deliveries(&mut self, written: SimTime) {
        for watch in self.server.take_stirred() {
            if self.watch_owner.contains_key(&watch) {
                let delay = self.config.cost.watch_delay + self.rng.below(self.config.cost.watch_delay.max(1));
                self.queue.plan(written + delay, Event::Deliver(watch));
            }
        }
    }

    fn deliver(&mut self, watch: WatchId) {
        let Some(&(index, number)) = self.watch_owner.get(&watch) else { return };
        let Some(member) = self.members[index].as_mut().filter(|member| member.state == ProcessState::Running) else {
            return;
        };
        for event in self.server.watch_events(watch) {
            let change = Change { kind: event.kind, object: event.object, cause: event.cause };
            member.part.component().observe(self.now, number, &change);
        }
        self.plan_wake(index);
    }

    /// Plans the event that lets a member work, if it has work and is not planned sooner.
    pub(crate) fn plan_wake(&mut self, index: usize) {
        let now = self.now;
        let Some(member) = self.members[index].as_mut() else { return };
        if member.state != ProcessState::Running {
            return;
        }
        let Some(at) = member.part.component().next_work() else { return };
        let at = at.max(member.busy_until).max(now);
        if member.wake.is_none_or(|planned| at < planned) {
            member.wake = Some(at);
            self.queue.plan(at, Event::Wake(index));
        }
    }

    fn wake(&mut self, index: usize, at: SimTime) {
        let planned = self.members[index].as_ref().is_some_and(|member| member.wake == Some(at));
        if !planned {
            return;
        }
        let Some(mut member) = self.members[index].take() else { return };
        member.wake = None;
        let ready = member.part.component().next_work().is_some_and(|due| due.max(member.busy_until) <= self.now);
        if member.state == ProcessState::Running && ready {
            let mut limits = std::mem::take(&mut member.limits);
            let now = self.now;
            let mut link = Link::new(self, member.caller.clone(), Origin(index as u16), now);
            link.limits = Some(&mut limits);
            let component = member.part.component();
            component.work(&mut Client::new(&mut link));
            if !component.is_concurrent() {
                member.busy_until = link.now;
            }
            member.limits = limits;
        }
        self.members[index] = Some(member);
        self.settle_node(index);
        self.plan_wake(index);
    }

    /// Carries what a node's kubelet has for the rest of the world.
    pub(crate) fn settle_node(&mut self, index: usize) {
        let Some(kubelet) = self.kubelet_mut(index) else { return };
        let (outgoing, moves) = (kubelet.take_outgoing(), kubelet.take_disk_moves());
        for request in outgoing {
            self.carry(index, request);
        }
        for disk in moves {
            match disk {
                DiskMove::Mount { volume } => {
                    self.queue.plan(self.now + ATTACH_TIME, Event::Attach(index, volume));
                }
                DiskMove::Unmount { volume, tree } => {
                    self.disks.insert(volume, tree);
                }
            }
        }
    }

    fn attach(&mut self, index: usize, volume: &str) {
        let (now, tree) = (self.now, self.disks.get(volume).cloned().unwrap_or_default());
        if let Some(kubelet) = self.kubelet_mut(index) {
            kubelet.mount_disk(now, volume, tree);
            self.settle_node(index);
            self.plan_wake(index);
        }
    }

    pub(crate) fn kubelet_mut(&mut self, index: usize) -> Option<&mut Kubelet> {
        match &mut self.members.get_mut(index)?.as_mut()?.part {
            Part::Kubelet(kubelet) => Some(kubelet),
            _ => None,
        }
    }

    /// The kubelet of a node.
    pub fn kubelet(&self, node: &str) -> Option<&Kubelet> {
        self.members.iter().flatten().find_map(|member| match &member.part {
            Part::Kubelet(kubelet) if member.node == node => Some(&**kubelet),
            _ => None,
        })
    }

    pub(crate) fn kubelet_index(&self, node: &str) -> Option<usize> {
        let is_it = |member: &Option<Member>| {
            member.as_ref().is_some_and(|member| member.node == node && matches!(member.part, Part::Kubelet(_)))
        };
        self.members.iter().position(is_it)
    }

    /// The kube-proxy of a node.
    pub(crate) fn proxy(&self, node: &str) -> Option<&KubeProxy> {
        self.members.iter().flatten().find_map(|member| match &member.part {
            Part::Proxy(proxy) if member.node == node => Some(&**proxy),
            _ => None,
        })
    }

    /// When the node's Lease was last renewed.
    pub(crate) fn lease_of(&self, node: &str) -> SimTime {
        let lease = self.server.peek::<Lease>("kube-node-lease", node);
        let renewed = lease.and_then(|lease| lease.spec.as_ref()?.renew_time.as_ref());
        renewed.map(api::time::since_start_micro).unwrap_or(0)
    }

    pub fn scheduler(&self) -> Option<&Scheduler> {
        self.members.iter().flatten().find_map(|member| match &member.part {
            Part::Scheduler(scheduler) => Some(&**scheduler),
            _ => None,
        })
    }

    pub fn controller_manager(&self) -> Option<&ControllerManager> {
        self.members.iter().flatten().find_map(|member| match &member.part {
            Part::ControllerManager(manager) => Some(&**manager),
            _ => None,
        })
    }

    pub(crate) fn dns(&self) -> Option<&ClusterDns> {
        self.members.iter().flatten().find_map(|member| match &member.part {
            Part::Dns(dns) if member.state == ProcessState::Running => Some(&**dns),
            _ => None,
        })
    }

    pub(crate) fn ingress_controller(&self) -> Option<&IngressController> {
        self.members.iter().flatten().find_map(|member| match &member.part {
            Part::Ingress(ingress) if member.state == ProcessState::Running => Some(&**ingress),
            _ => None,
        })
    }

    /// Name, node and state of every component.
    pub fn processes(&self) -> impl Iterator<Item = (&str, &str, ProcessState)> {
        self.members.iter().flatten().map(|member| (member.name.as_str(), member.node.as_str(), member.state))
    }

    /// The component behind a record of the trace.
    pub fn origin_name(&self, origin: Origin) -> Option<&str> {
        let member = self.members.get(usize::from(origin.0))?.as_ref()?;
        Some(&member.name)
    }

    /// When the store last changed for another reason than housekeeping (Leases, events, node status).
    pub fn last_change(&self) -> SimTime {
        self.last_change
    }

    /// Stops a component in its tracks, or lets it go on. False when there is none of that name.
    pub fn pause(&mut self, name: &str, paused: bool) -> bool {
        let Some(index) = self.members.iter().flatten().position(|member| member.name == name) else { return false };
        let Some(member) = self.members[index].as_mut() else { return false };
        match (member.state, paused) {
            (ProcessState::Running, true) => member.state = ProcessState::Paused,
            (ProcessState::Paused, false) => self.resume(index),
            _ => {}
        }
        true
    }

    /// Cuts a node's power, or gives it back. False when there is no such node.
    pub fn power(&mut self, node: &str, on: bool) -> bool {
        let now = self.now;
        let Some(index) = self.kubelet_index(node) else { return false };
        let Some(kubelet) = self.kubelet_mut(index) else { return false };
        if kubelet.is_powered_on() == on {
            return true;
        }
        if on {
            kubelet.power_on(now);
        } else {
            kubelet.power_off(now);
        }
        for index in 0..self.members.len() {
            let Some(member) = self.members[index].as_mut().filter(|member| member.node == node) else { continue };
            if on {
                self.resume(index);
            } else {
                member.state = ProcessState::Off;
            }
        }
        true
    }

    /// The process goes on: it hears what it has missed.
    fn resume(&mut self, index: usize) {
        let Some(member) = self.members[index].as_mut() else { return };
        member.state = ProcessState::Running;
        member.wake = None;
        member.busy_until = self.now;
        for watch in member.watches.clone() {
            self.queue.plan(self.now, Event::Deliver(watch));
        }
        self.plan_wake(index);
    }

    /// Does something in the user's name. Everything that follows from it names this action as its cause.
    pub fn act<R>(&mut self, text: &str, act: impl FnOnce(&mut Client) -> R) -> R {
        let record = self.begin_action(text);
        self.act_under(record, act)
    }

    /// Opens the trace record of a user's action.
    pub fn begin_action(&mut self, text: &str) -> CauseId {
        self.trace.add(self.now, CauseId::default(), USER, What::Action { text: text.into() })
    }

    /// Goes on with an action: a command that waits is polled again and again.
    pub fn act_under<R>(&mut self, record: CauseId, act: impl FnOnce(&mut Client) -> R) -> R {
        let mut link = link::of_user(self, record);
        act(&mut Client::new(&mut link))
    }

    pub(crate) fn plan_node(&mut self, index: usize) {
        self.settle_node(index);
        self.plan_wake(index);
    }
}

/// A key that is drawn from the seed, and from nothing that draws anything else.
fn drawn_key(seed: u64) -> SigningKey {
    let mut rng = Rng::new(!seed);
    let mut key = SigningKey::default();
    key.chunks_exact_mut(8).for_each(|part| part.copy_from_slice(&rng.next_u64().to_le_bytes()));
    key
}

/// As whom a component asks. Each is in `system:masters`, so that authorization costs one comparison.
fn component(user: &str, groups: &[&str], agent: &'static str) -> Caller {
    let mut user = with_implied_groups(User::new(user, groups));
    user.groups.push("system:masters".into());
    Caller { user: Arc::new(user), agent }
}

/// `192.168.0.11` for `node-1`.
pub(crate) fn node_address(number: u32) -> String {
    let last = number + 10;
    format!("192.168.{}.{}", last / 256, last % 256)
}
