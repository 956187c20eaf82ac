//! `kubectl set selector`, `set serviceaccount`, `set subject`

use serde_json::{Value, json};

use super::{change_all, change_objects};
use crate::commands::expose::pairs;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, text};
use crate::task::Call;

pub(in crate::commands) static SELECTOR_FLAGS: &[Flag] =
    &[text("resource-version", ' ', "Only when the object has this version")];
pub(in crate::commands) static SUBJECT_FLAGS: &[Flag] = &[
    array("user", ' ', "User names"),
    array("group", ' ', "Group names"),
    array("serviceaccount", ' ', "namespace:name"),
];

/// The operands without the last one, which is no object.
fn without_last(args: &Args) -> (Args, Option<String>) {
    let mut named = args.clone();
    let last = named.operands.pop();
    (named, last)
}

pub(in crate::commands) fn selector(call: &mut Call, args: &Args) -> Outcome {
    let (named, last) = without_last(args);
    let Some(last) = last else { return Err(Failure::error("one selector is required")) };
    api::selector::Selector::parse(&last).map_err(Failure::error)?;
    change_objects(call, args, &named, "selector updated", |info, object| {
        if info.kind.kind != "Service" {
            return Err(Failure::error("setting a selector is only supported for Services"));
        }
        let unsupported =
            |_| Failure::error(format!("match expression [{}] not supported on this object", expression(&last)));
        object["spec"]["selector"] = pairs(&last).map_err(unsupported)?.into();
        if let Some(version) = args.some_text("resource-version") {
            object["metadata"]["resourceVersion"] = version.into();
        }
        Ok(true)
    })
}

/// A requirement of a selector that is no equality, as Go prints it: `{app In [a b]}`.
fn expression(text: &str) -> String {
    for (word, operator) in [(" notin ", "NotIn"), (" in ", "In")] {
        if let Some((key, values)) = text.split_once(word) {
            let values = values.trim_matches(['(', ')', ' ']).replace(',', " ");
            return format!("{{{} {operator} [{values}]}}", key.trim());
        }
    }
    match text.strip_prefix('!') {
        Some(key) => format!("{{{key} DoesNotExist []}}"),
        None => format!("{{{text} Exists []}}"),
    }
}

pub(in crate::commands) fn service_account(call: &mut Call, args: &Args) -> Outcome {
    let (named, last) = without_last(args);
    let Some(last) = last else { return Err(Failure::error("serviceaccount is required")) };
    if named.operands.is_empty() && named.all("filename").is_empty() {
        return Err(crate::resource::no_resources());
    }
    change_all(call, args, &named, "serviceaccount updated", |_, spec| {
        spec["serviceAccountName"] = last.clone().into();
        Ok(true)
    })
}

pub(in crate::commands) fn subject(call: &mut Call, args: &Args) -> Outcome {
    if args.operands.is_empty() && args.all("filename").is_empty() {
        return Err(crate::resource::no_resources());
    }
    let subjects = match subjects(args, &super::super::namespace(call, args)) {
        Ok(subjects) => subjects,
        Err(failure) => return Err(super::unless_missing(call, args, failure)),
    };
    change_objects(call, args, args, "subjects updated", |info, object| {
        if !matches!(info.kind.kind, "RoleBinding" | "ClusterRoleBinding") {
            return Err(super::about(info, "setting subjects is only supported for RoleBinding/ClusterRoleBinding"));
        }
        if !object["subjects"].is_array() {
            object["subjects"] = json!([]);
        }
        let known = object["subjects"].as_array_mut().into_iter().flatten().map(|subject| subject.clone());
        let known: Vec<Value> = known.collect();
        let new: Vec<Value> = subjects.iter().filter(|subject| !known.contains(subject)).cloned().collect();
        let changed = !new.is_empty();
        object["subjects"] = known.into_iter().chain(new).collect();
        Ok(changed)
    })
}

fn subjects(args: &Args, here: &str) -> Result<Vec<Value>, Failure> {
    let mut subjects = Vec::new();
    for (flag, kind) in [("user", "User"), ("group", "Group")] {
        let named = args.all(flag).iter();
        subjects
            .extend(named.map(|name| json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name })));
    }
    for account in args.all("serviceaccount") {
        let Some((namespace, name)) = account.split_once(':').filter(|(_, name)| !name.is_empty()) else {
            return Err(Failure::error("serviceaccount must be <namespace>:<name>"));
        };
        let namespace = if namespace.is_empty() { here } else { namespace };
        subjects.push(json!({ "kind": "ServiceAccount", "name": name, "namespace": namespace }));
    }
    match subjects.is_empty() {
        true => Err(Failure::error("you must specify at least one value of user, group or serviceaccount")),
        false => Ok(subjects),
    }
}
