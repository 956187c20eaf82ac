//! Commands that a page cannot do, and says so.

use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, text};
use crate::task::Call;

/// Whatever is given is read and passed over.
pub(super) static FLAGS: &[Flag] = &[
    array("filename", 'f', "Files that name the objects"),
    text("container", 'c', "The container"),
    text("address", ' ', "Addresses to listen on"),
    text("port", 'p', "The port"),
    crate::flags::switch("stdin", 'i', "Pass the keyboard on"),
    crate::flags::switch("tty", 't', "The keyboard is a terminal"),
];

fn refuse(what: &str) -> Outcome {
    Err(Failure::error(format!("{what} is not simulated in this page")))
}

pub(super) fn port_forward(_: &mut Call, args: &Args) -> Outcome {
    if args.operands.len() < 2 {
        return Err(Failure::usage(
            "kubectl port-forward",
            "TYPE/NAME and list of ports are required for port-forward",
        ));
    }
    Err(Failure::error(
        "port-forward opens a port of your own computer, which a page cannot: try `kubectl exec` or `kubectl run -it --rm \
         --image=busybox -- wget -qO- SERVICE` instead",
    ))
}

pub(super) fn proxy(_: &mut Call, _: &Args) -> Outcome {
    refuse("proxy")
}

pub(super) fn completion(call: &mut Call, _: &Args) -> Outcome {
    call.io.line("# completion is built into this terminal: press Tab");
    Ok(0)
}
