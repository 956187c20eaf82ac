//! PersistentVolumeClaim.

use api::field::{Error, Errors, Path};
use api::types::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeClaimStatus, Quantity, TypedObjectReference,
};
use api::validate::{dns1123_subdomain, label_selector};

use super::rules::{amount, complain, default_text, list, one_of, subdomain_name, text};
use super::{go_diff, pod};
use crate::strategy::Strategy;

pub(super) const ACCESS_MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
pub(super) const VOLUME_MODES: &[&str] = &["Block", "Filesystem"];
const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
const SEALED: &str =
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

impl Strategy for PersistentVolumeClaim {
    fn default(&mut self) {
        let spec = self.spec.get_or_insert_default();
        default_spec(spec);
        // The two ways to name a source say the same.
        if let (Some(source), None) = (&spec.data_source, &spec.data_source_ref) {
            spec.data_source_ref = Some(TypedObjectReference {
                api_group: source.api_group.clone(),
                kind: source.kind.clone(),
                name: source.name.clone(),
                namespace: None,
            });
        }
        default_text(&mut self.status.get_or_insert_default().phase, "Pending");
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(PersistentVolumeClaimStatus {
            phase: Some("Pending".into()),
            ..PersistentVolumeClaimStatus::default()
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
        let mut warnings = Vec::new();
        if api::meta::annotation(&self.metadata, OLD_CLASS).is_some() {
            let path = Path::new("metadata");
            let path = path.child("annotations");
            let why = "deprecated since v1.8; use \"storageClassName\" attribute instead";
            warnings.push(format!("{}: {why}", path.key(OLD_CLASS)));
        }
        let resources = self.spec.as_ref().and_then(|spec| spec.resources.as_ref());
        let amounts = resources.map(|resources| [("requests", &resources.requests), ("limits", &resources.limits)]);
        for (name, amounts) in amounts.into_iter().flatten() {
            let Some(quantity) = amounts.as_ref().and_then(|amounts| amounts.get("storage")) else { continue };
            let path = Path::new("spec");
            let path = path.child("resources");
            warnings.extend(pod::fraction_warning(&path.child(name).key("storage"), quantity));
        }
        warnings
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let none = PersistentVolumeClaimSpec::default();
        validate_spec(self.spec.as_ref().unwrap_or(&none), &Path::new("spec"), &mut errors);
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = self.validate();
        if let (Some(new), Some(before)) = (&self.spec, &old.spec)
            && new != before
        {
            changes(new, before, old, &mut errors);
        }
        errors
    }
}

pub(super) fn default_spec(spec: &mut PersistentVolumeClaimSpec) {
    default_text(&mut spec.volume_mode, "Filesystem");
    spec.resources.get_or_insert_default();
}

/// `ValidatePersistentVolumeClaimSpec`, which ephemeral volumes share.
pub(super) fn validate_spec(spec: &PersistentVolumeClaimSpec, path: &Path, errors: &mut Errors) {
    let modes = list(&spec.access_modes);
    let modes_path = path.child("accessModes");
    if modes.is_empty() {
        errors.push(Error::required(&modes_path, "at least 1 access mode is required"));
    }
    if let Some(selector) = &spec.selector {
        label_selector(selector, &path.child("selector"), errors);
    }
    access_modes(modes, &modes_path, errors);
    let resources_path = path.child("resources");
    let storage_path = resources_path.key("storage");
    match storage(spec) {
        None => errors.push(Error::required(&storage_path, "")),
        Some(quantity) if amount(quantity).0 <= 0 => {
            errors.push(Error::invalid(&storage_path, quantity.0.as_str(), "must be greater than zero"));
        }
        Some(_) => {}
    }
    let class = text(&spec.storage_class_name);
    if !class.is_empty() {
        complain(errors, &path.child("storageClassName"), class, dns1123_subdomain(class));
    }
    if let Some(mode) = &spec.volume_mode {
        one_of(mode, VOLUME_MODES, &path.child("volumeMode"), errors);
    }
    let class = text(&spec.volume_attributes_class_name);
    if !class.is_empty() {
        complain(errors, &path.child("volumeAttributesClassName"), class, dns1123_subdomain(class));
    }
}

pub(super) fn access_modes(modes: &[String], path: &Path, errors: &mut Errors) {
    for mode in modes {
        one_of(mode, ACCESS_MODES, path, errors);
    }
    let is_single = |mode: &String| mode == "ReadWriteOncePod";
    if modes.iter().any(is_single) && !modes.iter().all(is_single) {
        errors.push(Error::forbidden(path, "may not use ReadWriteOncePod with other access modes"));
    }
}

fn storage(spec: &PersistentVolumeClaimSpec) -> Option<&Quantity> {
    spec.resources.as_ref()?.requests.as_ref()?.get("storage")
}

fn changes(
    new: &PersistentVolumeClaimSpec,
    before: &PersistentVolumeClaimSpec,
    old: &PersistentVolumeClaim,
    errors: &mut Errors,
) {
    let path = Path::new("spec");
    let mut kept = new.clone();
    if text(&before.volume_name).is_empty() {
        // The binder names the volume.
        kept.volume_name.clone_from(&before.volume_name);
    }
    let is_bound = old.status.as_ref().is_some_and(|status| text(&status.phase) == "Bound");
    if is_bound {
        if let (Some(resources), Some(storage)) = (&mut kept.resources, storage(before)) {
            resources.requests.get_or_insert_default().insert("storage".into(), storage.clone());
        }
        kept.volume_attributes_class_name.clone_from(&before.volume_attributes_class_name);
    }
    if kept != *before {
        let diff = go_diff::diff("core.v1.PersistentVolumeClaimSpec", before, &kept);
        errors.push(Error::forbidden(&path, format!("{SEALED}\n{diff}")));
    }
    if let (Some(now), Some(was)) = (storage(new), storage(before))
        && amount(now) < amount(was)
    {
        let capacity = old.status.as_ref().and_then(|status| status.capacity.as_ref()?.get("storage"));
        if capacity.is_none_or(|capacity| amount(now) < amount(capacity)) {
            let (resources, requests) = ("resources", "requests");
            let why = "field can not be less than status.capacity";
            errors.push(Error::forbidden(&path.child(resources).child(requests).child("storage"), why));
        }
    }
}
