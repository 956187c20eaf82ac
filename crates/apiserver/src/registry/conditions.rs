//! Conditions of the common type. Upstream: `metav1/validation.ValidateConditions`.

use api::field::{Error, Errors, Path};
use api::validate::qualified_name;
use serde_json::Value;

use super::admission_rules::{items, text};
use super::rules::{complain, one_of};

const REASON_BYTES_MAX: usize = 1024;
const MESSAGE_BYTES_MAX: usize = 32 * 1024;

/// The `conditions` of a status.
pub(super) fn conditions(status: &Value, path: &Path, errors: &mut Errors) {
    let (all, path) = (items(status, "conditions"), path.child("conditions"));
    for (index, condition) in all.iter().enumerate() {
        let path = path.index(index);
        let (name, at) = (text(condition, "type"), path.child("type"));
        if all[..index].iter().any(|other| text(other, "type") == name) {
            errors.push(Error::duplicate(&at, name));
        }
        complain(errors, &at, name, qualified_name(name));
        one_of(text(condition, "status"), &["False", "True", "Unknown"], &path.child("status"), errors);
        if let Some(seen) = condition["observedGeneration"].as_i64().filter(|seen| *seen < 0) {
            let why = "must be greater than or equal to zero";
            errors.push(Error::invalid(&path.child("observedGeneration"), seen, why));
        }
        if text(condition, "lastTransitionTime").is_empty() {
            errors.push(Error::required(&path.child("lastTransitionTime"), "must be set"));
        }
        reason(text(condition, "reason"), &path.child("reason"), errors);
        if text(condition, "message").len() > MESSAGE_BYTES_MAX {
            errors.push(Error::too_long(&path.child("message"), MESSAGE_BYTES_MAX));
        }
    }
}

fn reason(reason: &str, path: &Path, errors: &mut Errors) {
    if reason.is_empty() {
        return errors.push(Error::required(path, "must be set"));
    }
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_,:".contains(&byte);
    let last = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = reason.as_bytes();
    let fits = bytes[0].is_ascii_alphabetic()
        && bytes.iter().copied().all(inner)
        && (bytes.len() == 1 || bytes.last().copied().is_some_and(last));
    if !fits {
        let why = "a condition reason must start with alphabetic character, optionally followed by a string of \
                   alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. \
                   'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for \
                   validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";
        errors.push(Error::invalid(path, reason, why));
    }
    if reason.len() > REASON_BYTES_MAX {
        errors.push(Error::too_long(path, REASON_BYTES_MAX));
    }
}
