//! The quality-of-service class: upstream's `ComputePodQOS`.

use api::types::{Container, PodSpec};

use crate::registry::rules::{amount, list};

const COUNTED: [&str; 2] = ["cpu", "memory"];

pub(super) fn class(spec: &PodSpec) -> &'static str {
    if let Some(resources) = &spec.resources {
        // What the Pod asks for as a whole goes before what its containers ask for.
        let whole = Container { resources: Some(resources.clone()), ..Container::default() };
        return match (has_any(&whole), is_guaranteed(&whole)) {
            (false, _) => "BestEffort",
            (true, true) => "Guaranteed",
            (true, false) => "Burstable",
        };
    }
    let containers = || spec.containers.iter().chain(list(&spec.init_containers));
    if !containers().any(has_any) {
        "BestEffort"
    } else if containers().all(is_guaranteed) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

fn has_any(container: &Container) -> bool {
    let Some(resources) = &container.resources else { return false };
    let lists = resources.limits.iter().chain(&resources.requests);
    lists.flatten().any(|(name, quantity)| COUNTED.contains(&name.as_str()) && amount(quantity).0 > 0)
}

/// CPU and memory are limited, and all of the limit is requested.
fn is_guaranteed(container: &Container) -> bool {
    let Some(resources) = &container.resources else { return false };
    COUNTED.iter().all(|name| {
        let limit = resources.limits.as_ref().and_then(|limits| limits.get(*name)).map(amount);
        let request = resources.requests.as_ref().and_then(|requests| requests.get(*name)).map(amount);
        limit.is_some_and(|limit| limit.0 > 0 && request.is_none_or(|request| request == limit))
    })
}
