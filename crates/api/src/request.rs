//! One request to the API server and its answer, the same for components, kubectl and the HTTP door.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::json::Layout;
use crate::kinds::{KindId, Kinded};
use crate::object::{Draft, Object, ObjectRef};
use crate::status::Status;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

impl Verb {
    /// As RBAC and audit write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
            Verb::DeleteCollection => "deletecollection",
        }
    }

    pub fn is_write(self) -> bool {
        !matches!(self, Verb::Get | Verb::List | Verb::Watch)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subresource {
    /// The object itself.
    #[default]
    None,
    Status,
    Scale,
    Binding,
    Eviction,
    Log,
    Exec,
    Attach,
    PortForward,
    Proxy,
    Token,
    Finalize,
    EphemeralContainers,
    Resize,
    Approval,
}

impl Subresource {
    /// As in a path; empty for the object itself.
    pub fn as_str(self) -> &'static str {
        match self {
            Subresource::None => "",
            Subresource::Status => "status",
            Subresource::Scale => "scale",
            Subresource::Binding => "binding",
            Subresource::Eviction => "eviction",
            Subresource::Log => "log",
            Subresource::Exec => "exec",
            Subresource::Attach => "attach",
            Subresource::PortForward => "portforward",
            Subresource::Proxy => "proxy",
            Subresource::Token => "token",
            Subresource::Finalize => "finalize",
            Subresource::EphemeralContainers => "ephemeralcontainers",
            Subresource::Resize => "resize",
            Subresource::Approval => "approval",
        }
    }
}

#[derive(Debug)]
pub struct Request {
    pub verb: Verb,
    pub kind: KindId,
    pub subresource: Subresource,
    /// Empty for cluster-scoped kinds, and for lists over all namespaces.
    pub namespace: String,
    /// Empty for lists, watches and creates.
    pub name: String,
    pub body: Body,
    pub options: Options,
}

impl Request {
    pub fn new<T: Kinded>(verb: Verb, namespace: &str, name: &str) -> Request {
        Request::of(verb, T::ID, namespace, name)
    }

    pub fn of(verb: Verb, kind: KindId, namespace: &str, name: &str) -> Request {
        Request {
            verb,
            kind,
            subresource: Subresource::None,
            namespace: namespace.into(),
            name: name.into(),
            body: Body::None,
            options: Options::default(),
        }
    }

    pub fn on(mut self, subresource: Subresource) -> Request {
        self.subresource = subresource;
        self
    }

    pub fn body(mut self, body: impl Into<Body>) -> Request {
        self.body = body.into();
        self
    }
}

/// What a request carries. Components pass typed objects; whatever came over a wire or out of an editor is JSON that the
/// pipeline decodes, so that its mistakes are reported as the API server reports them.
#[derive(Debug, Default)]
pub enum Body {
    #[default]
    None,
    Typed(Draft),
    Json(Value),
    Patch(Patch),
    Exec(ExecOptions),
    Binding(Binding),
}

/// `Binding`: the node that a Pod gets.
#[derive(Clone, Debug, Default)]
pub struct Binding {
    /// Of the Pod that is meant, or empty.
    pub uid: String,
    pub node: String,
}

/// `PodExecOptions`
#[derive(Clone, Debug, Default)]
pub struct ExecOptions {
    pub container: String,
    pub command: Vec<String>,
    pub stdin: bool,
    pub tty: bool,
}

impl<T: Object> From<T> for Body {
    fn from(object: T) -> Body {
        Body::Typed(Draft::new(object))
    }
}

impl From<Value> for Body {
    fn from(value: Value) -> Body {
        Body::Json(value)
    }
}

impl From<Patch> for Body {
    fn from(patch: Patch) -> Body {
        Body::Patch(patch)
    }
}

#[derive(Clone, Debug)]
pub struct Patch {
    pub kind: PatchKind,
    pub value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    Json,
    Merge,
    StrategicMerge,
    /// Server-side apply.
    Apply,
}

/// The query parameters, and the body of a DELETE. Texts are as the client wrote them: the server parses and refuses them.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub dry_run: bool,
    pub field_manager: String,
    pub field_validation: FieldValidation,
    /// Of a body that came as text: its fields in their order, for strict decoding.
    pub layout: Layout,
    pub force: bool,
    pub label_selector: String,
    pub field_selector: String,
    pub resource_version: String,
    pub resource_version_match: String,
    pub limit: u64,
    pub continue_token: String,
    pub allow_watch_bookmarks: bool,
    pub send_initial_events: bool,
    pub propagation: Option<Propagation>,
    /// Seconds.
    pub grace_period: Option<i64>,
    pub precondition_uid: Option<String>,
    pub precondition_revision: Option<String>,
    pub log: LogOptions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    Ignore,
    #[default]
    Warn,
    Strict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    Orphan,
    Background,
    Foreground,
}

/// `PodLogOptions`
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    pub container: String,
    pub follow: bool,
    pub previous: bool,
    pub since_seconds: Option<i64>,
    pub tail_lines: Option<i64>,
    pub limit_bytes: Option<i64>,
    pub timestamps: bool,
}

#[derive(Clone, Debug)]
pub enum Response {
    Object(ObjectRef),
    List(List),
    /// A success without an object, such as most deletions.
    Status(Status),
    /// A watch was opened; its events come by [`WatchId`].
    Watch(WatchId),
    /// Logs.
    Text(String),
    /// exec, attach, `logs -f`: output comes by [`StreamId`].
    Stream(StreamId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// A piece of a stream's output.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamOutput {
    pub stdout: String,
    pub stderr: String,
    /// The stream has ended: the exit code, or why it broke.
    pub end: Option<Result<i32, Status>>,
}

#[derive(Clone, Debug)]
pub struct List {
    pub kind: KindId,
    pub revision: u64,
    pub items: Vec<ObjectRef>,
    pub continue_token: String,
    pub remaining: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchId(pub u64);

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user: Arc<User>,
    /// `kubectl`, `kube-scheduler` …: the default field manager.
    pub agent: &'static str,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct User {
    pub name: String,
    pub uid: String,
    pub groups: Vec<String>,
    /// What authenticators add, such as the id of the token: sorted by key.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    pub fn new(name: &str, groups: &[&str]) -> User {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        User { name: name.into(), groups, ..User::default() }
    }

    /// Whoever holds the cluster's admin kubeconfig.
    pub fn admin() -> User {
        User { uid: "admin".into(), ..User::new("kubernetes-admin", &["system:masters", "system:authenticated"]) }
    }

    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|one| one == group)
    }
}

impl Caller {
    pub fn new(user: &str, groups: &[&str], agent: &'static str) -> Caller {
        Caller { user: Arc::new(User::new(user, groups)), agent }
    }

    pub fn admin(agent: &'static str) -> Caller {
        Caller { user: Arc::new(User::admin()), agent }
    }
}

/// One change that a watch reports.
#[derive(Clone, Debug)]
pub struct WatchEvent {
    pub kind: WatchKind,
    pub object: ObjectRef,
    /// The trace record of the request that made the change.
    pub cause: CauseId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WatchKind {
    Added,
    Modified,
    Deleted,
    Bookmark,
}

/// A record of the trace. 0 is "nothing": what the cluster does on its own from its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CauseId(pub u64);
