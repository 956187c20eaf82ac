//! What keeps Pods running.

use std::collections::BTreeMap;

use api::k8s_openapi::api::batch::v1::{CronJob, Job, JobSpec};
use api::request::Options;
use api::types::{DaemonSet, Deployment, IntOrString, ObjectMeta, Pod, PodTemplateSpec, ReplicaSet, StatefulSet};
use api::{Kinded, meta};
use serde_json::Value;

use super::events::events;
use super::template::pod_template;
use super::{Context, Writer, controlled_by, head, labels, labels_and_annotations, name_of, selector, time};
use crate::resource;

/// How many of the Pods that an object controls run, wait, have succeeded and have failed.
fn pods_status(context: &mut Context, owner: &ObjectMeta) -> String {
    let namespace = owner.namespace.clone().unwrap_or_default();
    let listed = resource::list(context.call, Pod::row(), &namespace, Options::default());
    let mut counts = [0; 4];
    for pod in listed.map(|(pods, _)| pods).unwrap_or_default() {
        if !meta::is_controlled_by(pod.meta(), owner) {
            continue;
        }
        let phase = pod.downcast_ref::<Pod>().and_then(|pod| pod.status.as_ref()?.phase.as_deref());
        match phase {
            Some("Running") => counts[0] += 1,
            Some("Pending") => counts[1] += 1,
            Some("Succeeded") => counts[2] += 1,
            Some("Failed") => counts[3] += 1,
            _ => {}
        }
    }
    let [running, waiting, succeeded, failed] = counts;
    format!("{running} Running / {waiting} Waiting / {succeeded} Succeeded / {failed} Failed")
}

fn conditions<'a>(writer: &mut Writer, rows: impl Iterator<Item = (&'a str, &'a str, &'a str)>) {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return;
    }
    writer.line(0, "Conditions:\n  Type\tStatus\tReason\n  ----\t------\t------");
    for (kind, status, reason) in rows {
        writer.line(1, format!("{kind} \t{status}\t{reason}"));
    }
}

fn int_or_string(value: Option<&IntOrString>) -> String {
    match value {
        Some(IntOrString::Int(number)) => number.to_string(),
        Some(IntOrString::String(text)) => text.clone(),
        None => String::new(),
    }
}

pub(super) fn deployment(writer: &mut Writer, object: &Deployment, context: &mut Context) {
    head(writer, &object.metadata);
    writer.field(0, "CreationTimestamp", time(object.metadata.creation_timestamp.as_ref()));
    labels_and_annotations(writer, &object.metadata);
    let (no_spec, no_status) = Default::default();
    let spec = object.spec.as_ref().unwrap_or(&no_spec);
    let status = object.status.as_ref().unwrap_or(&no_status);
    writer.field(0, "Selector", selector(Some(&spec.selector)));
    writer.field(
        0,
        "Replicas",
        format!(
            "{} desired | {} updated | {} total | {} available | {} unavailable",
            spec.replicas.unwrap_or_default(),
            status.updated_replicas.unwrap_or_default(),
            status.replicas.unwrap_or_default(),
            status.available_replicas.unwrap_or_default(),
            status.unavailable_replicas.unwrap_or_default()
        ),
    );
    let strategy = spec.strategy.as_ref();
    writer.field(0, "StrategyType", strategy.and_then(|strategy| strategy.type_.as_deref()).unwrap_or_default());
    writer.field(0, "MinReadySeconds", spec.min_ready_seconds.unwrap_or_default());
    if let Some(rolling) = strategy.and_then(|strategy| strategy.rolling_update.as_ref()) {
        let unavailable = int_or_string(rolling.max_unavailable.as_ref());
        let surge = int_or_string(rolling.max_surge.as_ref());
        writer.field(0, "RollingUpdateStrategy", format!("{unavailable} max unavailable, {surge} max surge"));
    }
    pod_template(writer, Some(&spec.template));
    conditions(
        writer,
        status.conditions.iter().flatten().map(|condition| {
            (condition.type_.as_str(), condition.status.as_str(), condition.reason.as_deref().unwrap_or_default())
        }),
    );
    let (old, new) = replica_sets(context, object);
    writer.field(0, "OldReplicaSets", super::or_none(Some(&old)));
    writer.field(0, "NewReplicaSet", super::or_none(Some(&new)));
    events(writer, context);
}

