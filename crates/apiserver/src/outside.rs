//! The API server's own requests, to webhooks. Upstream: `apiserver/pkg/util/webhook` and client-go's `rest`.
//!
//! Differs: certificates are not looked at.

use api::SimTime;
use api::time::SECOND;
use api::types::Service;
use serde_json::Value;

use crate::Context;
use crate::registry::admission_rules::text;
use crate::storage::Storage;

/// The network as the API server's process has it. Whoever composes a cluster implements it: the API server knows no
/// more of networks.
pub trait Outside {
    /// Sends requests over TLS, all of them at the same moment, and waits for the last answer.
    fn post(&self, requests: &[Post]) -> Vec<Result<Answer, Failure>>;
}

/// One request with a JSON body.
#[derive(Clone, Debug)]
pub struct Post {
    /// An address; a name only if it is in no Service's.
    pub host: String,
    pub port: u16,
    /// With the query.
    pub path: String,
    pub body: String,
    pub timeout: SimTime,
}

/// What came back over HTTP.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// Why nothing came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    Refused,
    TimedOut,
    Unreachable,
    UnknownHost,
    /// The connection ended without an answer.
    Closed,
}

/// A request to a webhook, or why it cannot be sent.
pub(crate) struct Call {
    /// As errors name it.
    url: String,
    post: Result<Post, String>,
}

impl Call {
    /// A call by a `clientConfig`.
    pub fn new(storage: &Storage, config: &Value, seconds: u64, body: &Value) -> Call {
        let query = format!("?timeout={seconds}s");
        let post = |host: &str, port: u16, path: &str| Post {
            host: host.to_owned(),
            port,
            path: format!("{path}{query}"),
            body: body.to_string(),
            timeout: seconds * SECOND,
        };
        let Some(service) = config.get("service").filter(|service| !service.is_null()) else {
            let url = text(config, "url");
            let address = url.strip_prefix("https://").unwrap_or(url);
            let (authority, path) = address.find('/').map_or((address, "/"), |at| address.split_at(at));
            let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "443"));
            return Call { url: format!("{url}{query}"), post: Ok(post(host, port.parse().unwrap_or(443), path)) };
        };
        let (namespace, name, path) = (text(service, "namespace"), text(service, "name"), text(service, "path"));
        let port = service.get("port").and_then(Value::as_i64).unwrap_or(443);
        let path = if path.is_empty() { "/" } else { path };
        let url = format!("https://{name}.{namespace}.svc:{port}{path}{query}");
        Call { url, post: resolve(storage, namespace, name, port).map(|(host, port)| post(&host, port, path)) }
    }

    /// The JSON that the webhook answers with, or what Go's client says.
    fn result(&self, outcome: Result<Answer, Failure>) -> Result<Value, String> {
        let post = match &self.post {
            Ok(post) => post,
            Err(why) => return Err(format!("Post {:?}: {why}", self.url)),
        };
        let Post { host, port, .. } = post;
        let why = match outcome {
            Ok(answer) => return read(&answer),
            Err(Failure::Refused) => format!("dial tcp {host}:{port}: connect: connection refused"),
            Err(Failure::Unreachable) => format!("dial tcp {host}:{port}: connect: no route to host"),
            Err(Failure::UnknownHost) => format!("dial tcp: lookup {host}: no such host"),
            Err(Failure::TimedOut) => "context deadline exceeded".into(),
            Err(Failure::Closed) => "EOF".into(),
        };
        Err(format!("Post {:?}: {why}", self.url))
    }
}

/// Makes calls at the same time. Without a network nobody listens.
pub(crate) fn call(context: &Context, calls: &[Call]) -> Vec<Result<Value, String>> {
    let posts: Vec<Post> = calls.iter().filter_map(|call| call.post.clone().ok()).collect();
    let outcomes = match context.outside {
        Some(outside) => outside.post(&posts),
        None => posts.iter().map(|post| Err(unheard(post))).collect(),
    };
    let mut outcomes = outcomes.into_iter();
    let outcome_of = |call: &Call| match &call.post {
        Ok(_) => call.result(outcomes.next().unwrap_or(Err(Failure::Closed))),
        Err(_) => call.result(Err(Failure::UnknownHost)),
    };
    calls.iter().map(outcome_of).collect()
}

fn unheard(post: &Post) -> Failure {
    if post.host.parse::<std::net::IpAddr>().is_ok() { Failure::Refused } else { Failure::UnknownHost }
}

/// Upstream's `proxy.ResolveCluster`.
fn resolve(storage: &Storage, namespace: &str, name: &str, port: i64) -> Result<(String, u16), String> {
    let service = storage.find::<Service>(namespace, name).and_then(|service| service.spec.as_ref());
    let spec = service.ok_or_else(|| format!("service {name:?} not found"))?;
    let number = u16::try_from(port).unwrap_or_default();
    if spec.type_.as_deref() == Some("ExternalName") {
        return Ok((spec.external_name.clone().unwrap_or_default(), number));
    }
    let address = spec.cluster_ip.as_deref().unwrap_or_default();
    if address == "None" {
        return Err("cannot route to service with ClusterIP \"None\"".into());
    }
    if !spec.ports.iter().flatten().any(|open| i64::from(open.port) == port) {
        return Err(format!("no service port {port} found for service {name:?}"));
    }
    Ok((address.to_owned(), number))
}

/// client-go's `transformResponse` and `Result.Into`.
fn read(answer: &Answer) -> Result<Value, String> {
    let Answer { status, body } = answer;
    let body = body.trim();
    Err(match status {
        200..=206 if body.is_empty() => {
            format!("0-length response with status code: {status} and content type: application/json")
        }
        200..=206 => {
            return serde_json::from_str(body).map_err(|_| {
                let first = body.chars().next().unwrap_or_default();
                format!(
                    "couldn't get version/kind; json parse error: invalid character '{first}' looking for beginning of value"
                )
            });
        }
        400 => "the server rejected our request for an unknown reason".into(),
        401 => "the server has asked for the client to provide credentials".into(),
        403 => body.to_owned(),
        404 => "the server could not find the requested resource".into(),
        405 => "the server does not allow this method on the requested resource".into(),
        429 => "the server has received too many requests and has asked us to try again later".into(),
        503 => "the server is currently unable to handle the request".into(),
        504 => {
            "the server was unable to return a response in the time allotted, but may still be processing the request"
                .into()
        }
        500.. => format!("an error on the server ({body:?}) has prevented the request from succeeding"),
        _ => format!("the server responded with the status code {status} but did not return more information"),
    })
}
