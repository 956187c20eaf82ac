//! `kubectl delete`

use api::request::{Propagation, Verb};
use api::time::SECOND;
use api::{Kind, Request, SimTime};

use super::apply::DryRun;
use super::namespace;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, duration, int, on_by_default, switch, text};
use crate::manifest;
use crate::resource::{self, Named};
use crate::task::{Call, Cx};

pub(super) static FLAGS: &[Flag] = &[
    text("selector", 'l', "Label selector"),
    text("field-selector", ' ', "Field selector"),
    switch("all", ' ', "Delete all objects of the kind"),
    switch("all-namespaces", 'A', "In all namespaces"),
    int("grace-period", ' ', "-1", "Seconds that a Pod has to end by itself"),
    switch("now", ' ', "Like --grace-period=1"),
    switch("force", ' ', "Do not wait for the node to confirm"),
    text("cascade", ' ', "background, orphan or foreground").or("background").alone("background"),
    on_by_default("wait", "Wait until the objects are gone"),
    duration("timeout", "0s", "How long to wait"),
    switch("ignore-not-found", ' ', "A missing object is no error"),
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
    text("output", 'o', "name"),
    switch("interactive", 'i', "Ask before deleting"),
    text("raw", ' ', "Send to a path of the API server"),
];

/// An object to delete.
struct Target {
    kind: &'static Kind,
    namespace: String,
    name: String,
    /// The manifest that names it.
    manifest: Option<manifest::Manifest>,
}

/// What has been deleted and may not be gone yet.
struct Leaving {
    kind: &'static Kind,
    namespace: String,
    name: String,
    uid: String,
}

pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    let waits = args.is("wait") && DryRun::read(&args)? == DryRun::None;
    let timeout = args.duration("timeout");
    let (leaving, outcome) = cx.with(move |call| delete_all(call, &args)).await?;
    if !waits {
        return outcome;
    }
    // Without a timeout upstream waits for a week.
    let deadline = cx.now().await + if timeout == 0 { 7 * 24 * 3600 * SECOND } else { timeout };
    for object in leaving {
        wait_until_gone(&cx, object, deadline).await?;
    }
    outcome
}

/// What `--cascade` says of an object's dependents.
pub(super) fn propagation(args: &Args) -> Result<Propagation, Failure> {
    match args.text("cascade") {
        "orphan" | "false" => Ok(Propagation::Orphan),
        "foreground" => Ok(Propagation::Foreground),
        "background" | "true" => Ok(Propagation::Background),
        other => Err(Failure::error(format!(
            "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
        ))),
    }
}

fn delete_all(call: &mut Call, args: &Args) -> Result<(Vec<Leaving>, Outcome), Failure> {
    let dry_run = DryRun::read(args)?;
    let selects = args.some_text("selector").is_some() || args.some_text("field-selector").is_some();
    if args.is("all") && selects {
        return Err(Failure::error("setting 'all' parameter but found a non empty selector. "));
    }
    let output = args.text("output");
    if !matches!(output, "" | "name") {
        return Err(Failure::error(format!("unexpected -o output mode: {output}. We only support '-o name'")));
    }
    if let Some(path) = args.some_text("raw") {
        super::api_resources::raw(call, "DELETE", path, String::new())?;
        return Ok((Vec::new(), Ok(0)));
    }
    if let boolean @ ("true" | "false") = args.text("cascade") {
        let other = if boolean == "true" { "background" } else { "orphan" };
        call.io.err_line(format!(
            "warning: --cascade={boolean} is deprecated (boolean value) and can be replaced with --cascade={other}."
        ));
    }
    let propagation = propagation(args)?;
    let grace_period = match (args.is("now"), args.int("grace-period")) {
        (true, given) if given != -1 => {
            return Err(Failure::error("--now and --grace-period cannot be specified together"));
        }
        (true, _) if args.is("force") => {
            return Err(Failure::error("--force and --grace-period greater than 0 cannot be specified together"));
        }
        (true, _) => 1,
        // Zero seconds are only for those who force it.
        (false, 0) if !args.is("force") => 1,
        (false, -1) if args.is("force") => 0,
        (false, given) if given > 0 && args.is("force") => {
            return Err(Failure::error("--force and --grace-period greater than 0 cannot be specified together"));
        }
        (false, given) => given,
    };
    if args.is("force") && grace_period == 0 {
        call.io.err_line(
            "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. \
             The resource may continue to run on the cluster indefinitely.",
        );
    }
    let ignores_missing = args.is("ignore-not-found") || args.is("all") || selects;
    let (mut failures, mut unread) = (Vec::new(), Vec::new());
    let targets = targets(call, args, &mut unread)?;
    let found = !targets.is_empty();
    if args.is("interactive") && found && !confirmed(call, &targets) {
        return Ok((Vec::new(), Ok(0)));
    }
    let mut leaving = Vec::new();
    for target in targets {
        let Target { kind, namespace, name, manifest } = target;
        let mut request = Request::of(Verb::Delete, kind.id, resource::scope(kind, &namespace), &name);
        request.options.propagation = Some(propagation);
        request.options.grace_period = (grace_period >= 0).then_some(grace_period);
        request.options.dry_run = dry_run == DryRun::Server;
        // Upstream does not look whether what is named is there.
        let result = if dry_run == DryRun::Client {
            Ok(api::Response::Status(api::Status::success(kind, &name, "")))
        } else {
            call.request(request)
        };
        let response = match result {
            Ok(response) => response,
            Err(status) if status.is_not_found() && ignores_missing => continue,
            Err(status) => {
                failures.push(match &manifest {
                    Some(manifest) => crate::apply::during("deleting", manifest, status).into(),
                    None => status.into(),
                });
                continue;
            }
        };
        if output == "name" {
            call.io.line(resource::full_name(kind, &name));
        } else {
            let verb = if grace_period == 0 { "force deleted" } else { "deleted" };
            call.io.line(format!("{} {name:?} {verb}{}", resource::dotted(kind), dry_run.suffix()));
        }
        let uid = match &response {
            api::Response::Object(object) => object.uid().to_owned(),
            api::Response::Status(status) => {
                status.details.as_ref().map(|details| details.uid.clone()).unwrap_or_default()
            }
            _ => String::new(),
        };
        leaving.push(Leaving { kind, namespace, name, uid });
    }
    failures.extend(unread);
    if !found && failures.is_empty() && !args.is("ignore-not-found") {
        call.io.line("No resources found");
    }
    Ok((leaving, Failure::all(failures).map_or(Ok(0), Err)))
}

