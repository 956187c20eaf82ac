//! What a cluster is made of.

use api::SimTime;
use api::time::{MICROSECOND, MILLISECOND};
use controllers::certificates::SigningKey;

#[derive(Clone, Debug)]
pub struct ClusterConfig {
    pub seed: u64,
    /// What the clock says when the cluster is switched on.
    pub starts_at: SimTime,
    pub nodes: u32,
    /// Thousandths of a core.
    pub node_cpu_milli: u64,
    pub node_memory_bytes: u64,
    pub node_pods_max: u32,
    /// Nodes as kubemark's: every image is there, containers start at once, never exit by themselves and pass every
    /// probe, and kubelets record no events.
    pub hollow: bool,
    /// Requests a second that clients outside send to each Ingress host, or to each open Service where there is none.
    pub traffic: f64,
    /// `--controllers` of kube-controller-manager; the scheduler and its like go by their names.
    pub controllers: Vec<String>,
    /// The key that signs clients' certificates. A cluster that nobody reaches over a network draws it from the seed.
    pub signing_key: Option<SigningKey>,
    /// What Pods verify the API server by, in PEM: the certificate of the signing key if there is none.
    pub root_certificate: Option<String>,
    pub cost: CostModel,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        ClusterConfig {
            seed: 1,
            starts_at: 0,
            nodes: 3,
            node_cpu_milli: 2000,
            node_memory_bytes: 4 << 30,
            node_pods_max: 110,
            hollow: false,
            traffic: 0.0,
            controllers: vec!["*".into()],
            signing_key: None,
            root_certificate: None,
            cost: CostModel::default(),
        }
    }
}

impl ClusterConfig {
    /// Hollow nodes of the size that recordings of kubectl's sessions were made on.
    pub fn hollow() -> ClusterConfig {
        ClusterConfig { hollow: true, node_cpu_milli: 1000, node_memory_bytes: 3840 << 20, ..ClusterConfig::default() }
    }
}

/// How long things take in virtual time. The numbers are those of a small, healthy cluster on a local network.
#[derive(Clone, Debug)]
pub struct CostModel {
    /// A read that the watch cache answers.
    pub read: SimTime,
    /// A write: one commit of etcd.
    pub write: SimTime,
    /// Up to this much is added at random to every call.
    pub jitter: SimTime,
    /// From a commit until a watcher hears of it.
    pub watch_delay: SimTime,
    /// Client-side rate limit of each controller and of each other client, calls a second and burst.
    pub qps: f64,
    pub burst: f64,
    /// One way between two Pods, on one node and between nodes.
    pub hop_local: SimTime,
    pub hop_remote: SimTime,
    /// One way between a client outside and the cluster.
    pub hop_outside: SimTime,
}

impl Default for CostModel {
    fn default() -> Self {
        CostModel {
            read: 800 * MICROSECOND,
            write: 2 * MILLISECOND,
            jitter: 400 * MICROSECOND,
            watch_delay: MILLISECOND,
            qps: 50.0,
            burst: 100.0,
            hop_local: 40 * MICROSECOND,
            hop_remote: 250 * MICROSECOND,
            hop_outside: 2 * MILLISECOND,
        }
    }
}
