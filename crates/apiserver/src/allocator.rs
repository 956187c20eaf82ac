//! Addresses and node ports of Services. Upstream: `pkg/registry/core/service/{ipallocator,portallocator}`.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use api::field::{Error, Path};
use api::object::Tree;
use api::rng::Rng;
use api::types::{Service, ServiceSpec};
use api::{Draft, Kind, Kinded, Object, Status};

use crate::registry::{service, service_network};
use crate::{ApiServer, Context};

/// `--service-cluster-ip-range=10.96.0.0/12`
const FIRST_ADDRESS: u32 = u32::from_be_bytes([10, 96, 0, 0]);
const ADDRESS_COUNT: u32 = 1 << 20;
/// `--service-node-port-range=30000-32767`
const NODE_PORTS: std::ops::RangeInclusive<i32> = 30_000..=32_767;
/// The lower part of each range is handed out only to who asks for it by number.
const STATIC_ADDRESSES: u32 = 256;
const STATIC_PORTS: i32 = 86;

/// What is in use. Rebuilt from nothing but Services, so it needs no storage of its own.
#[derive(Clone, Default)]
pub(crate) struct ServiceAddresses {
    addresses: BTreeSet<u32>,
    ports: BTreeSet<i32>,
    rng: Option<Rng>,
}

/// What one request took, to give back if it fails.
#[derive(Default)]
pub(crate) struct Allocated {
    addresses: Vec<u32>,
    ports: Vec<i32>,
}

impl ServiceAddresses {
    /// Gives a new Service its addresses and ports.
    pub fn allocate(&mut self, object: &mut dyn Object) -> Result<Allocated, Status> {
        let mut taken = Allocated::default();
        let name = object.name().to_owned();
        let Some(spec) = object.downcast_mut::<Service>().and_then(|service| service.spec.as_mut()) else {
            return Ok(taken);
        };
        settle_families(&name, spec)?;
        let result =
            self.allocate_address(&name, spec, &mut taken).and_then(|()| self.allocate_ports(&name, spec, &mut taken));
        if let Err(status) = result {
            self.release(&taken);
            return Err(status);
        }
        Ok(taken)
    }

    /// Follows a change of a Service: keeps what it has, adds what its new type needs, releases what it no longer does.
    pub fn reallocate(&mut self, new: &mut dyn Object, old: &dyn Object) -> Result<(), Status> {
        let (Some(new_service), Some(old_service)) = (new.downcast_mut::<Service>(), old.downcast_ref::<Service>())
        else {
            return Ok(());
        };
        if new_service.spec == old_service.spec {
            return Ok(());
        }
        let name = old.name().to_owned();
        let (Some(spec), Some(before)) = (new_service.spec.as_mut(), old_service.spec.as_ref()) else { return Ok(()) };
        keep_allocated(spec, before);
        settle_families(&name, spec)?;
        let mut taken = Allocated::default();
        let had_none = before.cluster_ip.as_deref().unwrap_or_default().is_empty();
        if spec.cluster_ip != before.cluster_ip || had_none {
            self.allocate_address(&name, spec, &mut taken)?;
        }
        let held: BTreeSet<i32> = node_ports(before).collect();
        let result = self.allocate_new_ports(&name, spec, &held, &mut taken);
        if let Err(status) = result {
            self.release(&taken);
            return Err(status);
        }
        let kept: BTreeSet<i32> = node_ports(spec).collect();
        held.difference(&kept).for_each(|port| {
            self.ports.remove(port);
        });
        if spec.cluster_ip != before.cluster_ip {
            self.release_address(before);
        }
        Ok(())
    }

    pub fn release(&mut self, taken: &Allocated) {
        taken.addresses.iter().for_each(|address| {
            self.addresses.remove(address);
        });
        taken.ports.iter().for_each(|port| {
            self.ports.remove(port);
        });
    }

    /// A Service is gone.
    pub fn release_object(&mut self, object: &dyn Object) {
        let Some(spec) = object.downcast_ref::<Service>().and_then(|service| service.spec.as_ref()) else { return };
        self.release_address(spec);
        node_ports(spec).for_each(|port| {
            self.ports.remove(&port);
        });
    }

    fn release_address(&mut self, spec: &ServiceSpec) {
        if let Some(address) = spec.cluster_ip.as_deref().and_then(parse) {
            self.addresses.remove(&address);
        }
    }

