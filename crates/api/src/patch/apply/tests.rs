//! Facts about server-side apply, on values of built-in types and of custom resources.

use serde_json::{Value, json};

use super::*;
use crate::time::{SECOND, stamp};

/// One object that is written to, in a version of its own.
struct Fixture {
    shape: Shape<'static>,
    api_version: &'static str,
    empty: Value,
    live: Value,
    managers: Managers,
    reset: Set,
}

impl Fixture {
    fn deployment() -> Fixture {
        let mut empty = json!({});
        crate::schema::fill_by_value("apps.v1.Deployment", &mut empty);
        Fixture::new(Shape::of_struct("apps.v1.Deployment"), "apps/v1", empty)
    }

    fn config_map() -> Fixture {
        Fixture::new(Shape::of_struct("core.v1.ConfigMap"), "v1", json!({"metadata": {}}))
    }

    fn new(shape: Shape<'static>, api_version: &'static str, empty: Value) -> Fixture {
        let live = empty.clone();
        Fixture { shape, api_version, empty, live, managers: Managers::default(), reset: Set::of(&["status"]) }
    }

    fn writer(&self, name: &str) -> Writer {
        let (name, api_version) = (name.into(), self.api_version.into());
        Writer { name, api_version, subresource: String::new(), now: stamp(SECOND) }
    }

    fn write(&mut self, name: &str, new: Value) {
        let (writer, serves) = (self.writer(name), |version: &str| version == self.api_version);
        let target = Target { shape: self.shape, reset: &self.reset, empty: &self.empty, serves: &serves };
        self.managers.update(&target, &self.live, &new, &writer);
        self.live = new;
    }

    fn apply(&mut self, name: &str, config: Value, force: bool) -> Result<(), String> {
        let (writer, serves) = (self.writer(name), |version: &str| version == self.api_version);
        let target = Target { shape: self.shape, reset: &self.reset, empty: &self.empty, serves: &serves };
        match self.managers.apply(&target, &self.live, &config, &writer, force) {
            Ok(new) => {
                self.live = new.unwrap_or_else(|| self.live.clone());
                Ok(())
            }
            Err(Refusal::Conflicts(conflicts)) => Err(conflict_status(&conflicts).message),
            Err(Refusal::Other(why)) => Err(why),
        }
    }

    /// The managers' names and fields.
    fn owners(&self) -> Value {
        self.managers.iter().map(|manager| (manager.name.clone(), wire_form(&manager.fields))).collect()
    }
}

fn wire_form(fields: &Set) -> Value {
    serde_json::from_str(&fields.to_fields_v1()).expect("JSON")
}

fn containers(containers: Value) -> Value {
    json!({"spec": {"template": {"spec": {"containers": containers}}}})
}

#[test]
fn a_creator_owns_what_the_empty_object_lacks() {
    let mut object = Fixture::deployment();
    let container = json!([{"name": "c", "ports": [{"containerPort": 80, "protocol": "TCP"}], "resources": {}}]);
    let new = json!({
        "apiVersion": "apps/v1",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"type": "RollingUpdate"},
            "template": {"metadata": {}, "spec": {"containers": container}},
        },
        "status": {"replicas": 1},
    });
    object.write("creator", new);
    let port = json!({".": {}, "f:containerPort": {}, "f:protocol": {}});
    let ports = json!({".": {}, "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": port});
    let container = json!({".": {}, "f:name": {}, "f:ports": ports, "f:resources": {}});
    let expected = json!({
        "creator": {
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {
                "f:selector": {},
                "f:strategy": {"f:type": {}},
                "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"c\"}": container}}},
            },
        },
    });
    assert_eq!(object.owners(), expected);
}

#[test]
fn applied_keys_are_completed_by_defaults() {
    let mut object = Fixture::deployment();
    object.apply("a", containers(json!([{"name": "c", "ports": [{"containerPort": 80}]}])), false).unwrap();
    let config = containers(json!([{"name": "c", "ports": [{"containerPort": 80, "name": "web"}]}]));
    object.apply("b", config, false).unwrap();
    let ports = &object.live["spec"]["template"]["spec"]["containers"][0]["ports"];
    assert_eq!(*ports, json!([{"containerPort": 80, "name": "web"}]));
}

