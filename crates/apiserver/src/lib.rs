//! kube-apiserver: the only way to the store.
//!
//! [`ApiServer::handle`] takes every request through one pipeline with named stages, whoever sends it:
//! flow control → routing → authorization → decoding and defaulting → admission (mutating) → the kind's strategy → validation →
//! admission (validating) → [`storage`] → the watches ([`watch`]). The [`Context`] names the caller: who comes over HTTP
//! has gone through [`ApiServer::enter`] before, which takes the first stages.
//!
//! A kind is a row of `api::kinds` and a [`strategy::Strategy`] in [`registry`].

mod admission;
mod aggregation;
mod allocator;
pub mod authentication;
mod authorization;
mod body;
mod bootstrap;
mod create;
mod custom;
mod delete;
pub mod discovery;
mod eviction;
mod fields;
pub mod flow_control;
mod list;
pub mod local;
mod managed_fields;
mod metadata;
pub mod outside;
mod parts;
pub mod registry;
mod reviews;
pub mod route;
mod storage;
pub mod strategy;
mod subresource;
mod update;
mod view;
mod watch;

use api::rng::Rng;
use api::{Caller, CauseId, Kind, KindId, Request, Response, SimTime, Status, Subresource, User, Verb};

use authorization::Attributes;
use flow_control::{Arrival, FlowControl, Origin};
use storage::Storage;
use strategy::KindRules;
use watch::Watches;

/// The API server. A clone is a checkpoint. The default one is empty and serves nobody: it keeps the place of another.
#[derive(Clone, Default)]
pub struct ApiServer {
    storage: Storage,
    watches: Watches,
    customs: custom::CustomKinds,
    addresses: allocator::ServiceAddresses,
    authenticator: authentication::Authenticator,
    flow: FlowControl,
    /// Some group is served by another server.
    is_aggregated: bool,
    rng: Rng,
    /// What requests over HTTP are told apart by: a stream of its own, so that reading changes nothing that is written.
    audit_ids: Rng,
    /// `Warning` headers of the request that was handled last.
    warnings: Vec<String>,
    /// It made a new object.
    created: bool,
}

/// What surrounds a request.
#[derive(Clone)]
pub struct Context<'a> {
    pub now: SimTime,
    pub caller: Caller,
    /// The trace record that stands for this request: what its watch events name as their cause.
    pub cause: CauseId,
    /// Where webhooks are reached, if there is a network.
    pub outside: Option<&'a dyn outside::Outside>,
}

impl Context<'_> {
    /// A request that reaches no webhook.
    pub fn new(now: SimTime, caller: Caller, cause: CauseId) -> Context<'static> {
        Context { now, caller, cause, outside: None }
    }
}

impl ApiServer {
    /// An API server over an empty store, with the namespaces and objects that a new cluster has.
    pub fn new(seed: u64) -> ApiServer {
        let mut server = ApiServer {
            storage: Storage::default(),
            watches: Watches::default(),
            customs: custom::CustomKinds::default(),
            addresses: allocator::ServiceAddresses::default(),
            authenticator: authentication::Authenticator::new(Rng::new(seed).fork()),
            flow: FlowControl::default(),
            is_aggregated: false,
            rng: Rng::new(seed),
            audit_ids: Rng::new(!seed),
            warnings: Vec::new(),
            created: false,
        };
        bootstrap::fill(&mut server);
        server
    }

    /// A request may have to go on to a webhook.
    pub fn may_call_out(&self) -> bool {
        self.storage.has_admission_objects() || self.customs.have_webhooks()
    }

    /// Serves one request, if its caller may have it served.
    pub fn handle(&mut self, context: &Context, request: Request) -> Result<Response, Status> {
        self.authorize(&context.caller.user, &request)?;
        self.handle_authorized(context, request)
    }

    /// Whether the user may have a request served, and there is anything that serves it.
    pub fn authorize(&self, user: &User, request: &Request) -> Result<(), Status> {
        let served = self.kind(request.kind)?;
        check_route(served, request)?;
        authorization::authorize(&self.storage, user, &Attributes::of(served, request))
    }

