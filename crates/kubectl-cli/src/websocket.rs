//! exec, attach and port-forward over a WebSocket (RFC 6455, `v5.channel.k8s.io`): the first byte of a message names its channel.

use std::io;

use api::Status;
use api::request::StreamOutput;
use serde_json::Value;

use crate::answer;
use crate::config::Settings;
use crate::wire::{PAUSE, Wire};

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const CLOSE_CHANNEL: u8 = 255;
/// What a terminal sends for Ctrl-C.
const INTERRUPT: u8 = 3;

const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;

/// A conversation in messages, each of which begins with the number of its channel.
pub struct Socket {
    wire: Wire,
    unread: Vec<u8>,
    has_ended: bool,
}

impl Socket {
    /// Asks a server to switch protocols.
    pub fn open(settings: &Settings, path: &str, headers: &[(&str, String)]) -> Result<Socket, Status> {
        let broken = |error: io::Error| Status::internal(format!("unable to upgrade connection: {error}"));
        let mut wire = Wire::open(settings).map_err(broken)?;
        let server = &settings.context.server;
        let host = server.split_once("://").map_or(server.as_str(), |(_, rest)| rest).trim_end_matches('/');
        let mut head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
        let fixed = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            // Its randomness keeps caches between from answering; there are none for a request of a protocol's change.
            ("Sec-WebSocket-Key", "dGFiZXJuZXRlcyBrdWJlYw=="),
            ("Sec-WebSocket-Version", "13"),
            (
                "Sec-WebSocket-Protocol",
                if path.contains("/portforward") { "v4.channel.k8s.io" } else { "v5.channel.k8s.io" },
            ),
        ];
        fixed.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        wire.write(format!("{head}\r\n").as_bytes()).map_err(broken)?;
        let mut socket = Socket { wire, unread: Vec::new(), has_ended: false };
        let end = loop {
            if let Some(at) = socket.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            socket.wait().map_err(broken)?;
        };
        let head: Vec<u8> = socket.unread.drain(..end).collect();
        let (code, length) = read_head(&String::from_utf8_lossy(&head));
        if code != 101 {
            while socket.unread.len() < length {
                socket.wait().map_err(broken)?;
            }
            return Err(answer::refusal(code, &String::from_utf8_lossy(&socket.unread)));
        }
        Ok(socket)
    }

    /// Waits for more bytes.
    fn wait(&mut self) -> io::Result<()> {
        let before = self.unread.len();
        while self.unread.len() == before {
            self.receive();
            if self.has_ended && self.unread.len() == before {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn receive(&mut self) {
        loop {
            match self.wire.read() {
                Some(bytes) if bytes.is_empty() => return,
                Some(bytes) => self.unread.extend(bytes),
                None => {
                    self.has_ended = true;
                    return;
                }
            }
        }
    }

    pub fn send(&mut self, channel: u8, bytes: &[u8]) -> io::Result<()> {
        let length = bytes.len() + 1;
        let mut frame = vec![FINAL | BINARY];
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short), _) if short < 126 => frame.push(MASKED | short),
            (_, Ok(middle)) => {
                frame.push(MASKED | 126);
                frame.extend(middle.to_be_bytes());
            }
            _ => {
                frame.push(MASKED | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        // A mask of zeros: it is there against caches that would mistake a payload for a request.
        frame.extend([0; 4]);
        frame.push(channel);
        frame.extend(bytes);
        self.wire.write(&frame)
    }

    /// The messages that have come; `None` when there will be no more.
    pub fn messages(&mut self) -> Option<Vec<Vec<u8>>> {
        self.receive();
        let mut messages = Vec::new();
        while let Some((kind, payload)) = take_message(&mut self.unread) {
            match kind {
                CLOSE => self.has_ended = true,
                _ => messages.push(payload),
            }
        }
        (!messages.is_empty() || !self.has_ended).then_some(messages)
    }
}

/// A program in a container, at the other end of a connection.
pub struct Session {
    socket: Socket,
}

impl Session {
    pub fn open(settings: &Settings, path: &str, headers: &[(&str, String)]) -> Result<Session, Status> {
        Socket::open(settings, path, headers).map(|socket| Session { socket })
    }

    /// Standard input, which ends with it; `None` for Ctrl-C.
    pub fn write(&mut self, text: Option<&str>) {
        // Whoever reads sees that the connection has gone.
        let _ = match text {
            Some(text) => {
                let sent = self.socket.send(STDIN, text.as_bytes());
                sent.and_then(|()| self.socket.send(CLOSE_CHANNEL, &[STDIN]))
            }
            None => self.socket.send(STDIN, &[INTERRUPT]),
        };
    }

    /// What has come since the last call.
    pub fn read(&mut self) -> StreamOutput {
        let mut output = StreamOutput::default();
        let Some(messages) = self.socket.messages() else {
            output.end = Some(Ok(0));
            return output;
        };
        for message in messages {
            match message.as_slice() {
                [STDOUT, text @ ..] => output.stdout.push_str(&String::from_utf8_lossy(text)),
                [STDERR, text @ ..] => output.stderr.push_str(&String::from_utf8_lossy(text)),
                [ERROR, text @ ..] => output.end = Some(ending(text)),
                _ => {}
            }
        }
        output
    }
}

/// The exit code that the last `Status` tells, or what went wrong.
fn ending(text: &[u8]) -> Result<i32, Status> {
    let value: Value = serde_json::from_slice(text).unwrap_or_default();
    if value["status"] == "Success" {
        return Ok(0);
    }
    let causes = value["details"]["causes"].as_array().into_iter().flatten();
    let code = causes.filter(|cause| cause["reason"] == "ExitCode").find_map(|cause| cause["message"].as_str());
    match code.and_then(|code| code.parse().ok()) {
        Some(code) => Ok(code),
        None => Err(Status::from_value(&value, 500)),
    }
}

/// The status code of an answer, and how long its body is.
fn read_head(head: &str) -> (u16, usize) {
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default();
    let mut lengths =
        head.lines().filter_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    (code, lengths.next().unwrap_or_default())
}

/// The first message's kind and payload, once all of it is there. Servers mask nothing, and ours send every message in one
/// piece.
fn take_message(unread: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let (first, second) = (*unread.first()?, *unread.get(1)?);
    let long = |bytes: &[u8]| bytes.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
    let (start, length) = match second & !MASKED {
        126 => (4_usize, long(unread.get(2..4)?)),
        127 => (10, long(unread.get(2..10)?)),
        short => (2, usize::from(short)),
    };
    let end = start.checked_add(length)?;
    let payload = unread.get(start..end)?.to_vec();
    unread.drain(..end);
    Some((first & !FINAL, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_each_length() {
        for length in [5_usize, 300, 70_000] {
            let mut bytes = vec![FINAL | BINARY];
            match length {
                0..126 => bytes.push(length as u8),
                126..65_536 => {
                    bytes.push(126);
                    bytes.extend((length as u16).to_be_bytes());
                }
                _ => {
                    bytes.push(127);
                    bytes.extend((length as u64).to_be_bytes());
                }
            }
            bytes.extend(vec![7; length]);
            let whole = bytes.clone();
            bytes.truncate(whole.len() - 1);
            assert_eq!(take_message(&mut bytes), None);
            let (kind, payload) = take_message(&mut whole.clone()).expect("a message");
            assert_eq!((kind, payload.len()), (BINARY, length));
        }
    }

    #[test]
    fn the_last_status_tells_the_exit_code() {
        let failed = br#"{"status":"Failure","reason":"NonZeroExitCode",
            "details":{"causes":[{"reason":"ExitCode","message":"7"}]}}"#;
        assert_eq!(ending(failed), Ok(7));
        assert_eq!(ending(br#"{"status":"Success"}"#), Ok(0));
    }
}
