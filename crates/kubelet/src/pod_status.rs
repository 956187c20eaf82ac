//! A Pod's status from what is known of its containers: upstream's `generateAPIPodStatus`.

use std::borrow::Cow;

use api::types::{
    Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus,
    HostIP, Pod, PodCondition, PodIP, PodStatus, ResourceRequirements, VolumeMountStatus,
};
use api::{SimTime, time};

use crate::container::{ContainerKind, ContainerRecord, Instance};
use crate::format;
use crate::host::Host;
use crate::pod_actions::{restart_policy, should_restart};
use crate::pod_worker::PodWorker;

impl PodWorker {
    /// The status at this moment. `terminated`: none of its containers runs or will run again.
    pub fn generate_status(&mut self, host: &Host, now: SimTime, terminated: bool) -> PodStatus {
        let pod = self.pod.clone();
        let policy = restart_policy(&pod);
        for record in &mut self.containers {
            record.started = record.is_running() && record.probes.has_started();
            record.ready = match record.kind {
                ContainerKind::Init => record.exit().is_some_and(|exit| exit.code == 0),
                _ => record.is_running() && record.started && record.probes.is_ready(),
            };
        }
        let initialized = is_initialized(&pod, &self.containers, self.sandbox.as_ref().map(|sandbox| sandbox.attempt));
        let inits = self.containers.iter().filter(|record| record.is_init()).count();
        let default = if inits > 0 { "PodInitializing" } else { "ContainerCreating" };
        let (mut init, mut regular) = (Vec::with_capacity(inits), Vec::with_capacity(self.containers.len() - inits));
        for record in &self.containers {
            let Some(container) = record.spec(&pod) else { continue };
            let restarts = !terminated && should_restart(record, container, policy) && !is_done(record);
            let mut status = container_status(record, container, default, restarts);
            // Nothing on a hollow node asks its containers whether they have started.
            status.started = status.started.filter(|_| !host.config.hollow);
            if record.is_init() { init.push(status) } else { regular.push(status) }
        }

        let phase = match &self.rejection {
            Some(_) => "Failed",
            None => phase(&pod, &self.containers, &init, &regular, initialized, terminated),
        };
        let before = self.status();
        let old = before.and_then(|before| before.phase.as_deref());
        let phase = if matches!(old, Some("Succeeded" | "Failed")) { old.unwrap_or(phase) } else { phase };
        let conditions = self.conditions(&pod, phase, initialized, &init, &regular);
        let ip = self.ip();
        let host_ip = &host.config.ip;
        PodStatus {
            phase: Some(phase.into()),
            reason: self
                .rejection
                .as_ref()
                .map(|rejection| rejection.reason.clone())
                .or_else(|| before?.reason.clone()),
            message: self
                .rejection
                .as_ref()
                .map(|rejection| rejection.status_message())
                .or_else(|| before?.message.clone()),
            conditions: Some(conditions),
            host_ip: Some(host_ip.clone()),
            host_ips: Some(vec![HostIP { ip: host_ip.clone() }]),
            pod_ip: ip.map(str::to_owned),
            pod_ips: ip.map(|ip| vec![PodIP { ip: ip.to_owned() }]),
            start_time: before.and_then(|before| before.start_time.clone()).or_else(|| Some(time::stamp(now))),
            init_container_statuses: (!init.is_empty()).then_some(init),
            container_statuses: self.rejection.is_none().then_some(regular),
            qos_class: pod.status.as_ref().and_then(|status| status.qos_class.clone()),
            observed_generation: pod.metadata.generation,
            resources: Some(ResourceRequirements::default()),
            nominated_node_name: None,
            ..PodStatus::default()
        }
    }

    fn conditions(
        &self,
        pod: &Pod,
        phase: &str,
        initialized: bool,
        init: &[ContainerStatus],
        regular: &[ContainerStatus],
    ) -> Vec<PodCondition> {
        let has_sandbox = self.sandbox.as_ref().is_some_and(|sandbox| sandbox.ready && !sandbox.ip.is_empty());
        let containers = self.containers_ready(pod, phase, init, regular);
        let ready = self.pod_ready(pod, &containers);
        let truth = |holds: bool| if holds { "True" } else { "False" };
        let initialized = match (initialized, phase) {
            (_, "Succeeded") => Verdict("True", "PodCompleted", Cow::Borrowed("")),
            (true, _) => Verdict("True", "", Cow::Borrowed("")),
            (false, _) => {
                let names: Vec<&str> = self
                    .containers
                    .iter()
                    .filter(|record| match record.kind {
                        ContainerKind::Init => !record.ready,
                        ContainerKind::Sidecar => !record.started,
                        ContainerKind::Regular => false,
                    })
                    .map(|record| record.name.as_str())
                    .collect();
                let message = format!("containers with incomplete status: {}", format::list(&names));
                Verdict("False", "ContainersNotInitialized", message.into())
            }
        };
        let generation = pod.metadata.generation;
        [
            ("PodReadyToStartContainers", Verdict(truth(has_sandbox), "", Cow::Borrowed(""))),
            ("Initialized", initialized),
            ("Ready", ready),
            ("ContainersReady", containers),
            ("PodScheduled", Verdict("True", "", Cow::Borrowed(""))),
        ]
        .into_iter()
        .map(|(kind, verdict)| verdict.condition(kind, generation))
        .collect()
    }

