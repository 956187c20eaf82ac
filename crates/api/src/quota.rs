//! What objects count for in a ResourceQuota: upstream's `pkg/quota/v1`. Admission charges it, the quota controller adds
//! it up.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::kinds::{Kind, row};
use crate::object::Object;
use crate::quantity::{self, Amount, Format};
use crate::types::{
    Container, PersistentVolumeClaim, Pod, PodSpec, ResourceQuotaSpec, ScopedResourceSelectorRequirement, Service,
};

/// Amounts by resource.
pub type Resources = BTreeMap<String, Quantity>;

/// Resources that are called the same as the kind that they count.
const COUNTED: &[&str] = &[
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
];

/// What an object counts for.
pub fn usage(object: &dyn Object) -> Resources {
    let kind = row(object.kind_id()).stored();
    let mut usage = Resources::new();
    let pod = object.downcast_ref::<Pod>();
    if pod.is_some_and(is_finished) {
        // Only that it is there.
        usage.insert(counter(kind), whole(1));
        return usage;
    }
    usage.insert(counter(kind), whole(1));
    if kind.group.is_empty() && COUNTED.contains(&kind.plural) {
        usage.insert(kind.plural.into(), whole(1));
    }
    if let Some(spec) = pod.and_then(|pod| pod.spec.as_ref()) {
        pod_usage(spec, &mut usage);
    } else if let Some(service) = object.downcast_ref::<Service>() {
        service_usage(service, &mut usage);
    } else if let Some(claim) = object.downcast_ref::<PersistentVolumeClaim>() {
        claim_usage(claim, &mut usage);
    }
    usage
}

/// `count/deployments.apps`: how the objects of a kind are counted.
pub fn counter(kind: &Kind) -> String {
    format!("count/{}", kind.group_resource())
}

/// The kind whose objects a resource of a quota is about; pods for cpu, memory and the like.
pub fn is_about(resource: &str, kind: &Kind) -> bool {
    if let Some(counted) = resource.strip_prefix("count/") {
        return counted == kind.group_resource();
    }
    let about = match resource {
        "services.nodeports" | "services.loadbalancers" => "services",
        "requests.storage" => "persistentvolumeclaims",
        name if name.contains(".storageclass.storage.k8s.io/") => "persistentvolumeclaims",
        name if COUNTED.contains(&name) => name,
        _ => "pods",
    };
    kind.group.is_empty() && kind.plural == about
}

fn whole(count: i64) -> Quantity {
    Amount::from_units(count).to_quantity(Format::DecimalSi)
}

fn is_finished(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

fn pod_usage(spec: &PodSpec, usage: &mut Resources) {
    let mut requested = pod_resources(spec, requests);
    add(&mut requested, spec.overhead.as_ref());
    for (name, amount) in requested {
        if matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-") {
            usage.insert(name.clone(), amount.clone());
        }
        usage.insert(format!("requests.{name}"), amount);
    }
    let mut limited = pod_resources(spec, limits);
    let overhead = spec.overhead.iter().flatten().filter(|(name, _)| limited.contains_key(*name));
    let overhead: Resources = overhead.map(|(name, amount)| (name.clone(), amount.clone())).collect();
    add(&mut limited, Some(&overhead));
    for (name, amount) in limited {
        if matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") {
            usage.insert(format!("limits.{name}"), amount);
        }
    }
}

fn service_usage(service: &Service, usage: &mut Resources) {
    let Some(spec) = &service.spec else { return };
    let ports = spec.ports.as_ref().map_or(0, Vec::len) as i64;
    let type_ = spec.type_.as_deref().unwrap_or_default();
    let node_ports = match type_ {
        "NodePort" => ports,
        "LoadBalancer" if spec.allocate_load_balancer_node_ports != Some(false) => ports,
        "LoadBalancer" => {
            let assigned = spec.ports.iter().flatten().filter(|port| port.node_port.is_some_and(|port| port != 0));
            assigned.count() as i64
        }
        _ => 0,
    };
    usage.insert("services.nodeports".into(), whole(node_ports));
    usage.insert("services.loadbalancers".into(), whole(i64::from(type_ == "LoadBalancer")));
}

