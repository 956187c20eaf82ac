//! The hash of a seed's trace: the same on every machine, natively and as WebAssembly.

use api::time::SECOND;
use tabernetes::{Cluster, ClusterConfig};

use crate::deploy::deploy;
use crate::{Parameters, Run};

pub fn prepare(parameters: &mut Parameters) -> Result<Run, String> {
    let seed = parameters.take("seed", 1)?;
    Ok(Box::new(move || format!(" hash={:016x}", hash(seed))))
}

/// The trace hash of a small cluster's first minutes: a Deployment, a node that loses power, and traffic.
pub fn hash(seed: u64) -> u64 {
    let mut cluster = Cluster::new(ClusterConfig { seed, traffic: 10.0, ..ClusterConfig::default() });
    cluster.run_until(30 * SECOND);
    deploy(&mut cluster, 20);
    cluster.power("node-1", false);
    cluster.run_until(cluster.now() + 400 * SECOND);
    cluster.trace().hash()
}
