//! `kubectl rollout undo`, `pause`, `resume`, `restart`

use api::request::Verb;
use api::{Patch, PatchKind, Request};
use serde_json::{Value, json};

use super::super::apply::DryRun;
use super::history::{self, Revision, is_paused};
use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::resource::{self, Info};
use crate::task::Call;

fn for_each(
    call: &mut Call,
    args: &Args,
    done: &str,
    change: impl Fn(&mut Call, &Info) -> Result<Option<(PatchKind, Value)>, Failure>,
) -> Outcome {
    let dry_run = DryRun::read(args)?;
    let picked = super::pick(call, args)?;
    if picked.infos.is_empty() && picked.failures.is_empty() && !args.knows("to-revision") {
        let text = format!("No resources found in {} namespace.", super::super::namespace(call, args));
        call.io.err_line(text);
    }
    let mut failures = picked.failures;
    for info in &picked.infos {
        let mut step = || -> Result<(), Failure> {
            let Some((kind, value)) = change(call, info)? else {
                let revision = args.int("to-revision");
                call.io.line(format!(
                    "{} skipped rollback (current template already matches revision {revision})",
                    info.full_name()
                ));
                return Ok(());
            };
            let object = if dry_run == DryRun::Client {
                api::wire::form(&*info.object)
            } else {
                let patch = Patch { kind, value };
                let mut request = Request::of(Verb::Patch, info.kind.id, &info.namespace, &info.name).body(patch);
                request.options.dry_run = dry_run == DryRun::Server;
                request.options.field_manager = args.text("field-manager").into();
                api::wire::form(&*resource::expect_object(call.request(request)?)?)
            };
            super::super::print_typed(call, args, info, object, done, dry_run)
        };
        if let Err(failure) = step() {
            failures.push(failure);
        }
    }
    Failure::all(failures).map_or(Ok(0), Err)
}

/// Upstream's text has the prefix, so that it stands there among several mistakes too.
fn unsupported(info: &Info, what: &str) -> Failure {
    Failure::error(format!("error: {} {:?} {what} is not supported", info.kind.group_resource(), info.name))
}

fn only_deployments(info: &Info, what: &str) -> Result<(), Failure> {
    match info.kind.kind {
        "Deployment" => Ok(()),
        _ => Err(unsupported(info, what)),
    }
}

pub(in crate::commands) fn pause(call: &mut Call, args: &Args) -> Outcome {
    for_each(call, args, "paused", |_, info| {
        only_deployments(info, "pausing")?;
        if is_paused(&info.object) {
            return Err(Failure::error(format!("{} {:?} is already paused", info.kind.group_resource(), info.name)));
        }
        Ok(Some((PatchKind::StrategicMerge, json!({ "spec": { "paused": true } }))))
    })
}

pub(in crate::commands) fn resume(call: &mut Call, args: &Args) -> Outcome {
    for_each(call, args, "resumed", |_, info| {
        only_deployments(info, "resuming")?;
        if !is_paused(&info.object) {
            return Err(Failure::error(format!("{} {:?} is not paused", info.kind.group_resource(), info.name)));
        }
        Ok(Some((PatchKind::StrategicMerge, json!({ "spec": { "paused": null } }))))
    })
}

pub(in crate::commands) fn restart(call: &mut Call, args: &Args) -> Outcome {
    for_each(call, args, "restarted", |call, info| {
        if !matches!(info.kind.kind, "Deployment" | "StatefulSet" | "DaemonSet") {
            return Err(unsupported(info, "restarting"));
        }
        if is_paused(&info.object) {
            return Err(Failure::error(format!(
                "{} {:?} can't restart paused deployment (run rollout resume first)",
                info.kind.group_resource(),
                info.name
            )));
        }
        let now = api::time::stamp(call.client.now()).0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";
        if info.object.to_value()["spec"]["template"]["metadata"]["annotations"][RESTARTED_AT] == now.as_str() {
            return Err(Failure::error(format!(
                "failed to create patch for {}: if restart has already been triggered within the past second, please wait \
                 before attempting to trigger another",
                info.name
            )));
        }
        let annotations = json!({ RESTARTED_AT: now });
        let value = json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } });
        Ok(Some((PatchKind::StrategicMerge, value)))
    })
}

