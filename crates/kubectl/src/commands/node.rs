//! `kubectl cordon`, `kubectl uncordon`

use api::request::Verb;
use api::types::Node;
use api::{Kinded, Patch, PatchKind, Request};
use serde_json::json;

use super::apply::DryRun;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, text};
use crate::resource::{self, Info};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    text("selector", 'l', "Label selector"),
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
];

/// The nodes that a line names.
pub(super) fn pick(call: &mut Call, args: &Args, usage: &str) -> Result<(Vec<Info>, Vec<Failure>), Failure> {
    let selector = args.some_text("selector");
    if args.operands.is_empty() && selector.is_none() {
        let command = usage.split(' ').next().unwrap_or_default();
        return Err(Failure::usage(&format!("kubectl {command}"), format!("USAGE: {usage} NODE [flags]")));
    }
    if !args.operands.is_empty() && selector.is_some() {
        let command = usage.split(' ').next().unwrap_or_default();
        let why = "error: cannot specify both a node name and a --selector option";
        return Err(Failure::usage(&format!("kubectl {command}"), why));
    }
    let kind = Node::row();
    if selector.is_some() {
        let (nodes, _) = resource::list(call, kind, "", resource::selectors(args))?;
        return Ok((nodes.into_iter().map(|node| resource::info(kind, node)).collect(), Vec::new()));
    }
    let (mut infos, mut failures) = (Vec::new(), Vec::new());
    for word in &args.operands {
        let (kind, name) = match word.split_once('/') {
            Some((kind, name)) => (resource::find_kind(call.client, kind)?, name),
            None => (kind, word.as_str()),
        };
        let space = super::namespace(call, args);
        match resource::get(call, kind, &space, name) {
            Ok(node) => infos.push(resource::info(kind, node)),
            Err(status) => failures.push(status.into()),
        }
    }
    Ok((infos, failures))
}

/// Sets `spec.unschedulable` and says so.
pub(super) fn mark(call: &mut Call, info: &Info, unschedulable: bool, dry_run: DryRun) -> Result<(), Failure> {
    let word = if unschedulable { "cordoned" } else { "uncordoned" };
    let node: Option<&Node> = info.object.downcast_ref();
    if node.is_none() {
        let found = format!("{}, Resource={}", crate::apply::version(info.kind), info.kind.plural);
        return Err(Failure::error(format!("expected resource of type node, got {found:?}")));
    }
    let is = node.and_then(|node| node.spec.as_ref()?.unschedulable).unwrap_or_default();
    if is == unschedulable {
        call.io.line(format!("node/{} already {word}{}", info.name, dry_run.suffix()));
        return Ok(());
    }
    if dry_run != DryRun::Client {
        let value = json!({ "spec": { "unschedulable": if unschedulable { json!(true) } else { json!(null) } } });
        let patch = Patch { kind: PatchKind::StrategicMerge, value };
        let mut request = Request::new::<Node>(Verb::Patch, "", &info.name).body(patch);
        request.options.dry_run = dry_run == DryRun::Server;
        call.request(request)?;
    }
    call.io.line(format!("node/{} {word}{}", info.name, dry_run.suffix()));
    Ok(())
}

fn mark_all(call: &mut Call, args: &Args, unschedulable: bool) -> Outcome {
    let usage = if unschedulable { "cordon" } else { "uncordon" };
    let dry_run = DryRun::read(args)?;
    let (infos, mut failures) = pick(call, args, usage)?;
    // One that is not there keeps the others as they are.
    if let Some(failure) = Failure::all(std::mem::take(&mut failures)) {
        return Err(failure);
    }
    for info in infos {
        if let Err(failure) = mark(call, &info, unschedulable, dry_run) {
            failures.push(failure);
        }
    }
    Failure::all(failures).map_or(Ok(0), Err)
}

pub(super) fn cordon(call: &mut Call, args: &Args) -> Outcome {
    mark_all(call, args, true)
}

pub(super) fn uncordon(call: &mut Call, args: &Args) -> Outcome {
    mark_all(call, args, false)
}
