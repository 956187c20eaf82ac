//! Admission webhooks: who is to be asked about a request, and what becomes of it when nobody answers. Upstream:
//! `apiserver/pkg/admission/plugin/webhook`.
//!
//! Differs: nothing in the simulation serves webhooks yet, so that [`call`] always fails, in the words of the way in which
//! the real call would.

use api::status::{Cause, Details};
use api::types::Service;
use api::{Kind, Object, Status, kinds};
use serde_json::Value;

use super::{Attributes, matching};
use crate::registry::admission_rules::{items, text};
use crate::storage::Storage;

pub(super) fn mutate(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    ask(storage, attributes, "MutatingWebhookConfiguration", &*object, old)
}

pub(super) fn validate(
    storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    ask(storage, attributes, "ValidatingWebhookConfiguration", object, old)
}

fn ask(
    storage: &Storage,
    attributes: &Attributes,
    kind: &str,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    if !storage.has_admission_objects() || matching::is_exempt(attributes) {
        return Ok(());
    }
    let row = kinds::by_kind("admissionregistration.k8s.io/v1", kind);
    let row: &Kind = row.expect("webhook configurations are in the table of kinds");
    let objects: Vec<&dyn Object> = std::iter::once(object).chain(old).collect();
    for configuration in storage.trees(row) {
        let Some(hooks) = configuration.get("webhooks").and_then(Value::as_array) else { continue };
        for hook in hooks {
            let is_asked = items(hook, "rules").iter().any(|rule| matching::rule_matches(attributes, rule))
                && matching::selectors_match(storage, attributes, hook, &objects);
            if !is_asked {
                continue;
            }
            if let Err(why) = call(storage, hook)
                && text(hook, "failurePolicy") != "Ignore"
            {
                return Err(failed(text(hook, "name"), &why));
            }
        }
    }
    Ok(())
}

/// Sends the review to the webhook. `Err` is what Go's HTTP client says.
fn call(storage: &Storage, hook: &Value) -> Result<(), String> {
    let seconds = hook.get("timeoutSeconds").and_then(Value::as_i64).unwrap_or(10);
    let config = hook.get("clientConfig").unwrap_or(&Value::Null);
    let Some(service) = config.get("service").filter(|service| !service.is_null()) else {
        let url = text(config, "url");
        let authority = url.strip_prefix("https://").unwrap_or(url).split('/').next().unwrap_or_default();
        let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "443"));
        let why = match host.parse::<std::net::IpAddr>() {
            Ok(_) => format!("dial tcp {host}:{port}: connect: connection refused"),
            Err(_) => format!("dial tcp: lookup {host}: no such host"),
        };
        return Err(format!("Post \"{url}?timeout={seconds}s\": {why}"));
    };
    let (namespace, name) = (text(service, "namespace"), text(service, "name"));
    let port = service.get("port").and_then(Value::as_i64).unwrap_or(443);
    let path = text(service, "path");
    let address = storage.find::<Service>(namespace, name).map(|found| {
        let address = found.spec.as_ref().and_then(|spec| spec.cluster_ip.clone()).unwrap_or_default();
        format!("dial tcp {address}:{port}: connect: connection refused")
    });
    let why = address.unwrap_or_else(|| format!("service {name:?} not found"));
    Err(format!("Post \"https://{name}.{namespace}.svc:{port}{path}?timeout={seconds}s\": {why}"))
}

fn failed(webhook: &str, why: &str) -> Status {
    let why = format!("failed calling webhook {webhook:?}: failed to call webhook: {why}");
    let mut status = Status::internal(&why);
    let cause = Cause { reason: String::new(), message: why, field: String::new() };
    status.details = Some(Details { causes: vec![cause], ..Details::default() });
    status
}
