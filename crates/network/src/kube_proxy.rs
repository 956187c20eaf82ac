//! kube-proxy: each node's rules from virtual addresses to endpoints.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::object::typed;
use api::request::WatchKind;
use api::time::SECOND;
use api::types::{EndpointSlice, Service, ServicePort};
use api::{SimTime, meta};
use client::{Change, Client, Component, Watch};

use crate::slices::{Slices, Target, targets};

/// `--iptables-min-sync-period`: changes within a second are written together.
const SYNC_PERIOD_MIN: SimTime = SECOND;

/// One node's proxy, in iptables mode: it knows what it has been told, the kernel what was last written.
#[derive(Clone)]
pub struct KubeProxy {
    node_address: String,
    services: BTreeMap<String, Arc<Service>>,
    slices: Slices,
    changed: BTreeSet<String>,
    synced_at: Option<SimTime>,
    told_at: SimTime,
    rules: Rules,
}

/// What the node's kernel does with packets to virtual addresses.
#[derive(Clone, Default)]
struct Rules {
    services: BTreeMap<String, Written>,
    by_address: BTreeMap<String, String>,
    by_node_port: BTreeMap<u16, String>,
}

/// A Service as it was when its rules were written.
#[derive(Clone)]
struct Written {
    service: Arc<Service>,
    slices: Vec<Arc<EndpointSlice>>,
}

/// Where a packet goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The address is no Service's: the packet goes on as it is.
    Unchanged,
    /// To one endpoint of the Service with this key.
    Endpoint { service: String, target: Target },
    /// The Service has no endpoint for the port: the packet is rejected.
    Rejected { service: String },
}

impl KubeProxy {
    /// The proxy of the node with this address.
    pub fn new(node_address: &str) -> KubeProxy {
        KubeProxy {
            node_address: node_address.into(),
            services: BTreeMap::new(),
            slices: Slices::default(),
            changed: BTreeSet::new(),
            synced_at: None,
            told_at: 0,
            rules: Rules::default(),
        }
    }

    /// Follows the rules for a packet to an address and port; `random` chooses among endpoints.
    pub fn route(&self, ip: &str, port: u16, random: u64) -> Destination {
        let Some(key) = self.rules.by_address.get(ip) else { return Destination::Unchanged };
        let Some(written) = self.rules.services.get(key) else { return Destination::Unchanged };
        match ports(&written.service).find(|candidate| candidate.port == i32::from(port)) {
            Some(service_port) => written.choose(key, service_port, random),
            None => Destination::Rejected { service: key.clone() },
        }
    }

    /// The same for a packet to one of the node's own addresses.
    pub fn route_node_port(&self, port: u16, random: u64) -> Destination {
        let written = self.rules.by_node_port.get(&port).and_then(|key| Some((key, self.rules.services.get(key)?)));
        let Some((key, written)) = written else { return Destination::Unchanged };
        match ports(&written.service).find(|candidate| candidate.node_port == Some(i32::from(port))) {
            Some(service_port) => written.choose(key, service_port, random),
            None => Destination::Unchanged,
        }
    }

    /// Addresses and ports that clients outside the cluster can reach: those of load balancers, and node ports.
    pub fn open_ports(&self) -> Vec<(String, u16)> {
        let mut open = Vec::new();
        for written in self.rules.services.values() {
            let balancer = written.service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
            let ingress = balancer.and_then(|status| status.ingress.as_ref()?.first()?.ip.clone());
            let Some(port) = ports(&written.service).next() else { continue };
            let kind = written.service.spec.as_ref().and_then(|spec| spec.type_.as_deref());
            match (kind, ingress, port.node_port) {
                (Some("LoadBalancer"), Some(address), _) => open.push((address, port.port as u16)),
                (Some("NodePort"), _, Some(node_port)) => open.push((self.node_address.clone(), node_port as u16)),
                _ => {}
            }
        }
        open
    }

    fn sync(&mut self) {
        for key in std::mem::take(&mut self.changed) {
            if let Some(old) = self.rules.services.remove(&key) {
                for address in addresses(&old.service) {
                    self.rules.by_address.remove(address);
                }
                self.rules.by_node_port.retain(|_, service| *service != key);
            }
            let Some(service) = self.services.get(&key) else { continue };
            for address in addresses(service) {
                self.rules.by_address.insert(address.into(), key.clone());
            }
            for port in ports(service).filter_map(|port| port.node_port) {
                self.rules.by_node_port.insert(port as u16, key.clone());
            }
            let written = Written { service: service.clone(), slices: self.slices.of(&key) };
            self.rules.services.insert(key, written);
        }
    }
}

impl Written {
    fn choose(&self, key: &str, port: &ServicePort, random: u64) -> Destination {
        let mut targets = targets(&self.slices, port.name.as_deref().unwrap_or_default());
        if targets.is_empty() {
            return Destination::Rejected { service: key.into() };
        }
        let chosen = (random % targets.len() as u64) as usize;
        Destination::Endpoint { service: key.into(), target: targets.swap_remove(chosen) }
    }
}

fn ports(service: &Service) -> impl Iterator<Item = &ServicePort> {
    service.spec.iter().flat_map(|spec| spec.ports.iter().flatten())
}

/// The virtual addresses of a Service: its cluster address and those of its load balancer.
fn addresses(service: &Service) -> impl Iterator<Item = &str> {
    let cluster = service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref());
    let cluster = cluster.filter(|ip| *ip != "None" && !ip.is_empty());
    let balancer = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let balancer = balancer.into_iter().flat_map(|status| status.ingress.iter().flatten());
    cluster.into_iter().chain(balancer.filter_map(|ingress| ingress.ip.as_deref()))
}

impl Component for KubeProxy {
    fn name(&self) -> &'static str {
        "kube-proxy"
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::all::<Service>(), Watch::all::<EndpointSlice>()]
    }

    fn observe(&mut self, now: SimTime, watch: usize, change: &Change) {
        if self.changed.is_empty() {
            self.told_at = now;
        }
        if watch == 1 {
            self.changed.extend(self.slices.apply(change));
            return;
        }
        let Some(service) = typed::<Service>(&change.object) else { return };
        let key = meta::key(&service.metadata);
        if change.kind == WatchKind::Deleted {
            self.services.remove(&key);
        } else {
            self.services.insert(key.clone(), service);
        }
        self.changed.insert(key);
    }

    fn next_work(&self) -> Option<SimTime> {
        if self.changed.is_empty() {
            return None;
        }
        Some(self.synced_at.map_or(self.told_at, |synced| self.told_at.max(synced + SYNC_PERIOD_MIN)))
    }

    fn work(&mut self, client: &mut Client) {
        self.sync();
        self.synced_at = Some(client.now());
    }
}
