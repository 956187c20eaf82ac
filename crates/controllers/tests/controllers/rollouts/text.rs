//! What a server may choose freely becomes a placeholder, so that recordings can be compared.

use serde_json::Value;

/// Upstream's alphabet for random suffixes.
const RANDOM: &str = "bcdfghjklmnpqrstvwxz2456789";

/// Identities become `<uid>`, random suffixes `<rand>`.
pub fn normal(text: &str) -> String {
    tokens(
        text,
        |c| c.is_ascii_alphanumeric() || c == '-' || c == '.',
        |token| {
            let is_uid = token.len() == 36 && token.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
            if is_uid {
                return "<uid>".into();
            }
            let body = token.trim_end_matches(['.', '-']);
            let rest = &token[body.len()..];
            match body.rsplit_once('-') {
                Some((name, suffix))
                    if !name.is_empty() && suffix.len() == 5 && suffix.chars().all(|c| RANDOM.contains(c)) =>
                {
                    format!("{name}-<rand>{rest}")
                }
                _ => token.into(),
            }
        },
    )
}

/// Maps each run of characters that belong to a token.
fn tokens(text: &str, belongs: fn(char) -> bool, map: impl Fn(&str) -> String) -> String {
    let mut result = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        if end > 0 {
            result.push_str(&map(&rest[..end]));
        }
        let next = rest[end..].find(belongs).map_or(rest.len(), |offset| end + offset);
        result.push_str(&rest[end..next]);
        rest = &rest[next..];
    }
    result
}

/// All lists in order.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(canonical).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), canonical(value))).collect())
        }
        other => other.clone(),
    }
}

/// What the recording has and the cluster has not, and the other way round.
pub fn differences(want: &Value, got: &Value) -> Vec<String> {
    let (want, got) = (canonical(want), canonical(got));
    let mut differences = Vec::new();
    for (resource, want) in want.as_object().into_iter().flatten() {
        let want = want.as_array().cloned().unwrap_or_default();
        let mut surplus = got[resource].as_array().cloned().unwrap_or_default();
        let mut missing = Vec::new();
        for row in want {
            match surplus.iter().position(|other| *other == row) {
                Some(position) => drop(surplus.remove(position)),
                None => missing.push(row),
            }
        }
        differences.extend(missing.iter().map(|row| format!("{resource}\n    want {row}")));
        differences.extend(surplus.iter().map(|row| format!("{resource}\n    got  {row}")));
    }
    differences
}
