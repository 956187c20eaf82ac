//! Job.

use std::borrow::Cow;
use std::collections::BTreeMap;

use api::field::{Error, Errors, Path};
use api::selector::Selector;
use api::types::{Container, Job, JobCondition, JobSpec, JobStatus, LabelSelector, PodSpec, PodTemplateSpec};
use api::validate::{dns1123_label, label_selector};
use api::wire::go_json;
use api::{Propagation, meta};
use serde::Serialize;

use super::job_policies;
use super::rules::{
    IMMUTABLE, default_text, default_to, domain_prefixed_path, list, not_negative, subdomain_name, text,
};
use super::{go_diff, pod_template};
use crate::strategy::Strategy;

const UID_LABEL: &str = "batch.kubernetes.io/controller-uid";
const NAME_LABEL: &str = "batch.kubernetes.io/job-name";
const OLD_UID_LABEL: &str = "controller-uid";
const OLD_NAME_LABEL: &str = "job-name";

/// What messages show in place of a field that is not set.
const NIL: &str = "null";

const PARALLELISM_MAX: i32 = 100_000;
const FAILED_INDEXES_MAX: i32 = 100_000;
/// Above so many completions other limits are tighter.
const MANY_COMPLETIONS: i32 = 100_000;
const LIMIT_WITH_MANY_COMPLETIONS: i32 = 10_000;

impl Strategy for Job {
    const HAS_GENERATION: bool = true;
    const DELETE_PROPAGATION: Propagation = Propagation::Orphan;
    const FIELDS: &'static [&'static str] = &["status.successful"];

    fn default(&mut self) {
        let spec = self.spec.get_or_insert_default();
        pod_template::default(&mut spec.template);
        if spec.completions.is_none() && spec.parallelism.is_none() {
            spec.completions = Some(1);
        }
        default_to(&mut spec.parallelism, 1);
        let backoff_limit = if spec.backoff_limit_per_index.is_some() { i32::MAX } else { 6 };
        default_to(&mut spec.backoff_limit, backoff_limit);
        default_text(&mut spec.completion_mode, "NonIndexed");
        default_to(&mut spec.suspend, false);
        default_to(&mut spec.manual_selector, false);
        let replaced = if spec.pod_failure_policy.is_some() { "Failed" } else { "TerminatingOrFailed" };
        default_text(&mut spec.pod_replacement_policy, replaced);
        for rule in spec.pod_failure_policy.iter_mut().flat_map(|policy| &mut policy.rules) {
            for pattern in rule.on_pod_conditions.iter_mut().flatten() {
                default_text(&mut pattern.status, "True");
            }
        }
        labels_from_template(self);
        self.status.get_or_insert_default();
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(JobStatus::default());
        generate_selector(self);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
        // The selector is generated once.
        let spec = self.spec.get_or_insert_default();
        if spec.selector.is_none() {
            spec.selector = old.spec.as_ref().and_then(|spec| spec.selector.clone());
        }
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
    }

    fn same_generation(&self, old: &Self) -> bool {
        self.spec == old.spec
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let none = JobSpec::default();
        let (spec, path) = (self.spec.as_ref().unwrap_or(&none), Path::new("spec"));
        generated_selector(self, spec, &path, &mut errors);
        validate_with_selector(spec, &path, &mut errors);
        if let (Some("Indexed"), Some(completions @ 1..)) = (spec.completion_mode.as_deref(), spec.completions) {
            let name = text(&self.metadata.name);
            let host = format!("{name}-{}", completions - 1);
            if !dns1123_label(&host).is_empty() {
                let path = Path::new("metadata");
                let why = format!("will not able to create pod with invalid DNS label: {host}");
                errors.push(Error::invalid(&path.child("name"), name, why));
            }
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = self.validate();
        if let (Some(new), Some(before)) = (&self.spec, &old.spec) {
            let path = Path::new("spec");
            validate_with_selector(new, &path, &mut errors);
            immutable(new, before, old, &path, &mut errors);
        }
        errors
    }

    fn validate_status_update(&self, old: &Self) -> Errors {
        let mut errors = Errors::new();
        job_policies::validate_status(self, old, &Path::new("status"), &mut errors);
        errors
    }

    fn warnings(&self, is_new: bool) -> Vec<String> {
        let Some(spec) = &self.spec else { return Vec::new() };
        let path = Path::new("spec");
        let name = self.metadata.name.as_deref().filter(|_| is_new);
        pod_template::warnings(name, &spec.template, &path.child("template"), count_warning(spec, &path))
    }

    fn field(&self, _name: &str) -> Cow<'_, str> {
        self.status.as_ref().and_then(|status| status.succeeded).unwrap_or(0).to_string().into()
    }
}

