//! Annotations of Pods that mean something: `ValidatePodSpecificAnnotations` and its sisters.

use std::collections::BTreeMap;

use api::field::{Error, Errors, Path};
use api::types::{AppArmorProfile, Container, PodSpec, SeccompProfile};

use super::{containers, security};
use crate::registry::rules::is_empty;
use crate::registry::volume_sources::descending_path;

pub(super) const MIRROR: &str = "kubernetes.io/config.mirror";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

pub(in crate::registry) type Annotations = BTreeMap<String, String>;

pub(in crate::registry) fn validate(annotations: &Annotations, spec: &PodSpec, path: &Path, errors: &mut Errors) {
    if let Some(value) = annotations.get(MIRROR).filter(|_| is_empty(&spec.node_name)) {
        let why = "must set spec.nodeName if mirror pod annotation is set";
        errors.push(Error::invalid(&path.key(MIRROR), value.as_str(), why));
    }
    if let Some(cost) = annotations.get(DELETION_COST).filter(|cost| !is_cost(cost)) {
        errors.push(Error::invalid(&path.key(DELETION_COST), cost.as_str(), "must be a 32bit integer"));
    }
    for (key, profile) in annotations {
        if key == SECCOMP_POD || key.starts_with(SECCOMP_CONTAINER) {
            seccomp(profile, &path.child(key), errors);
        }
    }
    for (key, profile) in annotations {
        let Some(container) = key.strip_prefix(APP_ARMOR) else { continue };
        let mut exists = false;
        containers::each(spec, path, |other, _| exists |= other.name == container);
        if !exists {
            errors.push(Error::invalid(&path.key(key), container, "container not found"));
        }
        if !matches!(profile.as_str(), "" | "runtime/default" | "unconfined") && !profile.starts_with("localhost/") {
            let why = format!("invalid AppArmor profile name: {profile:?}");
            errors.push(Error::invalid(&path.key(key), profile.as_str(), why));
        }
    }
}

/// A 32-bit number without a plus or zeros in front.
fn is_cost(text: &str) -> bool {
    (text == "0" || text.starts_with(|first: char| first == '-' || ('1'..='9').contains(&first)))
        && text.parse::<i32>().is_ok()
}

fn seccomp(profile: &str, path: &Path, errors: &mut Errors) {
    match profile.strip_prefix("localhost/") {
        Some(local) => descending_path(local, path, errors),
        None if matches!(profile, "runtime/default" | "docker/default" | "unconfined") => {}
        None => errors.push(Error::invalid(path, profile, "must be a valid seccomp profile")),
    }
}

/// What may not change: `ValidatePodSpecificAnnotationUpdates`.
pub(super) fn validate_update(
    annotations: &Annotations,
    old: &Annotations,
    spec: &PodSpec,
    path: &Path,
    errors: &mut Errors,
) {
    let is_kept = |key: &str| key.starts_with(APP_ARMOR) || key == MIRROR;
    let what = |key: &str| if key == MIRROR { "mirror pod annotation" } else { "AppArmor annotations" };
    for (key, value) in old.iter().filter(|(key, _)| is_kept(key)) {
        if annotations.get(key) != Some(value) {
            errors.push(Error::forbidden(&path.key(key), format!("may not remove or update {}", what(key))));
        }
    }
    for key in annotations.keys().filter(|key| is_kept(key) && !old.contains_key(*key)) {
        errors.push(Error::forbidden(&path.key(key), format!("may not add {}", what(key))));
    }
    validate(annotations, spec, path, errors);
}

/// Profiles that are given twice must agree.
pub(in crate::registry) fn agree(annotations: &Annotations, spec: &PodSpec, path: &Path, errors: &mut Errors) {
    if annotations.is_empty() {
        return;
    }
    let context = spec.security_context.as_ref();
    if let (Some(annotation), Some(profile)) =
        (annotations.get(SECCOMP_POD), context.and_then(|context| context.seccomp_profile.as_ref()))
    {
        seccomp_agrees(annotation, profile, &path.child("securityContext").child("seccompProfile"), errors);
    }
    containers::each(spec, path, |container, path| {
        let own = container.security_context.as_ref().and_then(|context| context.seccomp_profile.as_ref());
        if let (Some(annotation), Some(profile)) =
            (annotations.get(&[SECCOMP_CONTAINER, &container.name].concat()), own)
        {
            seccomp_agrees(annotation, profile, &path.child("securityContext").child("seccompProfile"), errors);
        }
    });
    if spec.os.as_ref().is_some_and(|os| os.name == "windows") {
        return;
    }
    let of_pod = context.and_then(|context| context.app_armor_profile.as_ref());
    containers::each(spec, path, |container, path| {
        if let (Some(annotation), Some(profile)) =
            (annotations.get(&[APP_ARMOR, &container.name].concat()), app_armor_of(container).or(of_pod))
        {
            let local = profile.localhost_profile.as_deref();
            let path = path.child("securityContext");
            same(annotation, &profile.type_, local, "apparmor", &path.child("appArmorProfile"), errors);
        }
    });
}

