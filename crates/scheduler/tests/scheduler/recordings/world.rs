//! A cluster of an API server and a scheduler, and of the few things that controllers would do.

use api::types::*;
use api::{Kinded, Options, Patch, PatchKind, Request, Subresource, Verb, meta, time};
use apiserver::local::Local;
use client::Component;
use scheduler::{Config, Scheduler};
use serde_json::{Value, json};

/// What recordings call the namespace.
const NAMESPACE: &str = "oracle-ns";

pub struct World {
    local: Local,
    scheduler: Scheduler,
}

impl World {
    pub fn new() -> World {
        let mut world = World { local: Local::new(1), scheduler: Scheduler::new(Config::default()) };
        world.create(&json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } }));
        world.create(&json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default" } }));
        world
    }

    fn call(&mut self, request: Request) {
        let about = format!("{request:?}");
        self.local.client().call(request).unwrap_or_else(|status| panic!("{about}: {status}"));
    }

    fn create(&mut self, object: &Value) {
        let (kind, namespace) = kind_of(object);
        self.call(Request::of(Verb::Create, kind.id, namespace, "").body(object.clone()));
    }

    fn patch<T: Kinded>(&mut self, namespace: &str, name: &str, subresource: Subresource, value: Value) {
        let patch = Patch { kind: PatchKind::Merge, value };
        let request = Request::new::<T>(Verb::Patch, namespace, name).on(subresource).body(patch);
        self.call(request);
    }

    /// Makes an object of the recording as it was when the recording began.
    pub fn set_up(&mut self, object: &Value) {
        let name = text(&object["metadata"]["name"]);
        match text(&object["kind"]) {
            "PersistentVolumeClaim" => {
                self.create(object);
                let pending = json!({ "status": { "phase": "Pending" } });
                self.patch::<PersistentVolumeClaim>(NAMESPACE, name, Subresource::Status, pending);
            }
            "Node" => {
                self.create(object);
                self.patch::<Node>(
                    "",
                    name,
                    Subresource::None,
                    json!({ "spec": { "taints": object["spec"]["taints"] } }),
                );
                self.patch::<Node>("", name, Subresource::Status, json!({ "status": object["status"] }));
            }
            "Pod" => {
                let mut pod = object.clone();
                fill_in(&mut pod);
                self.create(&pod);
                let status = object.get("status").cloned().unwrap_or(json!({ "phase": "Running" }));
                self.patch::<Pod>(NAMESPACE, name, Subresource::Status, json!({ "status": status }));
            }
            _ => self.create(object),
        }
    }

    /// A new Pod, or a change of the cluster.
    pub fn step(&mut self, step: &Value) {
        if text(&step["kind"]) == "Pod" {
            let mut pod = step.clone();
            fill_in(&mut pod);
            self.create(&pod);
            return;
        }
        let path: Vec<&str> = text(&step["path"]).split('/').collect();
        let ["", "api", "v1", "nodes", name, "status"] = path[..] else { panic!("an unknown step: {step}") };
        self.patch::<Node>("", name, Subresource::Status, step["body"].clone());
    }

    /// Lets the scheduler and the volume controller come to rest.
    pub fn run(&mut self) {
        for _ in 0..4 {
            self.control_volumes();
            let mut components: [&mut dyn Component; 1] = [&mut self.scheduler];
            self.local.run_for(&mut components, time::SECOND);
        }
    }

    /// The part of the volume controller: volumes become available, claims that wait for nobody get one, and what the
    /// scheduler has chosen is completed.
    fn control_volumes(&mut self) {
        let volumes = self.local.client().list::<PersistentVolume>("", Options::default()).expect("volumes are listed");
        for volume in &volumes {
            let name = volume.metadata.name.as_deref().unwrap_or_default();
            if let Some(claim) = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()) {
                self.complete_binding(name, claim.name.as_deref().unwrap_or_default());
                continue;
            }
            let status = json!({ "status": { "phase": "Available" } });
            self.patch::<PersistentVolume>("", name, Subresource::Status, status);
        }
        let claims =
            self.local.client().list::<PersistentVolumeClaim>("", Options::default()).expect("claims are listed");
        for claim in &claims {
            let spec = claim.spec.clone().unwrap_or_default();
            let class = spec.storage_class_name.unwrap_or_default();
            let class = self.local.client().get::<StorageClass>("", &class).expect("the class exists");
            let at_once = class.volume_binding_mode.as_deref() == Some("Immediate");
            if let (true, None, Some(volume)) = (at_once, spec.volume_name, volumes.first()) {
                let (volume, claim) = (volume.metadata.name.clone(), claim.metadata.name.clone());
                self.complete_binding(&volume.unwrap_or_default(), &claim.unwrap_or_default());
            }
        }
    }

    fn complete_binding(&mut self, volume: &str, claim: &str) {
        let annotations = json!({ "pv.kubernetes.io/bind-completed": "yes" });
        let bound = json!({ "metadata": { "annotations": annotations }, "spec": { "volumeName": volume } });
        self.patch::<PersistentVolumeClaim>(NAMESPACE, claim, Subresource::None, bound);
        let phase = json!({ "status": { "phase": "Bound" } });
        self.patch::<PersistentVolumeClaim>(NAMESPACE, claim, Subresource::Status, phase.clone());
        self.patch::<PersistentVolume>("", volume, Subresource::Status, phase);
    }

    /// What the recording tells of a Pod.
    pub fn look(&mut self, name: &str, setup: &[Value]) -> Value {
        let pod = self.local.client().get::<Pod>(NAMESPACE, name).expect("the Pod exists");
        let status = pod.status.clone().unwrap_or_default();
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default();
        let scheduled = status.conditions.iter().flatten().find(|condition| condition.type_ == "PodScheduled");
        let condition = scheduled.map_or(json!({}), |known| said(&known.status, &known.reason, &known.message));
        let mut seen = json!({ "node": node, "condition": condition });
        if let Some(nominated) = status.nominated_node_name {
            seen["nominatedNodeName"] = json!(nominated);
        }
        if let Some(event) = self.event_of(name, !node.is_empty()) {
            seen["event"] = json!({ "type": event.type_, "reason": event.reason, "message": event.message });
        }
        let of_kind = |kind: &str| {
            let objects = setup.iter().filter(|object| text(&object["kind"]) == kind);
            objects.map(|object| text(&object["metadata"]["name"]).to_owned()).collect::<Vec<_>>()
        };
        let victims: Vec<Value> = of_kind("Pod").iter().filter_map(|name| self.victim(name)).collect();
        if !victims.is_empty() {
            seen["victims"] = json!(victims);
        }
        for name in of_kind("PersistentVolumeClaim") {
            let claim = self.local.client().get::<PersistentVolumeClaim>(NAMESPACE, &name).expect("the claim exists");
            let phase = claim.status.as_ref().and_then(|status| status.phase.clone());
            let volume = claim.spec.as_ref().and_then(|spec| spec.volume_name.clone()).unwrap_or_default();
            seen["claims"][name] = json!({ "phase": phase, "volumeName": volume });
        }
        seen
    }

    fn victim(&mut self, name: &str) -> Option<Value> {
        let Ok(pod) = self.local.client().get::<Pod>(NAMESPACE, name) else { return Some(json!({ "pod": name })) };
        if !meta::is_being_deleted(&pod.metadata) {
            return None;
        }
        let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
        let target = conditions.into_iter().find(|condition| condition.type_ == "DisruptionTarget");
        let mut victim = json!({ "pod": name });
        if let Some(target) = target {
            victim["disruptionTarget"] = said(&target.status, &target.reason, &target.message);
        }
        Some(victim)
    }

    /// The first FailedScheduling of a Pod that waits, the Scheduled of one that has a node.
    fn event_of(&mut self, pod: &str, scheduled: bool) -> Option<Event> {
        let events = self.local.client().list::<Event>(NAMESPACE, Options::default()).expect("events are listed");
        let mut told: Vec<&Event> = events
            .iter()
            .map(|event| &**event)
            .filter(|event| event.involved_object.name.as_deref() == Some(pod))
            .filter(|event| matches!(event.reason.as_deref(), Some("Scheduled" | "FailedScheduling")))
            .collect();
        told.sort_by_key(|event| meta::revision(&event.metadata));
        if scheduled { told.last().copied().cloned() } else { told.first().copied().cloned() }
    }

    pub fn compare_scores(&self, pod: &str, expected: &Value, differences: &mut Vec<String>) {
        let key = format!("{NAMESPACE}/{pod}");
        let Some(decision) = self.scheduler.decisions(&key).last() else {
            differences.push(format!("{pod}: no decision was recorded"));
            return;
        };
        let nodes = expected.as_object().expect("scores are by node");
        for (node, recorded) in nodes {
            let Some(verdict) = decision.nodes.iter().find(|verdict| *verdict.node == **node) else {
                differences.push(format!("{pod}: {node} has no scores"));
                continue;
            };
            if Some(verdict.total) != recorded["final"].as_i64() {
                differences.push(format!("{pod} {node}: expected {}, got {}", recorded["final"], verdict.total));
            }
            for (plugin, weighted) in recorded["plugins"].as_object().expect("scores are by plugin") {
                let ours = verdict.scores.iter().find(|score| score.plugin.as_str() == plugin);
                if ours.map_or(0, |score| score.weighted) != weighted.as_i64().unwrap_or_default() {
                    differences.push(format!("{pod} {node} {plugin}: expected {weighted}, got {ours:?}"));
                }
            }
        }
        if decision.nodes.iter().filter(|verdict| verdict.filtered_by.is_none()).count() != nodes.len() {
            differences.push(format!("{pod}: other nodes were feasible"));
        }
    }
}

/// What the API server fills in that scheduling depends on, so that these tests say nothing about the API server.
fn fill_in(pod: &mut Value) {
    let spec = &mut pod["spec"];
    spec["schedulerName"] = spec.get("schedulerName").cloned().unwrap_or(json!("default-scheduler"));
    for container in spec["containers"].as_array_mut().into_iter().flatten() {
        let limits = container["resources"]["limits"].as_object().cloned().unwrap_or_default();
        for (name, limit) in limits {
            if container["resources"]["requests"][&name].is_null() {
                container["resources"]["requests"][&name] = limit;
            }
        }
    }
}

fn said(status: &str, reason: &Option<String>, message: &Option<String>) -> Value {
    let mut said = json!({ "status": status });
    for (name, value) in [("reason", reason), ("message", message)] {
        if let Some(value) = value {
            said[name] = json!(value);
        }
    }
    said
}

fn kind_of(object: &Value) -> (&'static api::Kind, &'static str) {
    let kind = api::kinds::by_kind(text(&object["apiVersion"]), text(&object["kind"])).expect("a known kind");
    (kind, if kind.namespaced { NAMESPACE } else { "" })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
