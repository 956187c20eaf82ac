//! Administrators' access to devices that somebody else uses: only in namespaces that are marked for it. Upstream:
//! `pkg/registry/resource/utils.go`.

use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::types::Namespace;
use api::{Kind, Object};
use serde_json::Value;

use crate::registry::admission_rules::items;
use crate::storage::Storage;

const LABEL: &str = "resource.kubernetes.io/admin-access";

/// Of a new claim or template, whose requests cannot change later.
pub(crate) fn of_requests(storage: &Storage, kind: &Kind, object: &dyn Object) -> Errors {
    let pointer = match kind.kind {
        "ResourceClaim" => "/spec/devices",
        "ResourceClaimTemplate" => "/spec/spec/devices",
        _ => return Errors::new(),
    };
    let first = object.downcast_ref::<Tree>().and_then(|claim| {
        let requests = items(claim.at(pointer)?, "requests");
        requests.iter().position(|request| request["exactly"]["adminAccess"] == true)
    });
    let path = Path::new("spec.devices.requests");
    first.map_or_else(Errors::new, |first| allowed(storage, object, &path.index(first)))
}

/// Of a claim's status, unless what it had before has such access.
pub(crate) fn of_results(storage: &Storage, kind: &Kind, object: &dyn Object, old: &dyn Object) -> Errors {
    let first = |claim: &dyn Object| {
        let claim = claim.downcast_ref::<Tree>().filter(|_| kind.kind == "ResourceClaim")?;
        let results = items(claim.at("/status/allocation/devices")?, "results");
        results.iter().position(|result: &Value| result["adminAccess"] == true)
    };
    let path = Path::new("status.allocation.devices.results");
    match (first(object), first(old)) {
        (Some(first), None) => allowed(storage, object, &path.index(first)),
        _ => Errors::new(),
    }
}

fn allowed(storage: &Storage, object: &dyn Object, path: &Path) -> Errors {
    let namespace = storage.find::<Namespace>("", object.namespace());
    let labels = namespace.and_then(|namespace| namespace.metadata.labels.as_ref());
    if labels.and_then(|labels| labels.get(LABEL)).is_some_and(|value| value == "true") {
        return Errors::new();
    }
    let why = format!("admin access to devices requires the `{LABEL}: true` label on the containing namespace");
    vec![Error::forbidden(&path.child("adminAccess"), why)]
}
