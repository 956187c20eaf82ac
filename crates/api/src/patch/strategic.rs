//! Strategic merge patch: merge patch that knows which lists are maps by a key.
//!
//! Directives: `$patch: replace|delete|merge`, `$retainKeys`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…`.

use serde_json::{Map, Value};

use super::go_print::go_print;
use super::order;
use crate::kinds::Kind;
use crate::schema::{self, ListMerge, Type};
use crate::status::{Reason, Status};

pub(super) const DIRECTIVE: &str = "$patch";
pub(super) const RETAIN_KEYS: &str = "$retainKeys";
pub(super) const SET_ORDER: &str = "$setElementOrder/";
pub(super) const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

pub(super) type Fields = Map<String, Value>;

/// Lays `patch` over `target`, an object of `kind`.
pub fn strategic(kind: &Kind, target: Value, patch: Value) -> Result<Value, Status> {
    let (Value::Object(target), Value::Object(patch)) = (target, patch) else {
        return Err(Status::bad_request("json: cannot unmarshal array into Go value of type map[string]interface {}"));
    };
    let type_name = schema::of_kind(kind).ok_or_else(|| {
        Status::new(
            415,
            Reason::UnsupportedMediaType,
            "the body of the request was in an unknown format - accepted media types include: \
             application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
        )
    })?;
    merge_map(Some(type_name), target, patch, Nulls::Delete).map(Value::Object)
}

/// What a `null` in a patch means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    /// Remove the field: the patch is laid over an object.
    Delete,
    /// Stays `null`, as do the directives: two patches are joined.
    Keep,
}

/// Most mistakes in directives are answered with a bare 500.
fn broken(message: String) -> Status {
    Status::new(500, Reason::Unknown, message)
}

pub(super) fn merge_map(
    type_name: Option<&'static str>,
    mut target: Fields,
    mut patch: Fields,
    nulls: Nulls,
) -> Result<Fields, Status> {
    if nulls == Nulls::Delete {
        match patch.get(DIRECTIVE).map(|directive| directive.as_str().unwrap_or_default()) {
            None => {}
            Some("replace") => {
                patch.remove(DIRECTIVE);
                return Ok(patch);
            }
            Some("delete") => return Ok(Map::new()),
            Some("merge") => {
                patch.remove(DIRECTIVE);
            }
            Some(other) => {
                let shown = go_print(&Value::Object(patch.clone()));
                return Err(broken(format!("unknown patch type: {other} in map: {shown}")));
            }
        }
        retain_keys(&mut target, &mut patch)?;
        merge_ordered_lists(type_name, &mut target, &mut patch)?;
    }
    for (name, value) in patch {
        if nulls == Nulls::Keep && name.starts_with('$') {
            target.insert(name, value);
            continue;
        }
        if let Some(list) = name.strip_prefix(DELETE_FROM) {
            delete_from_primitive_list(&mut target, list, &value);
            continue;
        }
        merge_field(type_name, &mut target, name, value, nulls)?;
    }
    Ok(target)
}

fn merge_field(
    type_name: Option<&'static str>,
    target: &mut Fields,
    name: String,
    value: Value,
    nulls: Nulls,
) -> Result<(), Status> {
    if value.is_null() {
        if nulls == Nulls::Keep {
            target.insert(name, value);
        } else {
            target.remove(&name);
        }
        return Ok(());
    }
    let ty = type_name.and_then(|owner| schema::field(owner, &name)).map(|field| field.ty);
    let merged = match (target.remove(&name), value) {
        (Some(Value::Object(old)), Value::Object(new)) => Value::Object(merge_map(struct_of(ty), old, new, nulls)?),
        (Some(Value::Array(old)), Value::Array(new)) => {
            let merge = type_name.map_or(ListMerge::Replace, |owner| schema::list_merge(owner, &name));
            Value::Array(merge_list(merge, element_of(ty), old, new, nulls)?)
        }
        (Some(_), value) => value,
        (None, value) if nulls == Nulls::Delete => without_directives(value),
        (None, value) => value,
    };
    target.insert(name, merged);
    Ok(())
}