    fn containers_ready(
        &self,
        pod: &Pod,
        phase: &str,
        init: &[ContainerStatus],
        regular: &[ContainerStatus],
    ) -> Verdict {
        match phase {
            "Succeeded" => return Verdict("False", "PodCompleted", Cow::Borrowed("")),
            "Failed" => return Verdict("False", "PodFailed", Cow::Borrowed("")),
            _ => {}
        }
        let is_sidecar = |name: &str| {
            self.containers.iter().any(|record| record.kind == ContainerKind::Sidecar && record.name == name)
        };
        let unready: Vec<&str> = init
            .iter()
            .filter(|status| is_sidecar(&status.name))
            .chain(regular)
            .filter(|status| !status.ready)
            .map(|status| status.name.as_str())
            .collect();
        debug_assert!(pod.spec.is_some(), "a Pod without a specification has no worker");
        if unready.is_empty() {
            return Verdict("True", "", Cow::Borrowed(""));
        }
        let message = format!("containers with unready status: {}", format::list(&unready));
        Verdict("False", "ContainersNotReady", message.into())
    }

    fn pod_ready(&self, pod: &Pod, containers: &Verdict) -> Verdict {
        if containers.0 != "True" {
            return containers.clone();
        }
        let gates = pod.spec.iter().flat_map(|spec| spec.readiness_gates.iter().flatten());
        let problems: Vec<String> = gates
            .filter_map(|gate| {
                let kind = &gate.condition_type;
                let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
                match conditions.and_then(|conditions| conditions.iter().find(|known| &known.type_ == kind)) {
                    None => Some(format!("corresponding condition of pod readiness gate {kind:?} does not exist.")),
                    Some(condition) if condition.status != "True" => Some(format!(
                        "the status of pod readiness gate {kind:?} is not \"True\", but {}",
                        condition.status
                    )),
                    Some(_) => None,
                }
            })
            .collect();
        if problems.is_empty() {
            return Verdict("True", "", Cow::Borrowed(""));
        }
        Verdict("False", "ReadinessGatesNotReady", problems.join(", ").into())
    }
}