pub(in crate::commands) fn undo(call: &mut Call, args: &Args) -> Outcome {
    let wanted = args.int("to-revision");
    if DryRun::read(args)? == DryRun::Client && args.text("output").is_empty() {
        return try_undo(call, args, wanted);
    }
    for_each(call, args, "rolled back", |call, info| {
        if !matches!(info.kind.kind, "Deployment" | "StatefulSet" | "DaemonSet") {
            return Err(super::without_history(info.kind, "rollbacker"));
        }
        let mut revisions = history::revisions(call, info)?;
        if info.kind.kind == "Deployment" {
            return undo_deployment(info, &mut revisions, wanted);
        }
        let target = target(&revisions, wanted, info)?;
        let data = target.object.to_value()["data"].clone();
        if info.object.to_value()["spec"]["template"] == target.template {
            return Ok(None);
        }
        Ok(Some((PatchKind::StrategicMerge, data)))
    })
}

/// `--dry-run=client`: the template that would be gone back to.
fn try_undo(call: &mut Call, args: &Args, wanted: i64) -> Outcome {
    let picked = super::pick(call, args)?;
    for info in &picked.infos {
        let revisions = history::revisions(call, info)?;
        let text = history::template_text(&target(&revisions, wanted, info)?.template);
        let will = if info.kind.kind == "Deployment" { "" } else { "will roll back to " };
        call.io.line(format!("{} {will}{text}{}", info.full_name(), DryRun::Client.suffix()));
    }
    Failure::all(picked.failures).map_or(Ok(0), Err)
}

/// The revision to go back to: the one asked for, or the last but one.
fn target<'a>(revisions: &'a [Revision], wanted: i64, info: &Info) -> Result<&'a Revision, Failure> {
    let kind = info.kind.kind.to_lowercase();
    if wanted != 0 {
        let missing = || Failure::error(format!("unable to find specified revision {wanted} in history"));
        return revisions.iter().find(|revision| revision.number == wanted).ok_or_else(missing);
    }
    let none = || match info.kind.kind {
        "Deployment" => Failure::error(format!("no rollout history found for {kind} {:?}", info.name)),
        _ => Failure::error("no last revision to roll back to"),
    };
    revisions.len().checked_sub(2).and_then(|at| revisions.get(at)).ok_or_else(none)
}

fn undo_deployment(
    info: &Info,
    revisions: &mut [Revision],
    wanted: i64,
) -> Result<Option<(PatchKind, Value)>, Failure> {
    let target = target(revisions, wanted, info)?;
    if is_paused(&info.object) {
        return Err(Failure::error(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
        ));
    }
    let mut template = target.template.clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove("pod-template-hash");
    }
    if info.object.to_value()["spec"]["template"] == template {
        return Ok(None);
    }
    let mut operations = vec![json!({ "op": "replace", "path": "/spec/template", "value": template })];
    // Annotations follow the revision, except those that belong to the Deployment's own present.
    let keeps = [
        crate::apply::LAST_APPLIED,
        history::REVISION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    ];
    let none = Default::default();
    let mut annotations = serde_json::Map::new();
    for (key, value) in info.object.meta().annotations.as_ref().unwrap_or(&none) {
        if keeps.contains(&key.as_str()) {
            annotations.insert(key.clone(), value.as_str().into());
        }
    }
    for (key, value) in target.object.meta().annotations.as_ref().unwrap_or(&none) {
        if !keeps.contains(&key.as_str()) {
            annotations.insert(key.clone(), value.as_str().into());
        }
    }
    operations.push(json!({ "op": "replace", "path": "/metadata/annotations", "value": annotations }));
    Ok(Some((PatchKind::Json, operations.into())))
}
