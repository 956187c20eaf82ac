//! Requests on their way: from clients outside through an Ingress or a Service to a container, and between Pods.
//!
//! A request is followed in one go at the moment it is sent: name, virtual address, endpoint, container, and what that
//! asks of others before it answers. Each step uses what the part in question knows at that moment (a kube-proxy's rules may
//! be a second old), so stale endpoints fail as they do in a real cluster.

use std::collections::BTreeMap;

use api::SimTime;
use api::time::{MILLISECOND, SECOND};
use api::types::Node;
use kubelet::{Outgoing, OutgoingId};
use network::{Destination, Resolved, Target};
use runtime::{NetOp, NetReply, NetResult, Outcome, Request};

use crate::cluster::Cluster;
use crate::events::Event;

/// Calls that servers make of each other end at this depth, should they ever run in a circle.
const DEPTH_MAX: u32 = 8;
/// What a client waits for a connection that nobody answers.
const CONNECT_TIMEOUT: SimTime = 5 * SECOND;

/// What is known of traffic, for the page and for tests.
#[derive(Clone, Default)]
pub struct Traffic {
    pub clients: ClientStats,
    flows: BTreeMap<(String, String), FlowCounter>,
    turn: usize,
    answers: BTreeMap<u64, (OutgoingId, NetReply)>,
    next_answer: u64,
}

/// What clients outside experience.
#[derive(Clone, Default)]
pub struct ClientStats {
    pub succeeded: u64,
    pub failed: u64,
    /// When each of the last requests was sent, how long it took, and whether it succeeded.
    recent: std::collections::VecDeque<(SimTime, SimTime, bool)>,
}

const RECENT_MAX: usize = 2048;

impl ClientStats {
    fn count(&mut self, at: SimTime, took: SimTime, success: bool) {
        if success {
            self.succeeded += 1;
        } else {
            self.failed += 1;
        }
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back((at, took, success));
    }

    /// Requests and failures a second over the window that ends now.
    pub fn rates(&self, now: SimTime, window: SimTime) -> (f32, f32) {
        let window = window.min(now).max(SECOND);
        let within = self.recent.iter().filter(|(at, ..)| at + window > now);
        let (all, failed) =
            within.fold((0u32, 0u32), |(all, failed), (_, _, success)| (all + 1, failed + u32::from(!success)));
        let seconds = window as f32 / SECOND as f32;
        (all as f32 / seconds, failed as f32 / seconds)
    }

    /// The duration that this share of the recent successes stayed below.
    pub fn percentile(&self, share: f32) -> SimTime {
        let mut sorted: Vec<SimTime> =
            self.recent.iter().filter(|(_, _, success)| *success).map(|(_, took, _)| *took).collect();
        sorted.sort_unstable();
        let at = ((sorted.len() as f32 * share) as usize).min(sorted.len().saturating_sub(1));
        sorted.get(at).copied().unwrap_or(0)
    }
}

/// Requests between two ends, by second of virtual time.
#[derive(Clone, Copy, Default)]
pub struct FlowCounter {
    second: u64,
    /// Requests and failures of the present second, then of those before it.
    seconds: [(u32, u32); FLOW_SECONDS + 1],
    pub draining: bool,
}

/// A flow of few requests a second must not vanish between two of them.
const FLOW_SECONDS: usize = 3;

impl FlowCounter {
    fn count(&mut self, now: SimTime, success: bool) {
        self.advance(now);
        self.seconds[0].0 += 1;
        self.seconds[0].1 += u32::from(!success);
    }

    fn advance(&mut self, now: SimTime) {
        let second = now / SECOND;
        let passed = (second.saturating_sub(self.second) as usize).min(FLOW_SECONDS + 1);
        self.seconds.rotate_right(passed);
        self.seconds[..passed].fill((0, 0));
        self.second = second;
    }

    /// Requests and failures a second, over the last seconds.
    pub fn rates(mut self, now: SimTime) -> (f32, f32) {
        self.advance(now);
        let share = (now % SECOND) as f32 / SECOND as f32;
        let mean = |of: fn(&(u32, u32)) -> u32| {
            let whole: u32 = self.seconds[..FLOW_SECONDS].iter().map(of).sum();
            let oldest = of(&self.seconds[FLOW_SECONDS]) as f32 * (1.0 - share);
            (whole as f32 + oldest) / FLOW_SECONDS as f32
        };
        (mean(|second| second.0), mean(|second| second.1))
    }
}

/// Where a request starts.
#[derive(Clone)]
pub(crate) struct Origin<'a> {
    /// `clients`, `ingress/NS/NAME`, `pod/NS/NAME`
    pub end: String,
    pub node: &'a str,
    pub namespace: &'a str,
    pub ip: &'a str,
}

