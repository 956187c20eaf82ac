//! `kubectl replace`

use api::request::{Propagation, Verb};
use api::{ObjectRef, Request};
use serde_json::Value;

use super::apply::{DryRun, need_files};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, duration, int, switch, text};
use crate::manifest::{self, Manifest};
use crate::resource;
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    switch("force", ' ', "Delete and create again"),
    int("grace-period", ' ', "-1", "Seconds that a Pod has to end by itself"),
    switch("save-config", ' ', "Keep the configuration in an annotation"),
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
    text("subresource", ' ', "A subresource to replace"),
    text("validate", ' ', "strict, warn or ignore").or("strict").alone("strict"),
    text("field-manager", ' ', "Name of the manager of the fields").or("kubectl-replace"),
    text("cascade", ' ', "background, orphan or foreground").or("background").alone("background"),
    duration("timeout", "0s", "How long to wait for a deletion"),
    switch("wait", ' ', "Wait until the objects are gone"),
    text("raw", ' ', "Send to a path of the API server"),
    crate::flags::RECORD,
];

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    need_files(args)?;
    if let Some(path) = args.some_text("raw") {
        let [file] = args.all("filename") else {
            return Err(Failure::error("--raw can only use a single local file or stdin"));
        };
        let text = manifest::text(call, file)?;
        return super::api_resources::raw(call, "PUT", path, text);
    }
    let propagation = super::delete::propagation(args)?;
    if args.int("grace-period") >= 0 && !args.is("force") {
        return Err(Failure::error("--grace-period must have --force specified"));
    }
    if args.duration("timeout") > 0 && !args.is("force") {
        return Err(Failure::error("--timeout must have --force specified"));
    }
    let dry_run = DryRun::read(args)?;
    if dry_run != DryRun::None && args.is("force") {
        return Err(Failure::error("--dry-run can not be used when --force is set"));
    }
    let (manifests, mut failures) = manifest::read_all(call, args)?;
    let deletes = args.is("force");
    if deletes {
        // Upstream deletes everything before it makes anything.
        if let Some(failure) = Failure::all(std::mem::take(&mut failures)) {
            return Err(failure);
        }
        manifests.iter().for_each(|manifest| delete(call, args, manifest, propagation));
    }
    for mut manifest in manifests {
        super::record(args, &mut manifest.value);
        if dry_run == DryRun::Client {
            let value = manifest.value.clone();
            let full_name = resource::full_name(manifest.kind, &manifest.name);
            super::print_value(call, args, &full_name, value, &format!("replaced{}", dry_run.suffix()))?;
            continue;
        }
        match replace(call, args, &manifest, deletes) {
            Ok(object) => {
                let info = resource::info(manifest.kind, object.clone());
                super::print_changed(call, args, &info, api::wire::form(&*object), "replaced", dry_run)?;
            }
            Err(failure) => failures.push(failure),
        }
    }
    Failure::all(failures).map_or(Ok(0), Err)
}

fn delete(call: &mut Call, args: &Args, manifest: &Manifest, propagation: Propagation) {
    let scope = resource::scope(manifest.kind, &manifest.namespace);
    let mut deletion = Request::of(Verb::Delete, manifest.kind.id, scope, &manifest.name);
    deletion.options.grace_period = Some(args.int("grace-period").max(0));
    deletion.options.propagation = Some(propagation);
    if call.request(deletion).is_ok() {
        call.io.line(format!("{} {:?} deleted", resource::dotted(manifest.kind), manifest.name));
    }
}

/// Sends what is to stand there from now on: as a change, or as something new.
fn replace(call: &mut Call, args: &Args, manifest: &Manifest, is_new: bool) -> Result<ObjectRef, Failure> {
    let remembers = if args.is("save-config") { crate::apply::with_last_applied } else { Value::clone };
    if manifest.name.is_empty() && !is_new {
        let source = &manifest.source;
        return Err(Failure::error(format!("error when replacing {source:?}: resource name may not be empty")));
    }
    let (verb, name) = if is_new { (Verb::Create, "") } else { (Verb::Update, manifest.name.as_str()) };
    let scope = resource::scope(manifest.kind, &manifest.namespace);
    let mut value = remembers(&manifest.value);
    if !is_new && value["metadata"]["resourceVersion"].as_str().unwrap_or_default().is_empty() {
        // Whatever stands there now is replaced.
        if let Ok(object) = resource::get(call, manifest.kind, &manifest.namespace, name) {
            value["metadata"]["resourceVersion"] = object.revision().to_string().into();
        }
    }
    let subresource = resource::subresource(manifest.kind, args.text("subresource"))
        .map_err(|status| crate::apply::during("replacing", manifest, status))?;
    let mut request = Request::of(verb, manifest.kind.id, scope, name).on(subresource).body(value);
    request.options.dry_run = DryRun::read(args)? != DryRun::None;
    request.options.field_manager = args.text("field-manager").into();
    request.options.field_validation = super::apply::validation(args)?;
    let answer = call.request(request).and_then(resource::expect_object);
    answer.map_err(|status| crate::apply::during("replacing", manifest, status).into())
}
