//! One sync of a StatefulSet: which Pod to create, wait for or delete.

use std::sync::Arc;

use api::types::{ControllerRevision, Pod, StatefulSet, StatefulSetStatus};
use api::{SimTime, Status, meta};
use client::{Client, Recorder};

use super::identity;
use super::revisions::{Revisions, at_revision, counts};
use crate::caches::Caches;
use crate::pod_control::slow_start;
use crate::pods;
use crate::replicaset::non_zero;

pub(super) struct Sync<'a, 'c> {
    pub set: &'a StatefulSet,
    pub client: &'a mut Client<'c>,
    pub recorder: &'a mut Recorder,
    pub caches: &'a Caches,
}

/// A Pod that exists, or one that is to be created.
#[derive(Clone)]
pub(super) enum Replica {
    Existing(Arc<Pod>),
    New(Box<Pod>),
}

impl Replica {
    pub fn pod(&self) -> &Pod {
        match self {
            Replica::Existing(pod) => pod,
            Replica::New(pod) => pod,
        }
    }
}

pub(super) fn is_created(pod: &Pod) -> bool {
    !pods::phase(pod).is_empty()
}

pub(super) fn is_running_and_available(pod: &Pod, min_ready_seconds: i32, now: SimTime) -> bool {
    pods::phase(pod) == "Running" && pods::is_available(pod, min_ready_seconds, now)
}

fn is_running_and_ready(pod: &Pod) -> bool {
    pods::phase(pod) == "Running" && pods::is_ready(pod)
}

fn is_terminating(pod: &Pod) -> bool {
    meta::is_being_deleted(&pod.metadata)
}

/// Whether a pass over the Pods is to go on with the next one.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Pass {
    Continue,
    /// Something is under way that the rest waits for.
    Stop,
}

impl Sync<'_, '_> {
    pub fn run(
        &mut self,
        pods: &[Arc<Pod>],
        revisions: Vec<Arc<ControllerRevision>>,
    ) -> Result<StatefulSetStatus, Status> {
        let live = self.get_revisions(&revisions)?;
        let mut status = self.new_status(&live);
        let result = self.update_pods(pods, &live, &mut status);
        self.write_status(&mut status)?;
        result?;
        self.truncate_history(pods, &revisions, &live)?;
        Ok(status)
    }

    fn new_status(&self, live: &Revisions) -> StatefulSetStatus {
        StatefulSetStatus {
            observed_generation: self.set.metadata.generation.filter(|generation| *generation != 0),
            current_revision: Some(live.current_name().into()),
            update_revision: Some(live.update_name().into()),
            collision_count: Some(live.collision_count),
            conditions: self.set.status.as_ref().and_then(|status| status.conditions.clone()),
            ..StatefulSetStatus::default()
        }
    }

    fn min_ready_seconds(&self) -> i32 {
        self.set.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or_default()
    }

    /// Pods start one after the other, unless they are managed in parallel.
    fn is_monotonic(&self) -> bool {
        self.set.spec.as_ref().and_then(|spec| spec.pod_management_policy.as_deref()) != Some("Parallel")
    }

    pub fn is_available(&self, pod: &Pod) -> bool {
        is_running_and_available(pod, self.min_ready_seconds(), self.client.now())
    }

    fn update_pods(
        &mut self,
        pods: &[Arc<Pod>],
        live: &Revisions,
        status: &mut StatefulSetStatus,
    ) -> Result<(), Status> {
        let set = self.set;
        let current_set = at_revision(set, &live.current);
        let update_set = at_revision(set, &live.update);
        let start = identity::start_ordinal(set);
        let mut slots: Vec<Option<Arc<Pod>>> = vec![None; identity::replicas(set).max(0) as usize];
        let mut condemned: Vec<Arc<Pod>> = Vec::new();
        for pod in pods {
            let ordinal = identity::ordinal(pod);
            if identity::is_in_range(ordinal, set) {
                slots[(ordinal - start) as usize] = Some(pod.clone());
            } else if ordinal >= 0 {
                condemned.push(pod.clone());
            }
        }
        condemned.sort_by_key(|pod| std::cmp::Reverse(identity::ordinal(pod)));
        let mut replicas: Vec<Replica> = Vec::with_capacity(slots.len());
        for (ordinal, slot) in (start..).zip(slots) {
            replicas.push(match slot {
                Some(pod) => Replica::Existing(pod),
                None if is_current_needed(&current_set, ordinal) => {
                    Replica::New(Box::new(identity::new_pod(&current_set, ordinal, live.current_name())))
                }
                None => Replica::New(Box::new(identity::new_pod(&update_set, ordinal, live.update_name()))),
            });
        }
        count(status, pods, live, self.min_ready_seconds(), self.client.now());
        if is_being_deleted(set) {
            return Ok(());
        }

        let first_unhealthy = first_unhealthy(&replicas, &condemned);
        let stop =
            self.for_all(replicas.len(), |sync, index| sync.process_replica(&mut replicas[index], live, status))?;
        if stop == Pass::Stop {
            return Ok(());
        }
        let stop = self.for_all(condemned.len(), |sync, index| {
            sync.fix_claims(&condemned[index])?;
            sync.process_condemned(&condemned[index], first_unhealthy.as_deref(), live, status)
        })?;
        if stop == Pass::Stop {
            return Ok(());
        }
        self.roll_out(&replicas, live, status)
    }

