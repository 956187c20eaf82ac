//! Amounts of resources in the units in which the scheduler counts them.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::quantity::Amount;
use api::types::{Container, PodSpec, PodStatus, Quantity};

/// What a Pod asks for, or a node has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    pub milli_cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// Bytes.
    pub ephemeral_storage: i64,
    /// Extended resources and huge pages, by name.
    pub scalars: Vec<(Arc<str>, i64)>,
}

/// What scoring assumes of a container that asks for nothing, so that such containers still spread.
const DEFAULT_MILLI_CPU: i64 = 100;
const DEFAULT_MEMORY: i64 = 200 * 1024 * 1024;

type Quantities = BTreeMap<String, Quantity>;

impl Resource {
    /// Of a list of quantities. `pods` is counted apart and left out.
    pub fn of(quantities: &Quantities) -> Resource {
        let mut resource = Resource::default();
        for (name, quantity) in quantities {
            let amount = Amount::of(quantity);
            match name.as_str() {
                "cpu" => resource.milli_cpu = amount.millis(),
                "memory" => resource.memory = amount.units(),
                "ephemeral-storage" => resource.ephemeral_storage = amount.units(),
                "pods" => {}
                scalar => resource.scalars.push((scalar.into(), amount.units())),
            }
        }
        resource
    }

    pub fn scalar(&self, name: &str) -> i64 {
        self.scalars.iter().find(|(known, _)| &**known == name).map_or(0, |(_, amount)| *amount)
    }

    fn scalar_mut(&mut self, name: &Arc<str>) -> &mut i64 {
        let at = match self.scalars.iter().position(|(known, _)| known == name) {
            Some(at) => at,
            None => {
                self.scalars.push((name.clone(), 0));
                self.scalars.len() - 1
            }
        };
        &mut self.scalars[at].1
    }

    pub fn add(&mut self, other: &Resource) {
        self.combine(other, |a, b| a.saturating_add(b));
    }

    pub fn subtract(&mut self, other: &Resource) {
        self.combine(other, |a, b| a.saturating_sub(b));
    }

    fn set_max(&mut self, other: &Resource) {
        self.combine(other, i64::max);
    }

    fn combine(&mut self, other: &Resource, with: fn(i64, i64) -> i64) {
        self.milli_cpu = with(self.milli_cpu, other.milli_cpu);
        self.memory = with(self.memory, other.memory);
        self.ephemeral_storage = with(self.ephemeral_storage, other.ephemeral_storage);
        for (name, amount) in &other.scalars {
            let mine = self.scalar_mut(name);
            *mine = with(*mine, *amount);
        }
    }

    pub fn is_zero(&self) -> bool {
        self.milli_cpu == 0
            && self.memory == 0
            && self.ephemeral_storage == 0
            && self.scalars.iter().all(|(_, amount)| *amount == 0)
    }
}

/// What a Pod asks for in all, and the same with the defaults that scoring assumes.
pub fn pod_requests(spec: &PodSpec, status: Option<&PodStatus>) -> (Resource, Resource) {
    let exact = total(spec, |container| requests_of(container, status));
    let assumed = total(spec, |container| {
        let mut requests = requests_of(container, status);
        let named = container.resources.as_ref().and_then(|resources| resources.requests.as_ref());
        let asks_for = |name| named.is_some_and(|named: &Quantities| named.contains_key(name));
        if !asks_for("cpu") {
            requests.milli_cpu = DEFAULT_MILLI_CPU;
        }
        if !asks_for("memory") {
            requests.memory = DEFAULT_MEMORY;
        }
        requests
    });
    (exact, assumed)
}

/// A container's requests; during a resize the larger of what it asks for and what its node has granted.
fn requests_of(container: &Container, status: Option<&PodStatus>) -> Resource {
    let requests = container.resources.as_ref().and_then(|resources| resources.requests.as_ref());
    let mut result = requests.map(Resource::of).unwrap_or_default();
    let mut statuses = status.and_then(|status| status.container_statuses.as_ref()).into_iter().flatten();
    if let Some(allocated) =
        statuses.find(|status| status.name == container.name).and_then(|status| status.allocated_resources.as_ref())
    {
        result.set_max(&Resource::of(allocated));
    }
    result
}

/// Containers run together; init containers one after the other, beside the sidecars that were started before them.
fn total(spec: &PodSpec, requests_of: impl Fn(&Container) -> Resource) -> Resource {
    let mut running = Resource::default();
    for container in &spec.containers {
        running.add(&requests_of(container));
    }
    let mut sidecars = Resource::default();
    let mut starting = Resource::default();
    for container in spec.init_containers.iter().flatten() {
        let mut requests = requests_of(container);
        if container.restart_policy.as_deref() == Some("Always") {
            running.add(&requests);
            sidecars.add(&requests);
            starting.set_max(&sidecars);
        } else {
            requests.add(&sidecars);
            starting.set_max(&requests);
        }
    }
    running.set_max(&starting);

    if let Some(whole_pod) = spec.resources.as_ref().and_then(|resources| resources.requests.as_ref()) {
        let requests = Resource::of(whole_pod);
        if whole_pod.contains_key("cpu") {
            running.milli_cpu = requests.milli_cpu;
        }
        if whole_pod.contains_key("memory") {
            running.memory = requests.memory;
        }
        for (name, amount) in &requests.scalars {
            *running.scalar_mut(name) = *amount;
        }
    }
    if let Some(overhead) = &spec.overhead {
        running.add(&Resource::of(overhead));
    }
    running
}
