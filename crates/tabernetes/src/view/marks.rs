//! Marks on the timeline: what the user did, rollouts, trouble, traffic.

use std::collections::BTreeMap;

use api::time::SECOND;
use api::types::{Deployment, Pod};
use api::{SimTime, meta};
use protocol::view::{Mark, MarkKind};

use crate::cluster::Cluster;

#[derive(Default)]
pub(crate) struct Marks {
    new: Vec<Mark>,
    rollouts: BTreeMap<String, SimTime>,
    troubles: BTreeMap<String, (SimTime, String)>,
    sampled_second: u64,
}

impl Marks {
    pub fn action(&mut self, at: SimTime, label: &str) {
        self.new.push(Mark { at, kind: MarkKind::Action, label: label.into(), until: Some(at) });
    }

    pub fn planned(&mut self, at: SimTime, label: &str) {
        self.new.push(Mark { at, kind: MarkKind::Planned, label: label.into(), until: Some(at) });
    }

    /// A rollout lasts from the first status that is not complete until one that is.
    pub fn deployment(&mut self, deployment: &Deployment, gone: bool, now: SimTime) {
        let key = meta::key(&deployment.metadata);
        let status = deployment.status.as_ref();
        let desired = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        let updated = status.and_then(|status| status.updated_replicas).unwrap_or(0);
        let replicas = status.and_then(|status| status.replicas).unwrap_or(0);
        let available = status.and_then(|status| status.available_replicas).unwrap_or(0);
        let observed = status.and_then(|status| status.observed_generation) >= deployment.metadata.generation;
        let done = gone || (observed && updated == desired && replicas == desired && available == desired);
        let label = deployment.metadata.name.clone().unwrap_or_default();
        match (self.rollouts.get(&key).copied(), done) {
            (None, false) => {
                self.rollouts.insert(key, now);
                self.new.push(Mark { at: now, kind: MarkKind::Rollout, label, until: None });
            }
            (Some(at), true) => {
                self.rollouts.remove(&key);
                self.new.push(Mark { at, kind: MarkKind::Rollout, label, until: Some(now) });
            }
            _ => {}
        }
    }

    pub fn pod(&mut self, pod: &Pod, gone: bool, now: SimTime) {
        let key = meta::key(&pod.metadata);
        let trouble = if gone { None } else { trouble_of(pod) };
        match (self.troubles.get(&key).cloned(), trouble) {
            (None, Some(label)) => {
                self.new.push(Mark { at: now, kind: MarkKind::Trouble, label: label.clone(), until: None });
                self.troubles.insert(key, (now, label));
            }
            (Some((at, label)), None) => {
                self.troubles.remove(&key);
                self.new.push(Mark { at, kind: MarkKind::Trouble, label, until: Some(now) });
            }
            _ => {}
        }
    }

    /// One sample of the clients' rate a second.
    pub fn traffic(&mut self, cluster: &Cluster) {
        let second = cluster.now() / SECOND;
        if second == self.sampled_second {
            return;
        }
        self.sampled_second = second;
        let (rate, _) = cluster.traffic().clients.rates(cluster.now(), SECOND);
        let label = format!("{rate:.0}");
        self.new.push(Mark { at: cluster.now(), kind: MarkKind::Traffic, label, until: Some(cluster.now()) });
    }

    pub fn take(&mut self) -> Vec<Mark> {
        std::mem::take(&mut self.new)
    }
}

fn trouble_of(pod: &Pod) -> Option<String> {
    if pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let status = api::table::pod::summary(pod).status;
    let word = match status.as_str() {
        "CrashLoopBackOff" | "ImagePullBackOff" | "ErrImagePull" | "CreateContainerConfigError" | "Error" => {
            status.as_str()
        }
        "Pending" => {
            let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
            let refused = conditions
                .filter(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
                .any(|condition| condition.reason.as_deref() == Some("Unschedulable"));
            if !refused {
                return None;
            }
            "Pending"
        }
        _ => return None,
    };
    let verb = if word == "Pending" { "is Pending" } else { word };
    Some(format!("{name} {verb}"))
}
