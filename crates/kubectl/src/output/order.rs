//! JSON in the order of Go's structs, for documents that upstream writes from structs of its own.

use serde_json::Value;

/// The fields of a struct in their order, each with what is behind it; a list stands for its items. Fields that are not
/// named come last, as a map's: in the order of their names.
pub(crate) struct Fields(pub &'static [(&'static str, Fields)]);

/// What is written as a map, or no object at all.
pub(crate) const PLAIN: Fields = Fields(&[]);

/// The text with line breaks, as `json.MarshalIndent` gives it.
pub(crate) fn in_order(value: &Value, fields: &Fields, indent: &str) -> String {
    let mut text = String::new();
    write(value, fields, &mut text);
    super::indented(&text, indent)
}

fn write(value: &Value, fields: &Fields, text: &mut String) {
    match value {
        Value::Object(map) => {
            let named = fields.0.iter().filter_map(|(name, inner)| Some((*name, map.get(*name)?, inner)));
            let is_named = |name: &str| fields.0.iter().any(|(other, _)| *other == name);
            let others =
                map.iter().filter(|(name, _)| !is_named(name)).map(|(name, value)| (name.as_str(), value, &PLAIN));
            text.push('{');
            for (at, (name, value, inner)) in named.chain(others).enumerate() {
                if at > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(name).to_string());
                text.push(':');
                write(value, inner, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write(item, fields, text);
            }
            text.push(']');
        }
        other => text.push_str(&super::escape_html(&other.to_string())),
    }
}