/// `-i`: shows what is about to be deleted, and reads whether it shall be.
fn confirmed(call: &mut Call, targets: &[Target]) -> bool {
    call.io.line(format!("You are about to delete the following {} resource(s):", targets.len()));
    for target in targets {
        call.io.line(resource::full_name(target.kind, &target.name));
    }
    call.io.out("Do you want to continue? (y/n): ");
    let answer = call.io.stdin.take().unwrap_or_default();
    let agrees = answer.lines().next().is_some_and(|line| line.trim().eq_ignore_ascii_case("y"));
    if !agrees {
        call.io.line("deletion is cancelled");
    }
    agrees
}

fn targets(call: &mut Call, args: &Args, failures: &mut Vec<Failure>) -> Result<Vec<Target>, Failure> {
    if resource::names_files(args) {
        if !args.operands.is_empty() {
            return Err(Failure::error(
                "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
            ));
        }
        let (manifests, misread) = manifest::read_all(call, args)?;
        failures.extend(misread);
        let targets = manifests.into_iter();
        return Ok(targets
            .map(|manifest| Target {
                kind: manifest.kind,
                namespace: manifest.namespace.clone(),
                name: manifest.name.clone(),
                manifest: Some(manifest),
            })
            .collect());
    }
    let selects = args.some_text("selector").is_some() || args.some_text("field-selector").is_some();
    let everywhere = args.is("all-namespaces");
    let space = if everywhere { String::new() } else { namespace(call, args) };
    match resource::read(call.client, args.before_dash())? {
        Named::Nothing if selects || args.is("all") => Err(resource::no_type_to_select()),
        Named::Nothing => Err(resource::no_resources()),
        Named::Objects(_) if selects || args.is("all") => {
            Err(Failure::error("name cannot be provided when a selector is specified"))
        }
        Named::Objects(objects) if everywhere && objects.iter().any(|(kind, _)| kind.namespaced) => {
            Err(Failure::error("a resource cannot be retrieved by name across all namespaces"))
        }
        Named::Objects(objects) => {
            let target = |(kind, name)| Target { kind, namespace: space.clone(), name, manifest: None };
            Ok(objects.into_iter().map(target).collect())
        }
        Named::Kinds(_) if !selects && !args.is("all") => {
            Err(Failure::error("resource(s) were provided, but no name was specified"))
        }
        Named::Kinds(kinds) => {
            let mut targets = Vec::new();
            for kind in kinds {
                match resource::list(call, kind, &space, resource::selectors(args)) {
                    Ok((objects, _)) => targets.extend(objects.iter().map(|object| Target {
                        kind,
                        namespace: object.namespace().into(),
                        name: object.name().into(),
                        manifest: None,
                    })),
                    Err(status) => failures.push(resource::refused_list(kind, status, args)),
                }
            }
            Ok(targets)
        }
    }
}

/// Waits until the object is gone, or another has its name.
async fn wait_until_gone(cx: &Cx, object: Leaving, deadline: SimTime) -> Result<(), Failure> {
    let Leaving { kind, namespace, name, uid } = object;
    loop {
        let (space, wanted) = (namespace.clone(), name.clone());
        let found = cx.with(move |call| resource::get(call, kind, &space, &wanted)).await;
        match found {
            Ok(found) if uid.is_empty() || found.uid() == uid => {}
            _ => return Ok(()),
        }
        if cx.now().await >= deadline {
            return Err(Failure::error(format!(
                "timed out waiting for the condition on {}/{name}",
                kind.group_resource()
            )));
        }
        cx.pause(Some((cx.now().await + POLL_INTERVAL).min(deadline))).await;
    }
}

/// How often the object is looked for.
const POLL_INTERVAL: SimTime = 200 * api::time::MILLISECOND;