/// How a request ended.
pub(crate) struct Ended {
    pub outcome: Outcome,
    pub took: SimTime,
    /// The address that was tried.
    pub ip: Option<String>,
}

impl Ended {
    fn failed(outcome: Outcome, took: SimTime) -> Ended {
        Ended { outcome, took, ip: None }
    }
}

/// Something that clients outside ask for.
enum Door {
    Ingress { host: String, path: String },
    Service { address: String, port: u16 },
}

impl Cluster {
    pub(crate) fn start_traffic(&mut self) {
        if self.config.traffic > 0.0 {
            self.queue.plan(self.now + SECOND, Event::Traffic(0));
        }
    }

    /// Requests a second that clients send to each door, from now on.
    pub fn set_traffic(&mut self, rate: f64) {
        let idle = self.config.traffic <= 0.0;
        self.config.traffic = rate;
        if idle && rate > 0.0 {
            self.queue.plan(self.now + MILLISECOND, Event::Traffic(0));
        }
    }

    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// The flows of the last seconds: ends and counts.
    pub fn flows(&self) -> impl Iterator<Item = (&str, &str, FlowCounter)> {
        self.traffic.flows.iter().map(|((from, to), counter)| (from.as_str(), to.as_str(), *counter))
    }

    /// Forgets flows that have been silent for ten seconds.
    fn prune_flows(&mut self) {
        let second = self.now / SECOND;
        self.traffic.flows.retain(|_, counter| counter.second + 10 >= second);
    }

    /// The next client sends its request.
    pub(crate) fn send_traffic(&mut self, source: usize) {
        if self.config.traffic <= 0.0 {
            return;
        }
        let doors = self.doors();
        if doors.is_empty() {
            self.queue.plan(self.now + SECOND, Event::Traffic(source));
            return;
        }
        self.traffic.turn = (self.traffic.turn + 1) % doors.len();
        if self.traffic.turn == 0 {
            self.prune_flows();
        }
        let ended = match &doors[self.traffic.turn] {
            Door::Ingress { host, path } => self.through_ingress(host, path),
            Door::Service { address, port } => {
                let request = Request::get(address, *port, "/");
                let node = self.any_node();
                let origin = Origin { end: "clients".into(), node: &node, namespace: "", ip: "198.51.100.7" };
                let hop = 2 * self.config.cost.hop_outside;
                let mut ended = self.send(&origin, request, 0);
                ended.took += hop;
                ended
            }
        };
        let success = ended.outcome.is_success();
        self.traffic.clients.count(self.now, ended.took, success);
        let mean = (SECOND as f64 / (self.config.traffic * doors.len() as f64)) as u64;
        let next = mean / 2 + self.rng.below(mean.max(1));
        self.queue.plan(self.now + next.max(MILLISECOND), Event::Traffic(source));
    }

    fn doors(&self) -> Vec<Door> {
        let mut doors = Vec::new();
        if let Some(controller) = self.ingress_controller() {
            for (_, ingress) in controller.served() {
                let Some(spec) = &ingress.spec else { continue };
                for rule in spec.rules.iter().flatten() {
                    let host = rule.host.clone().unwrap_or_else(|| "ingress.local".into()).replace('*', "www");
                    for path in rule.http.iter().flat_map(|http| &http.paths) {
                        let path = path.path.clone().unwrap_or_else(|| "/".into());
                        doors.push(Door::Ingress { host: host.clone(), path });
                    }
                }
                if spec.rules.is_none() && spec.default_backend.is_some() {
                    doors.push(Door::Ingress { host: "ingress.local".into(), path: "/".into() });
                }
            }
        }
        if doors.is_empty() {
            let nodes = self.members.iter().flatten().find(|member| member.name.starts_with("kube-proxy/"));
            let proxy = nodes.and_then(|member| self.proxy(&member.node));
            doors.extend(
                proxy
                    .into_iter()
                    .flat_map(|proxy| proxy.open_ports())
                    .map(|(address, port)| Door::Service { address, port }),
            );
        }
        doors
    }

    pub(crate) fn any_node(&self) -> String {
        let powered = |node: &&str| self.kubelet(node).is_some_and(kubelet::Kubelet::is_powered_on);
        let mut nodes =
            self.members.iter().flatten().map(|member| member.node.as_str()).filter(|node| !node.is_empty());
        nodes.find(powered).unwrap_or_default().to_owned()
    }

