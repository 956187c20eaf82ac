//! `kubectl replace`

use api::Request;
use api::request::{Propagation, Verb};

use super::apply::{DryRun, need_files};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, int, switch, text};
use crate::manifest;
use crate::resource;
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    switch("force", ' ', "Delete and create again"),
    int("grace-period", ' ', "-1", "Seconds that a Pod has to end by itself"),
    switch("save-config", ' ', "Keep the configuration in an annotation"),
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
    text("subresource", ' ', "A subresource to replace"),
    text("validate", ' ', "strict, warn or ignore").or("strict").alone("strict"),
];

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    need_files(args)?;
    if args.int("grace-period") >= 0 && !args.is("force") {
        return Err(Failure::error("--grace-period must have --force specified"));
    }
    let dry_run = DryRun::read(args)?;
    let mut failures = Vec::new();
    for manifest in manifest::read(call, args)? {
        let scope = resource::scope(manifest.kind, &manifest.namespace).to_owned();
        let value = if args.is("save-config") {
            crate::apply::with_last_applied(&manifest.value)
        } else {
            manifest.value.clone()
        };
        let mut request = Request::of(Verb::Update, manifest.kind.id, &scope, &manifest.name).body(value.clone());
        if args.is("force") && dry_run == DryRun::None {
            let mut deletion = Request::of(Verb::Delete, manifest.kind.id, &scope, &manifest.name);
            deletion.options.grace_period = Some(args.int("grace-period").max(0));
            deletion.options.propagation = Some(Propagation::Background);
            if call.request(deletion).is_ok() {
                call.io.line(format!("{} {:?} deleted", resource::dotted(manifest.kind), manifest.name));
            }
            request = Request::of(Verb::Create, manifest.kind.id, &scope, "").body(value);
        }
        request.options.dry_run = dry_run != DryRun::None;
        request.options.field_manager = "kubectl-replace".into();
        request.options.field_validation = api::FieldValidation::Strict;
        match call.request(request).and_then(resource::expect_object) {
            Ok(object) => {
                let info = resource::info(manifest.kind, object.clone());
                super::print_changed(call, args, &info, api::wire::form(&*object), "replaced", dry_run)?;
            }
            Err(status) => failures.push(crate::apply::during("replacing", &manifest, status).into()),
        }
    }
    Failure::all(failures).map_or(Ok(0), Err)
}
