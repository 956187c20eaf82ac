//! `kubectl completion`: this terminal completes by itself.

use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::task::Call;

pub(super) fn completion(call: &mut Call, args: &Args) -> Outcome {
    let refuse = |why: String| Err(Failure::usage("kubectl completion", why));
    match args.operands.as_slice() {
        [] => refuse("Shell not specified.".into()),
        [shell] if !matches!(shell.as_str(), "bash" | "zsh" | "fish" | "powershell") => {
            refuse(format!("Unsupported shell type {shell:?}."))
        }
        [_] => {
            call.io.line("# completion is built into this terminal: press Tab");
            Ok(0)
        }
        _ => refuse("Too many arguments. Expected only the shell type.".into()),
    }
}
