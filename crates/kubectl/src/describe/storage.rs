//! Volumes, claims, storage classes.

use api::request::Options;
use api::types::{PersistentVolume, PersistentVolumeClaim, Pod, StorageClass};
use api::{Kinded, table};

use super::events::events;
use super::{Context, Writer, labels_and_annotations, name_of, or_none};
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
                        let values = wanted.values.clone().unwrap_or_default().join(", ");
                        format!("{} {} [{values}]", wanted.key, wanted.operator.to_lowercase())
                    })
                    .collect();
                writer.list(2, &format!("Term {at}"), &shown);
            }
        }
    }
    writer.field(0, "Message", object.status.as_ref().and_then(|status| status.message.as_deref()).unwrap_or_default());
    writer.line(0, "Source:");
    if let Some(source) = &spec.host_path {
        writer.field(2, "Type", "HostPath (bare host directory volume)");
        writer.field(2, "Path", &source.path);
        writer.field(2, "HostPathType", source.type_.as_deref().unwrap_or_default());
    } else if let Some(source) = &spec.csi {
        writer.field(2, "Type", "CSI (a Container Storage Interface (CSI) volume source)");
        writer.field(2, "Driver", &source.driver);
        writer.field(2, "FSType", source.fs_type.as_deref().unwrap_or_default());
        writer.field(2, "VolumeHandle", &source.volume_handle);
        writer.field(2, "ReadOnly", source.read_only.unwrap_or_default());
    } else if let Some(source) = &spec.local {
        writer.field(2, "Type", "LocalVolume (a persistent volume backed by local storage on a node)");
        writer.field(2, "Path", &source.path);
    } else if let Some(source) = &spec.nfs {
        writer.field(2, "Type", "NFS (an NFS mount that lasts the lifetime of a pod)");
        writer.field(2, "Server", &source.server);
        writer.field(2, "Path", &source.path);
        writer.field(2, "ReadOnly", source.read_only.unwrap_or_default());
    } else {
        writer.line(2, "<unknown>");
    }
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
    let users = users_of(context, object);
    writer.list(0, "Used By", &users);
    events(writer, context);
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
