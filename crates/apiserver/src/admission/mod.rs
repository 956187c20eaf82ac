//! Admission: the plugins between decoding and storage, in upstream's order.

mod certificates;
mod claim_resize;
mod default_storage_class;
mod default_toleration_seconds;
pub(crate) mod forms;
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
mod rounds;
mod runtime_class;
mod scene;
mod service_account;
mod storage_protection;
mod topology_labels;
mod webhooks;

use std::cell::{Cell, RefCell};

use api::{Draft, Kind, Object, Request, Status, Subresource, User, Verb};

use crate::Context;
use crate::custom::CustomKinds;
use crate::storage::Storage;
use crate::strategy::KindRules;
use rounds::Rounds;

/// The request as plugins see it.
pub(crate) struct Attributes<'a> {
    pub verb: Verb,
    /// As it is stored.
    pub kind: &'static Kind,
    /// As the client names it: in one of its versions.
    pub served: &'static Kind,
    pub request: &'a Request,
    pub context: &'a Context<'a>,
    pub rules: KindRules,
    customs: CustomKinds,
    /// What plugins say without refusing.
    pub warnings: RefCell<Vec<String>>,
    pub rounds: Rounds,
    /// How many reviews have been sent.
    reviews: Cell<u64>,
}

impl<'a> Attributes<'a> {
    pub fn new(
        verb: Verb,
        kind: &'static Kind,
        rules: &KindRules,
        request: &'a Request,
        context: &'a Context<'a>,
        customs: &CustomKinds,
    ) -> Attributes<'a> {
        let (rules, customs) = (rules.clone(), customs.clone());
        let served = customs.find(request.kind).map_or_else(|| api::kinds::row(request.kind), |custom| custom.kind);
        let (warnings, rounds, reviews) = (RefCell::default(), Rounds::default(), Cell::default());
        Attributes { verb, kind, served, request, context, rules, customs, warnings, rounds, reviews }
    }

    pub fn user(&self) -> &User {
        &self.context.caller.user
    }

    pub fn is(&self, subresource: Subresource) -> bool {
        self.request.subresource == subresource
    }

    /// A refusal goes with the warnings that came before it.
    fn refused(&self, mut status: Status) -> Status {
        status.warnings.append(&mut self.warnings.borrow_mut());
        status
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
    Plugin { mutate: Some(service_account::admit), validate: Some(service_account::validate) },
    Plugin { mutate: Some(node_taints::admit), validate: Some(node_restriction::validate) },
    Plugin { mutate: None, validate: Some(pod_security::validate) },
    Plugin { mutate: Some(priority::admit), validate: Some(priority::validate) },
    Plugin { mutate: Some(default_toleration_seconds::admit), validate: None },
    Plugin { mutate: Some(default_storage_class::admit), validate: None },
    Plugin { mutate: Some(storage_protection::admit), validate: Some(claim_resize::validate) },
    Plugin { mutate: Some(runtime_class::admit), validate: None },
    Plugin { mutate: Some(ingress_class::admit), validate: None },
    Plugin { mutate: Some(topology_labels::admit), validate: None },
    Plugin { mutate: Some(certificates::admit), validate: Some(certificates::validate) },
    Plugin { mutate: None, validate: Some(policy::validating::validate) },
    Plugin { mutate: None, validate: Some(webhooks::validate) },
];

/// What a write to a subresource gets from the server.
pub(crate) fn stamp(attributes: &Attributes, object: &mut dyn Object) {
    certificates::stamp(attributes, object);
}

pub(crate) fn mutate(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut Draft,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    mutate_once(storage, attributes, object, old)?;
    if attributes.rounds.changed.get() {
        attributes.rounds.is_second.set(true);
        mutate_once(storage, attributes, object, old)?;
    }
    role_escalation::admit(storage, attributes, &**object, old)
}

fn mutate_once(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut Draft,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    for mutate in PLUGINS.iter().filter_map(|plugin| plugin.mutate) {
        mutate(storage, attributes, &mut **object, old)?;
    }
    mutate_by_configuration(storage, attributes, object, old)
}

/// Lets the policies and webhooks change the object that somebody has configured.
pub(crate) fn mutate_by_configuration(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut Draft,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    policy::mutating::admit(storage, attributes, object, old)
        .and_then(|()| webhooks::mutate(storage, attributes, object, old))
        .map_err(|status| attributes.refused(status))
}

/// What is sent to a subresource concerns few of the plugins that change objects.
pub(crate) fn mutate_part(
    storage: &Storage,
    attributes: &Attributes,
    part: &mut Draft,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    namespace_lifecycle::admit(storage, attributes, &mut **part, old)?;
    topology_labels::admit(storage, attributes, &mut **part, old)?;
    mutate_by_configuration(storage, attributes, part, old)
}

/// Asks those who change objects about a deletion, which leaves them nothing to change.
pub(crate) fn mutate_deletion(storage: &Storage, attributes: &Attributes, old: &dyn Object) -> Result<(), Status> {
    webhooks::mutate_deletion(storage, attributes, old).map_err(|status| attributes.refused(status))
}

pub(crate) fn validate(
    storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    let validators = PLUGINS.iter().filter_map(|plugin| plugin.validate);
    validators
        .into_iter()
        .try_for_each(|validate| validate(storage, attributes, object, old))
        .map_err(|status| attributes.refused(status))
}
