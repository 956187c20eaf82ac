//! JSONPath as Kubernetes reads it: `{.items[*].metadata.name}`, `{range .items[*]}…{end}`, `[?(@.x=="y")]`. Upstream:
//! `client-go/util/jsonpath`.

mod parse;

use std::cmp::Ordering;

use serde_json::Value;

use crate::go;

/// A template of texts and of paths in braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

/// A path without a template around it: `.spec.nodeName`.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(Value),
    Action(Vec<Node>),
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Field(String),
    /// Several fields or positions: `['a','b']`, `[0,2]`.
    Union(Vec<Vec<Node>>),
    /// From, to, step.
    Slice(i64, Bound, Option<i64>),
    Wildcard,
    Recursive,
    /// The left side, and what it is compared with; alone it must lead somewhere.
    Filter(Vec<Node>, Option<(String, Vec<Node>)>),
    /// A quoted text, whatever there is.
    Literal(Value),
    /// A number or truth value, one for each value.
    Each(Value),
    /// `range`, `end`, or a word that means nothing.
    Identifier(String),
}

/// Where a slice ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    At(i64),
    /// Behind its first item.
    Next,
    End,
}

/// How many values a path may lead to: whoever wants more means harm.
const FOUND_MAX: usize = 100_000;

impl Path {
    /// Reads `.a.b[0]`, `a.b`, `{a.b}` or `{.a.b}`, as `--sort-by` and custom columns allow.
    pub fn relaxed(text: &str) -> Result<Path, String> {
        let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        let inner = inner.strip_prefix('.').unwrap_or(inner);
        if inner.is_empty() || inner.contains(['{', '}']) {
            return Err("unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or \
                        '{.name1.name2}'"
                .into());
        }
        Path::parse(&format!(".{inner}"))
    }

    /// Reads what stands between braces: `.a.b[0]`.
    pub fn parse(text: &str) -> Result<Path, String> {
        Ok(Path { nodes: parse::parse_action(text)? })
    }

    /// Everything that the path leads to. What is missing leads nowhere.
    pub fn find<'a>(&'a self, value: &'a Value) -> Result<Vec<&'a Value>, String> {
        walk(vec![value], &self.nodes, true).map_err(|failed| failed.why)
    }
}

impl Template {
    pub fn parse(text: &str) -> Result<Template, String> {
        Ok(Template { parts: parse::parse(text)? })
    }

    /// What each part of the template leads to, its ranges unrolled. When it is `strict`, fields must be there.
    pub fn results<'a>(&'a self, value: &'a Value, strict: bool) -> Result<Vec<Vec<&'a Value>>, String> {
        let mut run = Run { parts: &self.parts, strict, in_range: 0, ends: 0, last_end: 0, count: 0 };
        run.results(value, 0)
    }
}

/// A template while it is carried out.
struct Run<'a> {
    parts: &'a [Part],
    strict: bool,
    /// How many ranges are open, and how many of their `end`s have been met.
    in_range: usize,
    ends: usize,
    last_end: usize,
    count: usize,
}

impl<'a> Run<'a> {
    fn results(&mut self, value: &'a Value, from: usize) -> Result<Vec<Vec<&'a Value>>, String> {
        let mut all = Vec::new();
        let mut at = from;
        while let Some(part) = self.parts.get(at) {
            let found = match part {
                Part::Text(text) => vec![text],
                Part::Action(nodes) => self.action(nodes, value)?,
            };
            self.count += found.len() + 1;
            if self.count > FOUND_MAX {
                return Err(format!("the template leads to more than {FOUND_MAX} values"));
            }
            if self.ends > 0 && self.ends <= self.in_range {
                self.ends -= 1;
                self.last_end = at;
                break;
            }
            let is_range = matches!(part, Part::Action(nodes) if words(nodes).any(|word| word == "range"));
            if is_range {
                self.in_range += 1;
                // Without an item the range is walked once, to find its end.
                match found.as_slice() {
                    [] => drop(self.results(&Value::Null, at + 1)?),
                    items => {
                        for item in items {
                            all.extend(self.results(item, at + 1)?);
                        }
                    }
                }
                self.in_range -= 1;
                at = at.max(self.last_end);
            } else {
                all.push(found);
            }
            at += 1;
        }
        Ok(all)
    }

    fn action(&mut self, nodes: &'a [Node], value: &'a Value) -> Result<Vec<&'a Value>, String> {
        for word in words(nodes) {
            match word {
                "range" => {}
                "end" if self.in_range > 0 => {
                    self.ends += 1;
                    return Ok(Vec::new());
                }
                "end" => return Err("not in range, nothing to end".into()),
                name => return Err(format!("unrecognized identifier {name}")),
            }
        }
        walk(vec![value], nodes, !self.strict).map_err(|failed| failed.why)
    }
}

fn words(nodes: &[Node]) -> impl Iterator<Item = &str> {
    nodes.iter().filter_map(|node| match node {
        Node::Identifier(name) => Some(name.as_str()),
        _ => None,
    })
}

/// Why a walk has stopped, and what it had found.
struct Failed<'a> {
    why: String,
    found: Vec<&'a Value>,
}

type Found<'a> = Result<Vec<&'a Value>, Failed<'a>>;

