//! `kubectl rollout`

pub(super) mod history;
pub(super) mod status;
pub(super) mod update;

use api::Kind;

use crate::failure::Failure;
use crate::flags::{Args, Flag, array, duration, int, on_by_default, switch, text};
use crate::resource::{self, Picked, Rules};
use crate::task::Call;

pub(super) static STATUS_FLAGS: &[Flag] = &[
    array("filename", 'f', "Files that name the objects"),
    text("selector", 'l', "Label selector"),
    crate::flags::on_by_default("watch", "Watch until it is done"),
    duration("timeout", "0s", "How long to wait"),
    int("revision", ' ', "0", "The revision to watch"),
];
pub(super) static HISTORY_FLAGS: &[Flag] = &[
    array("filename", 'f', "Files that name the objects"),
    text("selector", 'l', "Label selector"),
    int("revision", ' ', "0", "Show this revision in full"),
    text("output", 'o', "Output format: yaml, json, name, …"),
    text("template", ' ', "Template for -o go-template or jsonpath"),
    on_by_default("allow-missing-template-keys", "Ignore missing fields in templates"),
];
pub(super) static UPDATE_FLAGS: &[Flag] = &[
    array("filename", 'f', "Files that name the objects"),
    text("selector", 'l', "Label selector"),
    int("to-revision", ' ', "0", "The revision to go back to"),
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
    text("output", 'o', "Output format: yaml, json, name, …"),
    text("template", ' ', "Template for -o go-template or jsonpath"),
    text("field-manager", ' ', "Name of the manager of the fields").or("kubectl-rollout"),
    switch("show-managed-fields", ' ', "Keep managedFields in yaml and json"),
];

fn pick(call: &mut Call, args: &Args) -> Result<Picked, Failure> {
    if args.operands.is_empty() && args.all("filename").is_empty() && args.some_text("selector").is_none() {
        return Err(Failure::error("required resource not specified"));
    }
    resource::pick(call, args, Rules { all_of_type: true })
}

fn unsupported(kind: &Kind, what: &str) -> Failure {
    Failure::error(format!("no {what} has been implemented for {:?}", kind.group_kind()))
}
