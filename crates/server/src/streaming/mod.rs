//! Connections that leave HTTP: exec, attach and port-forward.
//!
//! Clients open them in one of three ways: WebSocket messages whose first byte names a channel (`v5.channel.k8s.io`), SPDY
//! streams, or SPDY inside WebSocket messages (`SPDY/3.1+portforward.k8s.io`).

mod exec;
mod forward;
mod spdy;
mod websocket;

use std::io;
use std::sync::mpsc::Sender;

use api::request::{StreamId, StreamOutput};
use api::{Reason, Status};
use base64::Engine as _;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use crate::actor::Command;
use crate::http::Body;

pub use forward::Forward;

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const WEBSOCKET_PROTOCOL: HeaderName = HeaderName::from_static("sec-websocket-protocol");
const SPDY_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");
const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";

const WEBSOCKET_PROTOCOLS: &[&str] = &["v5.channel.k8s.io", "v4.channel.k8s.io", TUNNEL];
const SPDY_PROTOCOLS: &[&str] = &["v4.channel.k8s.io", "portforward.k8s.io"];

/// What a terminal sends for Ctrl-C.
const INTERRUPT: &str = "\u{3}";

/// An exec or attach session, to be carried over the client's connection.
pub struct Session {
    pub stream: StreamId,
    pub tty: bool,
    pub output: mpsc::Receiver<StreamOutput>,
}

/// What a connection is upgraded for.
pub enum Purpose {
    Session(Session),
    Forward(Forward),
}

/// A client that wants to leave HTTP.
pub struct Upgrade {
    connection: OnUpgrade,
    protocol: &'static str,
    /// The answer to a WebSocket's key; `None` for SPDY.
    accept: Option<String>,
}

impl Upgrade {
    /// `None`: the request asks for nothing that is understood here.
    pub fn of(request: &mut Request<Incoming>) -> Option<Upgrade> {
        let headers = request.headers();
        let wants = |wanted| names(headers, &header::UPGRADE).any(|name| name.eq_ignore_ascii_case(wanted));
        let common = |known: &[&'static str], header| {
            known.iter().copied().find(|known| names(headers, header).any(|name| name == *known))
        };
        let (protocol, accept) = if wants("websocket") {
            let key = headers.get(header::SEC_WEBSOCKET_KEY)?.to_str().ok()?;
            let digest = sha1_smol::Sha1::from(format!("{key}{GUID}")).digest().bytes();
            let accept = base64::engine::general_purpose::STANDARD.encode(digest);
            (common(WEBSOCKET_PROTOCOLS, &WEBSOCKET_PROTOCOL)?, Some(accept))
        } else if wants("SPDY/3.1") {
            (common(SPDY_PROTOCOLS, &SPDY_PROTOCOL)?, None)
        } else {
            return None;
        };
        Some(Upgrade { connection: hyper::upgrade::on(request), protocol, accept })
    }

    /// Switches protocols, and carries what the connection is for from then on.
    pub fn accept(self, purpose: Purpose, cluster: Sender<Command>) -> Response<Body> {
        let mut response = Response::new(Body::Whole(None));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        let is_websocket = self.accept.is_some();
        let (upgrade, name) =
            if is_websocket { ("websocket", WEBSOCKET_PROTOCOL) } else { ("SPDY/3.1", SPDY_PROTOCOL) };
        headers.insert(header::UPGRADE, HeaderValue::from_static(upgrade));
        headers.insert(name, HeaderValue::from_static(self.protocol));
        if let Some(accept) = self.accept.and_then(|accept| HeaderValue::from_str(&accept).ok()) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        tokio::spawn(async move {
            if let Ok(connection) = self.connection.await {
                let connection = TokioIo::new(connection);
                // A connection that breaks ends what it was for: whoever wrote to it sees that nobody listens.
                let _ = carry(connection, purpose, self.protocol, is_websocket, cluster).await;
            }
        });
        response
    }
}

async fn carry(
    connection: impl AsyncRead + AsyncWrite + Send + 'static,
    purpose: Purpose,
    protocol: &'static str,
    is_websocket: bool,
    cluster: Sender<Command>,
) -> io::Result<()> {
    match purpose {
        Purpose::Session(session) if is_websocket => exec::over_websocket(connection, session, &cluster).await,
        Purpose::Session(session) => exec::over_spdy(connection, session, &cluster).await,
        Purpose::Forward(forward) if protocol == TUNNEL => {
            forward::over_spdy(websocket::tunnel(connection), forward, cluster).await
        }
        Purpose::Forward(forward) if is_websocket => forward::over_websocket(connection, forward, cluster).await,
        Purpose::Forward(forward) => forward::over_spdy(connection, forward, cluster).await,
    }
}

/// The names that a header lists.
fn names<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

pub fn refusal() -> Status {
    Status::new(400, Reason::BadRequest, "Upgrade request required")
}

/// How a session has ended, as `v4.channel.k8s.io` tells it.
fn ending(end: &Result<i32, Status>) -> Value {
    match end {
        Ok(0) => json!({ "metadata": {}, "status": "Success" }),
        Ok(code) => json!({
            "metadata": {},
            "status": "Failure",
            "reason": "NonZeroExitCode",
            "message": format!("command terminated with non-zero exit code: exit status {code}"),
            "details": { "causes": [{ "reason": "ExitCode", "message": code.to_string() }] },
        }),
        Err(status) => status.to_value(),
    }
}

/// What standard input means to a session.
fn typed(stream: StreamId, tty: bool, bytes: &[u8]) -> Command {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let text = (!tty || text != INTERRUPT).then_some(text);
    Command::Write { stream, text }
}
