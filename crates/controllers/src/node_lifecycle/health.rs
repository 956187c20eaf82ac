//! Whether nodes are heard of.

use std::sync::Arc;

use api::time::SECOND;
use api::types::{MicroTime, Node, NodeCondition, Time};
use api::{SimTime, Status, meta, time};
use client::{Client, EventType};

use super::{Key, NodeLifecycleController, condition};
use crate::caches::Caches;
use crate::controller::Queue;

/// `--node-monitor-period`
pub(super) const MONITOR_PERIOD: SimTime = 5 * SECOND;
/// `--node-monitor-grace-period`
const GRACE_PERIOD: SimTime = 50 * SECOND;
/// `--node-startup-grace-period`
const STARTUP_GRACE_PERIOD: SimTime = 60 * SECOND;
/// The namespace of the kubelets' Leases.
const LEASES: &str = "kube-node-lease";
/// What nobody knows any more when a kubelet is silent.
const KUBELET_CONDITIONS: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/// What was last heard of a node.
#[derive(Clone, Default)]
pub(super) struct Health {
    /// When something was heard.
    probed_at: SimTime,
    heartbeat: Option<Time>,
    renewed: Option<MicroTime>,
    /// Its Pods are still to be marked.
    retry_pods: bool,
}

/// A node's readiness: `True`, `False`, `Unknown`.
fn readiness(node: &Node) -> &str {
    condition(node, "Ready").map_or("Unknown", |ready| ready.status.as_str())
}

impl NodeLifecycleController {
    pub(super) fn monitor(&mut self, caches: &Caches, client: &mut Client, queue: &mut Queue<Key>) {
        let gone: Vec<String> = self.health.keys().filter(|name| caches.nodes.get(name).is_none()).cloned().collect();
        for name in gone {
            self.health.remove(&name);
            self.zones.forget_node(&name);
            let message = format!("Node {name} event: Removing Node {name} from Controller");
            self.node_event(client, &name, None, "RemovingNode", message);
        }
        let nodes: Vec<Arc<Node>> = caches.nodes.iter().cloned().collect();
        for node in nodes {
            let name = meta::key(&node.metadata);
            if !self.health.contains_key(&name) {
                let message = format!("Node {name} event: Registered Node {name} in Controller");
                self.node_event(client, &name, Some(&node), "RegisteredNode", message);
            }
            if let Err(status) = self.monitor_node(&node, &name, caches, client, queue) {
                client.note("retry", status.message);
            }
        }
        self.handle_disruption(caches, client, queue);
    }

    fn monitor_node(
        &mut self,
        node: &Arc<Node>,
        name: &str,
        caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<Key>,
    ) -> Result<(), Status> {
        let observed = readiness(node).to_owned();
        let current = self.check_health(node, name, caches, client)?;
        self.zones.set_readiness(node, &current);
        self.plan_eviction(node, &observed, client, queue);

        let fell_silent = current != "True" && observed == "True";
        if fell_silent {
            let message = format!("Node {name} status is now: NodeNotReady");
            self.node_event(client, name, Some(node), "NodeNotReady", message);
        }
        let retry = self.health.get(name).is_some_and(|health| health.retry_pods);
        if fell_silent || (retry && observed != "True") {
            let all = self.mark_pods_not_ready(name, caches, client);
            if let Some(health) = self.health.get_mut(name) {
                health.retry_pods = !all;
            }
        }
        Ok(())
    }

    /// Sets the conditions to Unknown if the node has been silent for too long. Its readiness then.
    fn check_health(
        &mut self,
        node: &Node,
        name: &str,
        caches: &Caches,
        client: &mut Client,
    ) -> Result<String, Status> {
        let now = client.now();
        let ready = condition(node, "Ready");
        let created = node.metadata.creation_timestamp.as_ref().map(time::since_start).unwrap_or_default();
        let is_new = !self.health.contains_key(name);
        let health = self.health.entry(name.into()).or_default();
        if is_new {
            health.probed_at = if ready.is_some() { now } else { created };
        }
        let heartbeat = ready.and_then(|ready| ready.last_heartbeat_time.clone());
        if heartbeat != health.heartbeat {
            health.heartbeat = heartbeat;
            health.probed_at = now;
        }
        let lease = caches.leases.find(LEASES, name);
        let renewed = lease.and_then(|lease| lease.spec.as_ref()?.renew_time.clone());
        if renewed.is_some() && renewed != health.renewed {
            health.renewed = renewed;
            health.probed_at = now;
        }

        let grace = if ready.is_some() { GRACE_PERIOD } else { STARTUP_GRACE_PERIOD };
        if now <= health.probed_at + grace {
            return Ok(readiness(node).into());
        }
        let mut changed = node.clone();
        if !set_unknown(&mut changed, now) {
            return Ok("Unknown".into());
        }
        client.update_status(changed)?;
        Ok("Unknown".into())
    }

    fn node_event(&mut self, client: &mut Client, name: &str, node: Option<&Node>, reason: &str, message: String) {
        let uid = node.and_then(|node| node.metadata.uid.clone()).unwrap_or_else(|| name.into());
        let about = api::types::ObjectReference {
            api_version: Some("v1".into()),
            kind: Some("Node".into()),
            name: Some(name.into()),
            uid: Some(uid),
            ..Default::default()
        };
        self.recorder.event_about(client, about, EventType::Normal, reason, message);
    }
}

/// Whether that changed anything.
fn set_unknown(node: &mut Node, now: SimTime) -> bool {
    let created = node.metadata.creation_timestamp.clone();
    let conditions = node.status.get_or_insert_default().conditions.get_or_insert_default();
    let mut changed = false;
    for type_ in KUBELET_CONDITIONS {
        match conditions.iter_mut().find(|condition| condition.type_ == type_) {
            None => conditions.push(NodeCondition {
                type_: type_.into(),
                status: "Unknown".into(),
                reason: Some("NodeStatusNeverUpdated".into()),
                message: Some("Kubelet never posted node status.".into()),
                last_heartbeat_time: created.clone(),
                last_transition_time: Some(time::stamp(now)),
            }),
            Some(condition) if condition.status != "Unknown" => {
                condition.status = "Unknown".into();
                condition.reason = Some("NodeStatusUnknown".into());
                condition.message = Some("Kubelet stopped posting node status.".into());
                condition.last_transition_time = Some(time::stamp(now));
            }
            Some(_) => continue,
        }
        changed = true;
    }
    changed
}
