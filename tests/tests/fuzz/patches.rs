//! Patches: the four types, right and wrong.

use serde_json::{Value, json};

use crate::choices::Choices;
use crate::manifests::{self, pointers};

/// A patch for an object, and its content type.
pub fn some(choices: &mut Choices, object: &Value) -> (&'static str, Value) {
    match choices.below(8) {
        0 | 1 => ("application/merge-patch+json", partial(choices, object)),
        2 | 3 => ("application/strategic-merge-patch+json", directed(choices, object)),
        4 | 5 => ("application/json-patch+json", operations(choices, object)),
        6 => ("application/apply-patch+yaml", partial(choices, object)),
        _ => {
            let mut whole = object.clone();
            manifests::mistake(choices, &mut whole);
            ("application/apply-patch+yaml", whole)
        }
    }
}

/// Parts of the object, some changed and some to be removed.
fn partial(choices: &mut Choices, object: &Value) -> Value {
    let mut part = object.clone();
    for _ in 0..=choices.below(3) {
        manifests::mistake(choices, &mut part);
    }
    if let Value::Object(fields) = &mut part {
        fields.retain(|name, _| matches!(name.as_str(), "apiVersion" | "kind") || choices.percent(60));
    }
    part
}

/// A part with directives of strategic merge.
fn directed(choices: &mut Choices, object: &Value) -> Value {
    let mut part = partial(choices, object);
    let mut all = Vec::new();
    pointers(&part, "", &mut all);
    for _ in 0..=choices.below(2) {
        let at = &all[choices.below(all.len())];
        let Some(Value::Object(fields)) = part.pointer_mut(at) else { continue };
        let name = choices.pick(&[
            "$patch",
            "$retainKeys",
            "$setElementOrder/containers",
            "$setElementOrder/finalizers",
            "$deleteFromPrimitiveList/finalizers",
            "$setElementOrder/",
            "$deleteFromPrimitiveList/ports",
            "$other",
        ]);
        let value = match choices.below(4) {
            0 => choices.pick(&["delete", "replace", "merge", "other"]).into(),
            1 => json!([{ "name": "c" }, { "name": "d" }]),
            2 => json!(["name", "a", 1]),
            _ => choices.json(2),
        };
        fields.insert(name.to_owned(), value);
    }
    part
}

fn operations(choices: &mut Choices, object: &Value) -> Value {
    let mut all = Vec::new();
    pointers(object, "", &mut all);
    let pointer = |choices: &mut Choices| match choices.below(10) {
        0 => choices.text(),
        1 => format!("{}/{}", all[choices.below(all.len())], choices.pick(&["-", "-1", "0", "99", "new", "a~1b"])),
        _ => all[choices.below(all.len())].clone(),
    };
    let operation = |choices: &mut Choices| match choices.below(12) {
        0 => choices.json(2),
        1 => json!({ "op": choices.text(), "path": pointer(choices) }),
        2..5 => json!({ "op": choices.pick(&["copy", "move"]), "from": pointer(choices), "path": pointer(choices) }),
        5 => json!({ "op": "remove", "path": pointer(choices) }),
        6 => json!({ "op": "test", "path": pointer(choices), "value": choices.json(1) }),
        _ => json!({ "op": choices.pick(&["add", "replace"]), "path": pointer(choices), "value": choices.json(2) }),
    };
    (0..=choices.below(4)).map(|_| operation(choices)).collect()
}