/// The old and the new ReplicaSets of a Deployment: `web-5c (3/3 replicas created)`.
fn replica_sets(context: &mut Context, object: &Deployment) -> (String, String) {
    const REVISION: &str = "deployment.kubernetes.io/revision";
    let namespace = object.metadata.namespace.clone().unwrap_or_default();
    let listed = resource::list(context.call, ReplicaSet::row(), &namespace, Options::default());
    let all = listed.map(|(sets, _)| sets).unwrap_or_default();
    let own_revision = meta::annotation(&object.metadata, REVISION);
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for set in all.iter().filter(|set| meta::is_controlled_by(set.meta(), &object.metadata)) {
        let Some(typed) = set.downcast_ref::<ReplicaSet>() else { continue };
        let desired = typed.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or_default();
        let created = typed.status.as_ref().map(|status| status.replicas).unwrap_or_default();
        let text = format!("{} ({created}/{desired} replicas created)", set.name());
        let list = if meta::annotation(set.meta(), REVISION) == own_revision { &mut new } else { &mut old };
        list.push(text);
    }
    (old.join(", "), new.join(", "))
}

pub(super) fn replica_set(writer: &mut Writer, object: &ReplicaSet, context: &mut Context) {
    head(writer, &object.metadata);
    let (no_spec, no_status) = Default::default();
    let spec = object.spec.as_ref().unwrap_or(&no_spec);
    let status = object.status.as_ref().unwrap_or(&no_status);
    writer.field(0, "Selector", selector(Some(&spec.selector)));
    labels_and_annotations(writer, &object.metadata);
    controlled_by(writer, &object.metadata);
    let desired = spec.replicas.unwrap_or_default();
    writer.field(0, "Replicas", format!("{} current / {desired} desired", status.replicas));
    let pods = pods_status(context, &object.metadata);
    writer.field(0, "Pods Status", pods);
    pod_template(writer, spec.template.as_ref());
    conditions(
        writer,
        status.conditions.iter().flatten().map(|condition| {
            (condition.type_.as_str(), condition.status.as_str(), condition.reason.as_deref().unwrap_or_default())
        }),
    );
    events(writer, context);
}

pub(super) fn replication_controller(writer: &mut Writer, value: &Value, context: &mut Context) {
    let object = context.info.object.clone();
    head(writer, object.meta());
    let pairs: Option<BTreeMap<String, String>> = serde_json::from_value(value["spec"]["selector"].clone()).ok();
    writer.field(0, "Selector", super::selector_map(pairs.as_ref()));
    labels_and_annotations(writer, object.meta());
    let count = |part: &str| value[part]["replicas"].as_i64().unwrap_or_default();
    writer.field(0, "Replicas", format!("{} current / {} desired", count("status"), count("spec")));
    writer.field(0, "Pods Status", pods_status(context, object.meta()));
    let template: Option<PodTemplateSpec> = api::decode::typed(value["spec"]["template"].clone()).ok();
    pod_template(writer, template.as_ref());
    let listed = value["status"]["conditions"].as_array().into_iter().flatten();
    let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned();
    let rows: Vec<[String; 3]> =
        listed.map(|condition| ["type", "status", "reason"].map(|name| text(&condition[name]))).collect();
    conditions(writer, rows.iter().map(|[kind, status, reason]| (kind.as_str(), status.as_str(), reason.as_str())));
    events(writer, context);
}

