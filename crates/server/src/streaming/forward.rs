//! Port-forwards: connections to a Pod's ports. The simulation knows requests and answers, not bytes: HTTP is read here and
//! asked of the Pod one request after the other; of another protocol, what the client sends at once is one request.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::mpsc::Sender;

use api::Status;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tabernetes::{ContainerRequest, Outcome, Place, Protocol};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::exec::listen;
use super::spdy::{Frame, Writer};
use super::websocket::Socket;
use crate::actor::{Command, dial};
use crate::http::Body;
use crate::proxy;

/// Pieces of a connection that wait for the other side.
const UNREAD_MAX: usize = 64;
const BUFFER_BYTES: usize = 64 * 1024;
const METHODS: [&str; 8] = ["GET ", "HEAD ", "POST ", "PUT ", "PATCH ", "DELETE ", "OPTIONS ", "TRACE "];

/// To which Pod connections go.
#[derive(Clone)]
pub struct Forward {
    pub pod: Place,
    /// `?ports=`: what a client names before, where it opens no streams that name it.
    pub ports: Vec<String>,
}

/// One connection of a port-forward.
struct Connection {
    forward: Forward,
    cluster: Sender<Command>,
    input: mpsc::Receiver<Vec<u8>>,
    output: mpsc::Sender<(u32, Event)>,
    /// What its output is marked with.
    id: u32,
}

enum Event {
    Bytes(Vec<u8>),
    /// Why it ended, if not in order.
    End(Option<String>),
}

pub async fn over_spdy(
    connection: impl AsyncRead + AsyncWrite + Send + 'static,
    forward: Forward,
    cluster: Sender<Command>,
) -> io::Result<()> {
    let (reader, mut out) = tokio::io::split(connection);
    let mut frames = listen(reader);
    let mut writer = Writer::default();
    let (output, mut events) = mpsc::channel(UNREAD_MAX);
    let mut inputs: BTreeMap<u32, mpsc::Sender<Vec<u8>>> = BTreeMap::new();
    // A connection's two streams name the same request: errors by request, requests by data stream.
    let mut errors: BTreeMap<String, u32> = BTreeMap::new();
    let mut requests: BTreeMap<u32, String> = BTreeMap::new();
    loop {
        tokio::select! {
            frame = frames.recv() => match frame {
                Some(Frame::Open { stream, headers }) => {
                    let get = |wanted: &str| {
                        headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone()).unwrap_or_default()
                    };
                    out.write_all(&writer.accept(stream)).await?;
                    if get("streamtype") == "error" {
                        errors.insert(get("requestid"), stream);
                        continue;
                    }
                    requests.insert(stream, get("requestid"));
                    inputs.insert(stream, open(&forward, &cluster, &output, stream, get("port")));
                }
                Some(Frame::Data { stream, bytes, is_last }) => {
                    if let Some(input) = inputs.get(&stream) && !bytes.is_empty() {
                        // The connection may have ended meanwhile.
                        let _ = input.send(bytes).await;
                    }
                    if is_last {
                        inputs.remove(&stream);
                    }
                }
                Some(Frame::Reset { stream }) => drop(inputs.remove(&stream)),
                Some(Frame::Ping(number)) => out.write_all(&writer.pong(number)).await?,
                Some(Frame::Other) => {}
                Some(Frame::Away) | None => break,
            },
            Some((stream, event)) = events.recv() => match event {
                Event::Bytes(bytes) => out.write_all(&writer.data(stream, &bytes, false)).await?,
                Event::End(why) => {
                    inputs.remove(&stream);
                    let error = requests.remove(&stream).and_then(|request| errors.remove(&request));
                    if let Some(error) = error {
                        out.write_all(&writer.data(error, why.unwrap_or_default().as_bytes(), true)).await?;
                    }
                    out.write_all(&writer.data(stream, &[], true)).await?;
                }
            },
        }
    }
    out.shutdown().await
}

