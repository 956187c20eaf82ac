//! What the pipeline checks and keeps of every object's metadata.

use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::types::{Event, ObjectMeta};
use api::validate::path_segment;
use api::{Kind, Object, Request, Status};

use crate::registry::event;
use crate::registry::resource::admin_access;
use crate::storage::Storage;
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

/// A new object: its metadata, then the kind's own rules. Some kinds begin with what other objects say to it.
pub(crate) fn validate(
    storage: &Storage,
    served: &Kind,
    kind: &Kind,
    rules: &KindRules,
    object: &dyn Object,
) -> Result<(), Status> {
    let mut errors = admin_access::of_requests(storage, kind, object);
    let event = strict_event(served, object);
    let checks_own = event.is_some() || kind.id.is_custom() || !matches!(kind.kind, "Event" | "PodDisruptionBudget");
    if checks_own {
        errors.extend(validate_own(kind, rules, object.meta()));
    }
    errors.extend(event.map_or_else(|| rules.validate(object), event::validate_strict));
    if errors.is_empty() {
        errors = validate_common(kind, object.meta());
    }
    refuse(kind, object, errors)
}

/// A change of an object.
pub(crate) fn validate_update(
    served: &Kind,
    kind: &Kind,
    rules: &KindRules,
    new: &dyn Object,
    old: &dyn Object,
) -> Result<(), Status> {
    let events = strict_event(served, new).zip(strict_event(served, old));
    let own = if events.is_some() { &[Check::Change] } else { own_checks(kind) };
    let mut errors = repeated(kind, rules, new, old, own);
    errors.extend(match events {
        Some((new, old)) => event::validate_strict_update(new, old),
        None => rules.validate_update(new, old),
    });
    refuse(kind, new, errors)
}

/// An Event that a client of the newer group writes.
fn strict_event<'a>(served: &Kind, object: &'a dyn Object) -> Option<&'a Event> {
    object.downcast_ref().filter(|_| served.group == "events.k8s.io")
}

/// A change of an object's status.
pub(crate) fn validate_status_update(
    storage: &Storage,
    kind: &Kind,
    rules: &KindRules,
    new: &dyn Object,
    old: &dyn Object,
) -> Result<(), Status> {
    let mut errors = repeated(kind, rules, new, old, own_status_checks(kind));
    errors.extend(admin_access::of_results(storage, kind, new, old));
    errors.extend(rules.validate_status_update(new, old));
    refuse(kind, new, errors)
}

