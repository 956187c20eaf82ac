//! kube-apiserver: the only way to the store.
//!
//! [`ApiServer::handle`] takes every request through one pipeline with named stages, whoever sends it:
//! routing → authorization → decoding and defaulting → admission (mutating) → the kind's strategy → validation →
//! admission (validating) → [`storage`] → the watches ([`watch`]). The [`Context`] names the caller: who comes over HTTP
//! has gone through [`authentication`] before.
//!
//! A kind is a row of `api::kinds` and a [`strategy::Strategy`] in [`registry`].

mod admission;
mod allocator;
pub mod authentication;
mod authorization;
mod body;
mod bootstrap;
mod create;
mod delete;
pub mod discovery;
mod eviction;
mod fields;
mod list;
pub mod local;
mod managed_fields;
mod metadata;
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
use api::{Caller, CauseId, Kind, Request, Response, SimTime, Status, Subresource, Verb};

use storage::Storage;
use watch::Watches;

/// The API server. A clone is a checkpoint.
#[derive(Clone)]
pub struct ApiServer {
    storage: Storage,
    watches: Watches,
    addresses: allocator::ServiceAddresses,
    authenticator: authentication::Authenticator,
    rng: Rng,
    /// `Warning` headers of the request that was handled last.
    warnings: Vec<String>,
    /// It made a new object.
    created: bool,
}

/// What surrounds a request.
#[derive(Clone, Debug)]
pub struct Context {
    pub now: SimTime,
    pub caller: Caller,
    /// The trace record that stands for this request: what its watch events name as their cause.
    pub cause: CauseId,
}

impl ApiServer {
    /// An API server over an empty store, with the namespaces and objects that a new cluster has.
    pub fn new(seed: u64) -> ApiServer {
        let mut server = ApiServer {
            storage: Storage::default(),
            watches: Watches::default(),
            addresses: allocator::ServiceAddresses::default(),
            authenticator: authentication::Authenticator::new(Rng::new(seed).fork()),
            rng: Rng::new(seed),
            warnings: Vec::new(),
            created: false,
        };
        bootstrap::fill(&mut server);
        server
    }

    /// Serves one request.
    pub fn handle(&mut self, context: &Context, request: Request) -> Result<Response, Status> {
        self.warnings.clear();
        self.created = false;
        let served = api::kinds::row(request.kind);
        check_route(served, &request)?;
        authorization::authorize(&self.storage, context, served, &request)?;
        let response = self.serve(context, served.stored(), request)?;
        Ok(view::response(served, response))
    }

    fn serve(&mut self, context: &Context, kind: &'static Kind, request: Request) -> Result<Response, Status> {
        match (request.verb, request.subresource) {
            (Verb::Get, Subresource::None | Subresource::Status) => self.get(kind, &request).map(Response::Object),
            (Verb::Get, Subresource::Scale) => self.get_scale(kind, &request).map(Response::Object),
            (Verb::List, _) => self.list(kind, &request).map(Response::List),
            (Verb::Watch, _) => self.watch(kind, &request).map(Response::Watch),
            (Verb::Create, Subresource::None) if kind.is_review() => self.review(context, kind, request),
            (Verb::Create, Subresource::Token) => self.request_token(context, request).map(Response::Object),
            (Verb::Create, Subresource::None) => self.create(context, kind, request).map(Response::Object),
            (Verb::Create, Subresource::Binding) => self.bind(context, request).map(Response::Status),
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

/// Refuses combinations that have no handler, before anything is looked at.
fn check_route(kind: &Kind, request: &Request) -> Result<(), Status> {
    if request.subresource != Subresource::None && !kind.has(request.subresource) {
        return Err(Status::new(404, api::Reason::NotFound, "the server could not find the requested resource"));
    }
    if request.subresource == Subresource::None && !kind.verbs().contains(&request.verb) {
        return Err(Status::method_not_allowed(kind, request.verb.as_str()));
    }
    if kind.namespaced && request.namespace.is_empty() && request.verb.is_write() {
        return Err(Status::bad_request("an empty namespace may not be set during creation"));
    }
    Ok(())
}
