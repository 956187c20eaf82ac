//! The node lifecycle controller: notices nodes that have gone silent, taints them, and marks their Pods.

mod health;
mod taints;
mod zones;

use std::collections::BTreeMap;
use std::fmt;

use api::types::{Node, NodeCondition, Pod, PodCondition, PodStatus};
use api::{Request, SimTime, Status, Subresource, Verb, meta, time};
use client::{Client, EventType, Recorder};

use crate::caches::{Caches, PODS_BY_NODE, Seen};
use crate::controller::{Event, Queue, Reconciler};
use crate::pods;
use health::{Health, MONITOR_PERIOD};
use zones::Zones;

#[derive(Clone)]
pub struct NodeLifecycleController {
    recorder: Recorder,
    /// What was last heard of each known node.
    health: BTreeMap<String, Health>,
    zones: Zones,
}

impl Default for NodeLifecycleController {
    fn default() -> Self {
        NodeLifecycleController {
            recorder: Recorder::new("node-controller", ""),
            health: BTreeMap::new(),
            zones: Zones::default(),
        }
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Look at the health of all nodes.
    Monitor,
    /// Bring a node's NoSchedule taints in line with its conditions.
    Node(String),
    /// Taint the next node of a zone NoExecute.
    Evict(String),
    /// A Pod that was bound to a node that is not ready.
    Pod(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Monitor => f.write_str("(all nodes)"),
            Key::Evict(zone) => write!(f, "(zone {zone:?})"),
            Key::Node(key) | Key::Pod(key) => f.write_str(key),
        }
    }
}

impl Reconciler for NodeLifecycleController {
    type Key = Key;
    const NAME: &'static str = "node-lifecycle-controller";
    const KIND: &'static str = "Node";
    const WORKERS: usize = 8;

    fn start(&mut self, queue: &mut Queue<Key>) {
        queue.add(Key::Monitor);
    }

    fn observe(&mut self, event: &Event, caches: &Caches, queue: &mut Queue<Key>) {
        match &event.seen {
            Seen::Node(old, Some(node)) if old.as_ref().is_none_or(|old| taints::may_differ(old, node)) => {
                queue.add(Key::Node(meta::key(&node.metadata)));
            }
            Seen::Pod(old, Some(pod)) => {
                let node = pods::node_name(pod);
                let bound = old.as_ref().is_none_or(|old| pods::node_name(old) != node);
                let not_ready = |node: &Node| condition(node, "Ready").is_none_or(|ready| ready.status != "True");
                if bound && !node.is_empty() && caches.nodes.get(node).is_some_and(|node| not_ready(node)) {
                    queue.add(Key::Pod(meta::key(&pod.metadata)));
                }
            }
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &Key,
        caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<Key>,
    ) -> Result<(), Status> {
        match key {
            Key::Monitor => {
                queue.add_after(Key::Monitor, MONITOR_PERIOD);
                self.monitor(caches, client, queue);
                Ok(())
            }
            Key::Node(name) => match caches.nodes.get(name) {
                Some(node) => taints::sync_no_schedule(client, node),
                None => Ok(()),
            },
            Key::Evict(zone) => self.taint_next(zone, caches, client, queue),
            Key::Pod(key) => match caches.pods.get(key).cloned() {
                Some(pod) => self.mark_pod_not_ready(client, &pod),
                None => Ok(()),
            },
        }
    }
}

pub(crate) fn condition<'a>(node: &'a Node, type_: &str) -> Option<&'a NodeCondition> {
    node.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == type_)
}

impl NodeLifecycleController {
    /// The Pods of a node that has gone silent are not ready as far as anybody knows. What fails is tried again by the
    /// next look at the nodes.
    fn mark_pods_not_ready(&mut self, node: &str, caches: &Caches, client: &mut Client) -> bool {
        let pods: Vec<_> = caches.pods.indexed(PODS_BY_NODE, node).cloned().collect();
        let mut all = true;
        for pod in pods {
            all &= self.mark_pod_not_ready(client, &pod).is_ok();
        }
        all
    }

    fn mark_pod_not_ready(&mut self, client: &mut Client, pod: &Pod) -> Result<(), Status> {
        if !pods::is_ready(pod) {
            return Ok(());
        }
        let now = client.now();
        let mut changed = pod.clone();
        set_not_ready(changed.status.get_or_insert_default(), now);
        match client.update_status(changed) {
            Ok(_) => {
                self.recorder.event(client, pod, EventType::Warning, "NodeNotReady", "Node is not ready");
                Ok(())
            }
            Err(status) if status.is_not_found() => Ok(()),
            Err(status) => Err(status),
        }
    }
}

fn set_not_ready(status: &mut PodStatus, now: SimTime) {
    let is_ready = |condition: &&mut PodCondition| condition.type_ == "Ready";
    if let Some(ready) = status.conditions.iter_mut().flatten().find(is_ready) {
        ready.status = "False".into();
        ready.last_transition_time = Some(time::stamp(now));
    }
}

/// A merge patch of a node's taints.
fn patch_taints(client: &mut Client, node: &Node, taints: &[api::types::Taint]) -> Result<(), Status> {
    let value = if taints.is_empty() { serde_json::Value::Null } else { serde_json::json!(taints) };
    let name = node.metadata.name.as_deref().unwrap_or_default();
    let value = serde_json::json!({
        "metadata": { "resourceVersion": node.metadata.resource_version },
        "spec": { "taints": value },
    });
    let request = Request::new::<Node>(Verb::Patch, "", name).on(Subresource::None);
    client.call(request.body(api::Patch { kind: api::PatchKind::Merge, value })).map(drop)
}