    /// Serves one request whose caller is known to be allowed: that has been asked by [`ApiServer::authorize`], or by
    /// [`ApiServer::enter`].
    pub fn handle_authorized(&mut self, context: &Context, request: Request) -> Result<Response, Status> {
        self.warnings.clear();
        self.created = false;
        let served = self.kind(request.kind)?;
        check_route(served, &request)?;
        self.check_definition(served, &request)?;
        let aggregates = request.verb.is_write() && self.concerns_aggregation(request.kind);
        let configures = request.verb.is_write() && flow_control::is_configuration(request.kind);
        let settles = request.verb.is_write() && (served.id.is_custom() || served.id == custom::definition::row().id);
        let is_scale = request.subresource == Subresource::Scale;
        let mut response = self.serve(context, served.stored(), request)?;
        if !is_scale {
            response = self.response_in_version(context, served, response)?;
            response = self.shown_response(served, response);
        }
        if settles {
            let warnings = (std::mem::take(&mut self.warnings), self.created);
            self.settle_definitions(context);
            (self.warnings, self.created) = warnings;
        }
        if aggregates {
            let warnings = (std::mem::take(&mut self.warnings), self.created);
            self.settle_aggregation(context);
            (self.warnings, self.created) = warnings;
        }
        if configures {
            let created = self.created;
            self.settle_flow_control(context);
            self.created = created;
        }
        Ok(response)
    }

    /// Flow control for a request inside the cluster: when it begins that comes at a moment and takes so long. `Err`: it is
    /// refused, and its caller knows at that moment.
    pub fn admit(
        &mut self,
        at: SimTime,
        takes: SimTime,
        user: &User,
        origin: Origin,
        request: &Request,
    ) -> Result<SimTime, (SimTime, Status)> {
        let Ok(served) = self.kind(request.kind) else { return Ok(at) };
        let attributes = Attributes::of(served, request);
        if attributes.is_long_running() && request.verb != Verb::Watch {
            return Ok(at);
        }
        let arrival = Arrival { user, attributes, at, takes, origin };
        let Some(schema) = self.flow.classify(&arrival) else { return Ok(at) };
        self.take_seats(schema, &arrival, || Some(served.stored()))
            .map_err(|at| (at, flow_control::too_many_requests()))
    }

    fn take_seats(
        &mut self,
        schema: usize,
        arrival: &Arrival,
        kind: impl FnOnce() -> Option<&'static Kind>,
    ) -> Result<SimTime, SimTime> {
        let (storage, watches) = (&self.storage, &self.watches);
        let work = |widest| flow_control::estimate(storage, watches, kind(), &arrival.attributes, widest);
        self.flow.admit(schema, arrival, work)
    }

    /// Those outside who have entered since this was last said have their answers: they hold no seats any more.
    pub fn answered(&mut self) {
        self.flow.answered();
    }

    pub fn flow_control(&self) -> &FlowControl {
        &self.flow
    }

