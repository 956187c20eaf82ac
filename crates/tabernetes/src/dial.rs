//! Requests that enter the cluster's network through the API server: its proxy, and port-forwards.

use api::types::{Endpoints, Node, Pod, Service, ServicePort};
use api::{KindId, Kinded, Reason, Status};
use network::Target;
use runtime::Outcome;

use crate::cluster::Cluster;

/// A Pod, Service or Node, as a path of the API server names it, and one of its ports: a number, for a Service also a name.
/// An empty port is the first.
#[derive(Clone, Debug)]
pub struct Place {
    pub kind: KindId,
    pub namespace: String,
    pub name: String,
    pub port: String,
}

impl Cluster {
    /// Sends a request of somebody who may to a place, as fast as it is answered. `Err`: there is no such place.
    pub fn dial(&mut self, place: &Place, request: runtime::Request) -> Result<Outcome, Status> {
        let missing = || Status::not_found(api::kinds::row(place.kind), &place.name);
        let target = match place.kind {
            Node::ID => return self.ask_kubelet(&place.name, &request),
            Pod::ID => target_of_pod(self.server.peek(&place.namespace, &place.name).ok_or_else(missing)?, place)?,
            _ => {
                let service = self.server.peek::<Service>(&place.namespace, &place.name).ok_or_else(missing)?.clone();
                self.target_of_service(&service, place)?
            }
        };
        Ok(self.reach(&target, request, 0).outcome)
    }

    /// One of the Service's ready endpoints.
    fn target_of_service(&mut self, service: &Service, place: &Place) -> Result<Target, Status> {
        let name = &place.name;
        let ports = service.spec.as_ref().and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
        let is_asked = |port: &&ServicePort| {
            place.port.is_empty() || port.port.to_string() == place.port || port.name.as_ref() == Some(&place.port)
        };
        let port = ports.iter().find(is_asked);
        let port =
            port.ok_or_else(|| unavailable(format!("no service port {:?} found for service {name:?}", place.port)))?;
        let endpoints = self.server.peek::<Endpoints>(&place.namespace, name);
        let subsets = endpoints.and_then(|endpoints| endpoints.subsets.clone()).unwrap_or_default();
        let mut targets: Vec<(String, u16)> = Vec::new();
        for subset in &subsets {
            let open = subset.ports.iter().flatten().find(|open| open.name == port.name);
            let Some(number) = open.and_then(|open| u16::try_from(open.port).ok()) else { continue };
            targets.extend(subset.addresses.iter().flatten().map(|address| (address.ip.clone(), number)));
        }
        if targets.is_empty() {
            return Err(unavailable(format!("no endpoints available for service {name:?}")));
        }
        let chosen = self.rng.below(targets.len() as u64) as usize;
        let (ip, port) = targets.swap_remove(chosen);
        let node = self.node_of_pod_address(&ip);
        Ok(Target { ip, port, pod: String::new(), node, terminating: false })
    }
}

fn target_of_pod(pod: &Pod, place: &Place) -> Result<Target, Status> {
    let spec = pod.spec.as_ref();
    let ip = pod.status.as_ref().and_then(|status| status.pod_ip.clone()).unwrap_or_default();
    if ip.is_empty() {
        return Err(Status::bad_request("address not allowed"));
    }
    let first = || {
        let containers = spec.map(|spec| spec.containers.as_slice()).unwrap_or_default();
        let port = containers.iter().flat_map(|container| container.ports.iter().flatten()).next()?;
        u16::try_from(port.container_port).ok()
    };
    let port = if place.port.is_empty() { Some(first().unwrap_or(80)) } else { place.port.parse().ok() };
    let port = port.ok_or_else(|| Status::bad_request(format!("invalid port {:?}", place.port)))?;
    let node = spec.and_then(|spec| spec.node_name.clone()).unwrap_or_default();
    Ok(Target { ip, port, pod: format!("{}/{}", place.namespace, place.name), node, terminating: false })
}

fn unavailable(message: String) -> Status {
    Status::new(503, Reason::ServiceUnavailable, message)
}
