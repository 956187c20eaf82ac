//! CertificateSigningRequests: approved where that goes without asking, signed, and cleaned up. Upstream:
//! `pkg/controller/certificates`.

mod approver;
mod authority;
mod cleaner;
mod recognize;
mod signer;

use std::collections::{BTreeMap, BTreeSet};

use api::object::Tree;
use api::request::WatchKind;
use api::x509::CertificateRequest;
use api::{Kind, ObjectRef, Request, SimTime, Status, Subresource, Verb, kinds, time};
use client::Client;
use serde_json::{Value, json};

use crate::caches::Caches;
use crate::controller::{Event, Queue, Reconciler};
pub use approver::Approver;
pub use authority::{Authority, SigningKey};
pub use cleaner::Cleaner;
pub use signer::Signer;

const CLIENT: &str = "kubernetes.io/kube-apiserver-client";
const KUBELET_CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
const KUBELET_SERVING: &str = "kubernetes.io/kubelet-serving";

fn row() -> &'static Kind {
    kinds::by_kind("certificates.k8s.io/v1", "CertificateSigningRequest").expect("the kind is in the table")
}

/// What one of the controllers of requests does with a request that is there.
pub trait Duty: Clone + Send + Sync + 'static {
    const NAME: &'static str;
    const WORKERS: usize = 1;

    fn look_at(&mut self, request: &Tree, client: &mut Client, queue: &mut Queue<String>) -> Result<(), Status>;
}

/// A controller of requests.
#[derive(Clone)]
pub struct RequestController<D> {
    /// As the watch tells of them.
    requests: BTreeMap<String, ObjectRef>,
    duty: D,
}

impl<D: Duty> RequestController<D> {
    pub fn new(duty: D) -> RequestController<D> {
        RequestController { requests: BTreeMap::new(), duty }
    }
}

impl<D: Duty> Reconciler for RequestController<D> {
    type Key = String;
    const NAME: &'static str = D::NAME;
    const KIND: &'static str = "CertificateSigningRequest";
    const WORKERS: usize = D::WORKERS;

    fn observe(&mut self, event: &Event, _caches: &Caches, queue: &mut Queue<String>) {
        let object = &event.change.object;
        if object.kind_id() != row().id {
            return;
        }
        let name = object.name().to_owned();
        if event.change.kind == WatchKind::Deleted {
            self.requests.remove(&name);
        } else {
            self.requests.insert(name.clone(), object.clone());
            queue.add(name);
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        _caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        match self.requests.get(key).and_then(|request| request.downcast_ref()) {
            Some(request) => self.duty.look_at(request, client, queue),
            None => Ok(()),
        }
    }
}

fn name(request: &Tree) -> &str {
    api::Object::meta(request).name.as_deref().unwrap_or_default()
}

/// Conditions of a type that hold.
fn condition<'a>(request: &'a Tree, kind: &str) -> Option<&'a Value> {
    let conditions = request.at("/status/conditions").and_then(Value::as_array)?;
    conditions.iter().find(|condition| condition["type"] == kind && condition["status"] == "True")
}

fn is_issued(request: &Tree) -> bool {
    !request.text("/status/certificate").is_empty()
}

fn usages(request: &Tree) -> BTreeSet<&str> {
    let usages = request.at("/spec/usages").and_then(Value::as_array);
    usages.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn parsed(request: &Tree) -> Result<CertificateRequest, Status> {
    CertificateRequest::decode(request.text("/spec/request"))
        .map_err(|why| Status::internal(format!("unable to parse csr {:?}: {why}", name(request))))
}

/// Writes a request with one condition more.
fn add_condition(
    client: &mut Client,
    request: &Tree,
    part: Subresource,
    [kind, reason, message]: [&str; 3],
) -> Result<(), Status> {
    let now = time::stamp(client.now());
    let mut conditions = request.at("/status/conditions").and_then(Value::as_array).cloned().unwrap_or_default();
    conditions.push(json!({
        "type": kind,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastUpdateTime": now,
        "lastTransitionTime": now,
    }));
    write(client, request, part, "conditions", conditions.into())
}

/// Writes a field of a request's status.
fn write(client: &mut Client, request: &Tree, part: Subresource, field: &str, value: Value) -> Result<(), Status> {
    let mut new = request.clone();
    let mut status = request.get("status").cloned().unwrap_or_else(|| json!({}));
    status[field] = value;
    new.set("status", Some(status));
    client.call(Request::of(Verb::Update, row().id, "", name(request)).on(part).body(new)).map(drop)
}

/// A moment as the API writes it; the beginning of time where there is none.
fn moment(value: Option<&Value>) -> SimTime {
    let stamp = value.and_then(Value::as_str).and_then(|text| text.parse().ok());
    stamp.map_or(0, |stamp| time::since_start(&api::types::Time(stamp)))
}
