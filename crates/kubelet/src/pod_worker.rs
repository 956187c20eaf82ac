//! One Pod's life on the node: upstream's `podWorkers` and `SyncPod`.
//!
//! Upstream gives each Pod a goroutine that syncs it, and waits inside. Here the worker remembers what it waits for as its
//! [`Task`]; timers and finished pulls, commands and containers wake it. A sync that is asked for meanwhile is done after.

use std::sync::Arc;

use api::request::CauseId;
use api::types::{ObjectReference, Pod, PodSpec, PodStatus};
use api::{SimTime, meta};
use client::{Client, EventType};
use runtime::{DnsConfig, SandboxConfig, SandboxId};

use crate::admission::Rejection;
use crate::container::{ContainerRecord, Exit};
use crate::container_start::StartTask;
use crate::host::{Host, PodId, Timer};
use crate::volume_manager::{PodVolumes, VolumesReady};
use crate::{Milestones, pod_actions, timing};

/// How far the Pod is. It only moves on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It is to run: upstream's `SyncPod`.
    Sync,
    /// Its containers are being stopped: `SyncTerminatingPod`.
    Terminating,
    /// None runs any more: `SyncTerminatedPod`.
    Terminated,
    /// Nothing is left to do but to forget it when the API does.
    Finished,
}

/// What the worker is in the middle of.
#[derive(Clone)]
pub enum Task {
    Idle,
    Volumes {
        deadline: SimTime,
    },
    Sandbox {
        id: SandboxId,
        ready_at: SimTime,
        start: Vec<usize>,
    },
    /// Containers are being stopped, then these are started.
    Kill {
        start: Vec<usize>,
    },
    Start(StartTask),
    StopSandbox {
        until: SimTime,
    },
    Unmount {
        until: SimTime,
    },
}

/// What follows a step of a task.
pub enum Next {
    Now(Task),
    /// A timer or an event goes on with it.
    Wait(Task),
}

#[derive(Clone, Debug)]
pub struct Sandbox {
    pub id: SandboxId,
    pub attempt: u32,
    pub ip: String,
    pub ready: bool,
    pub created_at: SimTime,
    /// A sync has followed its creation.
    pub noticed: bool,
}

impl Sandbox {
    fn new(id: SandboxId, attempt: u32, ip: String, created_at: SimTime) -> Sandbox {
        Sandbox { id, attempt, ip, ready: true, created_at, noticed: false }
    }
}

/// What went wrong in a sync, for when to try again.
#[derive(Clone, Copy, Debug, Default)]
pub struct SyncErrors {
    pub failed: bool,
    pub network: bool,
    /// The earliest moment at which a container may be restarted.
    pub backoff_until: Option<SimTime>,
}

#[derive(Clone)]
pub struct PodWorker {
    pub id: PodId,
    pub key: String,
    /// As the API last told.
    pub pod: Arc<Pod>,
    /// What led to what the worker does now.
    pub cause: CauseId,
    pub stage: Stage,
    pub task: Task,
    /// A sync has been asked for.
    pub wanted: bool,
    /// The node's checks have been made.
    pub admitted: bool,
    /// The Pod is gone from the API.
    pub removed: bool,
    pub rejection: Option<Rejection>,
    pub sandbox: Option<Sandbox>,
    pub attempts: u32,
    pub containers: Vec<ContainerRecord>,
    pub volumes: PodVolumes,
    pub errors: SyncErrors,
    /// As the API has it since its status was last given.
    pub reported: Arc<Pod>,
    pub milestones: Milestones,
    pub kill_began: Option<SimTime>,
    /// Requests that its containers have taken.
    pub served: u64,
}

impl PodWorker {
    pub fn new(id: PodId, pod: Arc<Pod>, cause: CauseId, now: SimTime) -> PodWorker {
        let spec = pod.spec.as_ref();
        PodWorker {
            id,
            key: meta::key(&pod.metadata),
            cause,
            stage: Stage::Sync,
            task: Task::Idle,
            wanted: true,
            admitted: false,
            removed: false,
            rejection: None,
            sandbox: None,
            attempts: 0,
            containers: spec.map(ContainerRecord::all_of).unwrap_or_default(),
            volumes: PodVolumes::of(id, &pod),
            errors: SyncErrors::default(),
            reported: pod.clone(),
            milestones: Milestones { seen: Some(now), ..Milestones::default() },
            kill_began: None,
            served: 0,
            pod,
        }
    }