/// `WarningsForJobSpec`, but for the template.
pub(super) fn count_warning(spec: &JobSpec, path: &Path) -> Option<String> {
    let is_large = spec.completions.is_some_and(|count| count > MANY_COMPLETIONS)
        && spec.parallelism.is_some_and(|count| count > LIMIT_WITH_MANY_COMPLETIONS);
    (is_large && spec.completion_mode.as_deref() == Some("Indexed")).then(|| {
        format!(
            "{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, \
             Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        )
    })
}

/// A Job without labels has its template's.
fn labels_from_template(job: &mut Job) {
    if job.metadata.labels.as_ref().is_none_or(BTreeMap::is_empty) {
        let template = job.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref());
        job.metadata.labels = template.and_then(|meta| meta.labels.clone());
    }
}

/// Labels the template, and selects by the Job's uid.
fn generate_selector(job: &mut Job) {
    let (uid, name) = (text(&job.metadata.uid).to_owned(), text(&job.metadata.name).to_owned());
    let spec = job.spec.get_or_insert_default();
    if spec.manual_selector == Some(true) {
        return;
    }
    let template = spec.template.metadata.get_or_insert_default();
    // Defaulting has made them one map upstream: what is written into one is in the other.
    let shares_labels = job.metadata.labels.as_ref().is_none_or(|labels| Some(labels) == template.labels.as_ref());
    let labels = template.labels.get_or_insert_default();
    for (key, value) in [(OLD_NAME_LABEL, &name), (NAME_LABEL, &name), (OLD_UID_LABEL, &uid), (UID_LABEL, &uid)] {
        labels.entry(key.into()).or_insert_with(|| value.clone());
    }
    if shares_labels {
        job.metadata.labels = Some(labels.clone());
    }
    let selected = spec.selector.get_or_insert_default().match_labels.get_or_insert_default();
    selected.entry(UID_LABEL.into()).or_insert(uid);
}

/// The labels that a generated selector needs are there and are the Job's own.
fn generated_selector(job: &Job, spec: &JobSpec, path: &Path, errors: &mut Errors) {
    let Some(selector) = &spec.selector else { return };
    if spec.manual_selector == Some(true) {
        return;
    }
    let (uid, name) = (text(&job.metadata.uid), text(&job.metadata.name));
    let template = spec.template.metadata.as_ref().map(|meta| meta::labels(meta).clone()).unwrap_or_default();
    let (template_path, metadata) = (path.child("template"), "metadata");
    let metadata_path = template_path.child(metadata);
    let labels_path = metadata_path.child("labels");
    let expected = [(OLD_UID_LABEL, uid), (OLD_NAME_LABEL, name), (UID_LABEL, uid), (NAME_LABEL, name)];
    for (key, value) in expected {
        let why = format!("must be '{value}'");
        match template.get(key) {
            Some(found) if found == value => {}
            Some(_) => {
                let shown = api::wire::value_of(&template);
                errors.push(Error::invalid(&labels_path.key(key), shown, why));
            }
            None => errors.push(Error::required(&labels_path.key(key), why)),
        }
    }
    let expected = expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    if !Selector::from_label_selector(Some(selector)).matches(&expected) {
        errors.push(Error::invalid_verbatim(&path.child("selector"), shown(selector), "`selector` not auto-generated"));
    }
}

fn shown(selector: &LabelSelector) -> String {
    go_json("meta.v1.LabelSelector", selector)
}

fn validate_with_selector(spec: &JobSpec, path: &Path, errors: &mut Errors) {
    validate_spec(spec, path, errors);
    let Some(selector) = &spec.selector else {
        errors.push(Error::required(&path.child("selector"), ""));
        return;
    };
    label_selector(selector, &path.child("selector"), errors);
    let matches = spec
        .template
        .metadata
        .as_ref()
        .is_some_and(|meta| Selector::from_label_selector(Some(selector)).matches(meta::labels(meta)));
    if !matches {
        pod_template::labels_do_not_match(&spec.template, &path.child("template"), errors);
    }
}

