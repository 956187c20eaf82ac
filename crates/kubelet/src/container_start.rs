//! Starting containers one after the other: back-off, image, configuration, create, start, postStart hook.

use std::collections::VecDeque;

use api::SimTime;
use api::quantity::Amount;
use api::types::Container;
use client::{Client, EventType};
use runtime::{ContainerConfig, ContainerStatus};

use crate::container::{ContainerKind, Exit, Instance};
use crate::host::{Host, Timer};
use crate::image_manager::{Decision, Pulled};
use crate::lifecycle::{self, Hook, HookState};
use crate::pod_worker::{Next, PodWorker, Task};
use crate::{annotations, format, timing};

#[derive(Clone)]
pub struct StartTask {
    plan: VecDeque<usize>,
    stage: StartStage,
}

/// What the first container of the plan waits for.
#[derive(Clone)]
enum StartStage {
    Begin,
    Pull,
    Create { at: SimTime },
    Start { at: SimTime },
    PostStart(Hook),
}

/// Reason and message of a container that could not be started.
type Failure = (&'static str, String);

impl StartTask {
    pub fn new(plan: Vec<usize>) -> StartTask {
        StartTask { plan: plan.into(), stage: StartStage::Begin }
    }

    fn at(self, stage: StartStage) -> Task {
        Task::Start(StartTask { stage, ..self })
    }
}

impl PodWorker {
    pub fn start_containers(&mut self, host: &mut Host, client: &mut Client, task: StartTask) -> Next {
        let Some(&number) = task.plan.front() else { return self.finish_sync(host, client) };
        let now = client.now();
        match &task.stage {
            StartStage::Begin => self.begin_start(host, client, number, task),
            StartStage::Pull => match self.containers[number].pulled.take() {
                None => Next::Wait(Task::Start(task)),
                Some(Ok(())) => self.wait_to_create(host, now, task),
                Some(Err(message)) => {
                    self.fail_start(host, client, number, task, ("ErrImagePull", message), "ErrImagePull")
                }
            },
            StartStage::Create { at } | StartStage::Start { at } if now < *at => {
                host.timers.set_earlier(Timer::Work(self.id), *at);
                Next::Wait(Task::Start(task))
            }
            StartStage::Create { .. } => match self.create_container(host, client, number) {
                Ok(()) => {
                    self.container_event(
                        host,
                        client,
                        number,
                        EventType::Normal,
                        "Created",
                        "Container created".into(),
                    );
                    let at = now + timing::START_CONTAINER;
                    host.timers.set_earlier(Timer::Work(self.id), at);
                    Next::Wait(task.at(StartStage::Start { at }))
                }
                Err(failure) => {
                    let text = failure.1.clone();
                    self.fail_start(host, client, number, task, failure, &text)
                }
            },
            StartStage::Start { .. } => self.start_created(host, client, number, task),
            StartStage::PostStart(hook) => match hook.state(host, now) {
                HookState::Running(wake) => {
                    if let Some(at) = wake {
                        host.timers.set_earlier(Timer::Work(self.id), at);
                    }
                    Next::Wait(Task::Start(task))
                }
                HookState::Done(Ok(())) => self.started(task),
                HookState::Done(Err(text)) => {
                    let message = "PostStartHook failed".to_owned();
                    self.container_event(host, client, number, EventType::Warning, "FailedPostStartHook", message);
                    self.kill_container(host, client, number, "FailedPostStartHook".into(), None);
                    self.note_failure(number, ("PostStartHookError", text));
                    let start = task.plan.into_iter().skip(1).collect();
                    Next::Now(Task::Kill { start })
                }
            },
        }
    }

    fn begin_start(&mut self, host: &mut Host, client: &mut Client, number: usize, task: StartTask) -> Next {
        let now = client.now();
        let pod = self.pod.clone();
        let Some(container) = self.containers[number].spec(&pod) else { return self.skip(host, client, task) };
        let record = &mut self.containers[number];
        if let Some(exit) = record.exit() {
            let ended = exit.finished_at;
            if record.backoff.is_waiting(ended, now) {
                return self.back_off(host, client, number, ended, task);
            }
            record.backoff.next(ended, now);
        }
        let image = container.image.clone().unwrap_or_default();
        match host.images.decide(now, &host.runtime, self.id, container) {
            Decision::Present => {
                let message =
                    format!("Container image {image:?} already present on machine and can be accessed by the pod");
                self.container_event(host, client, number, EventType::Normal, "Pulled", message);
                self.wait_to_create(host, now, task)
            }
            Decision::Pull => {
                self.container_event(
                    host,
                    client,
                    number,
                    EventType::Normal,
                    "Pulling",
                    format!("Pulling image {image:?}"),
                );
                // Without a pull the next status, within a second, says it as well.
                self.report_sandbox_ready(host, client);
                self.containers[number].pulled = None;
                self.containers[number].pulling = true;
                host.images.pull(now, &mut host.runtime, &mut host.timers, self.id, &image);
                Next::Wait(task.at(StartStage::Pull))
            }
            Decision::Refuse { reason, message, event: (event, text) } => {
                let kind = if event == "BackOff" { EventType::Normal } else { EventType::Warning };
                self.container_event(host, client, number, kind, event, text);
                self.fail_start(host, client, number, task, (reason, message), reason)
            }
        }
    }

    fn back_off(
        &mut self,
        host: &mut Host,
        client: &mut Client,
        number: usize,
        ended: SimTime,
        task: StartTask,
    ) -> Next {
        let record = &self.containers[number];
        let (name, backoff, pod) = (record.name.clone(), record.backoff, format::pod(&self.pod));
        let message = format!("Back-off restarting failed container {name} in pod {pod}");
        self.container_event(host, client, number, EventType::Warning, "BackOff", message);
        let delay = format::duration(backoff.delay());
        let message = format!("back-off {delay} restarting failed container={name} pod={pod}");
        client.note("back-off", message.clone());
        self.note_failure(number, ("CrashLoopBackOff", message));
        // Since 1.35 upstream shows this only when the delay is over, just before the restart. Readers of a simulation
        // look for the name that every manual uses, so it is shown while it lasts.
        let status = self.generate_status(host, client.now(), false);
        self.set_status(host, client, status);
        let until = backoff.until(ended);
        self.errors.backoff_until = Some(self.errors.backoff_until.map_or(until, |earlier| earlier.min(until)));
        self.after_failure(host, client, number, task)
    }

    fn wait_to_create(&mut self, host: &mut Host, now: SimTime, task: StartTask) -> Next {
        let at = now + timing::CREATE_CONTAINER;
        host.timers.set_earlier(Timer::Work(self.id), at);
        Next::Wait(task.at(StartStage::Create { at }))
    }

    /// Something kept the container from starting: an event `Failed` about it, and on to the next one.
    fn fail_start(
        &mut self,
        host: &mut Host,
        client: &mut Client,
        number: usize,
        task: StartTask,
        failure: Failure,
        event: &str,
    ) -> Next {
        self.container_event(host, client, number, EventType::Warning, "Failed", format!("Error: {event}"));
        client
            .note("container", format!("{} did not start: {}: {}", self.containers[number].name, failure.0, failure.1));
        self.note_failure(number, failure);
        self.after_failure(host, client, number, task)
    }

    fn note_failure(&mut self, number: usize, failure: Failure) {
        self.containers[number].failure = Some(failure);
        self.errors.failed = true;
    }

    /// An init container that does not start keeps the others from starting; others do not.
    fn after_failure(&mut self, host: &mut Host, client: &mut Client, number: usize, task: StartTask) -> Next {
        let now = client.now();
        // The PLEG reports a new sandbox while its first container is being started, so that a sync which shows the
        // failure follows at once. Later failures are shown when the Pod is synced next.
        if let Some(sandbox) = self.sandbox.as_mut().filter(|sandbox| !sandbox.noticed) {
            sandbox.noticed = true;
            if now >= sandbox.created_at + timing::RELIST {
                self.wanted = true;
            } else {
                host.mark_changed(self.id, now);
            }
        }
        if self.containers[number].kind == ContainerKind::Init {
            return self.finish_sync(host, client);
        }
        self.skip(host, client, task)
    }

    fn skip(&mut self, host: &mut Host, client: &mut Client, mut task: StartTask) -> Next {
        task.plan.pop_front();
        if task.plan.is_empty() { self.finish_sync(host, client) } else { Next::Now(task.at(StartStage::Begin)) }
    }

    /// A pull that this Pod asked for has ended.
    pub fn pull_ended(&mut self, host: &mut Host, client: &mut Client, pulled: &Pulled) {
        let Task::Start(task) = &self.task else { return };
        let Some(&number) = task.plan.front() else { return };
        let record = &mut self.containers[number];
        if !record.pulling || record.spec(&self.pod).and_then(|spec| spec.image.as_deref()) != Some(&pulled.image) {
            return;
        }
        record.pulling = false;
        record.pulled = Some(pulled.result.clone().map_err(|error| error.to_string()));
        self.cause = client.begin("pull image", "Pod", &self.key, self.cause);
        client.note("image", pulled.message());
        let (kind, reason) =
            if pulled.result.is_ok() { (EventType::Normal, "Pulled") } else { (EventType::Warning, "Failed") };
        if pulled.result.is_ok() {
            self.milestones.images_pulled = Some(client.now());
        }
        self.container_event(host, client, number, kind, reason, pulled.message());
        host.timers.set(Timer::Work(self.id), client.now());
    }

    fn create_container(&mut self, host: &mut Host, client: &mut Client, number: usize) -> Result<(), Failure> {
        let now = client.now();
        self.cause = client.begin("start container", "Pod", &self.key, self.cause);
        let pod = self.pod.clone();
        let missing = || ("CreateContainerError", "container is not in the Pod's specification".to_owned());
        let container = self.containers[number].spec(&pod).ok_or_else(missing)?;
        let config_error = |text: String| ("CreateContainerConfigError", text);
        let config = self.container_config(host, client, number, container).map_err(config_error)?;
        let sandbox = self.sandbox.as_ref().ok_or_else(missing)?;
        let (attempt, sandbox) = (sandbox.attempt, sandbox.id);
        let created = host.runtime.create_container(now, sandbox, config);
        let id = created.map_err(|error| ("CreateContainerError", error.to_string()))?;
        host.owners.insert(id, (self.id, number as u16));
        let status = host.runtime.container(id);
        let (image, image_id) = status.map(|status| (status.image, status.image_id)).unwrap_or_default();

        let record = &mut self.containers[number];
        if record.current.is_some() {
            record.restarts += 1;
        }
        // One dead container is kept for its log, as the kubelet's container garbage collection does.
        if let Some(oldest) = std::mem::replace(&mut record.previous, record.current.take()) {
            host.owners.remove(&oldest.id);
            // It may have gone with its sandbox.
            let _gone = host.runtime.remove_container(oldest.id);
        }
        record.current = Some(Instance { id, attempt, image, image_id, started_at: None, exit: None });
        record.probes.reset(&mut host.timers, self.id, number as u16);
        record.started = false;
        record.ready = false;
        Ok(())
    }

    fn container_config(
        &mut self,
        host: &mut Host,
        client: &mut Client,
        number: usize,
        container: &Container,
    ) -> Result<ContainerConfig, String> {
        let env = self.environment(host, client, container)?;
        let run_as_user = self.run_as_user(host, client.now(), container)?;
        let mounts = self.mounts_of(container, &env)?;
        let security = container.security_context.as_ref();
        let limit = |name: &str| {
            let limits = container.resources.as_ref()?.limits.as_ref()?;
            limits.get(name).map(Amount::of)
        };
        let expand = |texts: &Option<Vec<String>>| {
            texts.iter().flatten().map(|text| crate::environment::expand(text, &env)).collect::<Vec<_>>()
        };
        Ok(ContainerConfig {
            name: container.name.clone(),
            attempt: self.containers[number].restarts as u32,
            image: container.image.clone().unwrap_or_default(),
            command: expand(&container.command),
            args: expand(&container.args),
            working_dir: container.working_dir.clone().filter(|dir| !dir.is_empty()),
            mounts,
            ports: container
                .ports
                .iter()
                .flatten()
                .filter_map(|port| u16::try_from(port.container_port).ok())
                .collect(),
            run_as_user,
            read_only_root: security.is_some_and(|security| security.read_only_root_filesystem == Some(true)),
            cpu_limit_milli: limit("cpu").map(|amount| amount.millis().max(0) as u64),
            memory_limit_bytes: limit("memory").map(|amount| amount.units().max(0) as u64),
            tty: container.tty == Some(true),
            stdin: container.stdin == Some(true),
            settings: annotations::settings(&self.pod.metadata, &container.name),
            env,
        })
    }

    /// `runAsUser`, checked against `runAsNonRoot`.
    fn run_as_user(&self, host: &Host, now: SimTime, container: &Container) -> Result<Option<u32>, String> {
        let own = container.security_context.as_ref();
        let pods = self.spec().and_then(|spec| spec.security_context.as_ref());
        let user = own.and_then(|own| own.run_as_user).or_else(|| pods.and_then(|pods| pods.run_as_user));
        let user = user.and_then(|user| u32::try_from(user).ok());
        let non_root = own.and_then(|own| own.run_as_non_root).or_else(|| pods.and_then(|pods| pods.run_as_non_root));
        if non_root != Some(true) {
            return Ok(user);
        }
        let place = format!("(pod: {:?}, container: {})", format::pod(&self.pod), container.name);
        if user == Some(0) {
            return Err(format!("container's runAsUser breaks non-root policy {place}"));
        }
        if user.is_some() {
            return Ok(user);
        }
        let image = host.runtime.image_status(now, container.image.as_deref().unwrap_or_default());
        match image {
            Some(image) if image.uid == Some(0) => {
                Err(format!("container has runAsNonRoot and image will run as root {place}"))
            }
            Some(image) if image.uid.is_none() && !image.user_name.is_empty() => Err(format!(
                "container has runAsNonRoot and image has non-numeric user ({}), cannot verify user is non-root {place}",
                image.user_name
            )),
            _ => Ok(user),
        }
    }

    fn start_created(&mut self, host: &mut Host, client: &mut Client, number: usize, task: StartTask) -> Next {
        let now = client.now();
        let Some(id) = self.containers[number].current.as_ref().map(|instance| instance.id) else {
            return self.skip(host, client, task);
        };
        let result = host.runtime.start_container(now, id);
        host.mark_changed(self.id, now);
        host.collect(now);
        if let Err(error) = result {
            self.observe_exit(host, number);
            let text = error.to_string();
            return self.fail_start(host, client, number, task, ("RunContainerError", text.clone()), &text);
        }
        let record = &mut self.containers[number];
        record.failure = None;
        if let Some(instance) = &mut record.current {
            instance.started_at = Some(now);
        }
        client.note("container", format!("started container {}", record.name));
        self.milestones.containers_started = Some(now);
        self.container_event(host, client, number, EventType::Normal, "Started", "Container started".into());
        let pod = self.pod.clone();
        let container = self.containers[number].spec(&pod);
        let hook = container.and_then(|spec| spec.lifecycle.as_ref()).and_then(|hooks| hooks.post_start.as_ref());
        let (Some(handler), Some(container), Some(sandbox)) = (hook, container, &self.sandbox) else {
            return self.started(task);
        };
        let hook = lifecycle::begin(host, now, self.id, sandbox, id, container, handler);
        Next::Now(task.at(StartStage::PostStart(hook)))
    }

    fn started(&mut self, mut task: StartTask) -> Next {
        task.plan.pop_front();
        Next::Now(task.at(StartStage::Begin))
    }

    /// Takes over from the runtime how the container ended, if it did.
    pub fn observe_exit(&mut self, host: &Host, number: usize) {
        let record = &mut self.containers[number];
        let Some(instance) = &mut record.current else { return };
        if instance.exit.is_some() {
            return;
        }
        let Some(status) = host.runtime.container(instance.id) else { return };
        let Some(finished_at) = status.finished_at else { return };
        let container = record.spec(&self.pod);
        let message = container.map(|spec| termination_message(host, &status, spec)).unwrap_or_default();
        let record = &mut self.containers[number];
        let Some(instance) = &mut record.current else { return };
        instance.exit = Some(Exit { code: status.exit_code, reason: status.reason, message, finished_at });
    }
}

/// `terminationMessagePath`, or the log's end when the container failed and asked for it.
fn termination_message(host: &Host, status: &ContainerStatus, container: &Container) -> String {
    const LIMIT: usize = 4096;
    if status.reason == "StartError" {
        return status.message.clone();
    }
    let path = container.termination_message_path.as_deref().unwrap_or("/dev/termination-log");
    let written = host.runtime.read_file(status.id, path).unwrap_or_default();
    let mut text = String::from_utf8_lossy(&written[..written.len().min(LIMIT)]).into_owned();
    let fallback = container.termination_message_policy.as_deref() == Some("FallbackToLogsOnError");
    if text.is_empty() && fallback && status.exit_code != 0 {
        let options = runtime::LogOptions { tail: Some(80), ..runtime::LogOptions::default() };
        let lines = host.runtime.logs(status.finished_at.unwrap_or_default(), status.id, &options);
        for line in lines {
            text.push_str(&line.text);
            text.push('\n');
        }
    }
    text
}
