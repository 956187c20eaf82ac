//! HTTP to a Pod or a Service and back: the `proxy` subresource, and what a port-forward carries.

use api::types::Node;
use api::{KindId, Kinded, Reason, Status};
use apiserver::route::{Shape, refusal};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use tabernetes::{ContainerRequest, Outcome, Place, Protocol};

use crate::http::{Body, Form};

const KUBELET_PORT: &str = "10250";

/// A request for `…/proxy/…`: where it goes, and with which path and query.
pub struct Proxied {
    pub place: Place,
    pub path: String,
}

impl Proxied {
    /// `name` is `[SCHEME:]NAME[:PORT]`; `path` is the request's whole path with its query.
    pub fn new(kind: KindId, namespace: &str, name: &str, path: &str) -> Proxied {
        let parts: Vec<&str> = name.split(':').collect();
        let (name, port) = match parts.as_slice() {
            [_, name, port] | [name, port] => (*name, *port),
            _ => (name, ""),
        };
        let port = if kind == Node::ID && port.is_empty() { KUBELET_PORT } else { port };
        let place = Place { kind, namespace: namespace.into(), name: name.into(), port: port.into() };
        let rest = path.split_once("/proxy").map_or("", |(_, rest)| rest);
        let path = if rest.starts_with('/') { rest.into() } else { format!("/{rest}") };
        Proxied { place, path }
    }
}

pub fn request(method: &str, path: &str, headers: &HeaderMap, body: &[u8], port: u16) -> ContainerRequest {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let host = headers.get(header::HOST).map(text).unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host.as_str(), |(host, _)| host);
    ContainerRequest {
        method: method.into(),
        path: path.into(),
        headers: headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: String::from_utf8_lossy(body).into_owned(),
        client_ip: "127.0.0.1".into(),
        ..ContainerRequest::new(Protocol::Http, if host.is_empty() { "localhost" } else { host }, port)
    }
}

pub fn response(outcome: &Outcome, place: &Place) -> Response<Body> {
    let Outcome::Answered { status, headers, body } = outcome else {
        let Place { name, port, .. } = place;
        let message = format!("error trying to reach service: dial tcp {name}:{port}: {}", failure(outcome));
        return refused(&Status::new(503, Reason::ServiceUnavailable, message));
    };
    let mut response = Response::new(Body::Whole(Some(body.clone().into())));
    *response.status_mut() = StatusCode::from_u16(*status).unwrap_or(StatusCode::OK);
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value))
            && !matches!(name, header::CONTENT_LENGTH | header::TRANSFER_ENCODING | header::CONNECTION)
        {
            response.headers_mut().append(name, value);
        }
    }
    response
}

pub fn refused(status: &Status) -> Response<Body> {
    Form::default().respond(refusal(status, Shape::Json))
}

/// The words of Go's dialer.
pub fn failure(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Answered { .. } => "",
        Outcome::Refused => "connect: connection refused",
        Outcome::TimedOut => "i/o timeout",
        Outcome::Reset => "read: connection reset by peer",
        Outcome::Unreachable => "connect: no route to host",
        Outcome::UnknownHost => "no such host",
    }
}
