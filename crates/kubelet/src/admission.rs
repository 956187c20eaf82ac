//! Whether the node takes a Pod that was bound to it: the checks that the scheduler has made, made again.

use api::quantity::Amount;
use api::types::{Container, Node, NodeSelectorTerm, Pod, PodSpec};
use api::{meta, selector};

use crate::config::NodeConfig;

#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    pub reason: String,
    /// The event's text.
    pub message: String,
}

impl Rejection {
    fn new(reason: &str, message: String) -> Rejection {
        Rejection { reason: reason.into(), message }
    }

    fn predicate(name: &str) -> Rejection {
        Rejection::new(name, format!("Predicate {name} failed"))
    }

    pub fn status_message(&self) -> String {
        format!("Pod was rejected: {}", self.message)
    }
}

/// What a Pod asks of its node: millicores, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    pub cpu: i64,
    pub memory: i64,
}

/// The sum over containers, or the largest step of the initialization if that is more.
pub fn requests(spec: &PodSpec) -> Requests {
    let of = |container: &Container| {
        let requests = container.resources.as_ref().and_then(|resources| resources.requests.as_ref());
        let amount = |name: &str| requests.and_then(|requests| requests.get(name)).map(Amount::of).unwrap_or_default();
        Requests { cpu: amount("cpu").millis(), memory: amount("memory").units() }
    };
    let add = |a: Requests, b: Requests| Requests { cpu: a.cpu + b.cpu, memory: a.memory + b.memory };
    let max = |a: Requests, b: Requests| Requests { cpu: a.cpu.max(b.cpu), memory: a.memory.max(b.memory) };
    let (mut sidecars, mut peak) = (Requests::default(), Requests::default());
    for container in spec.init_containers.iter().flatten() {
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars = add(sidecars, of(container));
            peak = max(peak, sidecars);
        } else {
            peak = max(peak, add(sidecars, of(container)));
        }
    }
    max(peak, spec.containers.iter().map(of).fold(sidecars, add))
}

/// Checks a Pod against the node and the Pods that it has.
pub fn admit<'a>(
    config: &NodeConfig,
    node: Option<&Node>,
    pod: &Pod,
    others: impl Iterator<Item = &'a Pod> + Clone,
) -> Result<(), Rejection> {
    let Some(spec) = &pod.spec else { return Ok(()) };
    let wanted = requests(spec);
    let mut used = Requests::default();
    let mut count = 0;
    for other in others.clone().filter_map(|other| other.spec.as_ref()) {
        let requests = requests(other);
        used = Requests { cpu: used.cpu + requests.cpu, memory: used.memory + requests.memory };
        count += 1;
    }
    let resources = [
        ("pods", "OutOfpods", 1, count, i64::from(config.pods_max)),
        ("cpu", "OutOfcpu", wanted.cpu, used.cpu, config.cpu_milli as i64),
        ("memory", "OutOfmemory", wanted.memory, used.memory, config.memory_bytes as i64),
    ];
    for (name, reason, requested, used, capacity) in resources {
        if requested > 0 && used + requested > capacity {
            let message = format!(
                "Node didn't have enough resource: {name}, requested: {requested}, used: {used}, capacity: {capacity}"
            );
            return Err(Rejection::new(reason, message));
        }
    }
    if let Some(node) = node
        && !matches_affinity(spec, node)
    {
        return Err(Rejection::predicate("NodeAffinity"));
    }
    let ports = host_ports(spec);
    if !ports.is_empty() {
        let taken = others.filter_map(|other| other.spec.as_ref()).flat_map(host_ports);
        if taken.into_iter().any(|port| ports.contains(&port)) {
            return Err(Rejection::predicate("NodePorts"));
        }
    }
    match node {
        Some(node) if !tolerates(spec, node) => Err(Rejection::predicate("TaintToleration")),
        _ => Ok(()),
    }
}

fn host_ports(spec: &PodSpec) -> Vec<(i32, String)> {
    let ports = spec.containers.iter().flat_map(|container| container.ports.iter().flatten());
    ports
        .filter_map(|port| {
            Some((port.host_port.filter(|&port| port > 0)?, port.protocol.clone().unwrap_or("TCP".into())))
        })
        .collect()
}

fn matches_affinity(spec: &PodSpec, node: &Node) -> bool {
    let labels = meta::labels(&node.metadata);
    if spec.node_selector.iter().flatten().any(|(key, value)| labels.get(key) != Some(value)) {
        return false;
    }
    let required = spec
        .affinity
        .as_ref()
        .and_then(|affinity| affinity.node_affinity.as_ref())
        .and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref());
    required.is_none_or(|required| required.node_selector_terms.iter().any(|term| matches_term(term, node)))
}

fn matches_term(term: &NodeSelectorTerm, node: &Node) -> bool {
    use selector::{Operator, Selector};
    let operator = |text: &str| match text {
        "In" => Some(Operator::In),
        "NotIn" => Some(Operator::NotIn),
        "Exists" => Some(Operator::Exists),
        "DoesNotExist" => Some(Operator::DoesNotExist),
        "Gt" => Some(Operator::GreaterThan),
        "Lt" => Some(Operator::LessThan),
        _ => None,
    };
    let mut selector = Selector::everything();
    for expression in term.match_expressions.iter().flatten() {
        let Some(operator) = operator(&expression.operator) else { return false };
        selector = selector.with(&expression.key, operator, expression.values.as_deref().unwrap_or_default());
    }
    let name = node.metadata.name.clone().unwrap_or_default();
    let fields = term.match_fields.iter().flatten().all(|field| {
        let listed = field.values.iter().flatten().any(|value| *value == name);
        field.key == "metadata.name" && if field.operator == "NotIn" { !listed } else { listed }
    });
    let empty =
        term.match_expressions.iter().flatten().next().is_none() && term.match_fields.iter().flatten().next().is_none();
    !empty && fields && selector.matches(meta::labels(&node.metadata))
}

/// Only taints with effect NoExecute count: the others are the scheduler's.
fn tolerates(spec: &PodSpec, node: &Node) -> bool {
    let taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    taints.filter(|taint| taint.effect == "NoExecute").all(|taint| {
        spec.tolerations.iter().flatten().any(|toleration| {
            let effect = toleration.effect.as_deref().unwrap_or_default();
            let key = toleration.key.as_deref().unwrap_or_default();
            let exists = toleration.operator.as_deref() == Some("Exists");
            let value = toleration.value.as_deref().unwrap_or_default();
            (effect.is_empty() || effect == taint.effect)
                && (key.is_empty() && exists || key == taint.key)
                && (exists || value == taint.value.as_deref().unwrap_or_default())
        })
    })
}
