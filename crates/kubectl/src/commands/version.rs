//! `kubectl version`, `kubectl options`

use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, GLOBAL, switch, text};
use crate::output;
use crate::task::Call;

pub(super) static FLAGS: &[Flag] =
    &[switch("client", ' ', "Only the client's version"), text("output", 'o', "yaml or json")];

/// What this terminal behaves as.
const CLIENT: &str = "v1.36.2";
const SERVER: &str = "v1.36.2";

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    if !args.operands.is_empty() {
        return Err(Failure::error(format!("extra arguments: [{}]", args.operands.join(" "))));
    }
    let info = |version: &str| json!({ "gitVersion": version, "major": "1", "minor": "36", "platform": "linux/amd64" });
    let mut value = json!({ "clientVersion": info(CLIENT), "kustomizeVersion": "v5.7.1" });
    if !args.is("client") {
        value["serverVersion"] = info(SERVER);
    }
    let text = match args.text("output") {
        "" => {
            let server = if args.is("client") { String::new() } else { format!("Server Version: {SERVER}\n") };
            format!("Client Version: {CLIENT}\nKustomize Version: v5.7.1\n{server}")
        }
        "json" => serde_json::to_string_pretty(&value).unwrap_or_default() + "\n",
        "yaml" => output::yaml(&value),
        _ => return Err(Failure::error("--output must be 'yaml' or 'json'")),
    };
    call.io.out(&text);
    Ok(0)
}

pub(super) fn options(call: &mut Call, _: &Args) -> Outcome {
    let mut text = String::from("The following options can be passed to any command:\n\n");
    for flag in GLOBAL {
        let short = flag.short.map_or("    ".into(), |short| format!("-{short}, "));
        text.push_str(&format!("    {short}--{}={}:\n\t{}\n\n", flag.name, flag.default, flag.note));
    }
    call.io.out(&text);
    Ok(0)
}
