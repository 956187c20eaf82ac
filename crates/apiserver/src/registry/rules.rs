//! Small rules that many kinds share.

use std::borrow::Cow;

use api::field::{Error, Errors, Path};
use api::types::{IntOrString, ObjectMeta, Quantity};
use api::validate::{Complaints, dns1123_label, dns1123_subdomain, trim_prefix_name};
use serde_json::Value;

pub(super) const IMMUTABLE: &str = "field is immutable";
pub(super) const NOT_NEGATIVE: &str = "must be greater than or equal to 0";
pub(super) const POSITIVE: &str = "must be greater than 0";

/// The form of most names.
pub(crate) fn subdomain_name(name: &str, prefix: bool) -> Complaints {
    dns1123_subdomain(&trim_prefix_name(name, prefix))
}

pub(super) fn label_name(name: &str, prefix: bool) -> Complaints {
    dns1123_label(&trim_prefix_name(name, prefix))
}

pub(super) fn complain(errors: &mut Errors, path: &Path, value: &str, complaints: Complaints) {
    errors.extend(complaints.into_iter().map(|why| Error::invalid(path, value, why)));
}

pub(super) fn not_negative(value: impl Into<i64>, path: &Path, errors: &mut Errors) {
    let value = value.into();
    if value < 0 {
        errors.push(Error::invalid(path, value, NOT_NEGATIVE));
    }
}

pub(super) fn positive(value: impl Into<i64>, path: &Path, errors: &mut Errors) {
    let value = value.into();
    if value <= 0 {
        errors.push(Error::invalid(path, value, POSITIVE));
    }
}

/// Upstream checks a change of some kinds as if the object were new and once more as a change: it lists every mistake twice.
pub(super) fn twice(mut errors: Errors) -> Errors {
    errors.extend_from_within(..);
    errors
}

/// `IsDecremented`: the count of collisions only grows.
pub(super) fn not_decremented(now: Option<i32>, before: Option<i32>, path: &Path, errors: &mut Errors) {
    if let Some(before) = before
        && now.is_none_or(|now| now < before)
    {
        errors.push(Error::invalid(path, now.unwrap_or(0), "cannot be decremented"));
    }
}

/// `IsDomainPrefixedPath`
pub(super) fn domain_prefixed_path(text: &str, path: &Path, errors: &mut Errors) {
    if text.is_empty() {
        return errors.push(Error::required(path, ""));
    }
    let Some((domain, rest)) = text.split_once('/').filter(|(domain, rest)| !domain.is_empty() && !rest.is_empty())
    else {
        let why = "must be a domain-prefixed path (such as \"acme.io/foo\")";
        return errors.push(Error::invalid(path, text, why));
    };
    complain(errors, path, domain, dns1123_subdomain(domain));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    if !rest.bytes().all(allowed) {
        let why = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";
        errors.push(Error::invalid(path, rest, why));
    }
}

/// What some kinds ask of an update of their status: which state it is about. Upstream leaves `metadata` out of the path.
pub(super) fn revision_required(meta: &ObjectMeta) -> Errors {
    let mut errors = Errors::new();
    if meta.resource_version.as_deref().unwrap_or_default().is_empty() {
        errors.push(Error::required(&Path::new("resourceVersion"), ""));
    }
    errors
}

/// One of a few words. The supported ones are listed as given.
pub(super) fn one_of(value: &str, supported: &[&str], path: &Path, errors: &mut Errors) {
    if !supported.contains(&value) {
        errors.push(Error::not_supported(path, value, supported));
    }
}

/// Sets an absent field, as defaulting does.
pub(super) fn default_to<T>(field: &mut Option<T>, value: T) {
    field.get_or_insert(value);
}

/// The same for texts, where the empty text counts as absent.
pub(super) fn default_text(field: &mut Option<String>, value: &str) {
    match field {
        Some(text) if !text.is_empty() => {}
        _ => *field = Some(value.to_owned()),
    }
}

pub(super) fn is_empty(text: &Option<String>) -> bool {
    text.as_deref().is_none_or(str::is_empty)
}

pub(super) fn text(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

pub(super) fn list<T>(list: &Option<Vec<T>>) -> &[T] {
    list.as_deref().unwrap_or_default()
}

/// The value of a field selector on an optional text.
pub(super) fn selectable(value: &Option<String>) -> Cow<'_, str> {
    Cow::Borrowed(text(value))
}

pub(super) fn int_or_string(value: &IntOrString) -> Value {
    match value {
        IntOrString::Int(number) => (*number).into(),
        IntOrString::String(text) => text.as_str().into(),
    }
}

pub(super) fn amount(quantity: &Quantity) -> api::quantity::Amount {
    api::quantity::Amount::of(quantity)
}