/// What is wrong with the metadata of a change: upstream looks at it in the generic code and again in the kind's own, and
/// lists the causes as often.
fn repeated(kind: &Kind, rules: &KindRules, new: &dyn Object, old: &dyn Object, own: &[Check]) -> Errors {
    let change = validate_change(new.meta(), old.meta());
    let mut errors = validate_common(kind, new.meta());
    errors.extend_from_slice(&change);
    for check in own {
        match check {
            Check::New => errors.extend(validate_own(kind, rules, new.meta())),
            Check::Change => errors.extend_from_slice(&change),
        }
    }
    errors
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

/// Upstream's `ValidateObjectMeta`, as kinds call it.
fn validate_own(kind: &Kind, rules: &KindRules, meta: &ObjectMeta) -> Errors {
    let mut errors = validate_meta(kind, meta, |name, prefix| rules.validate_name(name, prefix));
    // Groups that use the API machinery's function do not ask more of finalizers than of any name.
    let is_plain = matches!(
        kind.group,
        "admissionregistration.k8s.io"
            | "apiextensions.k8s.io"
            | "apiregistration.k8s.io"
            | "coordination.k8s.io"
            | "node.k8s.io"
    );
    if !is_plain && !kind.id.is_custom() {
        api::validate::finalizer_names(finalizers(meta), &Path::new("metadata"), &mut errors);
    }
    errors
}

/// The same as the generic code calls it, for which names are parts of paths.
fn validate_common(kind: &Kind, meta: &ObjectMeta) -> Errors {
    validate_meta(kind, meta, path_segment)
}

fn validate_meta(kind: &Kind, meta: &ObjectMeta, validate_name: impl Fn(&str, bool) -> Vec<String>) -> Errors {
    let path = Path::new("metadata");
    let mut errors = Errors::new();
    if let Some(base) = meta.generate_name.as_deref().filter(|base| !base.is_empty()) {
        let path = path.child("generateName");
        errors.extend(validate_name(base, true).into_iter().map(|why| Error::invalid(&path, base, why)));
    }
    let name_path = path.child("name");
    match meta.name.as_deref().filter(|name| !name.is_empty()) {
        None => errors.push(Error::required(&name_path, "name or generateName is required")),
        Some(name) => {
            errors.extend(validate_name(name, false).into_iter().map(|why| Error::invalid(&name_path, name, why)));
        }
    }
    errors.extend(api::validate::metadata(kind, meta, &path));
    errors
}

/// How a kind's own rules look at metadata.
#[derive(Clone, Copy)]
enum Check {
    /// As that of a new object.
    New,
    /// As a change.
    Change,
}

/// Which checks of metadata a kind's own rules of a change make, in their order: the calls of `ValidateObjectMeta` and
/// `ValidateObjectMetaUpdate` in its `ValidateUpdate`.
fn own_checks(kind: &Kind) -> &'static [Check] {
    use Check::{Change, New};
    if kind.id.is_custom() {
        return &[Change];
    }
    match kind.kind {
        "APIService" | "ConfigMap" | "ControllerRevision" | "Endpoints" | "Pod" | "Secret" | "Service"
        | "ServiceAccount" => &[Change, New],
        "CertificateSigningRequest"
        | "DaemonSet"
        | "DeviceClass"
        | "Job"
        | "Namespace"
        | "NetworkPolicy"
        | "Node"
        | "ReplicaSet"
        | "ReplicationController"
        | "ResourceClaim"
        | "ResourceClaimTemplate"
        | "ResourceSlice"
        | "RuntimeClass"
        | "StorageClass"
        | "VolumeAttributesClass" => &[New, Change],
        "CSINode" | "PersistentVolume" | "VolumeAttachment" => &[New, New],
        "PersistentVolumeClaim" => &[New, Change, New],
        "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding" => &[New, New, Change],
        "CSIStorageCapacity"
        | "EndpointSlice"
        | "FlowSchema"
        | "LimitRange"
        | "MutatingAdmissionPolicy"
        | "MutatingAdmissionPolicyBinding"
        | "MutatingWebhookConfiguration"
        | "PriorityLevelConfiguration"
        | "ValidatingAdmissionPolicy"
        | "ValidatingAdmissionPolicyBinding"
        | "ValidatingWebhookConfiguration" => &[New],
        "Event" | "PodDisruptionBudget" => &[],
        _ => &[Change],
    }
}

/// The same of a change of the status.
fn own_status_checks(kind: &Kind) -> &'static [Check] {
    if kind.id.is_custom() {
        return &[Check::Change];
    }
    match kind.kind {
        "CronJob"
        | "FlowSchema"
        | "PodDisruptionBudget"
        | "PriorityLevelConfiguration"
        | "ValidatingAdmissionPolicy" => &[],
        "CertificateSigningRequest" | "VolumeAttachment" => own_checks(kind),
        _ => &[Check::Change],
    }
}

/// Upstream's `ValidateObjectMetaUpdate`: what the server has set stays.
fn validate_change(new: &ObjectMeta, old: &ObjectMeta) -> Errors {
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
    api::validate::changed_metadata(new, &path, &mut errors);
    errors
}

pub(crate) fn finalizers(meta: &ObjectMeta) -> &[String] {
    meta.finalizers.as_deref().unwrap_or_default()
}

/// What a client is told of the finalizers that it adds to a custom resource, which a built-in kind would refuse.
pub(crate) fn finalizer_warnings(kind: &Kind, new: &ObjectMeta, old: Option<&ObjectMeta>) -> Vec<String> {
    if !kind.id.is_custom() {
        return Vec::new();
    }
    let known = old.map(finalizers).unwrap_or_default();
    let mut added: Vec<&String> = finalizers(new).iter().filter(|one| !known.contains(one)).collect();
    added.sort();
    added.dedup();
    let unusual = |name: &&String| !name.contains('/') && !api::validate::STANDARD_FINALIZERS.contains(&name.as_str());
    let why = "prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other \
               finalizer writers";
    added.into_iter().filter(unusual).map(|name| format!("metadata.finalizers: {name:?}: {why}")).collect()
}