    fn rng(&mut self) -> &mut Rng {
        self.rng.get_or_insert_with(|| Rng::new(0x5e41_11ce))
    }

    fn allocate_address(&mut self, name: &str, spec: &mut ServiceSpec, taken: &mut Allocated) -> Result<(), Status> {
        let wanted = spec.cluster_ip.as_deref().unwrap_or_default();
        if wanted == "None" || spec.type_.as_deref() == Some("ExternalName") {
            if wanted == "None" {
                spec.cluster_ips = Some(vec!["None".into()]);
            }
            return Ok(());
        }
        let address = match parse(wanted) {
            Some(address) => {
                self.check_wanted(name, wanted, address)?;
                address
            }
            None if wanted.is_empty() => self.free_address(),
            // Validation refuses what is no address.
            None => return Ok(()),
        };
        self.addresses.insert(address);
        taken.addresses.push(address);
        let text = Ipv4Addr::from(address).to_string();
        spec.cluster_ips = Some(vec![text.clone()]);
        spec.cluster_ip = Some(text);
        Ok(())
    }

    fn check_wanted(&self, name: &str, text: &str, address: u32) -> Result<(), Status> {
        let inside = (FIRST_ADDRESS + 1..FIRST_ADDRESS + ADDRESS_COUNT - 1).contains(&address);
        let why = if !inside {
            "the provided network does not match the current range"
        } else if self.addresses.contains(&address) {
            "provided IP is already allocated"
        } else {
            return Ok(());
        };
        let path = Path::new("spec");
        let detail = format!("failed to allocate IP {text}: {why}");
        let error = Error::invalid(&path.child("clusterIPs"), serde_json::json!([text]), detail);
        Err(Status::invalid(Service::row(), name, &[error]))
    }

    fn free_address(&mut self) -> u32 {
        let span = u64::from(ADDRESS_COUNT - STATIC_ADDRESSES - 2);
        let mut address = FIRST_ADDRESS + STATIC_ADDRESSES + self.rng().below(span) as u32;
        while self.addresses.contains(&address) {
            address += 1;
            if address >= FIRST_ADDRESS + ADDRESS_COUNT - 1 {
                address = FIRST_ADDRESS + STATIC_ADDRESSES;
            }
        }
        address
    }

    fn allocate_ports(&mut self, name: &str, spec: &mut ServiceSpec, taken: &mut Allocated) -> Result<(), Status> {
        self.allocate_new_ports(name, spec, &BTreeSet::new(), taken)
    }

    /// Gives each port that needs one a node port, unless it is among those that the Service already holds.
    fn allocate_new_ports(
        &mut self,
        name: &str,
        spec: &mut ServiceSpec,
        held: &BTreeSet<i32>,
        taken: &mut Allocated,
    ) -> Result<(), Status> {
        let wants = match spec.type_.as_deref() {
            Some("NodePort") => true,
            Some("LoadBalancer") => spec.allocate_load_balancer_node_ports != Some(false),
            _ => false,
        };
        let mut numbers: Vec<(i32, i32)> = Vec::new();
        for (index, port) in spec.ports.iter_mut().flatten().enumerate() {
            let wanted = port.node_port.unwrap_or(0);
            if wanted == 0 && !wants {
                continue;
            }
            let shared = numbers.iter().find(|(other, _)| *other == port.port).map(|(_, number)| *number);
            let number = match shared {
                // The protocols of a port share one number.
                Some(number) if wanted == 0 || wanted == number => number,
                _ if wanted == 0 => self.free_port(),
                _ if held.contains(&wanted) => wanted,
                _ => {
                    self.check_wanted_port(name, index, wanted)?;
                    wanted
                }
            };
            if !held.contains(&number) && self.ports.insert(number) {
                taken.ports.push(number);
            }
            port.node_port = Some(number);
            numbers.push((port.port, number));
        }
        if service::needs_health_check(spec) {
            let number = spec.health_check_node_port.filter(|number| *number != 0).unwrap_or_else(|| self.free_port());
            if !held.contains(&number) && self.ports.insert(number) {
                taken.ports.push(number);
            }
            spec.health_check_node_port = Some(number);
        }
        Ok(())
    }

