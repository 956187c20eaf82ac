//! The taint eviction controller: deletes Pods from nodes with a NoExecute taint that they do not tolerate, or tolerate
//! only for a while.

use std::collections::BTreeMap;

use api::time::SECOND;
use api::types::{Node, Pod, Taint, Toleration};
use api::{PatchKind, Request, SimTime, Status, Subresource, Verb, meta, time};
use client::{Client, DeleteOptions, EventType, Recorder};
use serde_json::json;

use crate::caches::{Caches, PODS_BY_NODE, Seen};
use crate::controller::{Event, Queue, Reconciler};
use crate::pods;

#[derive(Clone)]
pub struct TaintEvictionController {
    recorder: Recorder,
    planned: BTreeMap<String, Planned>,
}

#[derive(Clone, Copy)]
struct Planned {
    /// When the taint was noticed.
    since: SimTime,
    at: SimTime,
}

impl Default for TaintEvictionController {
    fn default() -> Self {
        TaintEvictionController { recorder: Recorder::new("taint-eviction-controller", ""), planned: BTreeMap::new() }
    }
}

impl Reconciler for TaintEvictionController {
    type Key = String;
    const NAME: &'static str = "taint-eviction-controller";
    const KIND: &'static str = "Pod";
    const WORKERS: usize = 8;

    fn observe(&mut self, event: &Event, caches: &Caches, queue: &mut Queue<String>) {
        match &event.seen {
            Seen::Node(old, Some(node)) => {
                let before = old.as_ref().map(|old| no_execute(old)).unwrap_or_default();
                let after = no_execute(node);
                if before != after {
                    let name = node.metadata.name.as_deref().unwrap_or_default();
                    for pod in caches.pods.indexed(PODS_BY_NODE, name) {
                        queue.add(meta::key(&pod.metadata));
                    }
                }
            }
            Seen::Pod(old, Some(pod)) => {
                let node = pods::node_name(pod);
                let tainted = caches.nodes.get(node).is_some_and(|node| !no_execute(node).is_empty());
                if tainted && old.as_ref().is_none_or(|old| eviction_differs(old, pod)) {
                    queue.add(meta::key(&pod.metadata));
                }
            }
            Seen::Pod(Some(pod), None) if !self.planned.is_empty() => {
                self.planned.remove(&meta::key(&pod.metadata));
            }
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        let Some(pod) = caches.pods.get(key).cloned() else {
            self.planned.remove(key);
            return Ok(());
        };
        let taints = caches.nodes.get(pods::node_name(&pod)).map(|node| no_execute(node)).unwrap_or_default();
        let now = client.now();
        let planned = self.planned.get(key).copied();
        let Some(patience) = patience(&pod, &taints).filter(|_| !taints.is_empty()) else {
            self.cancel(key, &pod, now, client);
            return Ok(());
        };
        let since = planned.map_or(now, |planned| planned.since);
        let at = since + patience;
        if at > now {
            // An eviction that is planned for earlier stays.
            if planned.is_none_or(|planned| planned.at >= at) {
                self.planned.insert(key.clone(), Planned { since, at });
            }
            queue.add_at(key.clone(), at);
            return Ok(());
        }
        self.planned.remove(key);
        self.evict(key, &pod, client)
    }
}

/// Whether an update of a Pod matters here.
fn eviction_differs(old: &Pod, new: &Pod) -> bool {
    fn tolerations(pod: &Pod) -> Option<&Vec<Toleration>> {
        pod.spec.as_ref()?.tolerations.as_ref()
    }
    pods::node_name(old) != pods::node_name(new) || tolerations(old) != tolerations(new)
}

fn no_execute(node: &Node) -> Vec<&Taint> {
    let taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    taints.filter(|taint| taint.effect == "NoExecute").collect()
}

/// How long the Pod stands the taints: nothing at all, or the shortest of its times. `None`: for ever.
fn patience(pod: &Pod, taints: &[&Taint]) -> Option<SimTime> {
    let tolerations = pod.spec.as_ref().and_then(|spec| spec.tolerations.as_deref()).unwrap_or_default();
    let mut shortest: Option<SimTime> = None;
    for taint in taints {
        let Some(toleration) = tolerations.iter().find(|toleration| tolerates(toleration, taint)) else {
            return Some(0);
        };
        if let Some(seconds) = toleration.toleration_seconds {
            let patience = seconds.max(0) as SimTime * SECOND;
            shortest = Some(shortest.map_or(patience, |shortest| shortest.min(patience)));
        }
    }
    shortest
}

pub(crate) fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let given = |value: &Option<String>| value.as_deref().filter(|value| !value.is_empty()).map(str::to_owned);
    if given(&toleration.effect).is_some_and(|effect| effect != taint.effect)
        || given(&toleration.key).is_some_and(|key| key != taint.key)
    {
        return false;
    }
    match toleration.operator.as_deref() {
        Some("Exists") => true,
        Some("Equal" | "") | None => given(&toleration.value) == given(&taint.value),
        _ => false,
    }
}

impl TaintEvictionController {
    fn cancel(&mut self, key: &str, pod: &Pod, now: SimTime, client: &mut Client) {
        if self.planned.remove(key).is_some_and(|planned| planned.at > now) {
            let message = format!("Cancelling deletion of Pod {key}");
            self.recorder.event(client, pod, EventType::Normal, "TaintManagerEviction", message);
        }
    }

    fn evict(&mut self, key: &str, pod: &Pod, client: &mut Client) -> Result<(), Status> {
        if meta::is_being_deleted(&pod.metadata) {
            return Ok(());
        }
        let message = format!("Marking for deletion Pod {key}");
        self.recorder.event(client, pod, EventType::Normal, "TaintManagerEviction", message);
        let (namespace, name) = meta::split_key(key);
        let condition = json!({
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
            "lastTransitionTime": time::stamp(client.now()),
        });
        let value = json!({ "status": { "conditions": [condition] } });
        let request = Request::new::<Pod>(Verb::Patch, namespace, name).on(Subresource::Status);
        let patched = client.call(request.body(api::Patch { kind: PatchKind::StrategicMerge, value }));
        let result = patched.and_then(|_| client.delete::<Pod>(namespace, name, DeleteOptions::default()));
        match result {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(()),
        }
    }
}