/// `v4.channel.k8s.io`: two channels for each port, of data and of errors, each of which begins with the port.
pub async fn over_websocket(
    connection: impl AsyncRead + AsyncWrite + Send + 'static,
    forward: Forward,
    cluster: Sender<Command>,
) -> io::Result<()> {
    let mut socket = Socket::new(connection);
    let (output, mut events) = mpsc::channel(UNREAD_MAX);
    let mut inputs: BTreeMap<u32, mpsc::Sender<Vec<u8>>> = BTreeMap::new();
    for (index, port) in forward.ports.iter().enumerate() {
        let channel = 2 * index as u32;
        let number = port.parse::<u16>().unwrap_or(0).to_le_bytes();
        for channel in [channel, channel + 1] {
            socket.send(&[&[channel as u8][..], &number].concat()).await?;
        }
        inputs.insert(channel, open(&forward, &cluster, &output, channel, port.clone()));
    }
    loop {
        tokio::select! {
            message = socket.next() => match message.as_deref() {
                Some([channel, bytes @ ..]) => {
                    if let Some(input) = inputs.get(&u32::from(*channel)) {
                        // The connection may have ended meanwhile.
                        let _ = input.send(bytes.to_vec()).await;
                    }
                }
                Some([]) => {}
                None => break,
            },
            Some((channel, event)) = events.recv() => match event {
                Event::Bytes(bytes) => socket.send(&[&[channel as u8], bytes.as_slice()].concat()).await?,
                Event::End(why) => {
                    inputs.remove(&channel);
                    if let Some(why) = why {
                        socket.send(&[&[channel as u8 + 1], why.as_bytes()].concat()).await?;
                    }
                    if inputs.is_empty() {
                        break;
                    }
                }
            },
        }
    }
    socket.close().await
}

/// Begins a connection; what is sent to it goes to the Pod.
fn open(
    forward: &Forward,
    cluster: &Sender<Command>,
    output: &mpsc::Sender<(u32, Event)>,
    id: u32,
    port: String,
) -> mpsc::Sender<Vec<u8>> {
    let (sender, input) = mpsc::channel(UNREAD_MAX);
    let forward = Forward { pod: Place { port, ..forward.pod.clone() }, ..forward.clone() };
    let mut connection = Connection { forward, cluster: cluster.clone(), input, output: output.clone(), id };
    tokio::spawn(async move {
        let why = connection.run().await.err();
        // The client may have gone.
        let _ = connection.output.send((connection.id, Event::End(why))).await;
    });
    sender
}

impl Connection {
    async fn run(&mut self) -> Result<(), String> {
        self.ask(Protocol::Connect, "").await?;
        let Some(first) = self.input.recv().await else { return Ok(()) };
        if METHODS.iter().any(|method| first.starts_with(method.as_bytes())) {
            return self.serve_http(first).await;
        }
        let mut payload = Some(first);
        while let Some(bytes) = payload {
            let answer = self.ask(Protocol::Tcp, &String::from_utf8_lossy(&bytes)).await?;
            if self.output.send((self.id, Event::Bytes(answer.body().into()))).await.is_err() {
                return Ok(());
            }
            payload = self.input.recv().await;
        }
        Ok(())
    }

    /// Asks the Pod. `Err` is what a kubelet says where nobody listens.
    async fn ask(&self, protocol: Protocol, payload: &str) -> Result<Outcome, String> {
        let Place { name, port, .. } = &self.forward.pod;
        let number = port.parse().map_err(|_| format!("invalid port {port:?}"))?;
        let request = ContainerRequest { body: payload.into(), ..ContainerRequest::new(protocol, "localhost", number) };
        let outcome = dial(&self.cluster, &self.forward.pod, request).await;
        let why = match outcome {
            Ok(outcome @ Outcome::Answered { .. }) => return Ok(outcome),
            Ok(outcome) => format!("dial tcp4 127.0.0.1:{port}: {}", proxy::failure(&outcome)),
            Err(Status { message, .. }) => message,
        };
        Err(format!("error forwarding port {port} to pod {name}: failed to connect to localhost:{port}: {why}"))
    }

    /// Requests until either side is done.
    async fn serve_http(&mut self, first: Vec<u8>) -> Result<(), String> {
        let (near, far) = tokio::io::duplex(BUFFER_BYTES);
        let (cluster, Forward { pod, .. }) = (self.cluster.clone(), self.forward.clone());
        let answer = service_fn(move |request: Request<Incoming>| {
            let (cluster, pod) = (cluster.clone(), pod.clone());
            async move { Ok::<_, Infallible>(answer(cluster, pod, request).await) }
        });
        let server =
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(far), answer));
        let (mut reader, mut writer) = tokio::io::split(near);
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut is_open = writer.write_all(&first).await.is_ok();
        while is_open {
            tokio::select! {
                bytes = self.input.recv() => match bytes {
                    Some(bytes) => is_open = writer.write_all(&bytes).await.is_ok(),
                    None => break,
                },
                read = reader.read(&mut buffer) => {
                    let bytes = buffer[..read.unwrap_or(0)].to_vec();
                    is_open = !bytes.is_empty() && self.output.send((self.id, Event::Bytes(bytes))).await.is_ok();
                }
            }
        }
        server.abort();
        Ok(())
    }
}

async fn answer(cluster: Sender<Command>, pod: Place, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let port = pod.port.parse().unwrap_or(0);
    let request = proxy::request(parts.method.as_str(), path, &parts.headers, &body, port);
    match dial(&cluster, &pod, request).await {
        Ok(outcome) => proxy::response(&outcome, &pod),
        Err(status) => proxy::refused(&status),
    }
}
