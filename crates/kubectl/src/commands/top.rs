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

pub(super) fn run(_: &mut Call, args: &Args) -> Outcome {
    if args.operands.len() > 1 {
        return Err(Failure::usage("kubectl top node", "node [NAME | -l label]"));
    }
    if !matches!(args.text("sort-by"), "" | "cpu" | "memory") {
        return Err(Failure::error("--sort-by accepts only cpu or memory"));
    }
    Err(Failure::error("Metrics API not available"))
}
