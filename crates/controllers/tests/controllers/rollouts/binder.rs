//! A scheduler's stand-in: binds each Pod to the node with the fewest Pods that its selectors allow.

use std::collections::{BTreeMap, BTreeSet};

use api::types::{Node, PersistentVolumeClaim, Pod};
use api::{SimTime, meta};
use client::{Cache, Change, Client, Component, Watch};

#[derive(Default)]
pub struct Binder {
    pods: Cache<Pod>,
    nodes: Cache<Node>,
    claims: Cache<PersistentVolumeClaim>,
    waiting: BTreeSet<String>,
}

impl Component for Binder {
    fn name(&self) -> &'static str {
        "kube-scheduler"
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::all::<Pod>(), Watch::all::<Node>(), Watch::all::<PersistentVolumeClaim>()]
    }

    fn observe(&mut self, _now: SimTime, watch: usize, change: &Change) {
        match watch {
            0 => drop(self.pods.apply(change)),
            1 => drop(self.nodes.apply(change)),
            _ => drop(self.claims.apply(change)),
        }
        let unbound = |pod: &&std::sync::Arc<Pod>| {
            node_of(pod).is_none() && !meta::is_being_deleted(&pod.metadata) && self.has_disks(pod)
        };
        self.waiting = self.pods.iter().filter(unbound).map(|pod| meta::key(&pod.metadata)).collect();
    }

    fn next_work(&self) -> Option<SimTime> {
        (!self.waiting.is_empty()).then_some(0)
    }

    fn work(&mut self, client: &mut Client) {
        let Some(key) = self.waiting.pop_first() else { return };
        let Some(pod) = self.pods.get(&key).cloned() else { return };
        let mut used: BTreeMap<&str, usize> = BTreeMap::new();
        for node in self.pods.iter().filter_map(|pod| node_of(pod)) {
            *used.entry(node).or_default() += 1;
        }
        let fitting = self.nodes.iter().filter(|node| fits(&pod, node));
        let names = fitting.filter_map(|node| node.metadata.name.as_deref());
        if let Some(node) = names.min_by_key(|name| (used.get(name).copied().unwrap_or_default(), *name)) {
            // A Pod that has gone meanwhile needs no node.
            let _ = client.bind(&pod, node);
        }
    }
}

impl Binder {
    fn has_disks(&self, pod: &Pod) -> bool {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
        let mut claims = volumes.filter_map(|volume| volume.persistent_volume_claim.as_ref());
        claims.all(|claim| {
            let found = self.claims.find(namespace, &claim.claim_name);
            found.is_some_and(|found| found.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Bound"))
        })
    }
}

fn node_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref().filter(|node| !node.is_empty())
}

fn fits(pod: &Pod, node: &Node) -> bool {
    let Some(spec) = &pod.spec else { return false };
    let labels = meta::labels(&node.metadata);
    let selected = spec.node_selector.iter().flatten().all(|(key, value)| labels.get(key) == Some(value));
    let affinity = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let required = affinity.and_then(|it| it.required_during_scheduling_ignored_during_execution.as_ref());
    let named = required.is_none_or(|required| {
        required.node_selector_terms.iter().any(|term| {
            term.match_fields
                .iter()
                .flatten()
                .all(|field| field.values.iter().flatten().any(|value| Some(value) == node.metadata.name.as_ref()))
        })
    });
    let taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    let tolerated = taints.filter(|taint| taint.effect != "PreferNoSchedule").all(|taint| {
        spec.tolerations.iter().flatten().any(|toleration| {
            toleration.key.as_ref().is_none_or(|key| *key == taint.key)
                && toleration.effect.as_ref().is_none_or(|effect| *effect == taint.effect)
        })
    });
    selected && named && tolerated
}
