//! Jobs, CronJobs and autoscalers.

use k8s_openapi::api::autoscaling::v2::{
    HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus, MetricSpec, MetricTarget, MetricValueStatus,
};
use k8s_openapi::api::batch::v1::{CronJob, Job};

use super::format::{containers, label_selector, or_none};
use super::{AGE, Cell, Column, NAME, Printer, age, col, printer, wide};
use crate::time::SimTime;

const JOB: &[Column] = &[
    NAME,
    col("Status"),
    col("Completions"),
    col("Duration"),
    AGE,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];
const CRON_JOB: &[Column] = &[
    NAME,
    col("Schedule"),
    col("Timezone"),
    super::boolean("Suspend"),
    super::int("Active"),
    col("Last Schedule"),
    AGE,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];
const AUTOSCALER: &[Column] =
    &[NAME, col("Reference"), col("Targets"), col("MinPods"), col("MaxPods"), col("Replicas"), AGE];

pub(super) static PRINTERS: &[Printer] = &[
    printer!(Job, JOB, job),
    printer!(CronJob, CRON_JOB, cron_job),
    printer!(HorizontalPodAutoscaler, AUTOSCALER, autoscaler),
];

/// A Job's STATUS column.
fn job_status(job: &Job) -> &'static str {
    let conditions = job.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let has = |name: &str| conditions.iter().any(|c| c.type_ == name && c.status == "True");
    match () {
        () if has("Complete") => "Complete",
        () if has("Failed") => "Failed",
        () if job.metadata.deletion_timestamp.is_some() => "Terminating",
        () if has("Suspended") => "Suspended",
        () if has("FailureTarget") => "FailureTarget",
        () => "Running",
    }
}

fn job(object: &Job, now: SimTime) -> Vec<Cell> {
    let none = Default::default();
    let status = object.status.as_ref().unwrap_or(&none);
    let spec = object.spec.as_ref();
    let succeeded = status.succeeded.unwrap_or_default();
    let completions = match spec.and_then(|spec| spec.completions) {
        Some(completions) => format!("{succeeded}/{completions}"),
        None => match spec.and_then(|spec| spec.parallelism).unwrap_or_default() {
            parallelism if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
            _ => format!("{succeeded}/1"),
        },
    };
    let duration = match (&status.start_time, &status.completion_time) {
        (None, _) => String::new(),
        (Some(start), None) => age::since(Some(start), now),
        (Some(start), Some(end)) => age::human(end.0.as_second() - start.0.as_second()),
    };
    let (names, images) = containers(spec.map(|spec| &spec.template));
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        job_status(object).into(),
        completions.into(),
        duration.into(),
        age::of(&object.metadata, now).into(),
        names.into(),
        images.into(),
        label_selector(spec.and_then(|spec| spec.selector.as_ref())).into(),
    ]
}

fn cron_job(object: &CronJob, now: SimTime) -> Vec<Cell> {
    let spec = &object.spec;
    let status = object.status.as_ref();
    let job = spec.job_template.spec.as_ref();
    let (names, images) = containers(job.map(|job| &job.template));
    let suspend = match spec.suspend {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    let last = status.and_then(|status| status.last_schedule_time.as_ref());
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        spec.schedule.as_str().into(),
        or_none(spec.time_zone.as_deref()).into(),
        suspend.into(),
        status.and_then(|status| status.active.as_ref()).map_or(0, Vec::len).into(),
        last.map_or("<none>".into(), |last| age::since(Some(last), now)).into(),
        age::of(&object.metadata, now).into(),
        names.into(),
        images.into(),
        label_selector(job.and_then(|job| job.selector.as_ref())).into(),
    ]
}

fn autoscaler(object: &HorizontalPodAutoscaler, now: SimTime) -> Vec<Cell> {
    let spec = &object.spec;
    let status = object.status.as_ref();
    let metrics = spec.metrics.as_deref().unwrap_or_default();
    let minimum = spec.min_replicas.map_or("<unset>".into(), |count| count.to_string());
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        format!("{}/{}", spec.scale_target_ref.kind, spec.scale_target_ref.name).into(),
        targets(metrics, status).into(),
        minimum.into(),
        spec.max_replicas.into(),
        status.and_then(|status| status.current_replicas).unwrap_or_default().into(),
        age::of(&object.metadata, now).into(),
    ]
}

/// An autoscaler's TARGETS column: `cpu: 12%/50%`, at most two metrics.
fn targets(metrics: &[MetricSpec], status: Option<&HorizontalPodAutoscalerStatus>) -> String {
    if metrics.is_empty() {
        return "<none>".into();
    }
    let shown: Vec<String> = metrics.iter().enumerate().map(|(at, metric)| target(metric, at, status)).collect();
    let text = shown[..shown.len().min(2)].join(", ");
    if shown.len() > 2 { format!("{text} + {} more...", shown.len() - 2) } else { text }
}

fn target(metric: &MetricSpec, at: usize, status: Option<&HorizontalPodAutoscalerStatus>) -> String {
    let current = status.and_then(|status| status.current_metrics.as_ref()?.get(at));
    if let Some(resource) = &metric.resource {
        let value = current.and_then(|current| current.resource.as_ref()).map(|resource| &resource.current);
        return format!("{}: {}", resource.name, ratio(value, &resource.target));
    }
    if let Some(resource) = &metric.container_resource {
        let value = current.and_then(|current| current.container_resource.as_ref()).map(|resource| &resource.current);
        return format!("{}: {}", resource.name, ratio(value, &resource.target));
    }
    if let Some(pods) = &metric.pods {
        let value = current.and_then(|current| current.pods.as_ref()).map(|pods| &pods.current);
        return ratio(value, &pods.target);
    }
    if let Some(object) = &metric.object {
        let value = current.and_then(|current| current.object.as_ref()).map(|object| &object.current);
        return averaged(ratio(value, &object.target), &object.target);
    }
    if let Some(external) = &metric.external {
        let value = current.and_then(|current| current.external.as_ref()).map(|external| &external.current);
        return averaged(ratio(value, &external.target), &external.target);
    }
    "<unknown type>".into()
}

/// Of an object or of something outside the cluster an average is marked as one.
fn averaged(ratio: String, target: &MetricTarget) -> String {
    if target.average_value.is_some() { ratio + " (avg)" } else { ratio }
}

fn ratio(current: Option<&MetricValueStatus>, target: &MetricTarget) -> String {
    let unknown = || "<unknown>".to_owned();
    if let Some(utilization) = target.average_utilization {
        let value = current.and_then(|current| current.average_utilization).map(|value| format!("{value}%"));
        return format!("{}/{utilization}%", value.unwrap_or_else(unknown));
    }
    if let Some(average) = &target.average_value {
        let value = current.and_then(|current| current.average_value.as_ref()).map(|value| value.0.clone());
        return format!("{}/{}", value.unwrap_or_else(unknown), average.0);
    }
    let value = current.and_then(|current| current.value.as_ref()).map(|value| value.0.clone());
    format!(
        "{}/{}",
        value.unwrap_or_else(unknown),
        target.value.as_ref().map(|value| value.0.as_str()).unwrap_or_default()
    )
}
