//! `$setElementOrder`: the order in which a client wants the items of a merged list.

use serde_json::Value;

use super::go_print::go_print;

/// Items are the same if their keys are, or for primitives if they are equal.
fn same(left: &Value, right: &Value, key: Option<&str>) -> bool {
    match key {
        Some(key) => left.get(key).is_some() && left.get(key) == right.get(key),
        None => left == right,
    }
}

fn find(list: &[Value], item: &Value, key: Option<&str>) -> Option<usize> {
    list.iter().position(|other| same(other, item, key))
}

/// The patch's items must come in the wanted order.
pub(super) fn check(patch: &[Value], wanted: &[Value], key: Option<&str>) -> Result<(), String> {
    let kept: Vec<&Value> = patch.iter().filter(|item| item.get("$patch").is_none()).collect();
    if let (Some(key), Some(item)) = (key, kept.iter().find(|item| key.is_some_and(|key| item.get(key).is_none()))) {
        return Err(format!("map: {} does not contain declared merge key: {key}", go_print(item)));
    }
    let mut rest = wanted.iter();
    if kept.iter().all(|item| rest.any(|other| same(other, item, key))) {
        return Ok(());
    }
    let shown = |items: Vec<Value>| go_print(&Value::Array(items));
    Err(format!(
        "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
        shown(kept.into_iter().cloned().collect()),
        shown(wanted.to_vec())
    ))
}

/// Sorts merged items: those that the client knows in its order, the server's own between them where they were.
pub(super) fn arrange(merged: Vec<Value>, wanted: &[Value], server: &[Value], key: Option<&str>) -> Vec<Value> {
    let (mut known, mut own): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| find(wanted, item, key).is_some());
    known.sort_by_key(|item| find(wanted, item, key));
    own.sort_by_key(|item| find(server, item, key));
    let mut arranged = Vec::with_capacity(known.len() + own.len());
    let mut own = own.into_iter().peekable();
    for item in known {
        while let Some(next) = own.peek() {
            let before = match (find(server, next, key), find(server, &item, key)) {
                (Some(left), Some(right)) => left < right,
                _ => false,
            };
            if !before {
                break;
            }
            arranged.extend(own.next());
        }
        arranged.push(item);
    }
    arranged.extend(own);
    arranged
}
