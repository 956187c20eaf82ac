//! The EndpointSlice controller: what stands behind a Service, in pieces of at most a hundred.

mod desired;
mod reconcile;

use std::collections::BTreeMap;

use api::time::SECOND;
use api::types::EndpointSlice;
use api::{Status, meta};
use client::{Client, EventType, Recorder};

use crate::caches::{Caches, SLICES_BY_SERVICE, Seen};
use crate::controller::{Event, Queue, Reconciler};
use crate::service_pods;

pub(crate) const SERVICE_NAME: &str = "kubernetes.io/service-name";
pub(crate) const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const CONTROLLER: &str = "endpointslice-controller.k8s.io";

#[derive(Clone)]
pub struct EndpointSliceController {
    recorder: Recorder,
    /// By Service what was written of its slices: name and resource version. Until the cache shows that, it is stale.
    written: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Default for EndpointSliceController {
    fn default() -> Self {
        EndpointSliceController { recorder: Recorder::new("endpoint-slice-controller", ""), written: BTreeMap::new() }
    }
}

impl Reconciler for EndpointSliceController {
    type Key = String;
    const NAME: &'static str = "endpointslice-controller";
    const KIND: &'static str = "Service";
    const WORKERS: usize = 5;

    fn observe(&mut self, event: &Event, caches: &Caches, queue: &mut Queue<String>) {
        match &event.seen {
            Seen::Service(old, new) => {
                if let Some(service) = new.as_ref().or(old.as_ref()) {
                    queue.add(meta::key(&service.metadata));
                }
            }
            Seen::Pod(old, new) => {
                for key in service_pods::services_concerned(old.as_deref(), new.as_deref(), caches) {
                    queue.add(key);
                }
            }
            Seen::EndpointSlice(old, new) => self.slice_changed(old.as_deref(), new.as_deref(), queue),
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        let Some(service) = caches.services.get(key).filter(|service| !meta::is_being_deleted(&service.metadata))
        else {
            // The slices are owned by the Service: the garbage collector takes them.
            self.written.remove(key);
            return Ok(());
        };
        if !service_pods::has_selector(service) {
            return Ok(());
        }
        if self.is_stale(key, caches) {
            queue.add_after(key.clone(), SECOND);
            return Ok(());
        }
        let existing = caches.endpoint_slices.indexed(SLICES_BY_SERVICE, key);
        let existing: Vec<_> = existing.filter(|slice| is_managed(slice)).cloned().collect();
        let plan = reconcile::plan(service, existing, caches);
        let written = self.written.entry(key.clone()).or_default();
        let result = plan.carry_out(client, written);
        if let Err(status) = &result {
            let message = format!("Error updating Endpoint Slices for Service {key}: {status}");
            let reason = "FailedToUpdateEndpointSlices";
            self.recorder.event(client, &**service, EventType::Warning, reason, message);
        }
        result
    }
}

fn is_managed(slice: &EndpointSlice) -> bool {
    meta::label(&slice.metadata, MANAGED_BY) == Some(CONTROLLER) && !meta::is_being_deleted(&slice.metadata)
}

impl EndpointSliceController {
    /// Whether the cache lacks something that this controller wrote.
    fn is_stale(&self, key: &str, caches: &Caches) -> bool {
        let (namespace, _) = meta::split_key(key);
        let mut written = self.written.get(key).into_iter().flatten();
        written.any(|(name, revision)| {
            let found = caches.endpoint_slices.find(namespace, name);
            found.is_none_or(|found| meta::revision(&found.metadata) < *revision)
        })
    }

    fn slice_changed(&mut self, old: Option<&EndpointSlice>, new: Option<&EndpointSlice>, queue: &mut Queue<String>) {
        let Some(slice) = new.or(old) else { return };
        if meta::label(&slice.metadata, MANAGED_BY) != Some(CONTROLLER) {
            return;
        }
        let Some(service) = meta::label(&slice.metadata, SERVICE_NAME) else { return };
        let key = meta::key_of(slice.metadata.namespace.as_deref().unwrap_or_default(), service);
        let name = slice.metadata.name.as_deref().unwrap_or_default();
        let written = self.written.get_mut(&key);
        let revision = written.as_ref().and_then(|written| written.get(name)).copied();
        if new.is_none() {
            if let Some(written) = written {
                written.remove(name);
            }
            queue.add(key);
        } else if revision != Some(meta::revision(&slice.metadata)) {
            // Somebody else wrote it.
            queue.add(key);
        }
    }
}
