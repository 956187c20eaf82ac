//! TaintNodesByCondition: a node is not ready until it says that it is.

use api::types::{Node, Taint};
use api::{Object, Status, Verb};

use super::Attributes;
use crate::storage::Storage;

pub(super) fn admit(
    _storage: &Storage,
    attributes: &Attributes,
    object: &mut dyn Object,
    _old: Option<&dyn Object>,
) -> Result<(), Status> {
    if attributes.verb != Verb::Create {
        return Ok(());
    }
    let Some(node) = object.downcast_mut::<Node>() else { return Ok(()) };
    let taints = node.spec.get_or_insert_default().taints.get_or_insert_default();
    let key = "node.kubernetes.io/not-ready";
    if !taints.iter().any(|taint| taint.key == key && taint.effect == "NoSchedule") {
        taints.push(Taint { key: key.into(), effect: "NoSchedule".into(), ..Taint::default() });
    }
    Ok(())
}
