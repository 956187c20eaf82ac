//! The thread on which the cluster lives: it lets virtual time pass, serves requests between events, and pushes what
//! watches and followed logs bring.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use api::request::{StreamId, StreamOutput};
use api::{Body, Caller, Reason, Request, Response, Status, Subresource};
use apiserver::discovery;
use apiserver::route::{self, Answer, HttpRequest, Route, Shape};
use hyper::body::Bytes;
use tabernetes::{Cluster, ClusterConfig};
use tokio::sync::{mpsc, oneshot};

use crate::pace::{Pace, Speed};
use crate::stream::Open;
use crate::websocket;

/// Requests wait no longer than this for the events of the moment.
const SLICE: Duration = Duration::from_millis(10);
/// Pieces of a stream that its client may leave unread before the stream is cut.
const UNREAD_MAX: usize = 1024;
/// With nothing planned and nobody listening, only requests wake the thread.
const IDLE: Duration = Duration::from_secs(3600);

/// A request as it came over the wire.
#[derive(Default)]
pub struct Call {
    pub method: String,
    /// With the query.
    pub path: String,
    pub content_type: String,
    pub accept: String,
    pub user_agent: String,
    pub body: String,
    /// The client can go on in WebSocket.
    pub upgrades: bool,
}

pub enum Reply {
    Answer(Answer),
    /// A watch or a followed log.
    Stream {
        content_type: &'static str,
        warnings: Vec<String>,
        pieces: mpsc::Receiver<Bytes>,
    },
    Session(Session),
}

pub enum Command {
    Serve {
        caller: Caller,
        call: Call,
        reply: oneshot::Sender<Reply>,
    },
    /// Standard input of a session, or `None` for Ctrl-C.
    Write {
        stream: StreamId,
        text: Option<String>,
    },
    CloseInput {
        stream: StreamId,
    },
}

/// An exec or attach session, to be carried over the client's connection.
pub struct Session {
    pub stream: StreamId,
    pub tty: bool,
    pub output: mpsc::Receiver<StreamOutput>,
}

/// Starts the cluster. The thread ends when the last sender is gone.
pub fn start(config: ClusterConfig, speed: Speed) -> Sender<Command> {
    let (sender, commands) = channel();
    std::thread::spawn(move || {
        let cluster = Cluster::new(config);
        let pace = Pace::new(speed, cluster.now());
        Actor { cluster, pace, open: Vec::new() }.run(&commands);
    });
    sender
}

struct Actor {
    cluster: Cluster,
    pace: Pace,
    open: Vec<Open>,
}

impl Actor {
    fn run(&mut self, commands: &Receiver<Command>) {
        let mut wait = Duration::ZERO;
        loop {
            let command = match commands.recv_timeout(wait) {
                Ok(command) => Some(command),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let kept_up = self.advance();
            for command in command.into_iter().chain(commands.try_iter()) {
                self.handle(command);
            }
            let cluster = &mut self.cluster;
            self.open.retain_mut(|open| open.pump(cluster));
            wait = if kept_up { self.wait() } else { Duration::ZERO };
        }
    }

    /// Runs events until virtual time is where the wall clock wants it. False when that takes too long.
    fn advance(&mut self) -> bool {
        let began = Instant::now();
        let target = self.pace.target(self.cluster.now(), self.cluster.last_change());
        let mut events: u32 = 0;
        while self.cluster.next_at().is_some_and(|at| at <= target) {
            self.cluster.step();
            events += 1;
            if events.is_multiple_of(32) && began.elapsed() > SLICE {
                self.pace.fell_behind(self.cluster.now());
                return false;
            }
        }
        self.cluster.run_until(target);
        !self.pace.is_hurried(self.cluster.now(), self.cluster.last_change())
    }

    fn wait(&self) -> Duration {
        let now = self.cluster.now();
        let event = self.cluster.next_at().map_or(IDLE, |at| self.pace.wall_until(now, at));
        self.open.iter().map(Open::period).fold(event, Duration::min).max(Duration::from_millis(1))
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Serve { caller, call, reply } => {
                // A client that has gone away needs no answer.
                let _ = reply.send(self.serve(caller, &call));
            }
            Command::Write { stream, text } => self.cluster.write_stream(stream, text.as_deref()),
            Command::CloseInput { stream } => self.cluster.close_stream_input(stream),
        }
    }

    fn serve(&mut self, caller: Caller, call: &Call) -> Reply {
        let http = HttpRequest {
            method: &call.method,
            path: &call.path,
            content_type: &call.content_type,
            accept: &call.accept,
            user_agent: &call.user_agent,
            body: &call.body,
        };
        let (resource, request) = match route::parse(&http) {
            Ok(Route::Resource(resource, request)) => (resource, *request),
            Ok(Route::Other(path)) => {
                return Reply::Answer(discovery::serve(&caller, http.method, &path, http.accept));
            }
            Err(answer) => return Reply::Answer(answer),
        };
        let tty = match &request.body {
            Body::Exec(_) if !call.upgrades => {
                return Reply::Answer(route::refusal(&websocket::refusal(), Shape::Json));
            }
            Body::Exec(options) => Some(options.tty),
            _ => None,
        };
        if matches!(request.subresource, Subresource::PortForward | Subresource::Proxy) {
            return Reply::Answer(route::refusal(&not_implemented(&request), Shape::Json));
        }
        let served = self.cluster.serve(caller, request);
        let (open, content_type, pieces) = match served.result {
            Ok(Response::Watch(watch)) => {
                let (sender, pieces) = mpsc::channel(UNREAD_MAX);
                (Open::watch(watch, resource, sender), "application/json", pieces)
            }
            Ok(Response::Stream(stream)) if tty.is_some() => {
                let (sender, output) = mpsc::channel(UNREAD_MAX);
                self.open.push(Open::Session { stream, output: sender });
                return Reply::Session(Session { stream, tty: tty == Some(true), output });
            }
            Ok(Response::Stream(stream)) => {
                let (sender, pieces) = mpsc::channel(UNREAD_MAX);
                (Open::Logs { stream, lines: sender }, "text/plain", pieces)
            }
            result => {
                let now = self.cluster.now();
                return Reply::Answer(route::answer(&resource, result, served.created, served.warnings, now));
            }
        };
        self.open.push(open);
        Reply::Stream { content_type, warnings: served.warnings, pieces }
    }
}

fn not_implemented(request: &Request) -> Status {
    let message = format!("{} over HTTP is not implemented by this simulation", request.subresource.as_str());
    Status::new(501, Reason::Unknown, message)
}