fn claim_usage(claim: &PersistentVolumeClaim, usage: &mut Resources) {
    let Some(spec) = &claim.spec else { return };
    let requested = spec.resources.as_ref().and_then(|resources| resources.requests.as_ref()?.get("storage"));
    let class = spec.storage_class_name.as_deref().filter(|class| !class.is_empty());
    if let Some(class) = class {
        usage.insert(format!("{class}.storageclass.storage.k8s.io/persistentvolumeclaims"), whole(1));
    }
    if let Some(storage) = requested {
        usage.insert("requests.storage".into(), storage.clone());
        if let Some(class) = class {
            usage.insert(format!("{class}.storageclass.storage.k8s.io/requests.storage"), storage.clone());
        }
    }
}

pub fn requests(container: &Container) -> Option<&Resources> {
    container.resources.as_ref()?.requests.as_ref()
}

pub fn limits(container: &Container) -> Option<&Resources> {
    container.resources.as_ref()?.limits.as_ref()
}

/// What a Pod asks for, but for its overhead: what it says itself takes the place of what its containers say.
pub fn pod_resources(spec: &PodSpec, of: fn(&Container) -> Option<&Resources>) -> Resources {
    let mut total = container_resources(spec, of);
    let whole = Container { resources: spec.resources.clone(), ..Container::default() };
    let own = of(&whole).into_iter().flatten().filter(|(name, _)| is_for_whole_pods(name));
    total.extend(own.map(|(name, amount)| (name.clone(), amount.clone())));
    total
}

/// What a Pod may ask for as a whole.
pub fn is_for_whole_pods(resource: &str) -> bool {
    matches!(resource, "cpu" | "memory") || resource.starts_with("hugepages-")
}

/// What the containers of a Pod ask for together: their sum, or that of its start, whichever is more.
pub fn container_resources(spec: &PodSpec, of: fn(&Container) -> Option<&Resources>) -> Resources {
    let mut total = Resources::new();
    for container in &spec.containers {
        add(&mut total, of(container));
    }
    let (mut sidecars, mut most) = (Resources::new(), Resources::new());
    for container in spec.init_containers.iter().flatten() {
        let mut needed = sidecars.clone();
        add(&mut needed, of(container));
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars = needed.clone();
        }
        keep_most(&mut most, needed);
    }
    add(&mut total, Some(&sidecars));
    keep_most(&mut total, most);
    total
}

/// Adds amounts, each in the notation of the first one.
pub fn add(total: &mut Resources, more: Option<&Resources>) {
    for (name, more) in more.into_iter().flatten() {
        let sum = match total.get(name) {
            Some(before) => plus(before, more),
            None => more.clone(),
        };
        total.insert(name.clone(), sum);
    }
}

fn plus(one: &Quantity, other: &Quantity) -> Quantity {
    let read = |quantity: &Quantity| quantity::parse(&quantity.0).unwrap_or((Amount(0), Format::DecimalSi));
    let ((left, format), (right, other_format)) = (read(one), read(other));
    let format = if left.0 == 0 { other_format } else { format };
    Amount(left.0 + right.0).to_quantity(format)
}

fn keep_most(most: &mut Resources, others: Resources) {
    for (name, other) in others {
        if most.get(&name).is_none_or(|before| Amount::of(before) < Amount::of(&other)) {
            most.insert(name, other);
        }
    }
}

