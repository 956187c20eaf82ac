//! Writing YAML as `sigs.k8s.io/yaml` does.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::scalar::is_ambiguous;

/// Lines are folded at the first space after this column.
const WIDTH: usize = 80;
/// Longer keys are written after a question mark.
const SIMPLE_KEY_LENGTH_MAX: usize = 128;

/// A value as YAML, with a line break at the end.
pub fn emit(value: &Value) -> String {
    let mut out = Emitter { text: String::new(), column: 0 };
    out.node(value, 0, Within::Root);
    if !out.text.ends_with('\n') {
        out.put('\n');
    }
    out.text
}

struct Emitter {
    text: String,
    /// In characters.
    column: usize,
}

/// What a node is part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Root,
    /// After `key:`
    Mapping,
    /// After `-`
    Sequence,
}

impl Emitter {
    fn put(&mut self, character: char) {
        self.text.push(character);
        self.column = if character == '\n' { 0 } else { self.column + 1 };
    }

    fn put_str(&mut self, text: &str) {
        text.chars().for_each(|character| self.put(character));
    }

    fn indent(&mut self, indent: usize) {
        if self.column > 0 {
            self.put('\n');
        }
        (0..indent).for_each(|_| self.put(' '));
    }

    /// `indent` is the column of the collection that holds the node.
    fn node(&mut self, value: &Value, indent: usize, within: Within) {
        match value {
            Value::Object(fields) if !fields.is_empty() => self.mapping(fields, indent, within),
            Value::Array(items) if !items.is_empty() => self.sequence(items, indent, within),
            scalar => {
                if within != Within::Root {
                    self.put(' ');
                }
                self.scalar(scalar, indent + if within == Within::Root { 0 } else { 2 }, false);
            }
        }
    }

