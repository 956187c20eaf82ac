//! From a template's text to its parts.

use serde_json::Value;

use super::{Bound, Node, Part};
use crate::go::unquote;

struct Parser<'a> {
    input: &'a str,
    at: usize,
    parts: Vec<Part>,
}

pub(super) fn parse(input: &str) -> Result<Vec<Part>, String> {
    let mut parser = Parser { input, at: 0, parts: Vec::new() };
    while parser.at < input.len() {
        let open = parser.rest().find('{');
        let text = &parser.rest()[..open.unwrap_or(parser.rest().len())];
        if !text.is_empty() {
            parser.parts.push(Part::Text(Value::from(text)));
        }
        parser.at += text.len();
        if open.is_some() {
            parser.at += 1;
            let nodes = parser.action()?;
            parser.parts.push(Part::Action(nodes));
        }
    }
    Ok(parser.parts)
}

/// The nodes of a text as if it stood between braces.
pub(super) fn parse_action(text: &str) -> Result<Vec<Node>, String> {
    Ok(match parse(&format!("{{{text}}}"))?.into_iter().next() {
        Some(Part::Action(nodes)) => nodes,
        _ => Vec::new(),
    })
}

/// `unrecognized character in action: U+007C '|'`
fn unrecognized(c: char) -> String {
    format!("unrecognized character in action: U+{:04X} '{c}'", u32::from(c))
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn ends_word(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.input[self.at..]
    }

    /// Takes so many bytes.
    fn take(&mut self, length: usize) -> &'a str {
        let from = self.at;
        self.at += length;
        &self.input[from..self.at]
    }

    fn action(&mut self) -> Result<Vec<Node>, String> {
        let mut nodes = Vec::new();
        loop {
            let rest = self.rest();
            let Some(first) = rest.chars().next() else { return Err("unclosed action".into()) };
            if rest.starts_with("[?(") {
                nodes.push(self.filter()?);
            } else if rest.starts_with("..") {
                if matches!(nodes.last(), Some(Node::Recursive)) {
                    return Err("invalid multiple recursive descent".into());
                }
                self.at += 2;
                nodes.push(Node::Recursive);
                if self.rest().starts_with(is_word) {
                    nodes.push(self.field());
                }
            } else {
                match first {
                    '}' => {
                        self.at += 1;
                        return Ok(nodes);
                    }
                    '\r' | '\n' => return Err("unclosed action".into()),
                    ' ' | '@' | '$' => self.at += 1,
                    '[' => self.array(&mut nodes)?,
                    '"' | '\'' => nodes.push(self.quoted(first)?),
                    '.' => {
                        self.at += 1;
                        nodes.push(self.field());
                    }
                    c if matches!(c, '+' | '-') || c.is_numeric() => nodes.push(self.number()?),
                    c if is_word(c) => {
                        let length = self.rest().find(ends_word).unwrap_or(self.rest().len());
                        nodes.push(match self.take(length) {
                            "true" => Node::Each(Value::from(true)),
                            "false" => Node::Each(Value::from(false)),
                            name => Node::Identifier(name.into()),
                        });
                    }
                    c => return Err(unrecognized(c)),
                }
            }
        }
    }

    fn field(&mut self) -> Node {
        let mut name = String::new();
        let mut escaped = false;
        let mut length = self.rest().len();
        for (at, c) in self.rest().char_indices() {
            if !escaped && ends_word(c) {
                length = at;
                break;
            }
            escaped = !escaped && c == '\\';
            if c != '\\' {
                name.push(c);
            }
        }
        self.at += length;
        if name == "*" { Node::Wildcard } else { Node::Field(name) }
    }

    fn number(&mut self) -> Result<Node, String> {
        let signed = usize::from(self.rest().starts_with(['+', '-']));
        let digits = &self.rest()[signed..];
        let length = signed + digits.find(|c: char| c != '.' && !c.is_numeric()).unwrap_or(digits.len());
        let text = self.take(length);
        let value = text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<f64>().map(Value::from));
        value.map(Node::Each).map_err(|_| format!("cannot parse number {text}"))
    }

    fn quoted(&mut self, quote: char) -> Result<Node, String> {
        let mut last = quote;
        let mut length = None;
        for (at, c) in self.rest().char_indices().skip(1) {
            if c == '\n' {
                break;
            }
            if c == quote && last != '\\' {
                length = Some(at + 1);
                break;
            }
            last = c;
        }
        let text = self.take(length.ok_or("unterminated quoted string")?);
        match unquote(&text[1..text.len() - 1], quote) {
            Some(value) => Ok(Node::Literal(Value::from(value))),
            None => Err(format!("unquote string {text} error invalid syntax")),
        }
    }

    fn array(&mut self, nodes: &mut Vec<Node>) -> Result<(), String> {
        let end = self.rest().find([']', '\n']).filter(|end| self.rest()[*end..].starts_with(']'));
        let text = self.take(end.ok_or("unterminated array")? + 1);
        let text = match &text[1..text.len() - 1] {
            "*" => ":",
            other => other,
        };
        if text.contains(',') {
            let parts = text.split(',').map(|part| parse_action(&format!("[{}]", part.trim_matches(' '))));
            nodes.push(Node::Union(parts.collect::<Result<_, _>>()?));
        } else if let Some(key) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
            if key.contains('\'') {
                return Err(format!("invalid array index {text}"));
            }
            nodes.extend(parse_action(&format!(".{key}"))?);
        } else {
            nodes.push(slice(text)?);
        }
        Ok(())
    }

    /// `[?(…)]`: a comparison, or a path that must lead somewhere.
    fn filter(&mut self) -> Result<Node, String> {
        let inner = &self.rest()[3..];
        let (mut pair, mut closed, mut last, mut end) = (None, false, '(', None);
        for (at, c) in inner.char_indices() {
            match c {
                '\n' => break,
                '"' | '\'' if pair.is_none() => pair = Some(c),
                '"' | '\'' => closed |= last != '\\' && pair == Some(c),
                ')' if pair.is_some() == closed => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
            last = c;
        }
        let end = end.ok_or("unterminated filter")?;
        if !inner[end + 1..].starts_with(']') {
            return Err("unclosed array expect ]".into());
        }
        let text = inner[..end].to_owned();
        self.at += 3 + end + 2;
        Ok(match comparison(&text) {
            Some((left, operator, right)) => {
                Node::Filter(parse_action(left)?, Some((operator.into(), parse_action(right)?)))
            }
            None => Node::Filter(parse_action(&text)?, None),
        })
    }
}

