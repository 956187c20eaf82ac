//! How many Pods the scheduler places a second of real time: upstream's `SchedulingBasic` (5,000 nodes, 10,000 Pods), and
//! a deployment of 1,000 Pods on 100 nodes. The API is a stand-in that accepts every binding.
//!
//! `cargo run --release -p scheduler --example scheduling_basic [NODES PODS]`

use std::sync::Arc;

use api::request::{StreamId, StreamOutput, WatchEvent, WatchId, WatchKind};
use api::rng::Rng;
use api::types::*;
use api::{Body, CauseId, ObjectRef, Request, Response, SimTime, Status, Subresource};
use client::{Activity, Api, Change, Client, Component, Note};
use scheduler::{Config, Scheduler};
use serde_json::json;

/// Accepts everything; bindings are told to the scheduler afterwards, as a watch would.
struct Accepting {
    now: SimTime,
    rng: Rng,
    bound: Vec<(String, String)>,
}

impl Api for Accepting {
    fn call(&mut self, request: Request) -> Result<Response, Status> {
        if let (Subresource::Binding, Body::Json(binding)) = (request.subresource, &request.body) {
            let node = binding.pointer("/target/name").and_then(|name| name.as_str()).unwrap_or_default();
            self.bound.push((request.name, node.to_owned()));
        }
        Ok(Response::Status(Status::new(201, api::Reason::None, "")))
    }

    fn call_detached(&mut self, request: Request) -> Result<Response, Status> {
        self.call(request)
    }

    fn now(&self) -> SimTime {
        self.now
    }

    fn spend(&mut self, duration: SimTime) {
        self.now += duration;
    }

    fn random(&mut self) -> u64 {
        self.rng.next_u64()
    }

    fn begin(&mut self, _activity: Activity, cause: CauseId) -> CauseId {
        cause
    }

    fn note(&mut self, _note: Note) {}

    fn parallel(&mut self, _begin: bool) {}

    fn watch_events(&mut self, _watch: WatchId) -> Vec<WatchEvent> {
        Vec::new()
    }

    fn close_watch(&mut self, _watch: WatchId) {}

    fn stream_write(&mut self, _stream: StreamId, _text: Option<&str>) {}

    fn stream_read(&mut self, _stream: StreamId) -> StreamOutput {
        StreamOutput::default()
    }

    fn close_stream(&mut self, _stream: StreamId) {}
}

const PODS: usize = 0;
const NODES: usize = 1;
const REPLICA_SETS: usize = 4;

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    match numbers[..] {
        [nodes, pods] => measure("scheduling_basic", nodes, pods, false),
        _ => {
            measure("scheduling_basic", 5_000, 10_000, false);
            measure("deployment", 100, 1_000, true);
        }
    }
}

/// With `owned`, the Pods belong to a ReplicaSet, over which the default constraints spread them.
fn measure(name: &str, nodes: usize, pods: usize, owned: bool) {
    let mut scheduler = Scheduler::new(Config::default());
    let add = |object: ObjectRef| Change { kind: WatchKind::Added, object, cause: CauseId::default() };
    if owned {
        scheduler.observe(0, REPLICA_SETS, &add(Arc::new(replica_set())));
    }
    for number in 0..nodes {
        scheduler.observe(0, NODES, &add(Arc::new(node(number))));
    }
    let pods: Vec<Arc<Pod>> = (0..pods).map(|number| Arc::new(pod(number, owned))).collect();

    let mut api = Accepting { now: 0, rng: Rng::new(1), bound: Vec::new() };
    #[expect(clippy::disallowed_methods, reason = "this measures real time")]
    let started = std::time::Instant::now();
    for pod in &pods {
        scheduler.observe(0, PODS, &add(pod.clone()));
    }
    let mut placed = 0;
    while scheduler.next_work().is_some_and(|at| at <= api.now) {
        scheduler.work(&mut Client::new(&mut api));
        for (name, node) in api.bound.drain(..) {
            let number: usize = name.trim_start_matches("pod-").parse().expect("Pods are numbered");
            let mut pod = (*pods[number]).clone();
            pod.spec.get_or_insert_default().node_name = Some(node);
            let change = Change { kind: WatchKind::Modified, object: Arc::new(pod), cause: CauseId::default() };
            scheduler.observe(api.now, PODS, &change);
            placed += 1;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(placed, pods.len(), "every Pod fits");
    let rate = placed as f64 / seconds;
    println!("{name} nodes={nodes} pods={placed} pods_per_s={rate:.0} us_per_pod={:.1}", 1e6 / rate);
}

fn node(number: usize) -> Node {
    let name = format!("node-{number}");
    serde_json::from_value(json!({
        "metadata": { "name": name, "labels": {
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
            "topology.kubernetes.io/zone": format!("zone-{}", number % 3),
        }},
        "status": { "allocatable": { "cpu": "4", "memory": "32Gi", "pods": "110" } },
    }))
    .expect("a node")
}

fn pod(number: usize, owned: bool) -> Pod {
    let owner =
        json!([{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "web", "controller": true }]);
    serde_json::from_value(json!({
        "metadata": {
            "name": format!("pod-{number}"), "namespace": "default", "uid": format!("uid-{number}"),
            "labels": { "app": "web", "pod-template-hash": "abc" },
            "ownerReferences": if owned { owner } else { json!([]) },
        },
        "spec": { "schedulerName": "default-scheduler", "containers": [{
            "name": "c", "image": "registry.example.com/app:1",
            "resources": { "requests": { "cpu": "100m", "memory": "500Mi" } },
        }]},
    }))
    .expect("a Pod")
}

fn replica_set() -> ReplicaSet {
    serde_json::from_value(json!({
        "metadata": { "name": "web", "namespace": "default", "uid": "web" },
        "spec": { "selector": { "matchLabels": { "app": "web", "pod-template-hash": "abc" } } },
    }))
    .expect("a ReplicaSet")
}
