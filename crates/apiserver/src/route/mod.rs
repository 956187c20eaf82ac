//! HTTP on the one side, [`api::Request`] on the other: paths, query parameters, content types, and how answers look.
//!
//! Nothing here touches a socket: the HTTP server reads a request's parts into an [`HttpRequest`], asks [`parse`] what is
//! wanted, has it served, and writes the [`Answer`].

mod answer;
mod body;
mod path;
mod query;

use api::{Kind, Request, Status};

pub use answer::{Answer, answer, refusal, watch_line};

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
}

/// What a request asks for.
#[derive(Debug)]
pub enum Route {
    Resource(Box<Resource>),
    /// A path that names no resource: `/version`, `/apis/apps`, `/openapi/v3`. The rest of the path, without the query.
    Other(String),
}

#[derive(Debug)]
pub struct Resource {
    pub kind: &'static Kind,
    pub request: Request,
    pub shape: Shape,
    /// `?timeoutSeconds=` of a watch.
    pub timeout_seconds: Option<u64>,
}

/// How the client wants to see objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Json,
    Yaml,
    /// `as=Table`
    Table,
}

/// Reads a request. `Err` is the answer to one that cannot be served.
pub fn parse(http: &HttpRequest) -> Result<Route, Answer> {
    let (path, query) = http.path.split_once('?').unwrap_or((http.path, ""));
    let shape = answer::shape(http.accept).map_err(|status| refusal(&status, Shape::Json))?;
    let target = match path::parse(path) {
        Ok(Some(target)) => target,
        Ok(None) => return Ok(Route::Other(path.to_owned())),
        Err(not_found) => return Err(not_found),
    };
    let refuse = |status: Status| refusal(&status, shape);
    let parameters = query::Parameters::parse(query);
    let verb = path::verb(http.method, &target, &parameters).map_err(refuse)?;
    let mut request = Request::of(verb, target.kind.id, &target.namespace, &target.name).on(target.subresource);
    request.options = parameters.options(verb, http.user_agent).map_err(refuse)?;
    body::read(http, target.kind, &mut request).map_err(refuse)?;
    let timeout_seconds = parameters.get("timeoutSeconds").and_then(|seconds| seconds.parse().ok());
    Ok(Route::Resource(Box::new(Resource { kind: target.kind, request, shape, timeout_seconds })))
}
