//! exec and attach over a WebSocket (RFC 6455, `v5.channel.k8s.io`): the first byte of a message names its channel.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use api::Status;
use api::request::StreamOutput;
use serde_json::Value;

use crate::answer;

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

/// A program in a container, at the other end of a connection.
pub struct Session {
    connection: TcpStream,
    messages: Receiver<Vec<u8>>,
}

impl Session {
    /// Asks a server (`http://host:port`) to switch protocols.
    pub fn open(server: &str, path: &str, headers: &[(&str, String)]) -> Result<Session, Status> {
        let broken = |error: io::Error| Status::internal(format!("unable to upgrade connection: {error}"));
        let Some(address) = server.strip_prefix("http://") else {
            return Err(Status::internal("this client opens streams over plain HTTP only"));
        };
        let mut connection = TcpStream::connect(address.trim_end_matches('/')).map_err(broken)?;
        let mut head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n");
        let fixed = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            // Its randomness keeps caches between from answering; there are none for a request of a protocol's change.
            ("Sec-WebSocket-Key", "dGFiZXJuZXRlcyBrdWJlYw=="),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Protocol", "v5.channel.k8s.io"),
        ];
        fixed.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        connection.write_all(format!("{head}\r\n").as_bytes()).map_err(broken)?;
        let mut reader = BufReader::new(connection.try_clone().map_err(broken)?);
        let (code, length) = read_head(&mut reader).map_err(broken)?;
        if code != 101 {
            let mut body = vec![0; length];
            reader.read_exact(&mut body).map_err(broken)?;
            return Err(answer::refusal(code, &String::from_utf8_lossy(&body)));
        }
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            while let Ok((kind, payload)) = read_message(&mut reader) {
                if kind == CLOSE || sender.send(payload).is_err() {
                    return;
                }
            }
        });
        Ok(Session { connection, messages })
    }

    /// Standard input, which ends with it; `None` for Ctrl-C.
    pub fn write(&mut self, text: Option<&str>) {
        // Whoever reads sees that the connection has gone.
        let _ = match text {
            Some(text) => self.send(STDIN, text.as_bytes()).and_then(|()| self.send(CLOSE_CHANNEL, &[STDIN])),
            None => self.send(STDIN, &[INTERRUPT]),
        };
    }

    fn send(&mut self, channel: u8, bytes: &[u8]) -> io::Result<()> {
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
        self.connection.write_all(&frame)
    }

    /// What has come since the last call.
    pub fn read(&mut self) -> StreamOutput {
        let mut output = StreamOutput::default();
        loop {
            let message = match self.messages.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Empty) => return output,
                Err(TryRecvError::Disconnected) => {
                    output.end.get_or_insert(Ok(0));
                    return output;
                }
            };
            match message.as_slice() {
                [STDOUT, text @ ..] => output.stdout.push_str(&String::from_utf8_lossy(text)),
                [STDERR, text @ ..] => output.stderr.push_str(&String::from_utf8_lossy(text)),
                [ERROR, text @ ..] => output.end = Some(ending(text)),
                _ => {}
            }
        }
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
        None => Err(answer::status(&value, 500)),
    }
}

/// The status code of an answer, and how long its body is.
fn read_head(reader: &mut BufReader<TcpStream>) -> io::Result<(u16, usize)> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let code = line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let header = line.trim_end().to_lowercase();
        if header.is_empty() {
            return Ok((code, length));
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or_default();
        }
    }
}

/// A message's kind and payload. Servers mask nothing, and ours send every message in one piece.
fn read_message(reader: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    reader.read_exact(&mut head)?;
    let length = match head[1] & !MASKED {
        126 => {
            let mut long = [0; 2];
            reader.read_exact(&mut long)?;
            u64::from(u16::from_be_bytes(long))
        }
        127 => {
            let mut long = [0; 8];
            reader.read_exact(&mut long)?;
            u64::from_be_bytes(long)
        }
        short => u64::from(short),
    };
    let mut payload = Vec::new();
    reader.take(length).read_to_end(&mut payload)?;
    Ok((head[0] & !FINAL, payload))
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
            let (kind, payload) = read_message(&mut bytes.as_slice()).expect("a message");
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
