//! Takes statuses to the API: only what changed, without making the worker wait.

use std::sync::Arc;

use api::types::{ObjectMeta, Pod, PodCondition, PodStatus};
use api::{Request, Response, SimTime, Subresource, Verb, object, time};
use client::Client;

use crate::host::Host;
use crate::pod_worker::PodWorker;

/// Conditions that the kubelet owns; others are kept as they are.
const OWNED: [&str; 5] = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

impl PodWorker {
    /// Sends the status if it differs from the last one.
    pub fn set_status(&mut self, _host: &mut Host, client: &mut Client, mut status: PodStatus) {
        let now = client.now();
        self.merge(&mut status, now);
        if Some(&status) == self.status() {
            return;
        }
        if is_true(&status, "Ready") && !self.status().is_some_and(|before| is_true(before, "Ready")) {
            self.milestones.ready = Some(now);
        }
        self.send_status(client, status);
    }

    /// Sandbox and address are there: upstream reports that before any container is started.
    pub fn report_sandbox_ready(&mut self, host: &mut Host, client: &mut Client) {
        let mut status = self.status().cloned().unwrap_or_default();
        for condition in status.conditions.iter_mut().flatten() {
            if condition.type_ == "PodReadyToStartContainers" {
                condition.status = "True".into();
            }
        }
        self.set_status(host, client, status);
    }

    /// Keeps others' conditions, and the times of those whose status stays.
    fn merge(&self, status: &mut PodStatus, now: SimTime) {
        let mut conditions: Vec<PodCondition> = self
            .pod
            .status
            .iter()
            .flat_map(|status| status.conditions.iter().flatten())
            .filter(|condition| !OWNED.contains(&condition.type_.as_str()))
            .cloned()
            .collect();
        let known = self.status().and_then(|before| before.conditions.as_deref()).unwrap_or_default();
        for mut condition in status.conditions.take().unwrap_or_default() {
            if !OWNED.contains(&condition.type_.as_str()) {
                continue;
            }
            let before = known.iter().find(|old| old.type_ == condition.type_ && old.status == condition.status);
            condition.last_transition_time = match before {
                Some(old) => old.last_transition_time.clone(),
                None => Some(time::stamp(now)),
            };
            conditions.push(condition);
        }
        status.conditions = Some(conditions);
    }

    /// As upstream, by a patch that holds the status alone, and the uid: another Pod of the name is not meant.
    fn send_status(&mut self, client: &mut Client, status: PodStatus) {
        let ObjectMeta { name, uid, .. } = &self.pod.metadata;
        let metadata = ObjectMeta { uid: uid.clone(), ..ObjectMeta::default() };
        let patch = Pod { metadata, spec: None, status: Some(status) };
        let name = name.as_deref().unwrap_or_default();
        let request = Request::new::<Pod>(Verb::Patch, self.namespace(), name).on(Subresource::Status).body(patch);
        match client.call_detached(request) {
            Ok(Response::Object(written)) => {
                if let Some(pod) = object::typed::<Pod>(&written) {
                    self.reported = pod.clone();
                    self.take(pod);
                }
            }
            Ok(_) => {}
            Err(refusal) if refusal.is_not_found() || refusal.is_conflict() => {}
            Err(refusal) => client.note("status", refusal.message),
        }
    }

    /// Takes a newer version of the Pod in.
    pub fn take(&mut self, pod: Arc<Pod>) {
        if pod.spec.is_some() && pod.metadata.uid == self.pod.metadata.uid {
            self.pod = pod;
        }
    }
}

pub fn is_true(status: &PodStatus, kind: &str) -> bool {
    status.conditions.iter().flatten().any(|condition| condition.type_ == kind && condition.status == "True")
}
