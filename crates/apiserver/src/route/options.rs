//! `ListOptions`, `CreateOptions` and their sisters, and what upstream asks of them: `metav1/validation` and
//! `metainternalversion/validation`.

use api::field::{Error, Errors, Path};
use api::request::LogOptions;
use api::status::{Cause, Details};
use api::{FieldValidation, Options, PatchKind, Propagation, Reason, Status, Verb};
use serde_json::{Map, Value};

use super::query::Parameters;

const FIELD_MANAGER_BYTES_MAX: usize = 128;

/// What the query says. Of a deletion, that is only what is deleted.
pub(super) fn read(
    parameters: &Parameters,
    verb: Verb,
    patch: Option<PatchKind>,
    user_agent: &str,
) -> Result<Options, Status> {
    match verb {
        Verb::Get => get(parameters),
        Verb::List | Verb::Watch | Verb::DeleteCollection => list(parameters, verb),
        Verb::Delete => Ok(Options::default()),
        Verb::Create => write(parameters, "CreateOptions", None, user_agent),
        Verb::Update => write(parameters, "UpdateOptions", None, user_agent),
        Verb::Patch => write(parameters, "PatchOptions", patch, user_agent),
    }
}

fn get(parameters: &Parameters) -> Result<Options, Status> {
    let log = LogOptions {
        container: parameters.text("container"),
        follow: parameters.is_set("follow"),
        previous: parameters.is_set("previous"),
        since_seconds: parameters.number("sinceSeconds")?,
        tail_lines: parameters.number("tailLines")?,
        limit_bytes: parameters.number("limitBytes")?,
        timestamps: parameters.is_set("timestamps"),
    };
    Ok(Options { resource_version: parameters.text("resourceVersion"), log, ..Options::default() })
}

fn list(parameters: &Parameters, verb: Verb) -> Result<Options, Status> {
    parameters.number("timeoutSeconds")?;
    let limit = parameters.number("limit")?.and_then(|limit| u64::try_from(limit).ok()).unwrap_or(0);
    let errors = if verb == Verb::Watch { watch_errors(parameters) } else { list_errors(parameters) };
    check("ListOptions", &errors)?;
    // `SetListOptionsDefaults`: a watch from nowhere is one that begins with what there is.
    let from_nowhere = verb == Verb::Watch
        && matches!(parameters.get("resourceVersion"), None | Some("" | "0"))
        && ["sendInitialEvents", "resourceVersionMatch"].iter().all(|name| parameters.get(name).is_none());
    Ok(Options {
        label_selector: parameters.text("labelSelector"),
        field_selector: parameters.text("fieldSelector"),
        resource_version: parameters.text("resourceVersion"),
        resource_version_match: parameters.text("resourceVersionMatch"),
        limit,
        continue_token: parameters.text("continue"),
        allow_watch_bookmarks: parameters.is_set("allowWatchBookmarks"),
        send_initial_events: from_nowhere || parameters.is_set("sendInitialEvents"),
        ..Options::default()
    })
}

fn list_errors(parameters: &Parameters) -> Errors {
    let path = Path::new("resourceVersionMatch");
    let wanted = parameters.get("resourceVersionMatch").unwrap_or_default();
    let revision = parameters.get("resourceVersion").unwrap_or_default();
    let mut errors = Errors::new();
    if !wanted.is_empty() && revision.is_empty() {
        let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
        errors.push(Error::forbidden(&path, why));
    }
    no_continuation(parameters, wanted, &path, &mut errors);
    if !matches!(wanted, "" | "Exact" | "NotOlderThan") {
        errors.push(Error::not_supported(&path, wanted, &["Exact", "NotOlderThan", ""]));
    }
    if wanted == "Exact" && revision == "0" {
        let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
        errors.push(Error::forbidden(&path, why));
    }
    if parameters.get("sendInitialEvents").is_some() {
        errors.push(Error::forbidden(&Path::new("sendInitialEvents"), "sendInitialEvents is forbidden for list"));
    }
    errors
}

fn watch_errors(parameters: &Parameters) -> Errors {
    let path = Path::new("resourceVersionMatch");
    let wanted = parameters.get("resourceVersionMatch").unwrap_or_default();
    let initial = parameters.get("sendInitialEvents").is_some();
    let mut errors = Errors::new();
    if initial && wanted != "NotOlderThan" {
        let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        errors.push(Error::forbidden(&path, why));
    }
    if !initial && !wanted.is_empty() {
        let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
        errors.push(Error::forbidden(&path, why));
    }
    if !matches!(wanted, "" | "NotOlderThan") {
        errors.push(Error::not_supported(&path, wanted, &["NotOlderThan"]));
    }
    no_continuation(parameters, wanted, &path, &mut errors);
    errors
}

fn no_continuation(parameters: &Parameters, wanted: &str, path: &Path, errors: &mut Errors) {
    if !wanted.is_empty() && !parameters.text("continue").is_empty() {
        errors.push(Error::forbidden(path, "resourceVersionMatch is forbidden when continue is provided"));
    }
}

