//! Which Pods stand behind a Service: what the controllers of Endpoints and of EndpointSlices share.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::types::{IntOrString, Pod, Service, ServicePort};
use api::{meta, time};

use crate::caches::{Caches, PODS_BY_LABEL, SERVICES_BY_SELECTOR, label_value};
use crate::pods;

pub const TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";
pub const HEADLESS: &str = "service.kubernetes.io/headless";

/// A port of a Service as a Pod serves it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    pub name: String,
    pub protocol: String,
    pub port: i32,
    pub app_protocol: Option<String>,
}

fn selector(service: &Service) -> Option<&BTreeMap<String, String>> {
    service.spec.as_ref()?.selector.as_ref().filter(|selector| !selector.is_empty())
}

/// Whether Pods are looked for at all: somebody else fills in the rest.
pub fn has_selector(service: &Service) -> bool {
    let external = service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("ExternalName");
    selector(service).is_some() && !external
}

fn selects(service: &Service, pod: &Pod) -> bool {
    let labels = meta::labels(&pod.metadata);
    selector(service).is_some_and(|selector| selector.iter().all(|(key, value)| labels.get(key) == Some(value)))
}

/// The Pods that a Service selects.
pub fn pods_of<'a>(service: &'a Service, caches: &'a Caches) -> impl Iterator<Item = &'a Arc<Pod>> {
    let namespace = service.metadata.namespace.as_deref().unwrap_or_default();
    let first = selector(service).and_then(|selector| selector.iter().next());
    let value = first.map(|(key, value)| label_value(namespace, key, value)).unwrap_or_default();
    caches.pods.indexed(PODS_BY_LABEL, &value).filter(move |pod| selects(service, pod))
}

/// The keys of the Services that a change of a Pod concerns.
pub fn services_concerned(old: Option<&Pod>, new: Option<&Pod>, caches: &Caches) -> Vec<String> {
    let mut keys = Vec::new();
    match (old, new) {
        (Some(old), Some(new)) => {
            let relabelled = old.metadata.labels != new.metadata.labels;
            if relabelled {
                add_services_of(old, caches, &mut keys);
            }
            if relabelled || endpoint_changed(old, new) {
                add_services_of(new, caches, &mut keys);
            }
        }
        // A Pod without an address is no endpoint.
        (Some(pod), None) | (None, Some(pod)) if address(pod).is_some() => add_services_of(pod, caches, &mut keys),
        _ => {}
    }
    keys
}

fn add_services_of(pod: &Pod, caches: &Caches, keys: &mut Vec<String>) {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    for (key, value) in meta::labels(&pod.metadata) {
        for service in caches.services.indexed(SERVICES_BY_SELECTOR, &label_value(namespace, key, value)) {
            if selects(service, pod) {
                keys.push(meta::key(&service.metadata));
            }
        }
    }
}

fn endpoint_changed(old: &Pod, new: &Pod) -> bool {
    fn host(pod: &Pod) -> Option<&str> {
        pod.spec.as_ref()?.hostname.as_deref()
    }
    pods::is_ready(old) != pods::is_ready(new)
        || meta::is_being_deleted(&old.metadata) != meta::is_being_deleted(&new.metadata)
        || address(old) != address(new)
        || pods::is_finished(old) != pods::is_finished(new)
        || pods::node_name(old) != pods::node_name(new)
        || host(old) != host(new)
}

/// `status.podIP`
pub fn address(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.pod_ip.as_deref().filter(|address| !address.is_empty())
}

/// Addresses of one family.
pub fn addresses(pod: &Pod, ipv6: bool) -> impl Iterator<Item = &str> {
    let all = pod.status.iter().flat_map(|status| status.pod_ips.iter().flatten());
    all.map(|address| address.ip.as_str()).filter(move |address| address.contains(':') == ipv6)
}

/// Whether the Pod is an endpoint, ready or not.
pub fn is_endpoint(pod: &Pod, include_terminating: bool) -> bool {
    !pods::is_finished(pod) && address(pod).is_some() && (include_terminating || !meta::is_being_deleted(&pod.metadata))
}

pub fn publishes_not_ready(service: &Service) -> bool {
    service.spec.as_ref().and_then(|spec| spec.publish_not_ready_addresses).unwrap_or_default()
}

/// The name under which a headless Service knows the Pod.
pub fn hostname<'a>(pod: &'a Pod, service: &Service) -> Option<&'a str> {
    let spec = pod.spec.as_ref()?;
    let same = spec.subdomain.as_deref() == service.metadata.name.as_deref();
    spec.hostname.as_deref().filter(|hostname| same && !hostname.is_empty())
}

pub fn is_headless(service: &Service) -> bool {
    service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref()) == Some("None")
}

fn service_ports(service: &Service) -> &[ServicePort] {
    service.spec.as_ref().and_then(|spec| spec.ports.as_deref()).unwrap_or_default()
}

/// Whether Pods may differ in the ports that they serve.
pub fn has_named_ports(service: &Service) -> bool {
    service_ports(service).iter().any(|port| matches!(port.target_port, Some(IntOrString::String(_))))
}

/// The Service's ports as the Pod serves them; ports that it does not name are left out.
pub fn ports_of(service: &Service, pod: &Pod) -> Vec<Port> {
    let ports = service_ports(service).iter().filter_map(|port| {
        Some(Port {
            name: port.name.clone().unwrap_or_default(),
            protocol: port.protocol.clone().unwrap_or_else(|| "TCP".into()),
            port: target_port(port, pod)?,
            app_protocol: port.app_protocol.clone(),
        })
    });
    ports.collect()
}

fn target_port(port: &ServicePort, pod: &Pod) -> Option<i32> {
    match &port.target_port {
        None | Some(IntOrString::Int(0)) => Some(port.port),
        Some(IntOrString::Int(number)) => Some(*number),
        Some(IntOrString::String(name)) => {
            let protocol = port.protocol.as_deref().unwrap_or("TCP");
            let spec = pod.spec.as_ref()?;
            let sidecars = spec.init_containers.iter().flatten();
            let sidecars = sidecars.filter(|container| container.restart_policy.as_deref() == Some("Always"));
            let ports = spec.containers.iter().chain(sidecars).flat_map(|container| container.ports.iter().flatten());
            let mut named = ports.filter(|found| {
                found.name.as_ref() == Some(name) && found.protocol.as_deref().unwrap_or("TCP") == protocol
            });
            named.next().map(|found| found.container_port)
        }
    }
}

/// When what stands behind the Service changed last: for measuring how long the change took to get around.
pub fn trigger_time<'a>(service: &Service, pods: impl Iterator<Item = &'a Arc<Pod>>) -> Option<String> {
    let ready = pods.filter_map(|pod| pods::condition(pod, "Ready")?.last_transition_time.as_ref());
    let latest =
        ready.max_by_key(|changed| time::since_start(changed)).or(service.metadata.creation_timestamp.as_ref())?;
    api::wire::value_of(latest).as_str().map(str::to_owned)
}

/// The labels that Endpoints and EndpointSlices take over from their Service.
pub fn own_labels(service: &Service) -> BTreeMap<String, String> {
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.remove(HEADLESS);
    if is_headless(service) {
        labels.insert(HEADLESS.into(), String::new());
    }
    labels
}
