//! `application/vnd.kubernetes.protobuf`: what typed Go clients send and prefer to get.
//!
//! The core speaks JSON only. Here at the door, bodies are turned into the JSON that they stand for, and answers into
//! messages where the client prefers them, driven by a table of upstream's messages ([`table`]). As upstream, an object
//! travels in an envelope: four magic bytes, then a `runtime.Unknown` with the object's type and bytes.

mod decode;
mod encode;
mod table;
mod wire;

use serde_json::Value;

use decode::{bytes_of, part, text};
use wire::write_bytes;

pub const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";
pub const WATCH_MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf;stream=watch";

const MAGIC: &[u8] = b"k8s\0";

/// Whether the client would rather have protobuf than what else it accepts; and the header without protobuf.
pub fn preference(accept: &str) -> (bool, String) {
    let known = |clause: &str| {
        let media = clause.split(';').next().unwrap_or_default().trim();
        matches!(media, MEDIA_TYPE | "application/json" | "application/yaml" | "application/*" | "*/*")
    };
    let first = accept.split(',').find(|clause| known(clause)).unwrap_or_default();
    (first.trim_start().starts_with(MEDIA_TYPE), accept.replace(MEDIA_TYPE, "application/json"))
}

/// The object in an envelope, as JSON. `Err` is upstream's complaint.
pub fn decode(body: &[u8]) -> Result<Value, String> {
    let Some(envelope) = body.strip_prefix(MAGIC) else {
        let why = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";
        return Err(why.into());
    };
    let read = |bytes, number| part(bytes, number)?.map_or(Ok(String::new()), text);
    let type_meta = part(envelope, 1)?.map_or(Ok(&[][..]), bytes_of)?;
    let (api_version, kind) = (read(type_meta, 1)?, read(type_meta, 2)?);
    let raw = part(envelope, 2)?.map_or(Ok(&[][..]), bytes_of)?;
    let Some(message) = table::message_of(&api_version, &kind) else {
        return Err(format!("no kind {kind:?} is registered for version {api_version:?}"));
    };
    let mut object = decode::message(message, raw)?;
    if let Some(fields) = object.as_object_mut() {
        fields.insert("apiVersion".into(), api_version.into());
        fields.insert("kind".into(), kind.into());
    }
    Ok(object)
}

/// The object in its envelope. `None`: its kind has no protobuf form.
pub fn encode(object: &Value) -> Option<Vec<u8>> {
    let read = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    // Upstream's oldest type of discovery says no version of its own.
    let (api_version, kind) = (if read("apiVersion").is_empty() { "v1" } else { read("apiVersion") }, read("kind"));
    let message = table::message_of(api_version, kind)?;
    let mut type_meta = Vec::new();
    write_bytes(&mut type_meta, 1, api_version.as_bytes());
    write_bytes(&mut type_meta, 2, kind.as_bytes());
    let mut envelope = MAGIC.to_vec();
    write_bytes(&mut envelope, 1, &type_meta);
    write_bytes(&mut envelope, 2, &encode::message(message, object));
    write_bytes(&mut envelope, 3, b"");
    write_bytes(&mut envelope, 4, b"");
    Some(envelope)
}

/// A value as a message of the table, without an envelope.
pub fn encode_as(message: &str, value: &Value) -> Vec<u8> {
    encode::message(message, value)
}

