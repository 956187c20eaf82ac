//! Resizing a Pod in place: CPU and memory of its containers or of itself, within its quality-of-service class. Upstream:
//! `podResizeStrategy` and `ValidatePodResize`.

use api::field::{Error, Errors, Path};
use api::quota::Resources;
use api::types::{Container, Pod, PodSpec, ResourceRequirements};

use super::{annotations, qos};
use crate::registry::rules::{list, text};

/// `new` becomes the old Pod with its own resources.
pub(super) fn prepare(new: &mut Pod, old: &Pod) {
    let wanted = new.spec.take().unwrap_or_default();
    let managers = new.metadata.managed_fields.take();
    let none = PodSpec::default();
    let before = old.spec.as_ref().unwrap_or(&none);
    let same_count = wanted.containers.len() == before.containers.len()
        && list(&wanted.init_containers).len() == list(&before.init_containers).len();
    new.clone_from(old);
    new.metadata.managed_fields = managers;
    if !same_count {
        // Validation says why not.
        new.spec = Some(wanted);
        return;
    }
    let spec = new.spec.get_or_insert_default();
    spec.resources = wanted.resources;
    spec.containers = resized(wanted.containers, &before.containers);
    spec.init_containers = wanted.init_containers.map(|wanted| resized(wanted, list(&before.init_containers)));
}

/// The old containers with new resources; the new ones, if they are called otherwise.
fn resized(wanted: Vec<Container>, before: &[Container]) -> Vec<Container> {
    if wanted.iter().zip(before).any(|(wanted, before)| wanted.name != before.name) {
        return wanted;
    }
    let one = |(wanted, before): (Container, &Container)| Container {
        resources: wanted.resources,
        resize_policy: wanted.resize_policy,
        ..before.clone()
    };
    wanted.into_iter().zip(before).map(one).collect()
}

/// What makes any resize impossible.
pub(super) fn refuse(old: &Pod) -> Option<Error> {
    let os = old.spec.as_ref().and_then(|spec| spec.os.as_ref());
    if old.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(annotations::MIRROR)) {
        return Some(Error::forbidden(&Path::new(""), "static pods cannot be resized"));
    }
    os.filter(|os| os.name == "windows").map(|_| Error::forbidden(&Path::new(""), "windows pods cannot be resized"))
}

pub(super) fn validate(new: &Pod, old: &Pod, errors: &mut Errors) {
    const ONLY: &str = "only cpu and memory resources are mutable";
    let (none, path) = (PodSpec::default(), Path::new("spec"));
    let (after, before) = (new.spec.as_ref().unwrap_or(&none), old.spec.as_ref().unwrap_or(&none));
    let class = old.status.as_ref().map(|status| text(&status.qos_class)).unwrap_or_default();
    if qos::class(before) != qos::class(after) {
        errors.push(Error::invalid(&path, class, "Pod QOS Class may not change as a result of resizing"));
    }
    let running = old
        .status
        .iter()
        .flat_map(|status| list(&status.container_statuses))
        .find(|status| status.state.as_ref().is_some_and(|state| state.running.is_some()));
    if running.is_some_and(|status| status.resources.is_none()) {
        errors.push(Error::forbidden(&path, "Pod running on node without support for resize"));
    }
    let mut munged = after.clone();
    of_pod(after, before, &mut munged, &path, errors);
    let count = errors.len();
    for (name, after, before) in lists(after, before) {
        same_order(name, after, before, &path.child(name), errors);
    }
    if errors.len() > count {
        return;
    }
    for (name, after, before) in lists(after, before).into_iter().rev() {
        let path = path.child(name);
        for (index, (after, before)) in after.iter().zip(before).enumerate() {
            nothing_removed(after, before, &path.index(index), errors);
        }
    }
    for (after, before) in munged.containers.iter_mut().zip(&before.containers) {
        keep_resizable(after, before);
        if after != before {
            errors.push(Error::forbidden(&path, ONLY));
        }
    }
    let inits_path = path.child("initContainers");
    let inits = munged.init_containers.iter_mut().flatten().zip(list(&before.init_containers));
    for (index, (after, before)) in inits.enumerate() {
        let is_modified = after != before;
        let is_sidecar = text(&after.restart_policy) == "Always";
        keep_resizable(after, before);
        let path = inits_path.index(index);
        if after != before {
            let why = "only cpu and memory resources for init or sidecar containers are mutable";
            errors.push(Error::forbidden(&path, why));
        }
        let restarts = list(&after.resize_policy).iter().filter(|policy| policy.restart_policy == "RestartContainer");
        for _ in restarts.filter(|_| is_modified && !is_sidecar) {
            let why = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized";
            errors.push(Error::forbidden(&path, why));
        }
    }
    if errors.is_empty() && munged != *before {
        errors.push(Error::forbidden(&path, ONLY));
    }
}

