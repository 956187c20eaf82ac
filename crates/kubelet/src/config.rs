//! What a node is made of.

use std::collections::BTreeMap;

use api::types::Taint;

/// Everything that a kubelet knows of its node before it asks the API.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    pub name: String,
    /// `InternalIP`
    pub ip: String,
    /// Thousandths of a core.
    pub cpu_milli: u64,
    pub memory_bytes: u64,
    pub ephemeral_storage_bytes: u64,
    /// How many Pods the node takes.
    pub pods_max: u32,
    /// Labels beside the ones that the kubelet sets: zone, region, pool.
    pub labels: BTreeMap<String, String>,
    /// `registerWithTaints`
    pub taints: Vec<Taint>,
    /// The range of Pod addresses when no controller sets `spec.podCIDR`. Empty: the network is not ready until then.
    pub pod_cidr: String,
    /// Address of the cluster's DNS Service, for `/etc/resolv.conf`.
    pub cluster_dns: String,
    pub cluster_domain: String,
    /// Name server of Pods with `dnsPolicy: Default`.
    pub resolver: String,
    /// Throughput of image pulls.
    pub pull_bytes_per_second: u64,
    /// A node of kubemark, see [`runtime::NodeConfig::hollow`]. Its kubelet records no events.
    pub hollow: bool,
    /// Varies what the node's processes draw at random.
    pub seed: u64,
}

impl Default for NodeConfig {
    fn default() -> Self {
        NodeConfig {
            name: "node-1".into(),
            ip: "192.168.0.11".into(),
            cpu_milli: 4000,
            memory_bytes: 8 << 30,
            ephemeral_storage_bytes: 100 << 30,
            pods_max: 110,
            labels: BTreeMap::new(),
            taints: Vec::new(),
            pod_cidr: String::new(),
            cluster_dns: "10.96.0.10".into(),
            cluster_domain: "cluster.local".into(),
            resolver: "192.168.0.1".into(),
            pull_bytes_per_second: 50_000_000,
            hollow: false,
            seed: 0,
        }
    }
}

impl NodeConfig {
    pub(crate) fn runtime(&self) -> runtime::NodeConfig {
        runtime::NodeConfig {
            name: self.name.clone(),
            cpu_milli: self.cpu_milli,
            memory_bytes: self.memory_bytes,
            epoch_unix_seconds: api::time::EPOCH_SECONDS,
            pull_bytes_per_second: self.pull_bytes_per_second,
            hollow: self.hollow,
            ..runtime::NodeConfig::default()
        }
    }
}

/// What the node says of itself: `nodeInfo.kubeletVersion`.
pub const KUBELET_VERSION: &str = "v1.36.2";
