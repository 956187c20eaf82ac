//! Answers: objects, lists, tables, `Status` and watch events as they go over the wire.

use api::object::Tree;
use api::request::List;
use api::table::{self, Column};
use api::types::{DaemonSet, Pod};
use api::wire::go_document;
use api::{Kind, Kinded, ObjectRef, Reason, Response, SimTime, Status, Verb, WatchEvent, WatchKind};
use serde_json::{Map, Value, json};

use super::{Include, Resource, Shape};

/// What the HTTP server sends.
#[derive(Clone, Debug)]
pub struct Answer {
    pub code: u16,
    pub content_type: &'static str,
    pub body: String,
    /// `Warning` headers.
    pub warnings: Vec<String>,
    /// The `Retry-After` header, in seconds; 0 for none.
    pub retry_after: u64,
}

impl Answer {
    /// What Go's HTTP server says of a path that nobody serves.
    pub fn page_not_found() -> Answer {
        Answer { code: 404, ..Answer::text("404 page not found\n") }
    }

    /// What flow control says to those whom it refuses.
    pub fn too_many_requests() -> Answer {
        Answer { code: 429, retry_after: 1, ..Answer::text("Too many requests, please try again later.\n") }
    }

    /// A success in plain text.
    pub fn text(body: impl Into<String>) -> Answer {
        let content_type = "text/plain; charset=utf-8";
        Answer { code: 200, content_type, body: body.into(), warnings: Vec::new(), retry_after: 0 }
    }

    /// A success in JSON.
    pub fn json(value: &Value) -> Answer {
        Answer::of(200, value, Shape::Json)
    }

    fn of(code: u16, value: &Value, shape: Shape) -> Answer {
        match shape {
            Shape::Yaml => Answer { code, content_type: "application/yaml", ..Answer::text(api::yaml::emit(value)) },
            Shape::Json | Shape::Table | Shape::Metadata => Answer { code, ..Answer::json_text(go_document(value)) },
        }
    }

    fn json_text(text: String) -> Answer {
        Answer { content_type: "application/json", ..Answer::text(text + "\n") }
    }
}

/// What the client accepts most; `Err` is the 406.
pub(super) fn shape(accept: &str) -> Result<Shape, Status> {
    let mut clauses: Vec<Clause> =
        accept.split(',').map(str::trim).filter(|text| !text.is_empty()).map(Clause::of).collect();
    clauses.sort_by(|one, two| two.quality.total_cmp(&one.quality).then_with(|| one.wildcards().cmp(&two.wildcards())));
    let refused = !clauses.is_empty();
    for clause in clauses {
        match (clause.media, clause.get("as")) {
            ("application/json" | "application/*" | "*/*", None) => return Ok(Shape::Json),
            ("application/yaml", None) => return Ok(Shape::Yaml),
            ("application/json", Some("Table")) if matches!(clause.get("v"), Some("v1" | "v1beta1")) => {
                return Ok(Shape::Table);
            }
            ("application/json", Some("PartialObjectMetadata" | "PartialObjectMetadataList"))
                if matches!(clause.get("v"), Some("v1" | "v1beta1")) =>
            {
                return Ok(Shape::Metadata);
            }
            _ => {}
        }
    }
    if !refused {
        return Ok(Shape::Json);
    }
    Err(Status::new(
        406,
        Reason::NotAcceptable,
        "only the following media types are accepted: application/json, application/yaml, \
         application/vnd.kubernetes.protobuf",
    ))
}

/// A media type that a client accepts.
struct Clause<'a> {
    media: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    /// How much it is liked, from 0 to 1.
    quality: f64,
}

