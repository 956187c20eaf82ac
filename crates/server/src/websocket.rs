//! exec and attach over WebSocket: RFC 6455 as far as `v5.channel.k8s.io` needs it.
//!
//! Every message is binary, and its first byte says what it is: standard input, output and error, the final `Status`, a
//! terminal's size, or that a channel has been closed.

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
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;

use crate::actor::{Command, Session};
use crate::http::Body;

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
const PROTOCOL: HeaderName = HeaderName::from_static("sec-websocket-protocol");

/// Nobody types more at once.
const MESSAGE_BYTES_MAX: u64 = 1024 * 1024;
/// What a terminal sends for Ctrl-C.
const INTERRUPT: &str = "\u{3}";

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const CLOSE_CHANNEL: u8 = 255;

const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A client that wants to leave HTTP.
pub struct Upgrade {
    connection: OnUpgrade,
    accept: String,
    protocol: &'static str,
}

impl Upgrade {
    /// `None`: the request asks for no WebSocket whose messages are understood here.
    pub fn of(request: &mut Request<Incoming>) -> Option<Upgrade> {
        let headers = request.headers();
        if !names(headers, &header::UPGRADE).any(|name| name.eq_ignore_ascii_case("websocket")) {
            return None;
        }
        let protocol = PROTOCOLS.into_iter().find(|known| names(headers, &PROTOCOL).any(|name| name == *known))?;
        let key = headers.get(header::SEC_WEBSOCKET_KEY)?.to_str().ok()?;
        let digest = sha1_smol::Sha1::from(format!("{key}{GUID}")).digest().bytes();
        let accept = base64::engine::general_purpose::STANDARD.encode(digest);
        Some(Upgrade { connection: hyper::upgrade::on(request), accept, protocol })
    }

    /// Switches protocols, and carries the session from then on.
    pub fn accept(self, session: Session, cluster: Sender<Command>) -> Response<Body> {
        tokio::spawn(async move {
            if let Ok(connection) = self.connection.await {
                // A connection that breaks ends the session: the cluster's thread sees that nobody listens.
                let _ = carry(TokioIo::new(connection), session, &cluster).await;
            }
        });
        let mut response = Response::new(Body::Whole(None));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(PROTOCOL, HeaderValue::from_static(self.protocol));
        if let Ok(accept) = HeaderValue::from_str(&self.accept) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        response
    }
}

/// The names that a header lists.
fn names<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

async fn carry(
    connection: impl AsyncRead + AsyncWrite + Send + 'static,
    session: Session,
    cluster: &Sender<Command>,
) -> io::Result<()> {
    let (mut reader, mut writer) = tokio::io::split(connection);
    let Session { stream, tty, mut output } = session;
    // Reading a message must not be cut off half-way by output, so that it has a task of its own.
    let (heard, mut messages) = mpsc::channel(16);
    let listener = tokio::spawn(async move {
        while let Ok(message) = read(&mut reader).await {
            if heard.send(message).await.is_err() {
                return;
            }
        }
    });
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                None => break,
                Some((CLOSE, _)) => {
                    write(&mut writer, CLOSE, &[]).await?;
                    break;
                }
                Some((PING, payload)) => write(&mut writer, PONG, &payload).await?,
                Some((_, payload)) => {
                    if let Some(command) = typed(stream, tty, &payload) && cluster.send(command).is_err() {
                        break;
                    }
                }
            },
            piece = output.recv() => match piece {
                None => break,
                Some(piece) => {
                    if send(&mut writer, piece).await? {
                        break;
                    }
                }
            },
        }
    }
    listener.abort();
    writer.shutdown().await
}

/// What a message of the client means to the session.
fn typed(stream: StreamId, tty: bool, payload: &[u8]) -> Option<Command> {
    match payload {
        [STDIN, text @ ..] => {
            let text = String::from_utf8_lossy(text).into_owned();
            let text = (!tty || text != INTERRUPT).then_some(text);
            Some(Command::Write { stream, text })
        }
        [CLOSE_CHANNEL, STDIN] => Some(Command::CloseInput { stream }),
        _ => None,
    }
}

/// Sends a piece of output. True when it was the last.
async fn send(writer: &mut (impl AsyncWrite + Unpin), piece: StreamOutput) -> io::Result<bool> {
    for (channel, text) in [(STDOUT, &piece.stdout), (STDERR, &piece.stderr)] {
        if !text.is_empty() {
            write(writer, BINARY, &[&[channel], text.as_bytes()].concat()).await?;
        }
    }
    let Some(end) = piece.end else { return Ok(false) };
    let status = match end {
        Ok(0) => json!({ "metadata": {}, "status": "Success" }),
        Ok(code) => json!({
            "metadata": {},
            "status": "Failure",
            "reason": "NonZeroExitCode",
            "message": format!("command terminated with non-zero exit code: exit status {code}"),
            "details": { "causes": [{ "reason": "ExitCode", "message": code.to_string() }] },
        }),
        Err(status) => status.to_value(),
    };
    write(writer, BINARY, &[&[ERROR], status.to_string().as_bytes()].concat()).await?;
    // 1000: a normal end.
    write(writer, CLOSE, &1000_u16.to_be_bytes()).await?;
    Ok(true)
}

/// Reads one frame: its opcode and what it holds. A message in several frames is several to the session as well.
async fn read(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<(u8, Vec<u8>)> {
    let [first, second] = [reader.read_u8().await?, reader.read_u8().await?];
    let length = match second & 0x7f {
        126 => u64::from(reader.read_u16().await?),
        127 => reader.read_u64().await?,
        length => u64::from(length),
    };
    if length > MESSAGE_BYTES_MAX || second & 0x80 == 0 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut mask = [0; 4];
    reader.read_exact(&mut mask).await?;
    let mut payload = vec![0; length as usize];
    reader.read_exact(&mut payload).await?;
    payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    Ok((first & 0xf, payload))
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), opcode: u8, payload: &[u8]) -> io::Result<()> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        length @ 0..126 => frame.push(length as u8),
        length @ 126..0x1_0000 => {
            frame.push(126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    writer.write_all(&frame).await?;
    writer.flush().await
}

pub fn refusal() -> Status {
    Status::new(400, Reason::BadRequest, "Upgrade request required: this server speaks WebSocket, v5.channel.k8s.io")
}