/// The lines of a watch as frames: a length in four bytes, then a `WatchEvent`. Kinds without a protobuf form travel in it
/// as JSON.
pub fn watch_frames(lines: &[u8]) -> Vec<u8> {
    let mut frames = Vec::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let Ok(event) = serde_json::from_slice::<Value>(line) else { continue };
        let object = encode(&event["object"]).unwrap_or_else(|| event["object"].to_string().into_bytes());
        let (mut raw, mut frame) = (Vec::new(), Vec::new());
        write_bytes(&mut raw, 1, &object);
        write_bytes(&mut frame, 1, event["type"].as_str().unwrap_or_default().as_bytes());
        write_bytes(&mut frame, 2, &raw);
        frames.extend((frame.len() as u32).to_be_bytes());
        frames.extend(frame);
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_comes_back_as_it_went() {
        let object = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": "web",
                "creationTimestamp": "2026-01-02T03:04:05Z",
                "labels": { "a": "b", "empty": "" },
                "managedFields": [{ "manager": "m", "fieldsV1": { "f:spec": {} } }],
            },
            "spec": {
                "replicas": 0,
                "selector": { "matchLabels": { "a": "b" } },
                "strategy": { "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": 0 } },
                "template": {
                    "spec": {
                        "containers": [{
                            "name": "c",
                            "resources": { "limits": { "cpu": "100m" } },
                            "env": [{ "name": "E", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } }],
                            "ports": [{ "containerPort": 80 }],
                            "livenessProbe": { "httpGet": { "port": "web" }, "periodSeconds": 3 },
                        }],
                        "volumes": [{ "name": "v", "emptyDir": {} }],
                        "automountServiceAccountToken": false,
                    },
                },
            },
        });
        assert_eq!(decode(&encode(&object).unwrap()), Ok(object));
    }

    #[test]
    fn unions_keep_their_form() {
        let schema = json!({
            "type": "object",
            "properties": { "a": { "items": { "type": "string" }, "minimum": 0.5, "default": [1] } },
            "additionalProperties": true,
        });
        let object = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "spec": { "versions": [{ "name": "v1", "schema": { "openAPIV3Schema": schema } }] },
        });
        assert_eq!(decode(&encode(&object).unwrap()), Ok(object));
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": { "extra": { "scopes": ["one", "two"] } },
        });
        assert_eq!(decode(&encode(&review).unwrap()), Ok(review));
    }

    /// What client-go sends for an object of which only the name is set.
    #[test]
    fn zeros_that_go_writes_are_left_out() {
        let body = b"k8s\0\n\x0f\n\x02v1\x12\x09Namespace\x12\x1b\n\x13\n\x03dev\x12\0\x1a\0\"\0*\x002\08\0B\0\x12\0\x1a\x02\n\0\x1a\0\"\0";
        let expected = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": { "name": "dev" },
            "spec": {},
            "status": {},
        });
        assert_eq!(decode(body), Ok(expected));
    }

    #[test]
    fn broken_bodies_are_refused() {
        assert!(decode(b"{}").unwrap_err().starts_with("provided data does not appear to be a protobuf message"));
        assert_eq!(decode(b"k8s\0\n\x0f\n"), Err("unexpected EOF".into()));
        assert_eq!(encode(&json!({ "apiVersion": "example.com/v1", "kind": "Widget" })), None);
    }

    #[test]
    fn clients_say_what_they_prefer() {
        let (is_preferred, rest) = preference("application/vnd.kubernetes.protobuf,application/json");
        assert!(is_preferred);
        assert_eq!(rest, "application/json,application/json");
        assert!(!preference("application/json;as=Table;v=v1;g=meta.k8s.io,application/vnd.kubernetes.protobuf").0);
    }

    #[test]
    fn a_document_of_openapi_is_the_message_that_gnostic_reads() {
        let parameters =
            json!([{ "in": "query", "name": "watch", "type": "boolean" }, { "in": "body", "name": "body" }]);
        let get = json!({ "operationId": "read", "parameters": parameters, "x-kubernetes-action": "get" });
        let schema = json!({ "type": "object", "properties": { "a": { "type": "array", "items": { "$ref": "b" } } } });
        let document = json!({ "swagger": "2.0", "paths": { "/p": { "get": get } }, "definitions": { "D": schema } });
        let bytes = encode_as("openapi.v2.Document", &document);
        // The parts by the numbers of their fields, as the schema of gnostic gives them.
        let at = |path: &[u32]| {
            let mut bytes = bytes.as_slice();
            for number in path {
                bytes = bytes_of(part(bytes, *number).expect("a message").expect("a field")).expect("bytes");
            }
            String::from_utf8_lossy(bytes).into_owned()
        };
        let operation = [8, 2, 2, 2];
        let below = |rest: &[u32]| at(&[&operation[..], rest].concat());
        assert_eq!(at(&[1]), "2.0");
        assert_eq!(at(&[8, 2, 1]), "/p");
        assert_eq!((below(&[5]), below(&[8, 1, 1, 2])), ("read".into(), "body".into()));
        assert_eq!((below(&[13, 1]), below(&[13, 2, 2])), ("x-kubernetes-action".into(), "\"get\"".into()));
        assert_eq!(at(&[9, 1, 1]), "D");
        assert_eq!(at(&[9, 1, 2, 22, 1]), "object");
        assert_eq!(at(&[9, 1, 2, 25, 1, 1]), "a");
        assert_eq!(at(&[9, 1, 2, 25, 1, 2, 23, 1, 1]), "b");
    }
}
