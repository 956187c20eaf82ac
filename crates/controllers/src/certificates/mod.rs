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

use crate::controller::Event;
pub use approver::ApprovingController;
pub use authority::{Authority, SigningKey};
pub use cleaner::CleanerController;
pub use signer::SigningController;

const CLIENT: &str = "kubernetes.io/kube-apiserver-client";
const KUBELET_CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
const KUBELET_SERVING: &str = "kubernetes.io/kubelet-serving";

fn row() -> &'static Kind {
    kinds::by_kind("certificates.k8s.io/v1", "CertificateSigningRequest").expect("the kind is in the table")
}

/// The requests as the watch tells of them.
#[derive(Clone, Default)]
struct Requests(BTreeMap<String, ObjectRef>);

impl Requests {
    /// Takes in a change of a request and returns its name; others are none of its business.
    fn observe(&mut self, event: &Event) -> Option<String> {
        let object = &event.change.object;
        if object.kind_id() != row().id {
            return None;
        }
        let name = object.name().to_owned();
        match event.change.kind {
            WatchKind::Deleted => {
                self.0.remove(&name);
                return None;
            }
            _ => self.0.insert(name.clone(), object.clone()),
        };
        Some(name)
    }

    fn get(&self, name: &str) -> Option<&Tree> {
        self.0.get(name)?.downcast_ref()
    }
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
        .map_err(|why| Status::internal(format!("unable to parse csr {:?}: {why}", api::Object::meta(request).name)))
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
    let name = api::Object::meta(request).name.clone().unwrap_or_default();
    client.call(Request::of(Verb::Update, row().id, "", &name).on(part).body(new)).map(drop)
}

/// A moment as the API writes it; the beginning of time where there is none.
fn moment(value: Option<&Value>) -> SimTime {
    let stamp = value.and_then(Value::as_str).and_then(|text| text.parse().ok());
    stamp.map_or(0, |stamp| time::since_start(&api::types::Time(stamp)))
}
