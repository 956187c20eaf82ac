//! Resizing a Pod in place: the CPU and memory of its containers, within its quality-of-service class.

use api::field::{Error, Errors, Path};
use api::quota::Resources;
use api::types::{Container, Pod, PodSpec};

use super::qos;
use crate::registry::rules::list;

/// `new` becomes the old Pod with its own containers' resources.
pub(super) fn update(new: &mut Pod, old: &Pod) -> Errors {
    let wanted = new.spec.take().unwrap_or_default();
    new.clone_from(old);
    let spec = new.spec.get_or_insert_default();
    let inits = spec.init_containers.iter_mut().flatten().zip(list(&wanted.init_containers));
    for (container, wanted) in spec.containers.iter_mut().zip(&wanted.containers).chain(inits) {
        if container.name == wanted.name {
            container.resources.clone_from(&wanted.resources);
            container.resize_policy.clone_from(&wanted.resize_policy);
        }
    }

    let mut errors = Errors::new();
    let (none, path) = (PodSpec::default(), Path::new("spec"));
    let before = old.spec.as_ref().unwrap_or(&none);
    if qos::class(spec) != qos::class(before) {
        let why = "Pod QOS Class may not change as a result of resizing";
        errors.push(Error::invalid(&path, qos::class(spec), why));
    }
    let containers_path = path.child("containers");
    for (index, (after, before)) in spec.containers.iter().zip(&before.containers).enumerate() {
        nothing_removed(after, before, &containers_path.index(index), &mut errors);
    }
    let changes_others = spec.containers.iter().zip(&before.containers).any(|(after, before)| {
        others(api::quota::requests(after)) != others(api::quota::requests(before))
            || others(api::quota::limits(after)) != others(api::quota::limits(before))
    });
    if changes_others {
        errors.push(Error::forbidden(&path, "only cpu and memory resources are mutable"));
    }
    errors
}

/// The resources that cannot be resized.
fn others(resources: Option<&Resources>) -> Vec<(&String, &str)> {
    let all = resources.into_iter().flatten();
    all.filter(|(name, _)| !matches!(name.as_str(), "cpu" | "memory"))
        .map(|(name, amount)| (name, &*amount.0))
        .collect()
}

fn nothing_removed(after: &Container, before: &Container, path: &Path, errors: &mut Errors) {
    let path = path.child("resources");
    let lists = [
        ("limits", "resource limits cannot be removed", api::quota::limits(before), api::quota::limits(after)),
        ("requests", "resource requests cannot be removed", api::quota::requests(before), api::quota::requests(after)),
    ];
    for (name, why, before, after) in lists {
        let kept = |name: &String| after.is_some_and(|after| after.contains_key(name));
        if !before.into_iter().flatten().all(|(name, _)| kept(name)) {
            errors.push(Error::forbidden(&path.child(name), why));
        }
    }
}
