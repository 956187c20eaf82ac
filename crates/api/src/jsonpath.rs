//! JSONPath as Kubernetes reads it: `.items[*].metadata.name`, `[?(@.x=="y")]`. Upstream: `client-go/util/jsonpath`.

use serde_json::Value;

/// A path without a template around it: `.spec.nodeName`.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    /// Several fields or positions: `['a','b']`, `[0,2]`.
    Union(Vec<Step>),
    Index(i64),
    Slice(Option<i64>, Option<i64>, i64),
    All,
    Recursive,
    Filter(Box<Operand>, String, Box<Operand>),
    Exists(Path),
    /// `$`: the whole object, inside a range too.
    Root,
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Path(Path),
    Literal(Value),
}

/// Filters in each other, and values that a path leads to: whoever wants more means harm.
const FILTERS_MAX: usize = 20;
const FOUND_MAX: usize = 100_000;

/// Where the quote closes, as an offset into the text after its opening.
pub fn closing_quote(text: &str, quote: char) -> Option<usize> {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            c if c == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// Undoes the backslashes of a quoted text.
pub fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

impl Path {
    /// Reads `.a.b[0]`, `a.b` or `{.a.b}`, as `--sort-by` and custom columns allow.
    pub fn relaxed(text: &str) -> Result<Path, String> {
        let text = text.trim();
        let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        Path::parse(inner)
    }

    /// Reads `.a.b[0]`, `$.a`, `a.b`.
    pub fn parse(text: &str) -> Result<Path, String> {
        Path::within(text, 0)
    }

    /// The same in so many filters.
    fn within(text: &str, filters: usize) -> Result<Path, String> {
        if filters > FILTERS_MAX {
            return Err("filters are nested too deeply".into());
        }
        let mut steps = Vec::new();
        let mut rest = text.trim();
        if let Some(after) = rest.strip_prefix('$') {
            steps.push(Step::Root);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('@') {
            rest = after;
        }
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("..") {
                // To descend again leads nowhere else.
                if steps.last() != Some(&Step::Recursive) {
                    steps.push(Step::Recursive);
                }
                rest = after;
                if !rest.starts_with(['[', '.']) {
                    read_field(&mut rest, &mut steps);
                }
            } else if let Some(after) = rest.strip_prefix('.') {
                rest = after;
                read_field(&mut rest, &mut steps);
            } else if let Some(after) = rest.strip_prefix('[') {
                let end = closing_bracket(after).ok_or("unterminated array")?;
                steps.push(read_bracket(after[..end].trim(), filters)?);
                rest = &after[end + 1..];
            } else {
                let before = rest.len();
                read_field(&mut rest, &mut steps);
                if rest.len() == before {
                    return Err(unrecognized(rest));
                }
            }
        }
        Ok(Path { steps })
    }

    /// The first field on the way that no value has.
    pub fn missing_field(&self, value: &Value, root: &Value) -> Option<&str> {
        let mut found = vec![value];
        for step in &self.steps {
            let mut next = Vec::new();
            for value in &found {
                step.walk(value, root, &mut next).ok()?;
            }
            match step {
                Step::Field(name) if next.is_empty() => return Some(name),
                _ => found = next,
            }
        }
        None
    }

    /// Everything that the path leads to. An error is an index out of bounds.
    pub fn find<'a>(&self, value: &'a Value) -> Result<Vec<&'a Value>, String> {
        self.walk(value, value)
    }

    /// The same with `$` for another value, which the one that is walked is a part of.
    pub fn walk<'a>(&self, value: &'a Value, root: &'a Value) -> Result<Vec<&'a Value>, String> {
        let mut found = vec![value];
        for step in &self.steps {
            let mut next = Vec::new();
            for value in found {
                step.walk(value, root, &mut next)?;
                if next.len() > FOUND_MAX {
                    return Err(format!("the path leads to more than {FOUND_MAX} values"));
                }
            }
            found = next;
        }
        Ok(found)
    }
}

/// What a text begins with that no path can have.
pub fn unrecognized(rest: &str) -> String {
    let first = rest.chars().next().unwrap_or_default();
    format!("unrecognized character in action: U+{:04X} {first:?}", u32::from(first))
}

fn read_field(rest: &mut &str, steps: &mut Vec<Step>) {
    let mut name = String::new();
    let mut chars = rest.char_indices();
    let mut end = rest.len();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.extend(chars.next().map(|(_, c)| c)),
            '.' | '[' | ' ' | '(' | ')' | '=' | '!' | '<' | '>' | ']' | '"' | '\'' | ',' | '|' => {
                end = at;
                break;
            }
            c => name.push(c),
        }
    }
    *rest = &rest[end..];
    match name.as_str() {
        "" => {}
        "*" => steps.push(Step::All),
        _ => steps.push(Step::Field(name)),
    }
}

