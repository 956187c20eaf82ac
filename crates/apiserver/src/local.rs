//! An API server in process, with components driven in virtual time and no latency: for tests of components.
//!
//! The cluster of the `tabernetes` crate adds latencies, rate limits, faults and the trace; here every call returns at
//! once and watches deliver before the next piece of work.

use std::sync::Arc;

use api::request::{StreamId, StreamOutput, User, WatchEvent, WatchId};
use api::rng::Rng;
use api::{Caller, CauseId, Request, Response, SimTime, Status, Verb};
use client::{Activity, Api, Change, Client, Component, Note};

use crate::authentication;
use crate::{ApiServer, Context};

/// See the module's documentation.
pub struct Local {
    pub server: ApiServer,
    pub now: SimTime,
    rng: Rng,
    /// Watches of each driven component, by its position.
    watches: Vec<Vec<WatchId>>,
    busy_until: Vec<SimTime>,
    caller: Caller,
    /// Notes of the work done, for assertions.
    pub notes: Vec<String>,
    warnings: Vec<String>,
}

impl Local {
    pub fn new(seed: u64) -> Local {
        Local {
            server: ApiServer::new(seed),
            now: 0,
            rng: Rng::new(seed),
            watches: Vec::new(),
            busy_until: Vec::new(),
            caller: Caller::admin("local"),
            notes: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// A client for the test itself.
    pub fn client(&mut self) -> Client<'_> {
        Client::new(self)
    }

    /// Runs the components until none has anything to do before `until`, and sets the clock there. Pass the same
    /// components in the same order every time.
    pub fn run_until(&mut self, components: &mut [&mut dyn Component], until: SimTime) {
        self.attach(components);
        loop {
            self.deliver(components);
            let due = |(index, component): (usize, &&mut dyn Component)| {
                let at = component.next_work()?.max(self.busy_until[index]).max(self.now);
                (at <= until).then_some((at, index))
            };
            let Some((at, index)) = components.iter().enumerate().filter_map(due).min() else { break };
            self.now = at;
            let started = self.now;
            let agent = std::mem::replace(&mut self.caller.agent, components[index].name());
            components[index].work(&mut Client::new(self));
            self.caller.agent = agent;
            if !components[index].is_concurrent() {
                self.busy_until[index] = self.now;
            }
            self.now = started;
        }
        self.now = until;
    }

    /// Runs for a while.
    pub fn run_for(&mut self, components: &mut [&mut dyn Component], duration: SimTime) {
        self.run_until(components, self.now + duration);
    }

    fn attach(&mut self, components: &mut [&mut dyn Component]) {
        for component in components.iter().skip(self.watches.len()) {
            let opened = component.watches().into_iter().map(|watch| {
                let kind = watch.kind.expect("a watch names its kind");
                let mut request = Request::of(Verb::Watch, kind, &watch.namespace, "");
                request.options.label_selector = watch.label_selector;
                request.options.field_selector = watch.field_selector;
                match self.server.handle(&self.caller_context(), request) {
                    Ok(Response::Watch(id)) => id,
                    other => panic!("a component's watch was refused: {other:?}"),
                }
            });
            let opened = opened.collect();
            self.watches.push(opened);
            self.busy_until.push(self.now);
        }
    }

    fn deliver(&mut self, components: &mut [&mut dyn Component]) {
        while !self.server.take_stirred().is_empty() {
            for (component, watches) in components.iter_mut().zip(&self.watches) {
                for (number, watch) in watches.iter().enumerate() {
                    for event in self.server.watch_events(*watch) {
                        let change = Change { kind: event.kind, object: event.object, cause: event.cause };
                        component.observe(self.now, number, &change);
                    }
                }
            }
        }
    }

    fn caller_context(&self) -> Context<'static> {
        Context::new(self.now, self.caller.clone(), CauseId::default())
    }
}

impl Api for Local {
    fn call(&mut self, request: Request) -> Result<Response, Status> {
        let context = self.caller_context();
        let answer = self.server.handle(&context, request);
        self.warnings.extend(self.server.take_warnings());
        answer
    }

    fn call_detached(&mut self, request: Request) -> Result<Response, Status> {
        self.call(request)
    }

    fn now(&self) -> SimTime {
        self.now
    }

    fn spend(&mut self, duration: SimTime) {
        self.now += duration;
    }

    fn random(&mut self) -> u64 {
        self.rng.next_u64()
    }

    fn begin(&mut self, _activity: Activity, cause: CauseId) -> CauseId {
        cause
    }

    fn note(&mut self, note: Note) {
        self.notes.push(format!("{}: {}", note.what, note.text));
    }

    fn parallel(&mut self, _begin: bool) {}

    fn act_as(&mut self, user: Option<User>) {
        self.caller = Caller::admin("local");
        if let Some(user) = user {
            self.caller.user = Arc::new(authentication::with_implied_groups(user));
        }
    }

    fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    fn watch_events(&mut self, watch: WatchId) -> Vec<WatchEvent> {
        self.server.watch_events(watch)
    }

    fn close_watch(&mut self, watch: WatchId) {
        self.server.close_watch(watch);
    }

    fn stream_write(&mut self, _stream: StreamId, _text: Option<&str>) {}

    fn stream_read(&mut self, _stream: StreamId) -> StreamOutput {
        StreamOutput { end: Some(Err(Status::internal("there is no node here"))), ..StreamOutput::default() }
    }

    fn close_stream(&mut self, _stream: StreamId) {}
}