    /// The row of a kind that exists here.
    pub(crate) fn kind(&self, id: KindId) -> Result<&'static Kind, Status> {
        if !id.is_custom() || id == KindId::ANY_CUSTOM {
            return Ok(api::kinds::row(id));
        }
        self.customs.find(id).map(|custom| custom.kind).ok_or_else(not_served)
    }

    /// Every kind that is served: the table's, and those of custom resources.
    pub fn kinds(&self) -> Vec<&'static Kind> {
        api::kinds::KINDS.iter().chain(self.customs.kinds()).collect()
    }

    /// The rules of a stored kind, in the version in which it is asked for.
    pub(crate) fn rules(&self, kind: &'static Kind, request: &Request) -> KindRules {
        if !kind.id.is_custom() {
            return KindRules::BuiltIn(registry::rules(kind.id));
        }
        match self.customs.find(request.kind) {
            Some(resource) => KindRules::Custom(resource.clone()),
            // Who watches all custom resources selects by metadata, as of any kind.
            None => KindRules::BuiltIn(registry::rules(custom::definition::row().id)),
        }
    }

    /// What the definition of a custom kind has to say to a request.
    fn check_definition(&mut self, served: &'static Kind, request: &Request) -> Result<(), Status> {
        let Some(custom) = self.customs.find(served.id) else { return Ok(()) };
        self.warnings.extend(custom.custom().deprecation.map(str::to_owned));
        if custom.terminating && request.verb == Verb::Create {
            let mut status = Status::method_not_allowed(served, "create");
            status.message = "create not allowed while custom resource definition is terminating".into();
            return Err(status);
        }
        Ok(())
    }

    fn serve(&mut self, context: &Context, kind: &'static Kind, request: Request) -> Result<Response, Status> {
        match (request.verb, request.subresource) {
            (
                Verb::Get,
                Subresource::None
                | Subresource::Status
                | Subresource::EphemeralContainers
                | Subresource::Resize
                | Subresource::Approval,
            ) => self.get(kind, &request).map(Response::Object),
            (Verb::Get, Subresource::Scale) => self.get_scale(kind, &request).map(Response::Object),
            (Verb::List, _) => self.list(kind, &request).map(Response::List),
            (Verb::Watch, _) => self.watch(kind, &request).map(Response::Watch),
            (Verb::Create, Subresource::None) if kind.is_review() => self.review(context, kind, request),
            (Verb::Create, Subresource::Token) => self.request_token(context, request).map(Response::Object),
            (Verb::Create, Subresource::None) => self.create(context, kind, request).map(Response::Object),
            (Verb::Create, Subresource::Binding) => self.bind(context, kind, request).map(Response::Status),
            (Verb::Create, Subresource::Eviction) => self.evict(context, request).map(Response::Status),
            (Verb::Update | Verb::Patch, Subresource::Scale) => {
                self.update_scale(context, kind, request).map(Response::Object)
            }
            (Verb::Update, Subresource::Finalize) => self.finalize(context, kind, request).map(Response::Object),
            (Verb::Update | Verb::Patch, _) => self.update(context, kind, request).map(Response::Object),
            (Verb::Delete, Subresource::None) => self.delete(context, kind, request),
            (Verb::DeleteCollection, Subresource::None) => self.delete_collection(context, kind, request),
            _ => Err(Status::method_not_allowed(kind, request.verb.as_str())),
        }
    }

    /// The warnings of the last request, taken out.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// The last request made a new object, be it by POST, by PUT or by server-side apply.
    pub fn was_created(&self) -> bool {
        self.created
    }

    /// The store's revision.
    pub fn revision(&self) -> u64 {
        self.storage.revision()
    }

    /// How many objects there are.
    pub fn objects(&self) -> usize {
        self.storage.len()
    }

    /// How many objects of a kind there are.
    pub fn objects_of(&self, kind: &'static Kind) -> usize {
        self.storage.range(kind, "").len()
    }

    /// Forgets old versions, as the API server does every five minutes with those of five minutes ago.
    pub fn compact(&mut self, revision: u64) {
        self.storage.compact(revision);
    }

    /// When the next stored object runs out (events live an hour).
    pub fn next_expiry(&self) -> Option<SimTime> {
        self.storage.next_expiry()
    }

    /// Deletes what has run out.
    pub fn expire(&mut self, now: SimTime) {
        for (kind, object) in self.storage.expire(now) {
            self.watches.publish(kind, Some(&object), None, CauseId::default());
        }
    }
}

fn not_served() -> Status {
    Status::new(404, api::Reason::NotFound, "the server could not find the requested resource")
}

/// Refuses combinations that have no handler, before anything is looked at.
fn check_route(kind: &Kind, request: &Request) -> Result<(), Status> {
    if request.subresource != Subresource::None && !kind.has(request.subresource) {
        return Err(not_served());
    }
    if request.subresource == Subresource::None && !kind.verbs().contains(&request.verb) {
        return Err(Status::method_not_allowed(kind, request.verb.as_str()));
    }
    if kind.namespaced && request.namespace.is_empty() && request.verb.is_write() {
        return Err(Status::bad_request("an empty namespace may not be set during creation"));
    }
    Ok(())
}
