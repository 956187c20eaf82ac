//! `kubectl certificate approve`, `certificate deny`

use api::request::{Subresource, Verb};
use api::{Request, kinds};
use serde_json::{Value, json};

use super::apply::DryRun;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch};
use crate::resource;
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[switch("force", ' ', "Also what has been decided")];

pub(super) fn approve(call: &mut Call, args: &Args) -> Outcome {
    decide(call, args, "Approved", "approve", "approved")
}

pub(super) fn deny(call: &mut Call, args: &Args) -> Outcome {
    decide(call, args, "Denied", "deny", "denied")
}

/// Adds a condition to each request.
fn decide(call: &mut Call, args: &Args, condition: &str, verb: &str, done: &str) -> Outcome {
    if args.operands.is_empty() && !resource::names_files(args) {
        return Err(Failure::error("one or more CSRs must be specified as <name> or -f <filename>"));
    }
    let Some(kind) = kinds::by_kind("certificates.k8s.io/v1", "CertificateSigningRequest") else {
        return Err(Failure::error("the server doesn't have a resource type \"certificatesigningrequests\""));
    };
    let mut failures = Vec::new();
    let mut infos = Vec::new();
    if resource::names_files(args) {
        infos = resource::pick(call, args, resource::Rules::default())?.infos;
    }
    for name in &args.operands {
        let name = match name.split_once('/') {
            Some((word, name)) if resource::find_kind(call.client, word)?.id == kind.id => name,
            Some(_) => return Err(Failure::error("namespace may not be empty when retrieving a resource by name")),
            None => name,
        };
        match resource::get(call, kind, "", name) {
            Ok(object) => infos.push(resource::info(kind, object)),
            Err(status) => failures.push(status.into()),
        }
    }
    for info in infos {
        let mut value = info.object.to_value();
        let known = value["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let other = if condition == "Approved" { "Denied" } else { "Approved" };
        if known.iter().any(|known| known["type"] == other) {
            let text = format!("certificate signing request {:?} is already {other}", info.name);
            failures.push(Failure::error(text));
            continue;
        }
        if !known.iter().any(|known| known["type"] == condition) {
            let now = api::time::stamp(call.client.now());
            let reason = format!("Kubectl{}", if verb == "deny" { "Deny" } else { "Approve" });
            let added = json!({
                "type": condition, "status": "True", "reason": reason,
                "message": format!("This CSR was {done} by kubectl certificate {verb}."),
                "lastUpdateTime": now,
            });
            value["status"]["conditions"] = known.into_iter().chain([added]).collect::<Value>();
            let request = Request::of(Verb::Update, kind.id, "", &info.name).on(Subresource::Approval).body(value);
            match call.request(request).and_then(resource::expect_object) {
                Ok(object) => value = object.to_value(),
                Err(status) => {
                    failures.push(status.into());
                    continue;
                }
            }
        }
        super::print_changed(call, args, &info, value, done, DryRun::None)?;
    }
    Failure::all(failures).map_or(Ok(0), Err)
}
