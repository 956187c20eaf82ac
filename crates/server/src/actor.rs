//! The thread on which the cluster lives: it lets virtual time pass, serves requests between events, and pushes what
//! watches and followed logs bring.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use api::request::StreamId;
use api::types::Pod;
use api::{Body, Caller, Kinded, Request, Response, Status, Subresource, User};
use apiserver::authentication::{Credentials, Entry, Marks};
use apiserver::discovery;
use apiserver::route::{self, Answer, HttpRequest, Lines, Resource, Route, Shape};
use hyper::body::Bytes;
use tabernetes::{Cluster, ClusterConfig, ContainerRequest, Outcome, Place};
use tokio::sync::{mpsc, oneshot};

use crate::auth::Tokens;
use crate::flow_control;
use crate::health;
use crate::metrics::{Labels, Metrics};
use crate::openapi::{Document, Documents};
use crate::pace::{Pace, Speed};
use crate::proxy::Proxied;
use crate::stream::Open;
use crate::streaming::{self, Forward, Purpose, Session};

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
    /// For whom the connection vouches.
    pub user: Option<User>,
    pub authorization: String,
    pub impersonate: Vec<(String, String)>,
    /// The `Audit-ID` header.
    pub audit_id: String,
    /// The client can go on in WebSocket.
    pub upgrades: bool,
}

pub enum Reply {
    Answer(Answer),
    Document(Document),
    /// A watch or a followed log.
    Stream {
        content_type: &'static str,
        warnings: Vec<String>,
        pieces: mpsc::Receiver<Bytes>,
    },
    /// An exec or attach session, or a port-forward.
    Upgrade(Purpose),
    /// To be asked of a Pod, a Service or a node.
    Proxy(Proxied),
}

pub enum Command {
    Serve {
        call: Call,
        reply: oneshot::Sender<(Marks, Reply)>,
    },
    /// Standard input of a session, or `None` for Ctrl-C.
    Write {
        stream: StreamId,
        text: Option<String>,
    },
    CloseInput {
        stream: StreamId,
    },
    Dial {
        place: Place,
        request: ContainerRequest,
        reply: oneshot::Sender<Result<Outcome, Status>>,
    },
}

/// Asks a Pod or a Service.
pub async fn dial(cluster: &Sender<Command>, place: &Place, request: ContainerRequest) -> Result<Outcome, Status> {
    let (reply, outcome) = oneshot::channel();
    let gone = || Status::internal("the cluster has stopped");
    let command = Command::Dial { place: place.clone(), request, reply };
    cluster.send(command).map_err(|_| gone())?;
    outcome.await.map_err(|_| gone())?
}

/// Starts the cluster. The thread ends when the last sender is gone.
pub fn start(config: ClusterConfig, speed: Speed, tokens: &Tokens) -> Sender<Command> {
    let (sender, commands) = channel();
    let tokens = tokens.clone();
    std::thread::spawn(move || {
        let mut cluster = Cluster::new(config);
        for token in tokens.iter() {
            cluster.add_token(&token.token, token.user());
        }
        let pace = Pace::new(speed, cluster.now());
        let (documents, metrics) = (Documents::default(), Metrics::new());
        Actor { cluster, pace, open: Vec::new(), documents, metrics }.run(&commands);
    });
    sender
}

