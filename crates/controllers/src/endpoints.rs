//! The endpoints controller: the older form of what stands behind a Service.

use std::collections::BTreeMap;

use api::types::{EndpointAddress, EndpointPort, EndpointSubset, Endpoints, ObjectMeta, ObjectReference, Pod, Service};
use api::{Status, meta};
use client::{Client, DeleteOptions, EventType, Recorder};

use crate::caches::{Caches, Seen};
use crate::controller::{Event, Queue, Reconciler};
use crate::pods;
use crate::service_pods::{self, Port, TRIGGER_TIME};

#[derive(Clone)]
pub struct EndpointsController {
    recorder: Recorder,
}

impl Default for EndpointsController {
    fn default() -> Self {
        EndpointsController { recorder: Recorder::new("endpoint-controller", "") }
    }
}

const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";
/// Most addresses of one object.
const CAPACITY: usize = 1000;

impl Reconciler for EndpointsController {
    type Key = String;
    const NAME: &'static str = "endpoints-controller";
    const KIND: &'static str = "Endpoints";
    const WORKERS: usize = 5;

    fn observe(&mut self, event: &Event, caches: &Caches, queue: &mut Queue<String>) {
        match &event.seen {
            Seen::Service(old, new) => {
                if let Some(service) = new.as_ref().or(old.as_ref()) {
                    queue.add(meta::key(&service.metadata));
                }
            }
            Seen::Pod(old, new) => {
                for key in service_pods::services_concerned(old.as_deref(), new.as_deref(), caches) {
                    queue.add(key);
                }
            }
            Seen::Endpoints(Some(endpoints), None) => queue.add(meta::key(&endpoints.metadata)),
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        caches: &Caches,
        client: &mut Client,
        _queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        let (namespace, name) = meta::split_key(key);
        let Some(service) = caches.services.get(key).filter(|service| !meta::is_being_deleted(&service.metadata))
        else {
            if caches.endpoints.get(key).is_none() {
                return Ok(());
            }
            return match client.delete::<Endpoints>(namespace, name, DeleteOptions::default()) {
                Err(status) if !status.is_not_found() => Err(status),
                _ => Ok(()),
            };
        };
        if !service_pods::has_selector(service) {
            return Ok(());
        }
        let (subsets, truncated) = subsets_of(service, caches);
        let current = caches.endpoints.get(key);
        let wanted = wanted(service, caches, current.map(|current| &**current), subsets, truncated);
        let result = match current {
            Some(current) if same(current, &wanted) => return Ok(()),
            Some(_) => client.update(wanted),
            None => client.create(wanted),
        };
        match result {
            Ok(_) => Ok(()),
            Err(status) if status.is_already_exists() => Err(status),
            Err(status) => {
                let verb = if current.is_some() { "update" } else { "create" };
                let reason = if current.is_some() { "FailedToUpdateEndpoint" } else { "FailedToCreateEndpoint" };
                let message = format!("Failed to {verb} endpoint {key}: {status}");
                self.recorder.event(client, &**service, EventType::Warning, reason, message);
                Err(status)
            }
        }
    }
}

fn wanted(
    service: &Service,
    caches: &Caches,
    current: Option<&Endpoints>,
    subsets: Vec<EndpointSubset>,
    truncated: bool,
) -> Endpoints {
    let mut endpoints = current.cloned().unwrap_or_else(|| Endpoints {
        metadata: ObjectMeta {
            name: service.metadata.name.clone(),
            namespace: service.metadata.namespace.clone(),
            ..ObjectMeta::default()
        },
        subsets: None,
    });
    let mut labels = service_pods::own_labels(service);
    labels.insert(MANAGED_BY.into(), "endpoint-controller".into());
    endpoints.metadata.labels = Some(labels);
    endpoints.subsets = Some(subsets).filter(|subsets| !subsets.is_empty());
    let annotations = endpoints.metadata.annotations.get_or_insert_default();
    match service_pods::trigger_time(service, service_pods::pods_of(service, caches)) {
        Some(time) => drop(annotations.insert(TRIGGER_TIME.into(), time)),
        None => drop(annotations.remove(TRIGGER_TIME)),
    }
    if truncated {
        annotations.insert(OVER_CAPACITY.into(), "truncated".into());
    } else {
        annotations.remove(OVER_CAPACITY);
    }
    endpoints
}

/// Equal but for the time of the change.
fn same(left: &Endpoints, right: &Endpoints) -> bool {
    let over = |endpoints: &Endpoints| meta::annotation(&endpoints.metadata, OVER_CAPACITY).is_some();
    left.subsets == right.subsets && left.metadata.labels == right.metadata.labels && over(left) == over(right)
}

/// The Pods by the ports that they serve, and whether there were too many.
fn subsets_of(service: &Service, caches: &Caches) -> (Vec<EndpointSubset>, bool) {
    let tolerates = service_pods::publishes_not_ready(service);
    let has_ports = service.spec.as_ref().is_some_and(|spec| spec.ports.as_ref().is_some_and(|it| !it.is_empty()));
    let mut subsets: BTreeMap<Vec<Port>, (Vec<EndpointAddress>, Vec<EndpointAddress>)> = BTreeMap::new();
    let mut count = 0;
    let mut truncated = false;
    for pod in service_pods::pods_of(service, caches).filter(|pod| service_pods::is_endpoint(pod, tolerates)) {
        let mut ports = service_pods::ports_of(service, pod);
        if ports.is_empty() && has_ports {
            continue;
        }
        if count == CAPACITY {
            truncated = true;
            break;
        }
        count += 1;
        ports.sort();
        let (ready, not_ready) = subsets.entry(ports).or_default();
        let list = if tolerates || pods::is_ready(pod) { ready } else { not_ready };
        list.push(address_of(service, pod));
    }
    let list = |mut addresses: Vec<EndpointAddress>| {
        addresses.sort_by(|left, right| left.ip.cmp(&right.ip));
        Some(addresses).filter(|addresses| !addresses.is_empty())
    };
    let subsets = subsets.into_iter().map(|(ports, (ready, not_ready))| EndpointSubset {
        addresses: list(ready),
        not_ready_addresses: list(not_ready),
        ports: Some(ports.into_iter().map(endpoint_port).collect::<Vec<_>>()).filter(|ports| !ports.is_empty()),
    });
    (subsets.collect(), truncated)
}

fn endpoint_port(port: Port) -> EndpointPort {
    EndpointPort {
        name: Some(port.name).filter(|name| !name.is_empty()),
        port: port.port,
        protocol: Some(port.protocol),
        app_protocol: port.app_protocol,
    }
}

fn address_of(service: &Service, pod: &Pod) -> EndpointAddress {
    EndpointAddress {
        ip: service_pods::address(pod).unwrap_or_default().into(),
        node_name: Some(pods::node_name(pod).to_owned()).filter(|name| !name.is_empty()),
        hostname: service_pods::hostname(pod, service).map(str::to_owned),
        target_ref: Some(pod_reference(pod)),
    }
}

/// How endpoints name their Pod.
pub(crate) fn pod_reference(pod: &Pod) -> ObjectReference {
    ObjectReference {
        kind: Some("Pod".into()),
        namespace: pod.metadata.namespace.clone(),
        name: pod.metadata.name.clone(),
        uid: pod.metadata.uid.clone(),
        ..ObjectReference::default()
    }
}
