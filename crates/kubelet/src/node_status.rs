//! The Node object: registration and status.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::quantity::{Amount, Format};
use api::types::{
    ContainerImage, DaemonEndpoint, Node, NodeAddress, NodeCondition, NodeDaemonEndpoints, NodeSpec, NodeStatus,
    NodeSystemInfo, ObjectMeta, ObjectReference, Quantity,
};
use api::{Request, Response, SimTime, Status, Subresource, Verb, object, time};
use client::{Client, EventType};
use runtime::images::ImageStatus;

use crate::config::{KUBELET_VERSION, NodeConfig};
use crate::host::{Host, Timer, name_hash};
use crate::timing;

/// What was last said about the node.
#[derive(Clone, Default)]
pub struct NodeReporter {
    registered: bool,
    /// The events about sufficient memory and so on have been written since the kubelet started.
    greeted: bool,
    reported: Option<NodeStatus>,
    reported_at: SimTime,
    /// Spreads the reports of nodes whose status does not change.
    report_delay: SimTime,
    started: bool,
}

/// `nodeStatusMaxImages`
const IMAGES_MAX: usize = 50;
const NOT_READY: &str = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady \
                         message:Network plugin returns error: cni plugin not initialized";

impl NodeReporter {
    /// Registers the node, or brings its status up to date. Sets its next time.
    pub fn sync(&mut self, host: &mut Host, client: &mut Client) {
        let now = client.now();
        client.begin("node status", "Node", &host.config.name, api::CauseId::default());
        if !self.started {
            self.started = true;
            node_event(host, client, EventType::Normal, "Starting", "Starting kubelet.".into());
        }
        if !self.registered && !self.register(host, client) {
            host.timers.set(Timer::NodeStatus, now + timing::NODE_STATUS_UPDATE);
            return;
        }
        let status = status_of(host, self.reported.as_ref(), now);
        let changed = self.reported.as_ref().is_none_or(|old| !is_same(old, &status));
        let due = self.reported_at + timing::NODE_STATUS_REPORT + self.report_delay;
        if changed || now >= due {
            self.report(host, client, status, changed);
        }
        // Nothing changes without notice here, so the ticks between can be left out.
        let next = self.reported_at + timing::NODE_STATUS_REPORT + self.report_delay;
        host.timers.set(Timer::NodeStatus, next.max(now + timing::NODE_STATUS_UPDATE));
    }

    /// Something in the status changed: it is told at the next tick, readiness at once.
    pub fn mark_changed(host: &mut Host, now: SimTime, at_once: bool) {
        let at = if at_once { now } else { (now / timing::NODE_STATUS_UPDATE + 1) * timing::NODE_STATUS_UPDATE };
        host.timers.set_earlier(Timer::NodeStatus, at);
    }

    fn register(&mut self, host: &mut Host, client: &mut Client) -> bool {
        let node = initial(host, client.now());
        let request = Request::new::<Node>(Verb::Create, "", "").body(node);
        match client.call_detached(request) {
            Ok(Response::Object(created)) => {
                host.node = object::typed(&created);
                self.registered = true;
                self.reported = host.node.as_ref().and_then(|node| node.status.clone());
            }
            Err(refusal) if refusal.is_already_exists() => {
                self.registered = true;
                let known = crate::environment::get::<Node>(client, "", &host.config.name).ok();
                self.reported = known.as_ref().and_then(|node| node.status.clone());
                host.node = known;
                if host.boots > 0 {
                    let boot = system_info(&host.config, host.boots).boot_id;
                    let message = format!("Node {} has been rebooted, boot id: {boot}", host.config.name);
                    node_event(host, client, EventType::Warning, "Rebooted", message);
                }
            }
            Ok(_) => {}
            Err(refusal) => client.note("register", refusal.message),
        }
        if self.registered {
            let range = host.node.as_ref().and_then(|node| node.spec.as_ref()?.pod_cidr.clone());
            if let Some(range) = range {
                host.ipam.set_range(&range);
            }
        }
        self.registered
    }

    fn report(&mut self, host: &mut Host, client: &mut Client, status: NodeStatus, changed: bool) {
        let now = client.now();
        for condition in status.conditions.iter().flatten() {
            let old = self.reported.as_ref().and_then(|old| find(old, &condition.type_)).map(|old| old.status.as_str());
            let pressure = condition.type_ != "Ready";
            if old.is_some_and(|old| old != condition.status) || pressure && !self.greeted {
                let reason = transition_event(condition);
                node_event(
                    host,
                    client,
                    EventType::Normal,
                    reason,
                    format!("Node {} status is now: {reason}", host.config.name),
                );
                if condition.type_ == "PIDPressure" && !self.greeted {
                    let message = "Updated Node Allocatable limit across pods".to_owned();
                    node_event(host, client, EventType::Normal, "NodeAllocatableEnforced", message);
                }
            }
        }
        self.greeted = true;
        if self.send(host, client, &status).is_ok() {
            self.reported = Some(status);
            self.reported_at = now;
            if changed {
                self.report_delay = host.jitter(timing::NODE_STATUS_REPORT) - timing::NODE_STATUS_REPORT;
            }
        }
    }

