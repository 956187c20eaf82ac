//! Priority: a Pod's class becomes a number.

use api::types::{Pod, PriorityClass};
use api::{Object, Status, Verb};

use super::Attributes;
use crate::storage::Storage;

pub(super) fn admit(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    if attributes.request.subresource != api::Subresource::None {
        return Ok(());
    }
    let Some(pod) = object.downcast_mut::<Pod>() else { return Ok(()) };
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let Some(spec) = pod.spec.as_mut() else { return Ok(()) };
    if attributes.verb != Verb::Create {
        let before = old.and_then(|old| old.downcast_ref::<Pod>()).and_then(|pod| pod.spec.as_ref());
        if let Some(before) = before {
            spec.priority = spec.priority.or(before.priority);
            if spec.preemption_policy.is_none() {
                spec.preemption_policy.clone_from(&before.preemption_policy);
            }
        }
        return Ok(());
    }
    let asked = spec.priority_class_name.as_deref().unwrap_or_default();
    let class = if asked.is_empty() {
        default_class(storage)
    } else {
        let Some(class) = storage.find::<PriorityClass>("", asked) else {
            let why = format!("no PriorityClass with name {asked} was found");
            return Err(Status::forbidden(attributes.kind, name, &why));
        };
        Some(class)
    };
    let value = class.and_then(|class| class.value).unwrap_or(0);
    let policy = class.and_then(|class| class.preemption_policy.clone()).unwrap_or("PreemptLowerPriority".into());
    if let Some(class) = class {
        spec.priority_class_name.clone_from(&class.metadata.name);
    }
    if spec.priority.is_some_and(|given| given != value) {
        let why = format!(
            "the integer value of priority ({}) must not be provided in pod spec; priority admission controller \
             computed {value} from the given PriorityClass name",
            spec.priority.unwrap_or(0)
        );
        return Err(Status::forbidden(attributes.kind, name, &why));
    }
    if let Some(given) = spec.preemption_policy.as_deref().filter(|given| *given != policy) {
        let why = format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission \
             controller computed {policy} from the given PriorityClass name"
        );
        return Err(Status::forbidden(attributes.kind, name, &why));
    }
    spec.priority = Some(value);
    spec.preemption_policy = Some(policy);
    Ok(())
}

/// Of several, the one that gives the least.
fn default_class(storage: &Storage) -> Option<&PriorityClass> {
    let defaults = storage.all::<PriorityClass>().filter(|class| class.global_default == Some(true));
    defaults.min_by_key(|class| class.value)
}

/// There is one default.
pub(super) fn validate(
    storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    _old: Option<&dyn Object>,
) -> Result<(), Status> {
    let Some(class) = object.downcast_ref::<PriorityClass>() else { return Ok(()) };
    let Some(before) = default_class(storage).and_then(|class| class.metadata.name.as_deref()) else { return Ok(()) };
    let is_another = match attributes.verb {
        Verb::Create => true,
        Verb::Update => before != object.name(),
        _ => false,
    };
    if class.global_default == Some(true) && is_another {
        let why = format!("PriorityClass {before} is already marked as default. Only one default can exist");
        return Err(Status::forbidden(attributes.kind, object.name(), &why));
    }
    Ok(())
}
