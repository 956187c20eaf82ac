//! An ingress controller: what ingress-nginx does with Ingress objects of its class.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::object::typed;
use api::request::WatchKind;
use api::types::{
    EndpointSlice, HTTPIngressPath, Ingress, IngressBackend, IngressClass, IngressLoadBalancerIngress,
    IngressLoadBalancerStatus, IngressRule, IngressStatus, Service,
};
use api::{SimTime, meta};
use client::{Change, Client, Component, EventType, Recorder, Watch, WorkQueue};

use crate::slices::{Slices, Target, targets};

/// `spec.controller` of the classes that this controller serves.
pub const CONTROLLER: &str = "k8s.io/ingress-nginx";

#[derive(Clone)]
pub struct IngressController {
    /// The address at which clients outside reach it.
    address: String,
    ingresses: BTreeMap<String, Arc<Ingress>>,
    classes: BTreeMap<String, Arc<IngressClass>>,
    services: BTreeMap<String, Arc<Service>>,
    slices: Slices,
    queue: WorkQueue<String>,
    recorder: Recorder,
}

/// Where an Ingress sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Key of the Ingress.
    pub ingress: String,
    /// Key of the Service.
    pub service: String,
    /// Its endpoints; with none, the controller answers 503.
    pub targets: Vec<Target>,
}

impl IngressController {
    pub fn new(address: &str) -> IngressController {
        IngressController {
            address: address.into(),
            ingresses: BTreeMap::new(),
            classes: BTreeMap::new(),
            services: BTreeMap::new(),
            slices: Slices::default(),
            queue: WorkQueue::default(),
            recorder: Recorder::new("nginx-ingress-controller", ""),
        }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// The backend for a request, by the rules of the Ingress API: the exact host before a wildcard, an exact path before
    /// the longest prefix. `None` is the controller's own 404.
    pub fn route(&self, host: &str, path: &str) -> Option<Backend> {
        let path = path.split('?').next().unwrap_or("/");
        let mut best: Option<(Rank, &str, &IngressBackend)> = None;
        for (key, ingress) in self.ingresses.iter().filter(|(_, ingress)| self.serves(ingress)) {
            let Some(spec) = &ingress.spec else { continue };
            for rule in spec.rules.iter().flatten() {
                let Some(host_rank) = rank_host(rule, host) else { continue };
                for candidate in rule.http.iter().flat_map(|http| &http.paths) {
                    let Some(path_rank) = rank_path(candidate, path) else { continue };
                    let rank = Rank { host: host_rank, path: path_rank };
                    if best.as_ref().is_none_or(|(found, ..)| rank > *found) {
                        best = Some((rank, key, &candidate.backend));
                    }
                }
            }
            if let Some(default) = &spec.default_backend
                && best.is_none()
            {
                best = Some((Rank::default(), key, default));
            }
        }
        let (_, key, backend) = best?;
        self.backend(key, backend)
    }

    /// The Ingress objects that this controller serves.
    pub fn served(&self) -> impl Iterator<Item = (&str, &Ingress)> {
        let served = self.ingresses.iter().filter(|(_, ingress)| self.serves(ingress));
        served.map(|(key, ingress)| (key.as_str(), &**ingress))
    }

    fn serves(&self, ingress: &Ingress) -> bool {
        let named = ingress.spec.as_ref().and_then(|spec| spec.ingress_class_name.as_deref());
        let name = named.or_else(|| meta::annotation(&ingress.metadata, "kubernetes.io/ingress.class"));
        let class = name.and_then(|name| self.classes.get(name)).and_then(|class| class.spec.as_ref());
        class.is_some_and(|spec| spec.controller.as_deref() == Some(CONTROLLER))
    }

    fn backend(&self, ingress: &str, backend: &IngressBackend) -> Option<Backend> {
        let (namespace, _) = meta::split_key(ingress);
        let reference = backend.service.as_ref()?;
        let service = meta::key_of(namespace, &reference.name);
        let wanted = reference.port.as_ref();
        let ports = self.services.get(&service).and_then(|service| service.spec.as_ref()?.ports.as_ref());
        let port = ports.into_iter().flatten().find(|port| {
            let by_number = wanted.and_then(|wanted| wanted.number) == Some(port.port);
            let name = wanted.and_then(|wanted| wanted.name.as_deref());
            by_number || (name.is_some() && name == port.name.as_deref())
        });
        let targets = port
            .map(|port| targets(&self.slices.of(&service), port.name.as_deref().unwrap_or_default()))
            .unwrap_or_default();
        Some(Backend { ingress: ingress.into(), service, targets })
    }
}

/// How well a rule fits a request; the greatest wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    host: usize,
    path: (bool, usize),
}