    pub fn spec(&self) -> Option<&PodSpec> {
        self.pod.spec.as_ref()
    }

    /// The status as last given to the API.
    pub fn status(&self) -> Option<&PodStatus> {
        self.reported.status.as_ref()
    }

    pub fn uid(&self) -> &str {
        self.pod.metadata.uid.as_deref().unwrap_or_default()
    }

    pub fn namespace(&self) -> &str {
        self.pod.metadata.namespace.as_deref().unwrap_or_default()
    }

    pub fn is_host_network(&self) -> bool {
        self.spec().is_some_and(|spec| spec.host_network == Some(true))
    }

    /// Nothing may be started any more.
    pub fn is_ending(&self) -> bool {
        self.removed || self.rejection.is_some() || meta::is_being_deleted(&self.pod.metadata)
    }

    /// The API has another version of the Pod.
    pub fn observe(&mut self, host: &mut Host, now: SimTime, pod: Arc<Pod>, cause: CauseId) {
        if meta::revision(&pod.metadata) <= meta::revision(&self.pod.metadata) {
            return;
        }
        let old = std::mem::replace(&mut self.pod, pod);
        let (old, new) = (&old.metadata, &self.pod.metadata);
        let labels = old.labels != new.labels || old.annotations != new.annotations;
        let deletion = old.deletion_timestamp != new.deletion_timestamp
            || old.deletion_grace_period_seconds != new.deletion_grace_period_seconds;
        let gated = self.spec().is_some_and(|spec| spec.readiness_gates.iter().flatten().next().is_some());
        if !(labels || deletion || gated || old.generation != new.generation) {
            return;
        }
        self.cause = cause;
        if labels && self.volumes.mirrors_objects() {
            host.timers.set(Timer::Refresh(self.id), now);
        }
        if deletion && self.stage == Stage::Terminating {
            self.shorten_grace(host, now);
        } else {
            self.ask(host, now);
        }
    }

    /// A probe's verdict has changed.
    pub fn probe_changed(&mut self, host: &mut Host, client: &mut Client) {
        if self.stage == Stage::Sync {
            self.ask(host, client.now());
        } else if self.stage == Stage::Terminating {
            let status = self.generate_status(host, client.now(), false);
            self.set_status(host, client, status);
        }
    }

    /// Power fails: what ran has ended, with the exit code that containerd gives what it cannot ask any more.
    pub fn power_off(&mut self, host: &mut Host, now: SimTime) {
        const UNKNOWN: i32 = 255;
        for record in &mut self.containers {
            record.probes.reset(&mut host.timers, self.id, 0);
            (record.kill, record.pulled, record.pulling) = (None, None, false);
            let Some(instance) = record.current.as_mut().filter(|instance| instance.exit.is_none()) else { continue };
            let (reason, message) = ("Unknown".into(), String::new());
            instance.exit = Some(Exit { code: UNKNOWN, reason, message, finished_at: now });
        }
        if let Some(sandbox) = &mut self.sandbox {
            sandbox.ready = false;
            // The runtime may not know it any more.
            let _stopped = host.runtime.stop_sandbox(now, sandbox.id);
        }
        self.task = Task::Idle;
    }

    /// Removes what is left of the Pod on the node.
    pub fn clean_up(&mut self, host: &mut Host) {
        for timer in [Timer::Work(self.id), Timer::Queue(self.id), Timer::Refresh(self.id)] {
            host.timers.cancel(timer);
        }
        host.images.forget(self.id);
        host.changed.remove(&self.id);
        for record in &self.containers {
            for instance in [&record.current, &record.previous].into_iter().flatten() {
                host.owners.remove(&instance.id);
                host.killing.remove(&instance.id);
            }
        }
        if let Some(sandbox) = self.sandbox.take() {
            self.forget_sandbox(host, sandbox.id);
        }
    }

