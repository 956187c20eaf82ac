//! The endpoints of Services, as one watcher has heard of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::meta;
use api::object::typed;
use api::request::WatchKind;
use api::types::EndpointSlice;
use client::Change;

const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// EndpointSlices by the key of their Service, shared and not copied.
#[derive(Clone, Default)]
pub struct Slices {
    by_service: BTreeMap<String, BTreeMap<String, Arc<EndpointSlice>>>,
}

/// One address behind a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub ip: String,
    pub port: u16,
    /// Key of the Pod; empty for an endpoint without one.
    pub pod: String,
    pub node: String,
    pub terminating: bool,
}

impl Slices {
    /// Takes a change in and names the Service that it concerns.
    pub fn apply(&mut self, change: &Change) -> Option<String> {
        let slice = typed::<EndpointSlice>(&change.object)?;
        let service = meta::label(&slice.metadata, SERVICE_NAME)?;
        let key = meta::key_of(slice.metadata.namespace.as_deref().unwrap_or_default(), service);
        let name = slice.metadata.name.clone().unwrap_or_default();
        if change.kind == WatchKind::Deleted {
            if let Some(slices) = self.by_service.get_mut(&key) {
                slices.remove(&name);
                if slices.is_empty() {
                    self.by_service.remove(&key);
                }
            }
        } else {
            self.by_service.entry(key.clone()).or_default().insert(name, slice);
        }
        Some(key)
    }

    /// The slices of one Service, to keep as they are now.
    pub fn of(&self, service: &str) -> Vec<Arc<EndpointSlice>> {
        self.by_service.get(service).map(|slices| slices.values().cloned().collect()).unwrap_or_default()
    }
}

/// The addresses that take traffic for a port: the ready ones or, when there is none, those that still serve while they
/// terminate.
pub fn targets(slices: &[Arc<EndpointSlice>], port_name: &str) -> Vec<Target> {
    let ready = collect(slices, port_name, |conditions| conditions.0);
    if !ready.is_empty() {
        return ready;
    }
    collect(slices, port_name, |(_, serving, terminating)| serving && terminating)
}

/// `wanted` is asked with ready, serving, terminating.
fn collect(slices: &[Arc<EndpointSlice>], port_name: &str, wanted: fn((bool, bool, bool)) -> bool) -> Vec<Target> {
    let mut targets = Vec::new();
    for slice in slices {
        let named = |port: &&api::types::SlicePort| port.name.as_deref().unwrap_or_default() == port_name;
        let Some(port) = slice.ports.iter().flatten().find(named).and_then(|port| port.port) else { continue };
        for endpoint in slice.endpoints.iter().flatten() {
            let conditions = endpoint.conditions.as_ref();
            let ready = conditions.and_then(|conditions| conditions.ready).unwrap_or(true);
            let serving = conditions.and_then(|conditions| conditions.serving).unwrap_or(ready);
            let terminating = conditions.and_then(|conditions| conditions.terminating).unwrap_or(false);
            if !wanted((ready, serving, terminating)) {
                continue;
            }
            let Some(ip) = endpoint.addresses.first() else { continue };
            let pod = endpoint.target_ref.as_ref().filter(|target| target.kind.as_deref() == Some("Pod"));
            let pod = pod.map(|target| {
                meta::key_of(
                    target.namespace.as_deref().unwrap_or_default(),
                    target.name.as_deref().unwrap_or_default(),
                )
            });
            targets.push(Target {
                ip: ip.clone(),
                port: port as u16,
                pod: pod.unwrap_or_default(),
                node: endpoint.node_name.clone().unwrap_or_default(),
                terminating,
            });
        }
    }
    targets
}
