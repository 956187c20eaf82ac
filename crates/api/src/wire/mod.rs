//! Objects as Go's encoder writes them: the server's answers, and what kubectl prints.
//!
//! A [`Writer`] walks through an object and knows its type; it tells a sink, which makes the text or a tree of it.

mod sink;
mod text;
mod writer;

use serde::Serialize;
use serde_json::Value;

use crate::kinds::{self, Kind};
use crate::object::{Object, ObjectRef, Tree};
use crate::schema::{self, Type};

use sink::Trees;
pub(crate) use sink::{Scalar, Shape, Sink};
use text::GoText;
pub use writer::Writer;
use writer::{Known, Walk};

/// An object with what it holds but its managers, and nothing else.
pub fn unmanaged(object: &dyn Object) -> Value {
    tree(|sink| object.write(Writer::new(Known::unmanaged(Type::Any), sink)))
}

/// An object with what it holds, and nothing else.
pub(crate) fn plain(object: &(impl Object + ?Sized)) -> Value {
    tree(|sink| object.write(Writer::new(Type::Any, sink)))
}

/// An object as a tree, with the fields that Go writes though they hold nothing.
pub fn form(object: &dyn Object) -> Value {
    tree(|sink| object.write(Writer::new(type_of(object), sink)))
}

/// The same but for its managers.
pub fn unmanaged_form(object: &dyn Object) -> Value {
    tree(|sink| object.write(Writer::new(Known::unmanaged(type_of(object)), sink)))
}

/// An object as JSON, with the fields of structs in upstream's order.
pub fn text(object: &dyn Object) -> String {
    go_text(|sink| object.write(Writer::new(type_of(object), sink)))
}

/// A list of objects as JSON. Items of built-in kinds do not say what they are: the list does.
pub fn list_text(kind: &Kind, metadata: &Value, items: &[ObjectRef]) -> String {
    let item = match schema::of_kind(kind) {
        Some(type_name) => Known::item(Type::Struct(type_name)),
        None => Type::Any.into(),
    };
    go_text(|sink| {
        let order = if kind.id.is_custom() { SORTED } else { LIST };
        list(order, [kind.list_kind, &kind.api_version()], metadata, sink, |sink| {
            items.iter().for_each(|object| object.write(Writer::new(item, sink)));
        });
    })
}

/// A value of a type of the API, with what it holds and nothing else.
pub fn value_of(value: &(impl Serialize + ?Sized)) -> Value {
    tree(|sink| Writer::new(Type::Any, sink).value(value))
}

/// A value of a type such as `core.v1.Container`, as JSON.
pub fn go_json(type_name: &'static str, value: &impl Serialize) -> String {
    go_text(|sink| Writer::new(Type::Struct(type_name), sink).value(value))
}

/// The fields that a manager owns, as JSON in the order of field paths.
pub(crate) fn owned_fields_text(fields: &Value) -> String {
    go_text(|sink| writer::value(Known::owned_fields(), fields, Walk::DOCUMENT, sink))
}

/// A tree that a patch was merged into: what the objects of the patch have touched is a sorted map now.
pub fn go_json_merged(type_name: &'static str, value: &Value, patch: &Value) -> String {
    let walk = Walk { patch, ..Walk::DOCUMENT };
    go_text(|sink| writer::value(Type::Struct(type_name).into(), value, walk, sink))
}

/// An object, a list of objects or another answer, which says itself what it is.
pub fn go_document(value: &Value) -> String {
    go_text(|sink| {
        let said = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        let (api_version, kind) = (said("apiVersion"), said("kind"));
        let item = || kind.strip_suffix("List").and_then(|item| schema::of_document(api_version, item));
        match (value.get("items").and_then(Value::as_array), item()) {
            (Some(items), Some(type_name)) => {
                let metadata = value.get("metadata").unwrap_or(&Value::Null);
                list(LIST, [kind, api_version], metadata, sink, |sink| {
                    let item = Type::Struct(type_name).into();
                    items.iter().for_each(|value| writer::value(item, value, Walk::DOCUMENT, sink));
                });
            }
            _ => writer::value(Type::Any.into(), value, Walk::DOCUMENT, sink),
        }
    })
}

/// How Go writes a list: a struct's fields, or a sorted map.
const LIST: [&str; 4] = ["kind", "apiVersion", "metadata", "items"];
const SORTED: [&str; 4] = ["apiVersion", "items", "kind", "metadata"];

fn list(
    order: [&str; 4],
    [kind, api_version]: [&str; 2],
    metadata: &Value,
    sink: &mut dyn Sink,
    items: impl Fn(&mut dyn Sink),
) {
    sink.begin(Shape::Map);
    for name in order {
        sink.name(name, 0);
        match name {
            "kind" => sink.scalar(Scalar::String(kind)),
            "apiVersion" => sink.scalar(Scalar::String(api_version)),
            "metadata" => writer::value(Type::Struct("meta.v1.ListMeta").into(), metadata, Walk::DOCUMENT, sink),
            _ => {
                sink.begin(Shape::List);
                items(sink);
                sink.end();
            }
        }
    }
    sink.end();
}

fn type_of(object: &dyn Object) -> Type {
    let type_name = match object.downcast_ref::<Tree>() {
        Some(tree) if !tree.kind_id().is_custom() => schema::of_document(tree.text("/apiVersion"), tree.text("/kind")),
        Some(_) => None,
        None => schema::of_kind(kinds::row(object.kind_id())),
    };
    type_name.map_or(Type::Any, Type::Struct)
}

fn tree(write: impl FnOnce(&mut dyn Sink)) -> Value {
    let mut sink = Trees::default();
    write(&mut sink);
    sink.finish()
}

