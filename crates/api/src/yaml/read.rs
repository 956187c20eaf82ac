//! One document, from parser events to a value.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Value};

use super::Document;
use super::error::YamlError;
use super::scalar::resolve;

/// Deeper nesting is refused; the deepest objects of Kubernetes, CRD schemas, stay far below.
const DEPTH_MAX: usize = 200;
/// Nodes that aliases may add to a document.
const ALIAS_NODES_MAX: usize = 100_000;

/// Reads a text that holds at most one document. `first_line` is where it begins in the whole text.
pub(super) fn document(text: &str, first_line: u32, is_strict: bool) -> Result<Option<Document>, YamlError> {
    if let Some(line) = control_character(text) {
        return Err(YamlError::at(first_line + line, "control characters are not allowed"));
    }
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        text,
        first_line,
        anchors: BTreeMap::new(),
        alias_nodes: 0,
        duplicates: Vec::new(),
        lines: BTreeMap::new(),
    };
    let Some(value) = reader.document()? else { return Ok(None) };
    if let Some((line, _)) = reader.duplicates.first().filter(|_| is_strict) {
        let listed: Vec<String> = reader
            .duplicates
            .iter()
            .map(|(line, key)| format!("\n  line {}: key {key:?} already set in map", line - first_line + 1))
            .collect();
        return Err(YamlError::at(*line, &format!("unmarshal errors:{}", listed.concat())));
    }
    let line = reader.lines.values().min().copied().unwrap_or(first_line);
    Ok(Some(Document { value, line, lines: reader.lines }))
}

fn control_character(text: &str) -> Option<u32> {
    let at = text.find(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{85}'))?;
    u32::try_from(text[..at].matches('\n').count()).ok()
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    text: &'a str,
    first_line: u32,
    /// What each anchor names, and how many nodes it has.
    anchors: BTreeMap<usize, (Value, usize)>,
    alias_nodes: usize,
    /// Keys that were set twice, with the line of the second time.
    duplicates: Vec<(u32, String)>,
    lines: BTreeMap<String, u32>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, u32), YamlError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.line(&span))),
            Some(Err(error)) => Err(YamlError::from_scan(&error, self.text, self.first_line)),
            None => Ok((Event::StreamEnd, self.first_line)),
        }
    }

    fn line(&self, span: &Span) -> u32 {
        self.first_line - 1 + u32::try_from(span.start.line()).unwrap_or(u32::MAX).max(1)
    }

    fn document(&mut self) -> Result<Option<Value>, YamlError> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(None),
                (Event::DocumentStart(_), _) => break,
                _ => {}
            }
        }
        let (event, line) = self.next()?;
        let (value, _) = self.node(event, line, "", 0)?;
        // A mistake after the last field is a mistake of the document.
        while !matches!(self.next()?.0, Event::DocumentEnd | Event::StreamEnd) {}
        let is_empty = value.is_null();
        Ok((!is_empty).then_some(value))
    }

    /// A node and how many nodes it holds, itself included.
    fn node(&mut self, event: Event<'a>, line: u32, path: &str, depth: usize) -> Result<(Value, usize), YamlError> {
        if depth > DEPTH_MAX {
            return Err(YamlError::at(line, &format!("exceeded max depth of {DEPTH_MAX}")));
        }
        if !path.is_empty() {
            self.lines.insert(path.to_owned(), line);
        }
        let (value, nodes, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => (scalar(&text, style, tag.as_deref()), 1, anchor),
            Event::SequenceStart(anchor, _) => {
                let (items, nodes) = self.sequence(path, depth)?;
                (Value::Array(items), nodes, anchor)
            }
            Event::MappingStart(anchor, _) => {
                let (fields, nodes) = self.mapping(path, depth)?;
                (Value::Object(fields), nodes, anchor)
            }
            Event::Alias(anchor) => return self.alias(anchor, line),
            _ => (Value::Null, 1, 0),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), nodes));
        }
        Ok((value, nodes))
    }

    fn alias(&mut self, anchor: usize, line: u32) -> Result<(Value, usize), YamlError> {
        let Some((value, nodes)) = self.anchors.get(&anchor) else {
            return Err(YamlError::at(line, "anchor value contains itself"));
        };
        self.alias_nodes += nodes;
        if self.alias_nodes > ALIAS_NODES_MAX {
            return Err(YamlError::at(line, "document contains excessive aliasing"));
        }
        Ok((value.clone(), *nodes))
    }

    fn sequence(&mut self, path: &str, depth: usize) -> Result<(Vec<Value>, usize), YamlError> {
        let (mut items, mut nodes) = (Vec::new(), 1);
        loop {
            let (event, line) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok((items, nodes));
            }
            let path = format!("{path}[{}]", items.len());
            let (item, count) = self.node(event, line, &path, depth + 1)?;
            nodes += count;
            items.push(item);
        }
    }

    fn mapping(&mut self, path: &str, depth: usize) -> Result<(Map<String, Value>, usize), YamlError> {
        let (mut fields, mut nodes) = (Map::new(), 1);
        let mut merged = Vec::new();
        loop {
            let (event, line) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let is_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            let (key, _) = self.node(event, line, "", depth + 1)?;
            let key = key_text(&key, line)?;
            let (event, value_line) = self.next()?;
            if is_merge {
                let (value, count) = self.node(event, value_line, "", depth + 1)?;
                nodes += count;
                merged.push((value, value_line));
                continue;
            }
            let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let (value, count) = self.node(event, value_line, &inner, depth + 1)?;
            self.lines.insert(inner, line);
            nodes += count;
            if fields.insert(key.clone(), value).is_some() {
                self.duplicates.push((line, key));
            }
        }
        for (value, line) in merged {
            merge_key(&mut fields, value, line)?;
        }
        Ok((fields, nodes))
    }
}

/// `<<`: fields that the mapping does not set itself.
fn merge_key(fields: &mut Map<String, Value>, value: Value, line: u32) -> Result<(), YamlError> {
    match value {
        Value::Object(inherited) => {
            for (name, value) in inherited {
                fields.entry(name).or_insert(value);
            }
            Ok(())
        }
        Value::Array(list) if list.iter().all(Value::is_object) => {
            list.into_iter().try_for_each(|item| merge_key(fields, item, line))
        }
        _ => Err(YamlError::at(line, "map merge requires map or sequence of maps as the value")),
    }
}

fn key_text(key: &Value, line: u32) -> Result<String, YamlError> {
    match key {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(key.to_string()),
        Value::Null => Err(YamlError::at(line, "Unsupported map key of type: invalid, key: <nil>")),
        Value::Array(_) | Value::Object(_) => Err(YamlError::at(line, &format!("invalid map key: {key}"))),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let is_text = tag.is_some_and(|tag| tag.suffix == "str" || tag.suffix == "binary");
    if style == ScalarStyle::Plain && !is_text { resolve(text) } else { text.into() }
}
