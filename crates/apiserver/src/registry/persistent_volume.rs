//! PersistentVolume.

use api::field::{Error, Errors, Path};
use api::types::{
    CSIPersistentVolumeSource, ISCSIPersistentVolumeSource, PersistentVolume, PersistentVolumeSpec,
    PersistentVolumeStatus, VolumeNodeAffinity,
};
use api::validate::{dns1123_label, dns1123_subdomain};
use serde_json::Value;

use super::persistent_volume_claim::{VOLUME_MODES, access_modes};
use super::rules::{IMMUTABLE, amount, complain, default_text, default_to, list, one_of, subdomain_name, text};
use super::volume_sources::{self as shared, Source, required};
use super::{go_diff, pod};
use crate::strategy::Strategy;

const RECLAIM_POLICIES: &[&str] = &["Delete", "Recycle", "Retain"];

impl Strategy for PersistentVolume {
    const DELETE_RETURNS_OBJECT: bool = true;

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
        let name = self.metadata.name.as_deref().unwrap_or_default();
        validate_spec(self.spec.as_ref().unwrap_or(&none), name, false, &Path::new("spec"), &mut errors);
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = self.validate();
        if let (Some(new), Some(old)) = (&self.spec, &old.spec) {
            changes(new, old, &mut errors);
        }
        errors
    }

    fn validate_status_update(&self, _old: &Self) -> Errors {
        super::rules::revision_required(&self.metadata)
    }
}

/// `ValidatePersistentVolumeUpdate`. Upstream leaves `spec` out of two paths.
fn changes(new: &PersistentVolumeSpec, old: &PersistentVolumeSpec, errors: &mut Errors) {
    let path = Path::new("spec");
    let mut kept = new.clone();
    if let (Some(now), Some(CSIPersistentVolumeSource { controller_expand_secret_ref: None, .. })) =
        (&mut kept.csi, &old.csi)
    {
        // This Secret may be added later.
        now.controller_expand_secret_ref = None;
    }
    let source_of = |spec: &PersistentVolumeSpec| {
        let value = api::wire::value_of(spec);
        sources(spec).map(|(name, _)| value.get(name).cloned()).collect::<Vec<_>>()
    };
    if source_of(&kept) != source_of(old) {
        let diff = go_diff::diff("core.v1.PersistentVolumeSpec", old, &kept);
        let why = format!("spec.persistentvolumesource is immutable after creation\n{diff}");
        errors.push(Error::forbidden(&path.child("persistentvolumesource"), why));
    }
    if new.volume_mode != old.volume_mode {
        let mode = Value::from(new.volume_mode.clone());
        errors.push(Error::invalid(&Path::new("volumeMode"), mode, IMMUTABLE));
    }
    if let Some(before) = old.node_affinity.as_ref().filter(|before| new.node_affinity.as_ref() != Some(before)) {
        let renamed = |now: &VolumeNodeAffinity| with_new_labels(before, now) == *now;
        if !new.node_affinity.as_ref().is_some_and(renamed) {
            let shown = match &new.node_affinity {
                Some(affinity) => go_diff::compact("core.v1.VolumeNodeAffinity", affinity),
                None => "null".into(),
            };
            let why = "field is immutable, except for updating from beta label to GA";
            errors.push(Error::invalid_verbatim(&Path::new("nodeAffinity"), shown, why));
        }
    }
    if old.volume_attributes_class_name.is_some() && new.volume_attributes_class_name.is_none() {
        let why = "update from non-nil value to nil is forbidden";
        errors.push(Error::forbidden(&path.child("volumeAttributesClassName"), why));
    }
}

/// The old terms, with labels that `now` calls by their new names.
fn with_new_labels(old: &VolumeNodeAffinity, now: &VolumeNodeAffinity) -> VolumeNodeAffinity {
    const RENAMED: &[(&str, &str)] = &[
        ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
        ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
        ("beta.kubernetes.io/os", "kubernetes.io/os"),
        ("beta.kubernetes.io/arch", "kubernetes.io/arch"),
        ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"),
    ];
    let mut renamed = old.clone();
    let terms = |affinity: &VolumeNodeAffinity| {
        affinity.required.iter().flat_map(|one| one.node_selector_terms.clone()).collect::<Vec<_>>()
    };
    let wanted = terms(now);
    for (term, now) in renamed.required.iter_mut().flat_map(|one| &mut one.node_selector_terms).zip(&wanted) {
        for (requirement, now) in term.match_expressions.iter_mut().flatten().zip(list(&now.match_expressions)) {
            if RENAMED.contains(&(requirement.key.as_str(), now.key.as_str())) {
                requirement.key.clone_from(&now.key);
            }
        }
    }
    renamed
}

