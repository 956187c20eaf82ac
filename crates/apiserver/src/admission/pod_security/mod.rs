//! PodSecurity: the Pod Security Standards that a namespace's labels ask for. Upstream:
//! `k8s.io/pod-security-admission`.

mod checks;

use std::collections::BTreeMap;

use api::field::{Error, Errors, Path};
use api::types::*;
use api::{Object, Status, Subresource, Verb};

use super::Attributes;
use crate::storage::Storage;
use checks::Subject;

const PREFIX: &str = "pod-security.kubernetes.io/";
/// More Pods of a namespace are not looked at when its labels change.
const PODS_MAX: usize = 3000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Privileged,
    Baseline,
    Restricted,
}

const LEVELS: [(&str, Level); 3] =
    [("privileged", Level::Privileged), ("baseline", Level::Baseline), ("restricted", Level::Restricted)];

/// A level as of a minor version; `None` is the latest.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Policy {
    level: Level,
    version: Option<u32>,
}

impl std::fmt::Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = LEVELS.iter().find(|(_, level)| *level == self.level).map_or("", |(name, _)| name);
        match self.version {
            None => write!(f, "{name}:latest"),
            Some(minor) => write!(f, "{name}:v1.{minor}"),
        }
    }
}

/// A number without signs and needless zeros.
fn minor(text: &str) -> Option<u32> {
    text.parse().ok().filter(|minor: &u32| minor.to_string() == text)
}

impl Policy {
    /// The policy of a mode, and what is wrong with its labels.
    fn of(labels: &BTreeMap<String, String>, mode: &str, errors: &mut Errors) -> Policy {
        let metadata = Path::new("metadata");
        let path = metadata.child("labels");
        let mut policy = Policy { level: Level::Privileged, version: None };
        let mut refuse = |key: &str, value: &str, why: &str| errors.push(Error::invalid(&path.key(key), value, why));
        let key = format!("{PREFIX}{mode}");
        if let Some(text) = labels.get(&key) {
            let level = LEVELS.iter().find(|(name, _)| name == text);
            if level.is_none() {
                refuse(&key, text, "must be one of privileged, baseline, restricted");
            }
            let otherwise = if mode == "enforce" { Level::Restricted } else { Level::Privileged };
            policy.level = level.map_or(otherwise, |(_, level)| *level);
        }
        let key = format!("{key}-version");
        if let Some(text) = labels.get(&key).filter(|text| *text != "latest") {
            policy.version = text.strip_prefix("v1.").and_then(minor);
            if policy.version.is_none() {
                refuse(&key, text, "must be \"latest\" or \"v1.x\"");
            }
        }
        policy
    }

    /// What a Pod does that the policy forbids: the reasons, each with its details.
    fn evaluate(&self, subject: &Subject) -> Vec<checks::Violation> {
        checks::evaluate(self.level, self.version, subject)
    }
}

/// The policies of a namespace.
struct Policies {
    enforce: Policy,
    warn: Policy,
    errors: Errors,
}

impl Policies {
    fn of(namespace: &Namespace) -> Policies {
        let none = BTreeMap::new();
        let labels = namespace.metadata.labels.as_ref().unwrap_or(&none);
        let mut errors = Errors::new();
        let enforce = Policy::of(labels, "enforce", &mut errors);
        Policy::of(labels, "audit", &mut errors);
        let mut warn = Policy::of(labels, "warn", &mut errors);
        // Whoever enforces without a word on warnings is warned of the same.
        if !labels.contains_key("pod-security.kubernetes.io/warn") && enforce.level > warn.level {
            warn.level = enforce.level;
            if !labels.contains_key("pod-security.kubernetes.io/warn-version") {
                warn.version = enforce.version;
            }
        }
        Policies { enforce, warn, errors }
    }
}

pub(super) fn validate(
    storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    if !matches!(attributes.verb, Verb::Create | Verb::Update) {
        return Ok(());
    }
    if let Some(namespace) = object.downcast_ref::<Namespace>() {
        let old = old.and_then(|old| old.downcast_ref());
        return validate_namespace(storage, attributes, namespace, old);
    }
    let Some(namespace) = storage.find::<Namespace>("", &attributes.request.namespace) else { return Ok(()) };
    if namespace.metadata.labels.iter().flatten().all(|(label, _)| !label.starts_with(PREFIX)) {
        return Ok(());
    }
    let policies = Policies::of(namespace);
    if let Some(pod) = object.downcast_ref::<Pod>() {
        let old = old.and_then(|old| old.downcast_ref());
        return validate_pod(attributes, &policies, pod, old);
    }
    if attributes.is(Subresource::None)
        && let Some(template) = template_of(object)
        && let Some(spec) = &template.spec
    {
        let none = ObjectMeta::default();
        warn(attributes, &policies, &Subject { meta: template.metadata.as_ref().unwrap_or(&none), spec });
    }
    Ok(())
}