fn seccomp_agrees(annotation: &str, profile: &SeccompProfile, path: &Path, errors: &mut Errors) {
    let annotation = if annotation == "docker/default" { "runtime/default" } else { annotation };
    same(annotation, &profile.type_, profile.localhost_profile.as_deref(), "seccomp", path, errors);
}

fn same(annotation: &str, kind: &str, local: Option<&str>, what: &str, path: &Path, errors: &mut Errors) {
    let named = annotation.strip_prefix("localhost/");
    let same_type = match kind {
        "Unconfined" => annotation == "unconfined",
        "RuntimeDefault" => annotation == "runtime/default",
        "Localhost" => named.is_some(),
        _ => true,
    };
    if !same_type {
        let why = format!("{what} type in annotation and field must match");
        errors.push(Error::forbidden(&path.child("type"), why));
    } else if kind == "Localhost" && named != local {
        let why = format!("{what} profile in annotation and field must match");
        errors.push(Error::forbidden(&path.child("localhostProfile"), why));
    }
}

fn app_armor_of(container: &Container) -> Option<&AppArmorProfile> {
    container.security_context.as_ref()?.app_armor_profile.as_ref()
}

/// Old annotations become fields of a new Pod's containers: `applyAppArmorVersionSkew`.
pub(super) fn to_fields(annotations: &Annotations, spec: &mut PodSpec) {
    if spec.os.as_ref().is_some_and(|os| os.name == "windows") {
        return;
    }
    let of_pod = spec.security_context.as_ref().and_then(|context| context.app_armor_profile.clone());
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        let profile = annotations.get(&[APP_ARMOR, &container.name].concat()).and_then(|text| profile(text));
        if app_armor_of(container).is_none() && profile.is_some() && profile != of_pod {
            container.security_context.get_or_insert_default().app_armor_profile = profile;
        }
    }
}

/// The field that an annotation stands for, if it is a right one.
fn profile(annotation: &str) -> Option<AppArmorProfile> {
    let (kind, local) = match annotation.strip_prefix("localhost/") {
        Some(local) => ("Localhost", Some(local.to_owned())),
        None if annotation == "runtime/default" => ("RuntimeDefault", None),
        None if annotation == "unconfined" => ("Unconfined", None),
        None => return None,
    };
    let profile = AppArmorProfile { type_: kind.into(), localhost_profile: local };
    let mut errors = Errors::new();
    security::app_armor(&profile, &Path::new(""), &mut errors);
    errors.is_empty().then_some(profile)
}

/// The AppArmor annotation of a container that should be a field. Creating a Pod has made it one already.
pub(super) fn old_app_armor(
    annotations: &Annotations,
    container: &Container,
    spec: &PodSpec,
    in_template: bool,
) -> Option<String> {
    let key = [APP_ARMOR, &container.name].concat();
    let annotation = annotations.get(&key)?;
    let of_pod = spec.security_context.as_ref().and_then(|context| context.app_armor_profile.as_ref());
    let own = app_armor_of(container);
    let was_made = !in_template && own.is_some() && own == profile(annotation).as_ref() && own != of_pod;
    (was_made || (own.is_none() && of_pod.is_none())).then_some(key)
}

/// Whether the seccomp annotation of a Pod, or of one of its containers, has no field beside it.
pub(super) fn old_seccomp(annotations: &Annotations, container: Option<&Container>, spec: &PodSpec) -> Option<String> {
    let (key, field) = match container {
        None => (
            SECCOMP_POD.to_owned(),
            spec.security_context.as_ref().and_then(|context| context.seccomp_profile.as_ref()),
        ),
        Some(container) => (
            [SECCOMP_CONTAINER, &container.name].concat(),
            container.security_context.as_ref().and_then(|context| context.seccomp_profile.as_ref()),
        ),
    };
    (field.is_none() && annotations.contains_key(&key)).then_some(key)
}
