//! What a kubelet may do: read what the Pods of its node need, and write about itself. Upstream:
//! `plugin/pkg/auth/authorizer/node`.
//!
//! Differs: Pods are looked through at each question, where upstream keeps a graph of what refers to what.

use api::User;
use api::types::{PersistentVolumeClaim, Pod, PolicyRule};

use super::{Attributes, Decision, policy, rbac};
use crate::storage::Storage;

/// The node behind a kubelet's user.
pub(crate) fn node_of(user: &User) -> Option<&str> {
    let name = user.name.strip_prefix("system:node:").filter(|name| !name.is_empty())?;
    user.is_in("system:nodes").then_some(name)
}

pub(super) fn decide(storage: &Storage, user: &User, attributes: &Attributes) -> Decision {
    let Some(node) = node_of(user) else { return Decision::no_opinion("") };
    match (attributes.group, attributes.resource) {
        ("", "secrets" | "configmaps" | "persistentvolumes") => related(storage, node, attributes, true),
        ("", "persistentvolumeclaims") if attributes.subresource.is_empty() => {
            related(storage, node, attributes, false)
        }
        ("", "serviceaccounts") if attributes.subresource == "token" => token(storage, node, attributes),
        ("storage.k8s.io", "csinodes") | ("coordination.k8s.io", "leases") => own(node, attributes),
        ("resource.k8s.io", "resourceslices") => Decision::allow(""),
        _ if attributes.path.is_none() && is_ruled(attributes) => Decision::allow(""),
        _ => Decision::no_opinion(""),
    }
}

/// The fixed rules of `system:node`, whoever is bound to it.
fn is_ruled(attributes: &Attributes) -> bool {
    policy::rules("system:node").iter().any(|rule: &PolicyRule| rbac::allows(attributes, rule))
}

/// Objects that a Pod of the node refers to.
fn related(storage: &Storage, node: &str, attributes: &Attributes, lists: bool) -> Decision {
    let is_read = match attributes.verb {
        "get" => true,
        "list" | "watch" => lists,
        _ => false,
    };
    if !is_read {
        let verbs = if lists { "get, list, and watch" } else { "get" };
        return Decision::no_opinion(format!("can only {verbs} this resource"));
    }
    if !attributes.subresource.is_empty() {
        return Decision::no_opinion("cannot read subresource");
    }
    if attributes.name.is_empty() {
        return Decision::no_opinion("No Object name found");
    }
    let mut pods = pods_of(storage, node);
    let is_related = match attributes.resource {
        "persistentvolumes" => pods.any(|pod| {
            let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
            let claims = claims_of(pod).filter_map(|claim| storage.find::<PersistentVolumeClaim>(namespace, claim));
            let mut volumes = claims.filter_map(|claim| claim.spec.as_ref()?.volume_name.as_deref());
            volumes.any(|volume| volume == attributes.name)
        }),
        resource => {
            let mut inside = pods.filter(|pod| pod.metadata.namespace.as_deref() == Some(attributes.namespace));
            inside.any(|pod| refers(pod, resource, attributes.name))
        }
    };
    if is_related {
        return Decision::allow("");
    }
    Decision::no_opinion(format!("no relationship found between node '{node}' and this object"))
}

fn pods_of<'a>(storage: &'a Storage, node: &'a str) -> impl Iterator<Item = &'a Pod> {
    storage.all::<Pod>().filter(move |pod| {
        let spec = pod.spec.as_ref();
        spec.and_then(|spec| spec.node_name.as_deref()) == Some(node)
    })
}

fn claims_of(pod: &Pod) -> impl Iterator<Item = &str> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(|volume| Some(volume.persistent_volume_claim.as_ref()?.claim_name.as_str()))
}

/// Whether a Pod names a Secret, ConfigMap or claim anywhere where its kubelet must read it.
fn refers(pod: &Pod, resource: &str, name: &str) -> bool {
    let Some(spec) = &pod.spec else { return false };
    let volumes = || spec.volumes.iter().flatten();
    let containers = || spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let projections = || volumes().filter_map(|volume| volume.projected.as_ref()?.sources.as_ref()).flatten();
    let sources = || containers().flat_map(|container| container.env_from.iter().flatten());
    let values = || {
        let variables = containers().flat_map(|container| container.env.iter().flatten());
        variables.filter_map(|variable| variable.value_from.as_ref())
    };
    match resource {
        "persistentvolumeclaims" => claims_of(pod).any(|claim| claim == name),
        "configmaps" => {
            volumes().any(|volume| volume.config_map.as_ref().is_some_and(|map| map.name == name))
                || projections().any(|source| source.config_map.as_ref().is_some_and(|map| map.name == name))
                || sources().any(|source| source.config_map_ref.as_ref().is_some_and(|map| map.name == name))
                || values().any(|value| value.config_map_key_ref.as_ref().is_some_and(|map| map.name == name))
        }
        _ => {
            spec.image_pull_secrets.iter().flatten().any(|secret| secret.name == name)
                || volumes().any(|volume| {
                    volume.secret.as_ref().is_some_and(|secret| secret.secret_name.as_deref() == Some(name))
                })
                || projections().any(|source| source.secret.as_ref().is_some_and(|secret| secret.name == name))
                || sources().any(|source| source.secret_ref.as_ref().is_some_and(|secret| secret.name == name))
                || values().any(|value| value.secret_key_ref.as_ref().is_some_and(|secret| secret.name == name))
        }
    }
}

/// Tokens of service accounts as which Pods of the node run.
fn token(storage: &Storage, node: &str, attributes: &Attributes) -> Decision {
    if attributes.verb != "create" {
        return Decision::no_opinion("can only create tokens for this resource");
    }
    let runs_as = |pod: &Pod| {
        let account = pod.spec.as_ref().and_then(|spec| spec.service_account_name.as_deref());
        pod.metadata.namespace.as_deref() == Some(attributes.namespace) && account == Some(attributes.name)
    };
    if pods_of(storage, node).any(runs_as) {
        return Decision::allow("");
    }
    Decision::no_opinion(format!("no relationship found between node '{node}' and this object"))
}

/// The one object that carries the node's name.
fn own(node: &str, attributes: &Attributes) -> Decision {
    let is_lease = attributes.resource == "leases";
    if is_lease && attributes.namespace != "kube-node-lease" {
        return Decision::no_opinion("can only access leases in the \"kube-node-lease\" system namespace");
    }
    if !matches!(attributes.verb, "get" | "create" | "update" | "patch" | "delete") {
        let what = if is_lease { "a node lease" } else { "a CSINode" };
        return Decision::no_opinion(format!("can only get, create, update, patch, or delete {what}"));
    }
    if attributes.verb != "create" && attributes.name != node {
        let what = if is_lease { "node lease" } else { "CSINode" };
        return Decision::no_opinion(format!("can only access {what} with the same name as the requesting node"));
    }
    Decision::allow("")
}
