//! `metadata`, but for the name, whose form is the kind's own.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use super::labels::labels;
use super::names::{dns1123_label, qualified_name};
use crate::field::{Error, Errors, Path};
use crate::kinds::Kind;
use crate::wire::go_json;

const ANNOTATIONS_BYTES_MAX: usize = 256 * 1024;
pub const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

/// Everything of an object's metadata but its name.
pub fn metadata(kind: &Kind, meta: &ObjectMeta, path: &Path) -> Errors {
    let mut errors = Errors::new();
    let namespace = meta.namespace.as_deref().unwrap_or_default();
    if kind.namespaced {
        if namespace.is_empty() {
            errors.push(Error::required(&path.child("namespace"), ""));
        } else if kind.kind != "Event" {
            let bad = dns1123_label(namespace);
            errors.extend(bad.into_iter().map(|why| Error::invalid(&path.child("namespace"), namespace, why)));
        }
    } else if !namespace.is_empty() {
        errors.push(Error::forbidden(&path.child("namespace"), "not allowed on this type"));
    }
    object_metadata(meta, path, &mut errors);
    errors
}

/// Labels, annotations, owners, finalizers.
fn object_metadata(meta: &ObjectMeta, path: &Path, errors: &mut Errors) {
    changed_metadata(meta, path, errors);
    finalizers(meta.finalizers.as_deref().unwrap_or_default(), &path.child("finalizers"), errors);
}

/// The same without finalizers, whose form is not asked of a change.
pub fn changed_metadata(meta: &ObjectMeta, path: &Path, errors: &mut Errors) {
    if let Some(generation) = meta.generation.filter(|generation| *generation < 0) {
        let path = path.child("generation");
        errors.push(Error::invalid(&path, generation, "must be greater than or equal to 0"));
    }
    labels(meta.labels.as_ref(), &path.child("labels"), errors);
    annotations(meta.annotations.as_ref(), &path.child("annotations"), errors);
    owners(meta.owner_references.as_deref().unwrap_or_default(), &path.child("ownerReferences"), errors);
}

pub fn annotations(annotations: Option<&BTreeMap<String, String>>, path: &Path, errors: &mut Errors) {
    let Some(annotations) = annotations else { return };
    for key in annotations.keys() {
        // Keys may be in upper case, unlike the names that they are checked as.
        let bad = if qualified_name(key).is_empty() { Vec::new() } else { qualified_name(&key.to_lowercase()) };
        errors.extend(bad.into_iter().map(|why| Error::invalid(path, key.as_str(), why)));
    }
    let bytes: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes > ANNOTATIONS_BYTES_MAX {
        errors.push(Error::too_long(path, ANNOTATIONS_BYTES_MAX));
    }
}

fn owners(owners: &[OwnerReference], path: &Path, errors: &mut Errors) {
    let mut controller: Option<&OwnerReference> = None;
    for owner in owners {
        owner_reference(owner, path, errors);
        if owner.controller != Some(true) {
            continue;
        }
        if let Some(first) = controller {
            let detail = format!(
                "Only one reference can have Controller set to true. Found \"true\" in references for {}/{} and {}/{}",
                first.kind, first.name, owner.kind, owner.name
            );
            errors.push(Error::invalid_verbatim(path, go_json("meta.v1.OwnerReference", &owners), detail));
        } else {
            controller = Some(owner);
        }
    }
}

fn owner_reference(owner: &OwnerReference, path: &Path, errors: &mut Errors) {
    let version = owner.api_version.rsplit('/').next().unwrap_or_default();
    if version.is_empty() {
        let path = path.child("apiVersion");
        errors.push(Error::invalid(&path, owner.api_version.as_str(), "version must not be empty"));
    }
    for (name, value, why) in [
        ("kind", &owner.kind, "kind must not be empty"),
        ("name", &owner.name, "name must not be empty"),
        ("uid", &owner.uid, "uid must not be empty"),
    ] {
        if value.is_empty() {
            errors.push(Error::invalid(&path.child(name), value.as_str(), why));
        }
    }
    if owner.api_version == "v1" && owner.kind == "Event" {
        let detail = "/v1, Kind=Event is disallowed from being an owner";
        errors.push(Error::invalid_verbatim(path, go_json("meta.v1.OwnerReference", owner), detail));
    }
}

fn finalizers(finalizers: &[String], path: &Path, errors: &mut Errors) {
    let has = |name: &str| finalizers.iter().any(|finalizer| finalizer == name);
    for finalizer in finalizers {
        let bad = qualified_name(finalizer);
        errors.extend(bad.into_iter().map(|why| Error::invalid(path, finalizer.as_str(), why)));
    }
    if has("orphan") && has("foregroundDeletion") {
        let detail = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.push(Error::invalid(path, crate::wire::value_of(finalizers), detail));
    }
}

/// What built-in kinds ask of finalizers besides: upstream's `ValidateFinalizerName`.
pub fn finalizer_names(finalizers: &[String], metadata: &Path, errors: &mut Errors) {
    let path = metadata.child("finalizers");
    for (index, finalizer) in finalizers.iter().enumerate() {
        if !finalizer.contains('/') && !STANDARD_FINALIZERS.contains(&finalizer.as_str()) {
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            errors.push(Error::invalid(&path.index(index), finalizer.as_str(), why));
        }
    }
}
