//! `/openapi/v2` and `/openapi/v3`, as far as clients use them: `kubectl explain`, three-way patches, and which parameters an
//! operation takes.

mod paths;
mod schemas;

use std::collections::BTreeMap;

use api::Kind;
use apiserver::route::Answer;
use hyper::body::Bytes;
use serde_json::{Value, json};

use paths::Paths;
use schemas::Dialect;

const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// The documents that have been asked for.
#[derive(Default)]
pub struct Documents(BTreeMap<String, Document>);

#[derive(Clone)]
pub struct Document {
    pub content_type: &'static str,
    pub body: Bytes,
    /// Changes with the body: an entity tag.
    pub hash: String,
}

impl Document {
    fn new(content_type: &'static str, body: Vec<u8>) -> Document {
        let hash = sha1_smol::Sha1::from(&body).digest().to_string().to_uppercase();
        Document { content_type, body: body.into(), hash }
    }

    fn json(value: &Value) -> Document {
        let Answer { content_type, body, .. } = Answer::json(value);
        Document::new(content_type, body.into_bytes())
    }
}

impl Documents {
    /// Answers a path below `/openapi`. `index` is what discovery says of `/openapi/v3`.
    pub fn serve(
        &mut self,
        kinds: &[&'static Kind],
        path: &str,
        accept: &str,
        index: impl FnOnce() -> Answer,
    ) -> Option<Document> {
        match path.strip_prefix("/openapi/")?.trim_end_matches('/') {
            "v2" if accept.contains("proto-openapi.spec.v2") => Some(self.document(kinds, "v2 in protobuf", |kinds| {
                Document::new(PROTOBUF, crate::protobuf::encode_as("openapi.v2.Document", &version_2(kinds)))
            })),
            "v2" => Some(self.document(kinds, "v2", |kinds| Document::json(&version_2(kinds)))),
            "v3" => {
                let mut index: Value = serde_json::from_str(&index().body).ok()?;
                for (path, link) in index.get_mut("paths")?.as_object_mut()? {
                    let hash = self.version_3(kinds, path).hash;
                    *link = json!({ "serverRelativeURL": format!("/openapi/v3/{path}?hash={hash}") });
                }
                Some(Document::json(&index))
            }
            path => {
                let path = path.strip_prefix("v3/")?;
                let index: Value = serde_json::from_str(&index().body).ok()?;
                index.get("paths")?.get(path)?;
                Some(self.version_3(kinds, path))
            }
        }
    }

    fn version_3(&mut self, kinds: &[&'static Kind], path: &str) -> Document {
        let group = path.split('/').nth(1).unwrap_or_default();
        let of_group: Vec<&'static Kind> = kinds.iter().copied().filter(|kind| kind.group == group).collect();
        self.document(&of_group, path, |_| Document::json(&version_3(kinds, path)))
    }

    /// Definitions of custom resources come, change and go: a document of theirs is made anew each time.
    fn document(
        &mut self,
        kinds: &[&'static Kind],
        path: &str,
        make: impl FnOnce(&[&'static Kind]) -> Document,
    ) -> Document {
        if kinds.iter().any(|kind| kind.id.is_custom()) {
            return make(kinds);
        }
        self.0.entry(path.to_owned()).or_insert_with(|| make(kinds)).clone()
    }
}

fn info() -> Value {
    json!({ "title": "Kubernetes", "version": "v1.36.2" })
}

fn version_2(kinds: &[&'static Kind]) -> Value {
    let mut paths = Paths::new(Dialect::V2);
    kinds.iter().for_each(|kind| paths.add(kind));
    json!({ "swagger": "2.0", "info": info(), "paths": paths.done, "definitions": paths.schemas.finish() })
}

/// The document of `api/v1` or `apis/apps/v1`; of another path, that it can be read.
fn version_3(kinds: &[&'static Kind], path: &str) -> Value {
    let mut paths = Paths::new(Dialect::V3);
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["api", version] => add_all(&mut paths, kinds, "", version),
        ["apis", group, version] => add_all(&mut paths, kinds, group, version),
        _ => {}
    }
    if paths.done.is_empty() {
        let get = json!({ "responses": { "200": { "description": "OK" } } });
        paths.done.insert(format!("/{path}/"), json!({ "get": get }));
    }
    json!({
        "openapi": "3.0.0",
        "info": info(),
        "paths": paths.done,
        "components": { "schemas": paths.schemas.finish() },
    })
}

fn add_all(paths: &mut Paths, kinds: &[&'static Kind], group: &str, version: &str) {
    let of_version = kinds.iter().filter(|kind| kind.group == group && kind.version == version);
    of_version.for_each(|kind| paths.add(kind));
}
