//! How existing slices become the wanted ones with few writes.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::types::{Endpoint, EndpointSlice, ObjectMeta, Service, SlicePort};
use api::{Status, meta};
use client::{Client, DeleteOptions};

use super::desired::{Desired, DesiredByPorts, endpoints_of};
use super::{CONTROLLER, MANAGED_BY, SERVICE_NAME};
use crate::caches::Caches;
use crate::service_pods::{self, Port, TRIGGER_TIME};

/// `--max-endpoints-per-slice`
const ENDPOINTS_MAX: usize = 100;

#[derive(Default)]
pub(super) struct Plan {
    create: Vec<EndpointSlice>,
    update: Vec<EndpointSlice>,
    delete: Vec<Arc<EndpointSlice>>,
}

pub(super) fn plan(service: &Service, existing: Vec<Arc<EndpointSlice>>, caches: &Caches) -> Plan {
    let families = service.spec.as_ref().and_then(|spec| spec.ip_families.clone());
    let families = families.filter(|families| !families.is_empty()).unwrap_or_else(|| vec!["IPv4".into()]);
    let mut plan = Plan::default();
    for family in &families {
        let (same, _): (Vec<_>, Vec<_>) = existing.iter().cloned().partition(|slice| slice.address_type == *family);
        let desired = endpoints_of(service, caches, family == "IPv6");
        plan.add_family(service, family, same, desired);
    }
    let other = existing.into_iter().filter(|slice| !families.contains(&slice.address_type));
    plan.delete.extend(other);
    if !plan.create.is_empty() || !plan.update.is_empty() {
        let trigger = service_pods::trigger_time(service, service_pods::pods_of(service, caches));
        for slice in plan.create.iter_mut().chain(&mut plan.update) {
            match &trigger {
                Some(time) => meta::set_annotation(&mut slice.metadata, TRIGGER_TIME, time.clone()),
                None => drop(slice.metadata.annotations.get_or_insert_default().remove(TRIGGER_TIME)),
            }
        }
    }
    plan
}

impl Plan {
    fn add_family(
        &mut self,
        service: &Service,
        family: &str,
        existing: Vec<Arc<EndpointSlice>>,
        desired: DesiredByPorts,
    ) {
        let count = existing.len();
        let mut by_ports: BTreeMap<Vec<Port>, Vec<Arc<EndpointSlice>>> = BTreeMap::new();
        for slice in existing {
            by_ports.entry(ports_of(&slice)).or_default().push(slice);
        }
        let mut part = Plan::default();
        for (ports, endpoints) in desired {
            let slices = by_ports.remove(&ports).unwrap_or_default();
            part.add_ports(service, family, &ports, slices, endpoints);
        }
        part.delete.extend(by_ports.into_values().flatten());
        if part.delete.len() == count && part.create.is_empty() {
            // A Service without endpoints has one empty slice, which shows that the controller has seen it.
            let placeholder = new_slice(service, family, &[]);
            let only = part.delete.first().filter(|_| part.delete.len() == 1);
            if only.is_some_and(|only| is_placeholder(only, &placeholder)) {
                part.delete.clear();
            } else {
                part.create.push(placeholder);
            }
        }
        part.reuse_deleted();
        self.create.append(&mut part.create);
        self.update.append(&mut part.update);
        self.delete.append(&mut part.delete);
    }

    /// Slices of one set of ports.
    fn add_ports(
        &mut self,
        service: &Service,
        family: &str,
        ports: &[Port],
        existing: Vec<Arc<EndpointSlice>>,
        mut desired: BTreeMap<&str, Desired>,
    ) {
        let metadata = own_metadata(service);
        let mut changed: Vec<EndpointSlice> = Vec::new();
        let mut unchanged: Vec<Arc<EndpointSlice>> = Vec::new();
        for slice in existing {
            let kept = keep(&slice, &mut desired);
            if kept.endpoints.is_empty() {
                self.delete.push(slice);
            } else if kept.differs || slice.metadata.labels != metadata.labels {
                let endpoints = kept.into_endpoints(&slice);
                let mut slice = EndpointSlice { endpoints: Some(endpoints), ..(*slice).clone() };
                slice.metadata.labels.clone_from(&metadata.labels);
                changed.push(slice);
            } else {
                unchanged.push(slice);
            }
        }

        let mut new = desired.into_values();
        changed.sort_by_key(|slice| std::cmp::Reverse(len(slice)));
        for slice in &mut changed {
            let room = ENDPOINTS_MAX.saturating_sub(len(slice));
            fill(slice, &mut new, room);
        }
        // The slice that comes closest to full takes what is left, if it can.
        let left = new.len();
        let fitting = unchanged.iter().filter(|slice| left > 0 && len(slice) + left <= ENDPOINTS_MAX);
        if let Some(best) = fitting.max_by_key(|slice| len(slice)) {
            let mut slice = (**best).clone();
            fill(&mut slice, &mut new, left);
            changed.push(slice);
        }
        while new.len() > 0 {
            let mut slice = new_slice(service, family, ports);
            fill(&mut slice, &mut new, ENDPOINTS_MAX);
            self.create.push(slice);
        }
        self.update.append(&mut changed);
    }

