//! HTTP on the one side, [`api::Request`] on the other: paths, query parameters, content types, and how answers look.
//!
//! Nothing here touches a socket: the HTTP server reads a request's parts into an [`HttpRequest`], asks [`parse`] what is
//! wanted, has it served, and writes the [`Answer`].

mod answer;
mod body;
mod lines;
mod options;
mod path;
mod query;

use api::field::{Error, Path};
use api::{Body, Kind, Request, Status, Subresource, Verb};

pub(crate) use body::{CUSTOM_PATCHES, unsupported};

pub use answer::{Answer, answer, refusal, watch_line};
pub use lines::Lines;
pub(crate) use query::{Parameters, decoded};

use crate::authentication::Credentials;

/// The parts of a request that matter here.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpRequest<'a> {
    pub method: &'a str,
    /// With the query.
    pub path: &'a str,
    pub content_type: &'a str,
    pub accept: &'a str,
    /// The default field manager is its part before the slash.
    pub user_agent: &'a str,
    pub body: &'a str,
    pub credentials: Credentials<'a>,
    /// The name that its sender gives the request: the `Audit-ID` header.
    pub audit_id: &'a str,
}

/// What a request asks for.
#[derive(Debug)]
pub enum Route {
    Resource(Resource, Box<Request>),
    /// A path that names no resource: `/version`, `/apis/apps`, `/openapi/v3`. Without the query;
    /// [`crate::discovery`] answers it.
    Other(String),
}

/// How a request is to be answered.
#[derive(Clone, Debug)]
pub struct Resource {
    pub kind: &'static Kind,
    pub verb: Verb,
    pub shape: Shape,
    /// `?includeObject=`: what a row of a table holds of its object.
    include: Include,
    /// `?timeoutSeconds=` of a watch.
    pub timeout_seconds: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Include {
    None,
    Metadata,
    Object,
}

/// How the client wants to see objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    Json,
    Yaml,
    /// `as=Table`
    Table,
    /// `as=PartialObjectMetadata`, `as=PartialObjectMetadataList`
    Metadata,
}

/// Reads a request for one of the `kinds` that the server serves. `Err` is the answer to one that cannot be served.
pub fn parse(kinds: &[&'static Kind], http: &HttpRequest) -> Result<Route, Answer> {
    let (path, query) = http.path.split_once('?').unwrap_or((http.path, ""));
    let target = match path::parse(kinds, path) {
        Ok(Some(target)) => target,
        Ok(None) => return Ok(Route::Other(path.to_owned())),
        Err(not_found) => return Err(not_found),
    };
    let shape = answer::shape(http.accept).map_err(|status| refusal(&status, Shape::Json))?;
    let refuse = |status: Status| refusal(&status, shape);
    let parameters = query::Parameters::parse(query);
    let verb = path::verb(http.method, &target, &parameters).map_err(refuse)?;
    path::check_scope(&target, verb)?;
    let is_new = verb == Verb::Create && target.subresource == Subresource::None;
    let name = if is_new { "" } else { &target.name };
    let mut request = Request::of(verb, target.kind.id, &target.namespace, name).on(target.subresource);
    let is_patch = verb == Verb::Patch && target.subresource != Subresource::Proxy;
    let patch = is_patch.then(|| body::patch_kind(http, target.kind)).transpose().map_err(refuse)?;
    request.options = options::read(&parameters, verb, patch, http.user_agent).map_err(refuse)?;
    match target.subresource {
        Subresource::Exec | Subresource::Attach => request.body = Body::Exec(parameters.exec()),
        // Whatever they carry is not for the API server.
        Subresource::PortForward | Subresource::Proxy => {}
        _ => body::read(http, target.kind, &parameters, patch, &mut request).map_err(refuse)?,
    }
    let include = match parameters.get("includeObject") {
        Some("None") => Include::None,
        Some("Object") => Include::Object,
        Some(other) if shape == Shape::Table && !matches!(other, "" | "Metadata") => {
            let why = "must be 'Metadata', 'Object', 'None', or empty";
            let error = Error::invalid(&Path::new("includeObject"), other, why);
            return Err(refuse(Status::bad_request(format!("Unable to convert to Table as requested: {error}"))));
        }
        _ => Include::Metadata,
    };
    let timeout_seconds = parameters.get("timeoutSeconds").and_then(|seconds| seconds.parse().ok());
    let resource = Resource { kind: target.kind, verb, shape, include, timeout_seconds };
    Ok(Route::Resource(resource, Box::new(request)))
}
