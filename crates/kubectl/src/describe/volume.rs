//! The volumes of a Pod or a template.

use api::types::{Volume, VolumeProjection};

use serde_json::Value;

use super::{Writer, text};
use crate::output::go_text;

pub(super) fn volumes(writer: &mut Writer, volumes: &[Volume], indent: usize) {
    if volumes.is_empty() {
        return writer.field(indent, "Volumes", "<none>");
    }
    writer.line(indent, "Volumes:");
    for volume in volumes {
        let space = if indent > 0 { " " } else { "" };
        writer.line(1, format!("{space}{}:", volume.name));
        describe(writer, volume);
    }
}

/// How a kind of source is described: its field in a volume, what it is called, and its lines: title, field, and what
/// stands there when the field is missing.
type Source = (&'static str, &'static str, &'static [(&'static str, &'static str, &'static str)]);

const SOURCES: &[Source] = &[
    (
        "hostPath",
        "HostPath (bare host directory volume)",
        &[("Path:", "path", ""), ("HostPathType:", "type", "<none>")],
    ),
    (
        "emptyDir",
        "EmptyDir (a temporary directory that shares a pod's lifetime)",
        &[("Medium:", "medium", ""), ("SizeLimit:", "sizeLimit", "<unset>")],
    ),
    (
        "gcePersistentDisk",
        "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
        &[("PDName:", "pdName", ""), FS_TYPE, ("Partition:", "partition", "0"), READ_ONLY],
    ),
    (
        "awsElasticBlockStore",
        "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
        &[("VolumeID:", "volumeID", ""), FS_TYPE, ("Partition:", "partition", "0"), READ_ONLY],
    ),
    (
        "gitRepo",
        "GitRepo (a volume that is pulled from git when the pod is created)",
        &[("Repository:", "repository", ""), ("Revision:", "revision", "")],
    ),
    (
        "secret",
        "Secret (a volume populated by a Secret)",
        &[("SecretName:", "secretName", ""), ("Optional:", "optional", "false")],
    ),
    (
        "configMap",
        "ConfigMap (a volume populated by a ConfigMap)",
        &[("Name:", "name", ""), ("Optional:", "optional", "false")],
    ),
    (
        "nfs",
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        &[("Server:", "server", ""), ("Path:", "path", ""), READ_ONLY],
    ),
    (
        "quobyte",
        "Quobyte (a Quobyte mount on the host that shares a pod's lifetime)",
        &[("Registry:", "registry", ""), ("Volume:", "volume", ""), READ_ONLY],
    ),
    ("portworxVolume", "PortworxVolume (a Portworx Volume resource)", &[("VolumeID:", "volumeID", "")]),
    (
        "iscsi",
        "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)",
        &[
            ("TargetPortal:", "targetPortal", ""),
            ("IQN:", "iqn", ""),
            ("Lun:", "lun", "0"),
            ("ISCSIInterface", "iscsiInterface", ""),
            FS_TYPE,
            READ_ONLY,
            ("Portals:", "portals", "[]"),
            ("DiscoveryCHAPAuth:", "chapAuthDiscovery", "false"),
            ("SessionCHAPAuth:", "chapAuthSession", "false"),
            SECRET,
            ("InitiatorName:", "initiatorName", "<none>"),
        ],
    ),
    (
        "glusterfs",
        "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)",
        &[("EndpointsName:", "endpoints", ""), ("Path:", "path", ""), READ_ONLY],
    ),
    (
        "persistentVolumeClaim",
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        &[("ClaimName:", "claimName", ""), READ_ONLY],
    ),
    (
        "rbd",
        "RBD (a Rados Block Device mount on the host that shares a pod's lifetime)",
        &[
            ("CephMonitors:", "monitors", "[]"),
            ("RBDImage:", "image", ""),
            FS_TYPE,
            ("RBDPool:", "pool", ""),
            ("RadosUser:", "user", ""),
            ("Keyring:", "keyring", ""),
            SECRET,
            READ_ONLY,
        ],
    ),
    (
        "azureDisk",
        "AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
        &[
            ("DiskName:", "diskName", ""),
            ("DiskURI:", "diskURI", ""),
            ("Kind: ", "kind", ""),
            FS_TYPE,
            ("CachingMode:", "cachingMode", ""),
            READ_ONLY,
        ],
    ),
    (
        "vsphereVolume",
        "vSphereVolume (a Persistent Disk resource in vSphere)",
        &[("VolumePath:", "volumePath", ""), FS_TYPE, ("StoragePolicyName:", "storagePolicyName", "")],
    ),
    (
        "cinder",
        "Cinder (a Persistent Disk resource in OpenStack)",
        &[("VolumeID:", "volumeID", ""), FS_TYPE, READ_ONLY, SECRET],
    ),
    (
        "photonPersistentDisk",
        "PhotonPersistentDisk (a Persistent Disk resource in photon platform)",
        &[("PdID:", "pdID", ""), FS_TYPE],
    ),
    (
        "scaleIO",
        "ScaleIO (a persistent volume backed by a block device in ScaleIO)",
        &[
            ("Gateway:", "gateway", ""),
            ("System:", "system", ""),
            ("Protection Domain:", "protectionDomain", ""),
            ("Storage Pool:", "storagePool", ""),
            ("Storage Mode:", "storageMode", ""),
            ("VolumeName:", "volumeName", ""),
            FS_TYPE,
            READ_ONLY,
        ],
    ),
    ("local", "LocalVolume (a persistent volume backed by local storage on a node)", &[("Path:", "path", "")]),
    (
        "cephfs",
        "CephFS (a CephFS mount on the host that shares a pod's lifetime)",
        &[
            ("Monitors:", "monitors", "[]"),
            ("Path:", "path", ""),
            ("User:", "user", ""),
            ("SecretFile:", "secretFile", ""),
            SECRET,
            READ_ONLY,
        ],
    ),
    (
        "storageos",
        "StorageOS (a StorageOS Persistent Disk resource)",
        &[("VolumeName:", "volumeName", ""), ("VolumeNamespace:", "volumeNamespace", ""), FS_TYPE, READ_ONLY],
    ),
    (
        "fc",
        "FC (a Fibre Channel disk)",
        &[("TargetWWNs:", "targetWWNs", ""), ("LUN:", "lun", "<none>"), FS_TYPE, READ_ONLY],
    ),
    (
        "azureFile",
        "AzureFile (an Azure File Service mount on the host and bind mount to the pod)",
        &[("SecretName:", "secretName", ""), ("ShareName:", "shareName", ""), READ_ONLY],
    ),
    (
        "flexVolume",
        "FlexVolume (a generic volume resource that is provisioned/attached using an exec based plugin)",
        &[("Driver:", "driver", ""), FS_TYPE, SECRET, READ_ONLY, ("Options:", "options", "map[]")],
    ),
    (
        "flocker",
        "Flocker (a Flocker volume mounted by the Flocker agent)",
        &[("DatasetName:", "datasetName", ""), ("DatasetUUID:", "datasetUUID", "")],
    ),
    (
        "csi",
        "CSI (a Container Storage Interface (CSI) volume source)",
        &[("Driver:", "driver", ""), FS_TYPE, READ_ONLY],
    ),
    (
        "image",
        "Image (a container image or OCI artifact)",
        &[("Reference:", "reference", ""), ("PullPolicy:", "pullPolicy", "")],
    ),
];

