//! The cluster as callers outside see it: the HTTP server's door to the same pipeline that components use.
//!
//! A call is served at the present moment and answered at once. A write opens an action of its caller, so that "Why?"
//! ends at who asked; a read is traced without a cause. In flow control's eyes those calls are made at the same time that
//! arrive before any of them is answered: [`Cluster::answered`] says when they are.

use api::request::{StreamId, StreamOutput, WatchEvent, WatchId};
use api::{Caller, CauseId, Request, Response, Status, User, meta};
use apiserver::Context;
use apiserver::authentication::Entry;
use apiserver::route::HttpRequest;
use client::Api as _;

use crate::cluster::Cluster;
use crate::link::Link;
use crate::outbound::Errands;
use crate::trace::USER;

/// What became of a request.
#[derive(Debug)]
pub struct Served {
    pub result: Result<Response, Status>,
    /// Texts of `Warning` headers.
    pub warnings: Vec<String>,
    /// The request made a new object, whatever its verb: a 201.
    pub created: bool,
}

impl Cluster {
    /// Makes a bearer token known, as a line of `--token-auth-file` does.
    pub fn add_token(&mut self, token: &str, user: User) {
        self.server.add_token(token, user);
    }

    /// The stages before a request over HTTP is looked at.
    pub fn enter(&mut self, http: &HttpRequest) -> Entry {
        let cost = &self.config.cost;
        let takes = if matches!(http.method, "GET" | "HEAD") { cost.read } else { cost.write };
        self.server.enter(self.now, takes, http)
    }

    /// Everybody outside has an answer.
    pub fn answered(&mut self) {
        self.server.answered();
    }

    /// Serves a request of somebody outside, who has [entered](Cluster::enter) with it.
    pub fn serve(&mut self, caller: Caller, request: Request) -> Served {
        let record = if request.verb.is_write() && !request.options.dry_run {
            let kind = api::kinds::row(request.kind);
            let key = meta::key_of(&request.namespace, &request.name);
            let user = &caller.user.name;
            self.begin_action(&format!("{user}: {} {} {key}", request.verb.as_str(), kind.group_resource()))
        } else {
            CauseId::default()
        };
        let now = self.now();
        let mut link = Link::new(self, caller, USER, now);
        link.record = record;
        link.entered = true;
        let result = link.call(request);
        let warnings = link.take_warnings();
        Served { result, warnings, created: self.server.was_created() }
    }

    /// Whether somebody outside, who has entered with it, may have a connection to a Pod, a Service or a node.
    pub fn may_connect(&mut self, caller: Caller, request: &Request) -> Result<(), Status> {
        let context = Context::new(self.now, caller, CauseId::default());
        self.admit_connection(&context, request, &mut Errands::default())
    }

    /// What a watch has brought since it was last asked.
    pub fn watch_events(&mut self, watch: WatchId) -> Vec<WatchEvent> {
        self.fetch(watch)
    }

    pub fn close_watch(&mut self, watch: WatchId) {
        self.server.close_watch(watch);
    }

    /// What a stream (exec, attach, `logs -f`) has brought since it was last asked.
    pub fn read_stream(&mut self, stream: StreamId) -> StreamOutput {
        self.stream_read(stream)
    }

    /// Feeds an exec session's standard input, or `None` to send it Ctrl-C.
    pub fn write_stream(&mut self, stream: StreamId, text: Option<&str>) {
        self.stream_write(stream, text);
    }

    /// Hangs up.
    pub fn end_stream(&mut self, stream: StreamId) {
        self.close_stream(stream);
    }
}
