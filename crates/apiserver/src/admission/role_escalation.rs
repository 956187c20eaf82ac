//! Not a plugin upstream, but at the same place: the storage of roles and bindings looks at who writes them.

use api::{Object, Status};

use super::Attributes;
use crate::authorization::escalation;
use crate::storage::Storage;

pub(super) fn admit(
    storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    escalation::check(storage, attributes.user(), attributes.kind, object, old)
}
