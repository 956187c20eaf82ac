//! A Deployment onto an empty cluster: from `create` until every Pod is Ready.

use api::time::SECOND;
use api::types::Deployment;
use tabernetes::{Cluster, ClusterConfig};

use crate::{Parameters, Run};

/// Nodes have registered and settled by then.
const SETTLED_AFTER: api::SimTime = 60 * SECOND;
/// A deployment that takes longer has failed.
const PATIENCE: api::SimTime = 3600 * SECOND;

pub fn prepare(parameters: &mut Parameters) -> Result<Run, String> {
    let nodes = parameters.take("nodes", 100)?;
    let pods = parameters.take("pods", 1000)?;
    let seed = parameters.take("seed", 1)?;
    let mut cluster = Cluster::new(ClusterConfig { nodes, seed, node_cpu_milli: 32_000, ..ClusterConfig::default() });
    cluster.run_until(SETTLED_AFTER);
    Ok(Box::new(move || {
        let ready = deploy(&mut cluster, pods);
        let took = (cluster.now() - SETTLED_AFTER) / SECOND;
        format!(
            " ready={ready} virtual_s={took} records={} hash={:016x}",
            cluster.trace().len(),
            cluster.trace().hash()
        )
    }))
}

/// Creates the Deployment, lets the cluster work, and returns how many Pods are ready in the end.
pub fn deploy(cluster: &mut Cluster, pods: i32) -> i32 {
    let deployment = deployment(pods);
    cluster.act("create deployment", |client| client.create(deployment).map(drop)).expect("the manifest is valid");
    let start = cluster.now();
    loop {
        cluster.run_until(cluster.now() + SECOND);
        let ready = cluster.act("get deployment", |client| client.get::<Deployment>("default", "web"));
        let ready = ready.ok().and_then(|web| web.status.as_ref()?.ready_replicas).unwrap_or_default();
        if ready == pods || cluster.now() - start > PATIENCE {
            return ready;
        }
    }
}

fn deployment(pods: i32) -> Deployment {
    let manifest = serde_json::json!({
        "metadata": { "name": "web", "namespace": "default" },
        "spec": {
            "replicas": pods,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{
                    "name": "web",
                    "image": "nginx:1.27",
                    "resources": { "requests": { "cpu": "10m", "memory": "10Mi" } },
                }] },
            },
        },
    });
    serde_json::from_value(manifest).expect("the manifest above is a Deployment")
}
