//! The path, query and body of a request.

use api::kinds;
use api::request::{ExecOptions, Options};
use api::{Body, FieldValidation, PatchKind, Propagation, Request, Subresource, Verb};
use serde_json::{Value, json};

/// What goes over the wire.
pub struct Call {
    pub method: &'static str,
    /// With the query.
    pub path: String,
    pub content_type: &'static str,
    pub body: String,
}

pub fn call(request: Request) -> Call {
    let mut query = query(&request.options, request.verb);
    let path = path(&request);
    let mut content_type = "application/json";
    let mut body = String::new();
    let method = match request.verb {
        Verb::Get | Verb::List | Verb::Watch => "GET",
        Verb::Create => "POST",
        Verb::Update => "PUT",
        Verb::Patch => "PATCH",
        Verb::Delete | Verb::DeleteCollection => {
            body = delete_options(&request.options).to_string();
            "DELETE"
        }
    };
    match request.body {
        Body::None => {}
        Body::Typed(object) => body = object.to_value().to_string(),
        Body::Json(value) => body = value.to_string(),
        Body::Patch(patch) => {
            content_type = match patch.kind {
                PatchKind::Json => "application/json-patch+json",
                PatchKind::Merge => "application/merge-patch+json",
                PatchKind::StrategicMerge => "application/strategic-merge-patch+json",
                PatchKind::Apply => "application/apply-patch+yaml",
            };
            body = patch.value.to_string();
        }
        Body::Exec(options) => exec(&mut query, &options),
        Body::Binding(binding) => {
            let mut value = json!({
                "apiVersion": "v1", "kind": "Binding", "metadata": { "name": request.name },
                "target": { "kind": "Node", "name": binding.node },
            });
            if !binding.uid.is_empty() {
                value["metadata"]["uid"] = binding.uid.into();
            }
            body = value.to_string();
        }
    }
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let path = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
    Call { method, path, content_type, body }
}

fn path(request: &Request) -> String {
    let kind = kinds::row(request.kind);
    let mut path =
        if kind.group.is_empty() { format!("/api/{}", kind.version) } else { format!("/apis/{}", kind.api_version()) };
    if !request.namespace.is_empty() && kind.namespaced {
        path.push_str(&format!("/namespaces/{}", encoded(&request.namespace)));
    }
    path.push_str(&format!("/{}", kind.plural));
    if !request.name.is_empty() {
        path.push_str(&format!("/{}", encoded(&request.name)));
    }
    if request.subresource != Subresource::None {
        path.push_str(&format!("/{}", request.subresource.as_str()));
    }
    path
}

type Query = Vec<(&'static str, String)>;

fn query(options: &Options, verb: Verb) -> Query {
    let mut query = Query::new();
    let mut add = |name: &'static str, value: String| {
        if !value.is_empty() {
            query.push((name, value));
        }
    };
    let switch = |on: bool, text: &str| if on { text.to_owned() } else { String::new() };
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    add("watch", switch(verb == Verb::Watch, "true"));
    add("labelSelector", options.label_selector.clone());
    add("fieldSelector", options.field_selector.clone());
    add("resourceVersion", options.resource_version.clone());
    add("resourceVersionMatch", options.resource_version_match.clone());
    add("limit", if options.limit > 0 { options.limit.to_string() } else { String::new() });
    add("continue", options.continue_token.clone());
    if matches!(verb, Verb::Create | Verb::Update | Verb::Patch) {
        add("dryRun", switch(options.dry_run, "All"));
        add("fieldManager", options.field_manager.clone());
        add(
            "fieldValidation",
            match options.field_validation {
                FieldValidation::Ignore => "Ignore".into(),
                FieldValidation::Warn => String::new(),
                FieldValidation::Strict => "Strict".into(),
            },
        );
        add("force", switch(options.force, "true"));
    }
    let log = &options.log;
    add("container", log.container.clone());
    add("follow", switch(log.follow, "true"));
    add("previous", switch(log.previous, "true"));
    add("timestamps", switch(log.timestamps, "true"));
    add("sinceSeconds", number(log.since_seconds));
    add("tailLines", number(log.tail_lines));
    add("limitBytes", number(log.limit_bytes));
    query
}

fn exec(query: &mut Query, options: &ExecOptions) {
    query.extend(options.command.iter().map(|word| ("command", word.clone())));
    let flags = [("container", options.container.clone()), ("stdin", options.stdin.to_string())];
    query.extend(flags);
    query.extend([("stdout", "true".to_owned()), ("tty", options.tty.to_string())]);
}

fn delete_options(options: &Options) -> Value {
    let mut body = json!({ "kind": "DeleteOptions", "apiVersion": "v1" });
    if let Some(propagation) = options.propagation {
        body["propagationPolicy"] = match propagation {
            Propagation::Orphan => "Orphan",
            Propagation::Background => "Background",
            Propagation::Foreground => "Foreground",
        }
        .into();
    }
    if let Some(seconds) = options.grace_period {
        body["gracePeriodSeconds"] = seconds.into();
    }
    for (name, value) in [("uid", &options.precondition_uid), ("resourceVersion", &options.precondition_revision)] {
        if let Some(value) = value {
            body["preconditions"][name] = value.clone().into();
        }
    }
    if options.dry_run {
        body["dryRun"] = json!(["All"]);
    }
    body
}

/// Percent-encoding of what a path's segment or a query's value may not hold as it is.
pub fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use api::Kinded as _;
    use api::types::{Deployment, Node};

    use super::*;

    #[test]
    fn paths_and_queries() {
        let mut request = Request::new::<Deployment>(Verb::List, "shop", "");
        request.options.label_selector = "app in (a,b)".into();
        let list = call(request);
        assert_eq!(list.path, "/apis/apps/v1/namespaces/shop/deployments?labelSelector=app%20in%20%28a%2Cb%29");
        let node = call(Request::of(Verb::Get, Node::ID, "", "node-1"));
        assert_eq!((node.method, node.path.as_str()), ("GET", "/api/v1/nodes/node-1"));
    }

    #[test]
    fn deletions_say_how_in_their_body() {
        let mut request = Request::new::<Deployment>(Verb::Delete, "shop", "web");
        request.options.propagation = Some(Propagation::Foreground);
        request.options.dry_run = true;
        let deletion = call(request);
        assert_eq!(
            deletion.body,
            r#"{"apiVersion":"v1","dryRun":["All"],"kind":"DeleteOptions","propagationPolicy":"Foreground"}"#
        );
    }
}
