//! The cluster's rows, kept up to date from the worker's deltas.

use std::collections::BTreeMap;
use std::rc::Rc;

use protocol::view::{
    Claim, Clients, Component, ComponentState, ControlPlane, Flow, Ingress, Node, ObjectRef, Pod, Rows, Service, View,
    Volume, Workload,
};

use crate::map::slots::{Place, Slots};
use crate::store::Row;

#[derive(Default)]
pub struct Cluster {
    /// In order of creation, which is the order in which they were first seen.
    pub nodes: Vec<Row<Node>>,
    pub pods: BTreeMap<String, Row<Pod>>,
    pub services: BTreeMap<String, Row<Service>>,
    pub ingresses: BTreeMap<String, Row<Ingress>>,
    pub claims: BTreeMap<String, Row<Claim>>,
    pub volumes: BTreeMap<String, Row<Volume>>,
    pub workloads: BTreeMap<String, Row<Workload>>,
    pub flows: BTreeMap<String, Row<Flow>>,
    pub control_plane: Row<ControlPlane>,
    pub clients: Row<Clients>,
    pub namespaces: Rc<Vec<String>>,
    /// Where each visible Pod's tile is, by node.
    slots: BTreeMap<String, Slots>,
    show_system: bool,
}

impl Cluster {
    /// `wall_ms`: the page's own clock; the stillness of slots is measured in the visitor's time.
    pub fn merge(&mut self, view: View, wall_ms: f64) {
        if view.reset {
            *self = Cluster { show_system: self.show_system, ..Cluster::default() };
        }
        for key in &view.nodes.gone {
            self.nodes.retain(|node| node.name != *key);
            self.slots.remove(key);
        }
        for node in view.nodes.set {
            match self.nodes.iter_mut().find(|known| known.name == node.name) {
                Some(known) => *known = Row::new(node),
                None => self.nodes.push(Row::new(node)),
            }
        }
        for key in &view.pods.gone {
            if let Some(pod) = self.pods.remove(key) {
                self.free(&pod, wall_ms);
            }
        }
        for pod in view.pods.set {
            if let Some(before) = self.pods.get(&pod.key).cloned()
                && before.node != pod.node
            {
                self.free(&before, wall_ms);
            }
            let pod = Row::new(pod);
            self.pods.insert(pod.key.clone(), pod.clone());
            self.place(&pod, wall_ms);
        }
        merge_rows(&mut self.services, view.services, |row| &row.key);
        merge_rows(&mut self.ingresses, view.ingresses, |row| &row.key);
        merge_rows(&mut self.claims, view.claims, |row| &row.key);
        merge_rows(&mut self.volumes, view.volumes, |row| &row.name);
        merge_rows(&mut self.workloads, view.workloads, |row| &row.key);
        merge_rows(&mut self.flows, view.flows, |row| &row.key);
        if let Some(control_plane) = view.control_plane {
            self.control_plane = Row::new(control_plane);
        }
        if let Some(clients) = view.clients {
            self.clients = Row::new(clients);
        }
        if let Some(namespaces) = view.namespaces {
            self.namespaces = Rc::new(namespaces);
        }
    }

    fn place(&mut self, pod: &Pod, wall_ms: f64) {
        if pod.node.is_empty() || (pod.system && !self.show_system) {
            return;
        }
        let from = if pod.claims.is_empty() { Place::Top } else { Place::Bottom };
        self.slots.entry(pod.node.clone()).or_default().take(&pod.key, from, wall_ms);
    }

    fn free(&mut self, pod: &Pod, wall_ms: f64) {
        if let Some(slots) = self.slots.get_mut(&pod.node) {
            slots.free(&pod.key, wall_ms);
        }
    }

    pub fn set_show_system(&mut self, show: bool, wall_ms: f64) {
        if self.show_system == show {
            return;
        }
        self.show_system = show;
        let system: Vec<_> = self.pods.values().filter(|pod| pod.system).cloned().collect();
        for pod in system {
            if show {
                self.place(&pod, wall_ms);
            } else {
                self.free(&pod, wall_ms);
            }
        }
    }

    /// Drops the gaps that departed Pods have left.
    pub fn fit_slots(&mut self) {
        for slots in self.slots.values_mut() {
            slots.fit();
        }
    }

