//! The resource quota controller: adds up what quotas count. Admission charges what is new, this corrects the sums when
//! something changes or goes.

use api::quota::{self, Resources};
use api::request::WatchKind;
use api::types::{Quantity, ResourceQuotaSpec};
use api::{Kind, ObjectRef, Request, Response, Status, Verb, kinds, meta};
use client::Client;

use crate::caches::{Caches, Seen};
use crate::controller::{Event, Queue, Reconciler};
use crate::pods;

#[derive(Clone, Default)]
pub struct ResourceQuotaController;

impl Reconciler for ResourceQuotaController {
    type Key = String;
    const NAME: &'static str = "resourcequota-controller";
    const KIND: &'static str = "ResourceQuota";
    const WORKERS: usize = 5;

    fn observe(&mut self, event: &Event, caches: &Caches, queue: &mut Queue<String>) {
        if let Seen::ResourceQuota(old, Some(new)) = &event.seen {
            let is_new = old.as_ref().is_none_or(|old| old.spec != new.spec);
            if is_new {
                queue.add(meta::key(&new.metadata));
            }
        }
        if !frees(event) {
            return;
        }
        let object = &event.change.object;
        let kind = kinds::row(object.kind_id());
        for quota in caches.resource_quotas.in_namespace(object.namespace()) {
            let hard = quota.spec.iter().flat_map(|spec| spec.hard.iter().flatten());
            if hard.into_iter().any(|(name, _)| quota::is_about(name, kind)) {
                queue.add(meta::key(&quota.metadata));
            }
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        caches: &Caches,
        client: &mut Client,
        _: &mut Queue<String>,
    ) -> Result<(), Status> {
        let Some(cached) = caches.resource_quotas.get(key) else { return Ok(()) };
        let Some(spec) = &cached.spec else { return Ok(()) };
        let used = usage(client, spec, cached.metadata.namespace.as_deref().unwrap_or_default())?;
        let mut new = (**cached).clone();
        let status = new.status.get_or_insert_default();
        status.hard.clone_from(&spec.hard);
        status.used = Some(used).filter(|used| !used.is_empty());
        if new.status == cached.status { Ok(()) } else { client.update_status(new).map(drop) }
    }
}

/// Something counts for less than before: it is gone, or a Pod has ended, or a Service or claim has changed.
fn frees(event: &Event) -> bool {
    match &event.seen {
        Seen::Pod(Some(old), Some(new)) => !pods::is_finished(old) && pods::is_finished(new),
        Seen::Service(Some(_), Some(_)) | Seen::PersistentVolumeClaim(Some(_), Some(_)) => true,
        _ => event.change.kind == WatchKind::Deleted,
    }
}

/// What everything in the namespace counts for.
fn usage(client: &mut Client, spec: &ResourceQuotaSpec, namespace: &str) -> Result<Resources, Status> {
    let hard = spec.hard.iter().flatten();
    let mut used: Resources = hard.map(|(name, _)| (name.clone(), Quantity("0".into()))).collect();
    for kind in kinds::stored().filter(|kind| kind.namespaced) {
        let names: Vec<String> = used.keys().filter(|name| quota::is_about(name, kind)).cloned().collect();
        if names.is_empty() {
            continue;
        }
        for object in list(client, kind, namespace)? {
            if !quota::in_scope(spec, &*object) {
                continue;
            }
            let usage = quota::usage(&*object);
            let counted = names.iter().filter_map(|name| Some((name.clone(), usage.get(name)?.clone()))).collect();
            quota::add(&mut used, Some(&counted));
        }
    }
    Ok(used)
}

fn list(client: &mut Client, kind: &'static Kind, namespace: &str) -> Result<Vec<ObjectRef>, Status> {
    match client.call(Request::of(Verb::List, kind.id, namespace, ""))? {
        Response::List(list) => Ok(list.items),
        _ => Ok(Vec::new()),
    }
}
