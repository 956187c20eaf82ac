//! After an attempt that has found no node: preemption, the Pod's condition and event, and back to the queue.

use api::types::Pod;
use api::{Patch, PatchKind, Request, Subresource, Verb, meta, time};
use client::{Client, EventType};
use serde_json::{Value, json};

use crate::algorithm::Diagnosis;
use crate::cache::PodInfo;
use crate::framework::{CycleState, Handle};
use crate::plugins::default_preemption::{Candidate, PREEMPTION_BY_SCHEDULER, post_filter};
use crate::plugins::dynamic_resources;
use crate::queue::QueuedPod;
use crate::schedule_one::{Failure, Unfit};
use crate::scheduler::Scheduler;

/// Longer texts do not fit into an event.
const MESSAGE_LENGTH_MAX: usize = 1024;

/// What becomes of `status.nominatedNodeName`.
enum Nomination {
    Keep,
    Clear,
    Set(String),
}

impl Scheduler {
    pub(crate) fn handle_failure(&mut self, client: &mut Client, mut queued: QueuedPod, failure: Failure) {
        let (reason, message, diagnosis, nomination) = match failure {
            Failure::NoNodes => {
                let message = "no nodes available to schedule pods".to_owned();
                ("Unschedulable", message, Diagnosis::default(), Nomination::Keep)
            }
            Failure::Unfit(unfit) => {
                let Unfit { state, diagnosis } = *unfit;
                queued.unschedulable_plugins = diagnosis.plugins;
                let (message, nomination) = self.run_post_filter(client, &queued.info, &state, &diagnosis);
                ("Unschedulable", message, diagnosis, nomination)
            }
            Failure::Error(message) => {
                queued.unschedulable_plugins = Default::default();
                ("SchedulerError", message, Diagnosis::default(), Nomination::Clear)
            }
        };
        client.note("failed", message.clone());
        let mut decision = self.empty_decision(client, &queued, &diagnosis);
        decision.message.clone_from(&message);
        self.decisions.add(decision, self.config.decisions_kept);

        let info = queued.info.clone();
        self.queue.add_failed(queued, client.now());
        match &nomination {
            Nomination::Keep => {}
            Nomination::Clear => drop(self.nominator.remove(&info.uid)),
            Nomination::Set(node) => self.nominator.add(info.clone(), node),
        }
        let text = truncated(&message);
        self.recorder.event(client, &*info.pod, EventType::Warning, "FailedScheduling", text);
        self.patch_condition(client, &info, reason, &message, nomination);
    }

    /// The whole message, and the node that preemption has found.
    fn run_post_filter(
        &mut self,
        client: &mut Client,
        pod: &PodInfo,
        state: &CycleState,
        diagnosis: &Diagnosis,
    ) -> (String, Nomination) {
        let message = diagnosis.message(self.cache.order().len());
        let claims = dynamic_resources::post_filter(state);
        if !claims.is_rejected() {
            return (format!("{message} {}", claims.message()), Nomination::Keep);
        }
        let handle = Handle { cache: &self.cache, listers: &self.listers };
        let random = client.random();
        match post_filter(handle, state, pod, diagnosis, &self.nominator.by_node, random) {
            Ok(candidate) => {
                let node = handle.cache.node(candidate.slot).name.to_string();
                self.evict(client, pod, &node, candidate);
                (message, Nomination::Set(node))
            }
            Err(status) => (format!("{message} {}, {}", claims.message(), status.message()), Nomination::Clear),
        }
    }

    fn evict(&mut self, client: &mut Client, pod: &PodInfo, node: &str, candidate: Candidate) {
        for victim in &candidate.victims {
            let (namespace, name) = meta::split_key(&victim.key);
            if !victim.is_terminating() {
                let condition = json!({
                    "type": "DisruptionTarget",
                    "status": "True",
                    "observedGeneration": victim.pod.metadata.generation,
                    "reason": PREEMPTION_BY_SCHEDULER,
                    "message": format!("{}: preempting to accommodate a higher priority pod", self.config.scheduler_name),
                    "lastTransitionTime": time::stamp(client.now()),
                });
                patch_status(client, victim, json!({ "conditions": [condition] }));
                // The victim may be gone already, which is as good.
                let _ = client.call_detached(Request::new::<Pod>(Verb::Delete, namespace, name));
            }
            let text = format!("Preempted by pod {} on node {node}", pod.uid);
            self.recorder.event(client, &*victim.pod, EventType::Normal, "Preempted", text);
        }
        for lower in self.nominator.lower_on(node, pod.priority) {
            self.nominator.remove(&lower.uid);
            self.patch_nominated_node(client, &lower, None);
        }
    }

    pub(crate) fn patch_nominated_node(&mut self, client: &mut Client, pod: &PodInfo, node: Option<&str>) {
        if pod.nominated_node() != node {
            patch_status(client, pod, json!({ "nominatedNodeName": node }));
        }
    }

    /// Writes the PodScheduled condition, unless it says the same already.
    fn patch_condition(
        &mut self,
        client: &mut Client,
        pod: &PodInfo,
        reason: &str,
        message: &str,
        nomination: Nomination,
    ) {
        let old = pod.pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
        let old = old.into_iter().find(|condition| condition.type_ == "PodScheduled");
        let same = old.is_some_and(|old| {
            old.status == "False" && old.reason.as_deref() == Some(reason) && old.message.as_deref() == Some(message)
        });
        let node = match nomination {
            Nomination::Keep => pod.nominated_node().map(str::to_owned),
            Nomination::Clear => None,
            Nomination::Set(node) => Some(node),
        };
        let renominated = node.as_deref() != pod.nominated_node();
        if same && !renominated {
            return;
        }
        let mut status = json!({});
        if !same {
            let since = old.filter(|old| old.status == "False").and_then(|old| old.last_transition_time.clone());
            status["conditions"] = json!([{
                "type": "PodScheduled",
                "status": "False",
                "observedGeneration": pod.pod.metadata.generation,
                "reason": reason,
                "message": message,
                "lastProbeTime": null,
                "lastTransitionTime": since.unwrap_or_else(|| time::stamp(client.now())),
            }]);
        }
        if renominated {
            status["nominatedNodeName"] = json!(node);
        }
        patch_status(client, pod, status);
    }
}

/// A background write: a Pod that is gone needs no status, and the next attempt writes it again.
fn patch_status(client: &mut Client, pod: &PodInfo, status: Value) {
    let (namespace, name) = meta::split_key(&pod.key);
    let patch = Patch { kind: PatchKind::StrategicMerge, value: json!({ "status": status }) };
    let request = Request::new::<Pod>(Verb::Patch, namespace, name).on(Subresource::Status).body(patch);
    let _ = client.call_detached(request);
}

/// At most as much as an event holds.
fn truncated(message: &str) -> String {
    if message.len() <= MESSAGE_LENGTH_MAX {
        return message.to_owned();
    }
    const SUFFIX: &str = " ...";
    let mut end = MESSAGE_LENGTH_MAX - SUFFIX.len();
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{SUFFIX}", &message[..end])
}