pub(super) fn stateful_set(writer: &mut Writer, object: &StatefulSet, context: &mut Context) {
    head(writer, &object.metadata);
    writer.field(0, "CreationTimestamp", time(object.metadata.creation_timestamp.as_ref()));
    let (no_spec, no_status) = Default::default();
    let spec = object.spec.as_ref().unwrap_or(&no_spec);
    let status = object.status.as_ref().unwrap_or(&no_status);
    writer.field(0, "Selector", selector(Some(&spec.selector)));
    labels_and_annotations(writer, &object.metadata);
    writer.field(0, "Replicas", format!("{} desired | {} total", spec.replicas.unwrap_or_default(), status.replicas));
    let strategy = spec.update_strategy.as_ref();
    writer.field(0, "Update Strategy", strategy.and_then(|strategy| strategy.type_.as_deref()).unwrap_or_default());
    if let Some(rolling) = strategy.and_then(|strategy| strategy.rolling_update.as_ref()) {
        writer.field(1, "Partition", rolling.partition.unwrap_or_default());
    }
    let pods = pods_status(context, &object.metadata);
    writer.field(0, "Pods Status", pods);
    pod_template(writer, Some(&spec.template));
    let claims = spec.volume_claim_templates.as_deref().unwrap_or_default();
    if claims.is_empty() {
        writer.field(0, "Volume Claims", "<none>");
    } else {
        writer.line(0, "Volume Claims:");
        for claim in claims {
            let none = Default::default();
            let claim_spec = claim.spec.as_ref().unwrap_or(&none);
            writer.field(1, "Name", name_of(&claim.metadata));
            writer.field(1, "StorageClass", claim_spec.storage_class_name.as_deref().unwrap_or_default());
            labels(writer, 1, claim.metadata.labels.as_ref());
            let pairs = claim.metadata.annotations.iter().flatten();
            let shown: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
            writer.list(1, "Annotations", &shown);
            let storage = claim_spec.resources.as_ref().and_then(|r| r.requests.as_ref()?.get("storage"));
            writer.field(1, "Capacity", storage.map(|storage| storage.0.as_str()).unwrap_or_default());
            let modes = claim_spec.access_modes.clone().unwrap_or_default();
            writer.field(1, "Access Modes", format!("[{}]", modes.join(" ")));
        }
    }
    events(writer, context);
}

pub(super) fn daemon_set(writer: &mut Writer, object: &DaemonSet, context: &mut Context) {
    head(writer, &object.metadata);
    let (no_spec, no_status) = Default::default();
    let spec = object.spec.as_ref().unwrap_or(&no_spec);
    let status = object.status.as_ref().unwrap_or(&no_status);
    writer.field(0, "Selector", selector(Some(&spec.selector)));
    let nodes = spec.template.spec.as_ref().and_then(|spec| spec.node_selector.as_ref());
    writer.field(0, "Node-Selector", super::selector_map(nodes));
    labels_and_annotations(writer, &object.metadata);
    for (title, count) in [
        ("Desired Number of Nodes Scheduled", status.desired_number_scheduled),
        ("Current Number of Nodes Scheduled", status.current_number_scheduled),
        ("Number of Nodes Scheduled with Up-to-date Pods", status.updated_number_scheduled.unwrap_or_default()),
        ("Number of Nodes Scheduled with Available Pods", status.number_available.unwrap_or_default()),
        ("Number of Nodes Misscheduled", status.number_misscheduled),
    ] {
        writer.line(0, format!("{title}: {count}"));
    }
    let pods = pods_status(context, &object.metadata);
    writer.field(0, "Pods Status", pods);
    pod_template(writer, Some(&spec.template));
    events(writer, context);
}

