//! `kubectl apply`

use std::collections::BTreeSet;

use api::request::{Propagation, Verb};
use api::{Kind, ObjectRef};
use serde_json::{Value, json};

use crate::apply::{ApplyOptions, Change, LAST_APPLIED, apply_one, refusal};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, duration, int, on_by_default, switch, text};
use crate::manifest;
use crate::output::{self, Fields, Format, PLAIN};
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
    switch("prune", ' ', "Delete what was applied once and is not in the files"),
    switch("all", ' ', "Prune all objects of the allowed kinds"),
    array("prune-allowlist", ' ', "Kinds to prune: group/version/kind"),
    int("grace-period", ' ', "-1", "Seconds that a Pod has to end by itself"),
    duration("timeout", "0s", "How long to wait for a deletion"),
    text("cascade", ' ', "background, orphan or foreground").or("background").alone("background"),
    text("subresource", ' ', "A subresource to apply to, with --server-side"),
    on_by_default("openapi-patch", "Use the schema of custom resources"),
    crate::flags::RECORD,
];

pub(super) static SET_LAST_FLAGS: &[Flag] = &[
    switch("create-annotation", ' ', "Also where there is no annotation yet"),
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
];

/// What is pruned unless kinds are named: upstream's list.
const PRUNED: [(&str, &str); 14] = [
    ("v1", "ConfigMap"),
    ("v1", "Endpoints"),
    ("v1", "Namespace"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "PersistentVolume"),
    ("v1", "Pod"),
    ("v1", "ReplicationController"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("networking.k8s.io/v1", "Ingress"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"),
];

pub(super) static VIEW_FLAGS: &[Flag] = &[
    text("output", 'o', "yaml or json").or("yaml"),
    text("selector", 'l', "Label selector"),
    switch("all", ' ', "All objects of the kind"),
];

const LIST: Fields = Fields(&[("kind", PLAIN), ("apiVersion", PLAIN), ("metadata", PLAIN), ("items", PLAIN)]);

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
    if !args.operands.is_empty() {
        return Err(Failure::usage("kubectl apply", format!("Unexpected args: [{}]", args.operands.join(" "))));
    }
    let dry_run = DryRun::read(args)?;
    super::delete::propagation(args)?;
    need_files(args)?;
    if args.is("force-conflicts") && !args.is("server-side") {
        return Err(Failure::error("--force-conflicts only works with --server-side"));
    }
    if dry_run == DryRun::Client && args.is("server-side") {
        return Err(Failure::error(
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
        ));
    }
    if args.is("force") && args.is("server-side") {
        return Err(Failure::error("--force cannot be used with --server-side"));
    }
    if args.is("force") && dry_run == DryRun::Server {
        return Err(Failure::error("--dry-run=server cannot be used with --force"));
    }
    if args.is("all") && args.some_text("selector").is_some() {
        return Err(Failure::error("cannot set --all and --selector at the same time"));
    }
    if args.is("prune") && args.is("force") {
        return Err(Failure::error("--force cannot be used with --prune"));
    }
    if args.is("prune") && !args.is("all") && args.some_text("selector").is_none() {
        return Err(Failure::error(
            "all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all \
             flag. If you did not mean to prune all resources, specify a label selector",
        ));
    }
    if args.some_text("subresource").is_some() && !args.is("server-side") {
        return Err(Failure::error("--subresource can only be specified for --server-side"));
    }
    let format = Format::read(call, args, false)?;
    for text in args.all("prune-allowlist") {
        if text.split('/').count() != 3 {
            return Err(Failure::error(format!(
                "invalid GroupVersionKind format: {text}, please follow <group/version/kind>"
            )));
        }
    }
    let pruned = if args.is("prune") { pruned_kinds(call, args)? } else { Vec::new() };
    let selector = selector(args)?;
    let (mut manifests, mut failures) = manifest::read_all(call, args)?;
    manifests.iter_mut().for_each(|manifest| super::record(args, &mut manifest.value));
    if manifests.is_empty() && failures.is_empty() {
        return Err(Failure::error("no objects passed to apply"));
    }
    let options = ApplyOptions {
        dry_run: dry_run == DryRun::Server,
        forgets: false,
        locks: false,
        server_side: args.is("server-side"),
        force_conflicts: args.is("force-conflicts"),
        subresource: args.text("subresource").into(),
        field_manager: if args.given("field-manager") { args.text("field-manager").into() } else { String::new() },
        validation: Some(validation(args)?),
    };
    let mut values = Vec::new();
    let mut applied_names = BTreeSet::new();
    for manifest in &manifests {
        if !manifest.is_selected(&selector) {
            continue;
        }
        let prefix = manifest.value["metadata"]["generateName"].as_str().unwrap_or_default();
        if manifest.name.is_empty() && !prefix.is_empty() {
            failures.push(Failure::error(format!("from {prefix}: cannot use generate name with apply")));
            continue;
        }
        if manifest.name.is_empty() {
            failures.push(Failure::error(nameless(manifest)));
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
        applied_names.insert((manifest.kind.id, manifest.namespace.clone(), name.to_owned()));
        let full_name = resource::full_name(manifest.kind, name);
        match format {
            None => call.io.line(format!("{full_name} {}{}", change.as_str(), dry_run.suffix())),
            Some(Format::Name) => call.io.line(full_name),
            Some(_) => values.push(output::shown(value, args)),
        }
    }
    if applied_names.is_empty() && failures.is_empty() {
        return Err(Failure::error("no objects passed to apply"));
    }
    if args.is("prune") && failures.is_empty() {
        prune(call, args, &pruned, &applied_names, dry_run)?;
    }
    if let Some(format) = &format
        && !values.is_empty()
    {
        let text = match (values.as_slice(), format) {
            ([only], format) => format.text(only)?,
            // Several are in a list that upstream holds as a struct.
            (_, Format::Json) => output::in_order(&list(values), &LIST, output::INDENT) + "\n",
            (_, format) => format.text(&list(values))?,
        };
        call.io.out(&text);
    }
    Failure::all(failures).map_or(Ok(0), Err)
}

fn list(values: Vec<Value>) -> Value {
    json!({ "apiVersion": "v1", "items": values, "kind": "List", "metadata": {} })
}

/// What upstream says of an object without a name, when it asks for the object's present form.
fn nameless(manifest: &manifest::Manifest) -> String {
    let (kind, version) = (manifest.kind, crate::apply::version(manifest.kind));
    format!(
        "error when retrieving current configuration of:\nResource: \"{version}, Resource={}\", GroupVersionKind: \
         \"{version}, Kind={}\"\nName: \"\", Namespace: {:?}\nfrom server for: {:?}: resource name may not be empty",
        kind.plural, kind.kind, manifest.namespace, manifest.source
    )
}

/// Kind, namespace and name.
pub(super) type Names = BTreeSet<(api::KindId, String, String)>;

/// What `-l` selects of the files' objects.
pub(super) fn selector(args: &Args) -> Result<api::selector::Selector, Failure> {
    let text = args.text("selector");
    api::selector::Selector::parse(text).map_err(|why| {
        Failure::error(format!("the provided selector {text:?} is not valid: unable to parse requirement: {why}"))
    })
}

/// The kinds that `--prune` looks at.
pub(super) fn pruned_kinds(call: &mut Call, args: &Args) -> Result<Vec<&'static Kind>, Failure> {
    let named = args.all("prune-allowlist").iter().map(|text| {
        let (version, kind) = text.rsplit_once('/').unwrap_or(("", text));
        (version.strip_prefix("core/").unwrap_or(version), kind)
    });
    let mut allowed: Vec<(&str, &str)> = named.collect();
    if allowed.is_empty() {
        allowed.extend(PRUNED);
    }
    let found = allowed.into_iter().map(|(version, name)| {
        let kind = resource::by_kind(call.client, version, name);
        kind.ok_or_else(|| Failure::error(format!("no matches for kind {name:?} in version {version:?}")))
    });
    found.collect()
}

/// What was applied before, is selected, and has not been applied now.
pub(super) fn prunable(
    call: &mut Call,
    args: &Args,
    kinds: &[&'static Kind],
    applied: &Names,
) -> Result<Vec<(&'static Kind, ObjectRef)>, Failure> {
    let spaces: BTreeSet<String> = applied.iter().map(|(_, namespace, _)| namespace.clone()).collect();
    let everywhere = BTreeSet::from([String::new()]);
    let mut found = Vec::new();
    for kind in kinds {
        for space in if kind.namespaced { &spaces } else { &everywhere } {
            let (objects, _) = resource::list(call, kind, space, resource::selectors(args))?;
            for object in objects {
                let key = (kind.id, object.namespace().to_owned(), object.name().to_owned());
                let was_applied = api::meta::annotation(object.meta(), LAST_APPLIED).is_some();
                if was_applied && !applied.contains(&key) {
                    found.push((*kind, object));
                }
            }
        }
    }
    Ok(found)
}

fn prune(
    call: &mut Call,
    args: &Args,
    kinds: &[&'static Kind],
    applied: &Names,
    dry_run: DryRun,
) -> Result<(), Failure> {
    for (kind, object) in prunable(call, args, kinds, applied)? {
        if dry_run != DryRun::Client {
            let mut request = api::Request::of(Verb::Delete, kind.id, object.namespace(), object.name());
            request.options.propagation = Some(Propagation::Background);
            request.options.dry_run = dry_run == DryRun::Server;
            call.request(request)?;
        }
        let full_name = resource::full_name(kind, object.name());
        call.io.line(format!("{full_name} pruned{}", dry_run.suffix()));
    }
    Ok(())
}

/// `kubectl apply set-last-applied`
pub(super) fn set_last_applied(call: &mut Call, args: &Args) -> Outcome {
    if !resource::names_files(args) {
        return Err(resource::no_resources());
    }
    let dry_run = DryRun::read(args)?;
    for manifest in manifest::read(call, args)? {
        let object = resource::get(call, manifest.kind, &manifest.namespace, &manifest.name)?;
        let wanted = &crate::apply::annotation_text(&manifest.value);
        let name = &manifest.name;
        match api::meta::annotation(object.meta(), LAST_APPLIED) {
            None if !args.is("create-annotation") => {
                return Err(Failure::error(format!(
                    "no last-applied-configuration annotation found on resource: {name}, to create the annotation, run \
                     the command with --create-annotation"
                )));
            }
            Some(known) if known == wanted => {
                call.io.line(format!("set-last-applied {name}: no changes required."));
                continue;
            }
            _ => {}
        }
        if dry_run != DryRun::Client {
            let value = json!({ "metadata": { "annotations": { LAST_APPLIED: wanted } } });
            let patch = api::Patch { kind: api::PatchKind::Merge, value };
            let mut request =
                api::Request::of(Verb::Patch, manifest.kind.id, object.namespace(), object.name()).body(patch);
            request.options.dry_run = dry_run == DryRun::Server;
            call.request(request)?;
        }
        let info = resource::info(manifest.kind, object.clone());
        super::print_changed(call, args, &info, api::wire::form(&*object), "configured", dry_run)?;
    }
    Ok(0)
}

/// `kubectl apply view-last-applied`
pub(super) fn view_last_applied(call: &mut Call, args: &Args) -> Outcome {
    let picked = resource::pick(call, args, Rules::default())?;
    let mut found = Vec::new();
    for info in &picked.infos {
        match &info.object.meta().annotations {
            Some(annotations) => found.extend(annotations.get(LAST_APPLIED)),
            None => {
                let name = &info.name;
                return Err(Failure::error(format!(
                    "no last-applied-configuration annotation found on resource: {name}"
                )));
            }
        }
    }
    if !matches!(args.text("output"), "yaml" | "json") {
        return Err(Failure::usage(
            "kubectl apply view-last-applied",
            format!("Unexpected -o output mode: {}, the flag 'output' must be one of yaml|json", args.text("output")),
        ));
    }
    for text in found {
        let value: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        let text = match args.text("output") {
            "json" => serde_json::to_string_pretty(&value).unwrap_or_default() + "\n",
            _ => output::yaml(&value),
        };
        call.io.out(&text);
    }
    Failure::all(picked.failures).map_or(Ok(0), Err)
}
