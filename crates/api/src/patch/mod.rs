//! The patch types of the API: JSON patch, JSON merge patch, strategic merge patch; applying them and making them.
//!
//! Upstream: `apimachinery/pkg/util/strategicpatch`, `evanphx/json-patch`, and the patch handler of `apiserver`.

pub mod apply;
mod diff;
mod go_print;
mod json_patch;
mod merge_patch;
mod order;
mod strategic;

use serde_json::Value;

use crate::decode::{self, Decoded};
use crate::json::Layout;
use crate::kinds::Kind;
use crate::request::{FieldValidation, Patch, PatchKind};
use crate::schema;
use crate::status::{Cause, Details, Reason, Status};

pub use diff::{three_way_merge, three_way_strategic};
pub use json_patch::{TEST_FAILED, json, operate};
pub use merge_patch::merge;
pub use strategic::strategic;

/// Applies a patch to an object and decodes the result.
pub fn apply(
    kind: &'static Kind,
    current: Value,
    patch: &Patch,
    validation: FieldValidation,
) -> Result<Decoded, Status> {
    let patched = match patch.kind {
        PatchKind::Json => json(current, &patch.value)?,
        PatchKind::Merge => merge(current, merge_patch_of(patch)?.clone()),
        PatchKind::StrategicMerge => strategic(kind, current, object_patch(patch)?.clone())?,
        PatchKind::Apply => return Err(Status::internal("a configuration is applied with regard to its managers")),
    };
    let shown = shown(schema::of_kind(kind).unwrap_or_default(), &patched, patch);
    decode::decode_result(kind, patched, &Layout::default(), validation).map_err(|failure| match failure {
        decode::Failure::Type(mistake) => unfit(&shown, patch.kind, &mistake),
        decode::Failure::Strict(status) | decode::Failure::OtherKind(status) => refused(&shown, &status),
    })
}

/// What came out of a patch could not be decoded: `shown` is that, `status` what a decoder says of such a body.
pub fn refused(shown: &str, status: &Status) -> Status {
    let why = status.message.split_once(": ").map_or(status.message.as_str(), |(_, why)| why);
    Status { warnings: status.warnings.clone(), ..invalid_patch(shown, why) }
}

/// Applies a patch to an object of a built-in type that is no kind of its own, and checks the result.
pub fn apply_to(type_name: &'static str, current: Value, patch: &Patch) -> Result<Value, Status> {
    let mut patched = match patch.kind {
        PatchKind::Json => json(current, &patch.value)?,
        PatchKind::StrategicMerge => merge(current, object_patch(patch)?.clone()),
        _ => merge(current, merge_patch_of(patch)?.clone()),
    };
    let shown = shown(type_name, &patched, patch);
    match decode::check_type_of(type_name, &mut patched) {
        Ok(_) => Ok(patched),
        Err(mistake) => Err(unfit(&shown, patch.kind, &mistake)),
    }
}

/// What messages show of a patched object. A strategic merge patch stands for it.
fn shown(type_name: &'static str, patched: &Value, patch: &Patch) -> String {
    match patch.kind {
        PatchKind::StrategicMerge => go_print::go_print(&patch.value),
        PatchKind::Json => crate::wire::go_json_merged(type_name, patched, &json_patch::touched(&patch.value)),
        PatchKind::Merge | PatchKind::Apply => crate::wire::go_json_merged(type_name, patched, &patch.value),
    }
}

fn unfit(shown: &str, kind: PatchKind, mistake: &decode::Mistake) -> Status {
    invalid_patch(shown, if kind == PatchKind::StrategicMerge { &mistake.converter } else { &mistake.text })
}

fn object_patch(patch: &Patch) -> Result<&Value, Status> {
    if patch.value.is_object() {
        return Ok(&patch.value);
    }
    let found = decode::go_kind(&patch.value);
    Err(Status::bad_request(format!("json: cannot unmarshal {found} into Go value of type map[string]interface {{}}")))
}

/// A merge patch, which is decoded twice: the second reader has no word for `null`.
pub fn merge_patch_of(patch: &Patch) -> Result<&Value, Status> {
    if patch.value.is_null() {
        return Err(Status::bad_request("Invalid JSON Patch"));
    }
    object_patch(patch).map_err(|status| Status::bad_request(format!("error decoding patch: {}", status.message)))
}

/// The patch was well-formed, but what came out is no object of the kind.
fn invalid_patch(shown: &str, why: &str) -> Status {
    let message = format!("Invalid value: {}: {why}", Value::from(shown));
    let mut status = Status::new(422, Reason::Invalid, format!(" \"\" is invalid: patch: {message}"));
    let cause = Cause { reason: "FieldValueInvalid".into(), message, field: "patch".into() };
    status.details = Some(Details { causes: vec![cause], ..Details::default() });
    status
}
