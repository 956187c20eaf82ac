//! The cluster as the page draws it: rows that follow the objects by watches, as any other client does.

mod events;
mod load;
mod marks;
mod pods;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::object::typed;
use api::request::{WatchId, WatchKind};
use api::types::*;
use api::{Caller, CauseId, KindId, Kinded, Object, Request, Response, SimTime, Verb, meta};
use apiserver::Context;
use protocol::view as page;
use protocol::view::{Rows, View};

use crate::cluster::Cluster;

pub(crate) use events::line as event_line;
pub(crate) use marks::Marks;

/// What the page has been shown, and what it must still be told.
#[derive(Default)]
pub(crate) struct Viewer {
    watches: Vec<(KindId, WatchId)>,
    pub pods: Shown<Pod>,
    pub nodes: Shown<Node>,
    services: Shown<Service>,
    slices: network::Slices,
    ingresses: Shown<Ingress>,
    claims: Shown<PersistentVolumeClaim>,
    volumes: Shown<PersistentVolume>,
    deployments: Shown<Deployment>,
    pub replica_sets: Shown<ReplicaSet>,
    stateful_sets: Shown<StatefulSet>,
    namespaces: Shown<Namespace>,
    new_events: Vec<protocol::EventLine>,
    flows: BTreeMap<String, page::Flow>,
    /// Pods whose mark moves on its own: pulling, terminating.
    moving: BTreeSet<String>,
    /// Pods that have been Ready once.
    was_ready: BTreeSet<String>,
    sampled_at: SimTime,
    began: bool,
    pub marks: Marks,
}

/// The objects of a kind, and the keys of those that changed since the page was told.
pub(crate) struct Shown<T> {
    pub objects: BTreeMap<String, Arc<T>>,
    changed: BTreeSet<String>,
}

impl<T> Default for Shown<T> {
    fn default() -> Self {
        Shown { objects: BTreeMap::new(), changed: BTreeSet::new() }
    }
}

impl<T: Kinded + Object> Shown<T> {
    fn apply(&mut self, kind: WatchKind, object: &api::ObjectRef) {
        let Some(object) = typed::<T>(object) else { return };
        let key = meta::key(object.metadata());
        if kind == WatchKind::Deleted {
            self.objects.remove(&key);
        } else {
            self.objects.insert(key.clone(), object);
        }
        self.changed.insert(key);
    }

    /// The rows that changed, made by `row`; objects that are gone leave their key.
    fn rows<R>(&mut self, row: impl Fn(&str, &T) -> R) -> Rows<R> {
        let mut rows = Rows::default();
        for key in std::mem::take(&mut self.changed) {
            match self.objects.get(&key) {
                Some(object) => rows.set.push(row(&key, object)),
                None => rows.gone.push(key),
            }
        }
        rows
    }
}

/// What follows the clock and not an object is sampled this often.
const SAMPLE_PERIOD: SimTime = 250 * api::time::MILLISECOND;

impl Viewer {
    /// Begins to watch a cluster.
    pub fn open(cluster: &mut Cluster) -> Viewer {
        let mut viewer = Viewer::default();
        let kinds = [
            Pod::ID,
            Node::ID,
            Service::ID,
            EndpointSlice::ID,
            Ingress::ID,
            PersistentVolumeClaim::ID,
            PersistentVolume::ID,
            Deployment::ID,
            ReplicaSet::ID,
            StatefulSet::ID,
            Namespace::ID,
            Event::ID,
        ];
        for kind in kinds {
            let caller = Caller::admin("page");
            let context = Context::new(cluster.now, caller, CauseId::default());
            let request = Request::of(Verb::Watch, kind, "", "");
            if let Ok(Response::Watch(id)) = cluster.server.handle(&context, request) {
                viewer.watches.push((kind, id));
            }
        }
        viewer
    }

    /// Hears what has changed.
    pub fn follow(&mut self, cluster: &mut Cluster) {
        for (kind, watch) in self.watches.clone() {
            for event in cluster.server.watch_events(watch) {
                self.hear(kind, event.kind, &event.object, cluster.now);
            }
        }
    }

