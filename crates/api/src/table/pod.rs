//! Pods: the STATUS column and what it is made of.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodCondition, PodTemplate};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::format::{containers, labels, or_none};
use super::{AGE, Cell, Column, NAME, Printer, age, col, printer, wide};
use crate::time::SimTime;

const POD: &[Column] = &[
    NAME,
    col("Ready"),
    col("Status"),
    col("Restarts"),
    AGE,
    wide("IP"),
    wide("Node"),
    wide("Nominated Node"),
    wide("Readiness Gates"),
];
const POD_TEMPLATE: &[Column] = &[NAME, col("Containers"), col("Images"), col("Pod Labels")];

pub(super) static PRINTERS: &[Printer] =
    &[printer!(Pod, POD, pod_cells), printer!(PodTemplate, POD_TEMPLATE, template_cells)];

/// What a Pod's row says of its containers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// `Running`, `Init:0/1`, `CrashLoopBackOff`, `Terminating`, …
    pub status: String,
    pub ready: usize,
    pub total: usize,
    pub restarts: i32,
    pub last_restart: Option<Time>,
}

/// Reduces a Pod to its row, as upstream's `printPod`.
pub fn summary(pod: &Pod) -> Summary {
    let none = Default::default();
    let spec = pod.spec.as_ref().unwrap_or(&none);
    let no_status = Default::default();
    let status = pod.status.as_ref().unwrap_or(&no_status);
    let init_containers = spec.init_containers.as_deref().unwrap_or_default();
    let is_sidecar =
        |name: &str| init_containers.iter().any(|c| c.name == name && c.restart_policy.as_deref() == Some("Always"));
    let conditions = status.conditions.as_deref().unwrap_or_default();
    let phase = status.phase.clone().unwrap_or_default();

    let mut row = Summary {
        status: status.reason.clone().filter(|reason| !reason.is_empty()).unwrap_or(phase.clone()),
        total: spec.containers.len() + init_containers.iter().filter(|container| is_sidecar(&container.name)).count(),
        ..Summary::default()
    };
    if conditions.iter().any(|c| c.type_ == "PodScheduled" && c.reason.as_deref() == Some("SchedulingGated")) {
        row.status = "SchedulingGated".into();
    }

    let mut sidecars = (0, None);
    let mut initializing = false;
    for (index, container) in status.init_container_statuses.iter().flatten().enumerate() {
        row.count_restarts(container);
        let sidecar = is_sidecar(&container.name);
        if sidecar {
            sidecars.0 += container.restart_count;
            sidecars.1 = sidecars.1.max(last_end(container));
        }
        if terminated(container).is_some_and(|ended| ended.exit_code == 0) {
            continue;
        }
        if sidecar && container.started == Some(true) {
            row.ready += usize::from(container.ready);
            continue;
        }
        row.status = match (terminated_reason(container), waiting_reason(container)) {
            (Some(reason), _) => format!("Init:{reason}"),
            (None, Some(reason)) if reason != "PodInitializing" => format!("Init:{reason}"),
            _ => format!("Init:{index}/{}", init_containers.len()),
        };
        initializing = true;
        break;
    }

    if !initializing || is_true(conditions, "Initialized") {
        (row.restarts, row.last_restart) = sidecars;
        let mut has_running = false;
        for container in status.container_statuses.iter().flatten().rev() {
            row.count_restarts(container);
            let running = container.state.as_ref().is_some_and(|state| state.running.is_some());
            if let Some(reason) = waiting_reason(container).filter(|reason| !reason.is_empty()) {
                row.status = reason.into();
            } else if let Some(reason) = terminated_reason(container) {
                row.status = reason;
            } else if container.ready && running {
                has_running = true;
                row.ready += 1;
            }
        }
        if row.status == "Completed" && has_running {
            row.status = if is_true(conditions, "Ready") { "Running".into() } else { "NotReady".into() };
        }
    }

    if pod.metadata.deletion_timestamp.is_some() {
        if status.reason.as_deref() == Some("NodeLost") {
            row.status = "Unknown".into();
        } else if !matches!(phase.as_str(), "Succeeded" | "Failed") {
            row.status = "Terminating".into();
        }
    }
    row
}

impl Summary {
    fn count_restarts(&mut self, container: &ContainerStatus) {
        self.restarts += container.restart_count;
        self.last_restart = self.last_restart.take().max(last_end(container));
    }

    /// The RESTARTS column: `3 (5s ago)`.
    pub fn restarts_text(&self, now: SimTime) -> String {
        match &self.last_restart {
            Some(last) if self.restarts != 0 => format!("{} ({} ago)", self.restarts, age::since(Some(last), now)),
            _ => self.restarts.to_string(),
        }
    }
}

fn last_end(container: &ContainerStatus) -> Option<Time> {
    container.last_state.as_ref()?.terminated.as_ref()?.finished_at.clone()
}

fn terminated(container: &ContainerStatus) -> Option<&k8s_openapi::api::core::v1::ContainerStateTerminated> {
    container.state.as_ref()?.terminated.as_ref()
}

fn waiting_reason(container: &ContainerStatus) -> Option<&str> {
    container.state.as_ref()?.waiting.as_ref()?.reason.as_deref()
}

fn terminated_reason(container: &ContainerStatus) -> Option<String> {
    let ended = terminated(container)?;
    Some(match (ended.reason.as_deref(), ended.signal) {
        (Some(reason), _) if !reason.is_empty() => reason.into(),
        (_, Some(signal)) if signal != 0 => format!("Signal:{signal}"),
        _ => format!("ExitCode:{}", ended.exit_code),
    })
}

fn is_true(conditions: &[PodCondition], name: &str) -> bool {
    conditions.iter().any(|condition| condition.type_ == name && condition.status == "True")
}

fn pod_cells(pod: &Pod, now: SimTime) -> Vec<Cell> {
    let row = summary(pod);
    let spec = pod.spec.as_ref();
    let status = pod.status.as_ref();
    let gates = spec.and_then(|spec| spec.readiness_gates.as_deref()).unwrap_or_default();
    let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let passed = gates.iter().filter(|gate| is_true(conditions, &gate.condition_type)).count();
    let ip = status.and_then(|status| {
        status.pod_ips.iter().flatten().map(|ip| ip.ip.as_str()).next().or(status.pod_ip.as_deref())
    });
    vec![
        pod.metadata.name.as_deref().unwrap_or_default().into(),
        format!("{}/{}", row.ready, row.total).into(),
        row.status.as_str().into(),
        row.restarts_text(now).into(),
        age::of(&pod.metadata, now).into(),
        or_none(ip).into(),
        or_none(spec.and_then(|spec| spec.node_name.as_deref())).into(),
        or_none(status.and_then(|status| status.nominated_node_name.as_deref())).into(),
        if gates.is_empty() { "<none>".into() } else { format!("{passed}/{}", gates.len()).into() },
    ]
}

fn template_cells(template: &PodTemplate, _: SimTime) -> Vec<Cell> {
    let inner = template.template.as_ref();
    let (names, images) = containers(inner);
    let pod_labels = inner.and_then(|inner| inner.metadata.as_ref()).and_then(|meta| meta.labels.as_ref());
    vec![
        template.metadata.name.as_deref().unwrap_or_default().into(),
        names.into(),
        images.into(),
        labels(pod_labels).into(),
    ]
}
