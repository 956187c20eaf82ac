//! The load balancers of a cloud: every Service of type LoadBalancer gets an address outside.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::object::typed;
use api::request::WatchKind;
use api::time::SECOND;
use api::types::{LoadBalancerIngress, LoadBalancerStatus, Service};
use api::{SimTime, meta};
use client::{Change, Client, Component, EventType, Recorder, Watch, WorkQueue};

/// What a cloud takes to make a load balancer.
const PROVISIONING: SimTime = 3 * SECOND;

/// The service controller of a cloud provider. Addresses come from 203.0.113.0/24, which is kept for documentation.
#[derive(Clone)]
pub struct LoadBalancers {
    services: BTreeMap<String, Arc<Service>>,
    addresses: BTreeMap<String, u8>,
    queue: WorkQueue<String>,
    /// Balancers on their way, and when they are there.
    pending: BTreeMap<String, SimTime>,
    recorder: Recorder,
}

impl Default for LoadBalancers {
    fn default() -> Self {
        LoadBalancers {
            services: BTreeMap::new(),
            addresses: BTreeMap::new(),
            queue: WorkQueue::default(),
            pending: BTreeMap::new(),
            recorder: Recorder::new("service-controller", ""),
        }
    }
}

fn wants(service: &Service) -> bool {
    let spec = service.spec.as_ref();
    let class = spec.and_then(|spec| spec.load_balancer_class.as_deref());
    spec.and_then(|spec| spec.type_.as_deref()) == Some("LoadBalancer") && class.is_none()
}

impl LoadBalancers {
    fn free_address(&self) -> u8 {
        (10..=254).find(|last| !self.addresses.values().any(|taken| taken == last)).unwrap_or(254)
    }
}

impl Component for LoadBalancers {
    fn name(&self) -> &'static str {
        "service-controller"
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::all::<Service>()]
    }

    fn observe(&mut self, _now: SimTime, _watch: usize, change: &Change) {
        let Some(service) = typed::<Service>(&change.object) else { return };
        let key = meta::key(&service.metadata);
        if change.kind == WatchKind::Deleted {
            self.services.remove(&key);
            self.addresses.remove(&key);
            self.pending.remove(&key);
            return;
        }
        if wants(&service) || self.addresses.contains_key(&key) {
            self.queue.add(key.clone(), change.cause);
        }
        self.services.insert(key, service);
    }

    fn next_work(&self) -> Option<SimTime> {
        self.queue.next()
    }

    fn work(&mut self, client: &mut Client) {
        let now = client.now();
        let Some((key, cause)) = self.queue.take(now) else { return };
        let Some(service) = self.services.get(&key).cloned() else { return };
        client.begin("sync", "Service", &key, cause);
        let status = if wants(&service) {
            match self.pending.get(&key).copied() {
                None if !self.addresses.contains_key(&key) => {
                    let text = "Ensuring load balancer";
                    self.recorder.event(client, &*service, EventType::Normal, "EnsuringLoadBalancer", text);
                    self.pending.insert(key.clone(), now + PROVISIONING);
                    self.queue.add_at(key, now + PROVISIONING, cause);
                    return;
                }
                Some(ready) if now < ready => {
                    self.queue.add_at(key, ready, cause);
                    return;
                }
                _ => {}
            }
            self.pending.remove(&key);
            let last = self.addresses.get(&key).copied().unwrap_or_else(|| self.free_address());
            self.addresses.insert(key.clone(), last);
            Some(LoadBalancerStatus {
                ingress: Some(vec![LoadBalancerIngress {
                    ip: Some(format!("203.0.113.{last}")),
                    ip_mode: Some("VIP".into()),
                    ..LoadBalancerIngress::default()
                }]),
            })
        } else {
            self.addresses.remove(&key);
            Some(LoadBalancerStatus::default())
        };
        let before = service.status.as_ref().and_then(|status| status.load_balancer.clone());
        if before.clone().unwrap_or_default() == status.clone().unwrap_or_default() {
            return;
        }
        let mut changed = (*service).clone();
        changed.status.get_or_insert_default().load_balancer = status;
        match client.update_status(changed) {
            Ok(written) => {
                self.queue.forget(&key);
                if wants(&written) {
                    let text = "Ensured load balancer";
                    self.recorder.event(client, &*written, EventType::Normal, "EnsuredLoadBalancer", text);
                }
            }
            Err(_) => self.queue.add_rate_limited(key, now, cause),
        }
    }
}
