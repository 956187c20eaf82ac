//! The cluster as the page draws it. Every row has a stable key; a delta names rows that are new or changed, and keys
//! that are gone.

use serde::{Deserialize, Serialize};

/// An object of the API. Cluster-scoped ones have an empty namespace.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// `Pod`, `Deployment` …
    pub kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    pub name: String,
}

/// Rows that are new or changed, and the keys of rows that are gone.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Rows<T> {
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<T>,
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Rows { set: Vec::new(), gone: Vec::new() }
    }
}

impl<T> Rows<T> {
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.gone.is_empty()
    }
}

/// What changed since the frame before. The first one after a cluster was opened has `reset` and holds everything.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct View {
    pub reset: bool,
    pub clock: Clock,
    #[serde(skip_serializing_if = "Rows::is_empty")]
    pub nodes: Rows<Node>,
    #[serde(skip_serializing_if = "Rows::is_empty")]
    pub pods: Rows<Pod>,
    #[serde(skip_serializing_if = "Rows::is_empty")]
    pub services: Rows<Service>,
    #[serde(skip_serializing_if = "Rows::is_empty")]
    pub ingresses: Rows<Ingress>,
    #[serde(skip_serializing_if = "Rows::is_empty")]
    pub claims: Rows<Claim>,
    #[serde(skip_serializing_if = "Rows::is_empty")]
    pub volumes: Rows<Volume>,
    #[serde(skip_serializing_if = "Rows::is_empty")]
    pub workloads: Rows<Workload>,
    #[serde(skip_serializing_if = "Rows::is_empty")]
    pub flows: Rows<Flow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_plane: Option<ControlPlane>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<Clients>,
    /// New marks on the timeline; never withdrawn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// New cluster events (the API's `Event` objects), newest last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<crate::EventLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Clock {
    /// Nanoseconds of virtual time since the cluster started.
    pub now: u64,
    pub running: bool,
    /// What was asked for; `None` is "until settled".
    pub speed: Option<f64>,
    /// What the core manages, when that is less than asked.
    pub actual: Option<f64>,
    /// Nothing is left to do but periodic work.
    pub settled: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    pub name: String,
    pub ready: NodeReady,
    pub cordoned: bool,
    pub powered_off: bool,
    pub pod_cidr: String,
    pub pods: u32,
    pub pods_max: u32,
    /// Requested, in use, allocatable: thousandths of a core.
    pub cpu_requested: u64,
    pub cpu_used: u64,
    pub cpu_allocatable: u64,
    /// Requested, in use, allocatable: bytes.
    pub memory_requested: u64,
    pub memory_used: u64,
    pub memory_allocatable: u64,
    pub system_pods: u32,
    /// Virtual time of the last Lease renewal.
    pub lease: u64,
    pub taints: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum NodeReady {
    Ready,
    NotReady,
    #[default]
    Unknown,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Pod {
    /// `namespace/name`
    pub key: String,
    pub namespace: String,
    pub name: String,
    /// The tile's two lines: owner's name and what tells the Pod apart (`x2k4p`), or the whole name and nothing.
    pub title: String,
    pub suffix: String,
    /// Empty while unscheduled.
    pub node: String,
    pub lamp: Lamp,
    /// What `kubectl get pods` says under STATUS.
    pub status: String,
    pub ready: u32,
    pub containers: u32,
    pub restarts: u32,
    /// Revision of the owner's template, where the owner has had more than one: `v2`.
    pub revision: Option<u32>,
    pub newest_revision: bool,
    pub ip: String,
    /// The workload that owns it in the end: `Deployment/web`.
    pub owner: String,
    /// Last readiness probes, oldest first, at most 4.
    pub probes: Vec<bool>,
    /// Use of its CPU request, 0 to 1.
    pub cpu: f32,
    /// Claims that it mounts, `namespace/name`.
    pub claims: Vec<String>,
    /// Lives in `kube-system`.
    pub system: bool,
}

/// The state that a Pod's mark shows (see the legend): fill is readiness, outline its place in life, shape the verdict.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Lamp {
    #[default]
    Unscheduled,
    Init {
        done: u32,
        of: u32,
    },
    /// `share` pulled so far, 0 to 1.
    Pulling {
        share: f32,
    },
    Starting,
    /// Running, not ready yet.
    NotReadyYet,
    /// Was ready and is no longer.
    NoLongerReady,
    Ready,
    /// Virtual times at which termination began and the grace period ends.
    Terminating {
        since: u64,
        until: u64,
    },
    CrashLoop,
    CannotStart,
    Failed,
    Succeeded,
    Unknown,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    pub key: String,
    pub namespace: String,
    pub name: String,
    /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`, or `Headless`.
    pub kind: String,
    pub address: String,
    /// `80/TCP`, `80:30080/TCP`
    pub ports: Vec<String>,
    pub endpoints: Vec<Endpoint>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Key of the Pod behind it; empty for one without a Pod.
    pub pod: String,
    pub state: EndpointState,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum EndpointState {
    Ready,
    #[default]
    NotReady,
    Draining,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Ingress {
    pub key: String,
    pub namespace: String,
    pub name: String,
    pub class: String,
    pub address: String,
    pub rules: Vec<IngressRule>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct IngressRule {
    pub host: String,
    pub path: String,
    /// Key of the Service.
    pub service: String,
    pub port: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    pub key: String,
    pub namespace: String,
    pub name: String,
    /// `Pending`, `Bound`, `Lost`
    pub phase: String,
    pub class: String,
    pub size: String,
    /// `RWO`, `RWX` …
    pub access: String,
    /// Name of the volume.
    pub volume: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    pub name: String,
    pub phase: String,
    pub class: String,
    pub size: String,
    pub reclaim: String,
    /// Key of the claim.
    pub claim: String,
    /// Where a local volume lives; empty when it can be reached from everywhere.
    pub node: String,
    pub attached: Vec<String>,
}

/// A Deployment, StatefulSet, ReplicaSet without owner …: what the page lists under "workloads".
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// `Deployment/default/web`
    pub key: String,
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub desired: u32,
    pub updated: u32,
    pub ready: u32,
    pub available: u32,
    /// A rollout is under way, or stuck and why (the Progressing condition's message).
    pub progressing: bool,
    pub stuck: Option<String>,
}

/// Traffic between two ends over the last seconds of virtual time. Ends are `clients`, `ingress/NS/NAME`,
/// `service/NS/NAME`, `pod/NS/NAME`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Flow {
    /// `from>to`
    pub key: String,
    pub from: String,
    pub to: String,
    /// Requests a second.
    pub rate: f32,
    pub failing: f32,
    pub draining: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ControlPlane {
    pub components: Vec<Component>,
    pub revision: u64,
    pub objects: u64,
    pub requests_per_second: f32,
    /// Requests a second over the last 32 samples, oldest first.
    pub request_history: Vec<f32>,
    pub watches: u32,
    /// Milliseconds.
    pub request_p99: f32,
    pub queued_work: u32,
    /// `deployment web`: what a controller works on.
    pub working_on: String,
    pub active: u32,
    pub backoff: u32,
    pub unschedulable: u32,
    /// Keys of Pods that wait in the scheduler, at most 4.
    pub waiting: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// `etcd`, `kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `kubelet/node-1`
    pub name: String,
    pub state: ComponentState,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum ComponentState {
    #[default]
    Running,
    Paused,
    Killed,
    Slow,
}

/// What users outside the cluster experience, over the last ten seconds of virtual time.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Clients {
    pub rate: f32,
    /// Failed requests since the start.
    pub failed: u64,
    pub succeeded: u64,
    /// Failed requests a second now.
    pub failing: f32,
    /// Milliseconds.
    pub p50: f32,
    pub p99: f32,
}

/// A mark on the timeline.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    pub at: u64,
    pub kind: MarkKind,
    pub label: String,
    /// End of a span; `None` while it goes on, equal to `at` for a moment. A span comes again when it ends.
    pub until: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum MarkKind {
    /// Something that the user did.
    #[default]
    Action,
    /// A step of the scenario that is still to come.
    Planned,
    /// A rollout from its start to its end.
    Rollout,
    /// A Pod is Pending, crash-looping …
    Trouble,
    /// One sample of the clients' request rate; the label is the number.
    Traffic,
}

/// A built-in example, as the page lists it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Example {
    pub id: String,
    pub title: crate::scenario::Text,
    pub description: crate::scenario::Text,
}
