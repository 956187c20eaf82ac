//! How the scheduler behaves over time, beside an API server.

use std::sync::Arc;

use api::time::{MINUTE, SECOND};
use api::types::*;
use api::{Kinded, Options, Patch, PatchKind, Request, SimTime, Subresource, Verb};
use apiserver::local::Local;
use client::{Component, DeleteOptions};
use scheduler::{Config, QueueStatus, Scheduler};
use serde_json::{Value, json};

struct World {
    local: Local,
    scheduler: Scheduler,
}

impl World {
    fn new(seed: u64) -> World {
        let mut world = World { local: Local::new(seed), scheduler: Scheduler::new(Config::default()) };
        let account = Request::new::<ServiceAccount>(Verb::Create, "default", "");
        let meta = ObjectMeta { name: Some("default".into()), ..ObjectMeta::default() };
        let body = ServiceAccount { metadata: meta, ..ServiceAccount::default() };
        // Where the API server makes it by itself there is nothing to do.
        let _ = world.local.client().call(account.body(body));
        world
    }

    fn create<T: Kinded>(&mut self, namespace: &str, mut object: Value) {
        object["apiVersion"] = json!(T::API_VERSION);
        object["kind"] = json!(T::KIND);
        let request = Request::new::<T>(Verb::Create, namespace, "").body(object);
        self.local.client().call(request).expect("the object is accepted");
    }

    fn node(&mut self, name: &str, cpu: &str) {
        let labels = json!({ "kubernetes.io/hostname": name });
        self.create::<Node>("", json!({ "metadata": { "name": name, "labels": labels } }));
        self.patch::<Node>("", name, Subresource::None, json!({ "spec": { "taints": null } }));
        let room = json!({ "cpu": cpu, "memory": "8Gi", "pods": "110" });
        let status = json!({ "status": { "allocatable": room, "capacity": room } });
        self.patch::<Node>("", name, Subresource::Status, status);
    }

    fn pod(&mut self, name: &str, cpu: &str, more: Value) {
        let container = json!({ "name": "c", "image": "i", "resources": { "requests": { "cpu": cpu } } });
        let mut spec = json!({ "schedulerName": "default-scheduler", "containers": [container] });
        for (field, value) in more.as_object().into_iter().flatten() {
            spec[field] = value.clone();
        }
        self.create::<Pod>("default", json!({ "metadata": { "name": name }, "spec": spec }));
    }

    fn patch<T: Kinded>(&mut self, namespace: &str, name: &str, subresource: Subresource, value: Value) {
        let patch = Patch { kind: PatchKind::Merge, value };
        let request = Request::new::<T>(Verb::Patch, namespace, name).on(subresource).body(patch);
        self.local.client().call(request).expect("the patch is accepted");
    }

    fn run(&mut self, duration: SimTime) {
        let mut components: [&mut dyn Component; 1] = [&mut self.scheduler];
        self.local.run_for(&mut components, duration);
    }

    fn get(&mut self, name: &str) -> Arc<Pod> {
        self.local.client().get::<Pod>("default", name).expect("the Pod exists")
    }

    fn node_of(&mut self, name: &str) -> Option<String> {
        self.get(name).spec.clone()?.node_name
    }

    fn delete(&mut self, name: &str) {
        let options = DeleteOptions { grace_period: Some(0), ..DeleteOptions::default() };
        self.local.client().delete::<Pod>("default", name, options).expect("the Pod is deleted");
    }
}

fn keys(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|name| format!("default/{name}").into()).collect()
}

#[test]
fn a_gated_pod_waits_until_its_gates_are_gone() {
    let mut world = World::new(1);
    world.node("a", "4");
    world.pod("p", "1", json!({ "schedulingGates": [{ "name": "example.com/wait" }] }));
    world.run(SECOND);
    let gated = QueueStatus { gated: keys(&["p"]), ..QueueStatus::default() };
    assert_eq!(world.scheduler.queue_status(), gated);
    assert_eq!(world.node_of("p"), None);

    world.patch::<Pod>("default", "p", Subresource::None, json!({ "spec": { "schedulingGates": null } }));
    world.run(SECOND);
    assert_eq!(world.node_of("p").as_deref(), Some("a"));
}

#[test]
fn a_deleted_pod_makes_room_at_once() {
    let mut world = World::new(1);
    world.node("a", "1");
    world.pod("first", "1", json!({}));
    world.run(SECOND);
    world.pod("second", "1", json!({}));
    world.run(SECOND);
    assert_eq!(world.scheduler.queue_status().unschedulable, keys(&["second"]));
    let attempts = |world: &World| world.scheduler.decisions("default/second").last().map(|last| last.attempt);
    world.run(MINUTE);
    assert_eq!(attempts(&world), Some(1), "nothing has happened that could help");

    world.delete("first");
    world.run(SECOND);
    assert_eq!(world.node_of("second").as_deref(), Some("a"));
    assert_eq!(attempts(&world), Some(2));
}

#[test]
fn waiting_pods_are_tried_again_after_five_minutes() {
    let mut world = World::new(1);
    world.node("a", "1");
    world.pod("p", "2", json!({}));
    world.run(5 * MINUTE - SECOND);
    assert_eq!(world.scheduler.decisions("default/p").count(), 1);
    world.run(MINUTE);
    assert_eq!(world.scheduler.decisions("default/p").count(), 2);
}

