//! Authorization: may the caller do this? `--authorization-mode=Node,RBAC`, and whoever is in `system:masters` may do
//! everything. Upstream: `apiserver/pkg/authorization` and `plugin/pkg/auth/authorizer`.
//!
//! The cluster's own components are in `system:masters`, so that asking costs them one comparison.

pub(crate) mod attributes;
pub(crate) mod escalation;
mod node;
pub(crate) mod params;
pub(crate) mod policy;
pub(crate) mod rbac;

pub(crate) use node::node_of;

use api::status::Details;
use api::{Kind, Reason, Request, Status, User};

use crate::Context;
use crate::storage::Storage;
pub(crate) use attributes::{Attributes, RequestInfo};

pub(crate) const MASTERS: &str = "system:masters";

/// What an authorizer says, and why: the reason is part of a refusal's text and of a review's answer.
pub(crate) struct Decision {
    pub allowed: bool,
    pub reason: String,
}

impl Decision {
    fn allow(reason: impl Into<String>) -> Decision {
        Decision { allowed: true, reason: reason.into() }
    }

    fn no_opinion(reason: impl Into<String>) -> Decision {
        Decision { allowed: false, reason: reason.into() }
    }
}

/// Asks the authorizers, in their order.
pub(crate) fn decide(storage: &Storage, user: &User, attributes: &Attributes) -> Decision {
    if user.is_in(MASTERS) {
        return Decision::allow("");
    }
    let mut reasons = Vec::new();
    for authorizer in [node::decide, rbac::decide] {
        let decision = authorizer(storage, user, attributes);
        if decision.allowed {
            return decision;
        }
        if !decision.reason.is_empty() {
            reasons.push(decision.reason);
        }
    }
    Decision::no_opinion(reasons.join("\n"))
}

/// The same as a refusal.
pub(crate) fn check(storage: &Storage, user: &User, attributes: &Attributes) -> Result<(), Status> {
    let decision = decide(storage, user, attributes);
    if decision.allowed { Ok(()) } else { Err(forbidden(user, attributes, &decision.reason)) }
}

/// Whether a user may have a request served.
pub(crate) fn authorize(storage: &Storage, user: &User, attributes: &Attributes) -> Result<(), Status> {
    if user.is_in(MASTERS) {
        return Ok(());
    }
    check(storage, user, attributes)?;
    let connects = attributes.resource == "pods" && matches!(attributes.subresource, "exec" | "attach" | "portforward");
    if connects && attributes.verb == "get" {
        // However the connection is opened, it makes something.
        check(storage, user, &Attributes { verb: "create", ..*attributes })?;
    }
    Ok(())
}

/// A PUT or an apply that makes a new object needs the right to.
pub(crate) fn check_create(
    storage: &Storage,
    context: &Context,
    kind: &'static Kind,
    request: &Request,
) -> Result<(), Status> {
    check(storage, &context.caller.user, &Attributes { verb: "create", ..Attributes::of(kind, request) })
}

/// `responsewriters.ForbiddenStatusError`
fn forbidden(user: &User, attributes: &Attributes, reason: &str) -> Status {
    let mut why = attributes.refusal(&user.name);
    if !reason.is_empty() {
        why = format!("{why}: {reason}");
    }
    if attributes.path.is_some() {
        let mut status = Status::new(403, Reason::Forbidden, format!("forbidden: {why}"));
        status.details = Some(Details::default());
        return status;
    }
    let name = attributes.name;
    let resource = match attributes.group {
        "" => attributes.resource.to_owned(),
        group => format!("{}.{group}", attributes.resource),
    };
    let what = if name.is_empty() { resource } else { format!("{resource} {name:?}") };
    let mut status = Status::new(403, Reason::Forbidden, format!("{what} is forbidden: {why}"));
    status.details = Some(Details {
        name: name.into(),
        group: attributes.group.into(),
        kind: attributes.resource.into(),
        ..Details::default()
    });
    status
}
