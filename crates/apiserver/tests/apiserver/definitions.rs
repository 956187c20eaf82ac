//! What is said of the schemas of CustomResourceDefinitions.

use api::{Body, Caller, CauseId, Request, Status, Verb, kinds};
use apiserver::{ApiServer, Context};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

/// Defines a kind whose objects have these fields.
fn define(server: &mut ApiServer, properties: Value) -> Result<(), Status> {
    let schema = json!({ "type": "object", "properties": properties });
    let version = json!({ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } });
    let kind = kinds::by_kind("apiextensions.k8s.io/v1", "CustomResourceDefinition").expect("a known kind");
    let mut request = Request::of(Verb::Create, kind.id, "", "");
    request.body = Body::Json(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "things.example.com" },
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": { "plural": "things", "kind": "Thing" },
            "versions": [version],
        },
    }));
    let context = Context::new(1, Caller::admin("test"), CauseId(1));
    server.handle(&context, request).map(drop)
}

/// What is wrong with a definition whose objects have these fields.
fn check(properties: Value, expected: Expect) {
    expected.assert_eq(&causes(define(&mut ApiServer::new(1), properties)));
}

/// What a refusal says of each field, a line each.
fn causes(result: Result<(), Status>) -> String {
    let causes = result.err().and_then(|status| status.details).unwrap_or_default().causes;
    let line = |field: &str| field.replace("spec.validation.openAPIV3Schema", "schema");
    let lines: Vec<String> =
        causes.into_iter().map(|cause| format!("{}: {}", line(&cause.field), cause.message)).collect();
    lines.join("\n")
}

fn rules(rules: &[&str]) -> Value {
    rules.iter().map(|rule| json!({ "rule": rule })).collect()
}

#[test]
fn rules_that_may_cost_too_much_are_refused() {
    let list = |limits: Value| {
        let mut list = json!({
            "type": "array", "items": { "type": "string" },
            "x-kubernetes-validations": rules(&["self.all(x, self.exists(y, x == y))"]),
        });
        list.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
        json!({ "tags": list })
    };
    check(
        list(json!({})),
        expect![[r#"
            schema.properties[tags].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)
            schema.properties[tags].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema
            schema: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"#]],
    );
    check(list(json!({ "maxItems": 100, "items": { "type": "string", "maxLength": 32 } })), expect![""]);
}

#[test]
fn a_rule_costs_more_within_a_list() {
    let item = |rule: &str| json!({ "type": "string", "maxLength": 10, "x-kubernetes-validations": rules(&[rule]) });
    check(
        json!({ "all": { "type": "array", "items": item("self.matches('^[a-z0-9-]{1,10}$')") } }),
        expect![
            "schema.properties[all].items.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of 2.7x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
        ],
    );
    let bounded = json!({ "type": "array", "maxItems": 100, "items": item("self.matches('^[a-z0-9-]{1,10}$')") });
    check(json!({ "all": bounded }), expect![""]);
    let names = json!({
        "type": "object", "additionalProperties": { "type": "array", "items": { "type": "integer" } },
        "x-kubernetes-validations": [{
            "rule": "self.all(k, self[k].all(x, x > 0))",
            "messageExpression": "'all of ' + self.map(k, string(size(self[k]))).join(', ')",
        }],
    });
    check(
        json!({ "names": names }),
        expect![[r#"
            schema.properties[names].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)
            schema.properties[names].x-kubernetes-validations[0].messageExpression: Forbidden: estimated messageExpression cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)
            schema.properties[names].x-kubernetes-validations[0].messageExpression: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema
            schema.properties[names].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema
            schema: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"#]],
    );
}

#[test]
fn what_was_before_is_only_known_where_items_have_keys() {
    let rule = rules(&["self == oldSelf"]);
    let item = json!({
        "type": "object", "properties": { "name": { "type": "string", "maxLength": 9, "x-kubernetes-validations": rule } },
        "required": ["name"],
    });
    let list = |kind: &str, keys: Value| {
        let mut list = json!({ "type": "array", "maxItems": 9, "items": item, "x-kubernetes-list-type": kind });
        if !keys.is_null() {
            list["x-kubernetes-list-map-keys"] = keys;
        }
        json!({ "list": list })
    };
    check(
        list("atomic", Value::Null),
        expect![[
            r#"schema.properties[list].items.properties[name].x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within spec.validation.openAPIV3Schema.properties[list]"#
        ]],
    );
    check(list("map", json!(["name"])), expect![""]);
}

#[test]
fn lists_and_embedded_objects_have_rules_of_their_own() {
    let object = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    check(
        json!({
            "set": { "type": "array", "items": object, "x-kubernetes-list-type": "set" },
            "keyed": {
                "type": "array", "items": { "type": "string", "nullable": true },
                "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"],
            },
        }),
        expect![[r#"
            schema.properties[keyed].items.type: Invalid value: "string": must be object if parent array's x-kubernetes-list-type is map
            schema.properties[keyed].items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is map
            schema.properties[set].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set"#]],
    );
    check(
        json!({
            "empty": { "type": "object", "x-kubernetes-embedded-resource": true },
            "typeless": { "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
            "wrong": {
                "type": "object", "x-kubernetes-embedded-resource": true,
                "properties": {
                    "kind": { "type": "integer" },
                    "metadata": { "type": "object", "properties": { "labels": { "type": "object" } } },
                },
            },
        }),
        expect![[r#"
            schema.properties[empty].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields
            schema.properties[typeless].type: Required value: must be object if x-kubernetes-embedded-resource is true
            schema.properties[wrong].properties[kind].type: Invalid value: "integer": must be string"#]],
    );
}

#[test]
fn the_rules_of_one_object_share_a_budget() {
    let list = json!({
        "type": "array", "maxItems": 300, "items": { "type": "string", "maxLength": 1 },
        "x-kubernetes-validations": rules(&["self.all(x, self.all(y, x == y))"]),
    });
    let mut server = ApiServer::new(1);
    define(&mut server, (0..40).map(|number| (format!("f{number}"), list.clone())).collect())
        .expect("a sound definition");
    let kind = server.kinds().into_iter().find(|kind| kind.kind == "Thing").expect("a kind is defined");
    let mut create = |fields: usize| {
        let mut thing = json!({ "apiVersion": "example.com/v1", "kind": "Thing", "metadata": { "name": "t" } });
        for number in 0..fields {
            thing[format!("f{number}")] = vec!["a"; 300].into();
        }
        let mut request = Request::of(Verb::Create, kind.id, "default", "");
        request.options.dry_run = true;
        request.body = Body::Json(thing);
        causes(server.handle(&Context::new(1, Caller::admin("test"), CauseId(1)), request).map(drop))
    };
    expect![""].assert_eq(&create(2));
    expect![[r#"f29: Invalid value: "array": validation failed due to running out of cost budget, no further validation rules will be run"#]]
    .assert_eq(&create(40));
}
