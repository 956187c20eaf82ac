//! Nodes, Namespaces, Leases, Events.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Event, Namespace, Node};
use k8s_openapi::api::node::v1::RuntimeClass;

use super::format::or_none;
use super::{AGE, Cell, Column, NAME, Printer, age, col, printer, wide};
use crate::time::SimTime;

const NODE: &[Column] = &[
    NAME,
    col("Status"),
    col("Roles"),
    AGE,
    col("Version"),
    wide("Internal-IP"),
    wide("External-IP"),
    wide("OS-Image"),
    wide("Kernel-Version"),
    wide("Container-Runtime"),
];
const NAMESPACE: &[Column] = &[NAME, col("Status"), AGE];
const LEASE: &[Column] = &[NAME, col("Holder"), AGE];
const RUNTIME_CLASS: &[Column] = &[NAME, col("Handler"), AGE];
const EVENT: &[Column] = &[
    col("Last Seen"),
    col("Type"),
    col("Reason"),
    col("Object"),
    wide("Subobject"),
    wide("Source"),
    col("Message"),
    wide("First Seen"),
    wide("Count"),
    Column { format: "name", ..wide("Name") },
];

pub(super) static PRINTERS: &[Printer] = &[
    printer!(Node, NODE, node),
    printer!(Namespace, NAMESPACE, namespace),
    printer!(Lease, LEASE, lease),
    printer!(RuntimeClass, RUNTIME_CLASS, runtime_class),
    printer!(Event, EVENT, event),
];

/// A node's STATUS column: `Ready,SchedulingDisabled`.
fn node_status(node: &Node) -> String {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let mut text = match conditions.iter().find(|condition| condition.type_ == "Ready") {
        Some(condition) if condition.status == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true) {
        text.push_str(",SchedulingDisabled");
    }
    text
}

fn node_roles(node: &Node) -> String {
    let mut roles: Vec<&str> = Vec::new();
    for (name, value) in crate::meta::labels(&node.metadata) {
        match name.strip_prefix("node-role.kubernetes.io/") {
            Some(role) if !role.is_empty() => roles.push(role),
            None if name == "kubernetes.io/role" && !value.is_empty() => roles.push(value),
            _ => {}
        }
    }
    roles.sort_unstable();
    roles.dedup();
    or_none(Some(&roles.join(",")))
}

fn node(object: &Node, now: SimTime) -> Vec<Cell> {
    let none = Default::default();
    let status = object.status.as_ref().unwrap_or(&none);
    let address = |kind: &str| {
        let all = status.addresses.as_deref().unwrap_or_default();
        or_none(all.iter().find(|address| address.type_ == kind).map(|address| address.address.as_str()))
    };
    let no_info = Default::default();
    let info = status.node_info.as_ref().unwrap_or(&no_info);
    let known = |text: &str| if text.is_empty() { "<unknown>".to_owned() } else { text.to_owned() };
    let kernel = match info.architecture.as_str() {
        "" => known(&info.kernel_version),
        _ if info.kernel_version.is_empty() => known(""),
        architecture => format!("{} ({architecture})", info.kernel_version),
    };
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        node_status(object).into(),
        node_roles(object).into(),
        age::of(&object.metadata, now).into(),
        info.kubelet_version.as_str().into(),
        address("InternalIP").into(),
        address("ExternalIP").into(),
        known(&info.os_image).into(),
        kernel.into(),
        known(&info.container_runtime_version).into(),
    ]
}

fn namespace(object: &Namespace, now: SimTime) -> Vec<Cell> {
    let phase = object.status.as_ref().and_then(|status| status.phase.as_deref());
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        phase.unwrap_or_default().into(),
        age::of(&object.metadata, now).into(),
    ]
}

fn lease(object: &Lease, now: SimTime) -> Vec<Cell> {
    let holder = object.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        holder.unwrap_or_default().into(),
        age::of(&object.metadata, now).into(),
    ]
}

fn runtime_class(object: &RuntimeClass, now: SimTime) -> Vec<Cell> {
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        object.handler.as_str().into(),
        age::of(&object.metadata, now).into(),
    ]
}

fn event(object: &Event, now: SimTime) -> Vec<Cell> {
    let event_second = object.event_time.as_ref().map(|time| time.0.as_second());
    let first = match (&object.first_timestamp, event_second) {
        (Some(time), _) => age::since(Some(time), now),
        (None, Some(second)) => age::since_second(second, now),
        (None, None) => "<unknown>".into(),
    };
    let series = object.series.as_ref();
    let last = match (series.and_then(|series| series.last_observed_time.as_ref()), &object.last_timestamp) {
        (Some(time), _) => age::since_second(time.0.as_second(), now),
        (None, Some(time)) => age::since(Some(time), now),
        (None, None) => first.clone(),
    };
    let count = series.and_then(|series| series.count).or(object.count).filter(|count| *count > 0).unwrap_or(1);
    let about = &object.involved_object;
    let kind = about.kind.as_deref().unwrap_or_default().to_lowercase();
    let name = about.name.as_deref().unwrap_or_default();
    vec![
        last.into(),
        object.type_.as_deref().unwrap_or_default().into(),
        object.reason.as_deref().unwrap_or_default().into(),
        if name.is_empty() { kind.into() } else { format!("{kind}/{name}").into() },
        about.field_path.as_deref().unwrap_or_default().into(),
        event_source(object).into(),
        object.message.as_deref().unwrap_or_default().trim().into(),
        first.into(),
        count.into(),
        object.metadata.name.as_deref().unwrap_or_default().into(),
    ]
}

/// `kubelet, node-1`
fn event_source(object: &Event) -> String {
    let source = object.source.as_ref();
    let component = source
        .and_then(|source| source.component.as_deref())
        .filter(|component| !component.is_empty())
        .or(object.reporting_component.as_deref())
        .unwrap_or_default();
    let host = source
        .and_then(|source| source.host.as_deref())
        .filter(|host| !host.is_empty())
        .or(object.reporting_instance.as_deref())
        .unwrap_or_default();
    if host.is_empty() { component.into() } else { format!("{component}, {host}") }
}
