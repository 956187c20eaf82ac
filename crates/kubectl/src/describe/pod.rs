//! Pods.

use api::types::{Container, Pod, PodSpec, PodStatus};

use super::events::events;
use super::template::{Containers, placement};
use super::volume::volumes;
use super::{Context, Writer, controlled_by, head, labels_and_annotations, time};

pub(super) fn describe(writer: &mut Writer, pod: &Pod, context: &mut Context) {
    let (no_spec, no_status) = (PodSpec::default(), PodStatus::default());
    let spec = pod.spec.as_ref().unwrap_or(&no_spec);
    let status = pod.status.as_ref().unwrap_or(&no_status);
    head(writer, &pod.metadata);
    if let Some(priority) = spec.priority {
        writer.field(0, "Priority", priority);
    }
    if let Some(class) = spec.priority_class_name.as_deref().filter(|class| !class.is_empty()) {
        writer.field(0, "Priority Class Name", class);
    }
    if let Some(class) = spec.runtime_class_name.as_deref().filter(|class| !class.is_empty()) {
        writer.field(0, "Runtime Class Name", class);
    }
    if let Some(account) = spec.service_account_name.as_deref().filter(|account| !account.is_empty()) {
        writer.field(0, "Service Account", account);
    }
    match spec.node_name.as_deref().filter(|node| !node.is_empty()) {
        Some(node) => {
            writer.field(0, "Node", format!("{node}/{}", status.host_ip.as_deref().unwrap_or_default()));
        }
        None => writer.field(0, "Node", "<none>"),
    }
    if status.start_time.is_some() {
        writer.field(0, "Start Time", time(status.start_time.as_ref()));
    }
    labels_and_annotations(writer, &pod.metadata);
    let phase = status.phase.as_deref().unwrap_or_default();
    if let Some(deleted) = pod.metadata.deletion_timestamp.as_ref().filter(|_| !matches!(phase, "Succeeded" | "Failed"))
    {
        let lasts = api::table::age::since(Some(deleted), context.call.client.now());
        writer.field(0, "Status", format!("Terminating (lasts {lasts})"));
        let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or_default();
        writer.field(0, "Termination Grace Period", format!("{grace}s"));
    } else {
        writer.field(0, "Status", phase);
    }
    for (title, text) in [("Reason", &status.reason), ("Message", &status.message)] {
        if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
            writer.field(0, title, text);
        }
    }
    writer.field(0, "IP", status.pod_ip.as_deref().unwrap_or_default());
    match status.pod_ips.as_deref().unwrap_or_default() {
        [] => writer.field(0, "IPs", "<none>"),
        ips => {
            writer.line(0, "IPs:");
            ips.iter().for_each(|ip| writer.field(1, "IP", &ip.ip));
        }
    }
    controlled_by(writer, &pod.metadata);
    if let Some(node) = status.nominated_node_name.as_deref().filter(|node| !node.is_empty()) {
        writer.field(0, "NominatedNodeName", node);
    }
    let containers = |statuses| Containers { indent: 0, pod: Some(pod), statuses };
    if let Some(init) = spec.init_containers.as_ref().filter(|init| !init.is_empty()) {
        let statuses = status.init_container_statuses.as_deref().unwrap_or_default();
        containers(statuses).write(writer, "Init Containers", init);
    }
    let statuses = status.container_statuses.as_deref().unwrap_or_default();
    containers(statuses).write(writer, "Containers", &spec.containers);
    let ephemeral: Vec<Container> = spec.ephemeral_containers.iter().flatten().filter_map(as_container).collect();
    if !ephemeral.is_empty() {
        let statuses = status.ephemeral_container_statuses.as_deref().unwrap_or_default();
        containers(statuses).write(writer, "Ephemeral Containers", &ephemeral);
    }
    if let Some(gates) = spec.readiness_gates.as_ref().filter(|gates| !gates.is_empty()) {
        writer.line(0, "Readiness Gates:");
        writer.line(1, "Type\tStatus");
        for gate in gates {
            let condition = status.conditions.iter().flatten().find(|known| known.type_ == gate.condition_type);
            let value = condition.map_or("<none>", |condition| condition.status.as_str());
            writer.line(1, format!("{} \t{value} ", gate.condition_type));
        }
    }
    if let Some(conditions) = status.conditions.as_ref().filter(|conditions| !conditions.is_empty()) {
        writer.line(0, "Conditions:");
        writer.line(1, "Type\tStatus");
        conditions.iter().for_each(|condition| writer.line(1, format!("{} \t{} ", condition.type_, condition.status)));
    }
    volumes(writer, spec.volumes.as_deref().unwrap_or_default(), 0);
    writer.field(0, "QoS Class", status.qos_class.as_deref().unwrap_or_default());
    placement(writer, spec, 0);
    events(writer, context);
}

/// An ephemeral container has the fields of any other, and one more.
fn as_container(container: &impl serde::Serialize) -> Option<Container> {
    let mut value = api::wire::value_of(container);
    value.as_object_mut()?.remove("targetContainerName");
    api::decode::typed(value).ok()
}
