//! `-o go-template`: the part of Go's `text/template` that people use with kubectl.

use serde_json::Value;

use super::columns::go_text;
use super::gotemplate_parse::{Node, Pipeline, Term, parse};
use crate::failure::Failure;

pub(crate) struct GoTemplate {
    nodes: Vec<Node>,
}

impl GoTemplate {
    pub fn parse(text: &str) -> Result<GoTemplate, Failure> {
        let nodes = parse(text)
            .map_err(|why| Failure::error(format!("error parsing template {text}, template: output:1: {why}")))?;
        Ok(GoTemplate { nodes })
    }

    pub fn text(&self, value: &Value) -> Result<String, Failure> {
        let mut run = Run { root: value.clone(), variables: Vec::new(), out: String::new() };
        run.nodes(&self.nodes, value).map_err(|why| {
            Failure::error(format!("error executing template: template: output:1: executing \"output\" at <.>: {why}"))
        })?;
        Ok(run.out)
    }
}

struct Run {
    root: Value,
    variables: Vec<(String, Value)>,
    out: String,
}

/// Whoever counts further means harm.
const COUNT_MAX: u64 = 100_000;

fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

fn follow(value: &Value, path: &[String]) -> Value {
    path.iter().try_fold(value, |value, name| value.get(name)).cloned().unwrap_or(Value::Null)
}

fn number(value: f64) -> Value {
    if value.fract() == 0.0 { Value::from(value as i64) } else { Value::from(value) }
}

impl Run {
    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<(), String> {
        let depth = self.variables.len();
        for node in nodes {
            self.node(node, dot)?;
        }
        self.variables.truncate(depth);
        Ok(())
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Result<(), String> {
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Print(pipeline) => {
                let value = self.evaluate(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    let text = if value.is_null() { "<no value>".into() } else { go_text(&value) };
                    self.out.push_str(&text);
                }
            }
            Node::If(pipeline, then, otherwise) => {
                let value = self.evaluate(pipeline, dot)?;
                self.nodes(if is_true(&value) { then } else { otherwise }, dot)?;
            }
            Node::With(pipeline, then, otherwise) => {
                let value = self.evaluate(pipeline, dot)?;
                if is_true(&value) { self.nodes(then, &value)? } else { self.nodes(otherwise, dot)? }
            }
            Node::Range(pipeline, body, otherwise) => self.range(pipeline, body, otherwise, dot)?,
        }
        Ok(())
    }

    fn range(&mut self, pipeline: &Pipeline, body: &[Node], otherwise: &[Node], dot: &Value) -> Result<(), String> {
        let value = self.commands(pipeline, dot)?;
        let items: Vec<(Value, Value)> = match value {
            Value::Array(items) => items.into_iter().enumerate().map(|(at, item)| (Value::from(at), item)).collect(),
            Value::Object(fields) => fields.into_iter().map(|(name, item)| (Value::from(name), item)).collect(),
            Value::Null => Vec::new(),
            Value::Number(count) => {
                let count = count.as_u64().filter(|count| *count <= COUNT_MAX).unwrap_or_default();
                (0..count).map(|at| (Value::from(at), Value::from(at))).collect()
            }
            other => return Err(format!("range can't iterate over {}", go_text(&other))),
        };
        if items.is_empty() {
            return self.nodes(otherwise, dot);
        }
        for (key, item) in items {
            let depth = self.variables.len();
            match pipeline.variables.as_slice() {
                [name] => self.variables.push((name.clone(), item.clone())),
                [first, second] => {
                    self.variables.push((first.clone(), key));
                    self.variables.push((second.clone(), item.clone()));
                }
                _ => {}
            }
            self.nodes(body, &item)?;
            self.variables.truncate(depth);
        }
        Ok(())
    }