    /// The node's tiles from the top left, row by row; `None` is an empty slot.
    pub fn tiles(&self, node: &str) -> Vec<Option<Row<Pod>>> {
        let Some(slots) = self.slots.get(node) else {
            return vec![None; Slots::ROWS_MIN * Slots::COLUMNS];
        };
        slots.keys().map(|key| key.and_then(|key| self.pods.get(key)).cloned()).collect()
    }

    pub fn slot_rows(&self, node: &str) -> usize {
        self.slots.get(node).map_or(Slots::ROWS_MIN, Slots::rows)
    }

    /// Node, column and row of a Pod's tile.
    pub fn slot_of(&self, pod: &str) -> Option<(&str, usize, usize)> {
        let pod = self.pods.get(pod)?;
        let (column, row) = self.slots.get(&pod.node)?.find(&pod.key)?;
        Some((&pod.node, column, row))
    }

    pub fn visible_pods(&self) -> usize {
        self.slots.values().map(Slots::taken).sum()
    }

    /// System Pods of a node.
    pub fn system_pods(&self, node: &str) -> Vec<Row<Pod>> {
        self.pods.values().filter(|pod| pod.system && pod.node == node).cloned().collect()
    }

    pub fn component(&self, name: &str) -> ComponentState {
        let component = |component: &&Component| component.name == name;
        self.control_plane.components.iter().find(component).map_or(ComponentState::Running, |found| found.state)
    }

    /// No workload of anybody's own.
    pub fn is_empty(&self) -> bool {
        self.pods.values().all(|pod| pod.system) && self.workloads.values().all(|row| row.namespace == "kube-system")
    }

    /// The object that a bare word such as `web-7d4c9f6b8-x2k4p`, `pod/web` or `node-1` names, if there is one.
    pub fn find(&self, word: &str) -> Option<ObjectRef> {
        let (kind, name) = word.split_once('/').unwrap_or(("", word));
        let kind = kind.split('.').next().unwrap_or_default();
        self.objects().find(|object| object.name == name && (kind.is_empty() || is_kind(kind, &object.kind)))
    }

    pub fn objects(&self) -> impl Iterator<Item = ObjectRef> + '_ {
        let of = |kind: &str, namespace: &str, name: &str| ObjectRef {
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        };
        (self.pods.values().map(move |row| of("Pod", &row.namespace, &row.name)))
            .chain(self.nodes.iter().map(move |row| of("Node", "", &row.name)))
            .chain(self.workloads.values().map(move |row| of(&row.kind, &row.namespace, &row.name)))
            .chain(self.services.values().map(move |row| of("Service", &row.namespace, &row.name)))
            .chain(self.ingresses.values().map(move |row| of("Ingress", &row.namespace, &row.name)))
            .chain(self.claims.values().map(move |row| of("PersistentVolumeClaim", &row.namespace, &row.name)))
            .chain(self.volumes.values().map(move |row| of("PersistentVolume", "", &row.name)))
    }
}

fn merge_rows<T>(known: &mut BTreeMap<String, Row<T>>, rows: Rows<T>, key: impl Fn(&T) -> &String) {
    for gone in &rows.gone {
        known.remove(gone);
    }
    for row in rows.set {
        known.insert(key(&row).clone(), Row::new(row));
    }
}

/// Whether `written` (`deploy`, `pods`, `deployment`) names the kind.
fn is_kind(written: &str, kind: &str) -> bool {
    const SHORT: [(&str, &str); 12] = [
        ("po", "Pod"),
        ("no", "Node"),
        ("deploy", "Deployment"),
        ("rs", "ReplicaSet"),
        ("sts", "StatefulSet"),
        ("ds", "DaemonSet"),
        ("cj", "CronJob"),
        ("svc", "Service"),
        ("ing", "Ingress"),
        ("ingresses", "Ingress"),
        ("pvc", "PersistentVolumeClaim"),
        ("pv", "PersistentVolume"),
    ];
    let written = written.to_ascii_lowercase();
    let plain = kind.to_ascii_lowercase();
    written.strip_suffix('s').unwrap_or(&written) == plain
        || written == plain
        || SHORT.iter().any(|(short, long)| *short == written && *long == kind)
}
