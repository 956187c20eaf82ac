//! The published schema and the scenarios agree.

use serde_json::Value;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../protocol/scenario.v1.schema.json")).expect("the schema is JSON")
}

/// Checks what matters for a hand-written file: every field is one that the schema names, and none that it requires is
/// missing.
fn check(schema: &Value, root: &Value, value: &Value, path: &str) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => &root["$defs"][reference.trim_start_matches("#/$defs/")],
        None => schema,
    };
    if let Some(options) = schema["oneOf"].as_array().filter(|_| schema["properties"].is_null()) {
        let wanted = if value.is_object() { "object" } else { "" };
        if let Some(option) = options.iter().find(|option| option["type"] == wanted) {
            check(option, root, value, path);
        }
        return;
    }
    match value {
        Value::Object(fields) if schema["properties"].is_object() => {
            for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                assert!(fields.contains_key(required), "{path} lacks {required}");
            }
            for (name, field) in fields {
                let property = &schema["properties"][name];
                assert!(!property.is_null(), "{path}.{name} is not in the schema");
                check(property, root, field, &format!("{path}.{name}"));
            }
        }
        Value::Array(items) => {
            for item in items {
                check(&schema["items"], root, item, &format!("{path}[]"));
            }
        }
        _ => {}
    }
}

#[test]
fn every_example_follows_the_schema() {
    let schema = schema();
    for example in tabernetes::examples::list() {
        let scenario = tabernetes::examples::find(&example.id).expect("it is listed");
        let value = serde_json::to_value(&scenario).expect("a scenario is JSON");
        check(&schema, &schema, &value, &example.id);
    }
}

#[test]
fn an_exported_scenario_reads_back() {
    let scenario = tabernetes::examples::find("shop").expect("an example");
    let text = tabernetes::scenario::to_yaml(&scenario);
    assert_eq!(tabernetes::scenario::from_file("shop.yaml", &text).expect("it reads"), scenario);
}
