//! Takes statuses to the API: only what changed, without making the worker wait.

use std::sync::Arc;

use api::types::{Pod, PodCondition, PodStatus};
use api::{Request, Response, SimTime, Subresource, Verb, object, time};
use client::Client;

use crate::environment::get;
use crate::host::Host;
use crate::pod_worker::PodWorker;

/// Conditions that the kubelet owns; others are kept as they are.
const OWNED: [&str; 5] = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

impl PodWorker {
    /// Sends the status if it differs from the last one.
    pub fn set_status(&mut self, _host: &mut Host, client: &mut Client, mut status: PodStatus) {
        let now = client.now();
        self.merge(&mut status, now);
        if status == self.status {
            return;
        }
        let was_ready = is_true(&self.status, "Ready");
        self.status = status;
        if is_true(&self.status, "Ready") && !was_ready {
            self.milestones.ready = Some(now);
        }
        self.send_status(client);
    }

    /// Sandbox and address are there: upstream reports that before any container is started.
    pub fn report_sandbox_ready(&mut self, host: &mut Host, client: &mut Client) {
        let mut status = self.status.clone();
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
        let known = self.status.conditions.as_deref().unwrap_or_default();
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

    fn send_status(&mut self, client: &mut Client) {
        const ATTEMPTS: usize = 5;
        let name = self.pod.metadata.name.clone().unwrap_or_default();
        for _ in 0..ATTEMPTS {
            // The server keeps the specification that it has.
            let update = Pod { metadata: self.pod.metadata.clone(), spec: None, status: Some(self.status.clone()) };
            let request =
                Request::new::<Pod>(Verb::Update, self.namespace(), &name).on(Subresource::Status).body(update);
            match client.call_detached(request) {
                Ok(Response::Object(written)) => {
                    if let Some(pod) = object::typed::<Pod>(&written) {
                        self.take(pod);
                    }
                    return;
                }
                Ok(_) => return,
                Err(refusal) if refusal.is_conflict() => {
                    let Ok(latest) = get::<Pod>(client, self.namespace(), &name) else { return };
                    if latest.metadata.uid != self.pod.metadata.uid {
                        return;
                    }
                    self.pod = latest;
                }
                Err(refusal) if refusal.is_not_found() => return,
                Err(refusal) => {
                    client.note("status", refusal.message);
                    return;
                }
            }
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
