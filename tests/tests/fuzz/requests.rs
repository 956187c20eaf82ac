//! Requests of every shape to every endpoint.

use std::sync::LazyLock;

use api::Kind;
use serde_json::{Value, json};

use crate::choices::Choices;
use crate::runner::check;
use crate::world::{Call, World, names, path};
use crate::{manifests, patches};

static WORLD: LazyLock<World> = LazyLock::new(World::new);

const METHODS: &[&str] = &["POST", "PUT", "PATCH", "GET", "DELETE", "HEAD", "OPTIONS", "post", ""];
const SUBRESOURCES: &[&str] = &[
    "status",
    "scale",
    "binding",
    "eviction",
    "log",
    "exec",
    "attach",
    "portforward",
    "proxy",
    "token",
    "finalize",
    "ephemeralcontainers",
    "resize",
    "approval",
    "other",
];
const CONTENT_TYPES: &[&str] = &[
    "application/json",
    "application/yaml",
    "",
    "text/plain",
    "application/json-patch+json",
    "application/json; charset=x",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/vnd.kubernetes.protobuf",
    "*/*",
];
const ACCEPTS: &[&str] = &[
    "application/json",
    "",
    "application/yaml",
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "text/plain",
    "*/*",
    ";;;=",
];
/// Parameters, each with values that mean something.
const PARAMETERS: &[(&str, &[&str])] = &[
    ("limit", &["1", "2", "500", "0", "-1"]),
    ("continue", &["eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0", "e30", "bnVsbA", "W10"]),
    ("labelSelector", &["app=web", "app in (web, api),!b", "a", "app notin (web)", "app=,b>1"]),
    ("fieldSelector", &["metadata.name=sample", "spec.nodeName!=x", "status.phase=Running", "type=Opaque", "a"]),
    ("resourceVersion", &["0", "1", "100000", "-1", "x"]),
    ("resourceVersionMatch", &["Exact", "NotOlderThan", "x"]),
    ("timeoutSeconds", &["1", "0", "-1"]),
    ("watch", &["1", "true", "false", "x"]),
    ("sendInitialEvents", &["true", "false"]),
    ("allowWatchBookmarks", &["true"]),
    ("dryRun", &["All", "all"]),
    ("fieldValidation", &["Strict", "Warn", "Ignore", "x"]),
    ("fieldManager", &["fuzz", "kubectl"]),
    ("force", &["true", "false"]),
    ("propagationPolicy", &["Foreground", "Background", "Orphan"]),
    ("gracePeriodSeconds", &["0", "30", "-1"]),
    ("pretty", &["true"]),
    ("tailLines", &["1", "-1"]),
    ("container", &["c"]),
    ("command", &["ls"]),
    ("includeObject", &["Object", "None", "x"]),
];

#[test]
fn requests_of_every_shape_are_answered_and_break_nothing() {
    check(2500, |choices| {
        let mut world = WORLD.clone();
        for _ in 0..=choices.below(4) {
            let call = some(choices, &world.kinds());
            world.probe(&call).map_err(|why| format!("{call:?}\n{why}"))?;
        }
        Ok(())
    });
}

/// Creates and updates that are nearly right reach deeper than the decoder.
#[test]
fn nearly_valid_objects_are_refused_or_kept_whole() {
    check(4000, |choices| {
        let mut world = WORLD.clone();
        let kinds = world.kinds();
        let kind = kinds[choices.below(kinds.len())];
        let mut object = manifests::some(choices, &kind.api_version(), kind.kind);
        let updates = choices.percent(50);
        if !updates && object["metadata"]["name"].is_string() && choices.percent(80) {
            object["metadata"]["name"] = "other".into();
        }
        let name = names().get(kind.kind).cloned().unwrap_or_default();
        let call = Call {
            method: if updates { "PUT" } else { "POST" }.into(),
            path: path(kind, "default", if updates { &name } else { "" }),
            content_type: "application/json".into(),
            body: object.to_string(),
            ..Call::default()
        };
        world.probe(&call).map_err(|why| format!("{call:?}\n{why}"))
    });
}

