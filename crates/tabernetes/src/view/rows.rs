//! Everything but Pods, row by row.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::meta;
use api::quantity::Amount;
use api::types::*;
use protocol::view as page;
use protocol::view::{EndpointState, NodeReady, Rows};

use super::Viewer;
use super::pods::{cpu_request, request};
use crate::cluster::Cluster;

pub(crate) fn ready(node: &Node) -> NodeReady {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    match conditions.iter().find(|condition| condition.type_ == "Ready").map(|condition| condition.status.as_str()) {
        Some("True") => NodeReady::Ready,
        Some("False") => NodeReady::NotReady,
        _ => NodeReady::Unknown,
    }
}

impl Viewer {
    pub(super) fn node_rows(&mut self, cluster: &Cluster) -> Rows<page::Node> {
        if self.nodes.changed.is_empty() {
            return Rows::default();
        }
        let mut sums: BTreeMap<&str, Sums> = BTreeMap::new();
        for pod in self.pods.objects.values() {
            let Some(spec) = &pod.spec else { continue };
            let Some(node) = spec.node_name.as_deref() else { continue };
            let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
            if matches!(phase, Some("Succeeded" | "Failed")) {
                continue;
            }
            let sum = sums.entry(node).or_default();
            sum.pods += 1;
            sum.system += u32::from(pod.metadata.namespace.as_deref() == Some("kube-system"));
            sum.cpu += spec.containers.iter().map(cpu_request).sum::<i64>();
            sum.memory += spec.containers.iter().map(|container| request(container, "memory").units()).sum::<i64>();
        }
        self.nodes.rows(|name, node| node_row(cluster, name, node, sums.get(name).copied().unwrap_or_default()))
    }
}

#[derive(Clone, Copy, Default)]
struct Sums {
    pods: u32,
    system: u32,
    cpu: i64,
    memory: i64,
}

fn node_row(cluster: &Cluster, name: &str, node: &Node, sums: Sums) -> page::Node {
    let status = node.status.as_ref();
    let allocatable = |resource: &str| {
        let found = status.and_then(|status| status.allocatable.as_ref()?.get(resource));
        found.map(Amount::of).unwrap_or_default()
    };
    let kubelet = cluster.kubelet(name);
    let used = kubelet.map(|kubelet| kubelet.node_usage(cluster.now)).unwrap_or_default();
    let spec = node.spec.as_ref();
    let taints = spec.and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
    page::Node {
        name: name.into(),
        ready: ready(node),
        cordoned: spec.and_then(|spec| spec.unschedulable).unwrap_or(false),
        powered_off: kubelet.is_some_and(|kubelet| !kubelet.is_powered_on()),
        pod_cidr: spec.and_then(|spec| spec.pod_cidr.clone()).unwrap_or_default(),
        pods: sums.pods,
        pods_max: allocatable("pods").units() as u32,
        cpu_requested: sums.cpu as u64,
        cpu_used: used.cpu_milli,
        cpu_allocatable: allocatable("cpu").millis() as u64,
        memory_requested: sums.memory as u64,
        memory_used: used.memory_bytes,
        memory_allocatable: allocatable("memory").units() as u64,
        system_pods: sums.system,
        lease: cluster.lease_of(name),
        taints: taints.iter().map(|taint| format!("{}:{}", taint.key, taint.effect)).collect(),
    }
}

pub(super) fn service(key: &str, service: &Service, slices: &network::Slices) -> page::Service {
    let (namespace, name) = meta::split_key(key);
    let none = ServiceSpec::default();
    let spec = service.spec.as_ref().unwrap_or(&none);
    let headless = spec.cluster_ip.as_deref() == Some("None");
    let kind = if headless { "Headless" } else { spec.type_.as_deref().unwrap_or("ClusterIP") };
    let address = match spec.type_.as_deref() {
        Some("ExternalName") => spec.external_name.clone(),
        _ => spec.cluster_ip.clone(),
    };
    page::Service {
        key: key.into(),
        namespace: namespace.into(),
        name: name.into(),
        kind: kind.into(),
        address: address.unwrap_or_default(),
        ports: spec.ports.iter().flatten().map(port_text).collect(),
        endpoints: endpoints(&slices.of(key)),
    }
}

