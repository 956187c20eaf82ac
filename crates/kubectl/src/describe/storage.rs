//! Volumes, claims, storage classes.

use api::k8s_openapi::api::core::v1::{PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate};
use api::request::Options;
use api::types::{PersistentVolume, PersistentVolumeClaim, Pod, StorageClass};
use api::{Kinded, table};
use serde_json::Value;

use super::events::events;
use super::{Context, Writer, format_labels, labels_and_annotations, name_of, or_none, text};
use crate::resource;

/// The cells of `get -o wide`, by their columns' names: most of a description are the same texts.
fn cell(context: &Context, column: &str) -> String {
    let kind = context.info.kind;
    let now = 0;
    let at = table::columns(kind).iter().position(|known| known.name == column);
    let cells = table::cells(kind, &*context.info.object, now);
    at.and_then(|at| cells.get(at)).map(ToString::to_string).unwrap_or_default()
}

fn finalizers(writer: &mut Writer, finalizers: Option<&Vec<String>>) {
    let all = finalizers.map(|all| all.join(" ")).unwrap_or_default();
    writer.field(0, "Finalizers", format!("[{all}]"));
}

pub(super) fn volume(writer: &mut Writer, object: &PersistentVolume, context: &mut Context) {
    let none = Default::default();
    let spec = object.spec.as_ref().unwrap_or(&none);
    writer.field(0, "Name", name_of(&object.metadata));
    labels_and_annotations(writer, &object.metadata);
    finalizers(writer, object.metadata.finalizers.as_ref());
    writer.field(0, "StorageClass", cell(context, "StorageClass"));
    writer.field(0, "Status", cell(context, "Status"));
    writer.field(0, "Claim", cell(context, "Claim"));
    writer.field(0, "Reclaim Policy", cell(context, "Reclaim Policy"));
    writer.field(0, "Access Modes", cell(context, "Access Modes"));
    writer.field(0, "VolumeMode", cell(context, "VolumeMode"));
    writer.field(0, "Capacity", cell(context, "Capacity"));
    let terms = spec.node_affinity.as_ref().and_then(|affinity| affinity.required.as_ref());
    match terms.map(|required| required.node_selector_terms.as_slice()) {
        None | Some([]) => writer.field(0, "Node Affinity", "<none>"),
        Some(terms) => {
            writer.line(0, "Node Affinity:");
            writer.line(1, "Required Terms:");
            for (at, term) in terms.iter().enumerate() {
                let shown: Vec<String> = term
                    .match_expressions
                    .iter()
                    .flatten()
                    .map(|wanted| {
                        let values = wanted.values.as_deref().unwrap_or_default().join(", ");
                        let values = if values.is_empty() { String::new() } else { format!(" [{values}]") };
                        format!("{} {}{values}", wanted.key, wanted.operator.to_lowercase())
                    })
                    .collect();
                writer.list(2, &format!("Term {at}"), &shown);
            }
        }
    }
    writer.field(0, "Message", object.status.as_ref().and_then(|status| status.message.as_deref()).unwrap_or_default());
    writer.line(0, "Source:");
    super::volume::source(writer, &serde_json::json!(spec));
    events(writer, context);
}

pub(super) fn claim(writer: &mut Writer, object: &PersistentVolumeClaim, context: &mut Context) {
    super::head(writer, &object.metadata);
    writer.field(0, "StorageClass", cell(context, "StorageClass"));
    writer.field(0, "Status", cell(context, "Status"));
    writer.field(0, "Volume", cell(context, "Volume"));
    labels_and_annotations(writer, &object.metadata);
    finalizers(writer, object.metadata.finalizers.as_ref());
    writer.field(0, "Capacity", cell(context, "Capacity"));
    writer.field(0, "Access Modes", cell(context, "Access Modes"));
    writer.field(0, "VolumeMode", cell(context, "VolumeMode"));
    data_source(writer, 0, object.spec.as_ref());
    let users = users_of(context, object);
    writer.list(0, "Used By", &users);
    let conditions = object.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    if !conditions.is_empty() {
        writer.line(0, "Conditions:");
        writer.line(1, "Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage");
        writer.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
    }
    for condition in conditions {
        let (probed, changed) = (condition.last_probe_time.as_ref(), condition.last_transition_time.as_ref());
        let (reason, message) = (condition.reason.as_deref(), condition.message.as_deref());
        writer.line(
            1,
            format!(
                "{} \t{} \t{} \t{} \t{}\t{}",
                condition.type_,
                condition.status,
                time_or_beginning(probed),
                time_or_beginning(changed),
                reason.unwrap_or_default(),
                message.unwrap_or_default()
            ),
        );
    }
    events(writer, context);
}

/// A time that is not set is Go's first one.
fn time_or_beginning(time: Option<&api::types::Time>) -> String {
    time.map_or_else(|| "Mon, 01 Jan 0001 00:00:00 +0000".into(), |time| super::time(Some(time)))
}

fn data_source(writer: &mut Writer, level: usize, spec: Option<&PersistentVolumeClaimSpec>) {
    let Some(source) = spec.and_then(|spec| spec.data_source.as_ref()) else { return };
    writer.line(level, "DataSource:");
    if let Some(group) = &source.api_group {
        writer.field(level + 1, "APIGroup", group);
    }
    writer.field(level + 1, "Kind", &source.kind);
    writer.field(level + 1, "Name", &source.name);
}

