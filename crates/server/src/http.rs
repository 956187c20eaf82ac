//! HTTP requests to the cluster's thread, and its answers back.

use std::convert::Infallible;
use std::error::Error;
use std::io::Write as _;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::task::{Context, Poll};

use api::{Reason, Status, User};
use apiserver::authentication::Marks;
use apiserver::route::{Answer, Shape, refusal};
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::{mpsc, oneshot};

use crate::actor::{Call, Command, Reply, dial};
use crate::auth::Tokens;
use crate::openapi::Document;
use crate::protobuf;
use crate::proxy::{self, Proxied};
use crate::streaming::{self, Upgrade};

/// `MaxRequestBodyBytes`
const BODY_BYTES_MAX: usize = 3 * 1024 * 1024;
/// Smaller answers are not worth compressing.
const GZIP_BYTES_MIN: usize = 128 * 1024;

const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");
const FLOW_SCHEMA: HeaderName = HeaderName::from_static("x-kubernetes-pf-flowschema-uid");
const PRIORITY_LEVEL: HeaderName = HeaderName::from_static("x-kubernetes-pf-prioritylevel-uid");

/// Where requests come in. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    cluster: Sender<Command>,
    tokens: Arc<Tokens>,
    /// Whoever comes over the loopback interface without credentials is the first token's user.
    trusts_loopback: bool,
    /// Whom the connection's client certificate names.
    certified: Option<User>,
}

impl Door {
    pub fn new(cluster: Sender<Command>, tokens: Tokens, trusts_loopback: bool) -> Door {
        Door { cluster, tokens: Arc::new(tokens), trusts_loopback, certified: None }
    }

    /// The same door for one connection, whose client certificate names its caller.
    pub fn of(self, certified: Option<User>) -> Door {
        Door { certified, ..self }
    }

    pub async fn serve(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let headers = request.headers();
        let user = match (&self.certified, headers.get(header::AUTHORIZATION)) {
            (Some(user), _) => Some(user.clone()),
            (None, None) if self.is_trusted(headers) => Some(self.tokens.admin().user()),
            _ => None,
        };
        Ok(match self.answer(user, request).await {
            Ok(response) => response,
            Err(status) => Form::default().respond(refusal(&status, Shape::Json)),
        })
    }

    /// kubectl sends no token over plain HTTP. So, as upstream's insecure port did and `kubectl proxy` does, whoever comes
    /// over the loopback interface without credentials is the first token's user; not so a page in a browser, which names
    /// its origin or, after DNS rebinding, another host.
    fn is_trusted(&self, headers: &HeaderMap) -> bool {
        let host = text(headers, &header::HOST);
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
        let is_local = name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        self.trusts_loopback && is_local && !headers.contains_key(header::ORIGIN)
    }

    async fn answer(&self, user: Option<User>, mut request: Request<Incoming>) -> Result<Response<Body>, Status> {
        let upgrade = Upgrade::of(&mut request);
        let (parts, body) = request.into_parts();
        let header = |name| text(&parts.headers, &name).to_owned();
        let collected = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|why| unreadable(&*why))?.to_bytes();
        let (content_type, body) =
            readable(&parts.method, header(header::CONTENT_TYPE), &collected).map_err(Status::bad_request)?;
        let (wants_protobuf, accept) = protobuf::preference(text(&parts.headers, &header::ACCEPT));
        let form = Form { is_protobuf: wants_protobuf, may_be_gzip: accepts_gzip(&parts.headers) };
        let call = Call {
            method: parts.method.to_string(),
            path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            content_type,
            accept,
            user_agent: header(header::USER_AGENT),
            body,
            user,
            authorization: header(header::AUTHORIZATION),
            impersonate: impersonation(&parts.headers),
            audit_id: header(AUDIT_ID),
            upgrades: upgrade.is_some(),
        };
        let (reply, answer) = oneshot::channel();
        let gone = |_| Status::internal("the cluster has stopped");
        self.cluster.send(Command::Serve { call, reply }).map_err(|_| Status::internal("stopped"))?;
        let (marks, reply) = answer.await.map_err(gone)?;
        let mut response = match reply {
            Reply::Answer(answer) => form.respond(answer),
            Reply::Document(document) => form.document(&parts.headers, document),
            Reply::Upgrade(purpose) => match upgrade {
                Some(upgrade) => upgrade.accept(purpose, self.cluster.clone()),
                None => form.respond(refusal(&streaming::refusal(), Shape::Json)),
            },
            Reply::Proxy(Proxied { place, path }) => {
                let port = place.port.parse().unwrap_or(0);
                let request = proxy::request(parts.method.as_str(), &path, &parts.headers, &collected, port);
                match dial(&self.cluster, &place, request).await {
                    Ok(outcome) => proxy::response(&outcome, &place),
                    Err(status) => proxy::refused(&status),
                }
            }
            Reply::Stream { content_type, warnings, pieces } => form.stream(content_type, &warnings, pieces),
        };
        mark(response.headers_mut(), &marks);
        Ok(response)
    }
}

