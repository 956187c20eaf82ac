//! exec and attach. Over WebSocket the first byte of a message says what it is: standard input, output and error, the final
//! `Status`, a terminal's size, or that a channel has been closed. Over SPDY each of these is a stream.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::Sender;
use std::time::Duration;

use api::request::StreamOutput;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::spdy::{Frame, Reader, Writer};
use super::websocket::Socket;
use super::{Session, ending, typed};
use crate::actor::Command;

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const CLOSE_CHANNEL: u8 = 255;

/// A client that has not opened the streams that it wants by then does not want them.
const STREAMS_MAX: Duration = Duration::from_secs(2);

pub async fn over_websocket(
    connection: impl AsyncRead + AsyncWrite + Send + 'static,
    session: Session,
    cluster: &Sender<Command>,
) -> io::Result<()> {
    let mut socket = Socket::new(connection);
    let Session { stream, tty, mut output } = session;
    loop {
        tokio::select! {
            message = socket.next() => {
                let Some(message) = message else { break };
                let command = match message.as_slice() {
                    [STDIN, text @ ..] => typed(stream, tty, text),
                    [CLOSE_CHANNEL, STDIN] => Command::CloseInput { stream },
                    _ => continue,
                };
                if cluster.send(command).is_err() {
                    break;
                }
            }
            piece = output.recv() => {
                let Some(piece) = piece else { break };
                for (channel, bytes) in pieces(&piece) {
                    socket.send(&[&[channel], bytes.as_slice()].concat()).await?;
                }
                if piece.end.is_some() {
                    break;
                }
            }
        }
    }
    socket.close().await
}

pub async fn over_spdy(
    connection: impl AsyncRead + AsyncWrite + Send + 'static,
    session: Session,
    cluster: &Sender<Command>,
) -> io::Result<()> {
    let (reader, mut out) = tokio::io::split(connection);
    let Session { stream: id, tty, mut output } = session;
    let mut frames = listen(reader);
    let mut writer = Writer::default();
    // The streams of standard input, output and error and of the status.
    let mut streams: BTreeMap<u8, u32> = BTreeMap::new();
    let mut waiting: Vec<(u8, Vec<u8>)> = Vec::new();
    let mut has_ended = false;
    loop {
        // Once there is nothing more to come, only the streams for what is there are waited for.
        let next = async {
            if !has_ended {
                return frames.recv().await;
            }
            timeout(STREAMS_MAX, frames.recv()).await.ok().flatten()
        };
        tokio::select! {
            frame = next => match frame {
                Some(Frame::Open { stream, headers }) => {
                    let kind = headers.iter().find(|(name, _)| name == "streamtype").map(|(_, kind)| kind.as_str());
                    let channels = [("stdin", STDIN), ("stdout", STDOUT), ("stderr", STDERR), ("error", ERROR)];
                    if let Some((_, channel)) = channels.into_iter().find(|(name, _)| Some(*name) == kind) {
                        streams.insert(channel, stream);
                    }
                    out.write_all(&writer.accept(stream)).await?;
                }
                Some(Frame::Data { stream, bytes, is_last }) if streams.get(&STDIN) == Some(&stream) => {
                    let close = is_last.then_some(Command::CloseInput { stream: id });
                    let write = (!bytes.is_empty()).then(|| typed(id, tty, &bytes));
                    if write.into_iter().chain(close).any(|command| cluster.send(command).is_err()) {
                        break;
                    }
                }
                Some(Frame::Ping(number)) => out.write_all(&writer.pong(number)).await?,
                Some(Frame::Away) | None => break,
                Some(_) => {}
            },
            piece = output.recv(), if !has_ended => {
                let Some(piece) = piece else { break };
                has_ended = piece.end.is_some();
                waiting.extend(pieces(&piece));
            }
        }
        let (ready, rest) = waiting.into_iter().partition::<Vec<_>, _>(|(channel, _)| streams.contains_key(channel));
        waiting = rest;
        for (channel, bytes) in ready {
            out.write_all(&writer.data(streams[&channel], &bytes, false)).await?;
        }
        if has_ended && waiting.is_empty() {
            for stream in streams.values() {
                out.write_all(&writer.data(*stream, &[], true)).await?;
            }
            break;
        }
    }
    out.shutdown().await
}

/// Reads frames in a task of its own, which ends with whoever listens.
pub fn listen(connection: impl AsyncRead + Unpin + Send + 'static) -> mpsc::Receiver<Frame> {
    let (heard, frames) = mpsc::channel(16);
    tokio::spawn(async move {
        let mut reader = Reader::new(connection);
        while let Ok(frame) = reader.next().await {
            if heard.send(frame).await.is_err() {
                return;
            }
        }
    });
    frames
}

/// What is to be sent, by channel.
fn pieces(piece: &StreamOutput) -> Vec<(u8, Vec<u8>)> {
    let texts = [(STDOUT, &piece.stdout), (STDERR, &piece.stderr)].into_iter().filter(|(_, text)| !text.is_empty());
    let mut pieces: Vec<_> = texts.map(|(channel, text)| (channel, text.clone().into_bytes())).collect();
    pieces.extend(piece.end.as_ref().map(|end| (ERROR, ending(end).to_string().into_bytes())));
    pieces
}