/// Left side, operator and right side.
fn comparison(text: &str) -> Option<(&str, &str, &str)> {
    let is_operator = |c: char| matches!(c, '!' | '<' | '>' | '=');
    let start = text.find(is_operator).filter(|start| *start > 0)?;
    let length = text[start..].find(|c| !is_operator(c)).unwrap_or(text.len() - start - 1);
    let end = start + length;
    (length > 0 && end < text.len()).then(|| (&text[..start], &text[start..end], &text[end..]))
}

/// `2`, `1:3`, `:`, `0:4:2`.
fn slice(text: &str) -> Result<Node, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let is_number = |part: &&str| part.strip_prefix('-').unwrap_or(part).chars().all(|c| c.is_ascii_digit());
    if parts.len() > 3 || !parts.iter().all(is_number) {
        return Err(format!("invalid array index {text}"));
    }
    let number = |at: usize| match parts.get(at).copied().unwrap_or_default() {
        "" => Ok(None),
        part => part.parse::<i64>().map(Some).map_err(|_| format!("array index {part} is not a number")),
    };
    let (from, to, step) = (number(0)?, number(1)?, number(2)?);
    let to = match to {
        None if parts.len() == 1 => Bound::Next,
        None => Bound::End,
        Some(to) => Bound::At(to),
    };
    Ok(Node::Slice(from.unwrap_or_default(), to, step))
}
