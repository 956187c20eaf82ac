//! From a dependent to the workload that controls it, or that may adopt it.

use std::sync::Arc;

use api::selector::Selector;
use api::types::ObjectMeta;
use api::{Kinded, Object, meta};
use client::Cache;

use crate::controller::Queue;

pub fn controller_uid(meta: &ObjectMeta) -> Option<&str> {
    meta::controller_of(meta).map(|owner| owner.uid.as_str())
}

/// The key of the workload that controls the object, if it exists under that uid.
pub fn controller_key<T: Kinded + Object>(owners: &Cache<T>, meta: &ObjectMeta) -> Option<String> {
    let owner = meta::controller_of(meta).filter(|owner| owner.kind == T::KIND)?;
    let key = meta::key_of(meta.namespace.as_deref().unwrap_or_default(), &owner.name);
    (owners.get(&key)?.metadata().uid.as_ref() == Some(&owner.uid)).then_some(key)
}

/// An orphan may be adopted by any workload that selects it.
pub fn enqueue_matching<T: Kinded + Object>(
    owners: &Cache<T>,
    orphan: &ObjectMeta,
    selector_of: impl Fn(&T) -> Option<Selector>,
    queue: &mut Queue<String>,
) {
    if meta::controller_of(orphan).is_some() || orphan.labels.is_none() {
        return;
    }
    let labels = meta::labels(orphan);
    for owner in owners.in_namespace(orphan.namespace.as_deref().unwrap_or_default()) {
        if selector_of(owner).is_some_and(|selector| selector.matches(labels)) {
            queue.add(meta::key(owner.metadata()));
        }
    }
}

/// A dependent has come, changed or gone: whoever controls it, did, or might has to look.
pub fn dependent_changed<T: Kinded + Object, D: Kinded + Object>(
    old: Option<&Arc<D>>,
    new: Option<&Arc<D>>,
    owners: &Cache<T>,
    selector_of: impl Fn(&T) -> Option<Selector>,
    queue: &mut Queue<String>,
) {
    let Some(dependent) = new.or(old).map(|dependent| dependent.metadata()) else { return };
    let old = old.map(|old| old.metadata());
    let moved = old.is_some_and(|old| controller_uid(old) != controller_uid(dependent));
    if moved && let Some(key) = old.and_then(|old| controller_key(owners, old)) {
        queue.add(key);
    }
    if let Some(key) = controller_key(owners, dependent) {
        queue.add(key);
        return;
    }
    let relabelled = old.is_none_or(|old| moved || old.labels != dependent.labels);
    if relabelled && new.is_some() {
        enqueue_matching(owners, dependent, selector_of, queue);
    }
}