impl<'a> Clause<'a> {
    fn of(text: &'a str) -> Clause<'a> {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let mut clause = Clause { media, parameters, quality: 1.0 };
        clause.quality = clause.get("q").and_then(|text| text.parse().ok()).unwrap_or(1.0);
        clause
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }

    fn wildcards(&self) -> usize {
        self.media.split('/').filter(|part| *part == "*").count()
    }
}

/// The answer to a request that was served: `created` when it made a new object. A watch has none: its events are
/// [`watch_line`]s.
pub fn answer(
    resource: &Resource,
    result: Result<Response, Status>,
    created: bool,
    warnings: Vec<String>,
    now: SimTime,
) -> Answer {
    let created = created || resource.verb == Verb::Create;
    let mut answer = match result {
        Ok(Response::Object(object)) => {
            let code = if created { 201 } else { 200 };
            match resource.shape {
                Shape::Json => Answer { code, ..Answer::json_text(api::wire::text(&*object)) },
                shape => Answer::of(code, &object_value(resource, &object, now), shape),
            }
        }
        Ok(Response::List(list)) => list_answer(resource, &list, now),
        Ok(Response::Status(status)) => refusal(&status, resource.shape),
        Ok(Response::Text(body)) => Answer { content_type: "text/plain", ..Answer::text(body) },
        Ok(Response::Watch(_) | Response::Stream(_)) => Answer::of(200, &Value::Null, resource.shape),
        Err(status) if resource.verb == Verb::Watch && status.reason == Reason::Expired => {
            let line = event_line("ERROR", &go_document(&status.to_value()));
            Answer { content_type: "application/json", ..Answer::text(line) }
        }
        Err(status) => {
            let mut answer = refusal(&status, resource.shape);
            answer.warnings = status.warnings;
            answer
        }
    };
    answer.warnings.splice(0..0, warnings);
    if resource.kind.kind == "Endpoints" {
        let text = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
        answer.warnings.insert(0, text.into());
    }
    answer
}

/// A `Status` as an answer: most often a refusal.
pub fn refusal(status: &Status, shape: Shape) -> Answer {
    let retry_after = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
    Answer { retry_after: retry_after.into(), ..Answer::of(status.code, &status.to_value(), shape) }
}

/// One event of a watch, as a line of its stream.
pub fn watch_line(event: &WatchEvent, resource: &Resource, now: SimTime) -> String {
    let name = match event.kind {
        WatchKind::Added => "ADDED",
        WatchKind::Modified => "MODIFIED",
        WatchKind::Deleted => "DELETED",
        WatchKind::Bookmark => "BOOKMARK",
    };
    event_line(
        name,
        &match resource.shape {
            Shape::Json => api::wire::text(&*event.object),
            _ => go_document(&object_value(resource, &event.object, now)),
        },
    )
}

fn event_line(name: &str, object: &str) -> String {
    format!("{{\"type\":\"{name}\",\"object\":{object}}}\n")
}

fn object_value(resource: &Resource, object: &ObjectRef, now: SimTime) -> Value {
    match resource.shape {
        Shape::Table => table(resource, std::slice::from_ref(object), &object_list_meta(object), now),
        Shape::Metadata => partial(object),
        Shape::Json | Shape::Yaml => api::wire::form(&**object),
    }
}

fn partial(object: &ObjectRef) -> Value {
    let mut metadata = api::wire::value_of(object.meta());
    if object.kind_id() == DaemonSet::ID
        && let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut)
    {
        // It is a field of the internal type, which metadata alone is taken from.
        annotations.remove("deprecated.daemonset.template.generation");
        if annotations.is_empty()
            && let Some(fields) = metadata.as_object_mut()
        {
            fields.remove("annotations");
        }
    }
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata })
}

fn list_meta(list: &List) -> Value {
    let mut meta = Map::new();
    meta.insert("resourceVersion".into(), list.revision.to_string().into());
    if !list.continue_token.is_empty() {
        meta.insert("continue".into(), list.continue_token.clone().into());
    }
    if let Some(count) = list.remaining {
        meta.insert("remainingItemCount".into(), count.into());
    }
    Value::Object(meta)
}

fn object_list_meta(object: &ObjectRef) -> Value {
    json!({ "resourceVersion": object.meta().resource_version })
}

