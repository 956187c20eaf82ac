//! Making patches, as `kubectl apply` does: from what was applied last, what is applied, and what the server has.

use serde_json::{Map, Value};

use super::strategic::{
    DELETE_FROM, DIRECTIVE, Fields, Nulls, RETAIN_KEYS, SET_ORDER, element_of, merge_map, struct_of,
};
use crate::kinds::Kind;
use crate::schema::{self, ListMerge};
use crate::status::Status;

/// Which differences a patch carries.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    Deletions,
    ChangesAndAdditions,
}

/// The strategic merge patch that brings `current` to `modified`, and removes what only `original` had. Empty where
/// there is nothing to do.
pub fn three_way_strategic(kind: &Kind, original: &Value, modified: &Value, current: &Value) -> Result<Value, Status> {
    let empty = Map::new();
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_else(|| empty.clone());
    let (original, modified, current) = (fields(original), fields(modified), fields(current));
    let type_name = schema::of_kind(kind);
    let delta = diff_map(type_name, &current, &modified, Only::ChangesAndAdditions);
    let deletions = diff_map(type_name, &original, &modified, Only::Deletions);
    merge_map(type_name, deletions, delta, Nulls::Keep).map(Value::Object)
}

/// The same as a JSON merge patch, for kinds without a schema.
pub fn three_way_merge(original: &Value, modified: &Value, current: &Value) -> Value {
    let mut patch = Map::new();
    if let (Value::Object(modified), Value::Object(current)) = (modified, current) {
        patch = plain_diff(original.as_object(), modified, current);
    }
    Value::Object(patch)
}

fn plain_diff(original: Option<&Fields>, modified: &Fields, current: &Fields) -> Fields {
    let mut patch = Map::new();
    for (name, value) in modified {
        let before = original.and_then(|fields| fields.get(name));
        match (current.get(name), value) {
            (Some(Value::Object(current)), Value::Object(value)) => {
                let inner = plain_diff(before.and_then(Value::as_object), value, current);
                if !inner.is_empty() {
                    patch.insert(name.clone(), Value::Object(inner));
                }
            }
            (Some(current), value) if current == value => {}
            (_, value) => {
                patch.insert(name.clone(), value.clone());
            }
        }
    }
    for name in original.into_iter().flat_map(Map::keys) {
        if !modified.contains_key(name) && current.contains_key(name) {
            patch.insert(name.clone(), Value::Null);
        }
    }
    patch
}

fn diff_map(type_name: Option<&'static str>, old: &Fields, new: &Fields, only: Only) -> Fields {
    let mut patch = Map::new();
    for (name, value) in new {
        let field = type_name.and_then(|owner| schema::field(owner, name));
        let ty = field.map(|field| field.ty);
        match (old.get(name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let mut inner = diff_map(struct_of(ty), old, new, only);
                let retains = type_name.is_some_and(|owner| schema::replaces_other_keys(owner, name));
                if retains && !inner.is_empty() {
                    inner.insert(RETAIN_KEYS.into(), new.keys().cloned().collect());
                }
                if !inner.is_empty() {
                    patch.insert(name.clone(), Value::Object(inner));
                }
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                let merge = type_name.map_or(ListMerge::Replace, |owner| schema::list_merge(owner, name));
                let retains = type_name.is_some_and(|owner| schema::replaces_other_keys(owner, name));
                let list = ListDiff { name, element: element_of(ty), retains, only };
                list.diff(merge, old, new, &mut patch);
            }
            (Some(old), new) if old == new => {}
            (_, new) if only == Only::ChangesAndAdditions => {
                patch.insert(name.clone(), new.clone());
            }
            _ => {}
        }
    }
    if only == Only::Deletions {
        for name in old.keys().filter(|name| !new.contains_key(*name)) {
            patch.insert(name.clone(), Value::Null);
        }
    }
    patch
}

struct ListDiff<'a> {
    name: &'a str,
    element: Option<&'static str>,
    /// Items that change name in `$retainKeys` what stays of them.
    retains: bool,
    only: Only,
}

