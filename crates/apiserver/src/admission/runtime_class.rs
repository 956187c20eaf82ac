//! RuntimeClass: what running in a class costs a Pod, and where it can.

use api::types::{Pod, RuntimeClass, Toleration};
use api::{Object, Status, Subresource, Verb};

use super::Attributes;
use crate::storage::Storage;

pub(super) fn admit(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut dyn Object,
    _old: Option<&dyn Object>,
) -> Result<(), Status> {
    let name = object.name().to_owned();
    let refuse = |why: &str| Err(Status::forbidden(attributes.kind, &name, why));
    if attributes.verb != Verb::Create || attributes.request.subresource != Subresource::None {
        return Ok(());
    }
    let Some(spec) = object.downcast_mut::<Pod>().and_then(|pod| pod.spec.as_mut()) else { return Ok(()) };
    let has_overhead = spec.overhead.as_ref().is_some_and(|overhead| !overhead.is_empty());
    let Some(wanted) = spec.runtime_class_name.as_deref().filter(|wanted| !wanted.is_empty()) else {
        if has_overhead {
            return refuse("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
        }
        return Ok(());
    };
    let Some(class) = storage.find::<RuntimeClass>("", wanted) else {
        return refuse(&format!("pod rejected: RuntimeClass {wanted:?} not found"));
    };
    match class.overhead.as_ref().and_then(|overhead| overhead.pod_fixed.as_ref()) {
        Some(fixed) if has_overhead && spec.overhead.as_ref() != Some(fixed) => {
            return refuse("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
        }
        Some(fixed) => spec.overhead = Some(fixed.clone()),
        None if has_overhead => {
            return refuse("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
        }
        None => {}
    }
    let Some(scheduling) = &class.scheduling else { return Ok(()) };
    for (key, value) in scheduling.node_selector.iter().flatten() {
        let selected = spec.node_selector.get_or_insert_default().entry(key.clone()).or_insert_with(|| value.clone());
        if selected != value {
            return refuse(&format!(
                "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {selected}"
            ));
        }
    }
    for toleration in scheduling.tolerations.iter().flatten() {
        let tolerations: &mut Vec<Toleration> = spec.tolerations.get_or_insert_default();
        if !tolerations.contains(toleration) {
            tolerations.push(toleration.clone());
        }
    }
    Ok(())
}