/// Every kind of source with whether the volume has it, in the order in which upstream looks.
fn sources(spec: &PersistentVolumeSpec) -> impl Iterator<Item = (&'static str, bool)> {
    [
        ("hostPath", spec.host_path.is_some()),
        ("gcePersistentDisk", spec.gce_persistent_disk.is_some()),
        ("awsElasticBlockStore", spec.aws_elastic_block_store.is_some()),
        ("glusterfs", spec.glusterfs.is_some()),
        ("flocker", spec.flocker.is_some()),
        ("nfs", spec.nfs.is_some()),
        ("rbd", spec.rbd.is_some()),
        ("quobyte", spec.quobyte.is_some()),
        ("cephfs", spec.cephfs.is_some()),
        ("iscsi", spec.iscsi.is_some()),
        ("cinder", spec.cinder.is_some()),
        ("fc", spec.fc.is_some()),
        ("flexVolume", spec.flex_volume.is_some()),
        ("azureFile", spec.azure_file.is_some()),
        ("vsphereVolume", spec.vsphere_volume.is_some()),
        ("photonPersistentDisk", spec.photon_persistent_disk.is_some()),
        ("portworxVolume", spec.portworx_volume.is_some()),
        ("azureDisk", spec.azure_disk.is_some()),
        ("scaleIO", spec.scale_io.is_some()),
        ("local", spec.local.is_some()),
        ("storageos", spec.storageos.is_some()),
        ("csi", spec.csi.is_some()),
    ]
    .into_iter()
}

/// `ValidatePersistentVolumeSpec`. `inline`: the volume is no object, but a part of an attachment.
pub(super) fn validate_spec(spec: &PersistentVolumeSpec, volume: &str, inline: bool, path: &Path, errors: &mut Errors) {
    if inline {
        inline_fields(spec, path, errors);
    }
    let modes = list(&spec.access_modes);
    if modes.is_empty() {
        errors.push(Error::required(&path.child("accessModes"), ""));
    }
    access_modes(modes, &path.child("accessModes"), errors);
    if !inline {
        capacity(spec, &path.child("capacity"), errors);
    }
    let policy = text(&spec.persistent_volume_reclaim_policy);
    let policy_path = path.child("persistentVolumeReclaimPolicy");
    match policy {
        "" => {}
        other if inline => only("Retain", other, &policy_path, errors),
        other => one_of(other, RECLAIM_POLICIES, &policy_path, errors),
    }
    let affinity_path = path.child("nodeAffinity");
    if let Some(affinity) = &spec.node_affinity {
        match &affinity.required {
            _ if inline => errors.push(Error::forbidden(&affinity_path, NOT_INLINE)),
            Some(required) => pod::node_selector(required, &affinity_path.child("required"), errors),
            None => {
                errors
                    .push(Error::required(&affinity_path.child("required"), "must specify required node constraints"));
            }
        }
    }
    let sources = sources(spec).map(|(name, is_set)| Source(name, is_set));
    shared::one_source(sources, path, errors, |name, source_path, errors| {
        checked(spec, volume, name, source_path, errors);
        if name == "local" && spec.node_affinity.is_none() {
            errors.push(Error::required(&affinity_path, "Local volume requires node affinity"));
        }
    });
    let is_root = |path: &str| !path.is_empty() && path.split('/').all(|part| part.is_empty() || part == ".");
    if policy == "Recycle" && spec.host_path.as_ref().is_some_and(|source| is_root(&source.path)) {
        errors.push(Error::forbidden(&policy_path, "may not be 'recycle' for a hostPath mount of '/'"));
    }
    let class = text(&spec.storage_class_name);
    let class_path = path.child("storageClassName");
    match class {
        "" => {}
        _ if inline => errors.push(Error::forbidden(&class_path, NOT_INLINE)),
        class => complain(errors, &class_path, class, dns1123_subdomain(class)),
    }
    match &spec.volume_mode {
        Some(mode) if inline => only("Filesystem", mode, &path.child("volumeMode"), errors),
        Some(mode) => one_of(mode, VOLUME_MODES, &path.child("volumeMode"), errors),
        None => {}
    }
    if let Some(class) = &spec.volume_attributes_class_name {
        let class_path = path.child("volumeAttributesClassName");
        if class.is_empty() {
            errors.push(Error::required(&class_path, "an empty string is disallowed"));
        } else {
            complain(errors, &class_path, class, dns1123_subdomain(class));
        }
        if spec.csi.is_none() {
            let why = "has to be specified when using volumeAttributesClassName";
            errors.push(Error::required(&path.child("csi"), why));
        }
    }
}

const NOT_INLINE: &str = "may not be specified in the context of inline volumes";

fn inline_fields(spec: &PersistentVolumeSpec, path: &Path, errors: &mut Errors) {
    let is_sized = spec.capacity.as_ref().is_some_and(|capacity| !capacity.is_empty());
    for (field, is_set) in [("claimRef", spec.claim_ref.is_some()), ("capacity", is_sized)] {
        if is_set {
            errors.push(Error::forbidden(&path.child(field), NOT_INLINE));
        }
    }
    if spec.csi.is_none() {
        errors.push(Error::required(&path.child("csi"), "has to be specified in the context of inline volumes"));
    }
}

fn only(allowed: &str, value: &str, path: &Path, errors: &mut Errors) {
    if value != allowed {
        errors.push(Error::forbidden(path, format!("may only be {allowed} in the context of inline volumes")));
    }
}

