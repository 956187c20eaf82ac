//! Bodies, by their content type.

use api::field::{Error, Path};
use api::{Body, Kind, Patch, PatchKind, Reason, Request, Status, Verb};
use serde_json::Value;

use super::HttpRequest;
use super::query::{Parameters, invalid_options, propagation};

pub(super) fn read(
    http: &HttpRequest,
    kind: &'static Kind,
    parameters: &Parameters,
    request: &mut Request,
) -> Result<(), Status> {
    if http.body.len() > api::yaml::BYTES_MAX {
        let message = format!("Request entity too large: limit is {}", api::yaml::BYTES_MAX);
        return Err(Status::new(413, Reason::RequestEntityTooLarge, message));
    }
    match request.verb {
        Verb::Create | Verb::Update => object(http, kind, request),
        Verb::Patch => patch(http, parameters, request),
        Verb::Delete | Verb::DeleteCollection => delete_options(http, request),
        Verb::Get | Verb::List | Verb::Watch => Ok(()),
    }
}

fn object(http: &HttpRequest, kind: &'static Kind, request: &mut Request) -> Result<(), Status> {
    match media_type(http.content_type) {
        "" | "application/json" | "*/*" => {
            let parsed = api::json::parse(http.body).map_err(|why| api::decode::unrecognized(kind, http.body, &why))?;
            request.options.layout = parsed.layout;
            request.body = Body::Json(parsed.value);
        }
        "application/yaml" => request.body = Body::Json(yaml(http.body)?),
        _ => return Err(unsupported("application/json, application/yaml")),
    }
    Ok(())
}

fn patch(http: &HttpRequest, parameters: &Parameters, request: &mut Request) -> Result<(), Status> {
    let kind = match media_type(http.content_type) {
        "application/json-patch+json" => PatchKind::Json,
        "application/merge-patch+json" => PatchKind::Merge,
        "application/strategic-merge-patch+json" if !request.kind.is_custom() => PatchKind::StrategicMerge,
        "application/apply-patch+yaml" => PatchKind::Apply,
        _ if request.kind.is_custom() => return Err(unsupported(CUSTOM_PATCHES)),
        _ => {
            let accepted = "application/json-patch+json, application/merge-patch+json, \
                            application/strategic-merge-patch+json, application/apply-patch+yaml";
            return Err(unsupported(accepted));
        }
    };
    check_patch_options(kind, parameters)?;
    let value = match kind {
        PatchKind::Apply => configuration(http.body)?,
        PatchKind::StrategicMerge => api::json::parse(http.body).map_err(Status::bad_request)?.value,
        PatchKind::Json | PatchKind::Merge => {
            let undecodable = |why| Status::bad_request(format!("error decoding patch: {why}"));
            api::json::parse(http.body).map_err(undecodable)?.value
        }
    };
    request.body = Body::Patch(Patch { kind, value });
    Ok(())
}

/// `force` and a missing manager are matters of server-side apply.
fn check_patch_options(kind: PatchKind, parameters: &Parameters) -> Result<(), Status> {
    let given = |name: &str| parameters.get(name).is_some_and(|value| !value.is_empty());
    let error = match kind {
        PatchKind::Apply if !given("fieldManager") => {
            Error::required(&Path::new("fieldManager"), "is required for apply patch")
        }
        PatchKind::Json | PatchKind::Merge | PatchKind::StrategicMerge if given("force") => {
            Error::forbidden(&Path::new("force"), "may not be specified for non-apply patch")
        }
        _ => return Ok(()),
    };
    Err(invalid_options("PatchOptions", error))
}

/// What is to be applied.
fn configuration(text: &str) -> Result<Value, Status> {
    let undecodable = |why: String| Status::bad_request(format!("error decoding YAML: {why}"));
    let documents = api::yaml::parse_documents(text).map_err(|error| undecodable(error.to_string()))?;
    let value = documents.into_iter().next().map(|document| document.value).unwrap_or_default();
    if value.is_object() || value.is_null() {
        return Ok(value);
    }
    let found = api::decode::go_kind(&value);
    let target = "Go value of type map[string]interface {}";
    Err(undecodable(format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into {target}"
    )))
}

fn delete_options(http: &HttpRequest, request: &mut Request) -> Result<(), Status> {
    if http.body.trim().is_empty() {
        return Ok(());
    }
    let body = match media_type(http.content_type) {
        "application/yaml" => yaml(http.body)?,
        _ => api::json::parse(http.body).map_err(Status::bad_request)?.value,
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let options = &mut request.options;
    if let Some(policy) = text("propagationPolicy") {
        if body.get("orphanDependents").is_some_and(|orphan| !orphan.is_null()) {
            let why = "orphanDependents and deletionPropagation cannot be both set";
            let error = Error::invalid(&Path::new("propagationPolicy"), policy, why);
            return Err(invalid_options("DeleteOptions", error));
        }
        options.propagation = Some(propagation(policy)?);
    }
    options.grace_period = body.get("gracePeriodSeconds").and_then(Value::as_i64).or(options.grace_period);
    let precondition = |name: &str| {
        body.get("preconditions").and_then(|conditions| conditions.get(name)).and_then(Value::as_str).map(str::to_owned)
    };
    options.precondition_uid = precondition("uid");
    options.precondition_revision = precondition("resourceVersion");
    let dry_run = body.get("dryRun").and_then(Value::as_array);
    options.dry_run |= dry_run.is_some_and(|list| list.iter().any(|one| one == "All"));
    Ok(())
}

fn yaml(text: &str) -> Result<Value, Status> {
    let documents = api::yaml::parse_documents(text).map_err(|error| Status::bad_request(error.to_string()))?;
    Ok(documents.into_iter().next().map(|document| document.value).unwrap_or_default())
}

fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Custom resources have no Go types, by which strategic merge goes.
pub(crate) const CUSTOM_PATCHES: &str =
    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

pub(crate) fn unsupported(accepted: &str) -> Status {
    let message =
        format!("the body of the request was in an unknown format - accepted media types include: {accepted}");
    Status::new(415, Reason::UnsupportedMediaType, message)
}
