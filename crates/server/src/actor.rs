//! The thread on which the cluster lives: it lets virtual time pass, serves requests between events, and pushes what
//! watches and followed logs bring.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use api::{Caller, Reason, Request, Response, Status, Subresource};
use apiserver::discovery;
use apiserver::route::{self, Answer, HttpRequest, Route, Shape};
use hyper::body::Bytes;
use tabernetes::{Cluster, ClusterConfig};
use tokio::sync::{mpsc, oneshot};

use crate::pace::{Pace, Speed};
use crate::stream::Open;

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
}

pub enum Reply {
    Answer(Answer),
    /// A watch or a followed log.
    Stream {
        content_type: &'static str,
        warnings: Vec<String>,
        pieces: mpsc::Receiver<Bytes>,
    },
}

pub struct Command {
    pub caller: Caller,
    pub call: Call,
    pub reply: oneshot::Sender<Reply>,
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
                let reply = self.serve(command.caller, &command.call);
                // A client that has gone away needs no answer.
                let _ = command.reply.send(reply);
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
        if is_upgrade(request.subresource) {
            return Reply::Answer(route::refusal(&not_implemented(&request), Shape::Json));
        }
        let served = self.cluster.serve(caller, request);
        let (open, content_type, pieces) = match served.result {
            Ok(Response::Watch(watch)) => {
                let (sender, pieces) = mpsc::channel(UNREAD_MAX);
                (Open::watch(watch, resource, sender), "application/json", pieces)
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

/// Sessions that leave HTTP.
fn is_upgrade(subresource: Subresource) -> bool {
    matches!(subresource, Subresource::Exec | Subresource::Attach | Subresource::PortForward | Subresource::Proxy)
}

fn not_implemented(request: &Request) -> Status {
    let message = format!("{} over HTTP is not implemented by this simulation", request.subresource.as_str());
    Status::new(501, Reason::Unknown, message)
}