/// Status, reason and message of a condition.
#[derive(Clone)]
struct Verdict(&'static str, &'static str, Cow<'static, str>);

impl Verdict {
    fn condition(self, kind: &str, generation: Option<i64>) -> PodCondition {
        PodCondition {
            type_: kind.into(),
            status: self.0.into(),
            reason: (!self.1.is_empty()).then(|| self.1.to_owned()),
            message: (!self.2.is_empty()).then(|| self.2.into_owned()),
            observed_generation: generation,
            ..PodCondition::default()
        }
    }
}

/// All init containers have done their part in the present sandbox, or a regular one was created in it.
fn is_initialized(pod: &Pod, records: &[ContainerRecord], attempt: Option<u32>) -> bool {
    if pod.spec.as_ref().is_none_or(|spec| spec.init_containers.iter().flatten().next().is_none()) {
        return true;
    }
    let is_of =
        |record: &ContainerRecord| record.current.as_ref().is_some_and(|instance| Some(instance.attempt) == attempt);
    let regular_created =
        records.iter().any(|record| record.kind == ContainerKind::Regular && is_of(record) && record.current.is_some());
    regular_created
        || records.iter().filter(|record| record.is_init()).all(|record| match record.kind {
            ContainerKind::Sidecar => is_of(record) && record.started,
            _ => is_of(record) && record.exit().is_some_and(|exit| exit.code == 0),
        })
}

/// An init container that has succeeded is never waiting again.
fn is_done(record: &ContainerRecord) -> bool {
    record.kind == ContainerKind::Init && record.exit().is_some_and(|exit| exit.code == 0)
}

fn container_status(record: &ContainerRecord, container: &Container, default: &str, restarts: bool) -> ContainerStatus {
    let mut state = state_of(record.current.as_ref(), default);
    let mut last_state = record.previous.as_ref().and_then(terminated);
    if restarts && let Some((reason, message)) = &record.failure {
        if let Some(ended) = state.terminated.take() {
            last_state = Some(ended);
        }
        state = waiting(reason, Some(message.clone()).filter(|message| !message.is_empty()));
    }
    let instance = record.current.as_ref();
    let resources = container.resources.as_ref();
    ContainerStatus {
        name: record.name.clone(),
        container_id: instance.map(|instance| format!("containerd://{}", instance.id)),
        image: match instance {
            Some(instance) if !instance.image.is_empty() => instance.image.clone(),
            _ => container.image.clone().unwrap_or_default(),
        },
        image_id: instance.map(|instance| instance.image_id.clone()).unwrap_or_default(),
        ready: record.ready,
        started: Some(record.started),
        restart_count: record.restarts,
        state: Some(state),
        last_state: Some(ContainerState { terminated: last_state, ..ContainerState::default() }),
        allocated_resources: resources.and_then(|resources| resources.requests.clone()).filter(|_| instance.is_some()),
        resources: instance.map(|_| resources.cloned().unwrap_or_default()),
        volume_mounts: container.volume_mounts.as_ref().map(|mounts| {
            let status = |mount: &api::types::VolumeMount| VolumeMountStatus {
                name: mount.name.clone(),
                mount_path: mount.mount_path.clone(),
                read_only: mount.read_only,
                recursive_read_only: (mount.read_only == Some(true)).then(|| "Disabled".into()),
                ..VolumeMountStatus::default()
            };
            mounts.iter().map(status).collect()
        }),
        ..ContainerStatus::default()
    }
}

fn state_of(instance: Option<&Instance>, default: &str) -> ContainerState {
    let Some(instance) = instance else { return waiting(default, None) };
    if let Some(terminated) = terminated(instance) {
        return ContainerState { terminated: Some(terminated), ..ContainerState::default() };
    }
    match instance.started_at {
        Some(started) => ContainerState {
            running: Some(ContainerStateRunning { started_at: Some(time::stamp(started)) }),
            ..ContainerState::default()
        },
        None => waiting(default, None),
    }
}

fn waiting(reason: &str, message: Option<String>) -> ContainerState {
    ContainerState {
        waiting: Some(ContainerStateWaiting { reason: Some(reason.into()), message }),
        ..ContainerState::default()
    }
}

fn terminated(instance: &Instance) -> Option<ContainerStateTerminated> {
    let exit = instance.exit.as_ref()?;
    Some(ContainerStateTerminated {
        container_id: Some(format!("containerd://{}", instance.id)),
        exit_code: exit.code,
        reason: Some(exit.reason.clone()).filter(|reason| !reason.is_empty()),
        message: Some(exit.message.clone()).filter(|message| !message.is_empty()),
        started_at: Some(time::stamp(instance.started_at.unwrap_or_default())),
        finished_at: Some(time::stamp(exit.finished_at)),
        signal: None,
    })
}

/// Upstream's `getPhase`.
fn phase(
    pod: &Pod,
    records: &[ContainerRecord],
    init: &[ContainerStatus],
    regular: &[ContainerStatus],
    initialized: bool,
    terminated: bool,
) -> &'static str {
    let policy = restart_policy(pod);
    let failed_init = records.iter().filter(|record| record.kind == ContainerKind::Init).any(|record| {
        let restarts = record.spec(pod).is_some_and(|container| should_restart(record, container, policy));
        record.exit().is_some_and(|exit| exit.code != 0) && !restarts
    });
    debug_assert!(init.len() + regular.len() <= records.len(), "a status for each container at most");
    if failed_init && !initialized {
        return "Failed";
    }
    if !initialized {
        return "Pending";
    }
    let (mut waiting, mut running, mut stopped, mut succeeded) = (0, 0, 0, 0);
    for status in regular {
        let Some(state) = &status.state else { continue };
        let last = status.last_state.as_ref().and_then(|last| last.terminated.as_ref());
        if state.running.is_some() {
            running += 1;
        } else if let Some(ended) = &state.terminated {
            stopped += 1;
            succeeded += i32::from(ended.exit_code == 0);
        } else if last.is_some() {
            stopped += 1;
        } else {
            waiting += 1;
        }
    }
    if waiting > 0 {
        return "Pending";
    }
    if running > 0 {
        return "Running";
    }
    let over = terminated
        || records
            .iter()
            .filter(|record| record.kind == ContainerKind::Regular)
            .all(|record| record.spec(pod).is_none_or(|container| !should_restart(record, container, policy)));
    match (stopped, over) {
        (0, _) => "Pending",
        (_, true) if succeeded == stopped => "Succeeded",
        (_, true) => "Failed",
        (_, false) => "Running",
    }
}
