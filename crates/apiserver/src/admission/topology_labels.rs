//! PodTopologyLabels: a Pod has the zone and the region of its node among its labels. Upstream:
//! `plugin/pkg/admission/podtopologylabels`.

use api::object::Tree;
use api::types::{Node, Pod};
use api::{Kinded, Object, Status, Subresource, Verb};

use super::Attributes;
use crate::storage::Storage;

const LABELS: [&str; 2] = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/// Sees new Pods, and the Bindings whose labels Pods take over.
pub(super) fn admit(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut dyn Object,
    _old: Option<&dyn Object>,
) -> Result<(), Status> {
    if attributes.kind.id != Pod::ID || attributes.verb != Verb::Create {
        return Ok(());
    }
    let name = match attributes.request.subresource {
        Subresource::None => object.downcast_ref::<Pod>().and_then(|pod| pod.spec.as_ref()?.node_name.as_deref()),
        Subresource::Binding => object
            .downcast_ref::<Tree>()
            .filter(|binding| binding.text("/target/kind") == Node::row().kind)
            .map(|binding| binding.text("/target/name")),
        _ => None,
    };
    let Some(node) = name.and_then(|name| storage.find::<Node>("", name)) else { return Ok(()) };
    for label in LABELS {
        if let Some(value) = api::meta::label(&node.metadata, label) {
            object.meta_mut().labels.get_or_insert_default().insert(label.into(), value.into());
        }
    }
    Ok(())
}
