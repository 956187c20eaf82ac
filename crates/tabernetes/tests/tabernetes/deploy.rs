//! A Deployment on a whole cluster, from apply to ready, and again with the same seed.

use api::types::{Deployment, Node, Pod};
use api::{Body, Kinded, Request, Verb};
use serde_json::json;
use tabernetes::{Cluster, ClusterConfig};

const SECOND: u64 = 1_000_000_000;

fn deployment(replicas: u32) -> serde_json::Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{
                    "name": "nginx", "image": "nginx:1.27",
                    "ports": [{ "containerPort": 80 }],
                    "resources": { "requests": { "cpu": "10m", "memory": "16Mi" } },
                }] },
            },
        },
    })
}

fn deployed(seed: u64, replicas: u32) -> Cluster {
    let mut cluster = Cluster::new(ClusterConfig { seed, ..ClusterConfig::default() });
    cluster.run_until(5 * SECOND);
    cluster.act("kubectl apply", |client| {
        let mut request = Request::of(Verb::Create, Deployment::ID, "default", "");
        request.body = Body::Json(deployment(replicas));
        client.call(request).expect("the Deployment is valid");
    });
    cluster.run_until(35 * SECOND);
    cluster
}

#[test]
fn a_deployment_becomes_available() {
    let cluster = deployed(1, 5);
    let node = cluster.server().peek::<Node>("", "node-1").expect("nodes register");
    assert_eq!(node.spec.as_ref().and_then(|spec| spec.pod_cidr.as_deref()), Some("10.244.0.0/24"));
    let deployment = cluster.server().peek::<Deployment>("default", "web").expect("it was created");
    let status = deployment.status.as_ref().expect("it has a status");
    assert_eq!(status.available_replicas, Some(5), "{status:?}");
}

#[test]
fn the_same_seed_leaves_the_same_trace() {
    assert_eq!(deployed(3, 4).trace().hash(), deployed(3, 4).trace().hash());
    assert_ne!(deployed(3, 4).trace().hash(), deployed(4, 4).trace().hash());
}

#[test]
fn a_clone_goes_on_as_the_original_does() {
    let mut original = deployed(9, 3);
    let mut copy = original.clone();
    original.run_until(90 * SECOND);
    copy.run_until(90 * SECOND);
    assert_eq!(original.trace().hash(), copy.trace().hash());
    assert!(original.server().peek::<Pod>("default", "none").is_none());
}
