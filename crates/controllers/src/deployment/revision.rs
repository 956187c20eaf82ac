//! The annotations that tie ReplicaSets to the revisions of their Deployment.

use api::meta;
use api::types::{Deployment, ObjectMeta, ReplicaSet};

use super::fenceposts;

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAX: &str = "deployment.kubernetes.io/max-replicas";
pub(super) const ROLLBACK_TO: &str = "deprecated.deployment.rollback.to";
/// What is the Deployment's own and not copied to its ReplicaSets.
const NOT_COPIED: [&str; 6] =
    ["kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MAX, ROLLBACK_TO];
/// Bytes that the list of earlier revisions of one ReplicaSet may take.
const HISTORY_LENGTH_MAX: usize = 2000;

/// The revision number of a ReplicaSet; 0 where there is none.
pub(super) fn of(replica_set: &ReplicaSet) -> i64 {
    meta::annotation(&replica_set.metadata, REVISION).and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Marks the Deployment with the revision that it is at. Whether that changed anything.
pub(super) fn set_on_deployment(deployment: &mut Deployment, revision: &str) -> bool {
    let changes = meta::annotation(&deployment.metadata, REVISION) != Some(revision);
    if changes {
        meta::set_annotation(&mut deployment.metadata, REVISION, revision);
    }
    changes
}

/// Copies the Deployment's annotations to its newest ReplicaSet and numbers it. Whether that changed anything.
pub(super) fn set_on_new(deployment: &Deployment, target: &mut ObjectMeta, revision: i64, exists: bool) -> bool {
    let mut changed = copy_annotations(deployment, target);
    let old = meta::annotation(target, REVISION).map(str::to_owned);
    let old_number = match old.as_deref() {
        None | Some("") => 0,
        Some(text) => match text.parse::<i64>() {
            Ok(number) => number,
            Err(_) => return false,
        },
    };
    if old_number < revision {
        meta::set_annotation(target, REVISION, revision.to_string());
        changed = true;
        if let Some(old) = old {
            let history = meta::annotation(target, HISTORY).unwrap_or_default();
            let history = extend_history(history, old);
            meta::set_annotation(target, HISTORY, history);
        }
    }
    if !exists && set_replicas(target, deployment) {
        changed = true;
    }
    changed
}

/// The list of the revisions that a ReplicaSet has been, oldest first, forgetting old ones when it grows too long.
fn extend_history(history: &str, old: String) -> String {
    if history.is_empty() {
        return old;
    }
    let mut kept = history;
    while !kept.is_empty() && kept.len() + 1 + old.len() > HISTORY_LENGTH_MAX {
        kept = kept.split_once(',').map(|(_, rest)| rest).unwrap_or_default();
    }
    if kept.is_empty() { old } else { format!("{kept},{old}") }
}

fn copy_annotations(deployment: &Deployment, target: &mut ObjectMeta) -> bool {
    let mut changed = false;
    for (name, value) in deployment.metadata.annotations.iter().flatten() {
        if !NOT_COPIED.contains(&name.as_str()) && meta::annotation(target, name) != Some(value) {
            meta::set_annotation(target, name, value.clone());
            changed = true;
        }
    }
    changed
}

/// Notes the size that the Deployment has, so that a later sync recognises scaling. Whether that changed anything.
pub(super) fn set_replicas(target: &mut ObjectMeta, deployment: &Deployment) -> bool {
    let changes = replicas_need_update(target, deployment);
    if changes {
        let desired = fenceposts::desired(deployment);
        meta::set_annotation(target, DESIRED, desired.to_string());
        meta::set_annotation(target, MAX, (desired + fenceposts::max_surge(deployment)).to_string());
    }
    changes
}

pub(super) fn replicas_need_update(target: &ObjectMeta, deployment: &Deployment) -> bool {
    let desired = fenceposts::desired(deployment);
    number(target, DESIRED) != Some(desired) || number(target, MAX) != Some(desired + fenceposts::max_surge(deployment))
}

pub(super) fn desired_replicas(replica_set: &ReplicaSet) -> Option<i32> {
    number(&replica_set.metadata, DESIRED)
}

pub(super) fn max_replicas(replica_set: &ReplicaSet) -> Option<i32> {
    number(&replica_set.metadata, MAX)
}

fn number(meta: &ObjectMeta, name: &str) -> Option<i32> {
    meta::annotation(meta, name)?.parse().ok()
}