/// The rules that Jobs and the templates of CronJobs share.
pub(super) fn validate_spec(spec: &JobSpec, path: &Path, errors: &mut Errors) {
    let counts = [
        ("parallelism", spec.parallelism.map(i64::from)),
        ("completions", spec.completions.map(i64::from)),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit.map(i64::from)),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished.map(i64::from)),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index.map(i64::from)),
        ("maxFailedIndexes", spec.max_failed_indexes.map(i64::from)),
    ];
    for (name, count) in counts {
        not_negative(count.unwrap_or(0), &path.child(name), errors);
    }
    if spec.max_failed_indexes.is_some() && spec.backoff_limit_per_index.is_none() {
        let why = "when maxFailedIndexes is specified";
        errors.push(Error::required(&path.child("backoffLimitPerIndex"), why));
    }
    if let Some(manager) = &spec.managed_by {
        const LENGTH_MAX: usize = 63;
        let path = path.child("managedBy");
        domain_prefixed_path(manager, &path, errors);
        if manager.len() > LENGTH_MAX {
            errors.push(Error::too_long(&path, LENGTH_MAX));
        }
    }
    completion_mode(spec, path, errors);
    job_policies::validate(spec, path, errors);
    let template_path = path.child("template");
    pod_template::validate(&spec.template, &template_path, errors);
    restart_policy(spec, &template_path.child("spec"), errors);
}

fn completion_mode(spec: &JobSpec, path: &Path, errors: &mut Errors) {
    let per_index =
        [("backoffLimitPerIndex", spec.backoff_limit_per_index), ("maxFailedIndexes", spec.max_failed_indexes)];
    match spec.completion_mode.as_deref() {
        Some("Indexed") => indexed(spec, path, errors),
        None | Some("NonIndexed") => {
            for (name, value) in per_index {
                if let Some(value) = value {
                    errors.push(Error::invalid(&path.child(name), value, "requires indexed completion mode"));
                }
            }
        }
        Some(other) => {
            let supported = &["NonIndexed", "Indexed"];
            errors.push(Error::not_supported(&path.child("completionMode"), other, supported));
        }
    }
}

fn indexed(spec: &JobSpec, path: &Path, errors: &mut Errors) {
    let (failed, completions) = (spec.max_failed_indexes, spec.completions);
    if completions.is_none() {
        errors.push(Error::required(&path.child("completions"), "when completion mode is Indexed"));
    }
    let failed_path = path.child("maxFailedIndexes");
    let parallelism_path = path.child("parallelism");
    at_most(spec.parallelism, PARALLELISM_MAX, " when completion mode is Indexed", &parallelism_path, errors);
    if let (Some(failed), Some(completions)) = (failed, completions)
        && failed > completions
    {
        errors.push(Error::invalid(&failed_path, failed, "must be less than or equal to completions"));
    }
    at_most(failed, FAILED_INDEXES_MAX, "", &failed_path, errors);
    if completions.is_some_and(|count| count > MANY_COMPLETIONS) && spec.backoff_limit_per_index.is_some() {
        if failed.is_none() {
            let why = format!("must be specified when completions is above {MANY_COMPLETIONS}");
            errors.push(Error::required(&failed_path, why));
        }
        let when = format!(" when completions are above {MANY_COMPLETIONS} and used with backoff limit per index");
        at_most(spec.parallelism, LIMIT_WITH_MANY_COMPLETIONS, &when, &parallelism_path, errors);
        at_most(failed, LIMIT_WITH_MANY_COMPLETIONS, &when, &failed_path, errors);
    }
}

fn at_most(value: Option<i32>, limit: i32, when: &str, path: &Path, errors: &mut Errors) {
    if let Some(value) = value.filter(|value| *value > limit) {
        errors.push(Error::invalid(path, value, format!("must be less than or equal to {limit}{when}")));
    }
}

fn restart_policy(spec: &JobSpec, path: &Path, errors: &mut Errors) {
    let path = path.child("restartPolicy");
    match spec.template.spec.as_ref().map(|spec| text(&spec.restart_policy)).unwrap_or_default() {
        "" | "Always" => errors.push(Error::required(&path, "valid values: \"OnFailure\", \"Never\"")),
        "Never" => {}
        "OnFailure" if spec.pod_failure_policy.is_none() => {}
        policy @ "OnFailure" => {
            let why = "only \"Never\" is supported when podFailurePolicy is specified";
            errors.push(Error::invalid(&path, policy, why));
        }
        other => errors.push(Error::not_supported(&path, other, &["OnFailure", "Never"])),
    }
}

