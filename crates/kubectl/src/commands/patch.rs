//! `kubectl patch`

use api::request::{Subresource, Verb};
use api::{Patch, PatchKind, Request};
use serde_json::Value;

use super::apply::DryRun;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch, text};
use crate::resource::{self, Rules};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    text("patch", 'p', "The patch, in JSON or YAML"),
    text("patch-file", ' ', "A file that has the patch"),
    text("type", ' ', "json, merge or strategic").or("strategic"),
    text("subresource", ' ', "status or scale"),
    switch("local", ' ', "Do not ask the server"),
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
    text("field-manager", ' ', "Name of the manager of the fields").or("kubectl-patch"),
    switch("record", ' ', "Keep the line in an annotation"),
    crate::flags::RECORD,
];

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    let text = match (args.some_text("patch"), args.some_text("patch-file")) {
        (Some(_), Some(_)) => return Err(Failure::error("cannot specify --patch and --patch-file together")),
        (Some(text), None) => text.to_owned(),
        (None, Some(path)) => call.state.files.read(path).ok_or_else(|| {
            Failure::error(format!("unable to read patch file: open {path}: no such file or directory"))
        })?,
        (None, None) => {
            return Err(Failure::error("must specify --patch or --patch-file containing the contents of the patch"));
        }
    };
    if args.given("record") {
        call.io.err_line("Flag --record has been deprecated, --record will be removed in the future");
    }
    let kind = match args.text("type") {
        "json" => PatchKind::Json,
        "merge" => PatchKind::Merge,
        "strategic" | "" => PatchKind::StrategicMerge,
        other => {
            return Err(Failure::error(format!("--type must be one of [json merge strategic], not {other:?}")));
        }
    };
    let given = args.text("patch");
    let unreadable = |why: String| {
        let why = why.trim_start_matches("error converting YAML to JSON: ");
        Failure::error(format!("unable to parse {given:?}: {why}"))
    };
    // What looks like JSON goes to the server as it is.
    if text.trim_start().starts_with('{') && serde_json::from_str::<Value>(&text).is_err_and(|error| error.is_eof()) {
        return Err(api::Status::bad_request("unexpected end of JSON input").into());
    }
    let documents = api::yaml::parse_lenient(&text).map_err(|error| unreadable(error.to_string()))?;
    let value: Value = documents.into_iter().next().map(|document| document.value).unwrap_or_default();
    let dry_run = DryRun::read(args)?;
    if args.is("local") && !resource::names_files(args) {
        return Err(Failure::error("cannot specify --local and server resources"));
    }
    let picked = resource::pick(call, args, Rules::default())?;
    let mut failures = picked.failures;
    for info in &picked.infos {
        let subresource = match resource::subresource(info.kind, args.text("subresource")) {
            Ok(subresource) => subresource,
            Err(status) => {
                failures.push(status.into());
                continue;
            }
        };
        if args.is("local") {
            let before = info.object.to_value();
            let after = match kind {
                PatchKind::Json => api::patch::json(before, &value)?,
                PatchKind::Merge => api::patch::merge(before, value.clone()),
                _ => api::patch::strategic(info.kind, before, value.clone())?,
            };
            super::print_changed(call, args, info, after, "patched", DryRun::None)?;
            continue;
        }
        let body = Patch { kind, value: value.clone() };
        let request = Request::of(Verb::Patch, info.kind.id, &info.namespace, &info.name);
        let mut request = request.on(subresource).body(body);
        request.options.dry_run = dry_run != DryRun::None;
        request.options.field_manager = args.text("field-manager").into();
        let answer = call.request(request).and_then(resource::expect_object);
        let object = match answer.and_then(|object| super::note_cause(call, args, info).map(|()| object)) {
            Ok(object) => object,
            Err(status) if status.code == 415 => {
                let media_type = match kind {
                    PatchKind::Json => "application/json-patch+json",
                    PatchKind::Merge => "application/merge-patch+json",
                    _ => "application/strategic-merge-patch+json",
                };
                failures.push(Failure::error(format!(
                    "{media_type} is not supported by {}, Kind={}: {}",
                    info.kind.api_version(),
                    info.kind.kind,
                    status.message
                )));
                continue;
            }
            Err(status) => {
                failures.push(status.into());
                continue;
            }
        };
        let is_same = match dry_run {
            DryRun::None => object.revision() == info.object.revision(),
            _ => object.to_value() == info.object.to_value(),
        };
        let done = if is_same { "patched (no change)" } else { "patched" };
        // Upstream does not say here that it was only tried.
        let said = DryRun::None;
        if subresource == Subresource::Scale && matches!(args.text("output"), "" | "name") {
            let done = if args.text("output").is_empty() { format!(" {done}{}", said.suffix()) } else { String::new() };
            call.io.line(format!("scale.autoscaling/{}{done}", info.name));
            continue;
        }
        super::print_changed(call, args, info, api::wire::form(&*object), done, said)?;
    }
    Failure::all(failures).map_or(Ok(0), Err)
}
