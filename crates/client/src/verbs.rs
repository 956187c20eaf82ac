//! The typed verbs.

use std::sync::Arc;

use api::object::typed;
use api::request::{Binding, Options, Propagation, StreamId, StreamOutput, User, WatchEvent, WatchId};
use api::types::{ObjectMeta, Pod};
use api::{Body, CauseId, Kinded, Object, Patch, PatchKind, Request, Response, SimTime, Status, Subresource, Verb};
use serde_json::Value;

/// What stands between a component and the API server. Implemented by the core, which adds the caller's identity, the
/// client-side rate limit, the time that the call takes, and the trace.
pub trait Api {
    fn call(&mut self, request: Request) -> Result<Response, Status>;

    /// The same without making the caller wait: a background goroutine upstream (events, status that nobody waits for).
    fn call_detached(&mut self, request: Request) -> Result<Response, Status>;

    /// The caller's own moment: when its last call has returned.
    fn now(&self) -> SimTime;

    /// The caller computes (or sleeps) for a while.
    fn spend(&mut self, duration: SimTime);

    /// 64 bits from the cluster's seed.
    fn random(&mut self) -> u64;

    /// Opens a record of the trace that causes everything until the next one: a reconcile, a scheduling attempt, a
    /// container's start.
    fn begin(&mut self, activity: Activity, cause: CauseId) -> CauseId;

    /// Adds a line to the trace under the open record.
    fn note(&mut self, note: Note);

    /// `count` calls that upstream makes from parallel goroutines follow: together they take as long as the longest.
    fn parallel(&mut self, begin: bool);

    /// The texts of the `Warning` headers that came with the answers since it was last asked.
    fn take_warnings(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// From now on calls are made as this user, or as the caller again: impersonation.
    fn act_as(&mut self, _user: Option<User>) {}

    /// The body of the answer to `GET path`, where this is a connection over HTTP; `None` elsewhere.
    fn raw(&mut self, _method: &'static str, _path: &str, _body: String) -> Option<Result<String, Status>> {
        None
    }

    /// What a watch has brought since it was last asked.
    fn watch_events(&mut self, watch: WatchId) -> Vec<WatchEvent>;

    fn close_watch(&mut self, watch: WatchId);

    /// Feeds an exec session's standard input, or `None` to send it Ctrl-C.
    fn stream_write(&mut self, stream: StreamId, text: Option<&str>);

    /// What a stream (exec, attach, `logs -f`) has brought since it was last asked.
    fn stream_read(&mut self, stream: StreamId) -> StreamOutput;

    fn close_stream(&mut self, stream: StreamId);
}

/// What a component is about to do, for the trace.
#[derive(Clone, Debug)]
pub struct Activity {
    /// `sync`, `schedule`, `start container` …
    pub what: &'static str,
    /// Kind and key of the object it is about: `Deployment`, `default/web`.
    pub kind: &'static str,
    pub key: String,
}

/// Something worth knowing that changes no object: a decision, a result.
#[derive(Clone, Debug)]
pub struct Note {
    pub what: &'static str,
    pub text: String,
}

/// The API as one component uses it, for one piece of work.
pub struct Client<'a> {
    api: &'a mut dyn Api,
}

#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    pub propagation: Option<Propagation>,
    /// Seconds.
    pub grace_period: Option<i64>,
    pub uid: Option<String>,
    pub resource_version: Option<String>,
}