    fn hear(&mut self, kind: KindId, change: WatchKind, object: &api::ObjectRef, now: SimTime) {
        match kind {
            Pod::ID => {
                self.pods.apply(change, object);
                if let Some(pod) = object.downcast_ref::<Pod>() {
                    self.marks.pod(pod, change == WatchKind::Deleted, now);
                }
            }
            Node::ID => self.nodes.apply(change, object),
            Service::ID => self.services.apply(change, object),
            EndpointSlice::ID => {
                let change = client::Change { kind: change, object: object.clone(), cause: CauseId::default() };
                self.services.changed.extend(self.slices.apply(&change));
            }
            Ingress::ID => self.ingresses.apply(change, object),
            PersistentVolumeClaim::ID => self.claims.apply(change, object),
            PersistentVolume::ID => self.volumes.apply(change, object),
            Deployment::ID => {
                self.deployments.apply(change, object);
                if let Some(deployment) = object.downcast_ref::<Deployment>() {
                    self.marks.deployment(deployment, change == WatchKind::Deleted, now);
                }
            }
            ReplicaSet::ID => {
                self.replica_sets.apply(change, object);
                self.touch_pods_of(object.uid());
            }
            StatefulSet::ID => self.stateful_sets.apply(change, object),
            Namespace::ID => self.namespaces.apply(change, object),
            _ if change != WatchKind::Deleted => {
                if let Some(event) = object.downcast_ref::<Event>() {
                    self.new_events.push(event_line(event));
                }
            }
            _ => {}
        }
    }

    /// A ReplicaSet's revision shows on the tiles of its Pods.
    fn touch_pods_of(&mut self, uid: &str) {
        let owned = self
            .pods
            .objects
            .iter()
            .filter(|(_, pod)| meta::controller_of(&pod.metadata).is_some_and(|owner| owner.uid == uid));
        let keys: Vec<String> = owned.map(|(key, _)| key.clone()).collect();
        self.pods.changed.extend(keys);
    }

    /// Takes note of what the timeline shows, between two moments of a replay.
    pub fn look_back(&mut self, cluster: &mut Cluster) {
        self.follow(cluster);
        self.marks.traffic(cluster);
    }

    /// Everything that the page does not know yet.
    pub fn delta(&mut self, cluster: &mut Cluster, clock: page::Clock) -> View {
        self.follow(cluster);
        let now = cluster.now;
        let reset = !std::mem::replace(&mut self.began, true);
        let sample = reset || now < self.sampled_at || now - self.sampled_at >= SAMPLE_PERIOD;
        if sample {
            self.sampled_at = now;
            self.nodes.changed.extend(self.nodes.objects.keys().cloned());
            self.touch_probed();
        }
        self.pods.changed.extend(std::mem::take(&mut self.moving));

        let mut view = View { reset, clock, ..View::default() };
        let changed_pods = self.pods.changed.clone();
        let rows: Vec<(String, Option<page::Pod>)> =
            changed_pods.into_iter().map(|key| (key.clone(), self.pod_row(cluster, &key))).collect();
        self.pods.changed.clear();
        for (key, row) in rows {
            match row {
                Some(row) => {
                    if pods::moves(&row.lamp) {
                        self.moving.insert(key);
                    }
                    view.pods.set.push(row);
                }
                None => {
                    self.was_ready.remove(&key);
                    view.pods.gone.push(key);
                }
            }
        }
        view.nodes = self.node_rows(cluster);
        let slices = &self.slices;
        view.services = self.services.rows(|key, service| rows::service(key, service, slices));
        view.ingresses = self.ingresses.rows(rows::ingress);
        view.claims = self.claims.rows(rows::claim);
        let pods = &self.pods.objects;
        view.volumes = self.volumes.rows(|_, volume| rows::volume(volume, pods));
        view.workloads = self.deployments.rows(rows::deployment);
        let sets = self.stateful_sets.rows(rows::stateful_set);
        view.workloads.gone = view.workloads.gone.iter().map(|key| format!("Deployment/{key}")).collect();
        view.workloads.gone.extend(sets.gone.iter().map(|key| format!("StatefulSet/{key}")));
        view.workloads.set.extend(sets.set);
        if !self.namespaces.changed.is_empty() {
            self.namespaces.changed.clear();
            view.namespaces = Some(self.namespaces.objects.keys().cloned().collect());
        }
        view.events = std::mem::take(&mut self.new_events);
        if sample {
            view.flows = self.flow_rows(cluster);
            view.control_plane = Some(load::control_plane(cluster));
            view.clients = Some(load::clients(cluster));
            self.marks.traffic(cluster);
        }
        view.marks = self.marks.take();
        view
    }

    fn flow_rows(&mut self, cluster: &Cluster) -> Rows<page::Flow> {
        let mut rows = Rows::default();
        let mut now_flowing = BTreeMap::new();
        for (from, to, counter) in cluster.flows() {
            let (rate, failing) = counter.rates(cluster.now);
            if rate <= 0.0 {
                continue;
            }
            let key = format!("{from}>{to}");
            let flow = page::Flow {
                key: key.clone(),
                from: from.into(),
                to: to.into(),
                rate,
                failing,
                draining: counter.draining,
            };
            now_flowing.insert(key, flow);
        }
        for (key, flow) in &now_flowing {
            if self.flows.get(key) != Some(flow) {
                rows.set.push(flow.clone());
            }
        }
        rows.gone = self.flows.keys().filter(|key| !now_flowing.contains_key(*key)).cloned().collect();
        self.flows = now_flowing;
        rows
    }
}
