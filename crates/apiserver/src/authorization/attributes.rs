//! What a request is to authorizers. Upstream: `apiserver/pkg/endpoints/request` and `authorization/authorizer`.

use api::selector::FieldSelector;
use api::types::Namespace;
use api::{Kind, Kinded, Request, Verb};

/// Who is asked for is not part of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attributes<'a> {
    pub verb: &'a str,
    pub group: &'a str,
    pub resource: &'a str,
    pub subresource: &'a str,
    /// Empty at the cluster's scope and for lists over all namespaces.
    pub namespace: &'a str,
    pub name: &'a str,
    /// Of a request that is about no resource.
    pub path: Option<&'a str>,
}

impl<'a> Attributes<'a> {
    pub fn of(kind: &'static Kind, request: &'a Request) -> Attributes<'a> {
        let about_one = matches!(request.verb, Verb::List | Verb::Watch) && request.name.is_empty();
        Attributes {
            verb: if request.verb == Verb::Watch && !request.name.is_empty() { "get" } else { request.verb.as_str() },
            group: kind.group,
            resource: kind.plural,
            subresource: request.subresource.as_str(),
            // A namespace lies in itself.
            namespace: if kind.id == Namespace::ID { &request.name } else { &request.namespace },
            name: if about_one { named_by_selector(&request.options.field_selector) } else { &request.name },
            path: None,
        }
    }

    /// It goes on for as long as its client likes.
    pub fn is_long_running(&self) -> bool {
        matches!(self.verb, "watch" | "proxy")
            || matches!(self.subresource, "attach" | "exec" | "log" | "portforward" | "proxy")
    }

    /// `pods/log`
    pub fn combined_resource(&self) -> String {
        match self.subresource {
            "" => self.resource.to_owned(),
            subresource => format!("{}/{subresource}", self.resource),
        }
    }

    /// `User "jane" cannot list resource "pods" in API group "" in the namespace "default"`
    pub fn refusal(&self, user: &str) -> String {
        if let Some(path) = self.path {
            return format!("User {user:?} cannot {} path {path:?}", self.verb);
        }
        let scope = match self.namespace {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace {namespace:?}"),
        };
        let (verb, resource, group) = (self.verb, self.combined_resource(), self.group);
        format!("User {user:?} cannot {verb} resource {resource:?} in API group {group:?} {scope}")
    }
}

/// A list that is about one name may be allowed for that name alone.
fn named_by_selector(selector: &str) -> &str {
    let exact = |part: &'_ str| FieldSelector::parse(part).ok()?.required("metadata.name").map(str::len);
    let parts = selector.split(',').filter_map(|part| exact(part).map(|length| &part[part.len() - length..]));
    parts.into_iter().next().unwrap_or_default()
}

/// A path and a method, taken apart as far as authorization needs it: also for resources that do not exist.
#[derive(Debug, Default)]
pub(crate) struct RequestInfo {
    path: String,
    is_resource: bool,
    verb: String,
    group: String,
    namespace: String,
    resource: String,
    name: String,
    subresource: String,
}

impl RequestInfo {
    /// `path` may have a query.
    pub fn parse(method: &str, path: &str) -> RequestInfo {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut info = RequestInfo { path: path.to_owned(), verb: method.to_lowercase(), ..RequestInfo::default() };
        let decoded: Vec<String> = path.trim_matches('/').split('/').map(crate::route::decoded).collect();
        let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
        let rest = match parts.as_slice() {
            ["api", _, rest @ ..] if !rest.is_empty() => rest,
            ["apis", group, _, rest @ ..] if !rest.is_empty() => {
                info.group = (*group).into();
                rest
            }
            _ => return info,
        };
        info.is_resource = true;
        info.verb = verb_of(method).into();
        let watches = rest[0] == "watch" && rest.len() > 1;
        let rest = if watches { &rest[1..] } else { rest };
        let rest = match rest {
            ["namespaces", namespace, inner @ ..] => {
                info.namespace = (*namespace).into();
                if inner.is_empty() || matches!(inner[0], "status" | "finalize") { rest } else { inner }
            }
            _ => rest,
        };
        let part = |index: usize| rest.get(index).map(|part| (*part).to_owned()).unwrap_or_default();
        (info.resource, info.name, info.subresource) = (part(0), part(1), part(2));
        if watches {
            info.verb = "watch".into();
        } else if info.name.is_empty() {
            let parameters = crate::route::Parameters::parse(query);
            info.verb = match info.verb.as_str() {
                "get" if parameters.is_set("watch") => "watch".into(),
                "get" => "list".into(),
                "delete" => "deletecollection".into(),
                _ => info.verb,
            };
            if matches!(info.verb.as_str(), "list" | "watch") {
                info.name = named_by_selector(parameters.get("fieldSelector").unwrap_or_default()).into();
            }
        }
        info
    }

    pub fn attributes(&self) -> Attributes<'_> {
        if !self.is_resource {
            return Attributes { verb: &self.verb, path: Some(&self.path), ..Attributes::default() };
        }
        Attributes {
            verb: &self.verb,
            group: &self.group,
            resource: &self.resource,
            subresource: &self.subresource,
            namespace: &self.namespace,
            name: &self.name,
            path: None,
        }
    }
}

fn verb_of(method: &str) -> &'static str {
    match method {
        "POST" => "create",
        "GET" | "HEAD" => "get",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "",
    }
}
