//! ControllerRevisions: the templates that a StatefulSet or DaemonSet has had. Upstream's `pkg/controller/history`.

use std::sync::Arc;

use api::k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use api::types::{ControllerRevision, ObjectMeta, PodTemplateSpec};
use api::{Kinded, Object, Status, meta};
use client::Client;
use serde_json::{Value, json};

use crate::hash;

pub const REVISION_LABEL: &str = "controller-revision-hash";
const HASH_LABEL: &str = "controller.kubernetes.io/hash";

/// What a revision holds: a strategic merge patch that replaces the template.
pub fn template_patch(template: &PodTemplateSpec) -> Value {
    let mut template = serde_json::to_value(template).unwrap_or_else(|_| json!({}));
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
    collision_count: Option<i32>,
) -> ControllerRevision {
    let data = template_patch(template);
    let hash = hash::compute(&data.to_string(), collision_count);
    let name = owner.metadata().name.as_deref().unwrap_or_default();
    let mut labels = template.metadata.as_ref().and_then(|meta| meta.labels.clone()).unwrap_or_default();
    labels.insert(HASH_LABEL.into(), hash.clone());
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
        let wanted = new_revision(owner, template, revision, Some(*collision_count));
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