fn walk<'a>(from: Vec<&'a Value>, nodes: &'a [Node], lenient: bool) -> Found<'a> {
    nodes.iter().try_fold(from, |found, node| {
        let next = step(found, node, lenient)?;
        match next.len() {
            ..=FOUND_MAX => Ok(next),
            _ => fail(Vec::new(), format!("the path leads to more than {FOUND_MAX} values")),
        }
    })
}

fn fail<'a, T>(found: Vec<&'a Value>, why: impl Into<String>) -> Result<T, Failed<'a>> {
    Err(Failed { why: why.into(), found })
}

fn step<'a>(from: Vec<&'a Value>, node: &'a Node, lenient: bool) -> Found<'a> {
    let mut next = Vec::new();
    match node {
        Node::Literal(value) => next.push(value),
        Node::Each(value) => next.extend(from.iter().map(|_| value)),
        Node::Field(name) => {
            next.extend(from.iter().filter_map(|value| value.get(name)));
            if next.is_empty() && !from.is_empty() && !lenient {
                return fail(next, format!("{name} is not found"));
            }
        }
        Node::Union(paths) => {
            for path in paths {
                match walk(from.clone(), path, lenient) {
                    Ok(found) => next.extend(found),
                    Err(failed) => return fail(from, failed.why),
                }
            }
        }
        Node::Slice(start, end, every) => {
            for value in &from {
                match sliced(value, *start, *end, *every) {
                    Ok(found) => next.extend(found),
                    Err(why) => return fail(from, why),
                }
            }
        }
        Node::Wildcard => next.extend(from.into_iter().flat_map(children)),
        Node::Recursive => from.into_iter().for_each(|value| descend(value, &mut next)),
        Node::Filter(left, right) => {
            for value in &from {
                let Value::Array(items) = value else {
                    let shown = go::text(value);
                    return fail(from, format!("{shown} is not array or slice and cannot be filtered"));
                };
                for item in items {
                    match passes(item, left, right.as_ref(), lenient) {
                        Ok(true) => next.push(item),
                        Ok(false) => {}
                        Err(why) => return fail(from, why),
                    }
                }
            }
        }
        Node::Identifier(name) if name == "range" => return Ok(from),
        Node::Identifier(name) => return fail(from, format!("unrecognized identifier {name}")),
    }
    Ok(next)
}

fn sliced(value: &Value, start: i64, end: Bound, every: Option<i64>) -> Result<Vec<&Value>, String> {
    let items = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) => items,
        other => return Err(format!("{} is not array or slice", go::type_name(other))),
    };
    let length = items.len() as i64;
    let from_end = |at: i64| if at < 0 { at + length } else { at };
    let (from, to) = match end {
        Bound::At(to) => (from_end(start), from_end(to)),
        Bound::End => (from_end(start), length),
        // Behind the last item is the end, not the beginning.
        Bound::Next if start == -1 => (from_end(start), length),
        Bound::Next => (from_end(start), from_end(start + 1)),
    };
    if from == to {
        return Ok(Vec::new());
    }
    if !(0..length).contains(&from) {
        return Err(format!("array index out of bounds: index {from}, length {length}"));
    }
    if !(0..=length).contains(&to) {
        return Err(format!("array index out of bounds: index {}, length {length}", to - 1));
    }
    if from > to {
        return Err(format!("starting index {from} is greater than ending index {to}"));
    }
    let every = every.unwrap_or(1);
    if every <= 0 {
        return Err("step must be > 0".into());
    }
    Ok(items[from as usize..to as usize].iter().step_by(every as usize).collect())
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    }
}

/// The value and all below it that has something in it: texts have letters.
fn descend<'a>(value: &'a Value, into: &mut Vec<&'a Value>) {
    let inside = children(value);
    if !inside.is_empty() || value.as_str().is_some_and(|text| !text.is_empty()) {
        into.push(value);
        inside.into_iter().for_each(|child| descend(child, into));
    }
}

fn passes(item: &Value, left: &[Node], right: Option<&(String, Vec<Node>)>, lenient: bool) -> Result<bool, String> {
    let lefts = walk(vec![item], left, lenient);
    let Some((operator, right)) = right else {
        return Ok(match lefts {
            Ok(found) => !found.is_empty(),
            Err(failed) => !failed.found.is_empty(),
        });
    };
    let rights = walk(vec![item], right, lenient);
    let one = |found: Found<'_>| match found {
        Ok(found) if found.len() > 1 => Err("can only compare one element at a time".to_owned()),
        Ok(found) => Ok(found.first().copied().cloned()),
        Err(failed) => Err(failed.why),
    };
    let Some(left) = one(lefts)? else { return Ok(false) };
    let Some(right) = one(rights)? else { return Ok(false) };
    let holds: fn(Ordering) -> bool = match operator.as_str() {
        "<" => Ordering::is_lt,
        ">" => Ordering::is_gt,
        "==" => Ordering::is_eq,
        "!=" => Ordering::is_ne,
        "<=" => Ordering::is_le,
        ">=" => Ordering::is_ge,
        other => return Err(format!("unrecognized filter operator {other}")),
    };
    let order = go::compare(&left, &right)?;
    if left.is_boolean() && !matches!(operator.as_str(), "==" | "!=") {
        return Err("invalid type for comparison".into());
    }
    Ok(order.is_some_and(holds))
}
