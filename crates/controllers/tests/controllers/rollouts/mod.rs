//! Recordings of a real control plane, replayed against the API server and the controllers in virtual time. The files
//! live outside of this repository; without them the tests pass and say so.

mod binder;
mod kubelet;
mod snapshot;
mod text;

use std::fs;

use api::request::{Options, Propagation};
use api::time::{MILLISECOND, SECOND};
use api::{Body, Kind, Patch, PatchKind, Request, Response, Status, Verb};
use apiserver::local::Local;
use client::Component;
use controllers::{Config, ControllerManager};
use serde_json::{Value, json};

use binder::Binder;
use snapshot::Seen;

const NAMESPACE: &str = "oracle-ns";

macro_rules! cases {
    ($($test:ident $file:literal;)*) => {
        $(#[test]
        fn $test() {
            check($file);
        })*
    };
}

cases! {
    daemonset_create_update "daemonset-create-update";
    daemonset_node_label "daemonset-node-label";
    deployment_create "deployment-create";
    deployment_history_limit "deployment-history-limit";
    deployment_new_rollout_over_old "deployment-new-rollout-over-old";
    deployment_progress_deadline "deployment-progress-deadline";
    deployment_proportional_scaling "deployment-proportional-scaling";
    deployment_recreate "deployment-recreate";
    deployment_rollback_reuses_replica_set "deployment-rollback-reuses-rs";
    deployment_rolling_default "deployment-rolling-default";
    deployment_stuck_image "deployment-stuck-image";
    deployment_surge_one "deployment-surge-1-unavailable-0";
    deployment_surge_all "deployment-surge-100";
    endpointslice_readiness "endpointslice-readiness";
    garbage_collection_background "gc-background";
    garbage_collection_orphan "gc-orphan";
    autoscaler_without_target "hpa-missing-target";
    autoscaler_without_metrics "hpa-no-metrics";
    job_active_deadline "job-active-deadline";
    job_backoff_limit_zero "job-backoff-limit-0";
    job_backoff_limit_one "job-backoff-limit-1";
    job_completions_parallelism "job-completions-parallelism";
    job_created_suspended "job-created-suspended";
    job_backoff_per_index "job-indexed-backoff-per-index";
    job_single "job-single";
    job_suspend_resume "job-suspend-resume";
    namespace_delete "namespace-delete";
    node_not_ready "node-not-ready-eviction";
    volume_static_binding "pv-static-binding";
    claim_waits_for_volume "pv-waits-for-volume";
    budget_percent "pdb-percent";
    budget_status "pdb-status";
    quota_status "quota-status";
    replicaset_scale_down_order "replicaset-scale-down-order";
    statefulset_on_delete "statefulset-ondelete";
    statefulset_ordered_create "statefulset-ordered-create";
    statefulset_partition "statefulset-partition";
    statefulset_claims_stay "statefulset-pvc-retain";
    statefulset_scale "statefulset-scale";
    statefulset_stuck_pod "statefulset-stuck-pod";
    statefulset_update "statefulset-update";
}

fn check(name: &str) {
    let path = format!("{}/../../../shared/oracle/rollouts/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = fs::read_to_string(&path) else {
        eprintln!("skipped: {path} is not there");
        return;
    };
    let case: Value = serde_json::from_str(&text).expect("a recording is JSON");
    let differences = Trace::new(&case).run();
    assert!(differences.is_empty(), "{name}:\n{}", differences.join("\n"));
}

/// One recording under way.
pub struct Trace<'a> {
    case: &'a Value,
    local: Local,
    manager: ControllerManager,
    binder: Binder,
    seen: Seen,
    /// The last part of the address that the next Pod gets.
    next_address: u32,
}