    /// Writes new content into slices that would be deleted: one write in place of two.
    fn reuse_deleted(&mut self) {
        while !self.delete.is_empty() && !self.create.is_empty() {
            let (Some(old), Some(new)) = (self.delete.pop(), self.create.pop()) else { return };
            let mut slice = EndpointSlice { ports: new.ports, endpoints: new.endpoints, ..(*old).clone() };
            slice.metadata.labels = new.metadata.labels;
            slice.metadata.owner_references = new.metadata.owner_references;
            self.update.push(slice);
        }
    }

    pub fn carry_out(self, client: &mut Client, written: &mut BTreeMap<String, u64>) -> Result<(), Status> {
        let note = |slice: &EndpointSlice, written: &mut BTreeMap<String, u64>| {
            written.insert(slice.metadata.name.clone().unwrap_or_default(), meta::revision(&slice.metadata));
        };
        for slice in self.create {
            note(&*client.create(slice)?, written);
        }
        for slice in self.update {
            note(&*client.update(slice)?, written);
        }
        for slice in self.delete {
            let (namespace, name) = (slice.metadata.namespace.as_deref(), slice.metadata.name.as_deref());
            let (namespace, name) = (namespace.unwrap_or_default(), name.unwrap_or_default());
            written.remove(name);
            match client.delete::<EndpointSlice>(namespace, name, DeleteOptions::default()) {
                Err(status) if !status.is_not_found() => return Err(status),
                _ => {}
            }
        }
        Ok(())
    }
}

/// What stays of a slice.
struct Kept {
    /// Positions of endpoints, with what they become if they change.
    endpoints: Vec<(usize, Option<Endpoint>)>,
    /// The slice has to be written.
    differs: bool,
}

impl Kept {
    fn into_endpoints(self, slice: &EndpointSlice) -> Vec<Endpoint> {
        let old = slice.endpoints.as_deref().unwrap_or_default();
        self.endpoints.into_iter().map(|(index, new)| new.unwrap_or_else(|| old[index].clone())).collect()
    }
}

/// Takes the endpoints of a slice that are still wanted out of `desired`.
fn keep(slice: &EndpointSlice, desired: &mut BTreeMap<&str, Desired>) -> Kept {
    let mut kept = Kept { endpoints: Vec::new(), differs: false };
    for (index, endpoint) in slice.endpoints.iter().flatten().enumerate() {
        let name = endpoint.target_ref.as_ref().and_then(|target| target.name.as_deref());
        match name.and_then(|name| desired.remove(name)) {
            Some(wanted) if wanted.is(endpoint) => kept.endpoints.push((index, None)),
            Some(wanted) => {
                kept.differs = true;
                kept.endpoints.push((index, Some(wanted.to_endpoint())));
            }
            None => kept.differs = true,
        }
    }
    kept
}

fn len(slice: &EndpointSlice) -> usize {
    slice.endpoints.as_ref().map(Vec::len).unwrap_or_default()
}

fn fill<'a>(slice: &mut EndpointSlice, new: &mut impl Iterator<Item = Desired<'a>>, room: usize) {
    let endpoints = slice.endpoints.get_or_insert_default();
    endpoints.extend(new.take(room).map(|desired| desired.to_endpoint()));
}

fn is_placeholder(slice: &EndpointSlice, placeholder: &EndpointSlice) -> bool {
    len(slice) == 0
        && slice.ports.as_ref().is_none_or(Vec::is_empty)
        && slice.metadata.labels == placeholder.metadata.labels
}

fn ports_of(slice: &EndpointSlice) -> Vec<Port> {
    let ports = slice.ports.iter().flatten().map(|port| Port {
        name: port.name.clone().unwrap_or_default(),
        protocol: port.protocol.clone().unwrap_or_else(|| "TCP".into()),
        port: port.port.unwrap_or_default(),
        app_protocol: port.app_protocol.clone(),
    });
    let mut ports: Vec<Port> = ports.collect();
    ports.sort();
    ports
}

fn own_metadata(service: &Service) -> ObjectMeta {
    let name = service.metadata.name.clone().unwrap_or_default();
    let mut labels = service_pods::own_labels(service);
    labels.insert(SERVICE_NAME.into(), name.clone());
    labels.insert(MANAGED_BY.into(), CONTROLLER.into());
    ObjectMeta {
        generate_name: Some(format!("{name}-")),
        namespace: service.metadata.namespace.clone(),
        labels: Some(labels),
        owner_references: Some(vec![meta::controller_reference(service)]),
        ..ObjectMeta::default()
    }
}

fn new_slice(service: &Service, family: &str, ports: &[Port]) -> EndpointSlice {
    let ports = ports.iter().map(|port| SlicePort {
        name: Some(port.name.clone()),
        port: Some(port.port),
        protocol: Some(port.protocol.clone()),
        app_protocol: port.app_protocol.clone(),
    });
    EndpointSlice {
        address_type: family.into(),
        endpoints: Some(Vec::new()),
        metadata: own_metadata(service),
        ports: Some(ports.collect::<Vec<_>>()).filter(|ports| !ports.is_empty()),
    }
}
