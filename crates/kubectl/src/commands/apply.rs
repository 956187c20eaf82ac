//! `kubectl apply`

use serde_json::{Value, json};

use crate::apply::{ApplyOptions, Change, LAST_APPLIED, apply_one, refusal};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, on_by_default, switch, text};
use crate::manifest;
use crate::output::{self, Format};
use crate::resource::{self, Rules};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
    switch("server-side", ' ', "Apply in the server instead of the client"),
    switch("force-conflicts", ' ', "Take fields over from other managers"),
    text("field-manager", ' ', "Name of the manager of the applied fields").or("kubectl-client-side-apply"),
    text("selector", 'l', "Label selector"),
    text("validate", ' ', "strict, warn or ignore").or("strict").alone("strict"),
    on_by_default("overwrite", "Resolve conflicts by the given configuration"),
    switch("force", ' ', "Delete and create again where needed"),
    switch("wait", ' ', "Wait for deletions"),
];

pub(super) static VIEW_FLAGS: &[Flag] = &[
    text("output", 'o', "yaml or json").or("yaml"),
    text("selector", 'l', "Label selector"),
    switch("all", ' ', "All objects of the kind"),
];

/// Where a change is tried instead of made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DryRun {
    None,
    Client,
    Server,
}

impl DryRun {
    pub fn read(args: &Args) -> Result<DryRun, Failure> {
        match args.text("dry-run") {
            "none" | "" | "false" => Ok(DryRun::None),
            "client" | "unchanged" | "true" => Ok(DryRun::Client),
            "server" => Ok(DryRun::Server),
            other => Err(Failure::error(format!(
                "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
            ))),
        }
    }

    /// What stands after the verb: `created (dry run)`.
    pub fn suffix(self) -> &'static str {
        match self {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        }
    }
}

/// What `--validate` asks of the server.
pub(super) fn validation(args: &Args) -> Result<api::FieldValidation, Failure> {
    match args.text("validate") {
        "ignore" | "false" => Ok(api::FieldValidation::Ignore),
        "warn" => Ok(api::FieldValidation::Warn),
        "" | "strict" | "true" => Ok(api::FieldValidation::Strict),
        other => Err(Failure::error(format!(
            "invalid - validate option {other:?}; must be one of: strict (or true), warn, ignore (or false)"
        ))),
    }
}

/// Refuses a line without files, as `create`, `apply` and `replace` do.
pub(super) fn need_files(args: &Args) -> Result<(), Failure> {
    match (args.all("filename").is_empty(), args.all("kustomize").is_empty()) {
        (true, true) => Err(Failure::error("must specify one of -f and -k")),
        (false, false) => Err(Failure::error("only one of -f or -k can be specified")),
        _ => Ok(()),
    }
}

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    need_files(args)?;
    if let Some(word) = args.operands.first() {
        return Err(Failure::usage("kubectl apply", format!("Unexpected args: [{word}]")));
    }
    if args.is("force") && args.is("server-side") {
        return Err(Failure::error("--force cannot be used with --server-side"));
    }
    let dry_run = DryRun::read(args)?;
    let format = Format::read(call, args, false)?;
    let manifests = manifest::read(call, args)?;
    if manifests.is_empty() {
        return Err(Failure::error("no objects passed to apply"));
    }
    let options = ApplyOptions {
        dry_run: dry_run == DryRun::Server,
        forgets: false,
        server_side: args.is("server-side"),
        force_conflicts: args.is("force-conflicts"),
        field_manager: if args.given("field-manager") { args.text("field-manager").into() } else { String::new() },
        validation: Some(validation(args)?),
    };
    let selector = api::selector::Selector::parse(args.text("selector")).map_err(Failure::error)?;
    let mut failures = Vec::new();
    let mut values = Vec::new();
    for manifest in &manifests {
        let labels: std::collections::BTreeMap<String, String> =
            serde_json::from_value(manifest.value["metadata"]["labels"].clone()).unwrap_or_default();
        if !selector.matches(&labels) {
            continue;
        }
        let applied = if dry_run == DryRun::Client {
            match resource::get(call, manifest.kind, &manifest.namespace, &manifest.name) {
                Ok(object) => Ok((Change::Configured, api::wire::form(&*object))),
                Err(status) if status.is_not_found() => {
                    Ok((Change::Created, crate::apply::with_last_applied(&manifest.value)))
                }
                Err(status) => Err(status),
            }
        } else {
            apply_one(call, manifest, &options).map(|(change, object)| (change, api::wire::form(&*object)))
        };
        let (change, value) = match applied {
            Ok(applied) => applied,
            Err(status) => {
                failures.push(refusal(status));
                continue;
            }
        };
        let name = value["metadata"]["name"].as_str().unwrap_or_default();
        let full_name = resource::full_name(manifest.kind, name);
        match format {
            None => call.io.line(format!("{full_name} {}{}", change.as_str(), dry_run.suffix())),
            Some(Format::Name) => call.io.line(full_name),
            Some(_) => values.push(output::shown(value, args)),
        }
    }
    if let Some(format) = &format
        && !values.is_empty()
    {
        let value = match values.len() {
            1 => values.remove(0),
            _ => json!({ "apiVersion": "v1", "items": values, "kind": "List", "metadata": {} }),
        };
        let text = format.text(&value)?;
        call.io.out(&text);
    }
    Failure::all(failures).map_or(Ok(0), Err)
}

/// `kubectl apply view-last-applied`
pub(super) fn view_last_applied(call: &mut Call, args: &Args) -> Outcome {
    let picked = resource::pick(call, args, Rules::default())?;
    for info in &picked.infos {
        let Some(text) = api::meta::annotation(info.object.meta(), LAST_APPLIED) else {
            return Err(Failure::error(format!(
                "no last-applied-configuration annotation found on resource: {}",
                info.name
            )));
        };
        let value: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        let text = match args.text("output") {
            "json" => serde_json::to_string_pretty(&value).unwrap_or_default() + "\n",
            _ => output::yaml(&value),
        };
        call.io.out(&text);
    }
    Failure::all(picked.failures).map_or(Ok(0), Err)
}
