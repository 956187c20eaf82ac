//! The Pod garbage collector: removes Pods that nobody else will.

use std::collections::BTreeMap;

use api::time::SECOND;
use api::types::{Node, Pod};
use api::{PatchKind, Request, SimTime, Status, Subresource, Verb, meta, time};
use client::{Client, DeleteOptions};
use serde_json::json;

use crate::caches::Caches;
use crate::controller::{Event, Queue, Reconciler};
use crate::pods;

const PERIOD: SimTime = 20 * SECOND;
/// A node that is gone may come back for this long.
const QUARANTINE: SimTime = 40 * SECOND;
/// `--terminated-pod-gc-threshold`
const TERMINATED_MAX: usize = 12_500;
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

#[derive(Clone, Default)]
pub struct PodGarbageCollector {
    /// Nodes that Pods name but that do not exist, and since when that is known.
    missing: BTreeMap<String, SimTime>,
}

impl Reconciler for PodGarbageCollector {
    type Key = String;
    const NAME: &'static str = "pod-garbage-collector-controller";
    const KIND: &'static str = "Pod";

    fn start(&mut self, queue: &mut Queue<String>) {
        queue.add_after(String::new(), PERIOD);
    }

    fn observe(&mut self, _event: &Event, _caches: &Caches, _queue: &mut Queue<String>) {}

    fn reconcile(
        &mut self,
        key: &String,
        caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        queue.add_after(key.clone(), PERIOD);
        collect_terminated(caches, client);
        collect_out_of_service(caches, client);
        self.collect_orphaned(caches, client);
        collect_unscheduled(caches, client);
        Ok(())
    }
}

impl PodGarbageCollector {
    /// Pods of nodes that no longer exist.
    fn collect_orphaned(&mut self, caches: &Caches, client: &mut Client) {
        let now = client.now();
        let mut missing: BTreeMap<String, SimTime> = BTreeMap::new();
        for pod in caches.pods.iter() {
            let node = pods::node_name(pod);
            if !node.is_empty() && !missing.contains_key(node) && caches.nodes.get(node).is_none() {
                let since = self.missing.get(node).copied().unwrap_or(now);
                missing.insert(node.into(), since);
            }
        }
        self.missing = missing;
        let gone = self.missing.iter().filter(|(_, since)| **since + QUARANTINE <= now);
        let gone: Vec<String> = gone.map(|(node, _)| node.clone()).collect();
        for node in gone {
            if !client.get::<Node>("", &node).is_err_and(|status| status.is_not_found()) {
                continue;
            }
            let orphans: Vec<_> = caches.pods.indexed(crate::caches::PODS_BY_NODE, &node).cloned().collect();
            for pod in orphans {
                fail_and_delete(client, &pod, Some("PodGC: node no longer exists"));
            }
        }
    }
}

/// The oldest of too many Pods that have ended.
fn collect_terminated(caches: &Caches, client: &mut Client) {
    let mut ended: Vec<_> = caches.pods.iter().filter(|pod| pods::is_finished(pod)).cloned().collect();
    let excess = ended.len().saturating_sub(TERMINATED_MAX);
    if excess > 0 {
        let created = |pod: &Pod| pod.metadata.creation_timestamp.as_ref().map(time::since_start);
        ended.sort_by_key(|pod| created(pod));
        for pod in ended.iter().take(excess) {
            fail_and_delete(client, pod, None);
        }
    }
}

/// Terminating Pods of nodes that somebody has declared out of service.
fn collect_out_of_service(caches: &Caches, client: &mut Client) {
    for node in caches.nodes.iter() {
        let mut taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
        if !taints.any(|taint| taint.key == OUT_OF_SERVICE) || node_is_ready(node) {
            continue;
        }
        let name = node.metadata.name.as_deref().unwrap_or_default();
        let pods: Vec<_> = caches.pods.indexed(crate::caches::PODS_BY_NODE, name).cloned().collect();
        for pod in pods.iter().filter(|pod| meta::is_being_deleted(&pod.metadata)) {
            fail_and_delete(client, pod, None);
        }
    }
}

fn node_is_ready(node: &Node) -> bool {
    let mut conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// Pods that were deleted before they had a node: no kubelet will remove them.
fn collect_unscheduled(caches: &Caches, client: &mut Client) {
    let doomed =
        caches.pods.iter().filter(|pod| meta::is_being_deleted(&pod.metadata) && pods::node_name(pod).is_empty());
    for pod in doomed {
        fail_and_delete(client, pod, None);
    }
}

/// Marks a Pod as failed, for those who count its results, and deletes it at once. What fails is tried again next time.
fn fail_and_delete(client: &mut Client, pod: &Pod, disruption: Option<&str>) {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    if !pods::is_finished(pod) {
        let mut status = json!({ "phase": "Failed" });
        if let Some(message) = disruption {
            status["conditions"] = json!([{
                "type": "DisruptionTarget",
                "status": "True",
                "reason": "DeletionByPodGC",
                "message": message,
                "lastTransitionTime": time::stamp(client.now()),
            }]);
        }
        let request = Request::new::<Pod>(Verb::Patch, namespace, name).on(Subresource::Status);
        let value = json!({ "status": status });
        if client.call(request.body(api::Patch { kind: PatchKind::StrategicMerge, value })).is_err() {
            return;
        }
    }
    let options = DeleteOptions { grace_period: Some(0), uid: pod.metadata.uid.clone(), ..DeleteOptions::default() };
    if let Err(status) = client.delete::<Pod>(namespace, name, options) {
        client.note("retry", status.message);
    }
}