    fn mapping(&mut self, fields: &Map<String, Value>, indent: usize, within: Within) {
        let inner = if within == Within::Root { 0 } else { indent + 2 };
        let mut entries: Vec<(&String, &Value)> = fields.iter().collect();
        entries.sort_by(|(left, _), (right, _)| compare_keys(left, right));
        for (index, (key, value)) in entries.into_iter().enumerate() {
            if index == 0 && within == Within::Sequence {
                self.put(' ');
            } else {
                self.indent(inner);
            }
            if key.chars().count() > SIMPLE_KEY_LENGTH_MAX {
                self.put_str("? ");
                self.string(key, inner + 2, false);
                self.indent(inner);
            } else {
                self.string(key, inner, true);
            }
            self.put(':');
            self.node(value, inner, Within::Mapping);
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize, within: Within) {
        // Items stand below the key's own column.
        let inner = if within == Within::Sequence { indent + 2 } else { indent };
        for (index, item) in items.iter().enumerate() {
            if index == 0 && within == Within::Sequence {
                self.put(' ');
            } else {
                self.indent(inner);
            }
            self.put('-');
            self.node(item, inner, Within::Sequence);
        }
    }

    fn scalar(&mut self, value: &Value, indent: usize, is_key: bool) {
        match value {
            Value::String(text) => self.string(text, indent, is_key),
            Value::Object(_) => self.put_str("{}"),
            Value::Array(_) => self.put_str("[]"),
            other => self.put_str(&other.to_string()),
        }
    }

    fn string(&mut self, text: &str, indent: usize, is_key: bool) {
        match style(text, is_key) {
            Style::Plain => self.folded(text, indent, is_key),
            Style::Single => {
                self.put('\'');
                self.folded(&text.replace('\'', "''"), indent, is_key);
                self.put('\'');
            }
            Style::Double => self.double_quoted(text, indent, is_key),
            Style::Literal => self.literal(text, indent),
        }
    }

    fn folded(&mut self, text: &str, indent: usize, is_key: bool) {
        let characters: Vec<char> = text.chars().collect();
        let mut after_space = false;
        for (at, character) in characters.iter().enumerate() {
            let next = characters.get(at + 1);
            let breaks = *character == ' '
                && !is_key
                && !after_space
                && at > 0
                && self.column > WIDTH
                && next.is_some_and(|next| *next != ' ');
            if breaks {
                self.indent(indent);
            } else {
                self.put(*character);
            }
            after_space = *character == ' ';
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize, is_key: bool) {
        self.put('"');
        let characters: Vec<char> = text.chars().collect();
        let mut after_space = false;
        for (at, character) in characters.iter().enumerate() {
            let is_inside = at > 0 && at + 1 < characters.len();
            if *character == ' ' && !is_key && !after_space && is_inside && self.column > WIDTH {
                self.indent(indent);
                if characters.get(at + 1) == Some(&' ') {
                    self.put('\\');
                }
            } else {
                self.put_str(&escaped(*character));
            }
            after_space = *character == ' ';
        }
        self.put('"');
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put('|');
        if text.starts_with([' ', '\n']) {
            self.put('2');
        }
        if !text.ends_with('\n') {
            self.put('-');
        } else if text == "\n" || text.ends_with("\n\n") {
            self.put('+');
        }
        self.put('\n');
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            if !line.is_empty() {
                (0..indent).for_each(|_| self.put(' '));
                self.put_str(line);
            }
            self.put('\n');
        }
        if !text.ends_with('\n') {
            // The next key brings its own line break.
            self.text.pop();
            self.column = 1;
        }
    }
}

fn escaped(character: char) -> String {
    match character {
        '"' => "\\\"".into(),
        '\\' => "\\\\".into(),
        '\0' => "\\0".into(),
        '\x07' => "\\a".into(),
        '\x08' => "\\b".into(),
        '\t' => "\\t".into(),
        '\n' => "\\n".into(),
        '\x0b' => "\\v".into(),
        '\x0c' => "\\f".into(),
        '\r' => "\\r".into(),
        '\x1b' => "\\e".into(),
        '\u{85}' => "\\N".into(),
        '\u{a0}' => "\\_".into(),
        '\u{2028}' => "\\L".into(),
        '\u{2029}' => "\\P".into(),
        other if is_printable(other) => other.to_string(),
        other if u32::from(other) <= 0xff => format!("\\x{:02X}", u32::from(other)),
        other if u32::from(other) <= 0xffff => format!("\\u{:04X}", u32::from(other)),
        other => format!("\\U{:08X}", u32::from(other)),
    }
}

fn is_printable(character: char) -> bool {
    matches!(character, '\t' | '\n' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && character != '\u{feff}'
        || matches!(character, '\u{10000}'..='\u{10ffff}')
}

enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

fn style(text: &str, is_key: bool) -> Style {
    let is_multi_line = text.contains('\n');
    if !is_multi_line && is_ambiguous(text) {
        return Style::Double;
    }
    let special = text.chars().any(|c| !is_printable(c) || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}'));
    let space_before_break = text.contains(" \n");
    if is_multi_line {
        let fits_literal = !special && !space_before_break && !text.ends_with(' ') && !is_key;
        return if fits_literal { Style::Literal } else { Style::Double };
    }
    if special || text.contains('\t') {
        return Style::Double;
    }
    if has_indicators(text) || text.starts_with(' ') || text.ends_with(' ') { Style::Single } else { Style::Plain }
}

/// Whether an unquoted text would be taken for YAML's own marks.
fn has_indicators(text: &str) -> bool {
    if text.starts_with("---") || text.starts_with("...") {
        return true;
    }
    let characters: Vec<char> = text.chars().collect();
    let is_blank = |at: usize| characters.get(at).is_none_or(|c| matches!(c, ' ' | '\t'));
    characters.iter().enumerate().any(|(at, character)| match character {
        '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' if at == 0 => {
            true
        }
        '?' | '-' if at == 0 => is_blank(1),
        ':' => is_blank(at + 1),
        '#' => is_blank(at - 1),
        _ => false,
    })
}

/// Go's natural order: letters after everything else, runs of digits by their value.
fn compare_keys(left: &str, right: &str) -> Ordering {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let Some(at) = left.iter().zip(&right).position(|(one, other)| one != other) else {
        return left.len().cmp(&right.len());
    };
    let (one, other) = (left[at], right[at]);
    match (one.is_alphabetic(), other.is_alphabetic()) {
        (true, true) => return one.cmp(&other),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let within_number = (one == '0' || other == '0')
        && left[..at].iter().rev().take_while(|c| c.is_ascii_digit()).any(|digit| *digit != '0');
    let number = |characters: &[char]| {
        let digits = characters[at..].iter().map_while(|c| c.to_digit(10));
        digits.fold((u64::from(within_number), 0usize), |(value, count), digit| {
            (value.wrapping_mul(10).wrapping_add(u64::from(digit)), count + 1)
        })
    };
    number(&left).cmp(&number(&right)).then(one.cmp(&other))
}
