//! `kubectl top`: there is no metrics server, and kubectl says so.

use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, on_by_default, switch, text};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    text("selector", 'l', "Label selector"),
    text("sort-by", ' ', "cpu or memory"),
    switch("no-headers", ' ', "Do not print headers"),
    on_by_default("use-protocol-buffers", "Ask for protocol buffers"),
];

pub(super) static NODE_FLAGS: &[Flag] =
    &[switch("show-capacity", ' ', "Shares of the capacity, not of the allocatable")];

pub(super) static POD_FLAGS: &[Flag] = &[
    text("field-selector", ' ', "Field selector"),
    switch("all-namespaces", 'A', "In all namespaces"),
    switch("containers", ' ', "Show containers"),
    switch("sum", ' ', "Print the sum"),
];

pub(super) fn node(_: &mut Call, args: &Args) -> Outcome {
    refuse(args, "node")
}

pub(super) fn pod(_: &mut Call, args: &Args) -> Outcome {
    refuse(args, "pod")
}

fn refuse(args: &Args, what: &str) -> Outcome {
    if args.operands.len() > 1 {
        return Err(Failure::usage(&format!("kubectl top {what}"), format!("{what} [NAME | -l label]")));
    }
    if !args.operands.is_empty() && args.some_text("selector").is_some() {
        return Err(Failure::error("only one of NAME or selector can be provided"));
    }
    if !matches!(args.text("sort-by"), "" | "cpu" | "memory") {
        return Err(Failure::error("--sort-by accepts only cpu or memory"));
    }
    Err(Failure::error("Metrics API not available"))
}
