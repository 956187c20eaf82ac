//! Which Pod is which: names, ordinals, labels, and the claims that belong to an ordinal.

use api::meta;
use api::types::{PersistentVolumeClaimVolumeSource, Pod, StatefulSet, Volume};

use crate::history::REVISION_LABEL;
use crate::pod_control::pod_from_template;

const POD_NAME_LABEL: &str = "statefulset.kubernetes.io/pod-name";
const POD_INDEX_LABEL: &str = "apps.kubernetes.io/pod-index";

/// `db-2` is number 2 of `db`.
pub(super) fn parent_and_ordinal(pod: &Pod) -> Option<(&str, i32)> {
    let (parent, number) = pod.metadata.name.as_deref()?.rsplit_once('-')?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| number.parse().ok())?.map(|number| (parent, number))
}

pub(super) fn ordinal(pod: &Pod) -> i32 {
    parent_and_ordinal(pod).map(|(_, number)| number).unwrap_or(-1)
}

pub(super) fn start_ordinal(set: &StatefulSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.ordinals.as_ref()?.start).unwrap_or_default()
}

pub(super) fn replicas(set: &StatefulSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

pub(super) fn is_in_range(ordinal: i32, set: &StatefulSet) -> bool {
    let start = start_ordinal(set);
    (start..start + replicas(set)).contains(&ordinal)
}

pub(super) fn revision(pod: &Pod) -> &str {
    meta::label(&pod.metadata, REVISION_LABEL).unwrap_or_default()
}

/// The Pod of an ordinal, from the template that is in `set`.
pub(super) fn new_pod(set: &StatefulSet, ordinal: i32, revision: &str) -> Pod {
    let Some(spec) = &set.spec else { return Pod::default() };
    let mut pod = pod_from_template(set, &spec.template);
    pod.metadata.generate_name = None;
    pod.metadata.name = Some(format!("{}-{ordinal}", set.metadata.name.as_deref().unwrap_or_default()));
    set_identity(set, &mut pod);
    let pod_spec = pod.spec.get_or_insert_default();
    pod_spec.hostname = pod.metadata.name.clone();
    pod_spec.subdomain = spec.service_name.clone().filter(|name| !name.is_empty());
    set_storage(set, &mut pod, ordinal);
    meta::set_label(&mut pod.metadata, REVISION_LABEL, revision);
    pod
}

pub(super) fn set_identity(set: &StatefulSet, pod: &mut Pod) {
    let name = pod.metadata.name.clone().unwrap_or_default();
    pod.metadata.namespace = set.metadata.namespace.clone();
    let ordinal = ordinal(pod);
    meta::set_label(&mut pod.metadata, POD_NAME_LABEL, name);
    meta::set_label(&mut pod.metadata, POD_INDEX_LABEL, ordinal.to_string());
}

pub(super) fn identity_matches(set: &StatefulSet, pod: &Pod) -> bool {
    meta::label(&pod.metadata, POD_NAME_LABEL) == pod.metadata.name.as_deref()
        && pod.metadata.namespace == set.metadata.namespace
        && meta::label(&pod.metadata, POD_INDEX_LABEL).is_some()
}

/// `data-db-2`: the claim of a template for an ordinal.
pub(super) fn claim_name(set: &StatefulSet, template: &str, ordinal: i32) -> String {
    format!("{template}-{}-{ordinal}", set.metadata.name.as_deref().unwrap_or_default())
}

/// Names of the claim templates.
pub(super) fn templates(set: &StatefulSet) -> impl Iterator<Item = &str> {
    let templates = set.spec.iter().flat_map(|spec| spec.volume_claim_templates.iter().flatten());
    templates.map(|template| template.metadata.name.as_deref().unwrap_or_default())
}

pub(super) fn storage_matches(set: &StatefulSet, pod: &Pod) -> bool {
    let ordinal = ordinal(pod);
    let volumes = || pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    templates(set).all(|template| {
        let claim = claim_name(set, template, ordinal);
        let found = volumes().find(|volume| volume.name == template);
        let source = found.and_then(|volume| volume.persistent_volume_claim.as_ref());
        source.is_some_and(|source| source.claim_name == claim)
    })
}

/// Volumes of the claims replace volumes of the template with the same names.
fn set_storage(set: &StatefulSet, pod: &mut Pod, ordinal: i32) {
    let mut volumes: Vec<Volume> = templates(set)
        .map(|template| Volume {
            name: template.into(),
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: claim_name(set, template, ordinal),
                read_only: None,
            }),
            ..Volume::default()
        })
        .collect();
    let spec = pod.spec.get_or_insert_default();
    let own = spec.volumes.take().unwrap_or_default();
    let is_new = |volume: &Volume| volumes.iter().all(|claimed| claimed.name != volume.name);
    let own: Vec<Volume> = own.into_iter().filter(|volume| is_new(volume)).collect();
    volumes.extend(own);
    spec.volumes = Some(volumes).filter(|volumes| !volumes.is_empty());
}
