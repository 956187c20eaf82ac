//! `kubectl label`

use std::collections::BTreeMap;

use api::validate::label_value;

use super::meta_update::{self, Changes, patch, pick};
use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::task::Call;

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    if args.is("list") && args.some_text("output").is_some() {
        return Err(Failure::error("--list and --output may not be specified together"));
    }
    let (named, words) = meta_update::pairs(args, "label")?;
    let changes = read(&words)?;
    meta_update::check(&named, &changes, "label")?;
    let picked = pick(call, &named)?;
    let several = picked.infos.len() > 1;
    let mut failures = picked.failures;
    for info in &picked.infos {
        let labels = api::meta::labels(info.object.meta());
        if args.is("list") {
            meta_update::list(call, info, labels, "labels", several);
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
        if let Err(failure) = patch(call, args, info, "labels", &changes, done(labels, &changes, args)) {
            failures.push(failure);
        }
    }
    Failure::all(failures).map_or(Ok(0), Err)
}

fn read(words: &[String]) -> Result<Changes, Failure> {
    let mut changes = Changes::default();
    for word in words {
        match word.split('=').collect::<Vec<_>>().as_slice() {
            [removed] => changes.removed.push(removed[..removed.len() - 1].into()),
            [key, value] => {
                let complaints = label_value(value);
                if !complaints.is_empty() {
                    return Err(Failure::error(format!("invalid label value: {word:?}: {}", complaints.join(";"))));
                }
                changes.set.insert((*key).into(), (*value).into());
            }
            _ => return Err(Failure::error(format!("invalid label spec: {word}"))),
        }
    }
    if changes.removed.iter().any(|key| changes.set.contains_key(key)) {
        return Err(Failure::error("can not both modify and remove a label in the same command"));
    }
    Ok(changes)
}

/// What was done to the object. Upstream takes one whose text has become shorter for one that has lost a label.
fn done(labels: &BTreeMap<String, String>, changes: &Changes, args: &Args) -> &'static str {
    let mut after = labels.clone();
    after.extend(changes.set.clone());
    after.retain(|key, _| !changes.removed.contains(key));
    let length = |labels: &BTreeMap<String, String>| -> usize {
        labels.iter().map(|(key, value)| key.len() + value.len() + r#""":"","#.len()).sum()
    };
    // To remove from no labels at all makes an empty map of them.
    let makes_empty_map = labels.is_empty() && !changes.removed.is_empty();
    match after == *labels && !makes_empty_map {
        true => "not labeled",
        false if !args.is("overwrite") && length(&after) < length(labels) => "unlabeled",
        false => "labeled",
    }
}
