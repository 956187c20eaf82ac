//! ResourceQuota: nothing is created that a quota of its namespace has no room for. What is created is charged at once;
//! the quota controller corrects the sums.

use api::quantity::Amount;
use api::quota::{self, Resources};
use api::types::{Pod, ResourceQuota};
use api::{Draft, Object, ObjectRef, Status, Subresource, Verb};

use super::Attributes;
use crate::storage::Storage;

/// A quota and what it is to become.
pub(crate) type Charge = (ObjectRef, Draft);

/// The quotas that count the object, with it counted; or why there is no room.
pub(crate) fn charge(
    storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<Vec<Charge>, Status> {
    let updates = matches!(attributes.kind.plural, "services" | "persistentvolumeclaims")
        || (attributes.kind.plural == "pods" && attributes.request.subresource == Subresource::Resize);
    let is_counted = match attributes.verb {
        Verb::Create => attributes.request.subresource == Subresource::None,
        _ => updates && attributes.request.subresource != Subresource::Status,
    };
    if !attributes.kind.namespaced || !is_counted {
        return Ok(Vec::new());
    }
    let mut quotas = storage.range_of::<ResourceQuota>(&attributes.request.namespace).peekable();
    if quotas.peek().is_none() {
        return Ok(Vec::new());
    }
    let more = increase(&quota::usage(object), old.map(quota::usage).unwrap_or_default());
    let mut charges = Vec::new();
    for stored in quotas {
        let Some(resource_quota) = stored.downcast_ref::<ResourceQuota>() else { continue };
        if let Some(charged) = charged(resource_quota, attributes, object, &more)? {
            charges.push((stored.clone(), Draft::new(charged)));
        }
    }
    Ok(charges)
}

/// What an object counts for beyond what it did.
fn increase(now: &Resources, before: Resources) -> Resources {
    let grown = now.iter().filter_map(|(name, now)| {
        let (amount, format) = api::quantity::parse(&now.0)?;
        let more = amount.0 - before.get(name).map_or(0, |before| Amount::of(before).0);
        (more > 0).then(|| (name.clone(), Amount(more).to_quantity(format)))
    });
    grown.collect()
}

fn charged(
    resource_quota: &ResourceQuota,
    attributes: &Attributes,
    object: &dyn Object,
    more: &Resources,
) -> Result<Option<ResourceQuota>, Status> {
    let (Some(spec), Some(status)) = (&resource_quota.spec, &resource_quota.status) else { return Ok(None) };
    let name = resource_quota.metadata.name.as_deref().unwrap_or_default();
    let refuse = |why: String| Err(Status::forbidden(attributes.kind, object.name(), &why));
    let (none, hard) = (Resources::new(), status.hard.as_ref());
    let used = status.used.as_ref().unwrap_or(&none);
    let limited = hard.into_iter().flatten().filter(|(name, _)| quota::is_about(name, attributes.kind));
    let limited: Vec<_> = limited.collect();
    if limited.is_empty() || !quota::in_scope(spec, object) {
        return Ok(None);
    }
    let names = limited.iter().map(|(name, _)| name.as_str());
    if attributes.verb == Verb::Create
        && let Some(missing) = unspecified(object, names)
    {
        return refuse(format!("failed quota: {name}: must specify {missing}"));
    }
    let unknown: Vec<&str> =
        limited.iter().filter(|(name, _)| !used.contains_key(*name)).map(|(name, _)| name.as_str()).collect();
    if !unknown.is_empty() {
        return refuse(format!("status unknown for quota: {name}, resources: {}", unknown.join(",")));
    }
    let mut sum = used.clone();
    let charged: Resources =
        limited.iter().filter_map(|(name, _)| Some(((*name).clone(), more.get(*name)?.clone()))).collect();
    if charged.is_empty() {
        return Ok(None);
    }
    quota::add(&mut sum, Some(&charged));
    let mut exceeded = limited.iter().filter(|(name, hard)| {
        charged.contains_key(*name) && sum.get(*name).is_some_and(|sum| Amount::of(sum) > Amount::of(hard))
    });
    let shown = |of: &Resources, names: &[&String]| {
        let pairs = names.iter().filter_map(|name| Some(format!("{name}={}", of.get(*name)?.0)));
        pairs.collect::<Vec<_>>().join(",")
    };
    let names: Vec<&String> = exceeded.by_ref().map(|(name, _)| *name).collect();
    if !names.is_empty() {
        return refuse(format!(
            "exceeded quota: {name}, requested: {}, used: {}, limited: {}",
            shown(&charged, &names),
            shown(used, &names),
            shown(hard.unwrap_or(&none), &names),
        ));
    }
    let mut new = resource_quota.clone();
    new.status.get_or_insert_default().used = Some(sum);
    Ok(Some(new))
}

/// Containers that do not ask for what is limited: `limits.cpu for: one,two; requests.memory for: one`.
fn unspecified<'a>(object: &dyn Object, limited: impl Iterator<Item = &'a str>) -> Option<String> {
    let spec = object.downcast_ref::<Pod>()?.spec.as_ref()?;
    let whole = spec.resources.iter().flat_map(|resources| [&resources.requests, &resources.limits]);
    if whole.flatten().flatten().any(|(name, _)| quota::is_for_whole_pods(name)) {
        return None;
    }
    let mut missing = Vec::new();
    for resource in limited {
        let (name, of): (_, fn(&api::types::Container) -> Option<&Resources>) =
            match (resource.strip_prefix("limits."), resource.strip_prefix("requests.").unwrap_or(resource)) {
                (Some(name), _) => (name, quota::limits),
                (None, name) => (name, quota::requests),
            };
        if !matches!(name, "cpu" | "memory" | "ephemeral-storage") {
            continue;
        }
        let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
        let without = containers.filter(|container| !of(container).is_some_and(|all| all.contains_key(name)));
        let mut names: Vec<&str> = without.map(|container| container.name.as_str()).collect();
        names.sort_unstable();
        if !names.is_empty() {
            missing.push(format!("{resource} for: {}", names.join(",")));
        }
    }
    (!missing.is_empty()).then(|| missing.join("; "))
}