    fn evaluate(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, String> {
        let value = self.commands(pipeline, dot)?;
        for name in &pipeline.variables {
            match self.variables.iter_mut().rev().find(|(known, _)| known == name) {
                Some((_, known)) => *known = value.clone(),
                None => self.variables.push((name.clone(), value.clone())),
            }
        }
        Ok(value)
    }

    fn commands(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, String> {
        let mut piped = None;
        for command in &pipeline.commands {
            piped = Some(self.command(command, piped, dot)?);
        }
        Ok(piped.unwrap_or(Value::Null))
    }

    fn command(&mut self, terms: &[Term], piped: Option<Value>, dot: &Value) -> Result<Value, String> {
        let Some((first, rest)) = terms.split_first() else { return Ok(Value::Null) };
        let Term::Word(word) = first else { return self.term(first, dot) };
        let mut arguments = Vec::new();
        for term in rest {
            arguments.push(self.term(term, dot)?);
        }
        arguments.extend(piped);
        function(word, &arguments)
    }

    fn term(&mut self, term: &Term, dot: &Value) -> Result<Value, String> {
        Ok(match term {
            Term::Field(path) => follow(dot, path),
            Term::Variable(name, path) if name.is_empty() => follow(&self.root, path),
            Term::Variable(name, path) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                let (_, value) = known.ok_or_else(|| format!("undefined variable \"${name}\""))?;
                follow(value, path)
            }
            Term::Text(text) => Value::from(text.as_str()),
            Term::Number(value) => number(*value),
            Term::Word(word) => function(word, &[])?,
            Term::Group(pipeline, path) => follow(&self.evaluate(pipeline, dot)?, path),
        })
    }
}

fn function(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let first = arguments.first().unwrap_or(&Value::Null);
    let compared = |holds: fn(std::cmp::Ordering) -> bool| {
        let second = arguments.get(1).unwrap_or(&Value::Null);
        let order = match (first.as_f64(), second.as_f64()) {
            (Some(first), Some(second)) => first.partial_cmp(&second),
            _ => first.as_str().zip(second.as_str()).map(|(first, second)| first.cmp(second)),
        };
        Value::from(order.is_some_and(holds))
    };
    Ok(match name {
        "true" => Value::from(true),
        "false" => Value::from(false),
        "nil" => Value::Null,
        "len" => Value::from(match first {
            Value::Array(items) => items.len(),
            Value::Object(fields) => fields.len(),
            Value::String(text) => text.len(),
            _ => return Err("error calling len: len of nil pointer".into()),
        }),
        "index" => arguments[1.min(arguments.len())..].iter().fold(first.clone(), |value, key| match key {
            Value::String(name) => value.get(name).cloned().unwrap_or(Value::Null),
            key => key.as_u64().and_then(|at| value.get(at as usize)).cloned().unwrap_or(Value::Null),
        }),
        "eq" => Value::from(arguments.iter().skip(1).any(|other| other == first)),
        "ne" => Value::from(arguments.get(1) != Some(first)),
        "lt" => compared(std::cmp::Ordering::is_lt),
        "le" => compared(std::cmp::Ordering::is_le),
        "gt" => compared(std::cmp::Ordering::is_gt),
        "ge" => compared(std::cmp::Ordering::is_ge),
        "not" => Value::from(!is_true(first)),
        "and" => arguments.iter().find(|value| !is_true(value)).or(arguments.last()).cloned().unwrap_or(Value::Null),
        "or" => arguments.iter().find(|value| is_true(value)).or(arguments.last()).cloned().unwrap_or(Value::Null),
        "exists" => {
            let path: Vec<String> = arguments.iter().skip(1).map(go_text).collect();
            Value::from(!follow(first, &path).is_null())
        }
        "print" => Value::from(arguments.iter().map(go_text).collect::<String>()),
        "println" => Value::from(arguments.iter().map(go_text).collect::<Vec<_>>().join(" ") + "\n"),
        "printf" => Value::from(formatted(arguments)),
        "base64decode" => {
            let bytes = super::base64_decode(first.as_str().unwrap_or_default());
            Value::from(String::from_utf8_lossy(&bytes.ok_or("illegal base64 data")?).into_owned())
        }
        "slice" => {
            let Some(text) = first.as_str() else { return Err("can't slice item".into()) };
            let at = |index: usize| arguments.get(index).and_then(Value::as_u64).map(|at| at as usize);
            let (from, to) = (at(1).unwrap_or(0), at(2).unwrap_or(text.len()));
            let slice = text.get(from..to).ok_or_else(|| format!("index out of range: {to}"))?;
            Value::from(slice)
        }
        "html" => {
            let escapes = [("&", "&amp;"), ("\"", "&#34;"), ("'", "&#39;"), ("<", "&lt;"), (">", "&gt;")];
            Value::from(escapes.iter().fold(go_text(first), |text, (from, to)| text.replace(from, to)))
        }
        "urlquery" => Value::from(url_query(&go_text(first))),
        "js" => first.clone(),
        other => return Err(format!("function {other:?} not defined")),
    })
}

/// A text as a query's value: blanks become `+`.
fn url_query(text: &str) -> String {
    let escaped = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escaped).collect()
}

/// `printf`: `%s %v %d %q %%` and widths such as `%-20s`.
fn formatted(arguments: &[Value]) -> String {
    let mut out = String::new();
    let mut values = arguments.iter().skip(1);
    let format = arguments.first().and_then(Value::as_str).unwrap_or_default();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut flags = String::new();
        let verb = loop {
            match chars.next() {
                Some(c) if c == '-' || c == '+' || c == '.' || c.is_ascii_digit() => flags.push(c),
                Some(c) => break c,
                None => return out,
            }
        };
        if verb == '%' {
            out.push('%');
            continue;
        }
        let Some(value) = values.next() else {
            out.push_str(&format!("%!{verb}(MISSING)"));
            continue;
        };
        let text = if verb == 'q' { format!("{:?}", go_text(value)) } else { go_text(value) };
        let width: usize = flags.trim_start_matches('-').split('.').next().and_then(|w| w.parse().ok()).unwrap_or(0);
        out.push_str(&if flags.starts_with('-') { format!("{text:<width$}") } else { format!("{text:>width$}") });
    }
    out
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    fn check(template: &str, expected: Expect) {
        let value = json!({ "items": [{"name": "a", "c": [1]}, {"name": "b", "c": [1, 2]}], "data": {"k": "dg=="} });
        let text = GoTemplate::parse(template).and_then(|template| template.text(&value));
        expected.assert_eq(&text.unwrap_or_else(|failure| failure.text()));
    }

    #[test]
    fn templates() {
        check(r#"{{range .items}}{{.name}} {{len .c}}{{"\n"}}{{end}}"#, expect!["a 1\nb 2\n"]);
        check(r#"{{range $i, $e := .items}}{{if $i}}, {{end}}{{$e.name}}{{end}}"#, expect!["a, b"]);
        check("{{.data.k | base64decode}}", expect!["v"]);
        check(r#"{{index .data "k"}} {{(index .items 1).name}}"#, expect!["dg== b"]);
        check(r#"{{if eq (len .items) 2}}two{{else}}other{{end}}"#, expect!["two"]);
        check("{{.missing}}", expect!["<no value>"]);
        check(
            "{{range .items}}x",
            expect![[r#"
            error: error parsing template {{range .items}}x, template: output:1: unexpected EOF
        "#]],
        );
    }
}
