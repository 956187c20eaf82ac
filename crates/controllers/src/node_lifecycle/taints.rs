//! The taints that a node's conditions call for.

use std::collections::BTreeSet;

use api::types::{Node, Taint};
use api::{Status, time};
use client::Client;

use super::{condition, patch_taints};

pub(super) const NOT_READY: &str = "node.kubernetes.io/not-ready";
pub(super) const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// Condition, its value, the taint.
const BY_CONDITION: [(&str, &str, &str); 6] = [
    ("Ready", "False", NOT_READY),
    ("Ready", "Unknown", UNREACHABLE),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
];

pub(super) fn taints_of(node: &Node) -> &[Taint] {
    node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default()
}

fn is_unschedulable(node: &Node) -> bool {
    node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or_default()
}

/// The NoSchedule taints that a node should have of those that this controller manages.
fn wanted(node: &Node) -> BTreeSet<&'static str> {
    let called_for = BY_CONDITION
        .iter()
        .filter(|(type_, value, _)| condition(node, type_).is_some_and(|condition| condition.status == *value));
    let mut wanted: BTreeSet<&'static str> = called_for.map(|(_, _, taint)| *taint).collect();
    if is_unschedulable(node) {
        wanted.insert(UNSCHEDULABLE);
    }
    wanted
}

fn is_managed(taint: &Taint) -> bool {
    taint.effect == "NoSchedule"
        && (taint.key == UNSCHEDULABLE || BY_CONDITION.iter().any(|(_, _, key)| *key == taint.key))
}

/// A cheap look whether an update of a node can matter for its taints: most are heartbeats.
pub(super) fn may_differ(old: &Node, new: &Node) -> bool {
    taints_of(old) != taints_of(new) || wanted(old) != wanted(new)
}

pub(super) fn sync_no_schedule(client: &mut Client, node: &Node) -> Result<(), Status> {
    let wanted = wanted(node);
    let current = taints_of(node).iter().filter(|taint| is_managed(taint));
    if current.map(|taint| taint.key.as_str()).collect::<BTreeSet<_>>() == wanted {
        return Ok(());
    }
    let stays = |taint: &&Taint| !is_managed(taint) || wanted.contains(taint.key.as_str());
    let mut taints: Vec<Taint> = taints_of(node).iter().filter(stays).cloned().collect();
    for key in wanted {
        if !taints.iter().any(|taint| taint.key == key && taint.effect == "NoSchedule") {
            taints.push(new_taint(client, key, "NoSchedule"));
        }
    }
    patch_taints(client, node, &taints)
}

fn new_taint(client: &Client, key: &str, effect: &str) -> Taint {
    Taint { key: key.into(), effect: effect.into(), value: None, time_added: Some(time::stamp(client.now())) }
}

/// Puts the NoExecute taint `add` on a node, if any, and takes its opposite off, or both.
pub(super) fn swap_no_execute(client: &mut Client, node: &Node, add: Option<&str>) -> Result<(), Status> {
    let is_ours = |taint: &Taint| taint.effect == "NoExecute" && [NOT_READY, UNREACHABLE].contains(&taint.key.as_str());
    let stays = |taint: &&Taint| !is_ours(taint) || Some(taint.key.as_str()) == add;
    let mut taints: Vec<Taint> = taints_of(node).iter().filter(stays).cloned().collect();
    if let Some(key) = add
        && !taints.iter().any(is_ours)
    {
        taints.push(new_taint(client, key, "NoExecute"));
    }
    if taints == taints_of(node) { Ok(()) } else { patch_taints(client, node, &taints) }
}

pub(super) fn has_no_execute(node: &Node) -> bool {
    let mut taints = taints_of(node).iter();
    taints.any(|taint| taint.effect == "NoExecute" && [NOT_READY, UNREACHABLE].contains(&taint.key.as_str()))
}
