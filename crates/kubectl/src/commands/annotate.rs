//! `kubectl annotate`

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
        return Err(Failure::error("at least one annotation update is required"));
    }
    let picked = pick(call, &named)?;
    let mut failures = picked.failures;
    for info in &picked.infos {
        let none = Default::default();
        let annotations = info.object.meta().annotations.as_ref().unwrap_or(&none);
        if args.is("list") {
            for (key, value) in annotations {
                call.io.line(format!("{key}={value}"));
            }
            continue;
        }
        let taken: Vec<String> = changes
            .set
            .iter()
            .filter_map(|(key, value)| annotations.get(key).filter(|known| *known != value).map(|known| (key, known)))
            .map(|(key, known)| format!("'{key}' already has a value ({known})"))
            .collect();
        if !taken.is_empty() && !args.is("overwrite") {
            failures.push(Failure::error(format!(
                "--overwrite is false but found the following declared annotation(s): {}",
                taken.join("; ")
            )));
            continue;
        }
        if let Err(failure) = patch(call, args, info, "annotations", &changes, "annotated") {
            failures.push(failure);
        }
    }
    Failure::all(failures).map_or(Ok(0), Err)
}