impl ListDiff<'_> {
    fn diff(&self, merge: ListMerge, old: &[Value], new: &[Value], patch: &mut Fields) {
        match merge {
            ListMerge::Replace if self.only == Only::ChangesAndAdditions && old != new => {
                patch.insert(self.name.into(), new.into());
            }
            ListMerge::Replace => {}
            ListMerge::Primitive => self.diff_primitive(old, new, patch),
            ListMerge::ByKey(key) => self.diff_by_key(key, old, new, patch),
        }
    }

    fn diff_primitive(&self, old: &[Value], new: &[Value], patch: &mut Fields) {
        let missing = |from: &[Value], items: &[Value]| -> Vec<Value> {
            items.iter().filter(|item| !from.contains(item)).cloned().collect()
        };
        let changed = match self.only {
            Only::ChangesAndAdditions => (self.name.to_owned(), missing(old, new)),
            Only::Deletions => (format!("{DELETE_FROM}{}", self.name), missing(new, old)),
        };
        if !changed.1.is_empty() {
            patch.insert(changed.0, changed.1.into());
            patch.insert(format!("{SET_ORDER}{}", self.name), new.into());
        }
    }

    fn diff_by_key(&self, key: &str, old: &[Value], new: &[Value], patch: &mut Fields) {
        let find = |items: &[Value], item: &Value| {
            items.iter().find(|other| item.get(key).is_some() && other.get(key) == item.get(key)).cloned()
        };
        let mut changes = Vec::new();
        for item in new {
            match (find(old, item), item) {
                (Some(Value::Object(old)), Value::Object(new)) => {
                    let mut inner = diff_map(self.element, &old, new, self.only);
                    if !inner.is_empty() {
                        inner.insert(key.into(), item[key].clone());
                        if self.retains {
                            inner.insert(RETAIN_KEYS.into(), new.keys().cloned().collect());
                        }
                        changes.push(Value::Object(inner));
                    }
                }
                (_, new) if self.only == Only::ChangesAndAdditions => changes.push(new.clone()),
                _ => {}
            }
        }
        if self.only == Only::Deletions {
            for item in old.iter().filter(|item| item.get(key).is_some() && find(new, item).is_none()) {
                let mut deletion = Map::new();
                deletion.insert(DIRECTIVE.into(), "delete".into());
                deletion.insert(key.into(), item[key].clone());
                changes.push(Value::Object(deletion));
            }
        }
        let reordered = self.only == Only::ChangesAndAdditions && is_reordered(key, old, new);
        if !changes.is_empty() || reordered {
            let order = new.iter().filter_map(|item| item.get(key)).map(|value| {
                let mut entry = Map::new();
                entry.insert(key.into(), value.clone());
                Value::Object(entry)
            });
            patch.insert(format!("{SET_ORDER}{}", self.name), order.collect());
        }
        if !changes.is_empty() {
            patch.insert(self.name.into(), changes.into());
        }
    }
}

/// Whether the items that both lists have come in different orders.
fn is_reordered(key: &str, old: &[Value], new: &[Value]) -> bool {
    let keys = |items: &[Value], others: &[Value]| -> Vec<Value> {
        let of_others: Vec<&Value> = others.iter().filter_map(|item| item.get(key)).collect();
        items.iter().filter_map(|item| item.get(key)).filter(|value| of_others.contains(value)).cloned().collect()
    };
    keys(old, new) != keys(new, old)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::Kinded;
    use crate::types::Deployment;

    fn container(name: &str, image: &str) -> Value {
        json!({"name": name, "image": image})
    }

    fn deployment(replicas: u32, containers: Vec<Value>) -> Value {
        json!({"spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}}})
    }

    #[test]
    fn apply_keeps_what_others_have_added() {
        let original = deployment(1, vec![container("a", "a:1"), container("b", "b:1")]);
        let modified = deployment(1, vec![container("a", "a:2")]);
        let current = deployment(5, vec![container("a", "a:1"), container("b", "b:1"), container("injected", "i:1")]);
        let patch = three_way_strategic(Deployment::row(), &original, &modified, &current).unwrap();
        let patched = super::super::strategic(Deployment::row(), current, patch).unwrap();
        assert_eq!(patched, deployment(1, vec![container("a", "a:2"), container("injected", "i:1")]));
    }

    #[test]
    fn nothing_to_do_is_an_empty_patch() {
        let object = deployment(1, vec![container("a", "a:1")]);
        let patch = three_way_strategic(Deployment::row(), &object, &object, &object).unwrap();
        assert_eq!(patch, json!({}));
        assert_eq!(three_way_merge(&object, &object, &object), json!({}));
    }

    #[test]
    fn merge_patches_remove_what_was_applied_before() {
        let (original, modified) = (json!({"a": 1, "b": {"c": 1}}), json!({"b": {}}));
        let current = json!({"a": 1, "b": {"c": 1, "d": 2}});
        assert_eq!(three_way_merge(&original, &modified, &current), json!({"a": null, "b": {"c": null}}));
    }
}
