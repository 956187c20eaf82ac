//! How fast nodes are emptied: slower or not at all when much of a zone is silent, since then it is rather the network.

use std::collections::{BTreeMap, VecDeque};

use api::time::SECOND;
use api::types::Node;
use api::{SimTime, Status, meta};
use client::Client;

use super::taints::{NOT_READY, UNREACHABLE, has_no_execute, swap_no_execute};
use super::{Key, NodeLifecycleController, condition};
use crate::caches::Caches;
use crate::controller::Queue;

/// `--node-eviction-rate` of 0.1 nodes a second.
const INTERVAL: SimTime = 10 * SECOND;
/// `--secondary-node-eviction-rate` of 0.01.
const SECONDARY_INTERVAL: SimTime = 100 * SECOND;
/// `--large-cluster-size-threshold`
const LARGE_CLUSTER: usize = 50;
/// `--unhealthy-zone-threshold` in percent.
const UNHEALTHY_PERCENT: usize = 55;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Normal,
    Partial,
    Full,
}

#[derive(Clone, Default)]
pub(super) struct Zones {
    zones: BTreeMap<String, Zone>,
    /// Zone and readiness of each node.
    nodes: BTreeMap<String, (String, bool)>,
    /// Every zone is fully disrupted: it must be the control plane that is cut off.
    all_disrupted: bool,
}

#[derive(Clone, Default)]
struct Zone {
    state: State,
    /// Nodes to be tainted, in order.
    waiting: VecDeque<String>,
    /// When the next node may be tainted.
    next: SimTime,
}

fn zone_of(node: &Node) -> String {
    let label = |name: &str| meta::label(&node.metadata, name).unwrap_or_default();
    let (region, zone) = (label("topology.kubernetes.io/region"), label("topology.kubernetes.io/zone"));
    if region.is_empty() && zone.is_empty() { String::new() } else { format!("{region}:{zone}") }
}

impl Zones {
    pub fn set_readiness(&mut self, node: &Node, readiness: &str) {
        let zone = zone_of(node);
        self.zones.entry(zone.clone()).or_default();
        self.nodes.insert(meta::key(&node.metadata), (zone, readiness == "True"));
    }

    pub fn forget_node(&mut self, name: &str) {
        self.nodes.remove(name);
        for zone in self.zones.values_mut() {
            zone.waiting.retain(|waiting| waiting != name);
        }
    }

    fn state_of(&self, zone: &str) -> State {
        let ready = self.nodes.values().filter(|(of, ready)| of == zone && *ready).count();
        let not_ready = self.nodes.values().filter(|(of, ready)| of == zone && !ready).count();
        match (ready, not_ready) {
            (0, 1..) => State::Full,
            _ if not_ready > 2 && not_ready * 100 >= UNHEALTHY_PERCENT * (ready + not_ready) => State::Partial,
            _ => State::Normal,
        }
    }

    /// Time between two nodes of a zone; `None` while none may be emptied.
    fn interval(&self, zone: &Zone, zone_name: &str) -> Option<SimTime> {
        if self.all_disrupted {
            return None;
        }
        match zone.state {
            State::Normal | State::Full => Some(INTERVAL),
            State::Partial => {
                let size = self.nodes.values().filter(|(of, _)| of == zone_name).count();
                (size > LARGE_CLUSTER).then_some(SECONDARY_INTERVAL)
            }
        }
    }
}

impl NodeLifecycleController {
    /// Queues the node to be tainted NoExecute, or takes that back. Judges by what was reported before this look, so that
    /// a node is given one more period.
    pub(super) fn plan_eviction(&mut self, node: &Node, observed: &str, client: &mut Client, queue: &mut Queue<Key>) {
        let name = meta::key(&node.metadata);
        let zone_name = zone_of(node);
        let Some(zone) = self.zones.zones.get_mut(&zone_name) else { return };
        if observed == "True" {
            zone.waiting.retain(|waiting| *waiting != name);
            if has_no_execute(node)
                && let Err(status) = swap_no_execute(client, node, None)
            {
                client.note("retry", status.message);
            }
            return;
        }
        if has_no_execute(node) {
            // Silent nodes may begin to answer that they are not ready, and the other way round.
            let key = if observed == "False" { NOT_READY } else { UNREACHABLE };
            if let Err(status) = swap_no_execute(client, node, Some(key)) {
                client.note("retry", status.message);
            }
        } else if !zone.waiting.contains(&name) {
            zone.waiting.push_back(name);
            queue.add_at(Key::Evict(zone_name), zone.next.max(client.now()));
        }
    }

    pub(super) fn taint_next(
        &mut self,
        zone_name: &str,
        caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<Key>,
    ) -> Result<(), Status> {
        let Some(zone) = self.zones.zones.get(zone_name) else { return Ok(()) };
        let Some(interval) = self.zones.interval(zone, zone_name) else { return Ok(()) };
        let now = client.now();
        let Some(zone) = self.zones.zones.get_mut(zone_name) else { return Ok(()) };
        if now < zone.next {
            queue.add_at(Key::Evict(zone_name.into()), zone.next);
            return Ok(());
        }
        let Some(name) = zone.waiting.pop_front() else { return Ok(()) };
        zone.next = now + interval;
        if !zone.waiting.is_empty() {
            queue.add_at(Key::Evict(zone_name.into()), zone.next);
        }
        let Some(node) = caches.nodes.get(&name) else { return Ok(()) };
        let taint = match condition(node, "Ready").map(|ready| ready.status.as_str()) {
            Some("True") => return Ok(()),
            Some("False") => NOT_READY,
            _ => UNREACHABLE,
        };
        swap_no_execute(client, node, Some(taint))
    }

    pub(super) fn handle_disruption(&mut self, caches: &Caches, client: &mut Client, queue: &mut Queue<Key>) {
        let states: Vec<(String, State)> =
            self.zones.zones.keys().map(|name| (name.clone(), self.zones.state_of(name))).collect();
        let all_disrupted = !states.is_empty() && states.iter().all(|(_, state)| *state == State::Full);
        let recovered = self.zones.all_disrupted && !all_disrupted;
        let began = !self.zones.all_disrupted && all_disrupted;
        self.zones.all_disrupted = all_disrupted;
        for (name, state) in states {
            let Some(zone) = self.zones.zones.get_mut(&name) else { continue };
            zone.state = state;
            if began {
                zone.waiting.clear();
            } else if recovered && !zone.waiting.is_empty() {
                queue.add(Key::Evict(name));
            }
        }
        if began {
            for node in caches.nodes.iter().filter(|node| has_no_execute(node)) {
                if let Err(status) = swap_no_execute(client, node, None) {
                    client.note("retry", status.message);
                }
            }
        }
    }
}
