//! Volumes.

use std::collections::BTreeSet;

use api::field::{Error, Errors, Path};
use api::types::{DownwardAPIVolumeFile, ISCSIVolumeSource, KeyToPath, ProjectedVolumeSource, Volume};
use api::validate::{annotations, dns1123_label, dns1123_subdomain, labels};

use super::env;
use super::spec::required_word;
use crate::registry::csi::driver_name;
use crate::registry::rules::{amount, complain, list, text};
use crate::registry::volume_sources::{self as shared, Source, descending_path, required};

const DOWNWARD_FIELDS: &[&str] =
    &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
const MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

/// Checks all volumes; what comes back are those without a mistake, the only ones that containers can mount. `pod` is the
/// name of the Pod, if it has one already: claims of its ephemeral volumes are called after it.
pub(super) fn validate<'a>(
    volumes: &'a [Volume],
    pod: Option<&str>,
    path: &Path,
    errors: &mut Errors,
) -> Vec<&'a Volume> {
    let pod = pod.filter(|name| !name.is_empty());
    let made = |claim: &str| {
        let name = pod.and_then(|pod| claim.strip_prefix(pod)?.strip_prefix('-'));
        name.is_some_and(|name| volumes.iter().any(|volume| volume.ephemeral.is_some() && volume.name == name))
    };
    let mut valid: Vec<&Volume> = Vec::with_capacity(volumes.len());
    for (index, volume) in volumes.iter().enumerate() {
        let path = path.index(index);
        let before = errors.len();
        let sources = sources(volume).map(|(name, is_set)| Source(name, is_set));
        shared::one_source(sources, &path, errors, |name, source_path, errors| {
            checked(volume, name, pod, &path, source_path, errors);
        });
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
        if let Some(claim) = volume.persistent_volume_claim.as_ref().filter(|claim| made(&claim.claim_name)) {
            let why = "must not reference a PVC that gets created for an ephemeral volume";
            let path = path.child("persistentVolumeClaim");
            errors.push(Error::invalid(&path.child("claimName"), claim.claim_name.as_str(), why));
        }
    }
    valid
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
        ("flocker", volume.flocker.is_some()),
        ("persistentVolumeClaim", volume.persistent_volume_claim.is_some()),
        ("rbd", volume.rbd.is_some()),
        ("cinder", volume.cinder.is_some()),
        ("cephfs", volume.cephfs.is_some()),
        ("quobyte", volume.quobyte.is_some()),
        ("downwardAPI", volume.downward_api.is_some()),
        ("fc", volume.fc.is_some()),
        ("flexVolume", volume.flex_volume.is_some()),
        ("configMap", volume.config_map.is_some()),
        ("azureFile", volume.azure_file.is_some()),
        ("vsphereVolume", volume.vsphere_volume.is_some()),
        ("photonPersistentDisk", volume.photon_persistent_disk.is_some()),
        ("portworxVolume", volume.portworx_volume.is_some()),
        ("azureDisk", volume.azure_disk.is_some()),
        ("storageos", volume.storageos.is_some()),
        ("projected", volume.projected.is_some()),
        ("scaleIO", volume.scale_io.is_some()),
        ("csi", volume.csi.is_some()),
        ("ephemeral", volume.ephemeral.is_some()),
        ("image", volume.image.is_some()),
    ]
    .into_iter()
}

/// The rules of one source, whose name is `name`.
fn checked(volume: &Volume, name: &str, pod: Option<&str>, volume_path: &Path, path: &Path, errors: &mut Errors) {
    if let Some(limit) = volume.empty_dir.as_ref().and_then(|source| source.size_limit.as_ref())
        && amount(limit).0 < 0
    {
        let why = "SizeLimit field must be a valid resource quantity";
        errors.push(Error::forbidden(&path.child("sizeLimit"), why));
    } else if let ("secret", Some(source)) = (name, &volume.secret) {
        required(&[("secretName", text(&source.secret_name))], path, errors);
        mode(source.default_mode, "defaultMode", path, errors);
        items(list(&source.items), &path.child("items"), errors);
    } else if let ("configMap", Some(source)) = (name, &volume.config_map) {
        required(&[("name", &source.name)], path, errors);
        mode(source.default_mode, "defaultMode", path, errors);
        items(list(&source.items), &path.child("items"), errors);
    } else if let ("persistentVolumeClaim", Some(source)) = (name, &volume.persistent_volume_claim) {
        required(&[("claimName", &source.claim_name)], path, errors);
    } else if let ("downwardAPI", Some(source)) = (name, &volume.downward_api) {
        mode(source.default_mode, "defaultMode", path, errors);
        for file in list(&source.items) {
            downward_file(file, path, errors);
        }
    } else if let ("projected", Some(source)) = (name, &volume.projected) {
        mode(source.default_mode, "defaultMode", path, errors);
        projections(source, path, errors);
    } else if let ("csi", Some(source)) = (name, &volume.csi) {
        driver_name(&source.driver, &path.child("driver"), errors);
        if let Some(secret) = &source.node_publish_secret_ref {
            required(&[("name", &secret.name)], &path.child("nodePublishSecretRef"), errors);
            if !secret.name.is_empty() {
                complain(errors, &path.child("name"), &secret.name, dns1123_subdomain(&secret.name));
            }
        }
    } else if name == "ephemeral" {
        ephemeral(volume, pod, volume_path, path, errors);
    } else if let ("image", Some(source)) = (name, &volume.image) {
        required(&[("reference", text(&source.reference))], path, errors);
        required_word(text(&source.pull_policy), super::containers::PULL_POLICIES, &path.child("pullPolicy"), errors);
    } else {
        old_source(volume, name, volume_path, path, errors);
    }
}