    fn send(&self, host: &mut Host, client: &mut Client, status: &NodeStatus) -> Result<(), Status> {
        let mut result = Ok(());
        for _ in 0..5 {
            let node = match &host.node {
                Some(node) => node.clone(),
                None => crate::environment::get::<Node>(client, "", &host.config.name)?,
            };
            let mut next =
                Node { metadata: node.metadata.clone(), spec: node.spec.clone(), status: Some(status.clone()) };
            if let Some(status) = &mut next.status {
                // The controller's part of the status.
                status.volumes_attached = node.status.as_ref().and_then(|status| status.volumes_attached.clone());
            }
            let request = Request::new::<Node>(Verb::Update, "", &host.config.name).on(Subresource::Status).body(next);
            match client.call_detached(request) {
                Ok(Response::Object(written)) => {
                    host.node = object::typed(&written).or(host.node.take());
                    return Ok(());
                }
                Ok(_) => return Ok(()),
                Err(refusal) => {
                    host.node = None;
                    if refusal.is_not_found() {
                        return Err(refusal);
                    }
                    result = Err(refusal);
                }
            }
        }
        result
    }

    /// The watch tells of the node. Whether its network became ready.
    pub fn observe(host: &mut Host, node: Option<Arc<Node>>) -> bool {
        let range =
            node.as_ref().and_then(|node| node.spec.as_ref()?.pod_cidr.clone()).filter(|range| !range.is_empty());
        host.node = node;
        let was_ready = host.ipam.is_ready();
        if let Some(range) = range {
            host.ipam.set_range(&range);
        }
        !was_ready && host.ipam.is_ready()
    }

    /// The kubelet starts anew.
    pub fn restart(&mut self) {
        *self = NodeReporter::default();
    }
}

/// Kubelets name their node by name where other events have a uid.
fn node_event(host: &mut Host, client: &mut Client, kind: EventType, reason: &str, message: String) {
    let name = host.config.name.clone();
    let about = ObjectReference {
        api_version: None,
        kind: Some("Node".into()),
        name: Some(name.clone()),
        uid: Some(name),
        ..ObjectReference::default()
    };
    host.recorder.event_about(client, about, kind, reason, message);
}

fn transition_event(condition: &NodeCondition) -> &'static str {
    match (condition.type_.as_str(), condition.status.as_str()) {
        ("MemoryPressure", "True") => "NodeHasInsufficientMemory",
        ("MemoryPressure", _) => "NodeHasSufficientMemory",
        ("DiskPressure", "True") => "NodeHasDiskPressure",
        ("DiskPressure", _) => "NodeHasNoDiskPressure",
        ("PIDPressure", "True") => "NodeHasInsufficientPID",
        ("PIDPressure", _) => "NodeHasSufficientPID",
        (_, "True") => "NodeReady",
        _ => "NodeNotReady",
    }
}

