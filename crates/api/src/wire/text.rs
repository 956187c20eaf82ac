//! JSON as Go's encoder writes it: structs with their fields in upstream's order, maps sorted, and `<`, `>`, `&` escaped.

use serde_json::Value;

use super::sink::{Scalar, Shape, Sink};
use crate::patch::apply::Element;

/// Writes fields as they come, and puts those of a struct in order when it ends.
#[derive(Default)]
pub(super) struct GoText {
    /// A comma follows every value.
    text: String,
    open: Vec<Open>,
    /// The fields of what is open, the innermost last.
    fields: Vec<Field>,
    /// What is being put in order.
    ordered: String,
}

struct Open {
    shape: Shape,
    /// Where its first field or item begins.
    start: usize,
    /// The number of its first field.
    field: usize,
    /// There are items of lists among these owned fields: their order is not that of their names.
    has_items: bool,
}

#[derive(Clone, Copy)]
struct Field {
    place: usize,
    start: usize,
}

impl GoText {
    pub fn finish(mut self) -> String {
        self.text.pop();
        self.text
    }

    /// Owned fields stand in the order of field paths: the items of a list by the values of their keys.
    fn place_items(&mut self, first: usize) {
        let element = |field: &Field| {
            let name = serde_json::Deserializer::from_str(&self.text[field.start..]).into_iter::<String>().next();
            Element::decode(&name?.ok()?)
        };
        let elements: Vec<Option<Element>> = self.fields[first..].iter().map(element).collect();
        let mut sorted: Vec<usize> = (0..elements.len()).collect();
        sorted.sort_by_key(|index| &elements[*index]);
        for (place, index) in sorted.into_iter().enumerate() {
            self.fields[first + index].place = place;
        }
    }

    /// Rewrites the fields that begin at `start`.
    fn reorder(&mut self, start: usize, first: usize) {
        let end_of = |index: usize| self.fields.get(index + 1).map_or(self.text.len(), |next| next.start);
        let mut parts: Vec<(usize, &str)> = (first..self.fields.len())
            .map(|index| (self.fields[index].place, &self.text[self.fields[index].start..end_of(index)]))
            .collect();
        // What has no place of its own comes last, as it came.
        parts.sort_by_key(|(place, _)| *place);
        self.ordered.clear();
        parts.iter().for_each(|(_, part)| self.ordered.push_str(part));
        self.text.truncate(start);
        self.text.push_str(&self.ordered);
    }
}

impl Sink for GoText {
    fn scalar(&mut self, value: Scalar) {
        match value {
            Scalar::Null => self.text.push_str("null"),
            Scalar::Bool(value) => self.text.push_str(if value { "true" } else { "false" }),
            Scalar::Number(value) => self.text.push_str(&value.to_string()),
            Scalar::String(value) => write_string(value, &mut self.text),
        }
        self.text.push(',');
    }

    fn begin(&mut self, shape: Shape) {
        self.text.push(if shape == Shape::List { '[' } else { '{' });
        let (start, field) = (self.text.len(), self.fields.len());
        self.open.push(Open { shape, start, field, has_items: false });
    }

    fn name(&mut self, name: &str, place: usize) {
        let start = self.text.len();
        match self.open.last_mut() {
            Some(Open { shape: Shape::Struct, .. }) => self.fields.push(Field { place, start }),
            Some(Open { shape: Shape::Owned, has_items, .. }) => {
                *has_items |= !name.starts_with("f:") && name != ".";
                self.fields.push(Field { place: 0, start });
            }
            _ => {}
        }
        write_string(name, &mut self.text);
        self.text.push(':');
    }

    fn end(&mut self) {
        let Some(Open { shape, start, field, has_items }) = self.open.pop() else { return };
        if has_items {
            self.place_items(field);
        }
        if !self.fields[field..].is_sorted_by_key(|field| field.place) {
            self.reorder(start, field);
        }
        self.fields.truncate(field);
        if self.text.len() > start {
            self.text.pop();
        }
        self.text.push_str(if shape == Shape::List { "]," } else { "}," });
    }

    fn text(&mut self, json: &str) {
        self.text.push_str(json);
        self.text.push(',');
    }
}

fn write_string(value: &str, text: &mut String) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&');
    if value.bytes().all(is_plain) {
        text.push('"');
        text.push_str(value);
        return text.push('"');
    }
    let quoted = Value::from(value).to_string();
    if !quoted.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return text.push_str(&quoted);
    }
    for letter in quoted.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => text.push_str(&format!("\\u{:04x}", u32::from(letter))),
            other => text.push(other),
        }
    }
}
