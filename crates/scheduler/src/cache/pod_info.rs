//! A Pod with everything that plugins ask of it, computed once.

use std::sync::Arc;

use api::meta;
use api::selector::Selector;
use api::types::{Pod, PodAffinityTerm, PodSpec};

use super::resource::{Resource, pod_requests};

#[derive(Clone, Debug)]
pub struct PodInfo {
    pub pod: Arc<Pod>,
    /// `namespace/name`
    pub key: Arc<str>,
    pub uid: Arc<str>,
    pub priority: i32,
    pub requests: Resource,
    /// `requests` with the defaults that scoring assumes for containers that ask for nothing.
    pub non_zero_requests: Resource,
    pub host_ports: Vec<HostPort>,
    pub affinity: Option<Arc<PodAffinityTerms>>,
    /// Keys of the PersistentVolumeClaims in use.
    pub claims: Vec<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    pub ip: Box<str>,
    pub protocol: Box<str>,
    pub port: i32,
}

/// The parsed terms of `spec.affinity.podAffinity` and `podAntiAffinity`.
#[derive(Debug, Default)]
pub struct PodAffinityTerms {
    pub required: Vec<AffinityTerm>,
    pub required_anti: Vec<AffinityTerm>,
    pub preferred: Vec<(i32, AffinityTerm)>,
    pub preferred_anti: Vec<(i32, AffinityTerm)>,
}

#[derive(Debug)]
pub struct AffinityTerm {
    /// The Pod's own namespace where the term names none.
    pub namespaces: Vec<String>,
    /// Selects further namespaces by their labels.
    pub namespace_selector: Selector,
    pub selector: Selector,
    pub topology_key: String,
}

impl PodInfo {
    pub fn new(pod: Arc<Pod>) -> PodInfo {
        let key: Arc<str> = meta::key(&pod.metadata).into();
        let uid: Arc<str> = match &pod.metadata.uid {
            Some(uid) => uid.as_str().into(),
            None => key.clone(),
        };
        let Some(spec) = &pod.spec else {
            return PodInfo {
                key,
                uid,
                priority: 0,
                requests: Resource::default(),
                non_zero_requests: Resource::default(),
                host_ports: Vec::new(),
                affinity: None,
                claims: Vec::new(),
                pod,
            };
        };
        let status = pod.status.as_ref().filter(|_| spec.node_name.is_some());
        let (requests, non_zero_requests) = pod_requests(spec, status);
        PodInfo {
            key,
            uid,
            priority: spec.priority.unwrap_or(0),
            requests,
            non_zero_requests,
            host_ports: host_ports(spec),
            affinity: PodAffinityTerms::of(&pod, spec).map(Arc::new),
            claims: claims(&pod, spec),
            pod,
        }
    }

    /// The same Pod after a change that concerns no plugin.
    pub fn with_object(&self, pod: Arc<Pod>) -> PodInfo {
        PodInfo { pod, ..self.clone() }
    }

    pub fn namespace(&self) -> &str {
        meta::split_key(&self.key).0
    }

    pub fn spec(&self) -> Option<&PodSpec> {
        self.pod.spec.as_ref()
    }

    pub fn is_terminating(&self) -> bool {
        meta::is_being_deleted(&self.pod.metadata)
    }

    pub fn nominated_node(&self) -> Option<&str> {
        self.pod.status.as_ref()?.nominated_node_name.as_deref().filter(|name| !name.is_empty())
    }

    /// Whether it states preferences or requirements about other Pods.
    pub fn has_required_anti_affinity(&self) -> bool {
        self.affinity.as_ref().is_some_and(|terms| !terms.required_anti.is_empty())
    }
}

fn host_ports(spec: &PodSpec) -> Vec<HostPort> {
    let sidecars = spec.init_containers.iter().flatten().filter(|c| c.restart_policy.as_deref() == Some("Always"));
    let containers = spec.containers.iter().chain(sidecars);
    let ports = containers.flat_map(|container| container.ports.iter().flatten());
    ports
        .filter_map(|port| {
            let number = port.host_port.filter(|number| *number > 0)?;
            let ip = port.host_ip.as_deref().filter(|ip| !ip.is_empty()).unwrap_or("0.0.0.0");
            let protocol = port.protocol.as_deref().unwrap_or("TCP");
            Some(HostPort { ip: ip.into(), protocol: protocol.into(), port: number })
        })
        .collect()
}

impl HostPort {
    /// The same port and protocol on addresses that overlap.
    pub fn conflicts_with(&self, other: &HostPort) -> bool {
        const ANY: &str = "0.0.0.0";
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || &*self.ip == ANY || &*other.ip == ANY)
    }
}

fn claims(pod: &Pod, spec: &PodSpec) -> Vec<Arc<str>> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let pod_name = pod.metadata.name.as_deref().unwrap_or_default();
    let volumes = spec.volumes.iter().flatten();
    volumes
        .filter_map(|volume| {
            let name = match (&volume.persistent_volume_claim, &volume.ephemeral) {
                (Some(source), _) => source.claim_name.clone(),
                (None, Some(_)) => format!("{pod_name}-{}", volume.name),
                (None, None) => return None,
            };
            Some(meta::key_of(namespace, &name).into())
        })
        .collect()
}

impl PodAffinityTerms {
    fn of(pod: &Pod, spec: &PodSpec) -> Option<PodAffinityTerms> {
        let affinity = spec.affinity.as_ref()?;
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let parse = |term: &PodAffinityTerm| AffinityTerm::new(term, namespace);
        let mut terms = PodAffinityTerms::default();
        if let Some(together) = &affinity.pod_affinity {
            terms.required =
                together.required_during_scheduling_ignored_during_execution.iter().flatten().map(parse).collect();
            let preferred = together.preferred_during_scheduling_ignored_during_execution.iter().flatten();
            terms.preferred = preferred.map(|term| (term.weight, parse(&term.pod_affinity_term))).collect();
        }
        if let Some(apart) = &affinity.pod_anti_affinity {
            terms.required_anti =
                apart.required_during_scheduling_ignored_during_execution.iter().flatten().map(parse).collect();
            let preferred = apart.preferred_during_scheduling_ignored_during_execution.iter().flatten();
            terms.preferred_anti = preferred.map(|term| (term.weight, parse(&term.pod_affinity_term))).collect();
        }
        (affinity.pod_affinity.is_some() || affinity.pod_anti_affinity.is_some()).then_some(terms)
    }
}

impl AffinityTerm {
    /// `matchLabelKeys` need no care here: the API server has merged them into the selector.
    fn new(term: &PodAffinityTerm, own_namespace: &str) -> AffinityTerm {
        let mut namespaces = term.namespaces.clone().unwrap_or_default();
        if namespaces.is_empty() && term.namespace_selector.is_none() {
            namespaces.push(own_namespace.to_owned());
        }
        AffinityTerm {
            namespaces,
            namespace_selector: Selector::from_label_selector(term.namespace_selector.as_ref()),
            selector: Selector::from_label_selector(term.label_selector.as_ref()),
            topology_key: term.topology_key.clone(),
        }
    }
}
