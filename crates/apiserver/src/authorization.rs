//! Authorization: may the caller do this?
//!
//! The cluster runs with `--authorization-mode=AlwaysAllow`, so every named caller may do everything; a request without
//! a name is refused. Node and RBAC authorizers take this stage's place without touching the others.

use api::{Kind, Request, Status};

use crate::Context;

pub(crate) fn authorize(context: &Context, kind: &Kind, request: &Request) -> Result<(), Status> {
    if context.caller.user.name.is_empty() {
        let scope = match request.namespace.as_str() {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace {namespace:?}"),
        };
        let resource = match request.subresource.as_str() {
            "" => kind.plural.to_owned(),
            subresource => format!("{}/{subresource}", kind.plural),
        };
        let why = format!(
            "User \"system:anonymous\" cannot {} resource {resource:?} in API group {:?} {scope}",
            request.verb.as_str(),
            kind.group
        );
        return Err(Status::forbidden(kind, &request.name, &why));
    }
    Ok(())
}