impl<'a> Client<'a> {
    pub fn new(api: &'a mut dyn Api) -> Client<'a> {
        Client { api }
    }

    pub fn now(&self) -> SimTime {
        self.api.now()
    }

    pub fn spend(&mut self, duration: SimTime) {
        self.api.spend(duration);
    }

    pub fn random(&mut self) -> u64 {
        self.api.random()
    }

    /// A number below `bound`, which is not 0.
    pub fn random_below(&mut self, bound: u64) -> u64 {
        self.api.random() % bound
    }

    pub fn begin(&mut self, what: &'static str, kind: &'static str, key: &str, cause: CauseId) -> CauseId {
        self.api.begin(Activity { what, kind, key: key.into() }, cause)
    }

    pub fn note(&mut self, what: &'static str, text: impl Into<String>) {
        self.api.note(Note { what, text: text.into() });
    }

    /// Runs `work`, whose calls upstream makes from parallel goroutines.
    pub fn in_parallel<R>(&mut self, work: impl FnOnce(&mut Client) -> R) -> R {
        self.api.parallel(true);
        let result = work(self);
        self.api.parallel(false);
        result
    }

    pub fn call(&mut self, request: Request) -> Result<Response, Status> {
        self.api.call(request)
    }

    pub fn take_warnings(&mut self) -> Vec<String> {
        self.api.take_warnings()
    }

    pub fn act_as(&mut self, user: Option<User>) {
        self.api.act_as(user);
    }

    pub fn raw(&mut self, method: &'static str, path: &str, body: String) -> Option<Result<String, Status>> {
        self.api.raw(method, path, body)
    }

    pub fn watch_events(&mut self, watch: WatchId) -> Vec<WatchEvent> {
        self.api.watch_events(watch)
    }

    pub fn close_watch(&mut self, watch: WatchId) {
        self.api.close_watch(watch);
    }

    pub fn stream_write(&mut self, stream: StreamId, text: Option<&str>) {
        self.api.stream_write(stream, text);
    }

    pub fn stream_read(&mut self, stream: StreamId) -> StreamOutput {
        self.api.stream_read(stream)
    }

    pub fn close_stream(&mut self, stream: StreamId) {
        self.api.close_stream(stream);
    }

    pub fn call_detached(&mut self, request: Request) -> Result<Response, Status> {
        self.api.call_detached(request)
    }

    fn object<T: Kinded + Object>(&mut self, request: Request) -> Result<Arc<T>, Status> {
        expect_object(self.api.call(request)?)
    }

    pub fn get<T: Kinded + Object>(&mut self, namespace: &str, name: &str) -> Result<Arc<T>, Status> {
        self.object(Request::new::<T>(Verb::Get, namespace, name))
    }

    /// Lists a namespace, or all of them when it is empty.
    pub fn list<T: Kinded + Object>(&mut self, namespace: &str, options: Options) -> Result<Vec<Arc<T>>, Status> {
        let mut request = Request::new::<T>(Verb::List, namespace, "");
        request.options = options;
        match self.api.call(request)? {
            Response::List(list) => Ok(list.items.iter().filter_map(typed).collect()),
            _ => Err(unexpected()),
        }
    }

    pub fn create<T: Kinded + Object>(&mut self, object: T) -> Result<Arc<T>, Status> {
        let namespace = object.metadata().namespace.clone().unwrap_or_default();
        self.object(Request::new::<T>(Verb::Create, &namespace, "").body(object))
    }

    pub fn update<T: Kinded + Object>(&mut self, object: T) -> Result<Arc<T>, Status> {
        self.update_sub(object, Subresource::None)
    }

    pub fn update_status<T: Kinded + Object>(&mut self, object: T) -> Result<Arc<T>, Status> {
        self.update_sub(object, Subresource::Status)
    }

    pub fn update_sub<T: Kinded + Object>(&mut self, object: T, subresource: Subresource) -> Result<Arc<T>, Status> {
        let ObjectMeta { namespace, name, .. } = object.metadata();
        let (namespace, name) = (namespace.clone().unwrap_or_default(), name.clone().unwrap_or_default());
        self.object(Request::new::<T>(Verb::Update, &namespace, &name).on(subresource).body(object))
    }

    pub fn patch<T: Kinded + Object>(
        &mut self,
        namespace: &str,
        name: &str,
        kind: PatchKind,
        value: Value,
    ) -> Result<Arc<T>, Status> {
        self.object(Request::new::<T>(Verb::Patch, namespace, name).body(Patch { kind, value }))
    }

    pub fn delete<T: Kinded + Object>(
        &mut self,
        namespace: &str,
        name: &str,
        options: DeleteOptions,
    ) -> Result<(), Status> {
        let mut request = Request::new::<T>(Verb::Delete, namespace, name);
        request.options.propagation = options.propagation;
        request.options.grace_period = options.grace_period;
        request.options.precondition_uid = options.uid;
        request.options.precondition_revision = options.resource_version;
        self.api.call(request).map(drop)
    }

    /// Binds a Pod to a node, as the scheduler does.
    pub fn bind(&mut self, pod: &Pod, node: &str) -> Result<(), Status> {
        self.api.call(binding(pod, node)).map(drop)
    }

    /// The same without waiting for the answer.
    pub fn bind_detached(&mut self, pod: &Pod, node: &str) -> Result<(), Status> {
        self.api.call_detached(binding(pod, node)).map(drop)
    }
}

fn binding(pod: &Pod, node: &str) -> Request {
    let ObjectMeta { namespace, name, uid, .. } = &pod.metadata;
    let namespace = namespace.as_deref().unwrap_or_default();
    let name = name.as_deref().unwrap_or_default();
    let binding = Binding { uid: uid.clone().unwrap_or_default(), node: node.into() };
    Request::new::<Pod>(Verb::Create, namespace, name).on(Subresource::Binding).body(Body::Binding(binding))
}

fn expect_object<T: Object>(response: Response) -> Result<Arc<T>, Status> {
    match response {
        Response::Object(object) => typed(&object).ok_or_else(unexpected),
        _ => Err(unexpected()),
    }
}

fn unexpected() -> Status {
    Status::internal("the server answered with an object of another kind")
}