#[test]
fn configurations_are_checked_against_the_schema() {
    let cases = [
        (json!({"spec": {"zzz": 1}}), ".spec.zzz: field not declared in schema"),
        (json!({"spec": {"replicas": "x"}}), ".spec.replicas: expected numeric (int or float), got string"),
        (json!({"spec": {"paused": 1}}), ".spec.paused: expected boolean, got &{1}"),
        (
            json!({"metadata": {"labels": {"a": 1}}}),
            ".metadata.labels.a: expected string, got &value.valueUnstructured{Value:1}",
        ),
        (json!({"metadata": {"labels": ["a"]}}), ".metadata.labels: expected map, got &{[a]}"),
        (json!({"metadata": {"finalizers": {"a": 1}}}), ".metadata.finalizers: expected list, got &{map[a:1]}"),
        (
            containers(json!([{"name": "c"}, {"name": "c"}])),
            ".spec.template.spec.containers: duplicate entries for key [name=\"c\"]",
        ),
        (
            containers(json!(["c"])),
            ".spec.template.spec.containers: element 0: associative list with keys may not have non-map elements",
        ),
        (
            json!({"metadata": {"finalizers": [null]}}),
            ".metadata.finalizers: element 0: associative list without keys has an element that's an explicit null",
        ),
    ];
    for (config, expected) in cases {
        assert_eq!(validate(Shape::of_struct("apps.v1.Deployment"), &config), Err(expected.to_owned()));
    }
    let quantities = containers(json!([{"name": "c", "resources": {"limits": {"cpu": 1}}, "env": null}]));
    assert_eq!(validate(Shape::of_struct("apps.v1.Deployment"), &quantities), Ok(()));
}

#[test]
fn a_value_of_somebody_else_is_a_conflict_unless_it_is_the_same() {
    let mut object = Fixture::config_map();
    object.apply("alice", json!({"data": {"a": "1", "b": "2"}}), false).unwrap();
    object.apply("bob", json!({"data": {"a": "1"}}), false).unwrap();
    assert_eq!(
        object.apply("bob", json!({"data": {"a": "x"}}), false),
        Err("Apply failed with 1 conflict: conflict with \"alice\": .data.a".into())
    );
    object.write("editor", json!({"data": {"a": "1", "b": "edited"}}));
    assert_eq!(
        object.apply("carol", json!({"data": {"a": "x", "b": "y"}}), false),
        Err(
            "Apply failed with 3 conflicts: conflicts with \"alice\":\n- .data.a\nconflicts with \"bob\":\n- .data.a\n\
             conflicts with \"editor\" using v1:\n- .data.b"
                .into()
        )
    );
    object.apply("carol", json!({"data": {"a": "x", "b": "y"}}), true).unwrap();
    assert_eq!(object.owners(), json!({"carol": {"f:data": {"f:a": {}, "f:b": {}}}}));
    assert_eq!(object.live["data"], json!({"a": "x", "b": "y"}));
}

#[test]
fn what_is_left_out_goes_if_nobody_else_has_it() {
    let mut object = Fixture::config_map();
    let config = json!({"metadata": {"name": "c", "finalizers": ["a/x"], "labels": {"one": "1"}}, "data": {"a": "1"}});
    object.apply("alice", config, false).unwrap();
    let config = json!({"metadata": {"name": "c", "finalizers": ["a/y"], "labels": {"two": "2"}}, "data": {"a": "1"}});
    object.apply("bob", config, false).unwrap();
    object.apply("alice", json!({"metadata": {"name": "c"}, "data": {}}), false).unwrap();
    let metadata = json!({"name": "c", "finalizers": ["a/y"], "labels": {"two": "2"}});
    assert_eq!(object.live, json!({"metadata": metadata, "data": {"a": "1"}}));
    object.apply("bob", json!({"metadata": {"name": "c"}}), false).unwrap();
    assert_eq!(object.owners(), json!({"alice": {"f:data": {}}}));
    // A map that alice still wants, with nothing in it.
    assert_eq!(object.live, json!({"metadata": {"name": "c"}, "data": null}));
}