    fn check_wanted_port(&self, name: &str, index: usize, port: i32) -> Result<(), Status> {
        let why = if !NODE_PORTS.contains(&port) {
            "provided port is not in the valid range. The range of valid ports is 30000-32767"
        } else if self.ports.contains(&port) {
            "provided port is already allocated"
        } else {
            return Ok(());
        };
        let (path, ports) = (Path::new("spec"), "ports");
        let error = Error::invalid(&path.child(ports).index(index).child("nodePort"), port, why);
        Err(Status::invalid(Service::row(), name, &[error]))
    }

    fn free_port(&mut self) -> i32 {
        let first = NODE_PORTS.start() + STATIC_PORTS;
        let span = NODE_PORTS.end() - first + 1;
        let mut port = first + self.rng().below(span as u64) as i32;
        while self.ports.contains(&port) && self.ports.len() < span as usize {
            port = if port == *NODE_PORTS.end() { first } else { port + 1 };
        }
        port
    }
}

impl ApiServer {
    /// Writes down which addresses a Service has, each as an IPAddress.
    pub(crate) fn settle_addresses(&mut self, context: &Context, old: Option<&dyn Object>, new: Option<&dyn Object>) {
        let (before, after) = (addresses_of(old), addresses_of(new));
        if before == after {
            return;
        }
        let kind = ip_addresses();
        for address in before.iter().filter(|address| !after.contains(address)) {
            if let Some(object) = self.storage.get(kind, "", address).cloned() {
                self.remove(context, kind, &object, object.clone());
            }
        }
        let Some(meta) = new.map(|service| service.meta()) else { return };
        for address in after.iter().filter(|address| !before.contains(address)) {
            if self.storage.get(kind, "", address).is_none() {
                let object = Tree::new(kind.id, service_network::address_of(meta, address));
                // Its uid is drawn from a stream of its own: it changes nothing else that is drawn.
                let own = Rng::new(self.storage.revision() ^ parse(address).map_or(0, u64::from) << 32);
                let rng = std::mem::replace(&mut self.rng, own);
                self.keep(context, Draft::new(object));
                self.rng = rng;
            }
        }
    }
}

fn ip_addresses() -> &'static Kind {
    api::kinds::by_kind("networking.k8s.io/v1", "IPAddress").expect("IPAddress is in the table")
}

/// The addresses that a Service has; no other object has any.
fn addresses_of(object: Option<&dyn Object>) -> &[String] {
    let spec = object.and_then(|object| object.downcast_ref::<Service>()?.spec.as_ref());
    let addresses = spec.and_then(|spec| spec.cluster_ips.as_deref()).unwrap_or_default();
    if addresses.first().is_some_and(|first| first == "None") { &[] } else { addresses }
}

fn settle_families(name: &str, spec: &mut ServiceSpec) -> Result<(), Status> {
    match service::settle_families(spec).as_slice() {
        [] => Ok(()),
        errors => Err(Status::invalid(Service::row(), name, errors)),
    }
}

/// An update that leaves out what the server has allocated does not mean to give it back.
fn keep_allocated(spec: &mut ServiceSpec, before: &ServiceSpec) {
    let leaves = spec.type_.as_deref() == Some("ExternalName");
    if !leaves && spec.cluster_ip.as_deref().unwrap_or_default().is_empty() && before.cluster_ip.is_some() {
        spec.cluster_ip.clone_from(&before.cluster_ip);
        spec.cluster_ips.clone_from(&before.cluster_ips);
    }
    if service::needs_health_check(spec) && spec.health_check_node_port.unwrap_or(0) == 0 {
        spec.health_check_node_port = before.health_check_node_port;
    }
    let needs_ports = matches!(spec.type_.as_deref(), Some("NodePort" | "LoadBalancer"));
    for port in spec.ports.iter_mut().flatten() {
        let same = |other: &&api::types::ServicePort| other.port == port.port && other.protocol == port.protocol;
        let had = before.ports.iter().flatten().find(same).and_then(|other| other.node_port);
        if needs_ports && port.node_port.unwrap_or(0) == 0 {
            port.node_port = had;
        }
        if !needs_ports && port.node_port == had {
            port.node_port = None;
        }
    }
}

fn node_ports(spec: &ServiceSpec) -> impl Iterator<Item = i32> {
    let ports = spec.ports.iter().flatten().filter_map(|port| port.node_port);
    ports.chain(spec.health_check_node_port).filter(|port| *port != 0)
}

fn parse(text: &str) -> Option<u32> {
    text.parse::<Ipv4Addr>().ok().map(u32::from)
}
