//! Making and removing Pods for a workload, with the events that tell of it.

use std::sync::Arc;

use api::types::{ObjectMeta, Pod, PodTemplateSpec};
use api::{Kinded, Object, Status, meta};
use client::{Client, DeleteOptions, EventType, Recorder};

use crate::expectations::Expectations;

/// The Pod that a template asks for, owned by `owner` and named after it.
pub fn pod_from_template<C: Kinded>(owner: &C, template: &PodTemplateSpec) -> Pod {
    let wanted = template.metadata.as_ref();
    let name = owner.metadata().name.as_deref().unwrap_or_default();
    Pod {
        metadata: ObjectMeta {
            generate_name: Some(format!("{name}-")),
            namespace: owner.metadata().namespace.clone(),
            labels: wanted.and_then(|meta| meta.labels.clone()),
            annotations: wanted.and_then(|meta| meta.annotations.clone()),
            finalizers: wanted.and_then(|meta| meta.finalizers.clone()),
            owner_references: Some(vec![meta::controller_reference(owner)]),
            ..ObjectMeta::default()
        },
        spec: template.spec.clone(),
        status: None,
    }
}

pub fn create_pod<C: Kinded + Object>(
    client: &mut Client,
    recorder: &mut Recorder,
    owner: &C,
    pod: Pod,
) -> Result<Arc<Pod>, Status> {
    match client.create(pod) {
        Ok(pod) => {
            let name = pod.metadata.name.as_deref().unwrap_or_default();
            recorder.event(client, owner, EventType::Normal, "SuccessfulCreate", format!("Created pod: {name}"));
            Ok(pod)
        }
        Err(status) => {
            if !is_namespace_terminating(&status) {
                let message = format!("Error creating: {status}");
                recorder.event(client, owner, EventType::Warning, "FailedCreate", message);
            }
            Err(status)
        }
    }
}

pub fn delete_pod<C: Kinded + Object>(
    client: &mut Client,
    recorder: &mut Recorder,
    owner: &C,
    pod: &Pod,
) -> Result<(), Status> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    match client.delete::<Pod>(namespace, name, DeleteOptions::default()) {
        Ok(()) => {
            recorder.event(client, owner, EventType::Normal, "SuccessfulDelete", format!("Deleted pod: {name}"));
            Ok(())
        }
        Err(status) if status.is_not_found() => Err(status),
        Err(status) => {
            let message = format!("Error deleting: {status}");
            recorder.event(client, owner, EventType::Warning, "FailedDelete", message);
            Err(status)
        }
    }
}

/// A workload's way to make and remove Pods while it keeps its expectations, which the caller has set.
pub struct PodControl<'a, C> {
    pub owner: &'a C,
    pub key: &'a str,
    pub recorder: &'a mut Recorder,
    pub expectations: &'a mut Expectations,
}

impl<C: Kinded + Object> PodControl<'_, C> {
    /// Makes Pods in growing batches. How many could be made.
    pub fn create(
        &mut self,
        client: &mut Client,
        count: usize,
        mut pod: impl FnMut(usize) -> Pod,
    ) -> (usize, Result<(), Status>) {
        let (owner, recorder) = (self.owner, &mut *self.recorder);
        let (successes, result) =
            slow_start(client, count, 1, |client, index| match create_pod(client, recorder, owner, pod(index)) {
                Err(status) if !is_namespace_terminating(&status) => Err(status),
                _ => Ok(()),
            });
        for _ in successes..count {
            self.expectations.creation_observed(self.key);
        }
        (successes, result)
    }

    pub fn delete(&mut self, client: &mut Client, pods: &[Arc<Pod>]) -> Result<(), Status> {
        let mut result = Ok(());
        client.in_parallel(|client| {
            for pod in pods {
                if let Err(status) = delete_pod(client, self.recorder, self.owner, pod) {
                    self.expectations.deletion_observed(self.key, &meta::key(&pod.metadata));
                    if !status.is_not_found() {
                        result = Err(status);
                    }
                }
            }
        });
        result
    }
}

/// Refused because the namespace is being deleted: trying again does not help.
pub fn is_namespace_terminating(status: &Status) -> bool {
    let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
    causes.iter().any(|cause| cause.reason == "NamespaceTerminating")
}

/// Calls `work` for 0 to `count`, in parallel batches of `first`, twice that, and so on, and stops after a batch with an
/// error: a quota that is full is found out by one call, not by hundreds. Returns the successes and the first error.
pub fn slow_start(
    client: &mut Client,
    count: usize,
    first: usize,
    mut work: impl FnMut(&mut Client, usize) -> Result<(), Status>,
) -> (usize, Result<(), Status>) {
    let mut done = 0;
    let mut successes = 0;
    let mut batch = first.min(count);
    while batch > 0 {
        let mut result = Ok(());
        client.in_parallel(|client| {
            for index in done..done + batch {
                match work(client, index) {
                    Ok(()) => successes += 1,
                    Err(status) if result.is_ok() => result = Err(status),
                    Err(_) => {}
                }
            }
        });
        if result.is_err() {
            return (successes, result);
        }
        done += batch;
        batch = (2 * batch).min(count - done);
    }
    (successes, Ok(()))
}
