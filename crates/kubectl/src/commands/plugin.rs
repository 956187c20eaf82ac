//! `kubectl plugin` and `kubectl alpha`: there is nothing behind them.

use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[switch("name-only", ' ', "Names without their folders")];

pub(super) fn list(_: &mut Call, _: &Args) -> Outcome {
    Err(Failure::error("unable to find any kubectl plugins in your PATH"))
}

pub(super) fn alpha(call: &mut Call, _: &Args) -> Outcome {
    call.io.err_line("No alpha commands are available in this version of kubectl");
    Ok(0)
}