/// The claim that an ephemeral volume is made from.
pub(super) fn claim_template(writer: &mut Writer, template: &PersistentVolumeClaimTemplate) {
    let (spec, meta) = (&template.spec, template.metadata.as_ref());
    writer.field(2, "StorageClass", spec.storage_class_name.as_deref().unwrap_or_default());
    writer.field(2, "Volume", spec.volume_name.as_deref().unwrap_or_default());
    super::labels(writer, 2, meta.and_then(|meta| meta.labels.as_ref()));
    super::annotations(writer, 2, meta.and_then(|meta| meta.annotations.as_ref()));
    writer.field(2, "Capacity", "");
    writer.field(2, "Access Modes", "");
    if let Some(mode) = &spec.volume_mode {
        writer.field(2, "VolumeMode", mode);
    }
    data_source(writer, 2, Some(spec));
}

/// The Pods that have the claim among their volumes.
fn users_of(context: &mut Context, object: &PersistentVolumeClaim) -> Vec<String> {
    let namespace = object.metadata.namespace.clone().unwrap_or_default();
    let listed = resource::list(context.call, Pod::row(), &namespace, Options::default());
    let pods = listed.map(|(pods, _)| pods).unwrap_or_default();
    let name = name_of(&object.metadata);
    let uses = |pod: &&api::ObjectRef| {
        let volumes = pod.downcast_ref::<Pod>().and_then(|pod| pod.spec.as_ref()?.volumes.as_deref());
        volumes
            .unwrap_or_default()
            .iter()
            .any(|volume| volume.persistent_volume_claim.as_ref().is_some_and(|claim| claim.claim_name == name))
    };
    pods.iter().filter(uses).map(|pod| pod.name().to_owned()).collect()
}

pub(super) fn class(writer: &mut Writer, object: &StorageClass, context: &mut Context) {
    writer.field(0, "Name", name_of(&object.metadata));
    let default =
        api::meta::annotation(&object.metadata, "storageclass.kubernetes.io/is-default-class") == Some("true");
    writer.field(0, "IsDefaultClass", if default { "Yes" } else { "No" });
    let shown: Vec<String> =
        object.metadata.annotations.iter().flatten().map(|(name, value)| format!("{name}={value}")).collect();
    writer.field(0, "Annotations", or_none(Some(&shown.join(","))));
    writer.field(0, "Provisioner", &object.provisioner);
    let parameters: Vec<String> =
        object.parameters.iter().flatten().map(|(name, value)| format!("{name}={value}")).collect();
    writer.field(0, "Parameters", or_none(Some(&parameters.join(","))));
    let expansion = object.allow_volume_expansion.map_or("<unset>", |yes| if yes { "True" } else { "False" });
    writer.field(0, "AllowVolumeExpansion", expansion);
    match object.mount_options.as_deref().unwrap_or_default() {
        [] => writer.field(0, "MountOptions", "<none>"),
        options => {
            writer.line(0, "MountOptions:");
            options.iter().for_each(|option| writer.line(1, option));
        }
    }
    writer.field(0, "ReclaimPolicy", cell(context, "ReclaimPolicy"));
    writer.field(0, "VolumeBindingMode", cell(context, "VolumeBindingMode"));
    if let Some(terms) = object.allowed_topologies.as_ref().filter(|terms| !terms.is_empty()) {
        writer.line(0, "AllowedTopologies:");
        for (at, term) in terms.iter().enumerate() {
            let expressions = term.match_label_expressions.iter().flatten();
            let shown: Vec<String> =
                expressions.map(|one| format!("{} in [{}]", one.key, one.values.join(", "))).collect();
            writer.field(
                1,
                &format!("Term {at}"),
                if shown.is_empty() { " <none>".into() } else { shown.join("\n\t") },
            );
        }
    }
    events(writer, context);
}

pub(super) fn attributes_class(writer: &mut Writer, value: &Value, context: &mut Context) {
    let object = context.info.object.clone();
    writer.field(0, "Name", object.name());
    writer.field(0, "Annotations", format_labels(object.meta().annotations.as_ref()));
    writer.field(0, "DriverName", text(&value["driverName"]));
    let parameters = value["parameters"].as_object().into_iter().flatten();
    let shown: Vec<String> = parameters.map(|(name, value)| format!("{name}={}", text(value))).collect();
    writer.field(0, "Parameters", or_none(Some(&shown.join(","))));
    events(writer, context);
}

/// What drivers say of a node.
pub(super) fn csi_node(writer: &mut Writer, value: &Value, context: &mut Context) {
    let object = context.info.object.clone();
    writer.field(0, "Name", object.name());
    labels_and_annotations(writer, object.meta());
    writer.field(0, "CreationTimestamp", super::time(object.meta().creation_timestamp.as_ref()));
    writer.line(0, "Spec:");
    if let Some(drivers) = value["spec"]["drivers"].as_array() {
        writer.line(1, "Drivers:");
        for driver in drivers {
            writer.line(2, format!("{}:", text(&driver["name"])));
            writer.field(3, "Node ID", text(&driver["nodeID"]));
            if let Some(count) = driver["allocatable"]["count"].as_i64() {
                writer.line(3, "Allocatables:");
                writer.field(4, "Count", count);
            }
            if driver["topologyKeys"].is_array() {
                writer.field(3, "Topology Keys", crate::output::go_text(&driver["topologyKeys"]));
            }
        }
    }
    events(writer, context);
}