struct Actor {
    cluster: Cluster,
    pace: Pace,
    open: Vec<Open>,
    documents: Documents,
    metrics: Metrics,
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
            // What has come by now has come at the same time: none of these clients has waited for another's answer.
            let together: Vec<Command> = command.into_iter().chain(commands.try_iter()).collect();
            for command in together {
                self.handle(command);
            }
            self.cluster.answered();
            let cluster = &mut self.cluster;
            let mut lines = Lines::default();
            self.open.retain_mut(|open| open.pump(cluster, &mut lines));
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
            Command::Serve { call, reply } => {
                // A client that has gone away needs no answer.
                let _ = reply.send(self.count(&call));
            }
            Command::Write { stream, text } => self.cluster.write_stream(stream, text.as_deref()),
            Command::CloseInput { stream } => self.cluster.close_stream_input(stream),
            Command::Dial { place, request, reply } => {
                // The same holds for who has hung up.
                let _ = reply.send(self.cluster.dial(&place, request));
            }
        }
    }

    /// Serves a request, and keeps count.
    fn count(&mut self, call: &Call) -> (Marks, Reply) {
        let began = Instant::now();
        let (marks, labels, reply) = self.serve(call);
        let code = match &reply {
            Reply::Answer(answer) => answer.code,
            Reply::Document(_) => 200,
            Reply::Stream { .. } => 200,
            Reply::Upgrade(_) => 101,
            // Counted before it is known.
            Reply::Proxy(_) => 200,
        };
        self.metrics.count(labels, code, began.elapsed());
        (marks, reply)
    }

    fn serve(&mut self, call: &Call) -> (Marks, Labels, Reply) {
        let http = HttpRequest {
            method: &call.method,
            path: &call.path,
            content_type: &call.content_type,
            accept: &call.accept,
            user_agent: &call.user_agent,
            body: &call.body,
            credentials: Credentials {
                user: call.user.as_ref(),
                authorization: &call.authorization,
                impersonate: &call.impersonate,
            },
            audit_id: &call.audit_id,
        };
        let Entry { marks, caller } = self.cluster.enter(&http);
        let caller = match caller {
            Ok(caller) => caller,
            Err(answer) => return (marks, Labels::other(http.method), Reply::Answer(answer)),
        };
        if let Some(answer) = self.cluster.server().aggregated(http.path) {
            return (marks, Labels::other(http.method), Reply::Answer(answer));
        }
        let (labels, reply) = match route::parse(&self.cluster.server().kinds(), &http) {
            Ok(Route::Resource(resource, request)) => {
                (Labels::new(resource.kind, &request), self.serve_resource(caller, resource, *request, call))
            }
            Ok(Route::Other(path)) => (Labels::other(http.method), self.serve_other(&http, &path)),
            Err(answer) => (Labels::other(http.method), Reply::Answer(answer)),
        };
        (marks, labels, reply)
    }

    /// What names no resource.
    fn serve_other(&mut self, http: &HttpRequest, path: &str) -> Reply {
        let kinds = self.cluster.server().kinds();
        let answer = discovery::serve(&kinds, http.method, path, http.accept);
        if !matches!(http.method, "GET" | "HEAD") {
            return Reply::Answer(answer);
        }
        let query = http.path.split_once('?').map_or("", |(_, query)| query);
        if let Some(answer) = health::answer(path.trim_end_matches('/'), query) {
            return Reply::Answer(answer);
        }
        if let Some(text) = flow_control::dump(&self.cluster, path) {
            return Reply::Answer(Answer::text(text));
        }
        if path == "/metrics" {
            let content_type = "text/plain; version=0.0.4; charset=utf-8";
            let text = self.metrics.text(&self.cluster, self.open.len());
            return Reply::Answer(Answer { content_type, ..Answer::text(text) });
        }
        let index = || discovery::serve(&kinds, "GET", "/openapi/v3", http.accept);
        match self.documents.serve(&kinds, path, http.accept, index) {
            Some(document) => Reply::Document(document),
            None => Reply::Answer(answer),
        }
    }

    fn serve_resource(&mut self, caller: Caller, resource: Resource, request: Request, call: &Call) -> Reply {
        let tty = match &request.body {
            Body::Exec(_) if !call.upgrades => {
                return Reply::Answer(route::refusal(&streaming::refusal(), Shape::Json));
            }
            Body::Exec(options) => Some(options.tty),
            _ => None,
        };
        if matches!(request.subresource, Subresource::Proxy | Subresource::PortForward) {
            return match self.cluster.may_connect(caller, &request) {
                Err(status) => Reply::Answer(route::refusal(&status, Shape::Json)),
                Ok(()) if request.subresource == Subresource::PortForward => self.forward(&request, call),
                Ok(()) => Reply::Proxy(Proxied::new(request.kind, &request.namespace, &request.name, &call.path)),
            };
        }
        let wants_bookmarks = request.options.allow_watch_bookmarks;
        let served = self.cluster.serve(caller, request);
        let (open, content_type, pieces) = match served.result {
            Ok(Response::Watch(watch)) => {
                let (sender, pieces) = mpsc::channel(UNREAD_MAX);
                (Open::watch(watch, resource, wants_bookmarks, sender), "application/json", pieces)
            }
            Ok(Response::Stream(stream)) if tty.is_some() => {
                let (sender, output) = mpsc::channel(UNREAD_MAX);
                self.open.push(Open::Session { stream, output: sender });
                return Reply::Upgrade(Purpose::Session(Session { stream, tty: tty == Some(true), output }));
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

    /// A port-forward opens its connections later: only the Pod has to be there.
    fn forward(&mut self, request: &Request, call: &Call) -> Reply {
        if self.cluster.server().peek::<Pod>(&request.namespace, &request.name).is_none() {
            let missing = Status::not_found(Pod::row(), &request.name);
            return Reply::Answer(route::refusal(&missing, Shape::Json));
        }
        if !call.upgrades {
            return Reply::Answer(route::refusal(&streaming::refusal(), Shape::Json));
        }
        let query = call.path.split_once('?').map_or("", |(_, query)| query);
        let ports = query.split('&').filter_map(|pair| pair.strip_prefix("ports="));
        let ports = ports.flat_map(|ports| ports.split("%2C").flat_map(|ports| ports.split(','))).map(str::to_owned);
        let (namespace, name) = (request.namespace.clone(), request.name.clone());
        let pod = Place { kind: request.kind, namespace, name, port: String::new() };
        Reply::Upgrade(Purpose::Forward(Forward { pod, ports: ports.collect() }))
    }
}