impl<'a> Trace<'a> {
    fn new(case: &'a Value) -> Trace<'a> {
        Trace {
            case,
            local: Local::new(1),
            manager: ControllerManager::new(&Config::default()),
            binder: Binder::default(),
            seen: Seen::default(),
            next_address: 10,
        }
    }

    fn run(&mut self) -> Vec<String> {
        self.create(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } }));
        for number in 1..=self.case["nodes"].as_u64().unwrap_or(3) {
            self.create_node(&format!("{NAMESPACE}-node-{number}"));
        }
        self.advance(500 * MILLISECOND);
        let mut differences = Vec::new();
        for (number, step) in self.case["steps"].as_array().into_iter().flatten().enumerate() {
            self.act(step);
            if step["noSnapshot"] == true {
                continue;
            }
            self.settle();
            for difference in self.compare(step) {
                let about = format!("step {number} ({} {})", step["do"], step["name"]);
                differences.push(format!("{about} {difference}"));
            }
        }
        differences
    }

    fn advance(&mut self, duration: u64) {
        let components: &mut [&mut dyn Component] = &mut [&mut self.manager, &mut self.binder];
        self.local.run_for(components, duration);
    }

    /// Waits until the watched resources have not changed for a while.
    fn settle(&mut self) {
        let quiet = (self.case["quietSeconds"].as_f64().unwrap_or(0.8) * SECOND as f64) as u64;
        let deadline = self.local.now + self.settle_time();
        let mut last = self.fingerprint();
        let mut since = self.local.now;
        while self.local.now < deadline && self.local.now - since < quiet {
            self.advance(100 * MILLISECOND);
            let current = self.fingerprint();
            if current != last {
                last = current;
                since = self.local.now;
            }
        }
    }

    fn settle_time(&self) -> u64 {
        self.case["settleSeconds"].as_u64().unwrap_or(8) * SECOND
    }

    fn fingerprint(&mut self) -> Vec<String> {
        let watched = self.case["watch"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut prints = Vec::new();
        for resource in watched.filter(|resource| *resource != "events") {
            let items = self.items(resource);
            prints.extend(items.iter().map(|item| {
                let meta = &item["metadata"];
                format!("{resource} {} {}", meta["name"], meta["resourceVersion"])
            }));
        }
        prints
    }

    /// Looks until the cluster is as recorded, or for as long as the recording waited. What is still different then.
    fn compare(&mut self, step: &Value) -> Vec<String> {
        let deadline = self.local.now + self.settle_time() + step["waitSeconds"].as_u64().unwrap_or(0) * SECOND;
        let seen = self.seen.clone();
        loop {
            self.seen = seen.clone();
            let got = self.snapshot();
            let differences = text::differences(&step["snapshot"], &got);
            if differences.is_empty() || self.local.now > deadline {
                return differences;
            }
            self.advance(300 * MILLISECOND);
        }
    }

    // Requests.

    pub fn kind(resource: &str) -> Option<&'static Kind> {
        api::kinds::KINDS.iter().find(|kind| kind.plural == resource)
    }

    pub fn request(&mut self, request: Request) -> Result<Response, Status> {
        self.local.client().call(request)
    }

    pub fn namespace_of(kind: &Kind) -> &'static str {
        if kind.namespaced { NAMESPACE } else { "" }
    }

    pub fn items(&mut self, resource: &str) -> Vec<Value> {
        let Some(kind) = Self::kind(resource) else { return Vec::new() };
        let request = Request::of(Verb::List, kind.id, Self::namespace_of(kind), "");
        match self.request(request) {
            Ok(Response::List(list)) => list.items.iter().map(|item| item.to_value()).collect(),
            _ => Vec::new(),
        }
    }

    fn create(&mut self, object: Value) {
        let (version, kind) = (object["apiVersion"].as_str(), object["kind"].as_str());
        let found = api::kinds::by_kind(version.unwrap_or_default(), kind.unwrap_or_default());
        let kind = found.unwrap_or_else(|| panic!("no kind for {object}"));
        let request = Request::of(Verb::Create, kind.id, Self::namespace_of(kind), "").body(Body::Json(object));
        self.request(request).expect("a recorded object can be created");
    }

    pub fn patch(
        &mut self,
        resource: &str,
        name: &str,
        sub: &str,
        kind: PatchKind,
        value: Value,
    ) -> Result<Response, Status> {
        let Some(row) = Self::kind(resource) else { return Err(Status::bad_request(format!("no kind {resource}"))) };
        let subresource = if sub == "status" { api::Subresource::Status } else { api::Subresource::None };
        let request = Request::of(Verb::Patch, row.id, Self::namespace_of(row), name);
        self.request(request.on(subresource).body(Patch { kind, value }))
    }

    pub fn delete(&mut self, resource: &str, name: &str, query: &str) -> Result<Response, Status> {
        let Some(kind) = Self::kind(resource) else { return Err(Status::bad_request(format!("no kind {resource}"))) };
        let mut request = Request::of(Verb::Delete, kind.id, Self::namespace_of(kind), name);
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            set_option(&mut request.options, key, value);
        }
        self.request(request)
    }

    fn create_node(&mut self, name: &str) {
        let now = serde_json::to_value(api::time::stamp(self.local.now)).expect("a time has a JSON form");
        let status = json!({
            "capacity": { "cpu": "16", "memory": "32Gi", "pods": "110" },
            "allocatable": { "cpu": "16", "memory": "32Gi", "pods": "110" },
            "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ok",
                "lastHeartbeatTime": now, "lastTransitionTime": now }],
        });
        let labels = json!({ "kubernetes.io/hostname": name, "pool": "oracle" });
        let metadata = json!({ "name": name, "labels": labels });
        self.create(json!({ "apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": status }));
        let bare = json!({ "spec": { "taints": null } });
        self.patch("nodes", name, "", PatchKind::Merge, bare).expect("taints can be removed");
        let status = json!({ "status": status });
        self.patch("nodes", name, "status", PatchKind::Merge, status).expect("a node has a status");
    }

    // Steps.

    fn act(&mut self, step: &Value) {
        let (resource, name) = (step["resource"].as_str().unwrap_or_default(), step["name"].as_str());
        let name = name.unwrap_or_default();
        match step["do"].as_str().unwrap_or_default() {
            "create" => {
                for object in step["objects"].as_array().into_iter().flatten() {
                    self.create(object.clone());
                }
            }
            "patch" => {
                let strategic = step["strategic"] == true;
                let kind = if strategic { PatchKind::StrategicMerge } else { PatchKind::Merge };
                let sub = step["sub"].as_str().unwrap_or_default();
                self.patch(resource, name, sub, kind, step["body"].clone()).expect("a recorded patch works");
            }
            "delete" => {
                let query = step["query"].as_str().unwrap_or_default();
                self.delete(resource, name, query).expect("a recorded deletion works");
            }
            "tick" => self.tick(step),
            "failPod" => self.fail_pods(step),
            "deletePod" => {
                let part = step["match"].as_str().unwrap_or_default();
                let pods = self.items("pods");
                let mut names = pods.iter().filter_map(|pod| pod["metadata"]["name"].as_str());
                if let Some(name) = names.find(|name| name.contains(part)) {
                    let query = step["query"].as_str().unwrap_or("gracePeriodSeconds=0");
                    self.delete("pods", name, query).expect("a recorded deletion works");
                }
            }
            "sleep" => self.advance(step["seconds"].as_u64().unwrap_or(0) * SECOND),
            other => panic!("unknown step {other}"),
        }
    }
}

fn set_option(options: &mut Options, key: &str, value: &str) {
    match (key, value) {
        ("propagationPolicy", "Background") => options.propagation = Some(Propagation::Background),
        ("propagationPolicy", "Foreground") => options.propagation = Some(Propagation::Foreground),
        ("propagationPolicy", "Orphan") => options.propagation = Some(Propagation::Orphan),
        ("gracePeriodSeconds", seconds) => options.grace_period = seconds.parse().ok(),
        _ => panic!("unknown option {key}={value}"),
    }
}
