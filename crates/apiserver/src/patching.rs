//! Patches.

use api::{Kind, Status};
use serde_json::Value;

pub(crate) fn json(_current: Value, _patch: &Value) -> Result<Value, Status> {
    Err(Status::bad_request("not yet"))
}

pub(crate) fn merge(mut current: Value, patch: Value) -> Value {
    let Value::Object(changes) = patch else { return patch };
    if !current.is_object() {
        current = Value::Object(serde_json::Map::new());
    }
    let fields = current.as_object_mut().expect("just made one");
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(&name);
        } else {
            let before = fields.remove(&name).unwrap_or_default();
            fields.insert(name, merge(before, change));
        }
    }
    current
}

pub(crate) fn strategic(_kind: &Kind, current: Value, patch: Value) -> Result<Value, Status> {
    Ok(merge(current, patch))
}
