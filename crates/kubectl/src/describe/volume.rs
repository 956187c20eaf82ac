//! The volumes of a Pod or a template.

use api::types::{Volume, VolumeProjection};

use super::Writer;

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

fn describe(writer: &mut Writer, volume: &Volume) {
    let mut kind = |text: &str| writer.field(2, "Type", text);
    if let Some(source) = &volume.host_path {
        kind("HostPath (bare host directory volume)");
        writer.field(2, "Path", &source.path);
        writer.field(2, "HostPathType", source.type_.as_deref().unwrap_or_default());
    } else if let Some(source) = &volume.empty_dir {
        kind("EmptyDir (a temporary directory that shares a pod's lifetime)");
        writer.field(2, "Medium", source.medium.as_deref().unwrap_or_default());
        let limit = source.size_limit.as_ref().map_or("<unset>", |limit| limit.0.as_str());
        writer.field(2, "SizeLimit", limit);
    } else if let Some(source) = &volume.secret {
        kind("Secret (a volume populated by a Secret)");
        writer.field(2, "SecretName", source.secret_name.as_deref().unwrap_or_default());
        writer.field(2, "Optional", source.optional.unwrap_or_default());
    } else if let Some(source) = &volume.config_map {
        kind("ConfigMap (a volume populated by a ConfigMap)");
        writer.field(2, "Name", &source.name);
        writer.field(2, "Optional", source.optional.unwrap_or_default());
    } else if let Some(source) = &volume.persistent_volume_claim {
        kind("PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)");
        writer.field(2, "ClaimName", &source.claim_name);
        writer.field(2, "ReadOnly", source.read_only.unwrap_or_default());
    } else if let Some(source) = &volume.downward_api {
        kind("DownwardAPI (a volume populated by information about the pod)");
        writer.line(2, "Items:");
        for item in source.items.iter().flatten() {
            let path = item.field_ref.as_ref().map(|field| field.field_path.as_str()).unwrap_or_default();
            writer.line(3, format!("{path} -> {}", item.path));
        }
    } else if let Some(source) = &volume.projected {
        kind("Projected (a volume that contains injected data from multiple sources)");
        source.sources.iter().flatten().for_each(|source| projection(writer, source));
    } else if let Some(source) = &volume.nfs {
        kind("NFS (an NFS mount that lasts the lifetime of a pod)");
        writer.field(2, "Server", &source.server);
        writer.field(2, "Path", &source.path);
        writer.field(2, "ReadOnly", source.read_only.unwrap_or_default());
    } else if let Some(source) = &volume.csi {
        kind("CSI (a Container Storage Interface (CSI) volume source)");
        writer.field(2, "Driver", &source.driver);
        writer.field(2, "FSType", source.fs_type.as_deref().unwrap_or_default());
        writer.field(2, "ReadOnly", source.read_only.unwrap_or_default());
    } else if volume.ephemeral.is_some() {
        kind("EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)");
    } else {
        writer.line(2, "<unknown>");
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
