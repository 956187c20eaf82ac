//! Paths to fields of a schema, such as `.spec.size` or `.spec['a-b']`. Upstream: `ValidFieldPath`.

use serde_json::Value;

/// The schema of the field. `brackets`: names may stand in them.
pub(super) fn find<'a>(path: &str, mut schema: &'a Value, brackets: bool) -> Result<&'a Value, &'static str> {
    const NO_FIELD: &str = "does not refer to a valid field";
    const ENDS: &str = "unexpected end of JSON path";
    let mut rest = path;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        let name = match first {
            '.' => {
                let end = rest.find(['.', '[', ']']).unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                if name.is_empty() && after.is_empty() {
                    return Err(ENDS);
                }
                rest = after;
                name
            }
            '[' if !brackets => return Err("array notation is not allowed"),
            '[' => {
                let (name, after) = rest.split_once(']').ok_or(ENDS)?;
                rest = after;
                let quoted = name.strip_prefix('\'').and_then(|name| name.strip_suffix('\''));
                quoted.ok_or("expected single quoted string")?
            }
            _ => return Err("expected [ or ."),
        };
        let named = schema["properties"].is_object();
        let field = if named { schema["properties"].get(name) } else { schema.get("additionalProperties") };
        schema = field.filter(|field| field.is_object()).ok_or(NO_FIELD)?;
    }
    Ok(schema)
}
