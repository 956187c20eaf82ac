//! Reading JSON text as the API server does: duplicate fields are noticed, and mistakes are told in Go's words.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// What a JSON text says, and what of its form the value does not keep.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    pub value: Value,
    pub layout: Layout,
}

/// The fields of a text in its own order. Strict decoding reports mistakes in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// The path of every field, in the text's order; a repeated one is marked.
    pub fields: Vec<(String, Repeated)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    No,
    Yes,
}

/// Reads a text. The error is Go's: `unexpected end of JSON input`.
pub fn parse(text: &str) -> Result<Parsed, String> {
    let mut layout = Layout::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Seed { path: String::new(), layout: &mut layout };
    let value = seed.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    match value {
        Ok(value) => Ok(Parsed { value, layout }),
        Err(error) => Err(go_error(&error, text)),
    }
}

struct Seed<'a> {
    path: String,
    layout: &'a mut Layout,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let path = format!("{}[{}]", self.path, items.len());
            match seq.next_element_seed(Seed { path, layout: &mut *self.layout })? {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let path = if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
            let repeated = if fields.contains_key(&name) { Repeated::Yes } else { Repeated::No };
            self.layout.fields.push((path.clone(), repeated));
            let value = map.next_value_seed(Seed { path, layout: &mut *self.layout })?;
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}

/// The same complaint in the words of Go's `encoding/json`.
fn go_error(error: &serde_json::Error, text: &str) -> String {
    if error.is_eof() {
        return "unexpected end of JSON input".into();
    }
    let said = error.to_string();
    let context = match said.split(" at line ").next().unwrap_or_default() {
        "key must be a string" => "looking for beginning of object key string",
        "expected `:`" => "after object key",
        "expected `,` or `}`" => "after object key:value pair",
        "expected `,` or `]`" => "after array element",
        "trailing characters" => "after top-level value",
        "trailing comma" => "looking for beginning of value",
        "invalid escape" => "in string escape code",
        "control character (\\u0000-\\u001F) found while parsing a string" => "in string literal",
        "recursion limit exceeded" => return "exceeded max depth".into(),
        _ => "looking for beginning of value",
    };
    if said.starts_with("expected ident") {
        return literal_error(error, text);
    }
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let at = error.column().saturating_sub(1).min(line.len());
    let character = line.get(at..).and_then(|rest| rest.chars().next()).unwrap_or('\n');
    format!("invalid character {} {context}", go_quote(character))
}

/// `nope` begins as `null` does, but goes on otherwise.
fn literal_error(error: &serde_json::Error, text: &str) -> String {
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let column = error.column().min(line.len());
    let start =
        line.get(..column).and_then(|read| read.rfind(|c: char| !c.is_ascii_alphabetic())).map_or(0, |at| at + 1);
    let word = line.get(start..).unwrap_or_default();
    let literal = match word.chars().next() {
        Some('t') => "true",
        Some('f') => "false",
        _ => "null",
    };
    for (found, expected) in word.chars().zip(literal.chars()) {
        if found != expected {
            return format!("invalid character {} in literal {literal} (expecting '{expected}')", go_quote(found));
        }
    }
    "unexpected end of JSON input".into()
}

/// A character as Go's scanner quotes it.
fn go_quote(character: char) -> String {
    match character {
        '\'' => r"'\''".into(),
        '"' => "'\"'".into(),
        '\n' => r"'\n'".into(),
        '\t' => r"'\t'".into(),
        '\r' => r"'\r'".into(),
        other => format!("'{other}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_in_go_words() {
        let cases = [
            ("{bad", "invalid character 'b' looking for beginning of object key string"),
            ("{\"kind\": \"Pod\", ", "unexpected end of JSON input"),
            ("", "unexpected end of JSON input"),
            ("[1 2]", "invalid character '2' after array element"),
            ("nope", "invalid character 'o' in literal null (expecting 'u')"),
            ("{} x", "invalid character 'x' after top-level value"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn repeated_fields_are_noticed() {
        let parsed = parse(r#"{"b": 1, "a": {"x": 1, "x": 2}}"#).unwrap();
        let repeated: Vec<_> = parsed.layout.fields.iter().filter(|(_, repeated)| *repeated == Repeated::Yes).collect();
        assert_eq!(repeated.len(), 1);
        assert_eq!(repeated[0].0, "a.x");
    }
}
