//! What may change in a Pod once it exists: very little.

use api::field::{Error, Errors, Path};
use api::types::{Container, Pod, PodSpec, Toleration};

use crate::registry::go_diff;
use crate::registry::rules::{is_empty, list, text};

const MAY_CHANGE: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
     `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
     tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

pub(super) fn validate(new: &PodSpec, old: &PodSpec, errors: &mut Errors) {
    if new == old {
        return;
    }
    let path = Path::new("spec");
    let lists = [
        ("containers", new.containers.as_slice(), old.containers.as_slice()),
        ("initContainers", list(&new.init_containers), list(&old.init_containers)),
    ];
    for (name, new, old) in lists {
        if !same_containers(new, old, &path.child(name), errors) {
            return;
        }
    }
    if !deadline(new, old, &path.child("activeDeadlineSeconds"), errors) {
        return;
    }
    only_added_tolerations(new, old, &path.child("tolerations"), errors);
    only_deleted_gates(new, old, &path.child("schedulingGates"), errors);

    let munged = munged(new, old);
    if munged != *old {
        let diff = go_diff::diff("core.v1.PodSpec", old, &munged);
        errors.push(Error::forbidden(&path, format!("{MAY_CHANGE}\n{diff}")));
    }
}

/// Images may change, containers may not come or go. False: there is nothing more to compare.
fn same_containers(new: &[Container], old: &[Container], path: &Path, errors: &mut Errors) -> bool {
    let names =
        |containers: &[Container]| containers.iter().map(|container| container.name.clone()).collect::<Vec<_>>();
    if new.len() != old.len() || names(new) != names(old) {
        errors.push(Error::forbidden(path, "pod updates may not add or remove containers"));
        return false;
    }
    for (index, container) in new.iter().enumerate() {
        let image = text(&container.image);
        if !image.is_empty() && image.trim() != image {
            let why = "must not have leading or trailing whitespace";
            errors.push(Error::invalid(&path.index(index).child("image"), image, why));
        }
    }
    true
}

/// A deadline may come, and come closer.
fn deadline(new: &PodSpec, old: &PodSpec, path: &Path, errors: &mut Errors) -> bool {
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(seconds), _) if !(0..=i64::from(i32::MAX)).contains(&seconds) => {
            errors.push(Error::invalid(path, seconds, "must be between 0 and 2147483647, inclusive"));
            false
        }
        (Some(seconds), Some(before)) if before < seconds => {
            errors.push(Error::invalid(path, seconds, "must be less than or equal to previous value"));
            false
        }
        (None, Some(_)) => {
            let value = serde_json::Value::Null;
            errors.push(Error::invalid(path, value, "must not update from a positive integer to nil value"));
            true
        }
        _ => true,
    }
}

fn only_added_tolerations(new: &PodSpec, old: &PodSpec, path: &Path, errors: &mut Errors) {
    let same_but_seconds = |one: &Toleration, other: &Toleration| {
        one.key == other.key && one.operator == other.operator && one.value == other.value && one.effect == other.effect
    };
    let kept = |before: &Toleration| list(&new.tolerations).iter().any(|now| same_but_seconds(now, before));
    if !list(&old.tolerations).iter().all(kept) {
        let why = "existing toleration can not be modified except its tolerationSeconds";
        errors.push(Error::forbidden(path, why));
    }
}

fn only_deleted_gates(new: &PodSpec, old: &PodSpec, path: &Path, errors: &mut Errors) {
    let existed = |name: &str| list(&old.scheduling_gates).iter().any(|gate| gate.name == name);
    for (index, gate) in list(&new.scheduling_gates).iter().enumerate() {
        if !existed(&gate.name) {
            let why = format!("only deletion is allowed, but found new scheduling gate '{}'", gate.name);
            errors.push(Error::forbidden(&path.index(index), why));
        }
    }
}

/// The new specification with everything that may change set back.
fn munged(new: &PodSpec, old: &PodSpec) -> PodSpec {
    let mut munged = new.clone();
    let inits = munged.init_containers.iter_mut().flatten().zip(list(&old.init_containers));
    for (container, before) in munged.containers.iter_mut().zip(&old.containers).chain(inits) {
        container.image.clone_from(&before.image);
    }
    munged.active_deadline_seconds = old.active_deadline_seconds;
    munged.tolerations.clone_from(&old.tolerations);
    munged.scheduling_gates.clone_from(&old.scheduling_gates);
    if old.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0)
        && munged.termination_grace_period_seconds == Some(1)
    {
        munged.termination_grace_period_seconds = old.termination_grace_period_seconds;
    }
    let is_gated = !list(&old.scheduling_gates).is_empty();
    if is_gated {
        // A Pod that does not run yet may still be told where to.
        let adds = old.node_selector.iter().flatten().all(|(key, value)| {
            new.node_selector.as_ref().and_then(|selector| selector.get(key)).is_some_and(|now| now == value)
        });
        if adds {
            munged.node_selector.clone_from(&old.node_selector);
        }
        if old.affinity.as_ref().is_none_or(|affinity| affinity.node_affinity.is_none()) {
            munged.affinity.clone_from(&old.affinity);
        }
    }
    munged
}

pub(super) fn validate_status(new: &Pod, old: &Pod) -> Errors {
    let mut errors = Errors::new();
    let path = Path::new("status");
    let (Some(status), before) = (&new.status, old.status.as_ref()) else { return errors };
    let nominated = text(&status.nominated_node_name);
    let nominated_before = before.map(|status| text(&status.nominated_node_name)).unwrap_or_default();
    let is_bound = new.spec.as_ref().is_some_and(|spec| !is_empty(&spec.node_name));
    if is_bound && !nominated.is_empty() && nominated != nominated_before {
        let why = "may not be set on pods that are already bound to a node";
        errors.push(Error::forbidden(&path.child("nominatedNodeName"), why));
    }
    errors
}