pub(super) fn struct_of(ty: Option<Type>) -> Option<&'static str> {
    match ty {
        Some(Type::Struct(name)) => Some(name),
        _ => None,
    }
}

pub(super) fn element_of(ty: Option<Type>) -> Option<&'static str> {
    match ty {
        Some(Type::List(inner)) => struct_of(Some(inner.get())),
        _ => None,
    }
}

pub(super) fn merge_list(
    merge: ListMerge,
    element: Option<&'static str>,
    old: Vec<Value>,
    new: Vec<Value>,
    nulls: Nulls,
) -> Result<Vec<Value>, Status> {
    match merge {
        ListMerge::Replace => Ok(new.into_iter().filter(|item| !is_directive_only(item)).collect()),
        ListMerge::Primitive => {
            let mut merged = old;
            for item in new {
                if !merged.contains(&item) {
                    merged.push(item);
                }
            }
            Ok(merged)
        }
        ListMerge::ByKey(key) => merge_by_key(key, element, old, new, nulls),
    }
}

fn is_directive_only(item: &Value) -> bool {
    item.as_object().is_some_and(|fields| fields.len() == 1 && fields.contains_key(DIRECTIVE))
}

fn merge_by_key(
    key: &str,
    element: Option<&'static str>,
    old: Vec<Value>,
    new: Vec<Value>,
    nulls: Nulls,
) -> Result<Vec<Value>, Status> {
    let directive = |item: &Value| item.get(DIRECTIVE).and_then(Value::as_str).map(str::to_owned);
    let server = old.clone();
    let wanted: Vec<Value> = new.iter().filter(|item| directive(item).is_none()).cloned().collect();
    let mut merged = old;
    if nulls == Nulls::Delete {
        let replaces = new.iter().any(|item| directive(item).as_deref() == Some("replace"));
        if replaces {
            return Ok(new.into_iter().filter(|item| directive(item).is_none()).collect());
        }
    }
    for item in new {
        let Some(value) = item.get(key).cloned() else {
            return Err(broken(format!("map: {} does not contain declared merge key: {key}", go_print(&item))));
        };
        let at = merged.iter().position(|old| old.get(key) == Some(&value));
        match (directive(&item).as_deref(), nulls) {
            (Some("delete"), Nulls::Delete) => {
                merged.retain(|old| old.get(key) != Some(&value));
                continue;
            }
            (Some("merge"), _) => {
                return Err(broken("merging lists cannot yet be specified in the patch".into()));
            }
            (Some(other), Nulls::Delete) => {
                return Err(broken(format!("unknown patch type: {other} in map: {}", go_print(&item))));
            }
            _ => {}
        }
        match (at, item) {
            (Some(at), Value::Object(item)) => {
                let old = merged[at].as_object().cloned().unwrap_or_default();
                merged[at] = Value::Object(merge_map(element, old, item, nulls)?);
            }
            (_, item) if nulls == Nulls::Delete => merged.push(without_directives(item)),
            (_, item) => merged.push(item),
        }
    }
    // Without another wish, new items come in the patch's order, before what they follow in neither list.
    Ok(if nulls == Nulls::Delete { order::arrange(merged, &wanted, &server, Some(key)) } else { merged })
}

/// What a patch says of something that is not there yet: no `null`, no directive, nothing deleted.
fn without_directives(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(name, value)| !value.is_null() && !name.starts_with('$'))
                .map(|(name, value)| (name, without_directives(value)))
                .collect(),
        ),
        Value::Array(items) => {
            let is_deleted = |item: &Value| item.get(DIRECTIVE).and_then(Value::as_str) == Some("delete");
            Value::Array(items.into_iter().filter(|item| !is_deleted(item)).map(without_directives).collect())
        }
        other => other,
    }
}

/// `$retainKeys` names all keys that remain.
fn retain_keys(target: &mut Fields, patch: &mut Fields) -> Result<(), Status> {
    let Some(directive) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let invalid = || Status::bad_request("invalid patch format of retainKeys");
    let keys = directive.as_array().ok_or_else(invalid)?;
    let retained = |name: &str| keys.iter().any(|key| key.as_str() == Some(name));
    if patch.iter().any(|(name, value)| !value.is_null() && !name.starts_with('$') && !retained(name)) {
        return Err(invalid());
    }
    target.retain(|name, _| retained(name));
    Ok(())
}

