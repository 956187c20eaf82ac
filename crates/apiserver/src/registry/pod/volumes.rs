//! Volumes.

use api::field::{Error, Errors, Path};
use api::types::{DownwardAPIVolumeFile, HostPathVolumeSource, KeyToPath, ProjectedVolumeSource, Volume};
use api::validate::dns1123_label;

use super::env;
use super::mounts::{descending_path, no_backsteps};
use crate::registry::rules::{amount, complain, list, text};

const HOST_PATH_TYPES: &[&str] =
    &["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
const DOWNWARD_FIELDS: &[&str] =
    &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
const MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

/// Checks all volumes; what comes back are those without a mistake, the only ones that containers can mount.
pub(super) fn validate<'a>(volumes: &'a [Volume], path: &Path, errors: &mut Errors) -> Vec<&'a Volume> {
    let mut valid: Vec<&Volume> = Vec::with_capacity(volumes.len());
    for (index, volume) in volumes.iter().enumerate() {
        let path = path.index(index);
        let before = errors.len();
        source(volume, &path, errors);
        if volume.name.is_empty() {
            errors.push(Error::required(&path.child("name"), ""));
        } else {
            complain(errors, &path.child("name"), &volume.name, dns1123_label(&volume.name));
        }
        if valid.iter().any(|other| other.name == volume.name) {
            errors.push(Error::duplicate(&path.child("name"), volume.name.as_str()));
        }
        if errors.len() == before {
            valid.push(volume);
        }
    }
    valid
}

/// A directory or file of the node, which persistent volumes may be as well.
pub(in crate::registry) fn host_path(source: &HostPathVolumeSource, path: &Path, errors: &mut Errors) {
    if source.path.is_empty() {
        errors.push(Error::required(&path.child("path"), ""));
    } else {
        no_backsteps(&source.path, &path.child("path"), errors);
    }
    let kind = text(&source.type_);
    if !HOST_PATH_TYPES.contains(&kind) {
        errors.push(Error::not_supported(&path.child("type"), kind, HOST_PATH_TYPES));
    }
}

/// Every kind of source with whether the volume has it, in the order in which upstream looks.
pub(super) fn sources(volume: &Volume) -> impl Iterator<Item = (&'static str, bool)> {
    [
        ("emptyDir", volume.empty_dir.is_some()),
        ("hostPath", volume.host_path.is_some()),
        ("gitRepo", volume.git_repo.is_some()),
        ("gcePersistentDisk", volume.gce_persistent_disk.is_some()),
        ("awsElasticBlockStore", volume.aws_elastic_block_store.is_some()),
        ("secret", volume.secret.is_some()),
        ("nfs", volume.nfs.is_some()),
        ("iscsi", volume.iscsi.is_some()),
        ("glusterfs", volume.glusterfs.is_some()),
        ("persistentVolumeClaim", volume.persistent_volume_claim.is_some()),
        ("rbd", volume.rbd.is_some()),
        ("cinder", volume.cinder.is_some()),
        ("cephfs", volume.cephfs.is_some()),
        ("flocker", volume.flocker.is_some()),
        ("downwardAPI", volume.downward_api.is_some()),
        ("fc", volume.fc.is_some()),
        ("flexVolume", volume.flex_volume.is_some()),
        ("configMap", volume.config_map.is_some()),
        ("azureFile", volume.azure_file.is_some()),
        ("vsphereVolume", volume.vsphere_volume.is_some()),
        ("quobyte", volume.quobyte.is_some()),
        ("azureDisk", volume.azure_disk.is_some()),
        ("photonPersistentDisk", volume.photon_persistent_disk.is_some()),
        ("portworxVolume", volume.portworx_volume.is_some()),
        ("scaleIO", volume.scale_io.is_some()),
        ("storageos", volume.storageos.is_some()),
        ("projected", volume.projected.is_some()),
        ("csi", volume.csi.is_some()),
        ("ephemeral", volume.ephemeral.is_some()),
        ("image", volume.image.is_some()),
    ]
    .into_iter()
}

fn source(volume: &Volume, path: &Path, errors: &mut Errors) {
    let mut count = 0;
    for (name, _) in sources(volume).filter(|(_, is_set)| *is_set) {
        count += 1;
        if count > 1 {
            errors.push(Error::forbidden(&path.child(name), "may not specify more than 1 volume type"));
        } else {
            checked(volume, name, &path.child(name), errors);
        }
    }
    if count == 0 {
        errors.push(Error::required(path, "must specify a volume type"));
    }
}

