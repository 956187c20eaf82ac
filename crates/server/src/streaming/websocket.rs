//! RFC 6455, as far as exec and port-forward need it: messages both ways, pings, an orderly end.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc;

/// Nobody types more at once.
const MESSAGE_BYTES_MAX: u64 = 1024 * 1024;
/// What a tunnel holds before it is read.
const TUNNEL_BYTES: usize = 64 * 1024;

pub const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A WebSocket, read by a task of its own: reading a message must not be cut off half-way by writing another.
pub struct Socket<C> {
    messages: mpsc::Receiver<(u8, Vec<u8>)>,
    writer: tokio::io::WriteHalf<C>,
    listener: tokio::task::JoinHandle<()>,
}

impl<C: AsyncRead + AsyncWrite + Send + 'static> Socket<C> {
    pub fn new(connection: C) -> Socket<C> {
        let (mut reader, writer) = tokio::io::split(connection);
        let (heard, messages) = mpsc::channel(16);
        let listener = tokio::spawn(async move {
            while let Ok(message) = read(&mut reader).await {
                if heard.send(message).await.is_err() {
                    return;
                }
            }
        });
        Socket { messages, writer, listener }
    }

    /// The next message, or `None` at the end. Pings are answered on the way. May be cut off without loss.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            match self.messages.recv().await? {
                (CLOSE, _) => return None,
                (PING, payload) => write(&mut self.writer, PONG, &payload).await.ok()?,
                (PONG, _) => {}
                (_, payload) => return Some(payload),
            }
        }
    }

    pub async fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        write(&mut self.writer, BINARY, payload).await
    }

    pub async fn close(mut self) -> io::Result<()> {
        self.listener.abort();
        // 1000: a normal end.
        write(&mut self.writer, CLOSE, &1000_u16.to_be_bytes()).await?;
        self.writer.shutdown().await
    }
}

/// The bytes that the messages of a WebSocket hold, as one stream each way.
pub fn tunnel(connection: impl AsyncRead + AsyncWrite + Send + 'static) -> DuplexStream {
    let (near, far) = tokio::io::duplex(TUNNEL_BYTES);
    tokio::spawn(async move {
        let mut socket = Socket::new(connection);
        let (mut outgoing, mut incoming) = tokio::io::split(far);
        let mut buffer = vec![0; TUNNEL_BYTES];
        loop {
            tokio::select! {
                message = socket.next() => match message {
                    Some(message) if incoming.write_all(&message).await.is_ok() => {}
                    _ => break,
                },
                read = outgoing.read(&mut buffer) => match read {
                    Ok(length @ 1..) if socket.send(&buffer[..length]).await.is_ok() => {}
                    _ => break,
                },
            }
        }
        // The client may have gone without a word.
        let _ = socket.close().await;
    });
    near
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