fn closing_bracket(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

fn read_bracket(text: &str, filters: usize) -> Result<Step, String> {
    if text == "*" {
        return Ok(Step::All);
    }
    if let Some(filter) = text.strip_prefix("?(").and_then(|text| text.strip_suffix(')')) {
        return read_filter(filter.trim(), filters + 1);
    }
    if text.starts_with('\'') || text.contains(',') {
        let mut steps = Vec::new();
        for part in text.split(',').map(str::trim) {
            let quoted = part.strip_prefix('\'').and_then(|part| part.strip_suffix('\''));
            steps.push(match (part.parse(), quoted) {
                (Ok(number), _) => Step::Index(number),
                (_, Some(name)) => Step::Field(name.replace("\\.", ".")),
                _ => return Err(format!("invalid array index {part}")),
            });
        }
        return Ok(if steps.len() == 1 { steps.remove(0) } else { Step::Union(steps) });
    }
    let bad = || format!("invalid array index {text}");
    if text.contains(':') {
        let parts: Vec<&str> = text.split(':').collect();
        let number = |at: usize| match parts.get(at) {
            None | Some(&"") => Ok(None),
            Some(part) => part.parse().map(Some).map_err(|_| bad()),
        };
        return Ok(Step::Slice(number(0)?, number(1)?, number(2)?.unwrap_or(1)));
    }
    text.parse().map(Step::Index).map_err(|_| bad())
}

fn read_filter(text: &str, filters: usize) -> Result<Step, String> {
    for operator in ["==", "!=", "<=", ">=", "<", ">"] {
        if let Some(at) = outside_quotes(text, operator) {
            let left = read_operand(text[..at].trim(), filters)?;
            let right = read_operand(text[at + operator.len()..].trim(), filters)?;
            return Ok(Step::Filter(Box::new(left), operator.into(), Box::new(right)));
        }
    }
    Path::within(text, filters).map(Step::Exists)
}

fn outside_quotes(text: &str, wanted: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, _) if text[at..].starts_with(wanted) => return Some(at),
            _ => {}
        }
    }
    None
}

fn read_operand(text: &str, filters: usize) -> Result<Operand, String> {
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''));
    if let Some(quote) = quote {
        let inner = &text[1..];
        let end = closing_quote(inner, quote).ok_or("unterminated quoted string")?;
        let after = inner[end + 1..].trim_start();
        return match after {
            "" => Ok(Operand::Literal(Value::from(unescape(&inner[..end])))),
            _ => Err(unrecognized(after)),
        };
    }
    if text.starts_with(['@', '$', '.']) {
        return Path::within(text, filters).map(Operand::Path);
    }
    match serde_json::from_str(text) {
        Ok(value) => Ok(Operand::Literal(value)),
        Err(_) => Path::within(text, filters).map(Operand::Path),
    }
}

impl Step {
    fn walk<'a>(&self, value: &'a Value, root: &'a Value, into: &mut Vec<&'a Value>) -> Result<(), String> {
        match self {
            Step::Root => into.push(root),
            Step::Field(name) => into.extend(value.get(name)),
            Step::Union(steps) => {
                for step in steps {
                    step.walk(value, root, into)?;
                }
            }
            Step::Index(index) => {
                let Some(array) = array(value)? else { return Ok(()) };
                let length = array.len() as i64;
                let at = if *index < 0 { index + length } else { *index };
                if !(0..length).contains(&at) {
                    return Err(format!("array index out of bounds: index {index}, length {length}"));
                }
                into.push(&array[at as usize]);
            }
            Step::Slice(from, to, step) => {
                let Some(array) = array(value)? else { return Ok(()) };
                let length = array.len() as i64;
                let bound = |at: i64| if at < 0 { (at + length).max(0) } else { at.min(length) };
                let (from, to) = (bound(from.unwrap_or(0)), bound(to.unwrap_or(length)));
                let kept = array.iter().enumerate().filter(|(at, _)| (from..to).contains(&(*at as i64)));
                into.extend(kept.step_by((*step).max(1) as usize).map(|(_, value)| value));
            }
            Step::All => match value {
                Value::Array(array) => into.extend(array),
                Value::Object(object) => into.extend(object.values()),
                _ => {}
            },
            Step::Recursive => descend(value, into),
            Step::Filter(left, operator, right) => {
                for item in value.as_array().into_iter().flatten() {
                    if holds(&left.values(item, root)?, operator, &right.values(item, root)?) {
                        into.push(item);
                    }
                }
            }
            Step::Exists(path) => {
                for item in value.as_array().into_iter().flatten() {
                    if !path.walk(item, root).unwrap_or_default().is_empty() {
                        into.push(item);
                    }
                }
            }
        }
        Ok(())
    }
}

/// What can be counted through; nothing of nothing.
fn array(value: &Value) -> Result<Option<&Vec<Value>>, String> {
    let named = match value {
        Value::Null => return Ok(None),
        Value::Array(array) => return Ok(Some(array)),
        Value::Object(_) => "map[string]interface {}",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
    };
    Err(format!("{named} is not array or slice"))
}

fn descend<'a>(value: &'a Value, into: &mut Vec<&'a Value>) {
    into.push(value);
    match value {
        Value::Array(array) => array.iter().for_each(|value| descend(value, into)),
        Value::Object(object) => object.values().for_each(|value| descend(value, into)),
        _ => {}
    }
}

impl Operand {
    fn values<'a>(&'a self, item: &'a Value, root: &'a Value) -> Result<Vec<&'a Value>, String> {
        match self {
            Operand::Literal(value) => Ok(vec![value]),
            Operand::Path(path) => path.walk(item, root),
        }
    }
}

fn holds(left: &[&Value], operator: &str, right: &[&Value]) -> bool {
    let ([left], [right]) = (left, right) else { return false };
    let order = match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left.partial_cmp(&right),
        _ => match (left.as_str(), right.as_str()) {
            (Some(left), Some(right)) => Some(left.cmp(right)),
            _ => None,
        },
    };
    match operator {
        "==" => left == right || order.is_some_and(|order| order.is_eq()),
        "!=" => left != right && !order.is_some_and(|order| order.is_eq()),
        "<" => order.is_some_and(|order| order.is_lt()),
        ">" => order.is_some_and(|order| order.is_gt()),
        "<=" => order.is_some_and(|order| order.is_le()),
        _ => order.is_some_and(|order| order.is_ge()),
    }
}