    /// Asks for a sync. One that has not begun yet takes this in; a deletion breaks off what a start waits for.
    pub fn ask(&mut self, host: &mut Host, now: SimTime) {
        self.wanted = true;
        if self.stage == Stage::Sync && self.is_ending() && !matches!(self.task, Task::Kill { .. }) {
            self.abort(host);
        }
        if matches!(self.task, Task::Idle) {
            host.timers.set_earlier(Timer::Work(self.id), now);
        }
    }

    /// Breaks off a sync: upstream cancels its context.
    fn abort(&mut self, host: &mut Host) {
        if let Task::Sandbox { id, .. } = self.task {
            // It has been asked for and comes into being all the same, without an address.
            self.sandbox = Some(Sandbox::new(id, self.attempts, String::new(), 0));
        }
        host.images.forget(self.id);
        for record in &mut self.containers {
            record.pulling = false;
        }
        self.task = Task::Idle;
        host.timers.cancel(Timer::Work(self.id));
    }

    /// Goes on as far as possible without waiting.
    pub fn work(&mut self, host: &mut Host, client: &mut Client) {
        loop {
            let next = match std::mem::replace(&mut self.task, Task::Idle) {
                Task::Idle if !self.wanted => return,
                Task::Idle => self.begin_sync(host, client),
                Task::Volumes { deadline } => self.wait_for_volumes(host, client, deadline),
                Task::Sandbox { id, ready_at, start } => self.wait_for_sandbox(host, client, id, ready_at, start),
                Task::Kill { start } => self.wait_for_kills(host, client, start),
                Task::Start(task) => self.start_containers(host, client, task),
                Task::StopSandbox { until } => self.wait_for_stopped_sandbox(host, client, until),
                Task::Unmount { until } => self.wait_for_unmount(host, client, until),
            };
            match next {
                Next::Now(task) => self.task = task,
                Next::Wait(task) => {
                    self.task = task;
                    return;
                }
            }
        }
    }

    fn begin_sync(&mut self, host: &mut Host, client: &mut Client) -> Next {
        self.wanted = false;
        if self.stage == Stage::Sync && self.is_ending() {
            self.stage = Stage::Terminating;
        }
        match self.stage {
            Stage::Sync => self.sync(host, client),
            Stage::Terminating => self.begin_terminating(host, client),
            Stage::Terminated => self.begin_terminated(host, client),
            Stage::Finished => {
                self.finish(host, client);
                Next::Now(Task::Idle)
            }
        }
    }

    /// `SyncPod`
    fn sync(&mut self, host: &mut Host, client: &mut Client) -> Next {
        self.errors = SyncErrors::default();
        self.cause = client.begin("sync pod", "Pod", &self.key, self.cause);
        host.timers.cancel(Timer::Queue(self.id));
        if let Some(sandbox) = &mut self.sandbox {
            sandbox.noticed = true;
        }
        let status = self.generate_status(host, client.now(), false);
        let is_over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
        if is_over {
            self.stage = Stage::Terminating;
            return self.begin_terminating(host, client);
        }
        self.set_status(host, client, status);
        self.trigger_readiness_probes(host, client.now());
        if let Some(problem) = host.network_problem(&self.pod) {
            self.event(host, client, EventType::Warning, "NetworkNotReady", problem.to_owned());
            self.errors.failed = true;
            self.errors.network = true;
            return self.finish_sync(host, client);
        }
        self.add_probes(client.now());
        let now = client.now();
        if self.volumes.is_ready() {
            return self.sync_containers(host, client);
        }
        host.timers.set(Timer::Work(self.id), now + timing::VOLUME_POLL);
        Next::Wait(Task::Volumes { deadline: now + timing::VOLUME_TIMEOUT })
    }

