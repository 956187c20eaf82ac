//! The cluster's DNS: CoreDNS with its kubernetes plugin.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::object::typed;
use api::request::WatchKind;
use api::types::{EndpointSlice, Service};
use api::{SimTime, meta};
use client::{Change, Client, Component, Watch};

use crate::slices::Slices;

const DOMAIN: &str = "cluster.local";

#[derive(Clone, Default)]
pub struct ClusterDns {
    services: BTreeMap<String, Arc<Service>>,
    slices: Slices,
}

/// The answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// The full name that matched and its addresses, which may be none.
    Addresses { name: String, addresses: Vec<String> },
    /// An ExternalName Service.
    Alias { name: String, target: String },
    /// NXDOMAIN
    Unknown,
}

impl ClusterDns {
    /// Resolves a name as a Pod of `namespace` does: with its search list when the name has fewer than five dots.
    pub fn resolve(&self, name: &str, namespace: &str) -> Resolved {
        if let Some(absolute) = name.strip_suffix('.') {
            return self.query(absolute);
        }
        let search = [format!("{namespace}.svc.{DOMAIN}"), format!("svc.{DOMAIN}"), DOMAIN.to_owned()];
        let dots = name.matches('.').count();
        if dots < 5 {
            for domain in &search {
                let found = self.query(&format!("{name}.{domain}"));
                if found != Resolved::Unknown {
                    return found;
                }
            }
        }
        self.query(name)
    }

    /// One query for an absolute name.
    pub fn query(&self, name: &str) -> Resolved {
        let name = name.to_ascii_lowercase();
        let Some(local) = name.strip_suffix(DOMAIN).and_then(|rest| rest.strip_suffix(".svc.")) else {
            return Resolved::Unknown;
        };
        let labels: Vec<&str> = local.split('.').collect();
        match labels.as_slice() {
            [service, namespace] => self.service(&name, namespace, service),
            [host, service, namespace] => self.host(&name, namespace, service, host),
            _ => Resolved::Unknown,
        }
    }

    fn service(&self, name: &str, namespace: &str, service: &str) -> Resolved {
        let key = meta::key_of(namespace, service);
        let Some(spec) = self.services.get(&key).and_then(|service| service.spec.as_ref()) else {
            return Resolved::Unknown;
        };
        if spec.type_.as_deref() == Some("ExternalName") {
            let target = spec.external_name.clone().unwrap_or_default();
            return Resolved::Alias { name: name.into(), target };
        }
        let addresses = match spec.cluster_ip.as_deref() {
            Some("None") => self.endpoints(&key, None),
            Some(address) => vec![address.to_owned()],
            None => Vec::new(),
        };
        Resolved::Addresses { name: name.into(), addresses }
    }

    /// `db-0.db.shop.svc.cluster.local`: one Pod behind a headless Service.
    fn host(&self, name: &str, namespace: &str, service: &str, host: &str) -> Resolved {
        let addresses = self.endpoints(&meta::key_of(namespace, service), Some(host));
        if addresses.is_empty() {
            return Resolved::Unknown;
        }
        Resolved::Addresses { name: name.into(), addresses }
    }

    fn endpoints(&self, service: &str, host: Option<&str>) -> Vec<String> {
        let slices = self.slices.of(service);
        let endpoints = slices.iter().flat_map(|slice| slice.endpoints.iter().flatten());
        let ready = endpoints.filter(|endpoint| {
            let conditions = endpoint.conditions.as_ref();
            conditions.and_then(|conditions| conditions.ready).unwrap_or(true)
        });
        ready
            .filter(|endpoint| host.is_none() || endpoint.hostname.as_deref() == host)
            .flat_map(|endpoint| endpoint.addresses.iter().cloned())
            .collect()
    }
}

impl Component for ClusterDns {
    fn name(&self) -> &'static str {
        "coredns"
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::all::<Service>(), Watch::all::<EndpointSlice>()]
    }

    fn observe(&mut self, _now: SimTime, watch: usize, change: &Change) {
        if watch == 1 {
            self.slices.apply(change);
            return;
        }
        let Some(service) = typed::<Service>(&change.object) else { return };
        let key = meta::key(&service.metadata);
        if change.kind == WatchKind::Deleted {
            self.services.remove(&key);
        } else {
            self.services.insert(key, service);
        }
    }

    fn next_work(&self) -> Option<SimTime> {
        None
    }

    fn work(&mut self, _client: &mut Client) {}
}