#[test]
fn what_an_updater_owns_stays() {
    let mut object = Fixture::config_map();
    object.apply("alice", json!({"data": {"a": "1"}}), false).unwrap();
    object.write("editor", json!({"metadata": {"labels": {"l": "m"}}, "data": {"a": "1", "b": "2"}}));
    object.apply("alice", json!({}), false).unwrap();
    assert_eq!(object.live, json!({"metadata": {"labels": {"l": "m"}}, "data": {"b": "2"}}));
}

#[test]
fn what_was_there_before_belongs_to_nobody_in_particular() {
    let mut object = Fixture::config_map();
    object.live = json!({"metadata": {"name": "c"}, "data": {"a": "1"}});
    let refused = object.apply("alice", json!({"data": {"a": "2"}}), false);
    assert_eq!(
        refused,
        Err("Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.a".into())
    );
}

#[test]
fn merged_lists_keep_both_orders() {
    let mut object = Fixture::deployment();
    let named = |names: &[&str]| containers(names.iter().map(|name| json!({"name": name})).collect());
    let cases: [(&[&str], &[&str], &[&str]); 3] = [
        (&["a", "b", "c"], &["c", "a"], &["b", "c", "a"]),
        (&["a", "b"], &["x", "b"], &["a", "x", "b"]),
        (&["a", "b", "c", "d"], &["b", "x", "d"], &["a", "b", "c", "x", "d"]),
    ];
    for (live, config, expected) in cases {
        object.live = named(live);
        object.apply("alice", named(config), true).unwrap();
        let items = object.live["spec"]["template"]["spec"]["containers"].as_array().unwrap();
        let names: Vec<&str> = items.iter().filter_map(|item| item["name"].as_str()).collect();
        assert_eq!(names, expected, "{config:?} over {live:?}");
        object.managers = Managers::default();
    }
}

#[test]
fn schemas_of_custom_resources_and_values_without_one() {
    let rule = json!({"type": "object", "properties": {"key": {"type": "string"}, "value": {"type": "string"}}});
    let schema = json!({
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                    "rules": {
                        "type": "array",
                        "items": rule,
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["key"],
                    },
                    "plain": {"type": "array", "items": {"type": "string"}},
                    "port": {"x-kubernetes-int-or-string": true},
                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                },
            },
        },
    });
    let shape = Shape::of_schema(&schema);
    let spec = json!({
        "tags": ["a"], "rules": [{"key": "k", "value": "v"}], "plain": ["a"], "port": 1, "free": {"x": {"y": [1]}},
    });
    let fields = wire_form(&fields_of(shape, &json!({"metadata": {"labels": {"l": "m"}}, "spec": spec})));
    let expected = json!({
        "f:metadata": {"f:labels": {"f:l": {}}},
        "f:spec": {
            "f:tags": {"v:\"a\"": {}},
            "f:rules": {"k:{\"key\":\"k\"}": {".": {}, "f:key": {}, "f:value": {}}},
            "f:plain": {},
            "f:port": {},
            "f:free": {"f:x": {".": {}, "f:y": {".": {}}}},
        },
    });
    assert_eq!(fields.to_string().replace("{\".\":{}}", "{}"), expected.to_string().replace("{\".\":{}}", "{}"));
    assert_eq!(
        validate(shape, &json!({"spec": {"rules": [{"value": "v"}]}})),
        Err(".spec.rules: element 0: associative list with keys has an element that omits key field \"key\" (and doesn't \
             have default value)"
            .into())
    );
    assert_eq!(validate(shape, &json!({"other": 1})), Err(".other: field not declared in schema".into()));
}
