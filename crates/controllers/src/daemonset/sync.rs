//! One look at a DaemonSet: Pods come and go, the template is rolled out, the status is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::types::{ControllerRevision, DaemonSet, DaemonSetUpdateStrategy, Node, Pod};
use api::{Status, meta};
use client::{Client, EventType, Recorder};

use super::nodes::{self, Fit};
use crate::caches::Caches;
use crate::controller::Queue;
use crate::expectations::Expectations;
use crate::history::{self, REVISION_LABEL};
use crate::pod_control::{PodControl, pod_from_template};
use crate::pods;

/// Most Pods that one sync creates or deletes.
const BURST_REPLICAS: usize = 250;
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// The Pods of each node.
pub(super) type ByNode<'a> = BTreeMap<&'a str, Vec<&'a Arc<Pod>>>;

pub(super) struct Sync<'a, 'c> {
    pub set: &'a DaemonSet,
    pub key: &'a str,
    pub pods: Vec<Arc<Pod>>,
    pub caches: &'a Caches,
    pub client: &'a mut Client<'c>,
    pub recorder: &'a mut Recorder,
    pub expectations: &'a mut Expectations,
    pub queue: &'a mut Queue<String>,
}

/// What is to happen to Pods: nodes that get one, and Pods that go.
#[derive(Default)]
pub(super) struct Plan {
    pub create: Vec<String>,
    pub delete: Vec<Arc<Pod>>,
}

impl Sync<'_, '_> {
    pub fn run(&mut self, revisions: &[Arc<ControllerRevision>]) -> Result<(), Status> {
        let set = self.set;
        let Some(spec) = &set.spec else { return Ok(()) };
        let before = set.status.as_ref().and_then(|status| status.collision_count);
        let mut collisions = before.unwrap_or_default();
        let current = history::current(self.client, set, &spec.template, revisions, &mut collisions)?;
        let hash = meta::label(&current.metadata, REVISION_LABEL).unwrap_or_default().to_owned();
        let collisions = Some(collisions).filter(|count| before.is_some() || *count != 0);

        let mut result = Ok(());
        if self.expectations.satisfied(self.key, self.client.now()) {
            let plan = self.manage(&hash);
            result = self.carry_out(plan, &hash);
            let strategy = spec.update_strategy.as_ref().and_then(|strategy| strategy.type_.as_deref());
            if result.is_ok()
                && strategy != Some("OnDelete")
                && self.expectations.satisfied(self.key, self.client.now())
            {
                let plan = self.roll(&hash);
                result = self.carry_out(plan, &hash);
            }
            self.clean_history(revisions, &current)?;
        }
        self.update_status(&hash, collisions)?;
        result
    }

    pub fn nodes(&self) -> Vec<Arc<Node>> {
        self.caches.nodes.iter().cloned().collect()
    }

    pub fn strategy(&self) -> Option<&DaemonSetUpdateStrategy> {
        self.set.spec.as_ref()?.update_strategy.as_ref()
    }

    pub fn min_ready_seconds(&self) -> i32 {
        self.set.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or_default()
    }

    pub fn is_available(&self, pod: &Pod) -> bool {
        pods::is_available(pod, self.min_ready_seconds(), self.client.now())
    }

