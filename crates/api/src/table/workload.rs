//! Deployments and the other workloads that keep Pods running.

use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::ReplicationController;

use super::format::{containers, label_selector, labels};
use super::{AGE, Cell, Column, NAME, Printer, age, col, int, printer, wide};
use crate::meta;
use crate::time::SimTime;

const DEPLOYMENT: &[Column] = &[
    NAME,
    col("Ready"),
    col("Up-to-date"),
    col("Available"),
    AGE,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];
const REPLICA_SET: &[Column] =
    &[NAME, int("Desired"), int("Current"), int("Ready"), AGE, wide("Containers"), wide("Images"), wide("Selector")];
const STATEFUL_SET: &[Column] = &[NAME, col("Ready"), AGE, wide("Containers"), wide("Images")];
const DAEMON_SET: &[Column] = &[
    NAME,
    int("Desired"),
    int("Current"),
    int("Ready"),
    int("Up-to-date"),
    int("Available"),
    col("Node Selector"),
    AGE,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];
const REVISION: &[Column] = &[NAME, col("Controller"), col("Revision"), AGE];

pub(super) static PRINTERS: &[Printer] = &[
    printer!(Deployment, DEPLOYMENT, deployment),
    printer!(ReplicaSet, REPLICA_SET, replica_set),
    printer!(ReplicationController, REPLICA_SET, replication_controller),
    printer!(StatefulSet, STATEFUL_SET, stateful_set),
    printer!(DaemonSet, DAEMON_SET, daemon_set),
    printer!(ControllerRevision, REVISION, controller_revision),
];

fn deployment(object: &Deployment, now: SimTime) -> Vec<Cell> {
    let none = Default::default();
    let status = object.status.as_ref().unwrap_or(&none);
    let spec = object.spec.as_ref();
    let (names, images) = containers(spec.map(|spec| &spec.template));
    let desired = spec.and_then(|spec| spec.replicas).unwrap_or_default();
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        format!("{}/{desired}", status.ready_replicas.unwrap_or_default()).into(),
        status.updated_replicas.unwrap_or_default().into(),
        status.available_replicas.unwrap_or_default().into(),
        age::of(&object.metadata, now).into(),
        names.into(),
        images.into(),
        label_selector(spec.map(|spec| &spec.selector)).into(),
    ]
}

fn replica_set(object: &ReplicaSet, now: SimTime) -> Vec<Cell> {
    let none = Default::default();
    let status = object.status.as_ref().unwrap_or(&none);
    let spec = object.spec.as_ref();
    let (names, images) = containers(spec.and_then(|spec| spec.template.as_ref()));
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        spec.and_then(|spec| spec.replicas).unwrap_or_default().into(),
        status.replicas.into(),
        status.ready_replicas.unwrap_or_default().into(),
        age::of(&object.metadata, now).into(),
        names.into(),
        images.into(),
        label_selector(spec.map(|spec| &spec.selector)).into(),
    ]
}

fn replication_controller(object: &ReplicationController, now: SimTime) -> Vec<Cell> {
    let none = Default::default();
    let status = object.status.as_ref().unwrap_or(&none);
    let spec = object.spec.as_ref();
    let (names, images) = containers(spec.and_then(|spec| spec.template.as_ref()));
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        spec.and_then(|spec| spec.replicas).unwrap_or_default().into(),
        status.replicas.into(),
        status.ready_replicas.unwrap_or_default().into(),
        age::of(&object.metadata, now).into(),
        names.into(),
        images.into(),
        labels(spec.and_then(|spec| spec.selector.as_ref())).into(),
    ]
}

fn stateful_set(object: &StatefulSet, now: SimTime) -> Vec<Cell> {
    let spec = object.spec.as_ref();
    let (names, images) = containers(spec.map(|spec| &spec.template));
    let ready = object.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or_default();
    let desired = spec.and_then(|spec| spec.replicas).unwrap_or_default();
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        format!("{ready}/{desired}").into(),
        age::of(&object.metadata, now).into(),
        names.into(),
        images.into(),
    ]
}

fn daemon_set(object: &DaemonSet, now: SimTime) -> Vec<Cell> {
    let none = Default::default();
    let status = object.status.as_ref().unwrap_or(&none);
    let spec = object.spec.as_ref();
    let (names, images) = containers(spec.map(|spec| &spec.template));
    let node_selector = spec.and_then(|spec| spec.template.spec.as_ref()?.node_selector.as_ref());
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        status.desired_number_scheduled.into(),
        status.current_number_scheduled.into(),
        status.number_ready.into(),
        status.updated_number_scheduled.unwrap_or_default().into(),
        status.number_available.unwrap_or_default().into(),
        labels(node_selector).into(),
        age::of(&object.metadata, now).into(),
        names.into(),
        images.into(),
        label_selector(spec.map(|spec| &spec.selector)).into(),
    ]
}

fn controller_revision(object: &ControllerRevision, now: SimTime) -> Vec<Cell> {
    let controller = meta::controller_of(&object.metadata).map_or("<none>".into(), |owner| {
        let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
        let kind = owner.kind.to_lowercase();
        if group.is_empty() { format!("{kind}/{}", owner.name) } else { format!("{kind}.{group}/{}", owner.name) }
    });
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        controller.into(),
        object.revision.into(),
        age::of(&object.metadata, now).into(),
    ]
}
