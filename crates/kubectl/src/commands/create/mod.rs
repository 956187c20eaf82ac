//! `kubectl create`: from files, and the generators of the common kinds.

pub(super) mod config;
pub(super) mod network;
pub(super) mod rbac;
pub(super) mod workload;

use api::Request;
use api::request::Verb;
use serde_json::Value;

use super::apply::{DryRun, need_files};
use super::namespace;
use crate::apply::{LAST_APPLIED, with_last_applied};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch, text};
use crate::manifest;
use crate::output::{self, Format};
use crate::resource;
use crate::task::{Call, Cx};

/// What every generator can do with its object.
pub(in crate::commands) static MADE: &[Flag] = &[
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
    text("output", 'o', "Output format: yaml, json, name, …"),
    text("template", ' ', "Template for -o go-template or jsonpath"),
    switch("save-config", ' ', "Keep the configuration in an annotation, for a later apply"),
    switch("show-managed-fields", ' ', "Keep managedFields in yaml and json"),
    on_missing("allow-missing-template-keys"),
];

/// What the subcommands of `create` can do, too.
pub(in crate::commands) static NEW: &[Flag] = &[
    text("validate", ' ', "strict, warn or ignore").or("strict").alone("strict"),
    text("field-manager", ' ', "Name of the manager of the fields").or("kubectl-create"),
];

const fn on_missing(name: &'static str) -> Flag {
    crate::flags::on_by_default(name, "Ignore missing fields in templates")
}

pub(in crate::commands) static FLAGS: &[Flag] = &[
    text("selector", 'l', "Label selector"),
    switch("edit", ' ', "Edit before creating"),
    switch("windows-line-endings", ' ', "With --edit: end lines as Windows does"),
    text("raw", ' ', "Send to a path of the API server"),
    crate::flags::RECORD,
];

/// The object of a generator, and what to say when the server refuses it.
pub(in crate::commands) struct Made {
    pub value: Value,
    /// `failed to create configmap: `; empty for the server's own words.
    pub refused: &'static str,
    pub done: &'static str,
}

impl Made {
    pub fn new(value: Value, refused: &'static str) -> Made {
        Made { value, refused, done: "created" }
    }

    /// A Pod that is only printed does not remember its configuration.
    fn saves(&self, dry_run: DryRun) -> bool {
        dry_run != DryRun::Client || self.value["kind"] != "Pod"
    }
}

/// `kubectl create -f`
pub(in crate::commands) async fn run(cx: Cx, args: Args) -> Outcome {
    if !args.is("edit") || args.given("raw") || !crate::resource::names_files(&args) {
        return cx.with(move |call| from_files(call, &args)).await;
    }
    let reading = args.clone();
    let manifests = cx.with(move |call| manifest::read(call, &reading)).await?;
    super::edit::new(cx, args, manifests).await
}

fn from_files(call: &mut Call, args: &Args) -> Outcome {
    if !args.operands.is_empty() {
        return Err(Failure::usage("kubectl create", format!("Unexpected args: [{}]", args.operands.join(" "))));
    }
    need_files(args)?;
    let dry_run = DryRun::read(args)?;
    if let Some(path) = args.some_text("raw") {
        return send_raw(call, args, path);
    }
    let (mut manifests, unread) = manifest::read_all(call, args)?;
    manifests.iter_mut().for_each(|manifest| super::record(args, &mut manifest.value));
    let selector = super::apply::selector(args)?;
    let selected: Vec<_> = manifests.into_iter().filter(|manifest| manifest.is_selected(&selector)).collect();
    let mut failures = Vec::new();
    if selected.is_empty() && unread.is_empty() {
        return Err(Failure::error("no objects passed to create"));
    }
    for manifest in selected {
        let doing = |status| crate::apply::during("creating", &manifest, status).into();
        let remembers = if args.is("save-config") { with_last_applied } else { Value::clone };
        let sending = Sending { value: remembers(&manifest.value), dry_run, is_typed: false, done: "created" };
        if let Err(failure) = send(call, args, sending, doing) {
            failures.push(failure);
        }
    }
    failures.extend(unread);
    Failure::all(failures).map_or(Ok(0), Err)
}

/// `--raw`: sends the text of the only file to a path of the API server.
fn send_raw(call: &mut Call, args: &Args, path: &str) -> Outcome {
    let [file] = args.all("filename") else {
        return Err(Failure::error("--raw can only use a single local file or stdin"));
    };
    let text = manifest::text(call, file)?;
    super::api_resources::raw(call, "POST", path, text)
}

