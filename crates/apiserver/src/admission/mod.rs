//! Admission: the plugins between decoding and storage, in upstream's order.

mod default_storage_class;
mod default_toleration_seconds;
mod ingress_class;
mod limit_ranger;
mod namespace_lifecycle;
mod node_taints;
mod priority;
pub(crate) mod resource_quota;
mod runtime_class;
mod service_account;
mod storage_protection;

use api::{Kind, Object, Request, Status, Verb};

use crate::storage::Storage;

/// The request as plugins see it.
pub(crate) struct Attributes<'a> {
    pub verb: Verb,
    pub kind: &'static Kind,
    pub request: &'a Request,
}

/// Sees the store, the request, the object and, for updates, what it was.
type Mutate = fn(&Storage, &Attributes, &mut dyn Object, Option<&dyn Object>) -> Result<(), Status>;
type Validate = fn(&Storage, &Attributes, &dyn Object, Option<&dyn Object>) -> Result<(), Status>;

/// One plugin: what it may change, and what it may refuse.
struct Plugin {
    mutate: Option<Mutate>,
    validate: Option<Validate>,
}

const PLUGINS: &[Plugin] = &[
    Plugin { mutate: Some(namespace_lifecycle::admit), validate: Some(namespace_lifecycle::protect) },
    Plugin { mutate: Some(limit_ranger::admit), validate: Some(limit_ranger::validate) },
    Plugin { mutate: Some(service_account::admit), validate: None },
    Plugin { mutate: Some(node_taints::admit), validate: None },
    Plugin { mutate: Some(priority::admit), validate: None },
    Plugin { mutate: Some(default_toleration_seconds::admit), validate: None },
    Plugin { mutate: Some(default_storage_class::admit), validate: None },
    Plugin { mutate: Some(storage_protection::admit), validate: None },
    Plugin { mutate: Some(runtime_class::admit), validate: None },
    Plugin { mutate: Some(ingress_class::admit), validate: None },
];

pub(crate) fn mutate(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    PLUGINS.iter().filter_map(|plugin| plugin.mutate).try_for_each(|mutate| mutate(storage, attributes, object, old))
}

pub(crate) fn validate(
    storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    let validators = PLUGINS.iter().filter_map(|plugin| plugin.validate);
    validators.into_iter().try_for_each(|validate| validate(storage, attributes, object, old))
}