fn rank_host(rule: &IngressRule, host: &str) -> Option<usize> {
    match rule.host.as_deref().unwrap_or_default() {
        "" => Some(1),
        wanted if wanted == host => Some(3),
        wanted => {
            let suffix = wanted.strip_prefix('*')?;
            let label = host.strip_suffix(suffix)?;
            (!label.is_empty() && !label.contains('.')).then_some(2)
        }
    }
}

fn rank_path(candidate: &HTTPIngressPath, path: &str) -> Option<(bool, usize)> {
    let wanted = candidate.path.as_deref().unwrap_or("/");
    if candidate.path_type == "Exact" {
        return (wanted == path).then_some((true, wanted.len()));
    }
    let prefix = wanted.strip_suffix('/').unwrap_or(wanted);
    let rest = path.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with('/')).then_some((false, wanted.len()))
}

impl Component for IngressController {
    fn name(&self) -> &'static str {
        "nginx-ingress-controller"
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::all::<IngressClass>(),
            Watch::all::<Ingress>(),
            Watch::all::<Service>(),
            Watch::all::<EndpointSlice>(),
        ]
    }

    fn observe(&mut self, _now: SimTime, watch: usize, change: &Change) {
        let gone = change.kind == WatchKind::Deleted;
        let key = meta::key(change.object.meta());
        match watch {
            0 => keep(&mut self.classes, key, typed(&change.object), gone),
            1 => {
                keep(&mut self.ingresses, key.clone(), typed(&change.object), gone);
                if !gone {
                    self.queue.add(key, change.cause);
                }
            }
            2 => keep(&mut self.services, key, typed(&change.object), gone),
            _ => {
                self.slices.apply(change);
            }
        }
    }

    fn next_work(&self) -> Option<SimTime> {
        self.queue.next()
    }

    fn work(&mut self, client: &mut Client) {
        let Some((key, cause)) = self.queue.take(client.now()) else { return };
        let Some(ingress) = self.ingresses.get(&key).filter(|ingress| self.serves(ingress)).cloned() else { return };
        client.begin("sync", "Ingress", &key, cause);
        let status = Some(IngressStatus {
            load_balancer: Some(IngressLoadBalancerStatus {
                ingress: Some(vec![IngressLoadBalancerIngress {
                    ip: Some(self.address.clone()),
                    ..IngressLoadBalancerIngress::default()
                }]),
            }),
        });
        if ingress.status == status {
            return;
        }
        self.recorder.event(client, &*ingress, EventType::Normal, "Sync", "Scheduled for sync");
        let mut changed = (*ingress).clone();
        changed.status = status;
        match client.update_status(changed) {
            Ok(_) => self.queue.forget(&key),
            Err(_) => self.queue.add_rate_limited(key, client.now(), cause),
        }
    }
}

fn keep<T>(known: &mut BTreeMap<String, Arc<T>>, key: String, object: Option<Arc<T>>, gone: bool) {
    match object {
        Some(object) if !gone => {
            known.insert(key, object);
        }
        _ => {
            known.remove(&key);
        }
    }
}
