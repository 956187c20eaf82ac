//! From the body of an answer to [`api::Response`].

use api::object::{Draft, Tree};
use api::request::List;
use api::{Kind, ObjectRef, Reason, Response, Status, Subresource, Verb, WatchEvent, WatchKind};
use serde_json::Value;

/// What was asked.
#[derive(Clone, Copy)]
pub struct Asked {
    pub kind: &'static Kind,
    pub verb: Verb,
    pub subresource: Subresource,
}

pub fn success(asked: Asked, body: &str) -> Result<Response, Status> {
    if asked.subresource == Subresource::Log {
        return Ok(Response::Text(body.into()));
    }
    let value: Value = serde_json::from_str(body).map_err(Status::internal)?;
    if value["kind"] == "Status" {
        return Ok(Response::Status(Status::from_value(&value, 200)));
    }
    if asked.verb == Verb::List {
        return Ok(Response::List(list(asked.kind, value)));
    }
    Ok(Response::Object(object(asked.kind, value)))
}

fn list(kind: &'static Kind, mut value: Value) -> List {
    let items = value.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
    let items = items.into_iter().map(|mut item| {
        item["apiVersion"] = kind.api_version().into();
        item["kind"] = kind.kind.into();
        object(kind, item)
    });
    let meta = &value["metadata"];
    List {
        kind: kind.id,
        revision: meta["resourceVersion"].as_str().and_then(|text| text.parse().ok()).unwrap_or_default(),
        items: items.collect(),
        continue_token: meta["continue"].as_str().unwrap_or_default().into(),
        remaining: meta["remainingItemCount"].as_u64(),
    }
}

/// An object of the kind; a `Scale` or whatever else a subresource answers with stays a tree.
fn object(kind: &'static Kind, value: Value) -> ObjectRef {
    let decoded = if value["kind"] == kind.kind { (kind.decode)(kind, value.clone()).ok() } else { None };
    decoded.unwrap_or_else(|| Draft::new(Tree::new(kind.id, value))).share()
}

/// One line of a watch; `None` for what is no event.
pub fn event(kind: &'static Kind, line: &str) -> Option<WatchEvent> {
    let mut value: Value = serde_json::from_str(line).ok()?;
    let what = match value["type"].as_str()? {
        "ADDED" => WatchKind::Added,
        "MODIFIED" => WatchKind::Modified,
        "DELETED" => WatchKind::Deleted,
        "BOOKMARK" => WatchKind::Bookmark,
        _ => return None,
    };
    Some(WatchEvent { kind: what, object: object(kind, value["object"].take()), cause: Default::default() })
}

/// The refusal that a body holds: a `Status`, or the plain text of a server that knows no such path.
pub fn refusal(code: u16, body: &str) -> Status {
    match serde_json::from_str::<Value>(body) {
        Ok(value) if value["kind"] == "Status" => Status::from_value(&value, code),
        _ if code == 404 => Status::new(code, Reason::NotFound, "the server could not find the requested resource"),
        _ => Status::new(code, Reason::Unknown, body.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read_back() {
        let body = r#"{"kind":"Status","reason":"NotFound","message":"pods \"x\" not found","code":404,
            "details":{"name":"x","kind":"pods"}}"#;
        let status = refusal(404, body);
        assert!(status.is_not_found());
        assert_eq!(status.details.map(|details| details.kind).as_deref(), Some("pods"));
        assert_eq!(refusal(404, "404 page not found\n").message, "the server could not find the requested resource");
    }
}
