//! PersistentVolumeClaim.

use api::field::{Error, Errors, Path};
use api::types::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeClaimStatus, Quantity, TypedLocalObjectReference,
    TypedObjectReference,
};
use api::validate::{dns1123_label, dns1123_subdomain, label_selector};
use serde_json::Value;

use super::rules::{IMMUTABLE, amount, complain, default_text, list, one_of, revision_required, subdomain_name, text};
use super::{go_diff, pod};
use crate::strategy::Strategy;

pub(super) const ACCESS_MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
pub(super) const VOLUME_MODES: &[&str] = &["Block", "Filesystem"];
const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
const SEALED: &str =
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

impl Strategy for PersistentVolumeClaim {
    const DELETE_RETURNS_OBJECT: bool = true;

    fn default(&mut self) {
        let spec = self.spec.get_or_insert_default();
        default_spec(spec);
        default_text(&mut self.status.get_or_insert_default().phase, "Pending");
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(PersistentVolumeClaimStatus {
            phase: Some("Pending".into()),
            ..PersistentVolumeClaimStatus::default()
        });
        if let Some(spec) = &mut self.spec {
            drop_sources(spec, None);
            same_sources(spec);
        }
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
        if let Some(spec) = &mut self.spec {
            drop_sources(spec, old.spec.as_ref());
        }
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
        if let Some(spec) = &self.spec {
            warnings.extend(spec_warnings(spec, &Path::new("spec")));
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
        let (now, was) =
            (api::meta::annotation(&self.metadata, OLD_CLASS), api::meta::annotation(&old.metadata, OLD_CLASS));
        if now != was && !class_moves(self, old) {
            let path = Path::new("metadata");
            let path = path.child("annotations");
            errors.push(Error::invalid(&path.child(OLD_CLASS), now.unwrap_or_default(), IMMUTABLE));
        }
        if let (Some(new), Some(before)) = (&self.spec, &old.spec)
            && new != before
        {
            changes(new, before, old, &mut errors);
        }
        errors
    }

    fn validate_status_update(&self, _old: &Self) -> Errors {
        let mut errors = revision_required(&self.metadata);
        if self.spec.as_ref().is_none_or(|spec| list(&spec.access_modes).is_empty()) {
            errors.push(Error::required(&Path::new("Spec").child("accessModes"), ""));
        }
        let path = Path::new("status");
        let capacity = self.status.as_ref().and_then(|status| status.capacity.as_ref());
        for (name, quantity) in capacity.into_iter().flatten().filter(|(_, quantity)| amount(quantity).0 < 0) {
            let why = "must be a valid resource quantity";
            errors.push(Error::invalid(&path.child("capacity").key(name), amount(quantity).units(), why));
        }
        errors
    }
}

/// The class moves from the old annotation to the field: `validateStorageClassUpgradeFromAnnotation`.
fn class_moves(new: &PersistentVolumeClaim, old: &PersistentVolumeClaim) -> bool {
    let class = |claim: &PersistentVolumeClaim| claim.spec.as_ref().and_then(|spec| spec.storage_class_name.clone());
    let now = api::meta::annotation(&new.metadata, OLD_CLASS);
    api::meta::annotation(&old.metadata, OLD_CLASS).is_some_and(|was| {
        class(old).is_none() && class(new).as_deref() == Some(was) && now.is_none_or(|now| now == was)
    })
}

/// `DropDisabledFields` and `EnforceDataSourceBackwardsCompatibility`: sources in other namespaces need a feature gate that
/// is off, and the old field can name but two kinds.
fn drop_sources(spec: &mut PersistentVolumeClaimSpec, old: Option<&PersistentVolumeClaimSpec>) {
    let has_reference = old.is_some_and(|old| old.data_source_ref.is_some());
    let is_far = spec.data_source_ref.as_ref().is_some_and(|source| !text(&source.namespace).is_empty());
    if is_far && !has_reference {
        spec.data_source_ref = None;
    }
    let is_known = |source: &TypedLocalObjectReference| {
        matches!(
            (text(&source.api_group), source.kind.as_str()),
            ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot")
        )
    };
    let had_source = has_reference || old.is_some_and(|old| old.data_source.is_some());
    if !had_source && spec.data_source_ref.is_none() && !spec.data_source.as_ref().is_some_and(is_known) {
        spec.data_source = None;
    }
}

/// The two ways to name a source say the same: `NormalizeDataSources`.
fn same_sources(spec: &mut PersistentVolumeClaimSpec) {
    match (&spec.data_source, &spec.data_source_ref) {
        (Some(source), None) => {
            spec.data_source_ref = Some(TypedObjectReference {
                api_group: source.api_group.clone(),
                kind: source.kind.clone(),
                name: source.name.clone(),
                namespace: None,
            });
        }
        (None, Some(source)) if text(&source.namespace).is_empty() => {
            spec.data_source = Some(TypedLocalObjectReference {
                api_group: source.api_group.clone(),
                kind: source.kind.clone(),
                name: source.name.clone(),
            });
        }
        _ => {}
    }
}

pub(super) fn default_spec(spec: &mut PersistentVolumeClaimSpec) {
    default_text(&mut spec.volume_mode, "Filesystem");
    spec.resources.get_or_insert_default();
}

/// What a client is warned of, which ephemeral volumes share.
pub(super) fn spec_warnings(spec: &PersistentVolumeClaimSpec, path: &Path) -> Vec<String> {
    let path = path.child("resources");
    let resources = spec.resources.as_ref();
    let amounts = resources.map(|resources| [("requests", &resources.requests), ("limits", &resources.limits)]);
    let storage =
        amounts.into_iter().flatten().filter_map(|(name, amounts)| Some((name, amounts.as_ref()?.get("storage")?)));
    storage.filter_map(|(name, quantity)| pod::fraction_warning(&path.child(name).key("storage"), quantity)).collect()
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
    if let Some(source) = &spec.data_source {
        data_source(text(&source.api_group), &source.kind, &source.name, &path.child("dataSource"), errors);
    }
    if let Some(source) = &spec.data_source_ref {
        let path = path.child("dataSourceRef");
        data_source(text(&source.api_group), &source.kind, &source.name, &path, errors);
        let namespace = text(&source.namespace);
        if !namespace.is_empty() {
            complain(errors, &path.child("namespace"), namespace, dns1123_label(namespace));
        }
    }
    if let (Some(source), Some(reference)) = (&spec.data_source, &spec.data_source_ref) {
        let is_same =
            (&source.api_group, &source.kind, &source.name) == (&reference.api_group, &reference.kind, &reference.name);
        // Upstream shows the other path as the value.
        let shown = "{}";
        if !text(&reference.namespace).is_empty() {
            let why = "may not be specified when dataSourceRef.namespace is specified";
            errors.push(Error::invalid_verbatim(path, shown, why));
        } else if !is_same {
            errors.push(Error::invalid_verbatim(path, shown, "must match dataSourceRef"));
        }
    }
    let class = text(&spec.volume_attributes_class_name);
    if !class.is_empty() {
        complain(errors, &path.child("volumeAttributesClassName"), class, dns1123_subdomain(class));
    }
}

fn data_source(group: &str, kind: &str, name: &str, path: &Path, errors: &mut Errors) {
    for (field, value) in [("name", name), ("kind", kind)] {
        if value.is_empty() {
            errors.push(Error::required(&path.child(field), ""));
        }
    }
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        let why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        errors.push(Error::invalid(path, kind, why));
    }
    if !group.is_empty() {
        complain(errors, &path.child("apiGroup"), group, dns1123_subdomain(group));
    }
}

