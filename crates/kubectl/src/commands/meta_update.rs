//! What `label` and `annotate` share: reading `key=value` and `key-`, and patching metadata.

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
    pub set: Vec<(String, String)>,
    pub removed: Vec<String>,
}

/// Takes the operands apart: those that name objects, and those that are changes.
pub(super) fn split(args: &Args) -> Result<(Args, Changes), Failure> {
    let mut changes = Changes::default();
    let mut named = args.clone();
    named.operands.clear();
    for word in &args.operands {
        match word.split_once('=') {
            Some((key, value)) => changes.set.push((key.into(), value.into())),
            None if word.ends_with('-') && word.len() > 1 => changes.removed.push(word[..word.len() - 1].into()),
            None if changes.set.is_empty() && changes.removed.is_empty() => named.operands.push(word.clone()),
            None => {
                return Err(Failure::error(format!("all resources must be specified before label changes: {word}")));
            }
        }
    }
    for (key, _) in &changes.set {
        if changes.removed.contains(key) {
            return Err(Failure::error("can not both modify and remove a label in the same command"));
        }
    }
    Ok((named, changes))
}

pub(super) fn pick(call: &mut Call, named: &Args) -> Result<resource::Picked, Failure> {
    if named.is("local") && !resource::names_files(named) {
        return Err(Failure::error(
            "can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set",
        ));
    }
    resource::pick(call, named, Rules::default())
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
        api::patch::merge(info.object.to_value(), value)
    } else {
        let patch = Patch { kind: PatchKind::Merge, value };
        let mut request = Request::of(Verb::Patch, info.kind.id, &info.namespace, &info.name).body(patch);
        request.options.dry_run = dry_run == DryRun::Server;
        request.options.field_manager = args
            .some_text("field-manager")
            .unwrap_or(if field == "labels" { "kubectl-label" } else { "kubectl-annotate" })
            .into();
        resource::expect_object(call.request(request)?)?.to_value()
    };
    super::print_changed(call, args, info, object, done, dry_run)
}