fn port_text(port: &ServicePort) -> String {
    let protocol = port.protocol.as_deref().unwrap_or("TCP");
    match port.node_port.filter(|number| *number != 0) {
        Some(number) => format!("{}:{number}/{protocol}", port.port),
        None => format!("{}/{protocol}", port.port),
    }
}

fn endpoints(slices: &[Arc<EndpointSlice>]) -> Vec<page::Endpoint> {
    let endpoints = slices.iter().flat_map(|slice| slice.endpoints.iter().flatten());
    let mut rows: Vec<page::Endpoint> = endpoints
        .map(|endpoint| {
            let conditions = endpoint.conditions.as_ref();
            let is = |value: Option<bool>| value.unwrap_or(false);
            let state = if is(conditions.and_then(|conditions| conditions.terminating)) {
                EndpointState::Draining
            } else if is(conditions.and_then(|conditions| conditions.ready)) {
                EndpointState::Ready
            } else {
                EndpointState::NotReady
            };
            let target = endpoint.target_ref.as_ref();
            let part = |of: fn(&ObjectReference) -> &Option<String>| {
                target.and_then(|target| of(target).as_deref()).unwrap_or_default()
            };
            let pod = meta::key_of(part(|target| &target.namespace), part(|target| &target.name));
            page::Endpoint { pod, state }
        })
        .collect();
    rows.sort_by(|one, other| one.pod.cmp(&other.pod));
    rows
}

pub(super) fn ingress(key: &str, ingress: &Ingress) -> page::Ingress {
    let (namespace, name) = meta::split_key(key);
    let spec = ingress.spec.as_ref();
    let balancer = ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let address = balancer.and_then(|balancer| balancer.ingress.as_ref()?.first()?.ip.clone());
    let rule = |host: &str, path: &str, backend: &IngressBackend| {
        let service = backend.service.as_ref();
        let port = service.and_then(|service| service.port.as_ref());
        let number = port.and_then(|port| port.number).map(|number| number.to_string());
        page::IngressRule {
            host: host.into(),
            path: path.into(),
            service: meta::key_of(namespace, service.map(|service| service.name.as_str()).unwrap_or_default()),
            port: number.or_else(|| port.and_then(|port| port.name.clone())).unwrap_or_default(),
        }
    };
    let mut rules = Vec::new();
    for one in spec.iter().flat_map(|spec| spec.rules.iter().flatten()) {
        for path in one.http.iter().flat_map(|http| &http.paths) {
            rules.push(rule(one.host.as_deref().unwrap_or("*"), path.path.as_deref().unwrap_or("/"), &path.backend));
        }
    }
    if let Some(backend) = spec.and_then(|spec| spec.default_backend.as_ref()) {
        rules.push(rule("*", "/", backend));
    }
    page::Ingress {
        key: key.into(),
        namespace: namespace.into(),
        name: name.into(),
        class: spec.and_then(|spec| spec.ingress_class_name.clone()).unwrap_or_default(),
        address: address.unwrap_or_default(),
        rules,
    }
}

fn access_mode(mode: &str) -> &str {
    match mode {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        other => other,
    }
}

