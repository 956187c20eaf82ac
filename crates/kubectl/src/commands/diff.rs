//! `kubectl diff`

use api::Kind;
use serde_json::{Map, Value};

use super::apply::Names;
use crate::apply::{ApplyOptions, apply_one};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, int, switch, text};
use crate::manifest::{self, Manifest};
use crate::output;
use crate::resource;
use crate::session::{Comparison, Errand};
use crate::task::{Call, Cx};

pub(super) static FLAGS: &[Flag] = &[
    switch("server-side", ' ', "Apply in the server instead of the client"),
    switch("force-conflicts", ' ', "Take fields over from other managers"),
    text("selector", 'l', "Label selector"),
    text("field-manager", ' ', "Name of the manager of the fields").or("kubectl-client-side-apply"),
    switch("show-managed-fields", ' ', "Keep managedFields in what is compared"),
    switch("prune", ' ', "Show what would be pruned"),
    array("prune-allowlist", ' ', "Kinds to prune: group/version/kind"),
    int("concurrency", ' ', "1", "Objects to compare at once"),
];

/// An object that changes between being read and being tried is looked at again.
const TRIES_MAX: u32 = 4;

/// Lines of context around a change, as `diff -u`.
const CONTEXT: usize = 3;

/// A difference is exit code 1, so that mistakes have another.
pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    let compared = cx
        .with(move |call| match compare(call, &args) {
            Ok(compared) if call.state.files.are_on_disk() => Ok(Some(compared)),
            Ok(compared) => print(call, &compared).map(|()| None),
            Err(failure) => {
                call.io.err(&failure.text());
                Err(Failure::Exit(2))
            }
        })
        .await;
    match compared? {
        Some(compared) => super::serve::hand_over(cx, Errand::Diff(compared)).await,
        None => Ok(0),
    }
}

/// What the `diff` of a terminal prints.
fn print(call: &mut Call, compared: &[Comparison]) -> Result<(), Failure> {
    let mut differs = false;
    for Comparison { live, merged, .. } in compared {
        let text = unified(live, merged.as_deref().unwrap_or_default());
        if !text.is_empty() {
            differs = true;
            call.io.out(&format!("diff -u -N -L OLD -L NEW OLD NEW\n--- OLD\n+++ NEW\n{text}"));
        }
    }
    if differs { Err(Failure::Exit(1)) } else { Ok(()) }
}

fn compare(call: &mut Call, args: &Args) -> Result<Vec<Comparison>, Failure> {
    if !args.operands.is_empty() {
        return Err(Failure::usage("kubectl diff", format!("Unexpected args: [{}]", args.operands.join(" "))));
    }
    super::apply::need_files(args)?;
    if args.is("force-conflicts") && !args.is("server-side") {
        return Err(Failure::error("--force-conflicts only works with --server-side"));
    }
    let pruned = if args.is("prune") { super::apply::pruned_kinds(call, args)? } else { Vec::new() };
    let selector = super::apply::selector(args)?;
    let mut compared = Vec::new();
    let mut visited = Names::new();
    for manifest in manifest::read(call, args)? {
        if !manifest.is_selected(&selector) {
            continue;
        }
        visited.insert((manifest.kind.id, manifest.namespace.clone(), manifest.name.clone()));
        compared.push(try_out(call, args, &manifest)?);
    }
    for (kind, object) in super::apply::prunable(call, args, &pruned, &visited)? {
        let object = api::wire::form(&*object);
        compared.push(Comparison { file: file(kind, &object), live: output::yaml(&object), merged: None });
    }
    compared.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(compared)
}

/// The object now, and as it would be.
fn try_out(call: &mut Call, args: &Args, manifest: &Manifest) -> Result<Comparison, Failure> {
    let mut options = ApplyOptions {
        dry_run: true,
        forgets: true,
        locks: true,
        server_side: args.is("server-side"),
        force_conflicts: args.is("force-conflicts"),
        field_manager: if args.given("field-manager") { args.text("field-manager").into() } else { String::new() },
        validation: Some(api::FieldValidation::Warn),
        ..ApplyOptions::default()
    };
    let mut tries = TRIES_MAX;
    loop {
        tries -= 1;
        options.locks = tries > 0;
        let live = match resource::get(call, manifest.kind, &manifest.namespace, &manifest.name) {
            Ok(object) => Some(api::wire::form(&*object)),
            Err(status) if status.is_not_found() => None,
            Err(status) => return Err(status.into()),
        };
        match apply_one(call, manifest, &options) {
            Ok((_, merged)) => return Ok(comparison(args, manifest.kind, live, api::wire::form(&*merged))),
            Err(status) if status.is_conflict() && !options.server_side && tries > 0 => {}
            Err(status) => return Err(status.into()),
        }
    }
}

