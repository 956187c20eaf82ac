//! `kubectl scale`

use api::request::{Subresource, Verb};
use api::{Patch, PatchKind, Request};
use serde_json::json;

use super::apply::DryRun;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, duration, int, switch, text};
use crate::resource::{self, Rules};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    int("replicas", ' ', "0", "The new number of replicas"),
    int("current-replicas", ' ', "-1", "Only when there are so many"),
    text("resource-version", ' ', "Only when the object has this version"),
    text("selector", 'l', "Label selector"),
    switch("all", ' ', "All objects of the kind"),
    duration("timeout", "0s", "How long to wait"),
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
    crate::flags::RECORD,
];

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    let replicas = args.int("replicas");
    super::create::require(args, &["replicas"])?;
    if args.operands.is_empty() && !resource::names_files(args) {
        return Err(resource::no_resources());
    }
    if replicas < 0 {
        return Err(Failure::error(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        ));
    }
    if args.int("current-replicas") < -1 {
        return Err(Failure::error("The --current-replicas must specify an integer of -1 or greater"));
    }
    let dry_run = DryRun::read(args)?;
    let picked = resource::pick(call, args, Rules::default())?;
    if picked.infos.is_empty() && !resource::names_files(args) {
        let why = picked.failures.iter().map(|failure| match failure {
            Failure::Status(status) => status.message.clone(),
            other => other.text(),
        });
        let why = why.collect::<Vec<_>>().join(", ");
        let several = if picked.failures.len() > 1 { format!("[{why}]") } else { why };
        return Err(Failure::error(format!("no objects passed to scale {several}").trim_end()));
    }
    let mut failures = picked.failures;
    for info in &picked.infos {
        if !info.kind.has(Subresource::Scale) {
            let mut status = resource::no_such_path();
            // A definition's server says it without a Status, to which the client adds what was asked.
            if info.kind.id.is_custom() {
                status.message.push_str(&format!(" (patch {} {})", info.kind.plural, info.name));
            }
            return Err(status.into());
        }
        let (version, wanted) = (info.object.revision().to_string(), args.text("resource-version"));
        if !wanted.is_empty() && wanted != version {
            failures.push(Failure::error(format!("Expected resource version to be {wanted}, was {version}")));
            continue;
        }
        let current = info.object.to_value()["spec"]["replicas"].as_i64().unwrap_or_default();
        if args.int("current-replicas") >= 0 && args.int("current-replicas") != current {
            failures.push(Failure::error(format!(
                "Expected replicas to be {}, was {current}",
                args.int("current-replicas")
            )));
            continue;
        }
        if dry_run != DryRun::Client {
            let patch = Patch { kind: PatchKind::Merge, value: json!({ "spec": { "replicas": replicas } }) };
            let request = Request::of(Verb::Patch, info.kind.id, &info.namespace, &info.name);
            let mut request = request.on(Subresource::Scale).body(patch);
            request.options.dry_run = dry_run == DryRun::Server;
            request.options.field_manager = "kubectl".into();
            if let Err(status) = call.request(request).and_then(|_| super::note_cause(call, args, info)) {
                failures.push(status.into());
                continue;
            }
        }
        super::print_changed(call, args, info, api::wire::form(&*info.object), "scaled", dry_run)?;
    }
    Failure::all(failures).map_or(Ok(0), Err)
}
