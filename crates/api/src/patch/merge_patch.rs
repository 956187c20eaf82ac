//! JSON merge patch, RFC 7386.

use serde_json::{Map, Value};

/// Lays `patch` over `target`: `null` removes, objects merge, everything else replaces.
pub fn merge(target: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else { return patch };
    let mut fields = match target {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(&name);
        } else {
            let old = fields.remove(&name).unwrap_or(Value::Null);
            fields.insert(name, merge(old, value));
        }
    }
    Value::Object(fields)
}