#[test]
fn patches_of_every_type_leave_valid_objects() {
    check(4000, |choices| {
        let mut world = WORLD.clone();
        let kinds = world.kinds();
        for _ in 0..=choices.below(2) {
            let kind = kinds[choices.below(kinds.len())];
            let call = patch(choices, kind, &mut world);
            world.probe(&call).map_err(|why| format!("{call:?}\n{why}"))?;
        }
        Ok(())
    });
}

/// Each copy doubles what is there, in depth or in breadth.
#[test]
fn copies_that_explode_are_refused() {
    let copies = |path: &str| vec![json!({ "op": "copy", "from": "/data", "path": path }); 60];
    check(1, |_| {
        let mut world = WORLD.clone();
        for path in ["/data/a", "/data/a/b", "/data/-"] {
            let call = Call {
                method: "PATCH".into(),
                path: "/api/v1/namespaces/default/configmaps/sample".into(),
                content_type: "application/json-patch+json".into(),
                body: Value::from(copies(path)).to_string(),
                ..Call::default()
            };
            world.probe(&call)?;
        }
        Ok(())
    });
}

fn patch(choices: &mut Choices, kind: &'static Kind, world: &mut World) -> Call {
    let name = names().get(kind.kind).cloned().unwrap_or_default();
    let mut target = path(kind, "default", &name);
    let live = world.send(&Call { method: "GET".into(), path: target.clone(), ..Call::default() });
    let live: Value = serde_json::from_str(&live.body).unwrap_or_default();
    let (content_type, patch) = patches::some(choices, &live);
    if choices.percent(20) {
        target += &format!("/{}", choices.pick(&["status", "scale", "resize", "ephemeralcontainers", "approval"]));
    }
    let query = if content_type.contains("apply") { "?fieldManager=fuzz&force=true" } else { "?fieldManager=fuzz" };
    Call {
        method: "PATCH".into(),
        path: target + query,
        content_type: content_type.into(),
        body: patch.to_string(),
        ..Call::default()
    }
}

fn some(choices: &mut Choices, kinds: &[&'static Kind]) -> Call {
    let kind = kinds[choices.below(kinds.len())];
    let method = choices.pick(METHODS).to_owned();
    let accept = choices.pick(ACCEPTS).to_owned();
    let target = target(choices, kind, &method) + &query(choices);
    let (content_type, body) = body(choices, kind, &method);
    Call { method, path: target, content_type, accept, body }
}

fn target(choices: &mut Choices, kind: &Kind, method: &str) -> String {
    if choices.percent(5) {
        let root =
            choices.pick(&["", "/", "/api", "/apis", "/api/v1", "/apis/apps/v1", "/version", "/openapi/v2", "/apis//"]);
        return format!("{root}/{}", escaped(&choices.text()));
    }
    let namespace = choices.text_like(&["default", "sample", "none", ""]);
    let own = names().get(kind.kind).cloned().unwrap_or_default();
    let name = match (method, choices.below(10)) {
        ("POST", 0..7) => String::new(),
        (_, 7) => String::new(),
        (_, 8) => choices.text(),
        _ => own,
    };
    let mut target = path(kind, &escaped(&namespace), &escaped(&name));
    if choices.percent(20) {
        target += &format!("/{}", choices.pick(SUBRESOURCES));
    }
    if choices.percent(2) { choices.damage(&target) } else { target }
}

fn query(choices: &mut Choices) -> String {
    let mut query = String::new();
    for number in 0..choices.below(4) {
        let (name, values) = PARAMETERS[choices.below(PARAMETERS.len())];
        let value = escaped(&choices.text_like(values));
        query += &format!("{}{name}={value}", if number == 0 { "?" } else { "&" });
    }
    query
}

fn body(choices: &mut Choices, kind: &Kind, method: &str) -> (String, String) {
    let object = manifests::some(choices, &kind.api_version(), kind.kind);
    let (content_type, value) = match method {
        "PATCH" => patches::some(choices, &object),
        _ => ("application/json", object),
    };
    let content_type = if choices.percent(10) { choices.pick(CONTENT_TYPES) } else { content_type };
    let as_yaml = content_type.contains("yaml") || choices.percent(3);
    let text = if as_yaml { api::yaml::emit(&value) } else { value.to_string() };
    let text = match choices.below(12) {
        0 => choices.damage(&text),
        1 => choices.text(),
        _ => text,
    };
    (content_type.to_owned(), text)
}

/// Percent-encoded, as clients do; a few stay as they are.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}
