//! What is sent to a subresource in place of the object: a Scale, a Binding, an Eviction, the options of a connection.
//! Admission sees it, and not the object.

use api::decode::{Mistake, check_type_of};
use api::object::Tree;
use api::request::ExecOptions;
use api::{Body, Draft, Kind, Object, Request, Status, Subresource, Verb, schema};
use serde_json::{Value, json};

use crate::admission::{self, Attributes};
use crate::{ApiServer, Context};

/// What one reads and writes at a subresource. The group is empty where it is the resource's own.
pub(crate) struct PartKind {
    pub group: &'static str,
    pub version: &'static str,
    pub kind: String,
    pub verbs: &'static [&'static str],
}

impl PartKind {
    pub fn of(kind: &Kind, subresource: Subresource) -> PartKind {
        const STATE: &[&str] = &["get", "patch", "update"];
        let (group, version, name, verbs): (_, _, &str, &[&str]) = match subresource {
            Subresource::Scale => ("autoscaling", "v1", "Scale", STATE),
            Subresource::Binding => ("", "", "Binding", &["create"]),
            Subresource::Eviction => ("policy", "v1", "Eviction", &["create"]),
            Subresource::Token => ("authentication.k8s.io", "v1", "TokenRequest", &["create"]),
            Subresource::Log => ("", "", kind.kind, &["get"]),
            Subresource::Exec => ("", "", "PodExecOptions", &["create", "get"]),
            Subresource::Attach => ("", "", "PodAttachOptions", &["create", "get"]),
            Subresource::PortForward => ("", "", "PodPortForwardOptions", &["create", "get"]),
            Subresource::Proxy => {
                let kind = format!("{}ProxyOptions", kind.kind);
                let verbs = &["create", "delete", "get", "patch", "update"];
                return PartKind { group: "", version: "", kind, verbs };
            }
            Subresource::Finalize => ("", "", kind.kind, &["update"]),
            Subresource::None
            | Subresource::Status
            | Subresource::Approval
            | Subresource::EphemeralContainers
            | Subresource::Resize => ("", "", kind.kind, STATE),
        };
        PartKind { group, version, kind: name.into(), verbs }
    }

    /// It is another kind than the resource's.
    pub fn differs_from(&self, kind: &Kind) -> bool {
        self.kind != kind.kind
    }

    /// With the resource's own group and version where it has none.
    pub fn group_version(&self, kind: &Kind) -> [&'static str; 2] {
        if self.version.is_empty() { [kind.group, kind.version] } else { [self.group, self.version] }
    }
}

/// The request opens a connection to a Pod, a Service or a node.
pub(crate) fn is_connection(subresource: Subresource) -> bool {
    matches!(subresource, Subresource::Exec | Subresource::Attach | Subresource::PortForward | Subresource::Proxy)
}

/// Refuses what has not the fields of its type.
pub(crate) fn check_part(kind: &Kind, subresource: Subresource, part: &mut Value) -> Result<(), Status> {
    let of = PartKind::of(kind, subresource);
    let ([group, version], name) = (of.group_version(kind), &of.kind);
    let Some(type_name) = schema::of(group, version, name) else { return Ok(()) };
    let refused = |mistake: Mistake| {
        let why = format!("{name} in version {version:?} cannot be handled as a {name}: {}", mistake.text);
        Status::bad_request(why)
    };
    check_type_of(type_name, part).map(drop).map_err(refused)
}

impl ApiServer {
    /// Lets admission see what is sent to a subresource, and change it.
    pub(crate) fn admit_part(
        &mut self,
        context: &Context,
        kind: &'static Kind,
        request: &Request,
        mut part: Value,
        old: Option<&dyn Object>,
    ) -> Result<Value, Status> {
        check_part(kind, request.subresource, &mut part)?;
        let rules = self.rules(kind, request);
        let verb = if old.is_some() { Verb::Update } else { Verb::Create };
        let attributes = Attributes::new(verb, kind, &rules, request, context, &self.customs);
        let mut part = Draft::new(Tree::new(kind.id, part));
        admission::mutate_part(&self.storage, &attributes, &mut part, old)?;
        admission::validate(&self.storage, &attributes, &*part, old)?;
        self.warnings.extend(attributes.warnings.take());
        Ok(part.to_value())
    }

    /// Lets admission see who connects to what. What it changes is not looked at.
    pub fn admit_connection(&mut self, context: &Context, request: &Request) -> Result<(), Status> {
        let kind = self.kind(request.kind)?;
        let mut part = match &request.body {
            Body::Exec(options) => exec_options(options),
            _ => json!({}),
        };
        let of = PartKind::of(kind, request.subresource);
        (part["kind"], part["apiVersion"]) = (of.kind.into(), kind.api_version().into());
        self.admit_part(context, kind, request, part, None).map(drop)
    }
}

fn exec_options(options: &ExecOptions) -> Value {
    let mut shown = json!({ "stdin": options.stdin, "stdout": true, "stderr": !options.tty, "tty": options.tty });
    if let Some(fields) = shown.as_object_mut() {
        fields.retain(|_, value| value != false);
    }
    if !options.container.is_empty() {
        shown["container"] = options.container.clone().into();
    }
    if !options.command.is_empty() {
        shown["command"] = options.command.clone().into();
    }
    shown
}