/// What stays as it was created.
fn immutable(new: &JobSpec, before: &JobSpec, old: &Job, path: &Path, errors: &mut Errors) {
    completions(new, before, &path.child("completions"), errors);
    if new.selector != before.selector {
        let shown = new.selector.as_ref().map_or(NIL.into(), shown);
        errors.push(Error::invalid_verbatim(&path.child("selector"), shown, IMMUTABLE));
    }
    let is_idle = old.status.as_ref().is_none_or(|status| {
        let suspended = |condition: &JobCondition| condition.type_ == "Suspended" && condition.status == "True";
        status.start_time.is_none() || list(&status.conditions).iter().any(suspended)
    });
    let may_be_directed = before.suspend == Some(true) && is_idle;
    let template = if may_be_directed { directed(&before.template, &new.template) } else { before.template.clone() };
    if new.template != template {
        let shown = go_diff::compact("core.v1.PodTemplateSpec", &new.template);
        errors.push(Error::invalid_verbatim(&path.child("template"), shown, IMMUTABLE));
    }
    let mut same = |name: &str, same: bool, shown: String| {
        if !same {
            errors.push(Error::invalid_verbatim(&path.child(name), shown, IMMUTABLE));
        }
    };
    let word = |word: &Option<String>| word.as_ref().map_or(NIL.into(), |word| format!("{word:?}"));
    same("completionMode", new.completion_mode == before.completion_mode, word(&new.completion_mode));
    let policy = internal("batch.v1.PodFailurePolicy", &new.pod_failure_policy);
    same("podFailurePolicy", new.pod_failure_policy == before.pod_failure_policy, policy);
    let limit = new.backoff_limit_per_index.map_or(NIL.into(), |limit| limit.to_string());
    same("backoffLimitPerIndex", new.backoff_limit_per_index == before.backoff_limit_per_index, limit);
    same("managedBy", new.managed_by == before.managed_by, word(&new.managed_by));
    let policy = internal("batch.v1.SuccessPolicy", &new.success_policy);
    same("successPolicy", new.success_policy == before.success_policy, policy);
}

/// A policy as Go prints its internal type.
fn internal(type_name: &'static str, policy: &Option<impl Serialize>) -> String {
    policy.as_ref().map_or(NIL.into(), |policy| go_diff::compact(type_name, policy))
}

/// Indexed Jobs may change their completions together with their parallelism.
fn completions(new: &JobSpec, before: &JobSpec, path: &Path, errors: &mut Errors) {
    let (now, is_indexed) = (new.completions, new.completion_mode.as_deref() == Some("Indexed"));
    if now == before.completions || (is_indexed && (now.is_none() || now == new.parallelism)) {
        return;
    }
    let why = if is_indexed { "can only be modified in tandem with spec.parallelism" } else { IMMUTABLE };
    errors.push(Error::invalid(path, now.map_or(serde_json::Value::Null, Into::into), why));
}

/// The old template with the new one's scheduling directives and resources: they may change while a suspended Job has not started.
fn directed(before: &PodTemplateSpec, new: &PodTemplateSpec) -> PodTemplateSpec {
    let mut template = before.clone();
    if let (Some(meta), Some(new)) = (&mut template.metadata, &new.metadata) {
        meta.annotations.clone_from(&new.annotations);
        meta.labels.clone_from(&new.labels);
    }
    let (Some(spec), Some(new)): (Option<&mut PodSpec>, _) = (template.spec.as_mut(), &new.spec) else {
        return template;
    };
    spec.node_selector.clone_from(&new.node_selector);
    spec.tolerations.clone_from(&new.tolerations);
    spec.scheduling_gates.clone_from(&new.scheduling_gates);
    let resources = |new: &[Container], old: &mut [Container]| {
        for (old, new) in old.iter_mut().zip(new) {
            old.resources.clone_from(&new.resources);
        }
    };
    resources(&new.containers, &mut spec.containers);
    resources(list(&new.init_containers), spec.init_containers.as_deref_mut().unwrap_or_default());
    let wanted = new.affinity.as_ref().and_then(|affinity| affinity.node_affinity.clone());
    let mut affinity = spec.affinity.take().unwrap_or_default();
    affinity.node_affinity = wanted;
    spec.affinity = Some(affinity).filter(|affinity| new.affinity.is_some() || *affinity != Default::default());
    template
}
