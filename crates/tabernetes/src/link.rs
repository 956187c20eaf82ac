//! A caller's connection to the API server: what a call costs, whom it tells, what it leaves in the trace.

use std::sync::Arc;

use api::request::{StreamId, StreamOutput, User, WatchEvent, WatchId};
use api::types::{Event as EventObject, Lease, Node};
use api::{Caller, CauseId, Kinded, Request, Response, SimTime, Status, meta};
use apiserver::flow_control;
use apiserver::{Context, authentication};
use client::{Activity, Api, Note};

use crate::cluster::Cluster;
use crate::member::TokenBucket;
use crate::outbound::Errands;
use crate::trace::{Origin, USER, What};

/// Stands between one component (or the user) and the API server for one piece of work.
pub(crate) struct Link<'a> {
    pub cluster: &'a mut Cluster,
    pub caller: Caller,
    /// Whom the caller impersonates.
    user: Option<Arc<User>>,
    pub origin: Origin,
    /// Authorization and flow control have had their say.
    pub entered: bool,
    /// The caller's own moment.
    pub now: SimTime,
    /// What its requests are because of.
    pub record: CauseId,
    /// Which of the caller's rate limits applies: the kind that it works on.
    pub lane: &'static str,
    pub limits: Option<&'a mut std::collections::BTreeMap<&'static str, TokenBucket>>,
    /// Begin and latest end of calls that are made at the same time.
    pub parallel: Option<(SimTime, SimTime)>,
    warnings: Vec<String>,
}

impl<'a> Link<'a> {
    /// A connection without rate limits whose calls have no cause yet.
    pub fn new(cluster: &'a mut Cluster, caller: Caller, origin: Origin, now: SimTime) -> Link<'a> {
        Link {
            cluster,
            caller,
            user: None,
            origin,
            entered: false,
            now,
            record: CauseId::default(),
            lane: "",
            limits: None,
            parallel: None,
            warnings: Vec::new(),
        }
    }

    /// One call from `start`; returns the moment of its answer.
    fn send(&mut self, start: SimTime, request: Request) -> (SimTime, Result<Response, Status>) {
        let cost = &self.cluster.config.cost;
        let base = if request.verb.is_write() { cost.write } else { cost.read };
        let took = base + self.cluster.rng.below(cost.jitter.max(1));
        let mut caller = self.caller.clone();
        if let Some(user) = &self.user {
            caller.user = user.clone();
        }
        let admitted = if self.entered {
            Ok(start)
        } else {
            let origin = match self.origin {
                USER => flow_control::Origin::Inside,
                _ => flow_control::Origin::Component,
            };
            self.cluster.server.admit(start, took, &caller.user, origin, &request)
        };
        let start = admitted.as_ref().map_or_else(|(refused, _)| *refused, |begins| *begins);
        let committed = start + took / 2;

        let (verb, kind, subresource) = (request.verb, request.kind, request.subresource);
        let key = meta::key_of(&request.namespace, &request.name);
        let cause = self.cluster.trace.next_id();
        let context = Context::new(committed, caller, cause);
        let before = self.cluster.server.revision();
        let mut errands = Errands::default();
        let answer = match admitted {
            Ok(_) => self.cluster.answer(&context, request, self.entered, &mut errands),
            Err((_, status)) => Err(status),
        };
        self.warnings.extend(self.cluster.server.take_warnings());
        let (code, revision, key) = match &answer {
            Ok(Response::Object(object)) if verb.is_write() => (200, object.revision(), meta::key(object.meta())),
            Ok(_) => (200, 0, key),
            Err(status) => (status.code, 0, key),
        };
        let what = What::Request { verb, kind, subresource, key: key.into(), code, revision };
        let (committed, took) = (committed + errands.waited, took + errands.waited);
        self.cluster.trace.add(committed, self.record, self.origin, what);
        for note in errands.notes {
            let what = What::Note { what: "called a webhook", text: note.into() };
            self.cluster.trace.add(committed, cause, self.origin, what);
        }
        let housekeeping = is_housekeeping(kind);
        self.cluster.load.count(committed, took, housekeeping);
        if self.cluster.server.revision() != before && !housekeeping && kind != Node::ID {
            self.cluster.last_change = committed;
        }
        self.cluster.plan_deliveries(committed);
        (start + took, answer)
    }

    /// The moment at which the client's rate limit lets the next call go.
    fn admit(&mut self, start: SimTime) -> SimTime {
        let (qps, burst) = (self.cluster.config.cost.qps, self.cluster.config.cost.burst);
        let lane = self.lane;
        let Some(limits) = &mut self.limits else { return start };
        limits.entry(lane).or_insert_with(|| TokenBucket::full(burst, start)).take(start, qps, burst)
    }
}

fn is_housekeeping(kind: api::KindId) -> bool {
    kind == Lease::ID || kind == EventObject::ID
}

impl Api for Link<'_> {
    fn call(&mut self, request: Request) -> Result<Response, Status> {
        let start = self.parallel.map_or(self.now, |(begin, _)| begin);
        let start = self.admit(start);
        let (end, answer) = self.send(start, request);
        match &mut self.parallel {
            Some((_, latest)) => *latest = end.max(*latest),
            None => self.now = end,
        }
        answer
    }

    fn call_detached(&mut self, request: Request) -> Result<Response, Status> {
        self.send(self.now, request).1
    }

    fn now(&self) -> SimTime {
        self.now
    }

    fn spend(&mut self, duration: SimTime) {
        self.now += duration;
    }

    fn random(&mut self) -> u64 {
        self.cluster.rng.next_u64()
    }

    fn begin(&mut self, activity: Activity, cause: CauseId) -> CauseId {
        self.lane = activity.kind;
        let what = What::Activity { what: activity.what, kind: activity.kind, key: activity.key.into() };
        self.record = self.cluster.trace.add(self.now, cause, self.origin, what);
        self.record
    }

    fn note(&mut self, note: Note) {
        let what = What::Note { what: note.what, text: note.text.into() };
        self.cluster.trace.add(self.now, self.record, self.origin, what);
    }

    fn parallel(&mut self, begin: bool) {
        if begin {
            self.parallel = Some((self.now, self.now));
        } else if let Some((_, latest)) = self.parallel.take() {
            self.now = latest;
        }
    }

    fn act_as(&mut self, user: Option<User>) {
        self.user = user.map(|user| Arc::new(authentication::with_implied_groups(user)));
    }

    fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    fn watch_events(&mut self, watch: WatchId) -> Vec<WatchEvent> {
        self.cluster.fetch(watch)
    }

    fn close_watch(&mut self, watch: WatchId) {
        self.cluster.server.close_watch(watch);
    }

    fn stream_write(&mut self, stream: StreamId, text: Option<&str>) {
        self.cluster.stream_write(stream, text);
    }

    fn stream_read(&mut self, stream: StreamId) -> StreamOutput {
        self.cluster.stream_read(stream)
    }

    fn close_stream(&mut self, stream: StreamId) {
        self.cluster.close_stream(stream);
    }
}

/// The user's own connection: no rate limit, and every call is because of an action.
pub(crate) fn of_user(cluster: &mut Cluster, record: CauseId) -> Link<'_> {
    let now = cluster.now();
    let mut link = Link::new(cluster, Caller::admin("kubectl"), USER, now);
    link.record = record;
    link
}
