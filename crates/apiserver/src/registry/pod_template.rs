//! The Pod template of workloads: its defaults and the rules that all workloads share.

use std::collections::BTreeMap;

use api::field::{Error, Errors, Path};
use api::selector::Selector;
use api::types::{LabelSelector, PodSpec, PodTemplateSpec};
use api::validate::{dns1123_label, label_selector};
use api::wire::go_json;

use super::pod;
use super::rules::{list, text};

pub(super) fn default(template: &mut PodTemplateSpec) {
    template.metadata.get_or_insert_default();
    pod::default_spec(template.spec.get_or_insert_default());
}

/// `ValidatePodTemplateSpec`
pub(super) fn validate(template: &PodTemplateSpec, path: &Path, errors: &mut Errors) {
    if let Some(meta) = &template.metadata {
        // Upstream leaves `metadata` out of these paths.
        api::validate::labels(meta.labels.as_ref(), &path.child("labels"), errors);
        api::validate::annotations(meta.annotations.as_ref(), &path.child("annotations"), errors);
    }
    let none = (PodSpec::default(), BTreeMap::new());
    let spec = template.spec.as_ref().unwrap_or(&none.0);
    let annotations = template.metadata.as_ref().and_then(|meta| meta.annotations.as_ref()).unwrap_or(&none.1);
    pod::validate_annotations(annotations, spec, &path.child("annotations"), errors);
    let spec_path = path.child("spec");
    pod::validate_spec(spec, None, &spec_path, errors);
    pod::annotations_agree(annotations, spec, &spec_path, errors);
    if !list(&spec.ephemeral_containers).is_empty() {
        let why = "ephemeral containers not allowed in pod template";
        errors.push(Error::forbidden(&spec_path.child("ephemeralContainers"), why));
    }
}

/// What a client is warned of about the template of a workload, and, of a new one, about the name that its Pods take over.
/// What there is to say of the rest of the specification stands between.
pub(super) fn warnings(
    name: Option<&str>,
    template: &PodTemplateSpec,
    path: &Path,
    rest: Option<String>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    let complaints = name.map(dns1123_label).unwrap_or_default();
    if !complaints.is_empty() {
        warnings.push(format!(
            "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS \
             label is recommended: [{}]",
            complaints.join(" ")
        ));
    }
    warnings.extend(rest);
    if let Some(spec) = &template.spec {
        let none = BTreeMap::new();
        let annotations = template.metadata.as_ref().and_then(|meta| meta.annotations.as_ref());
        warnings.extend(pod::warnings(spec, annotations.unwrap_or(&none), Some(path)));
    }
    warnings
}

/// The selector of a workload and the template whose labels it must match. `what` names the workload in the text.
pub(super) fn validate_selected(
    wanted: &LabelSelector,
    template: &PodTemplateSpec,
    what: &str,
    path: &Path,
    errors: &mut Errors,
) {
    if let Some(selector) = validate_selector(wanted, what, "invalid label selector", path, errors) {
        let path = path.child("template");
        validate_labels(template, &selector, &path, errors);
        validate(template, &path, errors);
        runs_for_ever(template, "ReplicaSet", &path, errors);
    }
}

/// The selector of a workload, if it can be read; otherwise `unreadable` is said of it.
pub(super) fn validate_selector(
    wanted: &LabelSelector,
    what: &str,
    unreadable: &str,
    path: &Path,
    errors: &mut Errors,
) -> Option<Selector> {
    let selector_path = path.child("selector");
    let before = errors.len();
    let wanted = given(wanted);
    match wanted {
        None => errors.push(Error::required(&selector_path, "")),
        Some(wanted) => label_selector(wanted, &selector_path, errors),
    }
    let is_readable = errors.len() == before || wanted.is_none();
    if wanted.is_some_and(is_empty) {
        let why = format!("empty selector is invalid for {what}");
        errors.push(Error::invalid_verbatim(&selector_path, shown(wanted), why));
    }
    if is_readable {
        return Some(Selector::from_label_selector(wanted));
    }
    errors.push(Error::invalid_verbatim(&selector_path, shown(wanted), unreadable));
    None
}

/// A selector that the author has written. An empty one has an empty map: decoding sees to that.
pub(super) fn given(selector: &LabelSelector) -> Option<&LabelSelector> {
    Some(selector).filter(|selector| **selector != LabelSelector::default())
}

fn shown(selector: Option<&LabelSelector>) -> String {
    match selector {
        None => "null".into(),
        Some(selector) if is_empty(selector) => "{}".into(),
        Some(selector) => go_json("meta.v1.LabelSelector", selector),
    }
}

pub(super) fn is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.as_ref().is_none_or(BTreeMap::is_empty)
        && selector.match_expressions.as_ref().is_none_or(Vec::is_empty)
}

/// A selector must match the labels of its template.
pub(super) fn validate_labels(template: &PodTemplateSpec, selector: &Selector, path: &Path, errors: &mut Errors) {
    static NONE: BTreeMap<String, String> = BTreeMap::new();
    let labels = template.metadata.as_ref().and_then(|meta| meta.labels.as_ref());
    if !selector.is_everything() && !selector.matches(labels.unwrap_or(&NONE)) {
        labels_do_not_match(template, path, errors);
    }
}

pub(super) fn labels_do_not_match(template: &PodTemplateSpec, path: &Path, errors: &mut Errors) {
    let labels = template.metadata.as_ref().and_then(|meta| meta.labels.as_ref());
    let value = api::wire::value_of(&labels);
    let why = "`selector` does not match template `labels`";
    errors.push(Error::invalid(&path.child("metadata").child("labels"), value, why));
}

/// Nothing may end the Pods of a `workload`.
pub(super) fn runs_for_ever(template: &PodTemplateSpec, workload: &str, path: &Path, errors: &mut Errors) {
    let path = path.child("spec");
    let policy = template.spec.as_ref().map(|spec| text(&spec.restart_policy)).unwrap_or_default();
    if policy != "Always" && !policy.is_empty() {
        errors.push(Error::not_supported(&path.child("restartPolicy"), policy, &["Always"]));
    }
    if template.spec.as_ref().is_some_and(|spec| spec.active_deadline_seconds.is_some()) {
        let why = format!("activeDeadlineSeconds in {workload} is not Supported");
        errors.push(Error::forbidden(&path.child("activeDeadlineSeconds"), why));
    }
}

/// A selector may not change.
pub(super) fn same_selector(new: &LabelSelector, old: &LabelSelector, errors: &mut Errors) {
    if new != old {
        let path = Path::new("spec");
        errors.push(Error::invalid_verbatim(&path.child("selector"), shown(given(new)), super::rules::IMMUTABLE));
    }
}