pub(crate) fn go_text(write: impl FnOnce(&mut dyn Sink)) -> String {
    let mut sink = GoText::default();
    write(&mut sink);
    sink.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Kinded as _;
    use crate::types::{LimitRange, Pod};

    #[test]
    fn structs_keep_upstream_s_order() {
        let service = json!({
            "kind": "Service", "apiVersion": "v1",
            "spec": { "clusterIP": "10.0.0.1", "ports": [{ "port": 80, "name": "http" }], "selector": { "b": "1", "a": "<2>" } },
            "metadata": { "labels": {}, "name": "web" },
        });
        let expected = r#"{"kind":"Service","apiVersion":"v1","metadata":{"name":"web","labels":{}},"spec":{"ports":[{"name":"http","port":80}],"selector":{"a":"\u003c2\u003e","b":"1"},"clusterIP":"10.0.0.1"}}"#;
        assert_eq!(go_document(&service), expected);
        let list = json!({ "items": [{ "spec": {}, "metadata": {} }], "apiVersion": "v1", "kind": "ServiceList", "metadata": { "resourceVersion": "1" } });
        let expected = r#"{"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[{"metadata":{},"spec":{}}]}"#;
        assert_eq!(go_document(&list), expected);
    }

    #[test]
    fn texts_are_escaped_as_go_does() {
        let text = "plain é \u{2028}\u{2029}\u{202a} <a href=\"x\">&amp;\\</a>\n\t\r\u{8}\u{c}\u{1}\u{1f}\u{7f}";
        let expected = "\"plain é \\u2028\\u2029\u{202a} \\u003ca href=\\\"x\\\"\\u003e\\u0026amp;\\\\\\u003c/a\\u003e\\n\\t\\r\\b\\f\\u0001\\u001f\u{7f}\"";
        assert_eq!(go_document(&json!(text)), expected);
    }

    #[test]
    fn what_a_patch_touches_is_sorted() {
        let patch = json!({ "spec": { "type": "NodePort" } });
        let service = json!({ "kind": "Service", "metadata": { "name": "a", "labels": {} }, "spec": { "type": "NodePort", "ports": [{ "port": 1, "name": "x" }], "clusterIP": "" } });
        let expected = r#"{"kind":"Service","metadata":{"name":"a","labels":{}},"spec":{"clusterIP":"","ports":[{"name":"x","port":1}],"type":"NodePort"}}"#;
        assert_eq!(go_json_merged("core.v1.Service", &service, &patch), expected);
    }

    #[test]
    fn owned_items_are_ordered_by_the_values_of_their_keys() {
        let entry = json!({ "fieldsV1": { "f:ports": { "k:{\"port\":443}": {}, "k:{\"port\":80}": {}, ".": {} } } });
        let expected = r#"{"fieldsV1":{"f:ports":{".":{},"k:{\"port\":80}":{},"k:{\"port\":443}":{}}}}"#;
        assert_eq!(go_json("meta.v1.ManagedFieldsEntry", &entry), expected);
    }

    fn pod() -> Value {
        let owned = json!({ "f:spec": { "f:containers": { "k:{\"name\":\"a\"}": { ".": {}, "f:image": {} } } } });
        let status = json!({ "name": "a", "image": "nginx", "imageID": "", "ready": true, "restartCount": 0, "lastState": { "running": {} } });
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "web",
                "labels": { "app": "web" },
                "managedFields": [{ "manager": "test", "operation": "Update", "fieldsV1": owned }],
            },
            "spec": { "containers": [{ "name": "a", "image": "nginx", "ports": [{ "containerPort": 80 }] }] },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }], "containerStatuses": [status] },
        })
    }

    fn decoded(kind: &'static Kind, value: Value) -> ObjectRef {
        (kind.decode)(kind, value).expect("an object").share()
    }

    #[test]
    fn text_and_tree_say_the_same() {
        let object = decoded(Pod::row(), pod());
        assert_eq!(object.to_value(), pod());
        assert_eq!(text(&*object), go_document(&form(&*object)));
    }

    #[test]
    fn what_go_writes_though_it_holds_nothing() {
        let status = &form(&*decoded(Pod::row(), pod()))["status"];
        assert_eq!(status["conditions"][0]["lastTransitionTime"], Value::Null);
        assert!(status["conditions"][0].get("lastProbeTime").is_some());
        assert_eq!(status["containerStatuses"][0]["state"], json!({}));
        assert_eq!(status["containerStatuses"][0]["lastState"], json!({ "running": { "startedAt": null } }));
        let limits = decoded(LimitRange::row(), json!({ "metadata": { "name": "a" }, "spec": { "limits": [] } }));
        assert_eq!(form(&*limits)["spec"], json!({ "limits": null }));
    }

    #[test]
    fn items_of_a_list_do_not_say_what_they_are() {
        let text = list_text(Pod::row(), &json!({ "resourceVersion": "7" }), &[decoded(Pod::row(), pod())]);
        let begin = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"web","#;
        assert!(text.starts_with(begin), "{text}");
    }

    #[test]
    fn trees_keep_their_metadata() {
        let scale = json!({ "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": { "name": "web" }, "spec": { "replicas": 2 } });
        let tree = Tree::new(Pod::ID, scale.clone());
        assert_eq!(tree.to_value(), scale);
        let expected =
            r#"{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"web"},"spec":{"replicas":2}}"#;
        assert_eq!(text(&tree), expected);
    }

    #[test]
    fn other_people_s_kinds_are_sorted() {
        let deployment = json!({ "apiVersion": "apps.example.com/v1", "kind": "Deployment", "spec": { "template": 1, "replicas": 2 } });
        let expected = r#"{"apiVersion":"apps.example.com/v1","kind":"Deployment","spec":{"replicas":2,"template":1}}"#;
        assert_eq!(go_document(&deployment), expected);
    }
}
