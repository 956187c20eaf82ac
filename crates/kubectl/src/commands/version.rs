//! `kubectl version`, `kubectl options`

use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, GLOBAL, switch, text};
use crate::output::{self, Fields, PLAIN};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] =
    &[switch("client", ' ', "Only the client's version"), text("output", 'o', "yaml or json")];

/// What this terminal behaves as, and its minor version.
const CLIENT: &str = "v1.36.2";
const MINOR: i64 = 36;
const KUSTOMIZE: &str = "v5.7.1";

/// Upstream's `version.Info`.
const INFO: Fields = Fields(&[
    ("major", PLAIN),
    ("minor", PLAIN),
    ("emulationMajor", PLAIN),
    ("emulationMinor", PLAIN),
    ("minCompatibilityMajor", PLAIN),
    ("minCompatibilityMinor", PLAIN),
    ("gitVersion", PLAIN),
    ("gitCommit", PLAIN),
    ("gitTreeState", PLAIN),
    ("buildDate", PLAIN),
    ("goVersion", PLAIN),
    ("compiler", PLAIN),
    ("platform", PLAIN),
]);

const VERSIONS: Fields = Fields(&[("clientVersion", INFO), ("kustomizeVersion", PLAIN), ("serverVersion", INFO)]);

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    if !args.operands.is_empty() {
        return Err(Failure::error(format!("extra arguments: [{}]", args.operands.join(" "))));
    }
    let own = json!({
        "major": "1", "minor": MINOR.to_string(), "gitVersion": CLIENT, "gitCommit": "$Format:%H$",
        "gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z", "goVersion": "go1.26.6", "compiler": "gc",
        "platform": "linux/amd64",
    });
    let mut value = json!({ "clientVersion": own, "kustomizeVersion": KUSTOMIZE });
    let mut unreached = None;
    if !args.is("client") {
        // The page's own server is of the terminal's version.
        match call.client.raw("GET", "/version", String::new()) {
            Some(Ok(text)) => value["serverVersion"] = serde_json::from_str(&text).unwrap_or_default(),
            Some(Err(status)) => unreached = Some(status),
            None => value["serverVersion"] = own,
        }
    }
    let server = &value["serverVersion"];
    let text = match args.text("output") {
        "" => {
            let shown = server["gitVersion"].as_str().map(|version| format!("Server Version: {version}\n"));
            format!("Client Version: {CLIENT}\nKustomize Version: {KUSTOMIZE}\n{}", shown.unwrap_or_default())
        }
        "json" => output::in_order(&value, &VERSIONS, "  ") + "\n",
        "yaml" => output::yaml(&value) + "\n",
        _ => return Err(Failure::error("--output must be 'yaml' or 'json'")),
    };
    call.io.out(&text);
    if let Some(status) = unreached {
        return Err(status.into());
    }
    let minor = server["minor"].as_str().and_then(|minor| minor.trim_end_matches('+').parse::<i64>().ok());
    if let Some(minor) = minor.filter(|minor| (minor - MINOR).abs() > 1) {
        call.io.err_line(format!(
            "WARNING: version difference between client (1.{MINOR}) and server (1.{minor}) exceeds the supported minor \
             version skew of +/-1"
        ));
    }
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