    /// Nodes and their Pods, the oldest first. Pods that have ended and are being deleted do not count.
    pub fn by_node(&self) -> ByNode<'_> {
        let mut by_node = ByNode::new();
        for pod in &self.pods {
            let is_over = pods::is_finished(pod) && meta::is_being_deleted(&pod.metadata);
            if let Some(node) = nodes::target(pod).filter(|_| !is_over) {
                by_node.entry(node).or_default().push(pod);
            }
        }
        for pods in by_node.values_mut() {
            pods.sort_by_key(|pod| {
                (pods::node_name(pod).is_empty(), pod.metadata.creation_timestamp.clone(), pod.metadata.name.clone())
            });
        }
        by_node
    }

    /// Pods where they are missing, none where they do not belong, and one a node.
    fn manage(&mut self, hash: &str) -> Plan {
        let mut plan = Plan::default();
        let mut failed = Vec::new();
        let surges = super::rolling::surges(self.strategy());
        let (nodes, by_node) = (self.nodes(), self.by_node());
        for node in &nodes {
            let name = node.metadata.name.as_deref().unwrap_or_default();
            let present = by_node.get(name).map(Vec::as_slice).unwrap_or_default();
            let alive = present.iter().copied().filter(|pod| !meta::is_being_deleted(&pod.metadata));
            match nodes::fit(self.set, node) {
                Fit::Run if present.is_empty() => plan.create.push(name.into()),
                Fit::Leave => plan.delete.extend(alive.cloned()),
                Fit::Run | Fit::Stay => {
                    let (ended, running): (Vec<_>, Vec<_>) = alive.partition(|pod| pods::is_finished(pod));
                    failed.extend(ended.iter().map(|pod| ((*pod).clone(), name.to_owned())));
                    plan.delete.extend(ended.into_iter().cloned());
                    let extra =
                        if surges { self.superfluous(&running, hash) } else { running.into_iter().skip(1).collect() };
                    plan.delete.extend(extra.into_iter().cloned());
                }
            }
        }
        // Pods for nodes that are gone.
        let exists = |name: &&str| nodes.iter().any(|node| node.metadata.name.as_deref() == Some(*name));
        for (_, stranded) in by_node.iter().filter(|(name, _)| !exists(name)) {
            let unbound = stranded.iter().filter(|pod| pods::node_name(pod).is_empty());
            plan.delete.extend(unbound.filter(|pod| !meta::is_being_deleted(&pod.metadata)).map(|pod| (*pod).clone()));
        }
        for (pod, node) in failed {
            self.tell_of_ended(&pod, &node);
        }
        plan
    }

    /// With a surge a node may have an old and a new Pod, until the new one is available.
    fn superfluous<'b>(&self, running: &[&'b Arc<Pod>], hash: &str) -> Vec<&'b Arc<Pod>> {
        let is_new = |pod: &Pod| meta::label(&pod.metadata, REVISION_LABEL) == Some(hash);
        let (new, old): (Vec<_>, Vec<_>) = running.iter().copied().partition(|pod| is_new(pod));
        let mut extra: Vec<_> = new.iter().skip(1).chain(old.iter().skip(1)).copied().collect();
        if let (Some(new), Some(old)) = (new.first(), old.first())
            && (!pods::is_ready(old) || self.is_available(new))
        {
            extra.push(old);
        }
        extra
    }

    fn tell_of_ended(&mut self, pod: &Pod, node: &str) {
        let key = meta::key(&pod.metadata);
        let (kind, reason, message) = if pods::phase(pod) == "Failed" {
            let message = format!("Found failed daemon pod {key} on node {node}, will try to kill it");
            (EventType::Warning, "FailedDaemonPod", message)
        } else {
            let message = format!("Found succeeded daemon pod {key} on node {node}, will try to delete it");
            (EventType::Normal, "SucceededDaemonPod", message)
        };
        self.recorder.event(self.client, self.set, kind, reason, message);
    }

    fn carry_out(&mut self, plan: Plan, hash: &str) -> Result<(), Status> {
        let Plan { mut create, mut delete } = plan;
        create.truncate(BURST_REPLICAS);
        delete.truncate(BURST_REPLICAS);
        if create.is_empty() && delete.is_empty() {
            return Ok(());
        }
        let (set, key, now) = (self.set, self.key, self.client.now());
        self.expectations.expect_both(key, create.len(), delete.iter().map(|pod| meta::key(&pod.metadata)), now);
        let mut control = PodControl { owner: set, key, recorder: self.recorder, expectations: self.expectations };
        let (_, created) = control.create(self.client, create.len(), |index| new_pod(set, &create[index], hash));
        control.delete(self.client, &delete).and(created)
    }

    fn clean_history(
        &mut self,
        revisions: &[Arc<ControllerRevision>],
        current: &ControllerRevision,
    ) -> Result<(), Status> {
        let hash_of = |meta: &api::types::ObjectMeta| meta::label(meta, REVISION_LABEL).map(str::to_owned);
        let in_use = |revision: &ControllerRevision| {
            let hash = hash_of(&revision.metadata);
            revision.metadata.name == current.metadata.name
                || self.pods.iter().any(|pod| hash_of(&pod.metadata) == hash)
        };
        let unused: Vec<_> = revisions.iter().filter(|revision| !in_use(revision)).collect();
        history::truncate(self.client, &unused, self.set.spec.as_ref().and_then(|spec| spec.revision_history_limit))
    }
}

fn new_pod(set: &DaemonSet, node: &str, hash: &str) -> Pod {
    let template = set.spec.as_ref().map(|spec| spec.template.clone()).unwrap_or_default();
    let mut pod = pod_from_template(set, &template);
    meta::set_label(&mut pod.metadata, REVISION_LABEL, hash);
    if let Some(generation) = meta::annotation(&set.metadata, TEMPLATE_GENERATION) {
        meta::set_label(&mut pod.metadata, "pod-template-generation", generation);
    }
    nodes::pin(pod.spec.get_or_insert_default(), node);
    pod
}
