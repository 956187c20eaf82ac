//! PersistentVolume.

use api::field::{Error, Errors, Path};
use api::types::{PersistentVolume, PersistentVolumeSpec, PersistentVolumeStatus};
use api::validate::dns1123_subdomain;

use super::persistent_volume_claim::{VOLUME_MODES, access_modes};
use super::pod;
use super::rules::{amount, complain, default_text, default_to, list, one_of, subdomain_name, text};
use crate::strategy::Strategy;

const RECLAIM_POLICIES: &[&str] = &["Delete", "Recycle", "Retain"];

impl Strategy for PersistentVolume {
    fn default(&mut self) {
        let spec = self.spec.get_or_insert_default();
        default_text(&mut spec.persistent_volume_reclaim_policy, "Retain");
        default_text(&mut spec.volume_mode, "Filesystem");
        if let Some(host_path) = &mut spec.host_path {
            default_to(&mut host_path.type_, String::new());
        }
        default_text(&mut self.status.get_or_insert_default().phase, "Pending");
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(PersistentVolumeStatus {
            phase: Some("Pending".into()),
            last_phase_transition_time: self.metadata.creation_timestamp.clone(),
            ..PersistentVolumeStatus::default()
        });
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        if self.spec != old.spec {
            self.spec.clone_from(&old.spec);
        }
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn warnings(&self, _is_new: bool) -> Vec<String> {
        let Some(spec) = &self.spec else { return Vec::new() };
        let path = Path::new("spec");
        let mut warnings = Vec::new();
        if text(&spec.persistent_volume_reclaim_policy) == "Recycle" {
            warnings.push(format!(
                "{}: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic \
                 provisioning.",
                path.child("persistentVolumeReclaimPolicy")
            ));
        }
        if let Some(quantity) = spec.capacity.as_ref().and_then(|capacity| capacity.get("storage")) {
            warnings.extend(pod::fraction_warning(&path.child("capacity").key("storage"), quantity));
        }
        warnings
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let none = PersistentVolumeSpec::default();
        validate_spec(self.spec.as_ref().unwrap_or(&none), &Path::new("spec"), &mut errors);
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = self.validate();
        let path = Path::new("spec");
        if let (Some(new), Some(old)) = (&self.spec, &old.spec) {
            let sources = |spec: &PersistentVolumeSpec| {
                let value = serde_json::to_value(spec).unwrap_or_default();
                sources(spec).map(|(name, _)| value.get(name).cloned()).collect::<Vec<_>>()
            };
            if sources(new) != sources(old) {
                errors.push(Error::forbidden(
                    &path.child("persistentvolumesource"),
                    "spec.persistentvolumesource is immutable after creation",
                ));
            }
            if new.volume_mode != old.volume_mode {
                let value = text(&new.volume_mode);
                errors.push(Error::invalid(&path.child("volumeMode"), value, super::rules::IMMUTABLE));
            }
            if old.node_affinity.is_some() && new.node_affinity != old.node_affinity {
                let value = serde_json::to_value(&new.node_affinity).unwrap_or_default();
                errors.push(Error::invalid(&path.child("nodeAffinity"), value, super::rules::IMMUTABLE));
            }
        }
        errors
    }
}

/// Every kind of source with whether the volume has it.
fn sources(spec: &PersistentVolumeSpec) -> impl Iterator<Item = (&'static str, bool)> {
    [
        ("hostPath", spec.host_path.is_some()),
        ("gcePersistentDisk", spec.gce_persistent_disk.is_some()),
        ("awsElasticBlockStore", spec.aws_elastic_block_store.is_some()),
        ("nfs", spec.nfs.is_some()),
        ("rbd", spec.rbd.is_some()),
        ("iscsi", spec.iscsi.is_some()),
        ("cephfs", spec.cephfs.is_some()),
        ("glusterfs", spec.glusterfs.is_some()),
        ("flocker", spec.flocker.is_some()),
        ("fc", spec.fc.is_some()),
        ("cinder", spec.cinder.is_some()),
        ("flexVolume", spec.flex_volume.is_some()),
        ("azureFile", spec.azure_file.is_some()),
        ("vsphereVolume", spec.vsphere_volume.is_some()),
        ("quobyte", spec.quobyte.is_some()),
        ("azureDisk", spec.azure_disk.is_some()),
        ("photonPersistentDisk", spec.photon_persistent_disk.is_some()),
        ("portworxVolume", spec.portworx_volume.is_some()),
        ("scaleIO", spec.scale_io.is_some()),
        ("local", spec.local.is_some()),
        ("storageos", spec.storageos.is_some()),
        ("csi", spec.csi.is_some()),
    ]
    .into_iter()
}

fn validate_spec(spec: &PersistentVolumeSpec, path: &Path, errors: &mut Errors) {
    let modes = list(&spec.access_modes);
    if modes.is_empty() {
        errors.push(Error::required(&path.child("accessModes"), ""));
    }
    access_modes(modes, &path.child("accessModes"), errors);
    capacity(spec, &path.child("capacity"), errors);
    let policy = text(&spec.persistent_volume_reclaim_policy);
    let policy_path = path.child("persistentVolumeReclaimPolicy");
    if !policy.is_empty() {
        one_of(policy, RECLAIM_POLICIES, &policy_path, errors);
    }
    if let Some(required) = spec.node_affinity.as_ref().and_then(|affinity| affinity.required.as_ref()) {
        let affinity_path = path.child("nodeAffinity");
        pod::node_selector(required, &affinity_path.child("required"), errors);
    } else if spec.node_affinity.is_some() {
        let affinity_path = path.child("nodeAffinity");
        errors.push(Error::required(&affinity_path.child("required"), "must specify required node constraints"));
    }
    source(spec, path, errors);
    let is_root = |path: &str| !path.is_empty() && path.split('/').all(|part| part.is_empty() || part == ".");
    if policy == "Recycle" && spec.host_path.as_ref().is_some_and(|source| is_root(&source.path)) {
        errors.push(Error::forbidden(&policy_path, "may not be 'recycle' for a hostPath mount of '/'"));
    }
    let class = text(&spec.storage_class_name);
    if !class.is_empty() {
        complain(errors, &path.child("storageClassName"), class, dns1123_subdomain(class));
    }
    if let Some(mode) = &spec.volume_mode {
        one_of(mode, VOLUME_MODES, &path.child("volumeMode"), errors);
    }
}

fn capacity(spec: &PersistentVolumeSpec, path: &Path, errors: &mut Errors) {
    let capacity = spec.capacity.iter().flatten();
    let names: Vec<&String> = capacity.clone().map(|(name, _)| name).collect();
    if names.is_empty() {
        errors.push(Error::required(path, ""));
    }
    if names != ["storage"] {
        let value = serde_json::to_value(&spec.capacity).unwrap_or_default();
        errors.push(Error::not_supported(path, value, &["storage"]));
    }
    for (name, quantity) in capacity {
        if amount(quantity).0 <= 0 {
            errors.push(Error::invalid(&path.key(name), quantity.0.as_str(), "must be greater than zero"));
        }
    }
}

fn source(spec: &PersistentVolumeSpec, path: &Path, errors: &mut Errors) {
    let mut count = 0;
    for (name, _) in sources(spec).filter(|(_, is_set)| *is_set) {
        count += 1;
        if count > 1 {
            errors.push(Error::forbidden(&path.child(name), "may not specify more than 1 volume type"));
        }
    }
    if count == 0 {
        errors.push(Error::required(path, "must specify a volume type"));
    }
    if let Some(source) = &spec.host_path {
        pod::host_path(source, &path.child("hostPath"), errors);
    }
    if let Some(local) = &spec.local {
        let source_path = path.child("local");
        if local.path.is_empty() {
            errors.push(Error::required(&source_path.child("path"), ""));
        }
        if spec.node_affinity.is_none() {
            let why = "Local volume requires node affinity";
            errors.push(Error::required(&path.child("nodeAffinity"), why));
        }
    }
    if let Some(csi) = &spec.csi {
        let path = path.child("csi");
        for (name, value) in [("driver", &csi.driver), ("volumeHandle", &csi.volume_handle)] {
            if value.is_empty() {
                errors.push(Error::required(&path.child(name), ""));
            }
        }
        if !csi.driver.is_empty() {
            complain(errors, &path.child("driver"), &csi.driver, dns1123_subdomain(&csi.driver.to_lowercase()));
        }
        for (name, secret) in [
            ("controllerPublishSecretRef", &csi.controller_publish_secret_ref),
            ("controllerExpandSecretRef", &csi.controller_expand_secret_ref),
            ("nodePublishSecretRef", &csi.node_publish_secret_ref),
            ("nodeExpandSecretRef", &csi.node_expand_secret_ref),
        ] {
            let Some(secret) = secret else { continue };
            let path = path.child(name);
            for (name, value) in [("name", &secret.name), ("namespace", &secret.namespace)] {
                if text(value).is_empty() {
                    errors.push(Error::required(&path.child(name), ""));
                }
            }
        }
    }
}