pub(super) fn job(writer: &mut Writer, object: &Job, context: &mut Context) {
    head(writer, &object.metadata);
    let (no_spec, no_status) = (JobSpec::default(), Default::default());
    let spec = object.spec.as_ref().unwrap_or(&no_spec);
    let status = object.status.as_ref().unwrap_or(&no_status);
    if let Some(own) = &spec.selector {
        writer.field(0, "Selector", selector(Some(own)));
    }
    labels_and_annotations(writer, &object.metadata);
    controlled_by(writer, &object.metadata);
    let count = |count: Option<i32>| count.map_or("<unset>".to_owned(), |count| count.to_string());
    writer.field(0, "Parallelism", count(spec.parallelism));
    writer.field(0, "Completions", count(spec.completions));
    writer.field(0, "Completion Mode", spec.completion_mode.as_deref().unwrap_or("NonIndexed"));
    writer.field(0, "Suspend", spec.suspend.unwrap_or_default());
    writer.field(0, "Backoff Limit", spec.backoff_limit.unwrap_or(6));
    if let Some(seconds) = spec.ttl_seconds_after_finished {
        writer.field(0, "TTL Seconds After Finished", seconds);
    }
    if status.start_time.is_some() {
        writer.field(0, "Start Time", time(status.start_time.as_ref()));
    }
    if let Some(end) = &status.completion_time {
        writer.field(0, "Completed At", time(Some(end)));
        if let Some(start) = &status.start_time {
            writer.field(0, "Duration", api::table::age::human(end.0.as_second() - start.0.as_second()));
        }
    }
    if let Some(seconds) = spec.active_deadline_seconds {
        writer.field(0, "Active Deadline Seconds", format!("{seconds}s"));
    }
    let active = status.active.unwrap_or_default();
    let (succeeded, failed) = (status.succeeded.unwrap_or_default(), status.failed.unwrap_or_default());
    let shown = match status.ready {
        Some(ready) => format!("{active} Active ({ready} Ready) / {succeeded} Succeeded / {failed} Failed"),
        None => format!("{active} Active / {succeeded} Succeeded / {failed} Failed"),
    };
    writer.field(0, "Pods Statuses", shown);
    if spec.completion_mode.as_deref() == Some("Indexed") {
        writer.field(0, "Completed Indexes", super::or_none(status.completed_indexes.as_deref()));
    }
    pod_template(writer, Some(&spec.template));
    events(writer, context);
}

pub(super) fn cron_job(writer: &mut Writer, object: &CronJob, context: &mut Context) {
    head(writer, &object.metadata);
    labels_and_annotations(writer, &object.metadata);
    let spec = &object.spec;
    writer.field(0, "Schedule", &spec.schedule);
    writer.field(0, "Concurrency Policy", spec.concurrency_policy.as_deref().unwrap_or_default());
    let unset = || "<unset>".to_owned();
    let suspended = |suspends: bool| if suspends { "True" } else { "False" }.to_owned();
    writer.field(0, "Suspend", spec.suspend.map_or_else(unset, suspended));
    for (title, limit) in [
        ("Successful Job History Limit", spec.successful_jobs_history_limit),
        ("Failed Job History Limit", spec.failed_jobs_history_limit),
    ] {
        writer.field(0, title, limit.map_or_else(unset, |limit| limit.to_string()));
    }
    let deadline = spec.starting_deadline_seconds.map_or_else(unset, |seconds| format!("{seconds}s"));
    writer.field(0, "Starting Deadline Seconds", deadline);
    let no_job = JobSpec::default();
    let job = spec.job_template.spec.as_ref().unwrap_or(&no_job);
    writer.field(0, "Selector", job.selector.as_ref().map_or_else(unset, |own| selector(Some(own))));
    writer.field(0, "Parallelism", job.parallelism.map_or_else(unset, |count| count.to_string()));
    writer.field(0, "Completions", job.completions.map_or_else(unset, |count| count.to_string()));
    if let Some(seconds) = job.active_deadline_seconds {
        writer.field(0, "Active Deadline Seconds", format!("{seconds}s"));
    }
    pod_template(writer, Some(&job.template));
    let status = object.status.as_ref();
    let last = status.and_then(|status| status.last_schedule_time.as_ref());
    writer.field(0, "Last Schedule Time", last.map_or_else(unset, |last| time(Some(last))));
    let active: Vec<&str> = status
        .and_then(|status| status.active.as_deref())
        .unwrap_or_default()
        .iter()
        .filter_map(|job| job.name.as_deref())
        .collect();
    writer.field(0, "Active Jobs", super::or_none(Some(&active.join(", "))));
    events(writer, context);
}
