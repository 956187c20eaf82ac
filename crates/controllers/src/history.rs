//! ControllerRevisions: the templates that a StatefulSet or DaemonSet has had. Upstream's `pkg/controller/history`.

use std::sync::Arc;

use api::k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use api::selector::Selector;
use api::types::{ControllerRevision, ObjectMeta, PodTemplateSpec};
use api::{Kinded, Object, Status, meta};
use client::{Client, DeleteOptions};
use serde_json::{Value, json};

use crate::caches::{BY_CONTROLLER, Caches, orphans_of};
use crate::claim::claim;
use crate::hash;

pub const REVISION_LABEL: &str = "controller-revision-hash";

/// The revisions that a workload controls or adopts, oldest first.
pub fn claimed<C: Kinded + Object>(
    client: &mut Client,
    owner: &C,
    selector: &Selector,
    caches: &Caches,
) -> Result<Vec<Arc<ControllerRevision>>, Status> {
    let meta = owner.metadata();
    let orphans = orphans_of(meta.namespace.as_deref().unwrap_or_default());
    let owned = caches.controller_revisions.indexed(BY_CONTROLLER, meta.uid.as_deref().unwrap_or_default());
    let candidates = owned.chain(caches.controller_revisions.indexed(BY_CONTROLLER, &orphans)).cloned().collect();
    let mut revisions = claim(client, owner, selector, candidates)?;
    sort(&mut revisions);
    Ok(revisions)
}

/// The revision of a workload's template: one of those that it has, renumbered as the newest, or a new one.
pub fn current<C: Kinded + Object>(
    client: &mut Client,
    owner: &C,
    template: &PodTemplateSpec,
    revisions: &[Arc<ControllerRevision>],
    collision_count: &mut i32,
) -> Result<Arc<ControllerRevision>, Status> {
    let next = revisions.last().map(|last| last.revision).unwrap_or_default() + 1;
    let wanted = new_revision(owner, template, next, *collision_count);
    let same = revisions.iter().rev().find(|revision| equal(revision, &wanted));
    match (same, revisions.last()) {
        (Some(same), Some(last)) if Arc::ptr_eq(same, last) => Ok(same.clone()),
        (Some(same), _) => renumber(client, same, next),
        (None, _) => create(client, owner, template, next, collision_count),
    }
}

/// Deletes the oldest of the revisions that nothing uses.
pub fn truncate(client: &mut Client, unused: &[&Arc<ControllerRevision>], limit: Option<i32>) -> Result<(), Status> {
    let limit = limit.unwrap_or(10).max(0) as usize;
    for revision in unused.iter().take(unused.len().saturating_sub(limit)) {
        let (namespace, name) = (revision.metadata.namespace.as_deref(), revision.metadata.name.as_deref());
        let namespace = namespace.unwrap_or_default();
        client.delete::<ControllerRevision>(namespace, name.unwrap_or_default(), DeleteOptions::default())?;
    }
    Ok(())
}

/// What a revision holds: a strategic merge patch that replaces the template.
pub fn template_patch(template: &PodTemplateSpec) -> Value {
    let mut template = api::wire::value_of(template);
    template["$patch"] = "replace".into();
    json!({ "spec": { "template": template } })
}

/// The template that a revision holds.
pub fn template_of(revision: &ControllerRevision) -> Option<PodTemplateSpec> {
    let mut template = revision.data.as_ref()?.0.pointer("/spec/template")?.clone();
    template.as_object_mut()?.remove("$patch");
    api::decode::typed(template).ok()
}

/// A revision that is not stored yet.
pub fn new_revision<C: Kinded>(
    owner: &C,
    template: &PodTemplateSpec,
    revision: i64,
    collision_count: i32,
) -> ControllerRevision {
    let data = template_patch(template);
    let is_daemon_set = C::KIND == "DaemonSet";
    let hash = if is_daemon_set {
        hash::of_template(template, collision_count)
    } else {
        hash::of_revision(&data, collision_count)
    };
    let name = owner.metadata().name.as_deref().unwrap_or_default();
    let mut labels = template.metadata.as_ref().and_then(|meta| meta.labels.clone()).unwrap_or_default();
    // What tells the Pods of a DaemonSet apart is the hash itself, those of others the revision's name.
    let label = if is_daemon_set { REVISION_LABEL } else { "controller.kubernetes.io/hash" };
    labels.insert(label.into(), hash.clone());
    ControllerRevision {
        metadata: ObjectMeta {
            name: Some(format!("{name}-{hash}")),
            namespace: owner.metadata().namespace.clone(),
            labels: Some(labels),
            annotations: owner.metadata().annotations.clone(),
            owner_references: Some(vec![meta::controller_reference(owner)]),
            ..ObjectMeta::default()
        },
        data: Some(RawExtension(data)),
        revision,
    }
}

pub fn equal(left: &ControllerRevision, right: &ControllerRevision) -> bool {
    left.data == right.data
}

/// Oldest first.
pub fn sort(revisions: &mut [Arc<ControllerRevision>]) {
    let created =
        |revision: &ControllerRevision| revision.metadata.creation_timestamp.as_ref().map(api::time::since_start);
    revisions.sort_by(|left, right| {
        left.revision
            .cmp(&right.revision)
            .then_with(|| created(left).cmp(&created(right)))
            .then_with(|| left.metadata.name.cmp(&right.metadata.name))
    });
}

/// Stores a revision. Where its name is taken by another template, the hash is computed again with a higher count.
pub fn create<C: Kinded + Object>(
    client: &mut Client,
    owner: &C,
    template: &PodTemplateSpec,
    revision: i64,
    collision_count: &mut i32,
) -> Result<Arc<ControllerRevision>, Status> {
    loop {
        let wanted = new_revision(owner, template, revision, *collision_count);
        match client.create(wanted.clone()) {
            Err(status) if status.is_already_exists() => {
                let (namespace, name) = (wanted.metadata.namespace.as_deref(), wanted.metadata.name.as_deref());
                let namespace = namespace.unwrap_or_default();
                let existing = client.get::<ControllerRevision>(namespace, name.unwrap_or_default())?;
                if equal(&existing, &wanted) {
                    return Ok(existing);
                }
                *collision_count += 1;
            }
            other => return other,
        }
    }
}

/// Gives an old revision the newest number: its template is in use again.
pub fn renumber(
    client: &mut Client,
    revision: &Arc<ControllerRevision>,
    number: i64,
) -> Result<Arc<ControllerRevision>, Status> {
    if revision.revision == number {
        return Ok(revision.clone());
    }
    client.update(ControllerRevision { revision: number, ..(**revision).clone() })
}