fn initial(host: &Host, now: SimTime) -> Node {
    let config = &host.config;
    let mut labels: BTreeMap<String, String> = [
        ("beta.kubernetes.io/arch", "amd64"),
        ("beta.kubernetes.io/os", "linux"),
        ("kubernetes.io/arch", "amd64"),
        ("kubernetes.io/os", "linux"),
        ("kubernetes.io/hostname", config.name.as_str()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    labels.extend(config.labels.clone());
    let annotation = ("volumes.kubernetes.io/controller-managed-attach-detach".to_owned(), "true".to_owned());
    Node {
        metadata: ObjectMeta {
            name: Some(config.name.clone()),
            labels: Some(labels),
            annotations: Some([annotation].into()),
            ..ObjectMeta::default()
        },
        spec: Some(NodeSpec {
            taints: Some(config.taints.clone()).filter(|taints| !taints.is_empty()),
            ..NodeSpec::default()
        }),
        status: Some(initial_status(host, now)),
    }
}

/// Nothing has been checked yet when the node is registered.
fn initial_status(host: &Host, now: SimTime) -> NodeStatus {
    let mut status = status_of(host, None, now);
    let ready = status.conditions.iter_mut().flatten().find(|condition| condition.type_ == "Ready");
    if let Some(ready) = ready {
        ready.status = "False".into();
        ready.reason = Some("KubeletNotReady".into());
        ready.message = Some("[container runtime status check may not have completed yet]".into());
    }
    status
}

fn status_of(host: &Host, old: Option<&NodeStatus>, now: SimTime) -> NodeStatus {
    let config = &host.config;
    let resources = capacity(config);
    let addresses = [("InternalIP", &config.ip), ("Hostname", &config.name)];
    NodeStatus {
        addresses: Some(
            addresses
                .into_iter()
                .map(|(kind, address)| NodeAddress { type_: kind.into(), address: address.clone() })
                .collect(),
        ),
        allocatable: Some(resources.clone()),
        capacity: Some(resources),
        conditions: Some(conditions(host, old, now)),
        daemon_endpoints: Some(NodeDaemonEndpoints { kubelet_endpoint: Some(DaemonEndpoint { port: 10250 }) }),
        images: Some(images(host, now)),
        node_info: Some(system_info(config, host.boots)),
        volumes_in_use: Some(host.disks.in_use().map(str::to_owned).collect::<Vec<_>>())
            .filter(|list| !list.is_empty()),
        ..NodeStatus::default()
    }
}

fn capacity(config: &NodeConfig) -> BTreeMap<String, Quantity> {
    let binary = |bytes: u64| Amount::from_units((bytes / 1024 * 1024) as i64).to_quantity(Format::BinarySi);
    [
        ("cpu", Amount(i128::from(config.cpu_milli) * 1_000_000).to_quantity(Format::DecimalSi)),
        ("ephemeral-storage", binary(config.ephemeral_storage_bytes)),
        ("hugepages-1Gi", Quantity("0".into())),
        ("hugepages-2Mi", Quantity("0".into())),
        ("memory", binary(config.memory_bytes)),
        ("pods", Quantity(config.pods_max.to_string())),
    ]
    .into_iter()
    .map(|(name, quantity)| (name.to_owned(), quantity))
    .collect()
}

fn conditions(host: &Host, old: Option<&NodeStatus>, now: SimTime) -> Vec<NodeCondition> {
    let network = host.ipam.is_ready();
    let ready = if network {
        ("True", "KubeletReady", "kubelet is posting ready status")
    } else {
        ("False", "KubeletNotReady", NOT_READY)
    };
    [
        ("MemoryPressure", ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available")),
        ("DiskPressure", ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure")),
        ("PIDPressure", ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available")),
        ("Ready", ready),
    ]
    .into_iter()
    .map(|(kind, (status, reason, message))| {
        let before = old.and_then(|old| find(old, kind)).filter(|old| old.status == status);
        NodeCondition {
            type_: kind.into(),
            status: status.into(),
            reason: Some(reason.into()),
            message: Some(message.into()),
            last_heartbeat_time: Some(time::stamp(now)),
            last_transition_time: before.map_or_else(|| Some(time::stamp(now)), |old| old.last_transition_time.clone()),
        }
    })
    .collect()
}

fn find<'a>(status: &'a NodeStatus, kind: &str) -> Option<&'a NodeCondition> {
    status.conditions.iter().flatten().find(|condition| condition.type_ == kind)
}

/// Largest first, at most fifty.
fn images(host: &Host, now: SimTime) -> Vec<ContainerImage> {
    let mut images = host.runtime.images(now);
    images.sort_by(|a, b| b.size_bytes.cmp(&a.size_bytes).then_with(|| a.id.cmp(&b.id)));
    let row = |image: ImageStatus| ContainerImage {
        names: Some(image.digests.into_iter().chain(image.tags).collect()),
        size_bytes: Some(image.size_bytes as i64),
    };
    images.into_iter().take(IMAGES_MAX).map(row).collect()
}

fn system_info(config: &NodeConfig, boots: u64) -> NodeSystemInfo {
    let runtime = config.runtime();
    let seed = name_hash(&config.name);
    let uuid = |salt: u64| {
        let hash = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ salt);
        let (high, low) = (hash >> 32, hash & 0xffff_ffff);
        format!(
            "{high:08x}-{:04x}-4{:03x}-8{:03x}-{low:08x}{:04x}",
            low & 0xffff,
            high & 0xfff,
            low & 0xfff,
            high & 0xffff
        )
    };
    NodeSystemInfo {
        architecture: "amd64".into(),
        boot_id: uuid(4 + boots),
        container_runtime_version: "containerd://2.1.4".into(),
        kernel_version: runtime.kernel_version,
        kube_proxy_version: String::new(),
        kubelet_version: KUBELET_VERSION.into(),
        machine_id: uuid(2).replace('-', ""),
        operating_system: "linux".into(),
        os_image: runtime.os_image,
        swap: None,
        system_uuid: uuid(3),
    }
}

/// Equal but for the heartbeats.
fn is_same(old: &NodeStatus, new: &NodeStatus) -> bool {
    let without_times = |status: &NodeStatus| {
        let mut status = status.clone();
        for condition in status.conditions.iter_mut().flatten() {
            condition.last_heartbeat_time = None;
        }
        status
    };
    without_times(old) == without_times(new)
}
