//! `kubectl rollout`

pub(super) mod history;
pub(super) mod status;
pub(super) mod update;

use api::Kind;

use crate::failure::Failure;
use crate::flags::{Args, Flag, duration, int, text};
use crate::resource::{self, Picked, Rules};
use crate::task::Call;

pub(super) static STATUS_FLAGS: &[Flag] = &[
    text("selector", 'l', "Label selector"),
    Flag { short: Some('w'), ..crate::flags::on_by_default("watch", "Watch until it is done") },
    duration("timeout", "0s", "How long to wait"),
    int("revision", ' ', "0", "The revision to watch"),
];
pub(super) static HISTORY_FLAGS: &[Flag] =
    &[text("selector", 'l', "Label selector"), int("revision", ' ', "0", "Show this revision in full")];
pub(super) static UNDO_FLAGS: &[Flag] = &[
    text("selector", 'l', "Label selector"),
    int("to-revision", ' ', "0", "The revision to go back to"),
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
];
pub(super) static UPDATE_FLAGS: &[Flag] = &[
    text("selector", 'l', "Label selector"),
    text("field-manager", ' ', "Name of the manager of the fields").or("kubectl-rollout"),
];

fn pick(call: &mut Call, args: &Args) -> Result<Picked, Failure> {
    if args.operands.is_empty() && args.all("filename").is_empty() && args.some_text("selector").is_none() {
        return Err(Failure::error("required resource not specified"));
    }
    resource::pick(call, args, Rules { all_of_type: true, ..Rules::default() })
}

/// `what`: what upstream looks for in vain.
fn without_history(kind: &Kind, what: &str) -> Failure {
    let (named, group) = (kind.group_kind(), kind.group);
    Failure::error(match kind.kind {
        "ReplicaSet" => format!("no {what} viewer has been implemented for {named:?}"),
        _ => format!("error retrieving {what} for {named:?}, no visitor method exists for {{{group} {}}}", kind.kind),
    })
}