/// Creates what a generator has made, or only prints it.
pub(in crate::commands) fn make(call: &mut Call, args: &Args, made: Made) -> Outcome {
    let dry_run = DryRun::read(args)?;
    let mut value = made.value.clone();
    let api_version = value["apiVersion"].as_str().unwrap_or_default().to_owned();
    let kind_name = value["kind"].as_str().unwrap_or_default().to_owned();
    let namespaced = resource::by_kind(call.client, &api_version, &kind_name).is_none_or(|kind| kind.namespaced);
    // The namespace is written only when it was given, or when the object goes to the server.
    if namespaced && (args.given("namespace") || dry_run != DryRun::Client) {
        value["metadata"]["namespace"] = namespace(call, args).into();
    }
    if args.is("save-config") && made.saves(dry_run) {
        let mut bare = value.clone();
        bare["metadata"].as_object_mut().map(|meta| meta.remove("namespace"));
        value["metadata"]["annotations"][LAST_APPLIED] = (api::wire::go_document(&bare) + "\n").into();
    }
    let sending = Sending { value, dry_run, is_typed: true, done: made.done };
    send(call, args, sending, |status| match made.refused {
        "" => status.into(),
        refused => Failure::error(format!("{refused}{}", status.message)),
    })?;
    Ok(0)
}

/// What goes to the server, or only to the terminal.
struct Sending {
    value: Value,
    dry_run: DryRun,
    /// Upstream holds it as a struct.
    is_typed: bool,
    done: &'static str,
}

/// Sends an object and prints what became of it.
fn send(
    call: &mut Call,
    args: &Args,
    sending: Sending,
    refuse: impl Fn(api::Status) -> Failure,
) -> Result<(), Failure> {
    let Sending { value, dry_run, is_typed, done } = sending;
    let format = Format::read(call, args, false)?;
    let validation = super::apply::validation(args)?;
    let api_version = value["apiVersion"].as_str().unwrap_or_default().to_owned();
    let kind_name = value["kind"].as_str().unwrap_or_default().to_owned();
    let name = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let kind = resource::by_kind(call.client, &api_version, &kind_name);
    let value = if dry_run == DryRun::Client {
        value
    } else {
        let kind = kind
            .ok_or_else(|| Failure::error(format!("no matches for kind {kind_name:?} in version {api_version:?}")))?;
        let space = value["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
        let mut request = Request::of(Verb::Create, kind.id, resource::scope(kind, &space), "").body(value);
        request.options.dry_run = dry_run == DryRun::Server;
        request.options.field_manager = args.text("field-manager").into();
        request.options.field_validation = validation;
        let object = call.request(request).and_then(resource::expect_object).map_err(refuse)?;
        api::wire::form(&*object)
    };
    let name = value["metadata"]["name"].as_str().map_or(name, str::to_owned);
    let full_name = match kind {
        Some(kind) => resource::full_name(kind, &name),
        None => format!("{}/{name}", dotted(&api_version, &kind_name)),
    };
    match format {
        None => call.io.line(format!("{full_name} {done}{}", dry_run.suffix())),
        Some(Format::Name) => call.io.line(full_name),
        Some(format) => {
            let value = output::shown(value, args);
            let text = match is_typed {
                true => format.typed_text(&super::as_typed(value))?,
                false => format.text(&value)?,
            };
            call.io.out(&text);
        }
    }
    Ok(())
}

/// `job.batch`, for kinds that the server does not have.
fn dotted(api_version: &str, kind: &str) -> String {
    match api_version.split_once('/') {
        Some((group, _)) => format!("{}.{group}", kind.to_lowercase()),
        None => kind.to_lowercase(),
    }
}

/// The one name that a generator takes.
pub(in crate::commands) fn name(args: &Args, command: &str) -> Result<String, Failure> {
    match args.before_dash() {
        [name] => Ok(name.clone()),
        many => Err(Failure::error(format!(
            "exactly one NAME is required, got {}\nSee '{command} -h' for help and examples",
            many.len()
        ))),
    }
}

/// Refuses a line without a flag, as cobra does.
pub(in crate::commands) fn require(args: &Args, flags: &[&str]) -> Result<(), Failure> {
    let missing: Vec<String> = flags.iter().filter(|flag| !args.given(flag)).map(|flag| format!("{flag:?}")).collect();
    match missing.as_slice() {
        [] => Ok(()),
        many => Err(Failure::error(format!("required flag(s) {} not set", many.join(", ")))),
    }
}
