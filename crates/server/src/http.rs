//! HTTP requests to the cluster's thread, and its answers back.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::task::{Context, Poll};

use api::{Caller, Reason, Status};
use apiserver::route::{Answer, Shape, refusal};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tokio::sync::{mpsc, oneshot};

use crate::actor::{Call, Command, Reply};
use crate::auth::Tokens;
use crate::websocket::{self, Upgrade};

/// `--max-request-body-bytes`; the pipeline has a smaller limit of its own.
const BODY_BYTES_MAX: usize = 3 * 1024 * 1024;

/// Where requests come in. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    cluster: Sender<Command>,
    tokens: Arc<Tokens>,
    /// The server listens on the loopback interface alone.
    loopback: bool,
}

impl Door {
    pub fn new(cluster: Sender<Command>, tokens: Tokens, loopback: bool) -> Door {
        Door { cluster, tokens: Arc::new(tokens), loopback }
    }

    pub async fn serve(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let headers = request.headers();
        let caller = match headers.get(header::AUTHORIZATION) {
            None if self.is_trusted(headers) => Ok(self.tokens.admin().caller()),
            _ => self.tokens.caller(text(headers, &header::AUTHORIZATION)),
        };
        let caller = match caller {
            Ok(caller) => caller,
            Err(status) => return Ok(respond(refusal(&status, Shape::Json))),
        };
        Ok(match self.answer(caller, request).await {
            Ok(response) => response,
            Err(status) => respond(refusal(&status, Shape::Json)),
        })
    }

    /// kubectl sends no token over plain HTTP. So, as upstream's insecure port did and `kubectl proxy` does, whoever comes
    /// over the loopback interface without credentials is the first token's user; not so a page in a browser, which names
    /// its origin or, after DNS rebinding, another host.
    fn is_trusted(&self, headers: &HeaderMap) -> bool {
        let host = text(headers, &header::HOST);
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
        let is_local = name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        self.loopback && is_local && !headers.contains_key(header::ORIGIN)
    }

    async fn answer(&self, caller: Caller, mut request: Request<Incoming>) -> Result<Response<Body>, Status> {
        let upgrade = Upgrade::of(&mut request);
        let (parts, body) = request.into_parts();
        let header = |name| text(&parts.headers, &name).to_owned();
        let mut call = Call {
            method: parts.method.to_string(),
            path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            content_type: header(header::CONTENT_TYPE),
            accept: header(header::ACCEPT),
            user_agent: header(header::USER_AGENT),
            body: String::new(),
            upgrades: upgrade.is_some(),
        };
        let collected = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|_| too_large())?;
        call.body = String::from_utf8(collected.to_bytes().into()).map_err(|_| unsupported())?;
        let (reply, answer) = oneshot::channel();
        let gone = |_| Status::internal("the cluster has stopped");
        self.cluster.send(Command::Serve { caller, call, reply }).map_err(|_| Status::internal("stopped"))?;
        Ok(match answer.await.map_err(gone)? {
            Reply::Answer(answer) => respond(answer),
            Reply::Session(session) => match upgrade {
                Some(upgrade) => upgrade.accept(session, self.cluster.clone()),
                None => respond(refusal(&websocket::refusal(), Shape::Json)),
            },
            Reply::Stream { content_type, warnings, pieces } => {
                head(StatusCode::OK, content_type, &warnings, Body::Stream(pieces))
            }
        })
    }
}

/// Every value of a header, as one text.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn too_large() -> Status {
    let message = format!("Request entity too large: limit is {BODY_BYTES_MAX}");
    Status::new(413, Reason::RequestEntityTooLarge, message)
}

/// Bodies that are no text: protobuf and CBOR.
fn unsupported() -> Status {
    let message = "the body of the request was in an unknown format - accepted media types include: application/json, \
                   application/yaml";
    Status::new(415, Reason::UnsupportedMediaType, message)
}

fn respond(answer: Answer) -> Response<Body> {
    let code = StatusCode::from_u16(answer.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    head(code, answer.content_type, &answer.warnings, Body::Whole(Some(answer.body.into())))
}

fn head(code: StatusCode, content_type: &'static str, warnings: &[String], body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    for warning in warnings {
        if let Ok(value) = HeaderValue::from_bytes(format!("299 - {}", quoted(warning)).as_bytes()) {
            headers.append(header::WARNING, value);
        }
    }
    response
}

/// A `quoted-string` of RFC 7230, without the control characters that no header may hold.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars().filter(|character| !character.is_control()) {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted + "\""
}

/// The body of an answer: known at once, or coming piece by piece until the cluster's thread lets go of it.
pub enum Body {
    Whole(Option<Bytes>),
    Stream(mpsc::Receiver<Bytes>),
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Body::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Body::Stream(pieces) => pieces.poll_recv(context).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Body::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Body::Stream(_) => SizeHint::default(),
        }
    }
}