    fn wait_for_volumes(&mut self, host: &mut Host, client: &mut Client, deadline: SimTime) -> Next {
        match self.mount_volumes(host, client) {
            VolumesReady::Yes => {
                self.milestones.volumes_mounted.get_or_insert(client.now());
                self.sync_containers(host, client)
            }
            VolumesReady::Never(problem) => {
                let message = format!("Unable to attach or mount volumes: {problem}");
                self.event(host, client, EventType::Warning, "FailedMount", message);
                self.errors.failed = true;
                self.finish_sync(host, client)
            }
            VolumesReady::NotBefore(_) if client.now() >= deadline => {
                self.errors.failed = true;
                self.finish_sync(host, client)
            }
            VolumesReady::NotBefore(at) => {
                let now = client.now();
                let polls = at.saturating_sub(now).div_ceil(timing::VOLUME_POLL).max(1);
                host.timers.set(Timer::Work(self.id), (now + polls * timing::VOLUME_POLL).min(deadline));
                Next::Wait(Task::Volumes { deadline })
            }
        }
    }

    /// The runtime's part of a sync.
    pub fn sync_containers(&mut self, host: &mut Host, client: &mut Client) -> Next {
        let attempt = self.sandbox.as_ref().filter(|sandbox| sandbox.ready).map(|sandbox| sandbox.attempt);
        let actions = pod_actions::compute(&self.pod, &self.containers, attempt);
        if actions.kill_pod {
            // Its last container has ended: the next status says so and ends the Pod.
            return self.finish_sync(host, client);
        }
        if actions.create_sandbox {
            return self.create_sandbox(host, client, actions.start);
        }
        if actions.kill.is_empty() {
            return Next::Now(Task::Start(StartTask::new(actions.start)));
        }
        for (number, message, probe) in actions.kill {
            self.kill_container(host, client, number, message, probe);
        }
        Next::Now(Task::Kill { start: actions.start })
    }

    fn create_sandbox(&mut self, host: &mut Host, client: &mut Client, start: Vec<usize>) -> Next {
        let now = client.now();
        if let Some(old) = self.sandbox.take() {
            let message = "Pod sandbox changed, it will be killed and re-created.";
            self.event(host, client, EventType::Normal, "SandboxChanged", message.into());
            host.release_ip(&old.ip);
            self.forget_sandbox(host, old.id);
        }
        self.attempts += 1;
        let config = self.sandbox_config(host);
        let id = host.runtime.run_sandbox(now, config);
        let ready_at = now + timing::RUN_SANDBOX;
        host.timers.set(Timer::Work(self.id), ready_at);
        Next::Wait(Task::Sandbox { id, ready_at, start })
    }

    fn wait_for_sandbox(
        &mut self,
        host: &mut Host,
        client: &mut Client,
        id: SandboxId,
        ready_at: SimTime,
        start: Vec<usize>,
    ) -> Next {
        let now = client.now();
        if now < ready_at {
            host.timers.set_earlier(Timer::Work(self.id), ready_at);
            return Next::Wait(Task::Sandbox { id, ready_at, start });
        }
        self.cause = client.begin("sync pod", "Pod", &self.key, self.cause);
        let ip = if self.is_host_network() { Some(host.config.ip.clone()) } else { host.ipam.allocate() };
        let Some(ip) = ip else {
            let message = format!(
                "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \
                 \"{id}\": plugin type=\"bridge\" failed (add): failed to allocate for range 0: no IP addresses \
                 available in range set: {}",
                host.ipam.cidr()
            );
            self.event(host, client, EventType::Warning, "FailedCreatePodSandBox", message);
            self.forget_sandbox(host, id);
            self.errors.failed = true;
            return self.finish_sync(host, client);
        };
        if host.runtime.set_sandbox_ip(id, Some(ip.clone())).is_err() {
            self.errors.failed = true;
            return self.finish_sync(host, client);
        }
        client.note("sandbox", format!("sandbox is ready, address {ip}"));
        if !self.is_host_network() {
            host.ips.insert(ip.clone(), self.id);
        }
        self.sandbox = Some(Sandbox::new(id, self.attempts, ip, now));
        self.milestones.sandbox_ready = Some(now);
        Next::Now(Task::Start(StartTask::new(start)))
    }

    pub fn forget_sandbox(&mut self, host: &mut Host, id: SandboxId) {
        // The runtime may have lost it already; either way it is gone.
        let _gone = host.runtime.remove_sandbox(id);
        for record in &self.containers {
            for instance in [&record.current, &record.previous].into_iter().flatten() {
                if host.runtime.container(instance.id).is_none() {
                    host.owners.remove(&instance.id);
                }
            }
        }
    }

