//! Stopping containers and ending Pods, in Kubernetes' order: preStop hook, SIGTERM, grace period, SIGKILL, sandbox, final
//! status, volumes, and last the deletion from the API.

use api::time::SECOND;
use api::types::Pod;
use api::{Request, SimTime, Verb, meta};
use client::{Client, EventType};

use crate::container::{ContainerKind, Kill, KillStage};
use crate::host::{Host, Timer};
use crate::lifecycle::{self, HookState};
use crate::pod_worker::{Next, PodWorker, Stage, Task};
use crate::prober::ProbeKind;
use crate::{container_start::StartTask, timing};

impl PodWorker {
    /// Begins to stop a container. `probe` is the one that it failed, if that is why.
    pub fn kill_container(
        &mut self,
        host: &mut Host,
        client: &mut Client,
        number: usize,
        message: String,
        probe: Option<ProbeKind>,
    ) {
        if !self.containers[number].is_running() || self.containers[number].kill.is_some() {
            return;
        }
        let now = client.now();
        self.container_event(host, client, number, EventType::Normal, "Killing", message);
        let pod = self.pod.clone();
        let record = &self.containers[number];
        let Some(container) = record.spec(&pod) else { return };
        let mut grace = self.grace_period();
        if let Some(kind) = probe
            && let Some(seconds) = kind.of(container).and_then(|probe| probe.termination_grace_period_seconds)
        {
            grace = seconds.max(1) as u64 * SECOND;
        }
        let handler = container.lifecycle.as_ref().and_then(|hooks| hooks.pre_stop.as_ref());
        let id = record.current.as_ref().map(|instance| instance.id);
        let stage = match (handler, id, &self.sandbox) {
            (Some(handler), Some(id), Some(sandbox)) if grace > 0 => {
                KillStage::Hook(lifecycle::begin(host, now, self.id, sandbox, id, container, handler))
            }
            _ => KillStage::Waiting,
        };
        self.containers[number].kill = Some(Kill { began: now, grace, stage });
    }

    /// The deletion's grace period, or the specification's.
    fn grace_period(&self) -> SimTime {
        let deletion = self.pod.metadata.deletion_grace_period_seconds;
        let seconds = deletion.or_else(|| self.spec()?.termination_grace_period_seconds).unwrap_or(30);
        seconds.max(1) as u64 * SECOND
    }

    /// Goes on with every container that is being stopped. Whether all have ended.
    fn step_kills(&mut self, host: &mut Host, client: &mut Client) -> bool {
        let now = client.now();
        for number in 0..self.containers.len() {
            self.step_kill(host, client, number, now);
        }
        // One that has just ended may be what a sidecar waited for.
        for number in (0..self.containers.len()).rev() {
            self.step_kill(host, client, number, now);
        }
        self.containers.iter().all(|record| record.kill.is_none())
    }

    fn step_kill(&mut self, host: &mut Host, client: &mut Client, number: usize, now: SimTime) {
        if self.containers[number].kill.is_none() {
            return;
        }
        self.observe_exit(host, number);
        if !self.containers[number].is_running() {
            self.containers[number].kill = None;
            return;
        }
        let Some(mut kill) = self.containers[number].kill.take() else { return };
        let deadline = kill.began + kill.grace;
        if let KillStage::Hook(hook) = &kill.stage {
            match hook.state(host, now) {
                HookState::Running(wake) if now < deadline => {
                    host.timers.set_earlier(Timer::Work(self.id), wake.unwrap_or(deadline).min(deadline));
                }
                HookState::Done(Err(text)) => {
                    client.note("preStop hook", text);
                    let message = "PreStopHook failed".to_owned();
                    self.container_event(host, client, number, EventType::Warning, "FailedPreStopHook", message);
                    kill.stage = KillStage::Waiting;
                }
                HookState::Running(_) | HookState::Done(Ok(())) => kill.stage = KillStage::Waiting,
            }
        }
        if matches!(kill.stage, KillStage::Waiting) && (now >= deadline || self.is_turn(number)) {
            let left = deadline.saturating_sub(now).max(timing::GRACE_AFTER_HOOK);
            self.signal(host, number, now, left);
            kill.stage = KillStage::Stopping;
        } else if matches!(kill.stage, KillStage::Waiting) {
            // A sidecar is stopped when its time is over, whether the others have ended or not.
            host.timers.set_earlier(Timer::Work(self.id), deadline);
        }
        self.containers[number].kill = Some(kill);
    }

    fn signal(&mut self, host: &mut Host, number: usize, now: SimTime, grace: SimTime) {
        let Some(instance) = &self.containers[number].current else { return };
        host.killing.insert(instance.id);
        if host.runtime.stop_container(now, instance.id, grace).is_err() {
            host.killing.remove(&instance.id);
            host.timers.set_earlier(Timer::Work(self.id), now);
        }
        host.collect(now);
    }

    /// Sidecars end after the other containers, in reverse order of their start.
    fn is_turn(&self, number: usize) -> bool {
        if self.stage != Stage::Terminating || self.containers[number].kind != ContainerKind::Sidecar {
            return true;
        }
        !self.containers[number + 1..].iter().any(|record| record.is_running())
    }

