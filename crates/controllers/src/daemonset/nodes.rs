//! Which nodes a DaemonSet's Pods belong on, and how they are held there.

use api::meta;
use api::node_selector::NodeTerms;
use api::selector::Selector;
use api::types::{
    Affinity, DaemonSet, Node, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec,
    Toleration,
};

use crate::pods;
use crate::taint_eviction::tolerates;

const NAME_FIELD: &str = "metadata.name";

/// Taints that the Pods of every DaemonSet tolerate, and their effects.
const TOLERATED: &[(&str, &str)] = &[
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];
/// One more for those on the node's own network.
const TOLERATED_ON_HOST_NETWORK: (&str, &str) = ("node.kubernetes.io/network-unavailable", "NoSchedule");

/// What a DaemonSet wants of a node.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Fit {
    Run,
    /// A Pod that is there may stay, but none is made.
    Stay,
    Leave,
}

pub(super) fn fit(set: &DaemonSet, node: &Node) -> Fit {
    let none = PodSpec::default();
    let spec = set.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()).unwrap_or(&none);
    let name = node.metadata.name.as_deref().unwrap_or_default();
    let named = spec.node_name.as_deref().filter(|named| !named.is_empty());
    let labels = meta::labels(&node.metadata);
    let selected = spec.node_selector.as_ref().is_none_or(|wanted| Selector::from_map(wanted).matches(labels));
    let required = required_terms(spec).is_none_or(|terms| NodeTerms::new(terms).matches(name, labels));
    if named.is_some_and(|named| named != name) || !selected || !required {
        return Fit::Leave;
    }
    let tolerations = tolerations(spec);
    let taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    let untolerated = taints.filter(|taint| !tolerations.iter().any(|toleration| tolerates(toleration, taint)));
    untolerated.fold(Fit::Run, |fit, taint| match (fit, taint.effect.as_str()) {
        (_, "NoExecute") => Fit::Leave,
        (Fit::Run, "NoSchedule") => Fit::Stay,
        (fit, _) => fit,
    })
}

fn required_terms(spec: &PodSpec) -> Option<&NodeSelector> {
    let affinity = spec.affinity.as_ref()?.node_affinity.as_ref()?;
    affinity.required_during_scheduling_ignored_during_execution.as_ref()
}

fn tolerations(spec: &PodSpec) -> Vec<Toleration> {
    let mut tolerations = spec.tolerations.clone().unwrap_or_default();
    let on_host = (spec.host_network == Some(true)).then_some(TOLERATED_ON_HOST_NETWORK);
    for (key, effect) in TOLERATED.iter().copied().chain(on_host) {
        let toleration = Toleration {
            key: Some(key.into()),
            operator: Some("Exists".into()),
            effect: Some(effect.into()),
            ..Toleration::default()
        };
        if !tolerations.contains(&toleration) {
            tolerations.push(toleration);
        }
    }
    tolerations
}

/// Makes a Pod's specification one for a single node: the scheduler looks at no other.
pub(super) fn pin(spec: &mut PodSpec, node: &str) {
    spec.tolerations = Some(tolerations(spec));
    let by_name =
        NodeSelectorRequirement { key: NAME_FIELD.into(), operator: "In".into(), values: Some(vec![node.into()]) };
    let affinity: &mut Affinity = spec.affinity.get_or_insert_default();
    let affinity: &mut NodeAffinity = affinity.node_affinity.get_or_insert_default();
    let required = affinity.required_during_scheduling_ignored_during_execution.get_or_insert_default();
    if required.node_selector_terms.is_empty() {
        required.node_selector_terms.push(NodeSelectorTerm::default());
    }
    for term in &mut required.node_selector_terms {
        term.match_fields = Some(vec![by_name.clone()]);
    }
}

/// The node that a Pod is on, or is meant for.
pub(super) fn target(pod: &Pod) -> Option<&str> {
    let bound = pods::node_name(pod);
    if !bound.is_empty() {
        return Some(bound);
    }
    let terms = &required_terms(pod.spec.as_ref()?)?.node_selector_terms;
    let fields = terms.iter().flat_map(|term| term.match_fields.iter().flatten());
    let mut by_name = fields.filter(|field| field.key == NAME_FIELD && field.operator == "In");
    match by_name.next()?.values.as_deref()? {
        [name] => Some(name),
        _ => None,
    }
}
