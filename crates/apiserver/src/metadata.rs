//! What the pipeline checks and keeps of every object's metadata.

use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::types::ObjectMeta;
use api::validate::path_segment;
use api::{Kind, Object, Request, Status};

use crate::strategy::KindRules;

/// The object's namespace is the request's, or is refused.
pub(crate) fn settle_namespace(kind: &Kind, request: &Request, meta: &mut ObjectMeta) -> Result<(), Status> {
    let named = meta.namespace.as_deref().unwrap_or_default();
    if kind.namespaced && !named.is_empty() && named == request.namespace {
        return Ok(());
    }
    if named.is_empty() || named == request.namespace || (kind.id.is_custom() && !kind.namespaced) {
        meta.namespace = kind.namespaced.then(|| request.namespace.clone());
        return Ok(());
    }
    Err(Status::bad_request("the namespace of the provided object does not match the namespace sent on the request"))
}

/// A new object: its metadata, then the kind's own rules.
pub(crate) fn validate(kind: &Kind, rules: &KindRules, object: &dyn Object) -> Result<(), Status> {
    let mut errors = validate_meta(kind, rules, object.meta());
    errors.extend(rules.validate(object));
    if errors.is_empty() {
        // The generic code's own check of every name comes last.
        let metadata = Path::new("metadata");
        let (path, name) = (metadata.child("name"), object.name());
        errors.extend(path_segment(name, false).into_iter().map(|why| Error::invalid(&path, name, why)));
    }
    refuse(kind, object, errors)
}

/// A change of an object.
pub(crate) fn validate_update(
    kind: &Kind,
    rules: &KindRules,
    new: &dyn Object,
    old: &dyn Object,
) -> Result<(), Status> {
    // Upstream checks in the generic code and again in the kind's own, and lists the causes as often.
    let (changed, full) = own_checks(kind);
    let update = validate_meta_update(new.meta(), old.meta());
    let mut errors = update.clone();
    for _ in 0..full {
        errors.extend(validate_meta(kind, rules, new.meta()));
    }
    for _ in 0..changed {
        errors.extend_from_slice(&update);
    }
    errors.extend(rules.validate_update(new, old));
    refuse(kind, new, errors)
}

/// A change of an object's status.
pub(crate) fn validate_status_update(
    kind: &Kind,
    rules: &KindRules,
    new: &dyn Object,
    old: &dyn Object,
) -> Result<(), Status> {
    let mut errors = validate_meta_update(new.meta(), old.meta());
    errors.extend_from_within(..);
    errors.extend(rules.validate_status_update(new, old));
    refuse(kind, new, errors)
}

pub(crate) fn refuse(kind: &Kind, object: &dyn Object, errors: Errors) -> Result<(), Status> {
    if errors.is_empty() {
        return Ok(());
    }
    // A custom resource may say that it is something else: that is among the errors, and goes by its own word.
    let own = object
        .downcast_ref::<Tree>()
        .map(|tree| tree.text("/kind"))
        .filter(|own| kind.id.is_custom() && !own.is_empty());
    let mut status = Status::invalid(kind, object.name(), &errors);
    if let Some(own) = own.filter(|own| *own != kind.kind) {
        status.message = status.message.replacen(kind.kind, own, 1);
        status.details.get_or_insert_default().kind = own.into();
    }
    Err(status)
}

/// Upstream's `ValidateObjectMeta`.
fn validate_meta(kind: &Kind, rules: &KindRules, meta: &ObjectMeta) -> Errors {
    let path = Path::new("metadata");
    let mut errors = Errors::new();
    if let Some(base) = meta.generate_name.as_deref().filter(|base| !base.is_empty()) {
        let path = path.child("generateName");
        errors.extend(rules.validate_name(base, true).into_iter().map(|why| Error::invalid(&path, base, why)));
    }
    let name_path = path.child("name");
    match meta.name.as_deref().filter(|name| !name.is_empty()) {
        None => errors.push(Error::required(&name_path, "name or generateName is required")),
        Some(name) => {
            errors
                .extend(rules.validate_name(name, false).into_iter().map(|why| Error::invalid(&name_path, name, why)));
        }
    }
    errors.extend(api::validate::metadata(kind, meta, &path));
    errors
}

/// How often a kind's own rules of a change check the metadata: as that of a change, and as that of a new object.
fn own_checks(kind: &Kind) -> (usize, usize) {
    if kind.id.is_custom() {
        return (1, 0);
    }
    match kind.kind {
        "ConfigMap"
        | "Secret"
        | "Service"
        | "ServiceAccount"
        | "Pod"
        | "Namespace"
        | "Node"
        | "PersistentVolume"
        | "PersistentVolumeClaim"
        | "ReplicationController"
        | "ReplicaSet"
        | "DaemonSet"
        | "Job"
        | "NetworkPolicy"
        | "StorageClass" => (1, 1),
        "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding" => (1, 2),
        "PodDisruptionBudget"
        | "LimitRange"
        | "EndpointSlice"
        | "FlowSchema"
        | "PriorityLevelConfiguration"
        | "ValidatingWebhookConfiguration"
        | "MutatingWebhookConfiguration"
        | "ValidatingAdmissionPolicy"
        | "ValidatingAdmissionPolicyBinding"
        | "MutatingAdmissionPolicy"
        | "MutatingAdmissionPolicyBinding" => (0, 1),
        _ => (1, 0),
    }
}

/// Upstream's `ValidateObjectMetaUpdate`: what the server has set stays.
fn validate_meta_update(new: &ObjectMeta, old: &ObjectMeta) -> Errors {
    let path = Path::new("metadata");
    let mut errors = Errors::new();
    if old.deletion_timestamp.is_some() {
        let added: Vec<String> = finalizers(new).iter().filter(|one| !finalizers(old).contains(one)).cloned().collect();
        if !added.is_empty() {
            let listed = added.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>().join(", ");
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{listed}}}"
            );
            errors.push(Error::forbidden(&path.child("finalizers"), detail));
        }
    }
    let mut keep = |name: &str, same: bool, value: Option<&String>| {
        if !same {
            let value = value.map(String::as_str).unwrap_or_default();
            errors.push(Error::invalid(&path.child(name), value, "field is immutable"));
        }
    };
    keep("name", new.name == old.name, new.name.as_ref());
    keep("namespace", new.namespace == old.namespace, new.namespace.as_ref());
    keep("uid", new.uid == old.uid, new.uid.as_ref());
    // The form of finalizers is checked only where the kind's own rules check the metadata as that of a new object.
    let (mut form, finalizers) = (Errors::new(), path.child("finalizers").to_string());
    api::validate::object_metadata(new, &path, &mut form);
    errors.extend(form.into_iter().filter(|error| !error.field.starts_with(&finalizers)));
    errors
}

pub(crate) fn finalizers(meta: &ObjectMeta) -> &[String] {
    meta.finalizers.as_deref().unwrap_or_default()
}
