//! Keeps Pods off nodes whose taints they do not tolerate, and prefers nodes with fewer untolerated PreferNoSchedule
//! taints.

use std::sync::Arc;

use api::types::{Node, Taint, Toleration};

use crate::cache::{NodeInfo, PodInfo, Slot};
use crate::framework::{
    ClusterEvent, CycleState, FilterPlugin, Handle, PreScorePlugin, QueueingHint, ScorePlugin, Status,
    default_normalize,
};

pub struct TaintToleration;

/// The tolerations that count against PreferNoSchedule taints.
#[derive(Clone, Debug, Default)]
pub struct State {
    preferring: Arc<[Toleration]>,
}

const REASON: &str = "node(s) had untolerated taint(s)";

impl FilterPlugin for TaintToleration {
    fn filter(&self, _handle: Handle, _state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Status {
        if tolerates_all(pod, node.taints()) { Status::SUCCESS } else { Status::unresolvable(REASON) }
    }
}

impl PreScorePlugin for TaintToleration {
    fn pre_score(&self, _handle: Handle, state: &mut CycleState, pod: &PodInfo, _feasible: &[Slot]) -> bool {
        let concerns =
            |toleration: &&Toleration| matches!(toleration.effect.as_deref(), None | Some("" | "PreferNoSchedule"));
        state.taint_toleration.preferring = tolerations(pod).iter().filter(concerns).cloned().collect();
        true
    }
}

impl ScorePlugin for TaintToleration {
    fn score(&self, _handle: Handle, state: &CycleState, _pod: &PodInfo, node: &NodeInfo) -> i64 {
        let tolerations = &state.taint_toleration.preferring;
        let counts = |taint: &&Taint| taint.effect == "PreferNoSchedule" && !is_tolerated(taint, tolerations);
        node.taints().iter().filter(counts).count() as i64
    }

    fn normalize(&self, _handle: Handle, _state: &CycleState, _feasible: &[Slot], scores: &mut [i64]) {
        default_normalize(scores, true);
    }
}

impl QueueingHint for TaintToleration {
    fn may_help(&self, _handle: Handle, pod: &PodInfo, event: &ClusterEvent) -> bool {
        match event {
            ClusterEvent::NodeAdded(node) => tolerates_all(pod, taints(node)),
            ClusterEvent::NodeUpdated { old, new } => {
                !tolerates_all(pod, taints(old)) && tolerates_all(pod, taints(new))
            }
            ClusterEvent::UnscheduledPodUpdated { old, new } => tolerations(old) != tolerations(new),
            _ => false,
        }
    }
}

fn taints(node: &Node) -> &[Taint] {
    node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default()
}

pub fn tolerations(pod: &PodInfo) -> &[Toleration] {
    pod.spec().and_then(|spec| spec.tolerations.as_deref()).unwrap_or_default()
}

/// Whether the Pod tolerates all taints that keep Pods away.
pub fn tolerates_all(pod: &PodInfo, taints: &[Taint]) -> bool {
    let hinders = |taint: &&Taint| matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute");
    taints.iter().filter(hinders).all(|taint| is_tolerated(taint, tolerations(pod)))
}

pub fn is_tolerated(taint: &Taint, tolerations: &[Toleration]) -> bool {
    tolerations.iter().any(|toleration| tolerates(toleration, taint))
}

fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let effect_fits = toleration.effect.as_deref().is_none_or(|effect| effect.is_empty() || effect == taint.effect);
    let key_fits = toleration.key.as_deref().is_none_or(|key| key.is_empty() || key == taint.key);
    let value_fits = match toleration.operator.as_deref() {
        None | Some("" | "Equal") => {
            toleration.value.as_deref().unwrap_or_default() == taint.value.as_deref().unwrap_or_default()
        }
        Some("Exists") => true,
        Some(_) => false,
    };
    effect_fits && key_fits && value_fits
}
