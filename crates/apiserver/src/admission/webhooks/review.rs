//! The `AdmissionReview` that goes to a webhook, and the one that comes back. Upstream:
//! `apiserver/pkg/admission/plugin/webhook/request` and `…/webhook/errors`.

use api::rng::Rng;
use api::{Status, Verb};
use serde_json::{Map, Value, json};

use super::Seen;
use crate::admission::Attributes;
use crate::admission::scene::admission_request;
use crate::parts::is_connection;
use crate::registry::admission_rules::{text, texts};

const KIND: &str = "AdmissionReview";

pub(super) fn request(attributes: &Attributes, hook: &Value, seen: &Seen) -> Value {
    let name = if seen.object.is_null() { &seen.old } else { &seen.object };
    let name = name.pointer("/metadata/name").and_then(Value::as_str).unwrap_or(&attributes.request.name);
    let mut request = admission_request(attributes, seen.form, name);
    if let Some(fields) = request.as_object_mut() {
        fields.retain(|_, value| value != "");
        fields.insert("uid".into(), attributes.review_uid().into());
        fields.insert("object".into(), seen.object.clone());
        fields.insert("oldObject".into(), seen.old.clone());
        fields.insert("options".into(), options(attributes));
    }
    let versions = texts(hook, "admissionReviewVersions");
    let version = versions.into_iter().find(|version| matches!(*version, "v1" | "v1beta1")).unwrap_or("v1");
    json!({ "kind": KIND, "apiVersion": format!("admission.k8s.io/{version}"), "request": request })
}

fn options(attributes: &Attributes) -> Value {
    if is_connection(attributes.request.subresource) {
        return Value::Null;
    }
    let (options, mut fields) = (&attributes.request.options, Map::new());
    let kind = match attributes.request.verb {
        _ if attributes.verb == Verb::Create => "CreateOptions",
        _ if attributes.verb == Verb::Delete => "DeleteOptions",
        Verb::Patch => "PatchOptions",
        _ => "UpdateOptions",
    };
    fields.insert("kind".into(), kind.into());
    fields.insert("apiVersion".into(), "meta.k8s.io/v1".into());
    if options.dry_run {
        fields.insert("dryRun".into(), json!(["All"]));
    }
    if attributes.verb == Verb::Delete {
        let seconds = options.grace_period.map(|seconds| ("gracePeriodSeconds".to_owned(), seconds.into()));
        fields.extend(seconds);
    } else if !options.field_manager.is_empty() {
        fields.insert("fieldManager".into(), options.field_manager.clone().into());
    }
    Value::Object(fields)
}

/// The `response` of an answer. `Err`: what is wrong with it.
pub(super) fn response(review: &Value, mut answer: Value, mutates: bool) -> Result<Value, String> {
    let kind = |review: &Value| {
        let version = text(review, "apiVersion");
        let slash = if version.contains('/') { "" } else { "/" };
        format!("{slash}{version}, Kind={}", text(review, "kind"))
    };
    if kind(review) != kind(&answer) {
        return Err(format!("expected webhook response of {}, got {}", kind(review), kind(&answer)));
    }
    let response = answer.get_mut("response").map(Value::take).filter(Value::is_object);
    let response = response.ok_or("webhook response was absent")?;
    let uid = text(&review["request"], "uid");
    if text(&response, "uid") != uid {
        return Err(format!("expected response.uid={uid:?}, got {:?}", text(&response, "uid")));
    }
    let has = |field: &str| response.get(field).is_some_and(|value| !value.is_null());
    match (mutates, has("patch"), has("patchType")) {
        (true, true, false) => Err("webhook returned response.patch but not response.patchType".into()),
        (true, false, true) => Err("webhook returned response.patchType but not response.patch".into()),
        (false, true, _) => Err("validating webhook may not return response.patch".into()),
        (false, false, true) => Err("validating webhook may not return response.patchType".into()),
        _ => Ok(response),
    }
}

/// The status of a request that a webhook does not allow.
pub(super) fn denial(webhook: &str, status: &Value) -> Status {
    let denied = format!("admission webhook {webhook:?} denied the request");
    let (message, reason) = (text(status, "message"), text(status, "reason"));
    let message = match (message, reason) {
        ("", "") => format!("{denied} without explanation"),
        ("", why) | (why, _) => format!("{denied}: {why}"),
    };
    let mut status = Status::from_value(status, 400);
    (status.code, status.message) = (status.code.max(400), message);
    status
}

impl Attributes<'_> {
    /// Another one for each review, and the same in every run.
    fn review_uid(&self) -> String {
        let number = self.reviews.get() + 1;
        self.reviews.set(number);
        Rng::new(self.context.cause.0 ^ self.context.now.rotate_left(32) ^ number.rotate_left(56)).uuid()
    }
}
