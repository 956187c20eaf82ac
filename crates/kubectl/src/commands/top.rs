//! `kubectl top`: there is no metrics server, and kubectl says so.

use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch, text};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    text("selector", 'l', "Label selector"),
    switch("all-namespaces", 'A', "In all namespaces"),
    switch("containers", ' ', "Show containers"),
    text("sort-by", ' ', "cpu or memory"),
    switch("no-headers", ' ', "Do not print headers"),
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