const FS_TYPE: (&str, &str, &str) = ("FSType:", "fsType", "");
const READ_ONLY: (&str, &str, &str) = ("ReadOnly:", "readOnly", "false");
const SECRET: (&str, &str, &str) = ("SecretRef:", "secretRef", "nil");

fn describe(writer: &mut Writer, volume: &Volume) {
    if volume.downward_api.is_some() {
        writer.field(2, "Type", "DownwardAPI (a volume populated by information about the pod)");
        writer.line(2, "Items:");
        for item in volume.downward_api.iter().flat_map(|source| source.items.iter().flatten()) {
            let field = item.field_ref.as_ref().map(|field| field.field_path.as_str());
            let resource = item.resource_field_ref.as_ref().map(|field| field.resource.as_str());
            for from in [field, resource].into_iter().flatten() {
                writer.line(3, format!("{from} -> {}", item.path));
            }
        }
    } else if let Some(source) = &volume.projected {
        writer.field(2, "Type", "Projected (a volume that contains injected data from multiple sources)");
        source.sources.iter().flatten().for_each(|source| projection(writer, source));
    } else if let Some(source) = &volume.ephemeral {
        let kind = "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)";
        writer.field(2, "Type", kind);
        if let Some(template) = &source.volume_claim_template {
            super::storage::claim_template(writer, template);
        }
    } else {
        source(writer, &serde_json::json!(volume));
    }
}

/// The source of a volume or of a PersistentVolume, by its JSON.
pub(super) fn source(writer: &mut Writer, volume: &Value) {
    let Some((field, kind, lines)) = SOURCES.iter().find(|(field, ..)| volume[*field].is_object()) else {
        return writer.line(2, "<unknown>");
    };
    let source = &volume[*field];
    writer.field(2, "Type", kind);
    for (title, field, missing) in *lines {
        let shown = match &source[*field] {
            Value::Null => (*missing).to_owned(),
            Value::Array(items) if *field == "targetWWNs" => items.iter().map(text).collect::<Vec<_>>().join(", "),
            Value::Object(_) if *field == "secretRef" => secret_reference(&source[*field]),
            other => go_text(other),
        };
        writer.line(2, format!("{title}\t{shown}"));
        if *title == "FSType:" && source["volumeHandle"].is_string() {
            writer.field(2, "VolumeHandle", text(&source["volumeHandle"]));
        }
        if *title == "SecretName:" && source["secretNamespace"].is_string() {
            writer.field(2, "SecretNamespace", text(&source["secretNamespace"]));
        }
    }
    if *field == "csi" {
        let attributes = source["volumeAttributes"].as_object().into_iter().flatten();
        let shown: Vec<String> = attributes.map(|(name, value)| format!("{name}={}", text(value))).collect();
        writer.list(2, "VolumeAttributes", &shown);
    }
}

/// A reference as the API's types print themselves.
fn secret_reference(reference: &Value) -> String {
    let name = text(&reference["name"]);
    match reference["namespace"].as_str() {
        Some(namespace) => format!("&SecretReference{{Name:{name},Namespace:{namespace},}}"),
        None => format!("&LocalObjectReference{{Name:{name},}}"),
    }
}

fn projection(writer: &mut Writer, source: &VolumeProjection) {
    if let Some(secret) = &source.secret {
        writer.field(2, "SecretName", &secret.name);
        writer.field(2, "Optional", secret.optional.unwrap_or_default());
    } else if source.downward_api.is_some() {
        writer.field(2, "DownwardAPI", true);
    } else if let Some(map) = &source.config_map {
        writer.field(2, "ConfigMapName", &map.name);
        writer.field(2, "Optional", map.optional.unwrap_or_default());
    } else if let Some(token) = &source.service_account_token {
        writer.field(2, "TokenExpirationSeconds", token.expiration_seconds.unwrap_or(3600));
    }
}
