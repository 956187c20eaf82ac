//! `kubectl taint`

use api::request::Verb;
use api::types::{Node, Taint};
use api::{Kinded, Patch, PatchKind, Request};
use serde_json::{Value, json};

use super::apply::DryRun;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch, text};
use crate::resource::{self, Info};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    text("selector", 'l', "Label selector"),
    switch("all", ' ', "All nodes"),
    switch("overwrite", ' ', "Allow taints to be changed"),
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
];

/// One change: a taint to have, or what to remove (an empty effect removes all of a key).
enum Change {
    Set(Taint),
    Remove { key: String, effect: String },
}

fn read_change(word: &str) -> Result<Option<Change>, Failure> {
    const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    if let Some(removed) = word.strip_suffix('-') {
        let (pair, effect) = removed.split_once(':').unwrap_or((removed, ""));
        let key = pair.split_once('=').map_or(pair, |(key, _)| key);
        return Ok(Some(Change::Remove { key: key.into(), effect: effect.into() }));
    }
    let Some((pair, effect)) = word.rsplit_once(':') else {
        return if word.contains('=') {
            Err(Failure::error(format!(
                "invalid taint spec: {word}, a taint spec must be of the form key[=value]:effect"
            )))
        } else {
            Ok(None)
        };
    };
    if !EFFECTS.contains(&effect) {
        return Err(Failure::usage(
            "kubectl taint",
            format!("invalid taint effect: {effect}, unsupported taint effect"),
        ));
    }
    let (key, value) = pair.split_once('=').map_or((pair, None), |(key, value)| (key, Some(value.to_owned())));
    Ok(Some(Change::Set(Taint { key: key.into(), value, effect: effect.into(), time_added: None })))
}

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    let mut words = args.operands.iter();
    match words.next().map(String::as_str) {
        None => return Err(Failure::error("one or more resources must be specified as <resource> <name>")),
        Some("node" | "nodes" | "no") => {}
        Some(other) => {
            resource::find_kind(call.client, other)?;
            return Err(Failure::error(format!("invalid resource type {other}, only node types are supported")));
        }
    }
    let (mut names, mut changes) = (Vec::new(), Vec::new());
    for word in words {
        match read_change(word)? {
            Some(change) => changes.push(change),
            None if changes.is_empty() => names.push(word.clone()),
            None => {
                return Err(Failure::error(format!("all resources must be specified before taint changes: {word}")));
            }
        }
    }
    if changes.is_empty() {
        // `taint node n bad`: the last name was meant as a taint.
        return Err(Failure::error("at least one taint update is required"));
    }
    let kind = Node::row();
    let mut failures: Vec<Failure> = Vec::new();
    let mut infos = Vec::new();
    if args.is("all") || args.some_text("selector").is_some() {
        let (nodes, _) = resource::list(call, kind, "", resource::selectors(args))?;
        infos.extend(nodes.into_iter().map(|node| resource::info(kind, node)));
    }
    for name in names {
        match resource::get(call, kind, "", &name) {
            Ok(node) => infos.push(resource::info(kind, node)),
            Err(status) => failures.push(status.into()),
        }
    }
    for info in infos {
        if let Err(failure) = taint(call, args, &info, &changes) {
            failures.push(failure);
        }
    }
    Failure::all(failures).map_or(Ok(0), Err)
}

fn taint(call: &mut Call, args: &Args, info: &Info, changes: &[Change]) -> Result<(), Failure> {
    let node: Option<&Node> = info.object.downcast_ref();
    let before = node.and_then(|node| node.spec.as_ref()?.taints.clone()).unwrap_or_default();
    let mut taints = before.clone();
    let (mut added, mut removed, mut modified) = (false, false, false);
    for change in changes {
        match change {
            Change::Set(wanted) => {
                let same = |taint: &Taint| taint.key == wanted.key && taint.effect == wanted.effect;
                match taints.iter().position(same) {
                    Some(_) if !args.is("overwrite") => {
                        return Err(Failure::error(format!(
                            "node {} already has {} taint(s) with same effect(s) and --overwrite is false",
                            info.name, wanted.key
                        )));
                    }
                    Some(at) => {
                        taints.remove(at);
                        taints.insert(0, wanted.clone());
                        modified = true;
                    }
                    None => {
                        taints.insert(0, wanted.clone());
                        added = true;
                    }
                }
            }
            Change::Remove { key, effect } => {
                let length = taints.len();
                taints.retain(|taint| taint.key != *key || !(effect.is_empty() || taint.effect == *effect));
                if taints.len() == length {
                    let named = if effect.is_empty() {
                        format!("taint {key:?} not found")
                    } else {
                        format!("taint \"{key}:{effect}\" not found")
                    };
                    return Err(Failure::error(named));
                }
                removed = true;
            }
        }
    }
    let done = match (added || modified, removed) {
        (true, true) => "modified",
        (true, false) if modified => "modified",
        (true, false) => "tainted",
        _ => "untainted",
    };
    let dry_run = DryRun::read(args)?;
    let list: Value = if taints.is_empty() { Value::Null } else { json!(taints) };
    // The list is replaced as a whole: a merge would keep taints of other effects.
    let value = json!({ "spec": { "taints": list } });
    let object = if dry_run == DryRun::Client {
        api::patch::merge(info.object.to_value(), value)
    } else {
        let patch = Patch { kind: PatchKind::Merge, value };
        let mut request = Request::new::<Node>(Verb::Patch, "", &info.name).body(patch);
        request.options.dry_run = dry_run == DryRun::Server;
        resource::expect_object(call.request(request)?)?.to_value()
    };
    // Upstream does not say here that it was only tried.
    super::print_changed(call, args, info, object, done, DryRun::None)
}
