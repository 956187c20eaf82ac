//! `kubectl label`

use super::meta_update::{patch, pick, split};
use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::task::Call;

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    let (named, changes) = split(args)?;
    if named.operands.is_empty() && !crate::resource::names_files(&named) {
        return Err(Failure::error(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    if changes.set.is_empty() && changes.removed.is_empty() && !args.is("list") {
        return Err(Failure::error("at least one label update is required"));
    }
    let picked = pick(call, &named)?;
    let several = picked.infos.len() > 1;
    let mut failures = picked.failures;
    for info in &picked.infos {
        let labels = api::meta::labels(info.object.meta());
        if args.is("list") {
            if several {
                call.io.line(format!("Listing labels for {}.{}/{}:", info.kind.kind, info.kind.group, info.name));
            }
            let indent = if several { " " } else { "" };
            for (key, value) in labels {
                call.io.line(format!("{indent}{key}={value}"));
            }
            continue;
        }
        let taken: Vec<String> = changes
            .set
            .iter()
            .filter_map(|(key, value)| labels.get(key).filter(|known| *known != value).map(|known| (key, known)))
            .map(|(key, known)| format!("'{key}' already has a value ({known}), and --overwrite is false"))
            .collect();
        if !taken.is_empty() && !args.is("overwrite") {
            failures.push(Failure::error(taken.join("\n")));
            continue;
        }
        for key in changes.removed.iter().filter(|key| !labels.contains_key(*key)) {
            call.io.line(format!("label {key:?} not found."));
        }
        // Removing alone is "unlabeled", unless nothing was there to remove.
        let unchanged =
            changes.removed.is_empty() && changes.set.iter().all(|(key, value)| labels.get(key) == Some(value));
        let removes = changes.set.is_empty() && changes.removed.iter().any(|key| labels.contains_key(key));
        let done = match (removes, unchanged) {
            (true, _) => "unlabeled",
            (_, true) => "not labeled",
            _ => "labeled",
        };
        if let Err(failure) = patch(call, args, info, "labels", &changes, done) {
            failures.push(failure);
        }
    }
    Failure::all(failures).map_or(Ok(0), Err)
}
