//! Bodies, by their content type.

use api::decode::{check_type_of, version_and_kind};
use api::{Body, Kind, Patch, PatchKind, Reason, Request, Status, Verb};
use serde_json::Value;

use super::query::Parameters;
use super::{HttpRequest, options};

const MEDIA_TYPES: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

pub(super) fn read(
    http: &HttpRequest,
    kind: &'static Kind,
    parameters: &Parameters,
    patch: Option<PatchKind>,
    request: &mut Request,
) -> Result<(), Status> {
    if http.body.len() > api::yaml::BYTES_MAX {
        let message = format!("Request entity too large: limit is {}", api::yaml::BYTES_MAX);
        return Err(Status::new(413, Reason::RequestEntityTooLarge, message));
    }
    match request.verb {
        Verb::Create | Verb::Update => object(http, kind, request),
        Verb::Delete | Verb::DeleteCollection => {
            // A body stands for the whole query.
            let body = if http.body.is_empty() { options::deletion(parameters)? } else { delete_options(http)? };
            options::delete(&body, &mut request.options)
        }
        Verb::Patch => patch.map_or(Ok(()), |kind| self::patch(http, kind, request)),
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
        _ => return Err(unsupported(MEDIA_TYPES)),
    }
    Ok(())
}

/// The kind of a patch, by its content type.
pub(super) fn patch_kind(http: &HttpRequest, kind: &Kind) -> Result<PatchKind, Status> {
    match media_type(http.content_type) {
        "application/json-patch+json" => Ok(PatchKind::Json),
        "application/merge-patch+json" => Ok(PatchKind::Merge),
        "application/strategic-merge-patch+json" if !kind.id.is_custom() => Ok(PatchKind::StrategicMerge),
        "application/apply-patch+yaml" => Ok(PatchKind::Apply),
        _ if kind.id.is_custom() => Err(unsupported(CUSTOM_PATCHES)),
        _ => {
            let accepted = "application/json-patch+json, application/merge-patch+json, \
                            application/strategic-merge-patch+json, application/apply-patch+yaml";
            Err(unsupported(accepted))
        }
    }
}

fn patch(http: &HttpRequest, kind: PatchKind, request: &mut Request) -> Result<(), Status> {
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

/// The body of a deletion. What is wrong with it is nobody's status upstream, and so an error of the server.
fn delete_options(http: &HttpRequest) -> Result<Value, Status> {
    let refused = |why: String| Status::new(500, Reason::Unknown, why);
    let unread = |why: String| refused(format!("couldn't get version/kind; json parse error: {why}"));
    let mut body = match media_type(http.content_type) {
        "application/yaml" => yaml(http.body)?,
        "" | "application/json" | "*/*" => api::json::parse(http.body).map_err(unread)?.value,
        _ => return Err(unsupported(MEDIA_TYPES)),
    };
    if !body.is_null() {
        version_and_kind(&body).map_err(unread)?;
    }
    check_type_of("meta.v1.DeleteOptions", &mut body).map_err(|mistake| refused(mistake.text))?;
    Ok(body)
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