pub(super) fn access_modes(modes: &[String], path: &Path, errors: &mut Errors) {
    for mode in modes {
        one_of(mode, ACCESS_MODES, path, errors);
    }
    let is_single = |mode: &String| mode == "ReadWriteOncePod";
    let is_other = |mode: &String| !is_single(mode) && ACCESS_MODES.contains(&mode.as_str());
    if modes.iter().any(is_single) && modes.iter().any(is_other) {
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
    let old_class = api::meta::annotation(&old.metadata, OLD_CLASS);
    let takes_class = |class: &String| old_class.is_none_or(|old| old == class);
    if before.storage_class_name.is_none() && new.storage_class_name.as_ref().is_some_and(takes_class) {
        // A claim without a class may be given one.
        kept.storage_class_name = None;
    }
    let is_bound = old.status.as_ref().is_some_and(|status| text(&status.phase) == "Bound");
    if is_bound {
        let requests = kept.resources.as_mut().and_then(|resources| resources.requests.as_mut());
        if let (Some(requests), Some(storage)) = (requests, storage(before)) {
            requests.insert("storage".into(), storage.clone());
        }
        if kept.volume_attributes_class_name.is_some() {
            kept.volume_attributes_class_name.clone_from(&before.volume_attributes_class_name);
        }
    }
    if kept != *before {
        let diff = go_diff::diff("core.v1.PersistentVolumeClaimSpec", before, &kept);
        errors.push(Error::forbidden(&path, format!("{SEALED}\n{diff}")));
    }
    let size = |quantity: Option<&Quantity>| quantity.map(amount).unwrap_or_default();
    let capacity = old.status.as_ref().and_then(|status| status.capacity.as_ref()?.get("storage"));
    let now = size(storage(new));
    if now < size(storage(before)) && now <= size(capacity) {
        let path = path.child("resources");
        let path = path.child("requests");
        errors.push(Error::forbidden(&path.child("storage"), "field can not be less than status.capacity"));
    }
    if new.volume_mode != before.volume_mode {
        let mode = Value::from(new.volume_mode.clone());
        errors.push(Error::invalid(&Path::new("volumeMode"), mode, IMMUTABLE));
    }
    if before.volume_attributes_class_name.is_some() {
        let to = match new.volume_attributes_class_name.as_deref() {
            None => "nil",
            Some("") => "an empty string",
            Some(_) => return,
        };
        let why = format!("update from non-nil value to {to} is forbidden");
        errors.push(Error::forbidden(&path.child("volumeAttributesClassName"), why));
    }
}
