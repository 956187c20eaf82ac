//! A cluster in which nothing happens: what its heartbeats cost, with Pods that run.

use api::time::SECOND;
use tabernetes::{Cluster, ClusterConfig};

use crate::deploy::deploy;
use crate::{Parameters, Run};

/// Nodes have registered and settled by then.
const SETTLED_AFTER: api::SimTime = 60 * SECOND;

pub fn prepare(parameters: &mut Parameters) -> Result<Run, String> {
    let nodes = parameters.take("nodes", 100)?;
    let pods = parameters.take("pods", 1000)?;
    let seconds: u64 = parameters.take("seconds", 600)?;
    let seed = parameters.take("seed", 1)?;
    let mut cluster = Cluster::new(ClusterConfig { nodes, seed, node_cpu_milli: 32_000, ..ClusterConfig::default() });
    cluster.run_until(SETTLED_AFTER);
    let ready = if pods > 0 { deploy(&mut cluster, pods) } else { 0 };
    cluster.run_until(cluster.now() + SETTLED_AFTER);
    Ok(Box::new(move || {
        let (records, revision) = (cluster.trace().len(), cluster.server().revision());
        cluster.run_until(cluster.now() + seconds * SECOND);
        let writes = cluster.server().revision() - revision;
        format!(" ready={ready} records={} writes={writes}", cluster.trace().len() - records)
    }))
}