/// Whether a quota counts an object: its scopes select Pods, and all others where it has none.
pub fn in_scope(quota: &ResourceQuotaSpec, object: &dyn Object) -> bool {
    let scopes = quota.scopes.iter().flatten();
    let expressions = quota.scope_selector.iter().flat_map(|selector| selector.match_expressions.iter().flatten());
    let Some(pod) = object.downcast_ref::<Pod>().and_then(|pod| pod.spec.as_ref()) else {
        return scopes.count() == 0 && expressions.count() == 0;
    };
    let by_name = scopes.map(|scope| has_scope(pod, scope));
    let by_expression = expressions.map(|expression| matches(pod, expression));
    by_name.chain(by_expression).all(|fits| fits)
}

fn has_scope(pod: &PodSpec, scope: &str) -> bool {
    match scope {
        "Terminating" => pod.active_deadline_seconds.is_some(),
        "NotTerminating" => pod.active_deadline_seconds.is_none(),
        "BestEffort" => is_best_effort(pod),
        "NotBestEffort" => !is_best_effort(pod),
        "PriorityClass" => pod.priority_class_name.as_deref().is_some_and(|name| !name.is_empty()),
        "CrossNamespacePodAffinity" => looks_into_other_namespaces(pod),
        _ => false,
    }
}

fn matches(pod: &PodSpec, expression: &ScopedResourceSelectorRequirement) -> bool {
    if expression.scope_name != "PriorityClass" {
        return has_scope(pod, &expression.scope_name);
    }
    let class = pod.priority_class_name.as_deref().filter(|class| !class.is_empty());
    let is_listed = class.is_some_and(|class| expression.values.iter().flatten().any(|value| value == class));
    match expression.operator.as_str() {
        "In" => is_listed,
        "NotIn" => !is_listed,
        "Exists" => class.is_some(),
        _ => class.is_none(),
    }
}

fn is_best_effort(pod: &PodSpec) -> bool {
    let containers = pod.containers.iter().chain(pod.init_containers.iter().flatten());
    let mut asked = containers.flat_map(|container| requests(container).into_iter().chain(limits(container)).flatten());
    !asked.any(|(name, amount)| matches!(name.as_str(), "cpu" | "memory") && Amount::of(amount).0 > 0)
}

fn looks_into_other_namespaces(pod: &PodSpec) -> bool {
    let Some(affinity) = &pod.affinity else { return false };
    let (near, far) = (affinity.pod_affinity.as_ref(), affinity.pod_anti_affinity.as_ref());
    let required = near
        .and_then(|near| near.required_during_scheduling_ignored_during_execution.as_ref())
        .into_iter()
        .chain(far.and_then(|far| far.required_during_scheduling_ignored_during_execution.as_ref()))
        .flatten();
    let preferred = near
        .and_then(|near| near.preferred_during_scheduling_ignored_during_execution.as_ref())
        .into_iter()
        .chain(far.and_then(|far| far.preferred_during_scheduling_ignored_during_execution.as_ref()))
        .flatten()
        .map(|weighted| &weighted.pod_affinity_term);
    required
        .chain(preferred)
        .any(|term| term.namespace_selector.is_some() || term.namespaces.iter().flatten().count() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_counts_the_most_that_it_needs_at_once() {
        let spec: PodSpec = serde_json::from_value(serde_json::json!({
            "overhead": { "cpu": "50m" },
            "initContainers": [
                { "name": "sidecar", "restartPolicy": "Always", "resources": { "requests": { "cpu": "100m" } } },
                { "name": "setup", "resources": { "requests": { "cpu": "1", "memory": "1Gi" } } },
            ],
            "containers": [
                { "name": "one", "resources": { "requests": { "cpu": "200m", "memory": "100Mi" } } },
                { "name": "two", "resources": { "requests": { "cpu": "300m" } } },
            ],
        }))
        .unwrap();
        let total = pod_resources(&spec, requests);
        assert_eq!(total["cpu"].0, "1100m");
        assert_eq!(total["memory"].0, "1Gi");
        let mut usage = Resources::new();
        pod_usage(&spec, &mut usage);
        assert_eq!(usage["requests.cpu"].0, "1150m", "with its overhead");
    }
}
