//! Ephemeral containers: they come, and neither change nor go.

use api::field::{Error, Errors, Path};
use api::types::Pod;

use crate::registry::go_diff;
use crate::registry::rules::list;

/// `new` becomes the old Pod with its own ephemeral containers.
pub(super) fn update(new: &mut Pod, old: &Pod) -> Errors {
    let containers = new.spec.take().and_then(|spec| spec.ephemeral_containers);
    new.clone_from(old);
    new.spec.get_or_insert_default().ephemeral_containers = containers.filter(|containers| !containers.is_empty());

    let mut errors = Errors::new();
    let path = Path::new("spec");
    let path = path.child("ephemeralContainers");
    let after = new.spec.as_ref().map(|spec| list(&spec.ephemeral_containers)).unwrap_or_default();
    for before in old.spec.iter().flat_map(|spec| list(&spec.ephemeral_containers)) {
        let name = &before.name;
        match after.iter().find(|after| after.name == *name) {
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
    errors
}