pub(super) fn claim(key: &str, claim: &PersistentVolumeClaim) -> page::Claim {
    let (namespace, name) = meta::split_key(key);
    let (spec, status) = (claim.spec.as_ref(), claim.status.as_ref());
    let capacity = status.and_then(|status| status.capacity.as_ref()?.get("storage"));
    let wanted = spec.and_then(|spec| spec.resources.as_ref()?.requests.as_ref()?.get("storage"));
    let modes = spec.and_then(|spec| spec.access_modes.as_deref()).unwrap_or_default();
    page::Claim {
        key: key.into(),
        namespace: namespace.into(),
        name: name.into(),
        phase: status.and_then(|status| status.phase.clone()).unwrap_or_default(),
        class: spec.and_then(|spec| spec.storage_class_name.clone()).unwrap_or_default(),
        size: capacity.or(wanted).map(|size| size.0.clone()).unwrap_or_default(),
        access: modes.iter().map(|mode| access_mode(mode)).collect::<Vec<_>>().join(","),
        volume: spec.and_then(|spec| spec.volume_name.clone()).unwrap_or_default(),
    }
}

pub(super) fn volume(volume: &PersistentVolume, pods: &BTreeMap<String, Arc<Pod>>) -> page::Volume {
    let spec = volume.spec.as_ref();
    let reference = spec.and_then(|spec| spec.claim_ref.as_ref());
    let claim = reference.map(|claim| {
        meta::key_of(claim.namespace.as_deref().unwrap_or_default(), claim.name.as_deref().unwrap_or_default())
    });
    let claim = claim.unwrap_or_default();
    let (namespace, claim_name) = meta::split_key(&claim);
    let users = pods.values().filter(|pod| {
        let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
        let mut claims = volumes.filter_map(|volume| volume.persistent_volume_claim.as_ref());
        pod.metadata.namespace.as_deref() == Some(namespace) && claims.any(|claim| claim.claim_name == claim_name)
    });
    let mut attached: Vec<String> = users.filter_map(|pod| pod.spec.as_ref()?.node_name.clone()).collect();
    attached.sort();
    attached.dedup();
    page::Volume {
        name: volume.metadata.name.clone().unwrap_or_default(),
        phase: volume.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default(),
        class: spec.and_then(|spec| spec.storage_class_name.clone()).unwrap_or_default(),
        size: spec
            .and_then(|spec| spec.capacity.as_ref()?.get("storage"))
            .map(|size| size.0.clone())
            .unwrap_or_default(),
        reclaim: spec.and_then(|spec| spec.persistent_volume_reclaim_policy.clone()).unwrap_or_default(),
        claim,
        node: String::new(),
        attached,
    }
}

fn count(number: Option<i32>) -> u32 {
    number.unwrap_or(0).max(0) as u32
}

pub(super) fn deployment(key: &str, deployment: &Deployment) -> page::Workload {
    let (namespace, name) = meta::split_key(key);
    let none = DeploymentStatus::default();
    let status = deployment.status.as_ref().unwrap_or(&none);
    let desired = deployment.spec.as_ref().and_then(|spec| spec.replicas);
    let progressing = status.conditions.iter().flatten().find(|condition| condition.type_ == "Progressing");
    let stuck = progressing.filter(|condition| condition.status == "False");
    let done = status.updated_replicas == desired && status.available_replicas == desired;
    page::Workload {
        key: format!("Deployment/{key}"),
        kind: "Deployment".into(),
        namespace: namespace.into(),
        name: name.into(),
        desired: count(desired),
        updated: count(status.updated_replicas),
        ready: count(status.ready_replicas),
        available: count(status.available_replicas),
        progressing: !done && stuck.is_none(),
        stuck: stuck.and_then(|condition| condition.message.clone()),
    }
}

pub(super) fn stateful_set(key: &str, set: &StatefulSet) -> page::Workload {
    let (namespace, name) = meta::split_key(key);
    let none = StatefulSetStatus::default();
    let status = set.status.as_ref().unwrap_or(&none);
    let desired = count(set.spec.as_ref().and_then(|spec| spec.replicas));
    let ready = count(status.ready_replicas);
    page::Workload {
        key: format!("StatefulSet/{key}"),
        kind: "StatefulSet".into(),
        namespace: namespace.into(),
        name: name.into(),
        desired,
        updated: count(status.updated_replicas),
        ready,
        available: count(status.available_replicas),
        progressing: ready != desired,
        stuck: None,
    }
}