/// Sources of clouds and storage systems, most of which no node can mount any more.
fn old_source(volume: &Volume, name: &str, volume_path: &Path, path: &Path, errors: &mut Errors) {
    shared::check_alike!(volume, name, path, &mut *errors);
    if let ("gitRepo", Some(source)) = (name, &volume.git_repo) {
        required(&[("repository", &source.repository)], path, errors);
        descending_path(text(&source.directory), &path.child("directory"), errors);
    } else if let ("iscsi", Some(source)) = (name, &volume.iscsi) {
        iscsi(source, &volume.name, volume_path, path, errors);
    } else if let ("glusterfs", Some(source)) = (name, &volume.glusterfs) {
        required(&[("endpoints", &source.endpoints), ("path", &source.path)], path, errors);
    } else if let ("cinder", Some(source)) = (name, &volume.cinder) {
        required(&[("volumeID", &source.volume_id)], path, errors);
        if let Some(secret) = &source.secret_ref {
            shared::secret_reference(&[("name", &secret.name)], path, errors);
        }
    } else if let ("azureFile", Some(source)) = (name, &volume.azure_file) {
        required(&[("secretName", &source.secret_name), ("shareName", &source.share_name)], path, errors);
    } else if let ("storageos", Some(source)) = (name, &volume.storageos) {
        shared::storage_os(text(&source.volume_name), text(&source.volume_namespace), path, errors);
        if let Some(secret) = &source.secret_ref {
            shared::secret_reference(&[("name", &secret.name)], path, errors);
        }
    }
}

fn iscsi(source: &ISCSIVolumeSource, volume: &str, volume_path: &Path, path: &Path, errors: &mut Errors) {
    required(&[("targetPortal", &source.target_portal)], path, errors);
    let target = shared::Iscsi {
        portal: &source.target_portal,
        iqn: &source.iqn,
        lun: source.lun,
        authenticates: source.chap_auth_discovery == Some(true) || source.chap_auth_session == Some(true),
        has_secret: source.secret_ref.is_some(),
        initiator: source.initiator_name.as_deref(),
        unknown: "must be valid format starting with iqn, eui, or naa",
    };
    target.validate(path, errors);
    target.initiator(path, errors);
    if target.is_too_long(volume) {
        errors.push(Error::invalid(&volume_path.child("name"), volume, shared::ISCSI_TOO_LONG));
    }
}

fn ephemeral(volume: &Volume, pod: Option<&str>, volume_path: &Path, path: &Path, errors: &mut Errors) {
    let template_path = path.child("volumeClaimTemplate");
    match volume.ephemeral.as_ref().and_then(|source| source.volume_claim_template.as_ref()) {
        None => errors.push(Error::required(&template_path, "")),
        Some(template) => {
            if let Some(meta) = &template.metadata {
                let path = template_path.child("metadata");
                annotations(meta.annotations.as_ref(), &path.child("annotations"), errors);
                labels(meta.labels.as_ref(), &path.child("labels"), errors);
                for (name, is_set) in [
                    ("name", meta.name.is_some()),
                    ("generateName", meta.generate_name.is_some()),
                    ("namespace", meta.namespace.is_some()),
                    ("ownerReferences", meta.owner_references.is_some()),
                    ("finalizers", meta.finalizers.is_some()),
                ] {
                    if is_set {
                        errors.push(Error::forbidden(&path.child(name), "cannot be set"));
                    }
                }
            }
            let path = template_path.child("spec");
            crate::registry::persistent_volume_claim::validate_spec(&template.spec, &path, errors);
        }
    }
    if let Some(pod) = pod.filter(|_| !volume.name.is_empty()) {
        let claim = format!("{pod}-{}", volume.name);
        for why in dns1123_subdomain(&claim) {
            let why = format!("PVC name {claim:?}: {why}");
            errors.push(Error::invalid(&volume_path.child("name"), volume.name.as_str(), why));
        }
    }
}

