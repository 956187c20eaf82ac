//! Answers that go on: watches, followed logs, exec sessions.

use std::time::{Duration, Instant};

use api::WatchId;
use api::request::{StreamId, StreamOutput};
use apiserver::route::{self, Resource};
use hyper::body::Bytes;
use tabernetes::Cluster;
use tokio::sync::mpsc::Sender;

/// A watch without `timeoutSeconds` ends after this long, as with `--min-request-timeout` left alone.
const WATCH_SECONDS: u64 = 1800;
/// Where nothing tells of new output, this often is looked.
const LOGS_PERIOD: Duration = Duration::from_millis(100);
const SESSION_PERIOD: Duration = Duration::from_millis(20);

/// One stream that a client listens to.
pub enum Open {
    Watch {
        watch: WatchId,
        resource: Box<Resource>,
        until: Instant,
        lines: Sender<Bytes>,
    },
    Logs {
        stream: StreamId,
        lines: Sender<Bytes>,
    },
    /// exec and attach.
    Session {
        stream: StreamId,
        output: Sender<StreamOutput>,
    },
}

impl Open {
    pub fn watch(watch: WatchId, resource: Resource, lines: Sender<Bytes>) -> Open {
        let seconds = resource.timeout_seconds.filter(|seconds| *seconds > 0).unwrap_or(WATCH_SECONDS);
        let until = Instant::now() + Duration::from_secs(seconds);
        Open::Watch { watch, resource: Box::new(resource), until, lines }
    }

    /// How long the cluster's thread may sleep without looking at this stream.
    pub fn period(&self) -> Duration {
        match self {
            Open::Watch { until, .. } => until.saturating_duration_since(Instant::now()),
            Open::Logs { .. } => LOGS_PERIOD,
            Open::Session { .. } => SESSION_PERIOD,
        }
    }

    /// Sends on what is new. False: the stream has ended on either side, or its client does not read it.
    pub fn pump(&mut self, cluster: &mut Cluster) -> bool {
        let goes_on = match self {
            Open::Watch { watch, resource, until, lines } => {
                let now = cluster.now();
                let events = cluster.watch_events(*watch);
                let text: String = events.iter().map(|event| route::watch_line(event, resource, now)).collect();
                send(lines, text) && Instant::now() < *until
            }
            Open::Logs { stream, lines } => {
                let output = cluster.read_stream(*stream);
                send(lines, output.stdout) && output.end.is_none()
            }
            Open::Session { stream, output } => {
                let piece = cluster.read_stream(*stream);
                let ended = piece.end.is_some();
                let is_new = piece != StreamOutput::default();
                !output.is_closed() && (!is_new || output.try_send(piece).is_ok()) && !ended
            }
        };
        if !goes_on {
            match self {
                Open::Watch { watch, .. } => cluster.close_watch(*watch),
                Open::Logs { stream, .. } | Open::Session { stream, .. } => cluster.end_stream(*stream),
            }
        }
        goes_on
    }
}

fn send(lines: &Sender<Bytes>, text: String) -> bool {
    !lines.is_closed() && (text.is_empty() || lines.try_send(text.into()).is_ok())
}
