//! Ephemeral containers: they come, and neither change nor go.

use api::field::{Error, Errors, Path};
use api::types::Pod;

use super::annotations;
use crate::registry::go_diff;
use crate::registry::rules::list;

/// `new` becomes the old Pod with its own ephemeral containers.
pub(super) fn prepare(new: &mut Pod, old: &Pod) {
    let containers = new.spec.take().and_then(|spec| spec.ephemeral_containers);
    let managers = new.metadata.managed_fields.take();
    new.clone_from(old);
    new.metadata.managed_fields = managers;
    new.spec.get_or_insert_default().ephemeral_containers = containers.filter(|containers| !containers.is_empty());
}

/// What makes any change impossible.
pub(super) fn refuse(old: &Pod) -> Option<Error> {
    let is_static =
        old.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(annotations::MIRROR));
    is_static.then(|| Error::forbidden(&Path::new(""), "static pods do not support ephemeral containers"))
}

pub(super) fn validate(new: &Pod, old: &Pod, errors: &mut Errors) {
    let path = Path::new("spec");
    let path = path.child("ephemeralContainers");
    let after = new.spec.as_ref().map(|spec| list(&spec.ephemeral_containers)).unwrap_or_default();
    for before in old.spec.iter().flat_map(|spec| list(&spec.ephemeral_containers)) {
        let name = &before.name;
        match after.iter().rfind(|after| after.name == *name) {
            None => {
                let why = format!("existing ephemeral containers {name:?} may not be removed\n");
                errors.push(Error::forbidden(&path, why));
            }
            Some(after) if after != before => {
                let diff = go_diff::diff("core.v1.EphemeralContainer", before, after);
                let why = format!("existing ephemeral containers {name:?} may not be changed\n{diff}");
                errors.push(Error::forbidden(&path, why));
            }
            Some(_) => {}
        }
    }
}
