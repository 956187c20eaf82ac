//! JSON patch, RFC 6902, with the liberties of upstream's library: `replace` adds a missing key of an object,
//! negative indices count from the end of a list, and a value that is left out is null.

use serde_json::{Map, Value};

use crate::decode::go_kind;
use crate::status::{Details, Reason, Status};

/// More operations than this are refused.
const OPERATIONS_MAX: usize = 10_000;
/// What `copy` may add to the object altogether: as much as a request may hold.
const COPIED_BYTES_MAX: usize = 3 << 20;
/// A patched object may not be deeper than one that is sent.
const DEPTH_MAX: usize = 128;

pub fn json(target: Value, patch: &Value) -> Result<Value, Status> {
    if patch.is_null() {
        return Ok(target);
    }
    let Value::Array(operations) = patch else {
        let found = go_kind(patch);
        return Err(Status::bad_request(format!(
            "error decoding patch: json: cannot unmarshal {found} into Go value of type []handlers.jsonPatchOp"
        )));
    };
    if operations.len() > OPERATIONS_MAX {
        let message =
            format!("The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got {}", operations.len());
        return Err(Status::new(413, Reason::RequestEntityTooLarge, message));
    }
    operate(target, operations).map_err(|_| rejected())
}

/// Applies the operations one after the other. `Err`: what the library says of the first that fails.
pub fn operate(mut target: Value, operations: &[Value]) -> Result<Value, String> {
    let mut copied = 0;
    for operation in operations {
        if operation.get("op").is_some_and(|op| op == "copy") {
            copied +=
                operation.get("from").and_then(Value::as_str).and_then(|from| get(&mut target, from)).map_or(0, size);
            if copied > COPIED_BYTES_MAX {
                return Err(format!(
                    "Unable to complete the copy, the accumulated size increase of patch is {copied}, exceeding the limit \
                     {COPIED_BYTES_MAX}"
                ));
            }
        }
        let failed = apply(&mut target, operation).is_none();
        if failed {
            return Err(failure(&mut target, operation));
        }
    }
    Ok(target)
}

/// How [`operate`] says that a `test` has not held.
pub const TEST_FAILED: &str = "testing value ";

/// In the words of the library. Upstream: `evanphx/json-patch`.
fn failure(target: &mut Value, operation: &Value) -> String {
    let text = |name: &str| operation.get(name).and_then(Value::as_str);
    let (op, path, from) = (text("op").unwrap_or_default(), text("path"), text("from"));
    let Some(path) = path else { return format!("{op} operation failed to decode path: missing value") };
    let missing =
        |target: &mut Value, path: &str| !matches!(parent(target, path), Some((Value::Object(_) | Value::Array(_), _)));
    let last = path.rsplit('/').next().unwrap_or_default();
    match op {
        "add" if missing(target, path) => {
            format!("add operation does not apply: doc is missing path: {path:?}: missing value")
        }
        "remove" if missing(target, path) => {
            format!("remove operation does not apply: doc is missing path: {path:?}: missing value")
        }
        "replace" if missing(target, path) => {
            format!("replace operation does not apply: doc is missing path: {path}: missing value")
        }
        "replace" => format!("replace operation does not apply: doc is missing key: {path}: missing value"),
        "move" | "copy" if from.is_none_or(|from| get(target, from).is_none()) => {
            let from = from.unwrap_or_default();
            format!("{op} operation does not apply: doc is missing from path: {from}: missing value")
        }
        "move" | "copy" => {
            format!("{op} operation does not apply: doc is missing destination path: {path}: missing value")
        }
        "test" => format!("{TEST_FAILED}{path} failed: test failed"),
        "add" | "remove" => {
            let why = match parent(target, path) {
                Some((Value::Object(_), _)) => format!("Unable to remove nonexistent key: {last}: missing value"),
                _ if last.parse::<i64>().is_ok() => {
                    format!("Unable to access invalid index: {last}: invalid index referenced")
                }
                _ => format!("strconv.Atoi: parsing {last:?}: invalid syntax"),
            };
            format!("error in {op} for path: '{path}': {why}")
        }
        _ => format!("Unexpected kind: {op}"),
    }
}

/// The containers that a patch walks through, as nested objects.
pub(super) fn touched(patch: &Value) -> Value {
    let mut root = Value::Object(Map::new());
    for operation in patch.as_array().into_iter().flatten() {
        for path in ["path", "from"] {
            let Some(mut steps) = operation.get(path).and_then(Value::as_str).and_then(steps) else { continue };
            steps.pop();
            let mut node = &mut root;
            for step in steps.into_iter().take(DEPTH_MAX) {
                let Some(fields) = node.as_object_mut() else { break };
                node = fields.entry(step).or_insert_with(|| Value::Object(Map::new()));
            }
        }
    }
    root
}

