//! Answers that go on: watches, followed logs, exec sessions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::object::{Draft, Tree};
use api::request::{StreamId, StreamOutput};
use api::{CauseId, Kind, WatchEvent, WatchId, WatchKind};
use apiserver::route::{Lines, Resource};
use hyper::body::Bytes;
use serde_json::json;
use tabernetes::Cluster;
use tokio::sync::mpsc::Sender;

/// A watch without `timeoutSeconds` ends after this long, as with `--min-request-timeout` left alone.
const WATCH_SECONDS: u64 = 1800;
const BOOKMARK_PERIOD: Duration = Duration::from_secs(60);
const LAST_BOOKMARK: Duration = Duration::from_secs(2);
/// Where nothing tells of new output, this often is looked.
const LOGS_PERIOD: Duration = Duration::from_millis(100);
const SESSION_PERIOD: Duration = Duration::from_millis(20);

/// One stream that a client listens to.
pub enum Open {
    Watch {
        watch: WatchId,
        resource: Box<Resource>,
        until: Instant,
        /// When the next bookmark is due, for clients that want any.
        bookmark: Option<Instant>,
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
    pub fn watch(watch: WatchId, resource: Resource, wants_bookmarks: bool, lines: Sender<Bytes>) -> Open {
        let seconds = resource.timeout_seconds.filter(|seconds| *seconds > 0).unwrap_or(WATCH_SECONDS);
        let until = Instant::now() + Duration::from_secs(seconds);
        let bookmark = wants_bookmarks.then(|| next_bookmark(until));
        Open::Watch { watch, resource: Box::new(resource), until, bookmark, lines }
    }

    /// How long the cluster's thread may sleep without looking at this stream.
    pub fn period(&self) -> Duration {
        match self {
            Open::Watch { until, bookmark, .. } => {
                bookmark.map_or(*until, |due| due.min(*until)).saturating_duration_since(Instant::now())
            }
            Open::Logs { .. } => LOGS_PERIOD,
            Open::Session { .. } => SESSION_PERIOD,
        }
    }

    /// Sends on what is new. False: the stream has ended on either side, or its client does not read it.
    pub fn pump(&mut self, cluster: &mut Cluster, written: &mut Lines) -> bool {
        let goes_on = match self {
            Open::Watch { watch, resource, until, bookmark, lines } => {
                let now = cluster.now();
                let mut events = cluster.watch_events(*watch);
                if bookmark.is_some_and(|due| due <= Instant::now()) {
                    *bookmark = Some(next_bookmark(*until));
                    events.push(bookmark_of(resource.kind, cluster.server().revision()));
                }
                let new: Vec<Arc<str>> = events.iter().map(|event| written.line(event, resource, now)).collect();
                send(lines, new.concat()) && Instant::now() < *until
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

/// As upstream: every minute, and shortly before the watch ends.
fn next_bookmark(until: Instant) -> Instant {
    let now = Instant::now();
    let last = until.checked_sub(LAST_BOOKMARK).filter(|last| *last > now).unwrap_or(until + BOOKMARK_PERIOD);
    last.min(now + BOOKMARK_PERIOD)
}

/// "You have seen everything until this revision": a restarted watch may begin here.
fn bookmark_of(kind: &Kind, revision: u64) -> WatchEvent {
    let object = json!({
        "apiVersion": kind.api_version(),
        "kind": kind.kind,
        "metadata": { "resourceVersion": revision.to_string() },
    });
    let object = Draft::new(Tree::new(kind.id, object)).share();
    WatchEvent { kind: WatchKind::Bookmark, object, cause: CauseId::default() }
}

fn send(lines: &Sender<Bytes>, text: String) -> bool {
    !lines.is_closed() && (text.is_empty() || lines.try_send(text.into()).is_ok())
}