type Lists<'a> = [(&'static str, &'a [Container], &'a [Container]); 2];

fn lists<'a>(after: &'a PodSpec, before: &'a PodSpec) -> Lists<'a> {
    [
        ("containers", &after.containers, &before.containers),
        ("initContainers", list(&after.init_containers), list(&before.init_containers)),
    ]
}

fn same_order(name: &str, after: &[Container], before: &[Container], path: &Path, errors: &mut Errors) {
    if after.len() != before.len() {
        errors.push(Error::forbidden(path, format!("{name} may not be added or removed on resize")));
        return;
    }
    for (index, _) in after.iter().zip(before).enumerate().filter(|(_, (after, before))| after.name != before.name) {
        let why = format!("{name} may not be renamed or reordered on resize");
        errors.push(Error::forbidden(&path.index(index).child("name"), why));
    }
}

/// `validatePodLevelResourcesResize`
fn of_pod(after: &PodSpec, before: &PodSpec, munged: &mut PodSpec, path: &Path, errors: &mut Errors) {
    let path_of_resources = path.child("resources");
    match (&after.resources, &before.resources) {
        (None, None) => return,
        (None, Some(_)) => {
            errors.push(Error::forbidden(&path_of_resources, "pod-level resources cannot be removed"));
            return;
        }
        (Some(after), Some(before)) => {
            for (name, after, before) in
                [("requests", &after.requests, &before.requests), ("limits", &after.limits, &before.limits)]
            {
                if is_removed(after.as_ref(), before.as_ref()) {
                    let why = format!("pod-level resource {name} cannot be removed");
                    errors.push(Error::forbidden(&path_of_resources.child(name), why));
                }
            }
        }
        (Some(_), None) => {}
    }
    if let Some(resources) = &mut munged.resources {
        let none = ResourceRequirements::default();
        let old = before.resources.as_ref().unwrap_or(&none);
        resources.requests = kept(resources.requests.take(), old.requests.as_ref());
        resources.limits = kept(resources.limits.take(), old.limits.as_ref());
        if before.resources.is_none() && *resources == none {
            munged.resources = None;
        }
    }
    if munged.resources != before.resources {
        errors.push(Error::forbidden(path, "only cpu and memory resources are mutable at pod-level"));
    }
}

/// Takes CPU and memory back.
fn keep_resizable(after: &mut Container, before: &Container) {
    let resources = after.resources.get_or_insert_default();
    resources.requests = kept(resources.requests.take(), api::quota::requests(before));
    resources.limits = kept(resources.limits.take(), api::quota::limits(before));
}

fn kept(after: Option<Resources>, before: Option<&Resources>) -> Option<Resources> {
    let is_resizable = |name: &String| matches!(name.as_str(), "cpu" | "memory");
    let mut kept = after.unwrap_or_default();
    kept.retain(|name, _| !is_resizable(name));
    let old = before.into_iter().flatten().filter(|(name, _)| is_resizable(name));
    kept.extend(old.map(|(name, amount)| (name.clone(), amount.clone())));
    (!kept.is_empty()).then_some(kept)
}

fn is_removed(after: Option<&Resources>, before: Option<&Resources>) -> bool {
    let has = |name: &String| after.is_some_and(|after| after.contains_key(name));
    !before.into_iter().flatten().all(|(name, _)| has(name))
}

fn nothing_removed(after: &Container, before: &Container, path: &Path, errors: &mut Errors) {
    let path = path.child("resources");
    for (name, after, before) in [
        ("requests", api::quota::requests(after), api::quota::requests(before)),
        ("limits", api::quota::limits(after), api::quota::limits(before)),
    ] {
        if is_removed(after, before) {
            errors.push(Error::forbidden(&path.child(name), format!("resource {name} cannot be removed")));
        }
    }
}