fn write(parameters: &Parameters, kind: &str, patch: Option<PatchKind>, user_agent: &str) -> Result<Options, Status> {
    let mut errors = Errors::new();
    let manager = parameters.text("fieldManager");
    let path = Path::new("fieldManager");
    match patch {
        Some(PatchKind::Apply) if manager.is_empty() => {
            errors.push(Error::required(&path, "is required for apply patch"));
        }
        // `force` is a matter of server-side apply.
        Some(PatchKind::Json | PatchKind::Merge | PatchKind::StrategicMerge) if parameters.get("force").is_some() => {
            errors.push(Error::forbidden(&Path::new("force"), "may not be specified for non-apply patch"));
        }
        _ => {}
    }
    if manager.len() > FIELD_MANAGER_BYTES_MAX {
        errors.push(Error::too_long(&path, FIELD_MANAGER_BYTES_MAX));
    }
    for (at, character) in manager.char_indices().filter(|(_, character)| !api::go::is_printed(*character)) {
        let why = format!("invalid character U+{:04X} (at position {at})", u32::from(character));
        errors.push(Error::invalid(&path, manager.as_str(), why));
    }
    let runs = parameters.all("dryRun");
    dry_run_errors(&runs.iter().map(|run| (*run).into()).collect::<Vec<Value>>(), &mut errors);
    let field_validation = match parameters.get("fieldValidation").unwrap_or_default() {
        "" | "Warn" => FieldValidation::Warn,
        "Ignore" => FieldValidation::Ignore,
        "Strict" => FieldValidation::Strict,
        other => {
            let supported = &["", "Ignore", "Strict", "Warn"];
            errors.push(Error::not_supported(&Path::new("fieldValidation"), other, supported));
            FieldValidation::Warn
        }
    };
    check(kind, &errors)?;
    let agent = user_agent.split(['/', ' ']).next().unwrap_or_default();
    Ok(Options {
        dry_run: !runs.is_empty(),
        field_manager: if manager.is_empty() { agent.to_owned() } else { manager },
        field_validation,
        force: parameters.is_set("force"),
        ..Options::default()
    })
}

fn dry_run_errors(runs: &[Value], errors: &mut Errors) {
    if runs.iter().any(|run| run != "All") {
        errors.push(Error::not_supported(&Path::new("dryRun"), runs.to_vec(), &["All"]));
    }
}

/// `DeleteOptions` as the query has them, in the form of a body.
pub(super) fn deletion(parameters: &Parameters) -> Result<Value, Status> {
    let mut options = Map::new();
    if let Some(seconds) = parameters.number("gracePeriodSeconds")? {
        options.insert("gracePeriodSeconds".into(), seconds.into());
    }
    if parameters.get("orphanDependents").is_some() {
        options.insert("orphanDependents".into(), parameters.is_set("orphanDependents").into());
    }
    if let Some(policy) = parameters.get("propagationPolicy") {
        options.insert("propagationPolicy".into(), policy.into());
    }
    options.insert("dryRun".into(), parameters.all("dryRun").into());
    Ok(Value::Object(options))
}

/// How to delete: `DeleteOptions` in their form as a body.
pub(super) fn delete(body: &Value, options: &mut Options) -> Result<(), Status> {
    let (policy, orphans) = (body["propagationPolicy"].as_str(), body["orphanDependents"].as_bool());
    let runs = body["dryRun"].as_array().map(Vec::as_slice).unwrap_or_default();
    let (path, mut errors) = (Path::new("propagationPolicy"), Errors::new());
    if let (Some(policy), Some(_)) = (policy, orphans) {
        let why = "orphanDependents and deletionPropagation cannot be both set";
        errors.push(Error::invalid(&path, policy, why));
    }
    options.propagation = match policy {
        Some("Orphan") => Some(Propagation::Orphan),
        Some("Background") => Some(Propagation::Background),
        Some("Foreground") => Some(Propagation::Foreground),
        Some(other) => {
            errors.push(Error::not_supported(&path, other, &["Foreground", "Background", "Orphan", "nil"]));
            None
        }
        // The older way to say it.
        None => orphans.map(|orphans| if orphans { Propagation::Orphan } else { Propagation::Background }),
    };
    dry_run_errors(runs, &mut errors);
    check("DeleteOptions", &errors)?;
    options.grace_period = body["gracePeriodSeconds"].as_i64();
    options.dry_run = !runs.is_empty();
    let precondition = |name: &str| body["preconditions"][name].as_str().map(str::to_owned);
    options.precondition_uid = precondition("uid");
    options.precondition_revision = precondition("resourceVersion");
    Ok(())
}

/// The options themselves break their rules.
fn check(kind: &str, errors: &[Error]) -> Result<(), Status> {
    if errors.is_empty() {
        return Ok(());
    }
    let cause =
        |error: &Error| Cause { reason: error.kind.reason().into(), message: error.body(), field: error.field.clone() };
    let causes = errors.iter().map(cause).collect();
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let text = if texts.len() == 1 { texts.concat() } else { format!("[{}]", texts.join(", ")) };
    let mut status = Status::new(422, Reason::Invalid, format!("{kind}.meta.k8s.io \"\" is invalid: {text}"));
    status.details = Some(Details { group: "meta.k8s.io".into(), kind: kind.into(), causes, ..Details::default() });
    Err(status)
}