fn validate_namespace(
    storage: &Storage,
    attributes: &Attributes,
    namespace: &Namespace,
    old: Option<&Namespace>,
) -> Result<(), Status> {
    if !attributes.is(Subresource::None) {
        return Ok(());
    }
    let new = Policies::of(namespace);
    let Some(old) = old.map(Policies::of) else {
        return if new.errors.is_empty() { Ok(()) } else { Err(invalid(attributes, namespace, &new.errors)) };
    };
    if !new.errors.is_empty() && new.errors != old.errors {
        return Err(invalid(attributes, namespace, &new.errors));
    }
    let (after, before) = (new.enforce, old.enforce);
    let is_relaxed = after.version == before.version && after.level <= before.level;
    if after == before || after.level == Level::Privileged || is_relaxed {
        return Ok(());
    }
    let name = namespace.metadata.name.as_deref().unwrap_or_default();
    let lines = existing_violations(storage, name, &after);
    if !lines.is_empty() {
        let policy = after.to_string();
        let title = format!("existing pods in namespace {name:?} violate the new PodSecurity enforce level {policy:?}");
        attributes.warn(title);
        lines.into_iter().for_each(|line| attributes.warn(line));
    }
    Ok(())
}

fn invalid(attributes: &Attributes, namespace: &Namespace, errors: &Errors) -> Status {
    Status::invalid(attributes.kind, namespace.metadata.name.as_deref().unwrap_or_default(), errors)
}

/// `web (and 1 other pod): hostPort, privileged`
fn existing_violations(storage: &Storage, namespace: &str, policy: &Policy) -> Vec<String> {
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for pod in storage.within::<Pod>(namespace).take(PODS_MAX) {
        let Some(spec) = &pod.spec else { continue };
        let violations = policy.evaluate(&Subject { meta: &pod.metadata, spec });
        if !violations.is_empty() {
            let reasons: Vec<&str> = violations.iter().map(|violation| violation.reason.as_str()).collect();
            found.entry(reasons.join(", ")).or_default().push(pod.metadata.name.as_deref().unwrap_or_default());
        }
    }
    let line = |(reasons, pods): (String, Vec<&str>)| match pods.as_slice() {
        [pod] => format!("{pod}: {reasons}"),
        [pod, _] => format!("{pod} (and 1 other pod): {reasons}"),
        pods => format!("{} (and {} other pods): {reasons}", pods[0], pods.len() - 1),
    };
    let mut lines: Vec<String> = found.into_iter().map(line).collect();
    lines.sort();
    lines
}

fn validate_pod(attributes: &Attributes, policies: &Policies, pod: &Pod, old: Option<&Pod>) -> Result<(), Status> {
    let is_about_containers = attributes.is(Subresource::None) || attributes.is(Subresource::EphemeralContainers);
    if !is_about_containers || old.is_some_and(|old| !is_significant(pod, old)) {
        return Ok(());
    }
    let Some(spec) = &pod.spec else { return Ok(()) };
    let subject = Subject { meta: &pod.metadata, spec };
    let violations = policies.enforce.evaluate(&subject);
    if !violations.is_empty() {
        let policy = policies.enforce.to_string();
        let why = format!("violates PodSecurity {policy:?}: {}", checks::described(&violations));
        return Err(Status::forbidden(attributes.kind, pod.metadata.name.as_deref().unwrap_or_default(), &why));
    }
    warn(attributes, policies, &subject);
    Ok(())
}

/// An update that changes what the standards look at: in a Pod that exists, images and ephemeral containers.
fn is_significant(new: &Pod, old: &Pod) -> bool {
    let images = |pod: &Pod| {
        let spec = pod.spec.as_ref()?;
        let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
        let images: Vec<Option<String>> = containers.map(|container| container.image.clone()).collect();
        Some((images, spec.ephemeral_containers.clone()))
    };
    images(new) != images(old)
}

fn warn(attributes: &Attributes, policies: &Policies, subject: &Subject) {
    let violations = policies.warn.evaluate(subject);
    if !violations.is_empty() {
        let policy = policies.warn.to_string();
        attributes.warn(format!("would violate PodSecurity {policy:?}: {}", checks::described(&violations)));
    }
}

/// The template of whatever makes Pods.
fn template_of(object: &dyn Object) -> Option<&PodTemplateSpec> {
    if let Some(object) = object.downcast_ref::<Deployment>() {
        return Some(&object.spec.as_ref()?.template);
    }
    if let Some(object) = object.downcast_ref::<ReplicaSet>() {
        return object.spec.as_ref()?.template.as_ref();
    }
    if let Some(object) = object.downcast_ref::<StatefulSet>() {
        return Some(&object.spec.as_ref()?.template);
    }
    if let Some(object) = object.downcast_ref::<DaemonSet>() {
        return Some(&object.spec.as_ref()?.template);
    }
    if let Some(object) = object.downcast_ref::<Job>() {
        return Some(&object.spec.as_ref()?.template);
    }
    if let Some(object) = object.downcast_ref::<CronJob>() {
        return Some(&object.spec.job_template.spec.as_ref()?.template);
    }
    if let Some(object) = object.downcast_ref::<ReplicationController>() {
        return object.spec.as_ref()?.template.as_ref();
    }
    object.downcast_ref::<PodTemplate>()?.template.as_ref()
}
