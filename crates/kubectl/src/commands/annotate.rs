//! `kubectl annotate`

use super::meta_update::{self, Changes, patch, pick};
use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::task::Call;

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    let (named, words) = meta_update::pairs(args, "annotation")?;
    let changes = read(&words)?;
    meta_update::check(&named, &changes, "annotation")?;
    let picked = pick(call, &named)?;
    let several = picked.infos.len() > 1;
    let mut failures = picked.failures;
    for info in &picked.infos {
        let none = Default::default();
        let annotations = info.object.meta().annotations.as_ref().unwrap_or(&none);
        if args.is("list") {
            meta_update::list(call, info, annotations, "annotations", several);
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

fn read(words: &[String]) -> Result<Changes, Failure> {
    let mut changes = Changes::default();
    for word in words {
        match word.split_once('=') {
            Some((key, value)) => drop(changes.set.insert(key.into(), value.into())),
            None => changes.removed.push(word[..word.len() - 1].into()),
        }
    }
    let both: Vec<&str> =
        changes.removed.iter().filter(|key| changes.set.contains_key(*key)).map(String::as_str).collect();
    if !both.is_empty() {
        return Err(Failure::error(format!(
            "can not both modify and remove the following annotation(s) in the same command: {}",
            both.join(", ")
        )));
    }
    Ok(changes)
}
