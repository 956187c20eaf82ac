//! Kinds of volumes that Pods and PersistentVolumes share. Upstream: `validate…VolumeSource` in
//! `pkg/apis/core/validation`.

use std::collections::BTreeMap;

use api::field::{Error, Errors, Path};
use api::types::{
    AzureDiskVolumeSource, FCVolumeSource, FlockerVolumeSource, HostPathVolumeSource, QuobyteVolumeSource,
};
use api::validate::dns1123_label;

use super::rules::{complain, list, one_of, text};

const HOST_PATH_TYPES: &[&str] =
    &["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
const SEVERAL: &str = "may not specify more than 1 volume type";
const HOST_AND_PORT: &str = "must be a host:port pair or multiple pairs separated by commas";

/// One source of a volume: its name, and whether the volume has it.
pub(super) struct Source(pub &'static str, pub bool);

/// Checks the first source with `check`, and refuses the others. Upstream looks in the order of `sources`.
pub(super) fn one_source(
    sources: impl Iterator<Item = Source>,
    path: &Path,
    errors: &mut Errors,
    mut check: impl FnMut(&'static str, &Path, &mut Errors),
) {
    let mut count = 0;
    for Source(name, _) in sources.filter(|source| source.1) {
        count += 1;
        if count == 1 {
            // Two paths are not spelt like their fields.
            check(name, &path.child(if name == "gcePersistentDisk" { "persistentDisk" } else { name }), errors);
        } else {
            let shown = match name {
                "cephfs" => "cephFS",
                "downwardAPI" => "downwarAPI",
                other => other,
            };
            errors.push(Error::forbidden(&path.child(shown), SEVERAL));
        }
    }
    if count == 0 {
        errors.push(Error::required(path, "must specify a volume type"));
    }
}

/// Checks the source of that name, if it is one whose fields are alike in Pods and PersistentVolumes: the types of some differ.
macro_rules! check_alike {
    ($owner:expr, $name:expr, $path:expr, $errors:expr) => {{
        use $crate::registry::volume_sources as shared;
        let (owner, name, path, errors) = ($owner, $name, $path, $errors);
        if let ("hostPath", Some(source)) = (name, &owner.host_path) {
            shared::host_path(source, path, errors);
        } else if let ("nfs", Some(source)) = (name, &owner.nfs) {
            shared::nfs(&source.server, &source.path, path, errors);
        } else if let ("gcePersistentDisk", Some(source)) = (name, &owner.gce_persistent_disk) {
            shared::disk("pdName", &source.pd_name, source.partition, path, errors);
        } else if let ("awsElasticBlockStore", Some(source)) = (name, &owner.aws_elastic_block_store) {
            shared::disk("volumeID", &source.volume_id, source.partition, path, errors);
        } else if let ("flocker", Some(source)) = (name, &owner.flocker) {
            shared::flocker(source, path, errors);
        } else if let ("rbd", Some(source)) = (name, &owner.rbd) {
            shared::monitors(&source.monitors, Some(&source.image), path, errors);
        } else if let ("cephfs", Some(source)) = (name, &owner.cephfs) {
            shared::monitors(&source.monitors, None, path, errors);
        } else if let ("quobyte", Some(source)) = (name, &owner.quobyte) {
            shared::quobyte(source, path, errors);
        } else if let ("fc", Some(source)) = (name, &owner.fc) {
            shared::fibre_channel(source, path, errors);
        } else if let ("flexVolume", Some(source)) = (name, &owner.flex_volume) {
            shared::flex(&source.driver, source.options.as_ref(), path, errors);
        } else if let ("vsphereVolume", Some(source)) = (name, &owner.vsphere_volume) {
            shared::required(&[("volumePath", &source.volume_path)], path, errors);
        } else if let ("photonPersistentDisk", Some(source)) = (name, &owner.photon_persistent_disk) {
            shared::required(&[("pdID", &source.pd_id)], path, errors);
        } else if let ("portworxVolume", Some(source)) = (name, &owner.portworx_volume) {
            shared::required(&[("volumeID", &source.volume_id)], path, errors);
        } else if let ("azureDisk", Some(source)) = (name, &owner.azure_disk) {
            shared::azure_disk(source, path, errors);
        } else if let ("scaleIO", Some(source)) = (name, &owner.scale_io) {
            let volume = source.volume_name.as_deref().unwrap_or_default();
            let fields = [("gateway", source.gateway.as_str()), ("system", &source.system), ("volumeName", volume)];
            shared::required(&fields, path, errors);
        }
    }};
}
pub(super) use check_alike;

/// Texts that must not be empty.
pub(super) fn required(fields: &[(&str, &str)], path: &Path, errors: &mut Errors) {
    for (name, value) in fields {
        if value.is_empty() {
            errors.push(Error::required(&path.child(name), ""));
        }
    }
}

/// The parts of a reference to a Secret that must be there.
pub(super) fn secret_reference(fields: &[(&str, &str)], path: &Path, errors: &mut Errors) {
    required(fields, &path.child("secretRef"), errors);
}

pub(super) fn host_path(source: &HostPathVolumeSource, path: &Path, errors: &mut Errors) {
    if source.path.is_empty() {
        errors.push(Error::required(&path.child("path"), ""));
        return;
    }
    no_backsteps(&source.path, &path.child("path"), errors);
    one_of(text(&source.type_), HOST_PATH_TYPES, &path.child("type"), errors);
}

pub(super) fn nfs(server: &str, directory: &str, path: &Path, errors: &mut Errors) {
    required(&[("server", server), ("path", directory)], path, errors);
    if !directory.starts_with('/') {
        errors.push(Error::invalid(&path.child("path"), directory, "must be an absolute path"));
    }
}

/// A disk of a cloud, and which of its partitions.
pub(super) fn disk(name: &str, value: &str, partition: Option<i32>, path: &Path, errors: &mut Errors) {
    required(&[(name, value)], path, errors);
    if let Some(partition) = partition.filter(|partition| !(0..=255).contains(partition)) {
        errors.push(Error::invalid(&path.child("partition"), partition, "must be between 1 and 255, inclusive"));
    }
}

/// Addresses of a Ceph cluster, and the image where there is one.
pub(super) fn monitors(monitors: &[String], image: Option<&str>, path: &Path, errors: &mut Errors) {
    if monitors.is_empty() {
        errors.push(Error::required(&path.child("monitors"), ""));
    }
    if let Some(image) = image {
        required(&[("image", image)], path, errors);
    }
}

/// An iSCSI target, whose two kinds of owners differ in what they say of mistakes.
pub(super) struct Iscsi<'a> {
    pub portal: &'a str,
    pub iqn: &'a str,
    pub lun: i32,
    pub authenticates: bool,
    pub has_secret: bool,
    pub initiator: Option<&'a str>,
    /// What is said of a name with an unknown beginning.
    pub unknown: &'a str,
}

impl Iscsi<'_> {
    /// All but the initiator, before which persistent volumes have a rule of their own.
    pub fn validate(&self, path: &Path, errors: &mut Errors) {
        let iqn = path.child("iqn");
        if self.iqn.is_empty() {
            errors.push(Error::required(&iqn, ""));
        } else {
            self.name(self.iqn, &iqn, errors);
        }
        if !(0..=255).contains(&self.lun) {
            errors.push(Error::invalid(&path.child("lun"), self.lun, "must be between 0 and 255, inclusive"));
        }
        if self.authenticates && !self.has_secret {
            errors.push(Error::required(&path.child("secretRef"), ""));
        }
    }

    pub fn initiator(&self, path: &Path, errors: &mut Errors) {
        if let Some(name) = self.initiator {
            self.name(name, &path.child("initiatorname"), errors);
        }
    }

    /// Upstream's limit on a volume's name and its portal together.
    pub fn is_too_long(&self, volume: &str) -> bool {
        self.initiator.is_some() && volume.len() + 1 + self.portal.len() > 64
    }

    fn name(&self, name: &str, path: &Path, errors: &mut Errors) {
        let extended = |rest: &str, length: usize| {
            let mut rest = rest.chars();
            rest.next().is_some() && rest.as_str().len() == length && rest.all(|one| one.is_ascii_alphanumeric())
        };
        let is_valid = if name.starts_with("iqn") {
            regex_lite::Regex::new(r"iqn\.[0-9]{4}-[0-9]{2}\.[A-Za-z0-9.-]+:[^,;*&$|\s]+$")
                .is_ok_and(|form| form.is_match(name))
        } else if let Some(rest) = name.strip_prefix("eui") {
            extended(rest, 16)
        } else if let Some(rest) = name.strip_prefix("naa") {
            extended(rest, 32)
        } else {
            return errors.push(Error::invalid(path, name, self.unknown));
        };
        if !is_valid {
            errors.push(Error::invalid(path, name, "must be valid format"));
        }
    }
}

pub(super) const ISCSI_TOO_LONG: &str = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters \
     if iscsi.initiatorName is specified.";

pub(super) fn fibre_channel(source: &FCVolumeSource, path: &Path, errors: &mut Errors) {
    let names = list(&source.target_wwns);
    let names_path = path.child("targetWWNs");
    if names.is_empty() && list(&source.wwids).is_empty() {
        errors.push(Error::required(&names_path, "must specify either targetWWNs or wwids, but not both"));
    }
    if !names.is_empty() && !list(&source.wwids).is_empty() {
        let why = "targetWWNs and wwids can not be specified simultaneously";
        errors.push(Error::invalid(&names_path, names.to_vec(), why));
    }
    match source.lun {
        _ if names.is_empty() => {}
        None => errors.push(Error::required(&path.child("lun"), "lun is required if targetWWNs is specified")),
        Some(lun) if !(0..=255).contains(&lun) => {
            errors.push(Error::invalid(&path.child("lun"), lun, "must be between 0 and 255, inclusive"));
        }
        Some(_) => {}
    }
}

pub(super) fn quobyte(source: &QuobyteVolumeSource, path: &Path, errors: &mut Errors) {
    let registry = source.registry.as_str();
    if registry.is_empty() {
        errors.push(Error::required(&path.child("registry"), HOST_AND_PORT));
    } else if text(&source.tenant).len() >= 65 {
        let why = "must be a UUID and may not exceed a length of 64 characters";
        errors.push(Error::required(&path.child("tenant"), why));
    } else {
        let is_pair = |pair: &str| match pair.rsplit_once(':') {
            Some((host, _)) => !host.contains(':') || (host.starts_with('[') && host.ends_with(']')),
            None => false,
        };
        for _ in registry.split(',').filter(|pair| !is_pair(pair)) {
            errors.push(Error::invalid(&path.child("registry"), registry, HOST_AND_PORT));
        }
    }
    required(&[("volume", &source.volume)], path, errors);
}

pub(super) fn flocker(source: &FlockerVolumeSource, path: &Path, errors: &mut Errors) {
    let (name, uuid) = (text(&source.dataset_name), text(&source.dataset_uuid));
    if name.is_empty() && uuid.is_empty() {
        errors.push(Error::required(path, "one of datasetName and datasetUUID is required"));
    }
    if !name.is_empty() && !uuid.is_empty() {
        let why = "datasetName and datasetUUID can not be specified simultaneously";
        errors.push(Error::invalid(path, "resource", why));
    }
    if name.contains('/') {
        errors.push(Error::invalid(&path.child("datasetName"), name, "must not contain '/'"));
    }
}

pub(super) fn flex(driver: &str, options: Option<&BTreeMap<String, String>>, path: &Path, errors: &mut Errors) {
    required(&[("driver", driver)], path, errors);
    for key in options.into_iter().flat_map(BTreeMap::keys) {
        let namespace = format!(".{}", key.split('/').next().unwrap_or_default().to_lowercase());
        if namespace.ends_with(".kubernetes.io") || namespace.ends_with(".k8s.io") {
            let why = "kubernetes.io and k8s.io namespaces are reserved";
            errors.push(Error::invalid(&path.child("options").key(key), key.as_str(), why));
        }
    }
}

pub(super) fn azure_disk(source: &AzureDiskVolumeSource, path: &Path, errors: &mut Errors) {
    let uri = source.disk_uri.as_str();
    required(&[("diskName", &source.disk_name), ("diskURI", uri)], path, errors);
    if let Some(mode) = &source.caching_mode {
        one_of(mode, &["None", "ReadOnly", "ReadWrite"], &path.child("cachingMode"), errors);
    }
    let Some(kind) = source.kind.as_deref() else { return };
    one_of(kind, &["Dedicated", "Managed", "Shared"], &path.child("kind"), errors);
    let (start, form) = if kind == "Managed" {
        let form = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
        ("/subscriptions/", form)
    } else {
        ("https://", "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd")
    };
    if !uri.starts_with(start) {
        errors.push(Error::not_supported(&path.child("diskURI"), uri, &[form]));
    }
}

pub(super) fn storage_os(name: &str, namespace: &str, path: &Path, errors: &mut Errors) {
    required(&[("volumeName", name)], path, errors);
    for (field, value) in [("volumeName", name), ("volumeNamespace", namespace)] {
        if !value.is_empty() {
            complain(errors, &path.child(field), value, dns1123_label(value));
        }
    }
}

/// A relative path that never leaves its root.
pub(super) fn descending_path(path: &str, field: &Path, errors: &mut Errors) {
    if path.starts_with('/') {
        errors.push(Error::invalid(field, path, "must be a relative path"));
    }
    no_backsteps(path, field, errors);
}

pub(super) fn no_backsteps(path: &str, field: &Path, errors: &mut Errors) {
    if path.split('/').any(|part| part == "..") {
        errors.push(Error::invalid(field, path, "must not contain '..'"));
    }
}