    pub fn wait_for_kills(&mut self, host: &mut Host, client: &mut Client, start: Vec<usize>) -> Next {
        if !self.step_kills(host, client) {
            return Next::Wait(Task::Kill { start });
        }
        if self.stage == Stage::Sync {
            // What keeps the Pod from going on is looked at again before anything is started.
            return if self.is_ending() {
                self.wanted = true;
                Next::Now(Task::Idle)
            } else {
                Next::Now(Task::Start(StartTask::new(start)))
            };
        }
        let now = client.now();
        let Some(sandbox) = &self.sandbox else { return self.terminated(host, client) };
        // A sandbox that the runtime has lost is stopped.
        let _stopped = host.runtime.stop_sandbox(now, sandbox.id);
        host.collect(now);
        let until = now + timing::STOP_SANDBOX;
        host.timers.set_earlier(Timer::Work(self.id), until);
        Next::Wait(Task::StopSandbox { until })
    }

    /// `SyncTerminatingPod`
    pub fn begin_terminating(&mut self, host: &mut Host, client: &mut Client) -> Next {
        let now = client.now();
        self.cause = client.begin("terminate pod", "Pod", &self.key, self.cause);
        self.kill_began.get_or_insert(now);
        host.timers.cancel(Timer::Queue(self.id));
        host.timers.cancel(Timer::Refresh(self.id));
        host.images.forget(self.id);
        if self.containers.iter().any(|record| record.is_running()) {
            let status = self.generate_status(host, now, false);
            self.set_status(host, client, status);
        }
        for number in 0..self.containers.len() {
            self.remove_probes(host, number, &[ProbeKind::Liveness, ProbeKind::Startup]);
            let message = format!("Stopping container {}", self.containers[number].name);
            self.kill_container(host, client, number, message, None);
        }
        Next::Now(Task::Kill { start: Vec::new() })
    }

    /// A deletion with a shorter grace period than the one under way.
    pub fn shorten_grace(&mut self, host: &mut Host, now: SimTime) {
        let grace = self.grace_period();
        for number in 0..self.containers.len() {
            let Some(kill) = &mut self.containers[number].kill else { continue };
            if grace >= kill.grace {
                continue;
            }
            kill.grace = grace;
            let left = (kill.began + grace).saturating_sub(now).max(timing::GRACE_AFTER_HOOK);
            if matches!(kill.stage, KillStage::Stopping) {
                self.signal(host, number, now, left);
            } else {
                host.timers.set_earlier(Timer::Work(self.id), now);
            }
        }
    }

    pub fn wait_for_stopped_sandbox(&mut self, host: &mut Host, client: &mut Client, until: SimTime) -> Next {
        if client.now() < until {
            host.timers.set_earlier(Timer::Work(self.id), until);
            return Next::Wait(Task::StopSandbox { until });
        }
        if let Some(sandbox) = &mut self.sandbox {
            sandbox.ready = false;
            host.release_ip(&sandbox.ip);
        }
        self.terminated(host, client)
    }

    /// No container runs any more.
    fn terminated(&mut self, host: &mut Host, client: &mut Client) -> Next {
        self.stage = Stage::Terminated;
        self.wanted = false;
        for number in 0..self.containers.len() {
            self.observe_exit(host, number);
            self.remove_probes(host, number, &ProbeKind::ALL);
        }
        self.begin_terminated(host, client)
    }

    /// `SyncTerminatedPod`
    pub fn begin_terminated(&mut self, host: &mut Host, client: &mut Client) -> Next {
        let now = client.now();
        let status = self.generate_status(host, now, true);
        self.set_status(host, client, status);
        let until = if self.volumes.is_empty() { now } else { now + timing::VOLUME_POLL };
        host.timers.set_earlier(Timer::Work(self.id), until);
        Next::Now(Task::Unmount { until })
    }

    pub fn wait_for_unmount(&mut self, host: &mut Host, client: &mut Client, until: SimTime) -> Next {
        if client.now() < until {
            host.timers.set_earlier(Timer::Work(self.id), until);
            return Next::Wait(Task::Unmount { until });
        }
        self.unmount_volumes(host);
        self.stage = Stage::Finished;
        self.finish(host, client);
        Next::Now(Task::Idle)
    }

    /// Nothing of the Pod is left on the node but dead containers: the API may forget a deleted one.
    pub fn finish(&mut self, _host: &mut Host, client: &mut Client) {
        if self.removed || !meta::is_being_deleted(&self.pod.metadata) {
            return;
        }
        self.cause = client.begin("delete pod", "Pod", &self.key, self.cause);
        let name = self.pod.metadata.name.clone().unwrap_or_default();
        let mut request = Request::new::<Pod>(Verb::Delete, self.namespace(), &name);
        request.options.grace_period = Some(0);
        request.options.precondition_uid = self.pod.metadata.uid.clone();
        if let Err(status) = client.call_detached(request)
            && !status.is_not_found()
        {
            client.note("delete pod", status.message);
        }
    }
}
