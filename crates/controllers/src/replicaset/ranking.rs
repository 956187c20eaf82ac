//! Which Pods go first when there are too many: upstream's `ActivePodsWithRanks`.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use api::types::{Pod, Time};
use api::{SimTime, meta, time};

use crate::pods;

/// The `count` Pods that are missed least.
pub(crate) fn pods_to_delete(active: &[Arc<Pod>], related: &[Arc<Pod>], count: usize, now: SimTime) -> Vec<Arc<Pod>> {
    if count >= active.len() {
        return active.to_vec();
    }
    let mut on_node: BTreeMap<&str, usize> = BTreeMap::new();
    for pod in related.iter().filter(|pod| pods::is_active(pod)) {
        *on_node.entry(pods::node_name(pod)).or_default() += 1;
    }
    let mut ranked: Vec<(&Arc<Pod>, usize)> =
        active.iter().map(|pod| (pod, on_node.get(pods::node_name(pod)).copied().unwrap_or_default())).collect();
    ranked.sort_by(|left, right| order(left, right, now));
    ranked.into_iter().take(count).map(|(pod, _)| pod.clone()).collect()
}

/// `Less` when `left` goes before `right`.
fn order(&(left, left_rank): &(&Arc<Pod>, usize), &(right, right_rank): &(&Arc<Pod>, usize), now: SimTime) -> Ordering {
    let assigned = |pod: &Pod| !pods::node_name(pod).is_empty();
    let (left_ready, right_ready) = (pods::is_ready(left), pods::is_ready(right));
    assigned(left)
        .cmp(&assigned(right))
        .then_with(|| phase_rank(left).cmp(&phase_rank(right)))
        .then_with(|| left_ready.cmp(&right_ready))
        .then_with(|| deletion_cost(left).cmp(&deletion_cost(right)))
        .then_with(|| right_rank.cmp(&left_rank))
        .then_with(|| {
            let both = left_ready && right_ready;
            let newer = both.then(|| newer_first(pods::ready_since(left), pods::ready_since(right), left, right, now));
            newer.unwrap_or(Ordering::Equal)
        })
        .then_with(|| restarts(right).cmp(&restarts(left)))
        .then_with(|| {
            let created = |pod: &'_ Pod| pod.metadata.creation_timestamp.clone();
            newer_first(created(left).as_ref(), created(right).as_ref(), left, right, now)
        })
}

/// Upstream's scale compares ages by their logarithm, so that about equally young Pods are chosen from by chance (the
/// uid): always deleting the youngest would empty the zone that was filled last.
fn newer_first(left: Option<&Time>, right: Option<&Time>, left_pod: &Pod, right_pod: &Pod, now: SimTime) -> Ordering {
    match (left, right) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(left), Some(right)) if left == right => Ordering::Equal,
        (Some(left), Some(right)) => {
            let magnitude = |since: &Time| now.saturating_sub(time::since_start(since)).checked_ilog2();
            magnitude(left).cmp(&magnitude(right)).then_with(|| left_pod.metadata.uid.cmp(&right_pod.metadata.uid))
        }
    }
}

fn phase_rank(pod: &Pod) -> u8 {
    match pods::phase(pod) {
        "Running" => 2,
        "Unknown" => 1,
        _ => 0,
    }
}

fn deletion_cost(pod: &Pod) -> i32 {
    let cost = meta::annotation(&pod.metadata, "controller.kubernetes.io/pod-deletion-cost");
    cost.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The most restarts of a container.
fn restarts(pod: &Pod) -> i32 {
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    statuses.map(|status| status.restart_count).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use api::types::{ContainerStatus, ObjectMeta, PodCondition, PodSpec, PodStatus};

    use super::*;

    struct Case(Pod);

    fn pod(name: &str) -> Case {
        Case(Pod {
            metadata: ObjectMeta { name: Some(name.into()), uid: Some(name.into()), ..ObjectMeta::default() },
            spec: Some(PodSpec { node_name: Some("a".into()), ..PodSpec::default() }),
            status: Some(PodStatus { phase: Some("Running".into()), ..PodStatus::default() }),
        })
    }

    impl Case {
        fn node(mut self, node: &str) -> Case {
            self.0.spec.get_or_insert_default().node_name = Some(node.into());
            self
        }

        fn phase(mut self, phase: &str) -> Case {
            self.0.status.get_or_insert_default().phase = Some(phase.into());
            self
        }

        fn ready(mut self, since: SimTime) -> Case {
            self.0.status.get_or_insert_default().conditions = Some(vec![PodCondition {
                type_: "Ready".into(),
                status: "True".into(),
                last_transition_time: Some(time::stamp(since)),
                ..PodCondition::default()
            }]);
            self
        }

        fn cost(mut self, cost: i32) -> Case {
            let name = "controller.kubernetes.io/pod-deletion-cost";
            meta::set_annotation(&mut self.0.metadata, name, cost.to_string());
            self
        }

        fn restarts(mut self, restart_count: i32) -> Case {
            let status = ContainerStatus { restart_count, ..ContainerStatus::default() };
            self.0.status.get_or_insert_default().container_statuses = Some(vec![status]);
            self
        }
    }

    /// The order in which all but the last are chosen.
    fn chosen(cases: Vec<Case>) -> Vec<String> {
        let pods: Vec<Arc<Pod>> = cases.into_iter().map(|case| Arc::new(case.0)).collect();
        let chosen = pods_to_delete(&pods, &pods, pods.len() - 1, 1000 * time::SECOND);
        chosen.iter().map(|pod| pod.metadata.name.clone().unwrap_or_default()).collect()
    }

    #[test]
    fn what_does_the_least_work_goes_first() {
        assert_eq!(
            chosen(vec![
                pod("kept").ready(0),
                pod("restarted").ready(0).restarts(3),
                pod("young").ready(999 * time::SECOND),
                pod("cheap").ready(0).cost(-5),
                pod("not-ready"),
                pod("pending").phase("Pending"),
                pod("unassigned").node("").phase("Pending"),
            ]),
            ["unassigned", "pending", "not-ready", "cheap", "young", "restarted"]
        );
    }

    #[test]
    fn crowded_nodes_are_thinned_first() {
        assert_eq!(
            chosen(vec![pod("alone").node("b").ready(0), pod("twin-1").ready(0), pod("twin-2").ready(0)]),
            ["twin-1", "twin-2"]
        );
    }
}