/// What every answer tells of its request.
fn mark(headers: &mut HeaderMap, marks: &Marks) {
    let flow = marks.flow.iter().flat_map(|flow| [(FLOW_SCHEMA, &flow.schema_uid), (PRIORITY_LEVEL, &flow.level_uid)]);
    for (name, value) in flow.chain([(AUDIT_ID, &marks.audit_id)]) {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
}

/// The headers with which a caller asks to be somebody else.
fn impersonation(headers: &HeaderMap) -> Vec<(String, String)> {
    let is_one = |name: &HeaderName| name.as_str().starts_with("impersonate-");
    let pairs = headers.iter().filter(|(name, _)| is_one(name));
    pairs.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect()
}

/// Every value of a header, as one text.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The body is too large, or ends before its announced end.
fn unreadable(why: &(dyn Error + Send + Sync + 'static)) -> Status {
    if !why.is::<LengthLimitError>() {
        return Status::bad_request("unexpected EOF");
    }
    let message = format!("Request entity too large: limit is {BODY_BYTES_MAX}");
    Status::new(413, Reason::RequestEntityTooLarge, message)
}

/// The body as the core reads it, which is text, and its type. Go's JSON reader, too, takes bytes that are no UTF-8 for
/// replacement characters.
fn readable(method: &Method, content_type: String, body: &[u8]) -> Result<(String, String), String> {
    let is_protobuf = content_type.split(';').next().is_some_and(|media| media.trim() == protobuf::MEDIA_TYPE);
    if is_protobuf && method != Method::PATCH && !body.is_empty() {
        return Ok(("application/json".into(), protobuf::decode(body)?.to_string()));
    }
    Ok((content_type, String::from_utf8_lossy(body).into_owned()))
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    text(headers, &header::ACCEPT_ENCODING).split(',').any(|coding| coding.trim() == "gzip")
}

/// In which form a client takes an answer.
#[derive(Default)]
pub struct Form {
    is_protobuf: bool,
    may_be_gzip: bool,
}

impl Form {
    pub fn respond(&self, answer: Answer) -> Response<Body> {
        let (content_type, body) = match self.encoded(&answer) {
            Some(message) => (protobuf::MEDIA_TYPE, message),
            None => (answer.content_type, answer.body.into_bytes()),
        };
        let code = StatusCode::from_u16(answer.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = self.whole(code, content_type, &answer.warnings, body.into());
        if answer.retry_after > 0 {
            response.headers_mut().insert(header::RETRY_AFTER, answer.retry_after.into());
        }
        response
    }

    fn whole(&self, code: StatusCode, content_type: &'static str, warnings: &[String], body: Bytes) -> Response<Body> {
        let is_gzip = self.may_be_gzip && body.len() > GZIP_BYTES_MIN;
        let body = if is_gzip { gzip(&body).into() } else { body };
        let mut response = head(code, content_type, warnings, Body::Whole(Some(body)));
        if is_gzip {
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        response
    }

    /// What a client may keep until its tag changes.
    fn document(&self, headers: &HeaderMap, Document { content_type, body, hash }: Document) -> Response<Body> {
        let tag = format!("\"{hash}\"");
        let mut response = match text(headers, &header::IF_NONE_MATCH) {
            known if known == tag => head(StatusCode::NOT_MODIFIED, content_type, &[], Body::Whole(None)),
            _ => self.whole(StatusCode::OK, content_type, &[], body),
        };
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }

    fn encoded(&self, answer: &Answer) -> Option<Vec<u8>> {
        let is_json = self.is_protobuf && answer.content_type == "application/json";
        protobuf::encode(&serde_json::from_str(is_json.then_some(&answer.body)?).ok()?)
    }

    fn stream(&self, content_type: &'static str, warnings: &[String], pieces: mpsc::Receiver<Bytes>) -> Response<Body> {
        if self.is_protobuf && content_type == "application/json" {
            return head(StatusCode::OK, protobuf::WATCH_MEDIA_TYPE, warnings, Body::Frames(pieces));
        }
        head(StatusCode::OK, content_type, warnings, Body::Stream(pieces))
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(body);
    written.and_then(|()| encoder.finish()).expect("memory takes every byte")
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
    /// A watch whose lines go out as protobuf.
    Frames(mpsc::Receiver<Bytes>),
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Body::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Body::Stream(pieces) => pieces.poll_recv(context).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes)))),
            Body::Frames(pieces) => pieces
                .poll_recv(context)
                .map(|piece| piece.map(|lines| Ok(Frame::data(protobuf::watch_frames(&lines).into())))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Body::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Body::Stream(_) | Body::Frames(_) => SizeHint::default(),
        }
    }
}