fn mode(mode: Option<i32>, name: &str, path: &Path, errors: &mut Errors) {
    if let Some(mode) = mode.filter(|mode| !(0..=0o777).contains(mode)) {
        errors.push(Error::invalid(&path.child(name), mode, MODE));
    }
}

fn items(items: &[KeyToPath], path: &Path, errors: &mut Errors) {
    for (index, one) in items.iter().enumerate() {
        item(one, &path.index(index), errors);
    }
}

fn item(item: &KeyToPath, path: &Path, errors: &mut Errors) {
    required(&[("key", &item.key)], path, errors);
    file_path(&item.path, &path.child("path"), errors);
    mode(item.mode, "mode", path, errors);
}

fn file_path(file: &str, path: &Path, errors: &mut Errors) {
    if file.is_empty() {
        errors.push(Error::required(path, ""));
    } else {
        not_reserved(file, path, errors);
    }
}

/// `ValidateLocalNonReservedPath`
fn not_reserved(file: &str, path: &Path, errors: &mut Errors) {
    descending_path(file, path, errors);
    if file.starts_with("..") && !file.starts_with("../") {
        errors.push(Error::invalid(path, file, "must not start with '..'"));
    }
}

/// Upstream does not say which of the files is wrong.
fn downward_file(file: &DownwardAPIVolumeFile, path: &Path, errors: &mut Errors) {
    file_path(&file.path, &path.child("path"), errors);
    match (&file.field_ref, &file.resource_field_ref) {
        (Some(reference), other) => {
            env::field(reference, DOWNWARD_FIELDS, &path.child("fieldRef"), errors);
            if other.is_some() {
                let why = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.push(Error::invalid(path, "resource", why));
            }
        }
        (None, Some(reference)) => env::resource(reference, true, &path.child("resourceFieldRef"), errors),
        (None, None) => {
            errors.push(Error::required(path, "one of fieldRef and resourceFieldRef is required"));
        }
    }
    mode(file.mode, "mode", path, errors);
}

/// The files of a projected volume, of which no two may have one path.
struct Files<'a> {
    path: &'a Path<'a>,
    taken: BTreeSet<&'a str>,
}

impl<'a> Files<'a> {
    /// `shown` stands in the text for the path.
    fn add(&mut self, file: &'a str, shown: &str, errors: &mut Errors) {
        if !file.is_empty() && !self.taken.insert(file) {
            errors.push(Error::invalid(self.path, shown, "conflicting duplicate paths"));
        }
    }

    /// Keys of the Secret or ConfigMap `name`.
    fn keys(&mut self, name: &str, items: &'a [KeyToPath], path: &Path, errors: &mut Errors) {
        required(&[("name", name)], path, errors);
        let path = path.child("items");
        for (index, item) in items.iter().enumerate() {
            self::item(item, &path.index(index), errors);
            self.add(&item.path, name, errors);
        }
    }
}

/// What a projected volume puts together.
fn projections(source: &ProjectedVolumeSource, path: &Path, errors: &mut Errors) {
    let mut files = Files { path, taken: BTreeSet::new() };
    let sources_path = path.child("sources");
    for (index, source) in list(&source.sources).iter().enumerate() {
        let source_path = sources_path.index(index);
        let mut count = 0;
        if let Some(secret) = &source.secret {
            count += 1;
            files.keys(&secret.name, list(&secret.items), &source_path.child("secret"), errors);
        }
        if let Some(config_map) = &source.config_map {
            count += 1;
            files.keys(&config_map.name, list(&config_map.items), &source_path.child("configMap"), errors);
        }
        if let Some(downward) = &source.downward_api {
            count += 1;
            for file in list(&downward.items) {
                downward_file(file, &source_path.child("downwardAPI"), errors);
                files.add(&file.path, &file.path, errors);
            }
        }
        if let Some(token) = &source.service_account_token {
            count += 1;
            let seconds = token.expiration_seconds.unwrap_or(3600);
            let token_path = source_path.child("serviceAccountToken");
            for (is_wrong, why) in [
                (seconds < 600, "may not specify a duration less than 10 minutes"),
                (seconds > 1 << 32, "may not specify a duration larger than 2^32 seconds"),
            ] {
                if is_wrong {
                    errors.push(Error::invalid(&token_path.child("expirationSeconds"), seconds, why));
                }
            }
            // Upstream says this of the volume, and not of its source.
            file_path(&token.path, &path.child("path"), errors);
        }
        if count > 1 {
            errors.push(Error::forbidden(&source_path, "may not specify more than 1 volume type per source"));
        }
    }
}