/// Merges the lists that have a `$setElementOrder`, and takes them out of the patch.
fn merge_ordered_lists(type_name: Option<&'static str>, target: &mut Fields, patch: &mut Fields) -> Result<(), Status> {
    let directives: Vec<String> = patch.keys().filter(|name| name.starts_with(SET_ORDER)).cloned().collect();
    for directive in directives {
        let Some(Value::Array(wanted)) = patch.remove(&directive) else {
            return Err(Status::bad_request("invalid patch format of setElementOrder list"));
        };
        let name = &directive[SET_ORDER.len()..];
        let merge = type_name.map_or(ListMerge::Replace, |owner| schema::list_merge(owner, name));
        let key = match merge {
            ListMerge::ByKey(key) => Some(key),
            _ => None,
        };
        let new = match patch.remove(name) {
            Some(Value::Array(items)) => items,
            Some(Value::Null) => {
                target.remove(name);
                continue;
            }
            _ => Vec::new(),
        };
        order::check(&new, &wanted, key).map_err(broken)?;
        if let Some(deleted) = patch.remove(&format!("{DELETE_FROM}{name}")) {
            delete_from_primitive_list(target, name, &deleted);
        }
        let old = match target.remove(name) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        if old.is_empty() && new.is_empty() {
            continue;
        }
        let ty = type_name.and_then(|owner| schema::field(owner, name)).map(|field| field.ty);
        let merged = merge_list(merge, element_of(ty), old.clone(), new, Nulls::Delete)?;
        target.insert(name.to_owned(), Value::Array(order::arrange(merged, &wanted, &old, key)));
    }
    Ok(())
}

fn delete_from_primitive_list(target: &mut Fields, name: &str, deleted: &Value) {
    let Some(deleted) = deleted.as_array() else { return };
    if let Some(items) = target.get_mut(name).and_then(Value::as_array_mut) {
        items.retain(|item| !deleted.contains(item));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kinds::Kinded;
    use crate::types::Deployment;

    fn patched(patch: serde_json::Value) -> Result<serde_json::Value, String> {
        let target = json!({"spec": {
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
            "template": {"spec": {"containers": [
                {"name": "a", "image": "a:1", "env": [{"name": "X", "value": "1"}]},
                {"name": "b", "image": "b:1"},
            ]}},
        }});
        super::strategic(Deployment::row(), target, patch).map_err(|status| status.message)
    }

    #[test]
    fn directives() {
        let containers = |patch| {
            patched(json!({"spec": {"template": {"spec": patch}}}))
                .map(|object| object["spec"]["template"]["spec"]["containers"].clone())
        };
        assert_eq!(
            containers(json!({"containers": [{"name": "b", "$patch": "delete"}, {"name": "a", "image": "a:2"}]})),
            Ok(json!([{"name": "a", "image": "a:2", "env": [{"name": "X", "value": "1"}]}]))
        );
        assert_eq!(
            containers(json!({"$setElementOrder/containers": [{"name": "b"}, {"name": "c"}, {"name": "a"}],
                "containers": [{"name": "c", "image": "c:1"}]}))
            .map(|list| {
                list.as_array()
                    .unwrap()
                    .iter()
                    .map(|item| item["name"].as_str().unwrap().to_owned())
                    .collect::<String>()
            }),
            Ok("bca".into())
        );
        assert_eq!(
            containers(json!({"containers": [{"image": "x"}]})),
            Err("map: map[image:x] does not contain declared merge key: name".into())
        );
        assert_eq!(
            patched(json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}})).unwrap()["spec"]["strategy"],
            json!({"type": "Recreate"})
        );
        assert_eq!(
            patched(json!({"spec": {"$patch": "explode"}})),
            Err("unknown patch type: explode in map: map[$patch:explode]".into())
        );
    }
}