#[test]
fn without_nodes_attempts_back_off() {
    let mut world = World::new(1);
    world.pod("p", "1", json!({}));
    world.run(MINUTE);
    let times: Vec<SimTime> = world.scheduler.decisions("default/p").map(|decision| decision.at / SECOND).collect();
    let gaps: Vec<SimTime> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (10..=11).contains(gap)), "the longest backoff is 10 s: {times:?}");
}

#[test]
fn the_higher_priority_goes_first() {
    let mut world = World::new(1);
    for (name, value) in [("low", 1), ("high", 1000)] {
        world.create::<PriorityClass>("", json!({ "metadata": { "name": name }, "value": value }));
    }
    world.pod("l", "1", json!({ "priorityClassName": "low" }));
    world.pod("h", "1", json!({ "priorityClassName": "high" }));
    world.node("a", "1");
    world.run(SECOND);
    assert_eq!(world.node_of("h").as_deref(), Some("a"));
    assert_eq!(world.node_of("l"), None);
}

#[test]
fn a_promised_node_is_kept_from_lesser_pods() {
    let mut world = World::new(1);
    for (name, value) in [("low", 1), ("high", 1000)] {
        world.create::<PriorityClass>("", json!({ "metadata": { "name": name }, "value": value }));
    }
    world.node("a", "2");
    world.pod("victim", "2", json!({ "priorityClassName": "low" }));
    world.run(SECOND);
    world.pod("h", "2", json!({ "priorityClassName": "high" }));
    world.run(SECOND);
    let nominated = world.get("h").status.clone().and_then(|status| status.nominated_node_name);
    assert_eq!(nominated.as_deref(), Some("a"));
    world.pod("l", "1", json!({ "priorityClassName": "low" }));
    world.delete("victim");
    world.run(10 * SECOND);
    assert_eq!(world.node_of("h").as_deref(), Some("a"));
    assert_eq!(world.node_of("l"), None);
}

#[test]
fn a_daemon_pod_looks_at_its_node_alone() {
    let mut world = World::new(1);
    for name in ["a", "b", "c"] {
        world.node(name, "4");
    }
    let name_is = |node: &str| {
        let field = json!({ "key": "metadata.name", "operator": "In", "values": [node] });
        let terms = json!([{ "matchFields": [field] }]);
        let required = json!({ "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": terms } });
        json!({ "affinity": { "nodeAffinity": required } })
    };
    world.pod("d", "1", name_is("b"));
    world.pod("e", "8", name_is("c"));
    world.run(SECOND);
    assert_eq!(world.node_of("d").as_deref(), Some("b"));
    let decision = world.scheduler.decisions("default/d").last().expect("a decision").clone();
    assert_eq!((decision.nodes_total, decision.nodes_evaluated), (3, 1));
    let refused = world.scheduler.decisions("default/e").last().expect("a decision").clone();
    assert_eq!(
        refused.message,
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. no new claims \
         to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    );
}

#[test]
fn a_volume_is_ordered_for_the_chosen_node() {
    let mut world = World::new(1);
    world.node("a", "4");
    let mode = "WaitForFirstConsumer";
    let class = json!({ "metadata": { "name": "fast" }, "provisioner": "csi.example.com", "volumeBindingMode": mode });
    world.create::<StorageClass>("", class);
    let request = json!({ "requests": { "storage": "1Gi" } });
    let claim = json!({ "accessModes": ["ReadWriteOnce"], "storageClassName": "fast", "resources": request });
    world.create::<PersistentVolumeClaim>("default", json!({ "metadata": { "name": "data" }, "spec": claim }));
    let volume = json!({ "name": "v", "persistentVolumeClaim": { "claimName": "data" } });
    world.pod("p", "1", json!({ "volumes": [volume] }));
    world.pod("other", "1", json!({}));
    world.run(3 * SECOND);
    assert_eq!(world.node_of("other").as_deref(), Some("a"), "a Pod that waits for its volume holds up no other");
    assert_eq!(world.scheduler.queue_status().binding, keys(&["p"]));
    let claim = world.local.client().get::<PersistentVolumeClaim>("default", "data").expect("the claim exists");
    assert_eq!(api::meta::annotation(&claim.metadata, "volume.kubernetes.io/selected-node"), Some("a"));

    let bound = json!({ "pv.kubernetes.io/bind-completed": "yes" });
    let change = json!({ "metadata": { "annotations": bound }, "spec": { "volumeName": "pv-1" } });
    world.patch::<PersistentVolumeClaim>("default", "data", Subresource::None, change);
    world.run(2 * SECOND);
    assert_eq!(world.node_of("p").as_deref(), Some("a"));
}

#[test]
fn a_seed_decides_between_equal_nodes() {
    let place = |seed| {
        let mut world = World::new(seed);
        for number in 0..60 {
            world.node(&format!("n-{number:02}"), "4");
        }
        for number in 0..20 {
            world.pod(&format!("p-{number}"), "100m", json!({}));
        }
        world.run(SECOND);
        let pods = world.local.client().list::<Pod>("default", Options::default()).expect("Pods are listed");
        let decision = world.scheduler.decisions("default/p-0").last().expect("a decision").clone();
        assert_eq!((decision.nodes_total, decision.nodes_feasible, decision.nodes.len()), (60, 60, 10));
        assert_eq!(Some(&decision.nodes[0].node), decision.winner.as_ref());
        pods.iter().map(|pod| pod.spec.clone().unwrap_or_default().node_name).collect::<Vec<_>>()
    };
    assert_eq!(place(1), place(1));
    assert_ne!(place(1), place(2));
}