fn capacity(spec: &PersistentVolumeSpec, path: &Path, errors: &mut Errors) {
    let capacity = spec.capacity.iter().flatten();
    let names: Vec<&String> = capacity.clone().map(|(name, _)| name).collect();
    if names.is_empty() {
        errors.push(Error::required(path, ""));
    }
    if names != ["storage"] {
        let value = api::wire::value_of(&spec.capacity);
        errors.push(Error::not_supported(path, value, &["storage"]));
    }
    for (name, quantity) in capacity {
        if amount(quantity).0 < 0 {
            let why = "must be a valid resource quantity";
            errors.push(Error::invalid(&path.key(name), amount(quantity).units(), why));
        }
        if amount(quantity).0 <= 0 {
            errors.push(Error::invalid(&path.key(name), quantity.0.as_str(), "must be greater than zero"));
        }
    }
}

/// The rules of one source, whose name is `name`.
fn checked(spec: &PersistentVolumeSpec, volume: &str, name: &str, path: &Path, errors: &mut Errors) {
    shared::check_alike!(spec, name, path, &mut *errors);
    if let ("local", Some(source)) = (name, &spec.local) {
        required(&[("path", &source.path)], path, errors);
        shared::no_backsteps(&source.path, &path.child("path"), errors);
    } else if let ("csi", Some(source)) = (name, &spec.csi) {
        csi(source, path, errors);
    } else if let ("glusterfs", Some(source)) = (name, &spec.glusterfs) {
        required(&[("endpoints", &source.endpoints), ("path", &source.path)], path, errors);
        if let Some(namespace) = &source.endpoints_namespace {
            let path = path.child("endpointsNamespace");
            if namespace.is_empty() {
                let why = "if the endpointnamespace is set, it must be a valid namespace name";
                errors.push(Error::invalid(&path, "", why));
            } else {
                complain(errors, &path, namespace, dns1123_label(namespace));
            }
        }
    } else if let ("iscsi", Some(source)) = (name, &spec.iscsi) {
        iscsi(source, volume, path, errors);
    } else if let ("cinder", Some(source)) = (name, &spec.cinder) {
        required(&[("volumeID", &source.volume_id)], path, errors);
        if let Some(secret) = &source.secret_ref {
            let fields = [("name", text(&secret.name)), ("namespace", text(&secret.namespace))];
            shared::secret_reference(&fields, path, errors);
        }
    } else if let ("azureFile", Some(source)) = (name, &spec.azure_file) {
        required(&[("secretName", &source.secret_name), ("shareName", &source.share_name)], path, errors);
        if let Some(namespace) = &source.secret_namespace {
            required(&[("secretNamespace", namespace)], path, errors);
        }
    } else if let ("storageos", Some(source)) = (name, &spec.storageos) {
        shared::storage_os(text(&source.volume_name), text(&source.volume_namespace), path, errors);
        if let Some(secret) = &source.secret_ref {
            let fields = [("name", text(&secret.name)), ("namespace", text(&secret.namespace))];
            shared::secret_reference(&fields, path, errors);
        }
    }
}

fn csi(source: &CSIPersistentVolumeSource, path: &Path, errors: &mut Errors) {
    super::csi::driver_name(&source.driver, &path.child("driver"), errors);
    required(&[("volumeHandle", &source.volume_handle)], path, errors);
    for (name, secret) in [
        ("controllerPublishSecretRef", &source.controller_publish_secret_ref),
        ("controllerExpandSecretRef", &source.controller_expand_secret_ref),
        ("nodePublishSecretRef", &source.node_publish_secret_ref),
        ("nodeExpandSecretRef", &source.node_expand_secret_ref),
    ] {
        let Some(secret) = secret else { continue };
        let path = path.child(name);
        let (name, namespace) = (text(&secret.name), text(&secret.namespace));
        required(&[("name", name)], &path, errors);
        if !name.is_empty() {
            complain(errors, &path.child("name"), name, dns1123_subdomain(name));
        }
        required(&[("namespace", namespace)], &path, errors);
        if !namespace.is_empty() {
            complain(errors, &path.child("namespace"), namespace, dns1123_label(namespace));
        }
    }
}

fn iscsi(source: &ISCSIPersistentVolumeSource, volume: &str, path: &Path, errors: &mut Errors) {
    required(&[("targetPortal", &source.target_portal)], path, errors);
    let target = shared::Iscsi {
        portal: &source.target_portal,
        iqn: &source.iqn,
        lun: source.lun,
        authenticates: source.chap_auth_discovery == Some(true) || source.chap_auth_session == Some(true),
        has_secret: source.secret_ref.is_some(),
        initiator: source.initiator_name.as_deref(),
        unknown: "must be valid format",
    };
    if target.is_too_long(volume) {
        let portal = source.target_portal.as_str();
        errors.push(Error::invalid(&path.child("targetportal"), portal, shared::ISCSI_TOO_LONG));
    }
    target.validate(path, errors);
    if let Some(secret) = &source.secret_ref {
        shared::secret_reference(&[("name", text(&secret.name))], path, errors);
    }
    target.initiator(path, errors);
}
