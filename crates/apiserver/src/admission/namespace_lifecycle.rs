//! NamespaceLifecycle: nothing is created in a namespace that does not exist or is going, and three never go.

use api::types::Namespace;
use api::{Kinded, Object, Status, Verb};

use super::Attributes;
use crate::storage::Storage;

const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

pub(super) fn admit(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut dyn Object,
    _old: Option<&dyn Object>,
) -> Result<(), Status> {
    if attributes.verb != Verb::Create || !attributes.kind.namespaced {
        return Ok(());
    }
    let name = &attributes.request.namespace;
    let Some(namespace) = storage.find::<Namespace>("", name) else {
        return Err(Status::not_found(Namespace::row(), name));
    };
    if namespace.metadata.deletion_timestamp.is_none() {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {name} because it is being terminated");
    let mut status = Status::forbidden(attributes.kind, object.name(), &why);
    if let Some(details) = &mut status.details {
        details.causes.push(api::status::Cause {
            reason: "NamespaceTerminating".into(),
            message: format!("namespace {name} is being terminated"),
            field: "metadata.namespace".into(),
        });
    }
    Err(status)
}

pub(super) fn protect(
    _storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    _old: Option<&dyn Object>,
) -> Result<(), Status> {
    let protected =
        attributes.verb == Verb::Delete && attributes.kind.id == Namespace::ID && IMMORTAL.contains(&object.name());
    if protected {
        return Err(Status::forbidden(attributes.kind, object.name(), "this namespace may not be deleted"));
    }
    Ok(())
}
