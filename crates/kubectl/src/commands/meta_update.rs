//! What `label` and `annotate` share: reading `key=value` and `key-`, and patching metadata.

use std::collections::BTreeMap;

use api::request::Verb;
use api::{Patch, PatchKind, Request};
use serde_json::{Map, Value, json};

use super::apply::DryRun;
use crate::failure::Failure;
use crate::flags::{Args, Flag, switch, text};
use crate::resource::{self, Info, Rules};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    text("selector", 'l', "Label selector"),
    text("field-selector", ' ', "Field selector"),
    switch("all", ' ', "All objects of the kind"),
    switch("all-namespaces", 'A', "In all namespaces"),
    switch("overwrite", ' ', "Allow values to be changed"),
    switch("list", ' ', "Print what the object has"),
    switch("local", ' ', "Do not ask the server"),
    text("resource-version", ' ', "Only when the object has this version"),
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
    text("field-manager", ' ', "Name of the manager of the fields"),
];

/// The changes that a line asks for.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub set: BTreeMap<String, String>,
    pub removed: Vec<String>,
}

/// Takes the operands apart: those that name objects, and those that say what is to change.
pub(super) fn pairs(args: &Args, what: &str) -> Result<(Args, Vec<String>), Failure> {
    let mut named = args.clone();
    named.operands.clear();
    let mut changes = Vec::new();
    for word in &args.operands {
        let is_change = word.len() > 1 && !word.starts_with('=') && (word.contains('=') || word.ends_with('-'));
        match (is_change, changes.is_empty()) {
            (true, _) => changes.push(word.clone()),
            (false, true) => named.operands.push(word.clone()),
            (false, false) => {
                return Err(Failure::error(format!("all resources must be specified before {what} changes: {word}")));
            }
        }
    }
    Ok((named, changes))
}

/// Refuses a line that names no objects, or no changes.
pub(super) fn check(named: &Args, changes: &Changes, what: &str) -> Result<(), Failure> {
    if named.is("all") && named.some_text("selector").is_some() {
        return Err(Failure::error("cannot set --all and --selector at the same time"));
    }
    if named.operands.is_empty() && !resource::names_files(named) {
        return Err(Failure::error(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    if changes.set.is_empty() && changes.removed.is_empty() && !named.is("list") {
        return Err(Failure::error(format!("at least one {what} update is required")));
    }
    Ok(())
}

pub(super) fn pick(call: &mut Call, named: &Args) -> Result<resource::Picked, Failure> {
    if named.is("local") && !resource::names_files(named) {
        return Err(Failure::error(
            "can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set",
        ));
    }
    let picked = resource::pick(call, named, Rules::default())?;
    if !picked.single && picked.infos.len() > 1 && named.some_text("resource-version").is_some() {
        return Err(Failure::error("--resource-version may only be used with a single resource"));
    }
    Ok(picked)
}

/// Prints one object's labels or annotations; of several objects, under a title of each.
pub(super) fn list(call: &mut Call, info: &Info, map: &BTreeMap<String, String>, what: &str, several: bool) {
    if several {
        call.io.line(format!("Listing {what} for {}.{}/{}:", info.kind.kind, info.kind.group, info.name));
    }
    let indent = if several { " " } else { "" };
    for (key, value) in map {
        call.io.line(format!("{indent}{key}={value}"));
    }
}

/// Patches one map of an object's metadata (`labels`, `annotations`), and prints what `-o` asks for or `done`.
pub(super) fn patch(
    call: &mut Call,
    args: &Args,
    info: &Info,
    field: &str,
    changes: &Changes,
    done: &str,
) -> Result<(), Failure> {
    let dry_run = DryRun::read(args)?;
    let mut map = Map::new();
    for (key, value) in &changes.set {
        map.insert(key.clone(), value.as_str().into());
    }
    for key in &changes.removed {
        map.insert(key.clone(), Value::Null);
    }
    let mut value = json!({ "metadata": { field: map } });
    if let Some(version) = args.some_text("resource-version") {
        value["metadata"]["resourceVersion"] = version.into();
    }
    let object = if dry_run == DryRun::Client || args.is("local") {
        api::patch::merge(api::wire::form(&*info.object), value)
    } else {
        let patch = Patch { kind: PatchKind::Merge, value };
        let mut request = Request::of(Verb::Patch, info.kind.id, &info.namespace, &info.name).body(patch);
        request.options.dry_run = dry_run == DryRun::Server;
        request.options.field_manager = args
            .some_text("field-manager")
            .unwrap_or(if field == "labels" { "kubectl-label" } else { "kubectl-annotate" })
            .into();
        api::wire::form(&*resource::expect_object(call.request(request)?)?)
    };
    super::print_changed(call, args, info, object, done, dry_run)
}