    /// A client outside asks for `http://host/path` at the ingress controller.
    fn through_ingress(&mut self, host: &str, path: &str) -> Ended {
        let outside = 2 * self.config.cost.hop_outside;
        let Some(controller) = self.ingress_controller() else {
            return Ended::failed(Outcome::TimedOut, CONNECT_TIMEOUT);
        };
        let backend = controller.route(host, path);
        let Some(backend) = backend else { return Ended::failed(Outcome::answer(404, "404 page not found"), outside) };
        let ingress = format!("ingress/{}", backend.ingress);
        let service = format!("service/{}", backend.service);
        let mut ended = if backend.targets.is_empty() {
            Ended::failed(Outcome::answer(503, "503 Service Temporarily Unavailable"), outside)
        } else {
            let chosen = self.rng.below(backend.targets.len() as u64) as usize;
            let target = &backend.targets[chosen];
            let mut request = Request::get(host, target.port, path);
            request.client_ip = "198.51.100.7".into();
            let ended = self.reach(target, request, 0);
            self.count_flow(&service, &format!("pod/{}", target.pod), ended.outcome.is_success(), target.terminating);
            ended
        };
        ended.took += outside + self.config.cost.hop_remote;
        let success = ended.outcome.is_success();
        self.count_flow("clients", &ingress, success, false);
        self.count_flow(&ingress, &service, success, false);
        ended
    }

    fn count_flow(&mut self, from: &str, to: &str, success: bool, draining: bool) {
        let now = self.now;
        let counter = self.traffic.flows.entry((from.into(), to.into())).or_default();
        counter.count(now, success);
        counter.draining = draining;
    }

    /// A request from inside the cluster: name, address, endpoint, container.
    pub(crate) fn send(&mut self, origin: &Origin, request: Request, depth: u32) -> Ended {
        let ip = match self.lookup(origin, &request.host) {
            Ok(ip) => ip,
            Err(ended) => return ended,
        };
        let random = self.rng.next_u64();
        let destination = match self.proxy(origin.node) {
            Some(proxy) => {
                let routed = proxy.route(&ip, request.port, random);
                if routed == Destination::Unchanged && self.node_of_address(&ip).is_some() {
                    proxy.route_node_port(request.port, random)
                } else {
                    routed
                }
            }
            None => Destination::Unchanged,
        };
        let mut ended = match destination {
            Destination::Endpoint { service, target } => {
                let ended = self.reach(&target, request, depth);
                let success = ended.outcome.is_success();
                let service = format!("service/{service}");
                self.count_flow(&origin.end, &service, success, false);
                self.count_flow(&service, &format!("pod/{}", target.pod), success, target.terminating);
                ended
            }
            Destination::Rejected { service } => {
                self.count_flow(&origin.end, &format!("service/{service}"), false, false);
                Ended::failed(Outcome::Refused, self.config.cost.hop_local)
            }
            Destination::Unchanged => {
                let node = self.node_of_pod_address(&ip);
                let target =
                    Target { ip: ip.clone(), port: request.port, pod: String::new(), node, terminating: false };
                self.reach(&target, request, depth)
            }
        };
        let hop = if ended.ip.is_none() { self.config.cost.hop_local } else { self.config.cost.hop_remote };
        ended.took += 2 * hop;
        ended.ip = Some(ip);
        ended
    }

    fn lookup(&mut self, origin: &Origin, host: &str) -> Result<String, Ended> {
        if host.parse::<std::net::Ipv4Addr>().is_ok() {
            return Ok(host.to_owned());
        }
        if host == "localhost" {
            return Ok(origin.ip.to_owned());
        }
        let Some(dns) = self.dns() else { return Err(Ended::failed(Outcome::UnknownHost, CONNECT_TIMEOUT)) };
        let addresses = match dns.resolve(host, origin.namespace) {
            Resolved::Addresses { addresses, .. } => addresses,
            Resolved::Alias { .. } | Resolved::Unknown => Vec::new(),
        };
        let took = self.config.cost.hop_remote;
        if addresses.is_empty() {
            return Err(Ended::failed(Outcome::UnknownHost, took));
        }
        let chosen = self.rng.below(addresses.len() as u64) as usize;
        Ok(addresses[chosen].clone())
    }

