//! Node IPAM: gives each node a part of the cluster's Pod addresses, 10.244.N.0/24 in order.

use std::collections::BTreeMap;

use api::types::Node;
use api::{PatchKind, Status, meta};
use client::{Client, EventType, Recorder};
use serde_json::json;

use crate::caches::{Caches, Seen};
use crate::controller::{Event, Queue, Reconciler};

/// /24 networks in the cluster's /16.
const NETWORKS: u32 = 256;

#[derive(Clone)]
pub struct NodeIpamController {
    recorder: Recorder,
    /// Networks in use, and by which node.
    taken: BTreeMap<u32, String>,
    /// Freed networks are used again only after all others were.
    next: u32,
}

impl Default for NodeIpamController {
    fn default() -> Self {
        NodeIpamController { recorder: Recorder::new("cidrAllocator", ""), taken: BTreeMap::new(), next: 0 }
    }
}

impl Reconciler for NodeIpamController {
    type Key = String;
    const NAME: &'static str = "node-ipam-controller";
    const KIND: &'static str = "Node";

    fn observe(&mut self, event: &Event, _caches: &Caches, queue: &mut Queue<String>) {
        match &event.seen {
            Seen::Node(_, Some(node)) => match network_of(node) {
                Some(network) => drop(self.taken.insert(network, meta::key(&node.metadata))),
                None => queue.add(meta::key(&node.metadata)),
            },
            Seen::Node(Some(node), None) => {
                let key = meta::key(&node.metadata);
                self.taken.retain(|_, taken_by| *taken_by != key);
            }
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        caches: &Caches,
        client: &mut Client,
        _queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        let Some(node) = caches.nodes.get(key) else { return Ok(()) };
        if node.spec.as_ref().is_some_and(|spec| spec.pod_cidr.is_some()) {
            return Ok(());
        }
        let Some(network) = (0..NETWORKS)
            .map(|offset| (self.next + offset) % NETWORKS)
            .find(|network| self.taken.get(network).is_none_or(|taken_by| taken_by == key))
        else {
            let message = format!("Node {key} status is now: CIDRNotAvailable");
            self.recorder.event(client, &**node, EventType::Normal, "CIDRNotAvailable", message);
            return Err(Status::internal("CIDR allocation failed; there are no remaining CIDRs left to allocate"));
        };
        let cidr = format!("10.244.{network}.0/24");
        let patch = json!({ "spec": { "podCIDR": cidr, "podCIDRs": [cidr] } });
        client.patch::<Node>("", key, PatchKind::StrategicMerge, patch)?;
        self.taken.insert(network, key.clone());
        self.next = (network + 1) % NETWORKS;
        Ok(())
    }
}

fn network_of(node: &Node) -> Option<u32> {
    let cidr = node.spec.as_ref()?.pod_cidr.as_deref()?;
    cidr.strip_prefix("10.244.")?.split_once('.')?.0.parse().ok()
}