    fn sandbox_config(&self, host: &Host) -> SandboxConfig {
        let meta = &self.pod.metadata;
        let name = meta.name.clone().unwrap_or_default();
        let Some(spec) = self.spec() else { return SandboxConfig::default() };
        let mut hostname = spec.hostname.clone().filter(|hostname| !hostname.is_empty()).unwrap_or(name.clone());
        hostname.truncate(63);
        let hosts = spec
            .host_aliases
            .iter()
            .flatten()
            .map(|alias| (alias.ip.clone(), alias.hostnames.clone().unwrap_or_default()))
            .collect();
        SandboxConfig {
            namespace: self.namespace().into(),
            name,
            uid: self.uid().into(),
            attempt: self.attempts,
            hostname: if self.is_host_network() { host.config.name.clone() } else { hostname },
            ip: None,
            host_network: self.is_host_network(),
            dns: self.dns_config(host, spec),
            hosts,
        }
    }

    fn dns_config(&self, host: &Host, spec: &PodSpec) -> DnsConfig {
        let mut dns = match spec.dns_policy.as_deref().unwrap_or("ClusterFirst") {
            "None" => DnsConfig::default(),
            policy if policy == "ClusterFirstWithHostNet" || policy == "ClusterFirst" && !self.is_host_network() => {
                let domain = &host.config.cluster_domain;
                DnsConfig {
                    servers: vec![host.config.cluster_dns.clone()],
                    searches: vec![
                        format!("{}.svc.{domain}", self.namespace()),
                        format!("svc.{domain}"),
                        domain.clone(),
                    ],
                    options: vec!["ndots:5".into()],
                }
            }
            _ => DnsConfig { servers: vec![host.config.resolver.clone()], ..DnsConfig::default() },
        };
        if let Some(extra) = &spec.dns_config {
            dns.servers.extend(extra.nameservers.iter().flatten().cloned());
            dns.searches.extend(extra.searches.iter().flatten().cloned());
            for option in extra.options.iter().flatten() {
                let name = option.name.clone().unwrap_or_default();
                dns.options.push(option.value.as_ref().map_or(name.clone(), |value| format!("{name}:{value}")));
            }
        }
        dns
    }

    /// The end of a sync: plans the next one if something failed. What went well is not looked at again until something
    /// changes: upstream's resync every 60 to 90 s would find nothing.
    pub fn finish_sync(&mut self, host: &mut Host, client: &mut Client) -> Next {
        let now = client.now();
        if self.errors.failed {
            let delay = match self.errors.backoff_until {
                Some(until) => until.saturating_sub(now).min(timing::SYNC_FREQUENCY),
                None if self.errors.network => timing::NETWORK_BACKOFF,
                None => timing::SYNC_BACKOFF,
            };
            let at = now + host.jitter(delay);
            host.enqueue(self.id, at);
        }
        if self.volumes.mirrors_objects() {
            let delay = host.jitter(timing::SYNC_FREQUENCY);
            host.timers.set_earlier(Timer::Refresh(self.id), now + delay);
        }
        Next::Now(Task::Idle)
    }

    pub fn event(&self, host: &mut Host, client: &mut Client, kind: EventType, reason: &str, message: String) {
        host.recorder.event(client, &*self.pod, kind, reason, message);
    }

    /// An event about one container.
    pub fn container_event(
        &self,
        host: &mut Host,
        client: &mut Client,
        number: usize,
        kind: EventType,
        reason: &str,
        message: String,
    ) {
        let about = ObjectReference {
            field_path: Some(self.containers[number].field_path()),
            ..client::recorder::reference_to(&*self.pod)
        };
        host.recorder.event_about(client, about, kind, reason, message);
    }

    /// The address as peers see it.
    pub fn ip(&self) -> Option<&str> {
        self.sandbox.as_ref().map(|sandbox| sandbox.ip.as_str()).filter(|ip| !ip.is_empty())
    }
}