fn comparison(args: &Args, kind: &Kind, mut live: Option<Value>, mut merged: Value) -> Comparison {
    let is_secret = kind.kind == "Secret" && kind.group.is_empty();
    if is_secret {
        mask(live.as_mut(), &mut merged);
    }
    let live = match live {
        Some(live) => output::yaml(&output::shown(live, args)),
        // Upstream masks what is not there, too.
        None if is_secret => "null\n".into(),
        None => String::new(),
    };
    Comparison { file: file(kind, &merged), live, merged: Some(output::yaml(&output::shown(merged, args))) }
}

/// `apps.v1.Deployment.default.web`
fn file(kind: &Kind, object: &Value) -> String {
    let field = |name: &str| object["metadata"][name].as_str().unwrap_or_default();
    let group = if kind.group.is_empty() { String::new() } else { format!("{}.", kind.group) };
    format!("{group}{}.{}.{}.{}", kind.version, kind.kind, field("namespace"), field("name"))
}

/// Hides what a Secret holds, but not that it changes.
fn mask(live: Option<&mut Value>, merged: &mut Value) {
    let data =
        |object: Option<&Value>| object.and_then(|object| object["data"].as_object().cloned()).unwrap_or_default();
    let (before, after) = (data(live.as_deref()), data(Some(merged)));
    let hide = |object: Option<&mut Value>, other: &Map<String, Value>, suffix: &str| {
        for (key, value) in object.and_then(|object| object.get_mut("data")?.as_object_mut()).into_iter().flatten() {
            let changes = other.get(key).is_some_and(|other| other != value);
            *value = format!("***{}", if changes { suffix } else { "" }).into();
        }
    };
    hide(live, &after, " (before)");
    hide(Some(merged), &before, " (after)");
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Edit {
    Keep,
    Remove,
    Add,
}

/// The hunks of a unified diff; empty when the texts are equal.
fn unified(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let edits = edits(&old, &new);
    let mut out = String::new();
    let mut at = 0;
    while let Some(first) = (at..edits.len()).find(|index| edits[*index].0 != Edit::Keep) {
        let start = first.saturating_sub(CONTEXT).max(at);
        let mut last = first;
        while let Some(next) =
            (last + 1..edits.len().min(last + 2 + 2 * CONTEXT)).find(|index| edits[*index].0 != Edit::Keep)
        {
            last = next;
        }
        let end = (last + 1 + CONTEXT).min(edits.len());
        let hunk = &edits[start..end];
        let before = &edits[..start];
        let count = |edits: &[(Edit, &str)], not: Edit| edits.iter().filter(|(edit, _)| *edit != not).count();
        let range = |start: usize, length: usize| match length {
            0 => format!("{start},0"),
            1 => (start + 1).to_string(),
            _ => format!("{},{length}", start + 1),
        };
        let old_range = range(count(before, Edit::Add), count(hunk, Edit::Add));
        let new_range = range(count(before, Edit::Remove), count(hunk, Edit::Remove));
        out.push_str(&format!("@@ -{old_range} +{new_range} @@\n"));
        for (edit, line) in hunk {
            let mark = match edit {
                Edit::Keep => ' ',
                Edit::Remove => '-',
                Edit::Add => '+',
            };
            out.push_str(&format!("{mark}{line}\n"));
        }
        at = end;
    }
    out
}

/// The shortest way from one text to the other, by the longest common subsequence. Manifests have some hundred lines.
fn edits<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(Edit, &'a str)> {
    let mut longest = vec![vec![0u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i][j] =
                if old[i] == new[j] { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut edits = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            edits.push((Edit::Keep, old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || longest[i + 1][j] >= longest[i][j + 1]) {
            edits.push((Edit::Remove, old[i]));
            i += 1;
        } else {
            edits.push((Edit::Add, new[j]));
            j += 1;
        }
    }
    edits
}