/// The rules of one source, whose name is `name`.
fn checked(volume: &Volume, name: &str, path: &Path, errors: &mut Errors) {
    match name {
        "emptyDir" => {
            let limit = volume.empty_dir.as_ref().and_then(|source| source.size_limit.as_ref());
            if limit.is_some_and(|limit| amount(limit).0 < 0) {
                let why = "SizeLimit field must be a valid resource quantity";
                errors.push(Error::forbidden(&path.child("sizeLimit"), why));
            }
        }
        "hostPath" => {
            let Some(source) = &volume.host_path else { return };
            host_path(source, path, errors);
        }
        "secret" => {
            let Some(source) = &volume.secret else { return };
            required(text(&source.secret_name), "secretName", path, errors);
            mode(source.default_mode, "defaultMode", path, errors);
            items(list(&source.items), &path.child("items"), errors);
        }
        "configMap" => {
            let Some(source) = &volume.config_map else { return };
            required(&source.name, "name", path, errors);
            mode(source.default_mode, "defaultMode", path, errors);
            items(list(&source.items), &path.child("items"), errors);
        }
        "nfs" => {
            let Some(source) = &volume.nfs else { return };
            required(&source.server, "server", path, errors);
            required(&source.path, "path", path, errors);
            if !source.path.starts_with('/') {
                errors.push(Error::invalid(&path.child("path"), source.path.as_str(), "must be an absolute path"));
            }
        }
        "persistentVolumeClaim" => {
            let claim = volume.persistent_volume_claim.as_ref().map(|source| source.claim_name.as_str());
            required(claim.unwrap_or_default(), "claimName", path, errors);
        }
        "downwardAPI" => {
            let Some(source) = &volume.downward_api else { return };
            mode(source.default_mode, "defaultMode", path, errors);
            downward_files(list(&source.items), &path.child("items"), errors);
        }
        "projected" => {
            let Some(source) = &volume.projected else { return };
            mode(source.default_mode, "defaultMode", path, errors);
            projections(source, &path.child("sources"), errors);
        }
        "csi" => {
            let driver = volume.csi.as_ref().map(|source| source.driver.as_str());
            required(driver.unwrap_or_default(), "driver", path, errors);
        }
        "ephemeral" => {
            let template = volume.ephemeral.as_ref().and_then(|source| source.volume_claim_template.as_ref());
            match template {
                None => errors.push(Error::required(&path.child("volumeClaimTemplate"), "")),
                Some(template) => {
                    let template_path = path.child("volumeClaimTemplate");
                    let path = template_path.child("spec");
                    crate::registry::persistent_volume_claim::validate_spec(&template.spec, &path, errors);
                }
            }
        }
        "image" => {
            let reference = volume.image.as_ref().map(|source| text(&source.reference));
            required(reference.unwrap_or_default(), "reference", path, errors);
        }
        _ => {}
    }
}

fn required(value: &str, name: &str, path: &Path, errors: &mut Errors) {
    if value.is_empty() {
        errors.push(Error::required(&path.child(name), ""));
    }
}

fn mode(mode: Option<i32>, name: &str, path: &Path, errors: &mut Errors) {
    if let Some(mode) = mode.filter(|mode| !(0..=0o777).contains(mode)) {
        errors.push(Error::invalid(&path.child(name), mode, MODE));
    }
}

fn items(items: &[KeyToPath], path: &Path, errors: &mut Errors) {
    for (index, item) in items.iter().enumerate() {
        let path = path.index(index);
        required(&item.key, "key", &path, errors);
        file_path(&item.path, &path.child("path"), errors);
        mode(item.mode, "mode", &path, errors);
    }
}

fn file_path(file: &str, path: &Path, errors: &mut Errors) {
    if file.is_empty() {
        errors.push(Error::required(path, ""));
        return;
    }
    descending_path(file, path, errors);
    if file.starts_with("..") && !file.starts_with("../") {
        errors.push(Error::invalid(path, file, "must not start with '..'"));
    }
}

fn downward_files(files: &[DownwardAPIVolumeFile], path: &Path, errors: &mut Errors) {
    for (index, file) in files.iter().enumerate() {
        let path = path.index(index);
        file_path(&file.path, &path.child("path"), errors);
        match (&file.field_ref, &file.resource_field_ref) {
            (Some(reference), other) => {
                env::field(reference, DOWNWARD_FIELDS, &path.child("fieldRef"), errors);
                if other.is_some() {
                    let why = "fieldRef and resourceFieldRef can not be specified simultaneously";
                    errors.push(Error::invalid(&path, "resource", why));
                }
            }
            (None, Some(reference)) => env::resource(reference, true, &path.child("resourceFieldRef"), errors),
            (None, None) => {
                errors.push(Error::required(&path, "one of fieldRef and resourceFieldRef is required"));
            }
        }
        mode(file.mode, "mode", &path, errors);
    }
}

fn projections(source: &ProjectedVolumeSource, path: &Path, errors: &mut Errors) {
    for (index, source) in list(&source.sources).iter().enumerate() {
        let path = path.index(index);
        let mut count = 0;
        if let Some(secret) = &source.secret {
            count += 1;
            let path = path.child("secret");
            required(&secret.name, "name", &path, errors);
            items(list(&secret.items), &path.child("items"), errors);
        }
        if let Some(config_map) = &source.config_map {
            count += 1;
            let path = path.child("configMap");
            required(&config_map.name, "name", &path, errors);
            items(list(&config_map.items), &path.child("items"), errors);
        }
        if let Some(downward) = &source.downward_api {
            count += 1;
            let path = path.child("downwardAPI");
            downward_files(list(&downward.items), &path.child("items"), errors);
        }
        if let Some(token) = &source.service_account_token {
            count += 1;
            let path = path.child("serviceAccountToken");
            let seconds = token.expiration_seconds.unwrap_or(3600);
            if seconds < 600 {
                let why = "may not specify a duration less than 10 minutes";
                errors.push(Error::invalid(&path.child("expirationSeconds"), seconds, why));
            }
            required(&token.path, "path", &path, errors);
        }
        count += usize::from(source.cluster_trust_bundle.is_some()) + usize::from(source.pod_certificate.is_some());
        if count == 0 {
            errors.push(Error::required(&path, "must specify a projected volume source"));
        } else if count > 1 {
            errors.push(Error::forbidden(&path, "may not specify more than 1 volume type per source"));
        }
    }
}
