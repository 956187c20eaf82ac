//! `/openapi/v2` and `/openapi/v3`, as far as clients use them: `kubectl explain`, three-way patches, and which parameters an
//! operation takes.

mod paths;
mod schemas;

use std::collections::BTreeMap;

use api::{Kind, kinds};
use apiserver::route::Answer;
use serde_json::{Value, json};

use paths::Paths;
use schemas::Dialect;

/// The documents that have been asked for.
#[derive(Default)]
pub struct Documents(BTreeMap<String, Document>);

#[derive(Clone)]
pub struct Document {
    pub answer: Answer,
    /// Changes with the text: an entity tag.
    pub hash: String,
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
            "v2" if accept.contains("protobuf") => Some(document(empty_protobuf())),
            "v2" => Some(self.document("v2", version_2)),
            "v3" => {
                let mut index: Value = serde_json::from_str(&index().body).ok()?;
                for (path, link) in index.get_mut("paths")?.as_object_mut()? {
                    let hash = self.version_3(kinds, path).hash;
                    *link = json!({ "serverRelativeURL": format!("/openapi/v3/{path}?hash={hash}") });
                }
                Some(document(Answer::json(&index)))
            }
            path => {
                let path = path.strip_prefix("v3/")?;
                let index: Value = serde_json::from_str(&index().body).ok()?;
                index.get("paths")?.get(path)?;
                Some(self.version_3(kinds, path))
            }
        }
    }

    /// Definitions of custom resources come, change and go: their groups' documents are made anew each time.
    fn version_3(&mut self, kinds: &[&'static Kind], path: &str) -> Document {
        let group = path.split('/').nth(1).unwrap_or_default();
        if kinds.iter().any(|kind| kind.id.is_custom() && kind.group == group) {
            return document(Answer::json(&version_3(kinds, path)));
        }
        self.document(path, || version_3(kinds, path))
    }

    fn document(&mut self, path: &str, make: impl FnOnce() -> Value) -> Document {
        self.0.entry(path.to_owned()).or_insert_with(|| document(Answer::json(&make()))).clone()
    }
}

fn document(answer: Answer) -> Document {
    let hash = sha1_smol::Sha1::from(&answer.body).digest().to_string().to_uppercase();
    Document { answer, hash }
}

fn info() -> Value {
    json!({ "title": "Kubernetes", "version": "v1.36.2" })
}

fn version_2() -> Value {
    let mut paths = Paths::new(Dialect::V2);
    kinds::KINDS.iter().for_each(|kind| paths.add(kind));
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

/// An `openapi.v2.Document` that describes nothing: kubectl asks for it about kinds that version 3 does not know.
fn empty_protobuf() -> Answer {
    // Fields 1 (swagger), 2 (info: 1 title, 2 version) and 8 (paths), each as its tag, its length and its bytes.
    let body = "\x0a\x032.0\x12\x15\x0a\x0aKubernetes\x12\x07v1.36.2\x42\x00";
    let content_type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    Answer { content_type, ..Answer::text(body) }
}
