//! Admission: the plugins between decoding and storage, in upstream's order.

mod certificates;
mod claim_resize;
mod default_storage_class;
mod default_toleration_seconds;
mod ingress_class;
mod limit_ranger;
mod matching;
mod namespace_lifecycle;
mod node_restriction;
mod node_taints;
mod pod_security;
pub(crate) mod policy;
mod priority;
pub(crate) mod resource_quota;
mod role_escalation;
mod runtime_class;
mod service_account;
mod storage_protection;
mod webhooks;

use std::cell::RefCell;

use api::{Kind, Object, Request, Status, Subresource, User, Verb};

use crate::Context;
use crate::storage::Storage;

/// The request as plugins see it.
pub(crate) struct Attributes<'a> {
    pub verb: Verb,
    /// As it is stored.
    pub kind: &'static Kind,
    /// As the client names it: in one of its versions.
    pub served: &'static Kind,
    pub request: &'a Request,
    pub context: &'a Context,
    /// What plugins say without refusing.
    pub warnings: RefCell<Vec<String>>,
}

impl<'a> Attributes<'a> {
    pub fn new(verb: Verb, kind: &'static Kind, request: &'a Request, context: &'a Context) -> Attributes<'a> {
        let served = api::kinds::row(request.kind);
        Attributes { verb, kind, served, request, context, warnings: RefCell::default() }
    }

    pub fn user(&self) -> &User {
        &self.context.caller.user
    }

    pub fn is(&self, subresource: Subresource) -> bool {
        self.request.subresource == subresource
    }

    pub fn warn(&self, text: String) {
        self.warnings.borrow_mut().push(text);
    }
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
    Plugin { mutate: Some(node_taints::admit), validate: Some(node_restriction::validate) },
    Plugin { mutate: None, validate: Some(pod_security::validate) },
    Plugin { mutate: Some(priority::admit), validate: None },
    Plugin { mutate: Some(default_toleration_seconds::admit), validate: None },
    Plugin { mutate: Some(default_storage_class::admit), validate: None },
    Plugin { mutate: Some(storage_protection::admit), validate: Some(claim_resize::validate) },
    Plugin { mutate: Some(runtime_class::admit), validate: None },
    Plugin { mutate: Some(ingress_class::admit), validate: None },
    Plugin { mutate: Some(certificates::admit), validate: Some(certificates::validate) },
    Plugin { mutate: Some(webhooks::mutate), validate: None },
    Plugin { mutate: Some(role_escalation::admit), validate: None },
    Plugin { mutate: None, validate: Some(policy::validate) },
    Plugin { mutate: None, validate: Some(webhooks::validate) },
];

/// What a write to a subresource gets from the server.
pub(crate) fn stamp(attributes: &Attributes, object: &mut dyn Object) {
    certificates::stamp(attributes, object);
}

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
