//! csrapproving: kubelets get certificates for themselves where an access review lets them. Upstream:
//! `pkg/controller/certificates/approver`.

use api::object::Tree;
use api::{Request, Response, Status, Subresource, Verb, kinds};
use client::Client;
use serde_json::{Value, json};

use super::{Duty, KUBELET_CLIENT, add_condition, condition, is_issued, name, parsed, recognize, usages};
use crate::controller::Queue;

/// The subresource that whoever may have it is allowed to create, and what the approval says.
const SELF: (&str, &str) =
    ("selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview.");
const OTHER: (&str, &str) = ("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview.");

#[derive(Clone)]
pub struct Approver;

impl Duty for Approver {
    const NAME: &'static str = "certificatesigningrequest-approving-controller";
    const WORKERS: usize = 5;

    fn look_at(&mut self, request: &Tree, client: &mut Client, _queue: &mut Queue<String>) -> Result<(), Status> {
        let is_decided = condition(request, "Approved").is_some() || condition(request, "Denied").is_some();
        if is_issued(request) || is_decided || request.text("/spec/signerName") != KUBELET_CLIENT {
            return Ok(());
        }
        let wanted = parsed(request)?;
        if recognize::kubelet_client(&wanted, &usages(request)).is_err() {
            return Ok(());
        }
        let is_own = request.text("/spec/username") == wanted.common_name;
        for (subresource, message) in is_own.then_some(SELF).into_iter().chain([OTHER]) {
            if may(client, request, subresource)? {
                return add_condition(client, request, Subresource::Approval, ["Approved", "AutoApproved", message]);
            }
        }
        client.note("ignored", format!("recognized csr {:?}, but its access review was not approved", name(request)));
        Ok(())
    }
}

/// Whether whoever has made a request may create such ones.
fn may(client: &mut Client, request: &Tree, subresource: &str) -> Result<bool, Status> {
    let spec = |field: &str| request.at(&format!("/spec/{field}")).cloned().unwrap_or_default();
    let mut review = json!({
        "user": spec("username"),
        "groups": spec("groups"),
        "resourceAttributes": {
            "group": "certificates.k8s.io",
            "resource": "certificatesigningrequests",
            "verb": "create",
            "subresource": subresource,
        },
    });
    for field in ["uid", "extra"].into_iter().filter(|field| !spec(field).is_null()) {
        review[field] = spec(field);
    }
    let kind = kinds::by_kind("authorization.k8s.io/v1", "SubjectAccessReview").expect("the kind is in the table");
    let review = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": kind.kind, "spec": review });
    let answer = client.call(Request::of(Verb::Create, kind.id, "", "").body(review))?;
    let Response::Object(review) = answer else { return Ok(false) };
    Ok(review.downcast_ref::<Tree>().and_then(|review| review.at("/status/allowed")) == Some(&Value::Bool(true)))
}