    /// The container at an address answers, after those that it asks itself.
    pub(crate) fn reach(&mut self, target: &Target, mut request: Request, depth: u32) -> Ended {
        request.port = target.port;
        let now = self.now;
        let powered = self.kubelet(&target.node).is_some_and(kubelet::Kubelet::is_powered_on);
        let Some(index) = self.kubelet_index(&target.node).filter(|_| powered) else {
            return Ended { outcome: Outcome::TimedOut, took: CONNECT_TIMEOUT, ip: Some(target.ip.clone()) };
        };
        let Some(kubelet) = self.kubelet_mut(index) else {
            return Ended::failed(Outcome::Unreachable, CONNECT_TIMEOUT);
        };
        let mut reply = kubelet.serve(now, &target.ip, &request);
        if !reply.downstream.is_empty() {
            let calls = std::mem::take(&mut reply.downstream);
            let namespace = target.pod.split('/').next().unwrap_or_default().to_owned();
            let origin = Origin {
                end: format!("pod/{}", target.pod),
                node: &target.node,
                namespace: &namespace,
                ip: &target.ip,
            };
            let mut outcomes = Vec::with_capacity(calls.len());
            let mut waited = 0;
            for call in calls {
                let ended = if depth < DEPTH_MAX {
                    self.send(&origin, call.request, depth + 1)
                } else {
                    Ended::failed(Outcome::TimedOut, call.timeout_ns)
                };
                waited += ended.took.min(call.timeout_ns);
                outcomes.push(if ended.took > call.timeout_ns { Outcome::TimedOut } else { ended.outcome });
            }
            if let Some(kubelet) = self.kubelet_mut(index) {
                reply = kubelet.complete(now, &target.ip, &request, reply, &outcomes);
            }
            reply.latency_ns += waited;
        }
        self.plan_node(index);
        Ended { outcome: reply.outcome, took: reply.latency_ns, ip: Some(target.ip.clone()) }
    }

    fn node_of_address(&self, ip: &str) -> Option<String> {
        let number = (1..=self.config.nodes).find(|number| crate::cluster::node_address(*number) == ip)?;
        Some(format!("node-{number}"))
    }

    /// The node whose range of Pod addresses holds the address.
    pub(crate) fn node_of_pod_address(&self, ip: &str) -> String {
        let holds = |node: &&str| {
            let range = self.server.peek::<Node>("", node).and_then(|node| node.spec.as_ref()?.pod_cidr.as_deref());
            range
                .and_then(|range| range.split_once(".0/24"))
                .is_some_and(|(prefix, _)| ip.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')))
        };
        let kubelets = self.members.iter().flatten().filter(|member| member.name.starts_with("kubelet/"));
        kubelets.map(|member| member.node.as_str()).find(holds).unwrap_or_default().to_owned()
    }

    /// A process of a node asks for something: finds the answer and plans its arrival.
    pub(crate) fn carry(&mut self, index: usize, outgoing: Outgoing) {
        let Some(node) = self.members[index].as_ref().map(|member| member.node.clone()) else { return };
        let (namespace, _) = api::meta::split_key(&outgoing.pod);
        let end = format!("pod/{}", outgoing.pod);
        let origin = Origin { end, node: &node, namespace, ip: &outgoing.pod_ip };
        let reply = self.reply_to(&origin, outgoing.op);
        self.traffic.next_answer += 1;
        let number = self.traffic.next_answer;
        let at = outgoing.at.max(self.now) + reply.took_ns;
        self.traffic.answers.insert(number, (outgoing.id, reply));
        self.queue.plan(at, Event::Answer(index, number));
    }

    fn reply_to(&mut self, origin: &Origin, op: NetOp) -> NetReply {
        let hop = self.config.cost.hop_remote;
        match op {
            NetOp::Resolve { name, search, .. } => {
                let server = "10.96.0.10".to_owned();
                let Some(dns) = self.dns() else {
                    return NetReply { result: NetResult::DnsTimeout { server }, took_ns: CONNECT_TIMEOUT };
                };
                let resolved =
                    if search { dns.resolve(&name, origin.namespace) } else { dns.query(name.trim_end_matches('.')) };
                let result = match resolved {
                    Resolved::Addresses { name, addresses } if !addresses.is_empty() => {
                        NetResult::Resolved { server, name, values: addresses }
                    }
                    Resolved::Alias { name, target } => NetResult::Resolved { server, name, values: vec![target] },
                    _ => NetResult::NoSuchName { server },
                };
                NetReply { result, took_ns: 2 * hop }
            }
            NetOp::Request { request, timeout_ns } => {
                let ended = self.send(origin, request, 0);
                let late = ended.took > timeout_ns;
                let outcome = if late { Outcome::TimedOut } else { ended.outcome };
                NetReply { result: NetResult::Finished { ip: ended.ip, outcome }, took_ns: ended.took.min(timeout_ns) }
            }
            NetOp::Ping { host } => match self.lookup(origin, &host) {
                Ok(ip) => NetReply { result: NetResult::Pong { ip }, took_ns: 2 * hop },
                Err(ended) => {
                    let result = NetResult::Finished { ip: None, outcome: ended.outcome };
                    NetReply { result, took_ns: ended.took }
                }
            },
        }
    }

    pub(crate) fn bring_answer(&mut self, index: usize, number: u64) {
        let now = self.now;
        let Some((id, reply)) = self.traffic.answers.remove(&number) else { return };
        if let Some(kubelet) = self.kubelet_mut(index) {
            kubelet.deliver(now, id, reply);
            self.plan_node(index);
        }
    }
}