/// About how long a value is as text.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum::<usize>() + 2,
        Value::Object(fields) => fields.iter().map(|(name, field)| name.len() + size(field) + 4).sum::<usize>() + 2,
        _ => 5,
    }
}

fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// What a client learns of any failed operation.
fn rejected() -> Status {
    let mut status =
        Status::new(422, Reason::Invalid, "the server rejected our request due to an error in our request");
    status.details = Some(Details::default());
    status
}

fn apply(target: &mut Value, operation: &Value) -> Option<()> {
    let text = |name: &str| operation.get(name).and_then(Value::as_str);
    let path = text("path")?;
    let value = || operation.get("value").cloned().unwrap_or_default();
    match text("op")? {
        "add" => add(target, path, value()),
        "remove" => remove(target, path).map(drop),
        "replace" => replace(target, path, value()),
        "move" => {
            let moved = remove(target, text("from")?)?;
            add(target, path, moved)
        }
        "copy" => {
            let copied = get(target, text("from")?)?.clone();
            add(target, path, copied)
        }
        "test" => {
            let expected = value();
            let found = get(target, path);
            (found == Some(&expected) || (found.is_none() && expected.is_null())).then_some(())
        }
        _ => None,
    }
}

/// A pointer's steps, unescaped; `None` for one that does not start with `/`.
fn steps(path: &str) -> Option<Vec<String>> {
    if path.is_empty() {
        return Some(Vec::new());
    }
    Some(path.strip_prefix('/')?.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

fn index(step: &str, len: usize) -> Option<usize> {
    let number: i64 = step.parse().ok()?;
    let number = if number < 0 { number + i64::try_from(len).ok()? } else { number };
    usize::try_from(number).ok()
}

fn child<'a>(value: &'a mut Value, step: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(fields) => fields.get_mut(step),
        Value::Array(items) => {
            let at = index(step, items.len())?;
            items.get_mut(at)
        }
        _ => None,
    }
}

fn get<'a>(target: &'a mut Value, path: &str) -> Option<&'a Value> {
    let mut value = target;
    for step in steps(path)? {
        value = child(value, &step)?;
    }
    Some(value)
}

/// The value that holds the pointer's last step, and that step.
fn parent<'a>(target: &'a mut Value, path: &str) -> Option<(&'a mut Value, String)> {
    let mut steps = steps(path)?;
    let last = steps.pop()?;
    let mut value = target;
    for step in steps {
        value = child(value, &step)?;
    }
    Some((value, last))
}

fn add(target: &mut Value, path: &str, value: Value) -> Option<()> {
    if path.matches('/').count() + depth(&value) > DEPTH_MAX {
        return None;
    }
    if path.is_empty() {
        *target = value;
        return Some(());
    }
    match parent(target, path)? {
        (Value::Object(fields), name) => {
            fields.insert(name, value);
        }
        (Value::Array(items), step) if step == "-" => items.push(value),
        (Value::Array(items), step) => {
            let at = index(&step, items.len() + 1)?;
            if at > items.len() {
                return None;
            }
            items.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(target: &mut Value, path: &str) -> Option<Value> {
    match parent(target, path)? {
        (Value::Object(fields), name) => fields.remove(&name),
        (Value::Array(items), step) => {
            let at = index(&step, items.len())?;
            (at < items.len()).then(|| items.remove(at))
        }
        _ => None,
    }
}

fn replace(target: &mut Value, path: &str, value: Value) -> Option<()> {
    if path.is_empty() {
        *target = value;
        return Some(());
    }
    match parent(target, path)? {
        (Value::Object(fields), name) => {
            fields.insert(name, value);
        }
        (Value::Array(items), step) => {
            let at = index(&step, items.len())?;
            *items.get_mut(at)? = value;
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn operations() {
        let target = json!({"data": {"a": "1", "b/c": "2"}, "list": [1, 2, 3]});
        let patch = json!([
            {"op": "test", "path": "/data/a", "value": "1"},
            {"op": "replace", "path": "/data/new", "value": "x"},
            {"op": "remove", "path": "/data/b~1c"},
            {"op": "add", "path": "/list/-", "value": 4},
            {"op": "remove", "path": "/list/-1"},
            {"op": "add", "path": "/list/0", "value": 0},
            {"op": "move", "from": "/data/a", "path": "/data/z"},
            {"op": "add", "path": "/data/empty"},
        ]);
        let patched = super::json(target.clone(), &patch).unwrap();
        assert_eq!(patched, json!({"data": {"new": "x", "z": "1", "empty": null}, "list": [0, 1, 2, 3]}));
        for bad in [
            json!([{"op": "remove", "path": "/data/none"}]),
            json!([{"op": "add", "path": "/none/x", "value": 1}]),
            json!([{"op": "frob", "path": "/data"}]),
            json!([{"op": "replace", "path": "/list/9", "value": 1}]),
        ] {
            assert_eq!(super::json(target.clone(), &bad).unwrap_err().code, 422);
        }
    }
}
