//! The endpoints that a Service should have.

use std::collections::BTreeMap;

use api::meta;
use api::types::{Endpoint, EndpointConditions, Pod, Service};

use crate::caches::Caches;
use crate::endpoints::pod_reference;
use crate::pods;
use crate::service_pods::{self, Port};

/// One endpoint before it is written: what it is made of, borrowed from the Pod.
pub(super) struct Desired<'a> {
    pod: &'a Pod,
    addresses: Vec<&'a str>,
    conditions: EndpointConditions,
    hostname: Option<&'a str>,
    zone: Option<&'a str>,
}

/// Endpoints by the ports that they serve and the names of their Pods.
pub(super) type DesiredByPorts<'a> = BTreeMap<Vec<Port>, BTreeMap<&'a str, Desired<'a>>>;

pub(super) fn endpoints_of<'a>(service: &'a Service, caches: &'a Caches, ipv6: bool) -> DesiredByPorts<'a> {
    let mut result = DesiredByPorts::new();
    let named = service_pods::has_named_ports(service);
    let mut shared: Option<Vec<Port>> = None;
    for pod in service_pods::pods_of(service, caches).filter(|pod| service_pods::is_endpoint(pod, true)) {
        let Some(desired) = Desired::new(service, pod, caches, ipv6) else { continue };
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        if named {
            let mut ports = service_pods::ports_of(service, pod);
            ports.sort();
            result.entry(ports).or_default().insert(name, desired);
            continue;
        }
        let ports = shared.get_or_insert_with(|| {
            let mut ports = service_pods::ports_of(service, pod);
            ports.sort();
            ports
        });
        match result.get_mut(ports) {
            Some(group) => drop(group.insert(name, desired)),
            None => drop(result.insert(ports.clone(), [(name, desired)].into())),
        }
    }
    result
}

impl<'a> Desired<'a> {
    fn new(service: &Service, pod: &'a Pod, caches: &'a Caches, ipv6: bool) -> Option<Desired<'a>> {
        // A Pod of a node that is gone will be gone soon.
        let node = caches.nodes.get(pods::node_name(pod))?;
        let addresses: Vec<&str> = service_pods::addresses(pod, ipv6).take(1).collect();
        if addresses.is_empty() {
            return None;
        }
        let serving = pods::is_ready(pod);
        let terminating = meta::is_being_deleted(&pod.metadata);
        let ready = service_pods::publishes_not_ready(service) || (serving && !terminating);
        let conditions =
            EndpointConditions { ready: Some(ready), serving: Some(serving), terminating: Some(terminating) };
        let zone = meta::label(&node.metadata, "topology.kubernetes.io/zone");
        Some(Desired { pod, addresses, conditions, hostname: service_pods::hostname(pod, service), zone })
    }

    pub fn is(&self, endpoint: &Endpoint) -> bool {
        let target = endpoint.target_ref.as_ref();
        endpoint.conditions.as_ref() == Some(&self.conditions)
            && endpoint.addresses.iter().map(String::as_str).eq(self.addresses.iter().copied())
            && endpoint.node_name.as_deref() == Some(pods::node_name(self.pod))
            && endpoint.hostname.as_deref() == self.hostname
            && endpoint.zone.as_deref() == self.zone
            && target.is_some_and(|target| target.uid == self.pod.metadata.uid)
    }

    pub fn to_endpoint(&self) -> Endpoint {
        Endpoint {
            addresses: self.addresses.iter().map(|&address| address.to_owned()).collect(),
            conditions: Some(self.conditions.clone()),
            hostname: self.hostname.map(str::to_owned),
            node_name: Some(pods::node_name(self.pod).into()),
            target_ref: Some(pod_reference(self.pod)),
            zone: self.zone.map(str::to_owned),
            ..Endpoint::default()
        }
    }
}