fn list_answer(resource: &Resource, list: &List, now: SimTime) -> Answer {
    let kind = resource.kind;
    let mut meta = list_meta(list);
    let value = match resource.shape {
        Shape::Table => table(resource, &list.items, &meta, now),
        Shape::Metadata => json!({
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": meta,
            "items": list.items.iter().map(partial).collect::<Value>(),
        }),
        Shape::Json | Shape::Yaml => {
            if kind.id.is_custom() && list.continue_token.is_empty() {
                meta["continue"] = "".into();
            }
            if resource.shape == Shape::Json {
                return Answer::json_text(api::wire::list_text(kind, &meta, &list.items));
            }
            json!({
                "kind": kind.list_kind,
                "apiVersion": kind.api_version(),
                "metadata": meta,
                "items": list.items.iter().map(|object| item(kind, object)).collect::<Value>(),
            })
        }
    };
    Answer::of(200, &value, resource.shape)
}

/// Items of a list do not say what they are: the list does. Custom resources have no types that it could stand for.
fn item(kind: &Kind, object: &ObjectRef) -> Value {
    let mut value = api::wire::form(&**object);
    if let Some(fields) = value.as_object_mut().filter(|_| !kind.id.is_custom()) {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    value
}

fn table(resource: &Resource, objects: &[ObjectRef], meta: &Value, now: SimTime) -> Value {
    let kind = objects.first().map_or(resource.kind, |object| api::kinds::shown_as(resource.kind, &**object));
    let columns = table::columns(kind).iter().enumerate().map(|(index, column): (usize, &Column)| {
        let own = kind.custom.and_then(|custom| custom.cells.get(index.checked_sub(1)?));
        let described = own.map(|(_, text)| (*text).to_owned()).filter(|text| !text.is_empty());
        json!({
            "name": column.name, "type": column.data_type, "format": column.format,
            "description": described.unwrap_or_else(|| description(kind.plural, column.name)), "priority": column.priority,
        })
    });
    let rows = in_order(kind, objects).into_iter().map(|object| {
        let cells: Value = table::cells(kind, &**object, now).iter().map(table::Cell::to_value).collect();
        let mut row = json!({ "cells": cells });
        if let Some(condition) = completed(object) {
            row["conditions"] = json!([condition]);
        }
        match resource.include {
            Include::None => {}
            Include::Metadata => row["object"] = partial(object),
            Include::Object => row["object"] = api::wire::form(&**object),
        }
        row
    });
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": meta,
        "columnDefinitions": columns.collect::<Value>(),
        "rows": rows.collect::<Value>(),
    })
}

/// Flow schemas are shown as they are tried.
fn in_order<'a>(kind: &Kind, objects: &'a [ObjectRef]) -> Vec<&'a ObjectRef> {
    let mut objects: Vec<&ObjectRef> = objects.iter().collect();
    if kind.kind == "FlowSchema" && !kind.id.is_custom() {
        let precedence = |object: &Tree| object.at("/spec/matchingPrecedence").and_then(Value::as_i64);
        objects.sort_by_key(|object| object.downcast_ref::<Tree>().and_then(precedence));
    }
    objects
}

/// What marks the row of a Pod that has ended.
fn completed(object: &ObjectRef) -> Option<Value> {
    let phase = object.downcast_ref::<Pod>()?.status.as_ref()?.phase.as_deref()?;
    let message = match phase {
        "Succeeded" => "The pod has completed successfully.",
        "Failed" => "The pod failed.",
        _ => return None,
    };
    Some(json!({ "type": "Completed", "status": "True", "reason": phase, "message": message }))
}

/// What upstream says of its printer columns, one a line: `PLURAL|COLUMN|TEXT`, or `*` for every kind.
const DESCRIPTIONS: &str = include_str!("columns.txt");

fn description(plural: &str, column: &str) -> String {
    let of = |wanted: &str| {
        DESCRIPTIONS
            .lines()
            .find_map(|line| line.strip_prefix(wanted)?.strip_prefix('|')?.strip_prefix(column)?.strip_prefix('|'))
    };
    of(plural).or_else(|| of("*")).unwrap_or_default().replace("\\n", "\n")
}
