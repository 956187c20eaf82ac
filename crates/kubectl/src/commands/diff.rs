//! `kubectl diff`

use crate::apply::{ApplyOptions, apply_one};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, int, switch, text};
use crate::manifest;
use crate::output;
use crate::resource;
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    switch("server-side", ' ', "Apply in the server instead of the client"),
    switch("force-conflicts", ' ', "Take fields over from other managers"),
    text("selector", 'l', "Label selector"),
    text("field-manager", ' ', "Name of the manager of the fields").or("kubectl-client-side-apply"),
    switch("show-managed-fields", ' ', "Keep managedFields in what is compared"),
    switch("prune", ' ', "Show what would be pruned"),
    switch("all", ' ', "Prune all objects of the allowed kinds"),
    array("prune-allowlist", ' ', "Kinds to prune: group/version/kind"),
    int("concurrency", ' ', "1", "Objects to compare at once"),
];

/// An object that changes between being read and being tried is looked at again.
const TRIES_MAX: u32 = 4;

/// Lines of context around a change, as `diff -u`.
const CONTEXT: usize = 3;

/// A difference is exit code 1, so that mistakes have another.
pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    match differences(call, args) {
        Ok(false) => Ok(0),
        Ok(true) => Err(Failure::Exit(1)),
        Err(failure) => {
            call.io.err(&failure.text());
            Err(Failure::Exit(2))
        }
    }
}

fn differences(call: &mut Call, args: &Args) -> Result<bool, Failure> {
    if !args.operands.is_empty() {
        return Err(Failure::usage("kubectl diff", format!("Unexpected args: [{}]", args.operands.join(" "))));
    }
    super::apply::need_files(args)?;
    let mut differs = false;
    let selector = super::apply::selector(args)?;
    for manifest in manifest::read(call, args)? {
        if !manifest.is_selected(&selector) {
            continue;
        }
        let options = ApplyOptions {
            dry_run: true,
            forgets: true,
            server_side: args.is("server-side"),
            force_conflicts: args.is("force-conflicts"),
            validation: Some(api::FieldValidation::Warn),
            ..ApplyOptions::default()
        };
        let mut tries = TRIES_MAX;
        let (current, merged) = loop {
            tries -= 1;
            let current = match resource::get(call, manifest.kind, &manifest.namespace, &manifest.name) {
                Ok(object) => Some(object),
                Err(status) if status.is_not_found() => None,
                Err(status) => return Err(status.into()),
            };
            let (_, merged) = apply_one(call, &manifest, &options).map_err(Failure::from)?;
            let same = current.as_ref().is_none_or(|current| current.revision() == merged.revision());
            if same || tries == 0 {
                break (current, merged);
            }
        };
        let shown = |object: &api::ObjectRef| output::yaml(&output::shown(api::wire::form(&**object), args));
        let text = unified(&current.as_ref().map(shown).unwrap_or_default(), &shown(&merged));
        if !text.is_empty() {
            differs = true;
            let text = format!("diff -u -N -L OLD -L NEW OLD NEW\n--- OLD\n+++ NEW\n{text}");
            call.io.out(&text);
        }
    }
    Ok(differs)
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
