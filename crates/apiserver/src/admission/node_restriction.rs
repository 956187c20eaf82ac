//! NodeRestriction: a kubelet writes about its own node and the Pods that run there. Upstream:
//! `plugin/pkg/admission/noderestriction`.

use api::types::{Node, ObjectMeta, Pod};
use api::{Object, Status, Subresource, Verb};

use super::Attributes;
use crate::authorization::{MASTERS, node_of};
use crate::storage::Storage;

const MIRROR: &str = "kubernetes.io/config.mirror";

/// Labels of Kubernetes' own domains that kubelets may set.
const OWN_LABELS: [&str; 12] = [
    "kubernetes.io/hostname",
    "kubernetes.io/arch",
    "kubernetes.io/os",
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "beta.kubernetes.io/instance-type",
    "node.kubernetes.io/instance-type",
    "node.kubernetes.io/windows-build",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
];

pub(super) fn validate(
    _storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    // The cluster's own kubelets do what kubelets do.
    if attributes.user().is_in(MASTERS) {
        return Ok(());
    }
    let Some(node) = node_of(attributes.user()) else { return Ok(()) };
    let refusal = if let Some(pod) = object.downcast_ref::<Pod>() {
        about_pod(node, attributes, pod, old.and_then(|old| old.downcast_ref()))
    } else if let Some(new) = object.downcast_ref::<Node>() {
        about_node(node, attributes, new, old.and_then(|old| old.downcast_ref()))
    } else {
        None
    };
    refusal.map_or(Ok(()), |why| Err(Status::forbidden(attributes.kind, object.name(), &why)))
}

fn about_pod(node: &str, attributes: &Attributes, pod: &Pod, old: Option<&Pod>) -> Option<String> {
    let spec = pod.spec.as_ref();
    let is_here = spec.and_then(|spec| spec.node_name.as_deref()) == Some(node);
    match (attributes.verb, attributes.request.subresource) {
        (Verb::Create, Subresource::None) => {
            if api::meta::annotation(&pod.metadata, MIRROR).is_none() {
                return Some(format!(
                    "pod does not have {MIRROR:?} annotation, node {node:?} can only create mirror pods"
                ));
            }
            (!is_here).then(|| format!("node {node:?} can only create pods with spec.nodeName set to itself"))
        }
        (Verb::Delete, _) => {
            (!is_here).then(|| format!("node {node:?} can only delete pods with spec.nodeName set to itself"))
        }
        (_, Subresource::Status) => {
            if !is_here {
                let what = "can only update pod status for pods with spec.nodeName set to itself";
                return Some(format!("node {node:?} {what}"));
            }
            let relabels = old.is_some_and(|old| old.metadata.labels != pod.metadata.labels);
            relabels.then(|| format!("node {node:?} cannot update labels through pod status"))
        }
        (_, Subresource::None) => {
            Some(format!("unexpected operation \"UPDATE\", node {node:?} can only create and delete mirror pods"))
        }
        _ => None,
    }
}

fn about_node(node: &str, attributes: &Attributes, new: &Node, old: Option<&Node>) -> Option<String> {
    let name = new.metadata.name.as_deref().unwrap_or_default();
    if name != node {
        return Some(format!("node {node:?} is not allowed to modify node {name:?}"));
    }
    match (attributes.verb, old) {
        (Verb::Create, _) => {
            let labels = forbidden_labels(&new.metadata, &ObjectMeta::default());
            (!labels.is_empty())
                .then(|| format!("node {node:?} is not allowed to set the following labels: {}", labels.join(", ")))
        }
        (Verb::Update, Some(old)) => {
            let taints = |node: &Node| node.spec.as_ref().and_then(|spec| spec.taints.clone()).unwrap_or_default();
            if taints(new) != taints(old) {
                return Some(format!("node {node:?} is not allowed to modify taints"));
            }
            let labels = forbidden_labels(&new.metadata, &old.metadata);
            (!labels.is_empty())
                .then(|| format!("node {node:?} is not allowed to modify labels: {}", labels.join(", ")))
        }
        _ => None,
    }
}

/// Labels that differ and are not the kubelet's affair.
fn forbidden_labels(new: &ObjectMeta, old: &ObjectMeta) -> Vec<String> {
    let (new, old) = (api::meta::labels(new), api::meta::labels(old));
    let keys: std::collections::BTreeSet<&String> = new.keys().chain(old.keys()).collect();
    let is_forbidden = |key: &str| {
        let domain = key.split_once('/').map_or("", |(domain, _)| domain);
        let within = |parent: &str| domain == parent || domain.ends_with(&format!(".{parent}"));
        let is_own = OWN_LABELS.contains(&key) || within("node.kubernetes.io") || within("kubelet.kubernetes.io");
        within("node-restriction.kubernetes.io") || ((within("kubernetes.io") || within("k8s.io")) && !is_own)
    };
    let changed = keys.into_iter().filter(|key| new.get(*key) != old.get(*key));
    changed.filter(|key| is_forbidden(key)).cloned().collect()
}