    /// One after the other until a stop, or in growing batches to the end.
    fn for_all(
        &mut self,
        count: usize,
        mut work: impl FnMut(&mut Sync, usize) -> Result<Pass, Status>,
    ) -> Result<Pass, Status> {
        if self.is_monotonic() {
            for index in 0..count {
                if work(self, index)? == Pass::Stop {
                    return Ok(Pass::Stop);
                }
            }
            return Ok(Pass::Continue);
        }
        let Sync { set, client, recorder, caches } = self;
        let (set, caches) = (*set, *caches);
        let (_, result) = slow_start(client, count, 1, |client, index| {
            work(&mut Sync { set, client, recorder, caches }, index).map(drop)
        });
        result.map(|()| Pass::Continue)
    }

    fn process_replica(
        &mut self,
        replica: &mut Replica,
        live: &Revisions,
        status: &mut StatefulSetStatus,
    ) -> Result<Pass, Status> {
        let monotonic = self.is_monotonic();
        let pod = match replica {
            Replica::New(pod) => {
                if self.has_stale_claims(pod) {
                    return Ok(Pass::Stop);
                }
                let created = self.create_pod(pod)?;
                status.replicas += 1;
                let counted = |count: Option<i32>, revision: &str| {
                    non_zero(count.unwrap_or_default() + i32::from(identity::revision(&created) == revision))
                };
                status.current_replicas = counted(status.current_replicas, live.current_name());
                status.updated_replicas = counted(status.updated_replicas, live.update_name());
                *replica = Replica::Existing(created);
                return Ok(if monotonic { Pass::Stop } else { Pass::Continue });
            }
            Replica::Existing(pod) => pod.clone(),
        };
        if pods::is_finished(&pod) {
            if !is_terminating(&pod) {
                self.recreate_finished(&pod)?;
            }
            return Ok(Pass::Stop);
        }
        if pods::phase(&pod) == "Pending" {
            self.create_claims(&pod)?;
        }
        if monotonic && (is_terminating(&pod) || !is_running_and_ready(&pod) || !self.is_available(&pod)) {
            return Ok(Pass::Stop);
        }
        let set = self.set;
        let claims_match = self.claims_match_retention(&pod);
        if !identity::identity_matches(set, &pod) || !identity::storage_matches(set, &pod) || !claims_match {
            self.update_pod(&pod)?;
        }
        Ok(Pass::Continue)
    }

    fn process_condemned(
        &mut self,
        pod: &Pod,
        first_unhealthy: Option<&str>,
        live: &Revisions,
        status: &mut StatefulSetStatus,
    ) -> Result<Pass, Status> {
        let monotonic = self.is_monotonic();
        if is_terminating(pod) {
            return Ok(if monotonic { Pass::Stop } else { Pass::Continue });
        }
        let is_first_unhealthy = first_unhealthy == pod.metadata.name.as_deref();
        let healthy = is_running_and_ready(pod) && self.is_available(pod);
        if monotonic && !healthy && !is_first_unhealthy {
            return Ok(Pass::Stop);
        }
        self.delete_pod(pod)?;
        let without = |count: Option<i32>, revision: &str| {
            non_zero(count.unwrap_or_default() - i32::from(identity::revision(pod) == revision))
        };
        status.current_replicas = without(status.current_replicas, live.current_name());
        status.updated_replicas = without(status.updated_replicas, live.update_name());
        Ok(if monotonic { Pass::Stop } else { Pass::Continue })
    }
}

fn is_being_deleted(set: &StatefulSet) -> bool {
    meta::is_being_deleted(&set.metadata)
}

/// Whether a Pod of this ordinal is made from the old template: below the partition nothing is updated.
fn is_current_needed(set: &StatefulSet, ordinal: i32) -> bool {
    let Some(strategy) = set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref()) else { return false };
    if strategy.type_.as_deref() != Some("RollingUpdate") {
        return false;
    }
    let partition = strategy.rolling_update.as_ref().and_then(|rolling| rolling.partition);
    let current = set.status.as_ref().and_then(|status| status.current_replicas).unwrap_or_default();
    ordinal < identity::start_ordinal(set) + partition.unwrap_or(current)
}

/// The name of the unhealthy Pod with the lowest ordinal.
fn first_unhealthy(replicas: &[Replica], condemned: &[Arc<Pod>]) -> Option<String> {
    let all = replicas.iter().map(Replica::pod).chain(condemned.iter().rev().map(|pod| &**pod));
    let mut unhealthy = all.filter(|pod| !is_running_and_ready(pod) || is_terminating(pod));
    unhealthy.next().and_then(|pod| pod.metadata.name.clone())
}

fn count(status: &mut StatefulSetStatus, pods: &[Arc<Pod>], live: &Revisions, min_ready: i32, now: SimTime) {
    let number = |holds: &dyn Fn(&Pod) -> bool| pods.iter().filter(|pod| holds(pod)).count() as i32;
    let of_revision = |name: &str| number(&|pod| counts(pod) && identity::revision(pod) == name);
    status.replicas = number(&|pod| is_created(pod));
    status.ready_replicas = non_zero(number(&is_running_and_ready));
    status.available_replicas = Some(number(&|pod| is_running_and_available(pod, min_ready, now)));
    status.current_replicas = non_zero(of_revision(live.current_name()));
    status.updated_replicas = non_zero(of_revision(live.update_name()));
}
