//! DefaultIngressClass: an Ingress that names no class gets the default one.

use api::types::{Ingress, IngressClass};
use api::{Object, Status, Verb, meta};

use super::Attributes;
use crate::storage::Storage;

const IS_DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";

pub(super) fn admit(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut dyn Object,
    _old: Option<&dyn Object>,
) -> Result<(), Status> {
    if attributes.verb != Verb::Create {
        return Ok(());
    }
    let Some(ingress) = object.downcast_mut::<Ingress>() else { return Ok(()) };
    let annotated = meta::annotation(&ingress.metadata, "kubernetes.io/ingress.class").is_some();
    let spec = ingress.spec.get_or_insert_default();
    if spec.ingress_class_name.is_none() && !annotated {
        let is_default = |class: &&IngressClass| meta::annotation(&class.metadata, IS_DEFAULT) == Some("true");
        let newest = storage.all::<IngressClass>().filter(is_default).max_by_key(|class| {
            (class.metadata.creation_timestamp.clone(), std::cmp::Reverse(class.metadata.name.clone()))
        });
        spec.ingress_class_name = newest.and_then(|class| class.metadata.name.clone());
    }
    Ok(())
}
