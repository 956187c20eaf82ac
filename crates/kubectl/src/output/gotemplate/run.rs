//! A template while it is carried out. Upstream: `text/template/exec.go`.

use std::fmt::Display;

use api::go;
use serde_json::Value;

use super::functions;
use super::parse::{ROOT, Trees};
use super::tree::{Branch, Command, Node, Pipe, Term, What};

/// What Go's reflection knows of a value.
#[derive(Clone, Debug)]
pub(super) struct Data {
    pub kind: DataKind,
    /// It comes from a list or a map, whose items may be anything: its type is `interface {}`.
    pub is_boxed: bool,
}

#[derive(Clone, Debug)]
pub(super) enum DataKind {
    /// There is no such field.
    Missing,
    Value(Value),
    /// Go's `int`: a constant, a length, a position.
    Int(i64),
}

impl Data {
    pub const MISSING: Data = Data { kind: DataKind::Missing, is_boxed: false };

    pub fn of(value: impl Into<Value>) -> Data {
        Data { kind: DataKind::Value(value.into()), is_boxed: false }
    }

    pub fn int(value: i64) -> Data {
        Data { kind: DataKind::Int(value), is_boxed: false }
    }

    pub fn boxed(value: &Value) -> Data {
        Data { kind: DataKind::Value(value.clone()), is_boxed: true }
    }

    /// What an interface holds: nothing, if it is nil.
    pub fn unboxed(self) -> Data {
        match self.kind {
            DataKind::Value(Value::Null) => Data::MISSING,
            kind => Data { kind, is_boxed: false },
        }
    }

    pub fn value(&self) -> Value {
        match &self.kind {
            DataKind::Missing => Value::Null,
            DataKind::Value(value) => value.clone(),
            DataKind::Int(number) => Value::from(*number),
        }
    }

    pub fn is_missing(&self) -> bool {
        matches!(self.kind, DataKind::Missing | DataKind::Value(Value::Null))
    }

    pub fn is_true(&self) -> bool {
        match self.value() {
            Value::Null => false,
            Value::Bool(value) => value,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
        }
    }

    /// The name of the type that it has, whatever holds it.
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            DataKind::Missing => "<nil>",
            DataKind::Value(value) => go::type_name(value),
            DataKind::Int(_) => "int",
        }
    }
}

/// Templates in each other, steps, and bytes: whoever wants more means harm.
const DEPTH_MAX: usize = 100;
const STEPS_MAX: usize = 1_000_000;
const BYTES_MAX: usize = 16 << 20;

/// What a piece of a template makes those do that hold it.
enum Flow {
    On,
    Break,
    Continue,
}

pub(super) struct Run<'a> {
    trees: &'a Trees,
    strict: bool,
    /// The name of the template that is carried out.
    name: &'a str,
    depth: usize,
    steps: usize,
    variables: Vec<(&'a str, Data)>,
    /// Where it is, for messages.
    node: (usize, &'a dyn Display),
    out: String,
}

/// What was written, and how it ended. A mistake names its place as `line:column`, which needs the text.
pub(super) fn run(trees: &Trees, text: &str, value: &Value, strict: bool) -> (String, Result<(), String>) {
    let dot = Data::of(value.clone());
    let mut run = Run {
        trees,
        strict,
        name: ROOT,
        depth: 0,
        steps: 0,
        variables: vec![("$", dot.clone())],
        node: (0, &""),
        out: String::new(),
    };
    let nodes = trees.get(ROOT).map(Vec::as_slice).unwrap_or_default();
    let result = run.nodes(nodes, &dot).map(drop).map_err(|why| {
        let (at, shown) = run.node;
        let before = &text[..at];
        let column = at - before.rfind('\n').map_or(0, |end| end + 1);
        let line = 1 + before.matches('\n').count();
        format!("template: {ROOT}:{line}:{column}: executing {:?} at <{shown}>: {why}", run.name)
    });
    (run.out, result)
}

type Outcome<T> = Result<T, String>;

impl<'a> Run<'a> {
    fn nodes(&mut self, nodes: &'a [Node], dot: &Data) -> Outcome<Flow> {
        for node in nodes {
            self.steps += 1;
            if self.steps > STEPS_MAX || self.out.len() > BYTES_MAX {
                return Err("the template does not come to an end".into());
            }
            match self.node(node, dot)? {
                Flow::On => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &'a Node, dot: &Data) -> Outcome<Flow> {
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Action(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.variables.is_empty() {
                    let text = if value.is_missing() { "<no value>".into() } else { go::text(&value.value()) };
                    self.out.push_str(&text);
                }
            }
            Node::If(branch) => return self.either(branch, dot, false),
            Node::With(branch) => return self.either(branch, dot, true),
            Node::Range(branch) => return self.range(branch, dot),
            Node::Template { at, name, pipe } => self.template(node, *at, name, pipe.as_ref(), dot)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    /// `{{if}}`, and `{{with}}`, which changes the dot.
    fn either(&mut self, branch: &'a Branch, dot: &Data, is_with: bool) -> Outcome<Flow> {
        let known = self.variables.len();
        let value = self.pipe(&branch.pipe, dot)?;
        let flow = match value.is_true() {
            true => self.nodes(&branch.then, if is_with { &value } else { dot }),
            false => self.nodes(&branch.otherwise, dot),
        };
        self.variables.truncate(known);
        flow
    }

    fn range(&mut self, branch: &'a Branch, dot: &Data) -> Outcome<Flow> {
        let known = self.variables.len();
        let value = self.pipe(&branch.pipe, dot)?.unboxed().value();
        let items: Vec<(Data, Data)> = match &value {
            Value::Array(items) => {
                items.iter().enumerate().map(|(at, item)| (Data::int(at as i64), Data::boxed(item))).collect()
            }
            Value::Object(fields) => {
                fields.iter().map(|(name, item)| (Data::of(name.as_str()), Data::boxed(item))).collect()
            }
            Value::Number(count) if count.is_i64() && branch.pipe.variables.len() > 1 => {
                return Err(format!("can't use {count} to iterate over more than one variable"));
            }
            Value::Number(count) if count.is_i64() => {
                let count = count.as_i64().unwrap_or_default().min(STEPS_MAX as i64);
                (0..count).map(|at| (Data::MISSING, Data::int(at))).collect()
            }
            Value::Null => Vec::new(),
            other => return Err(format!("range can't iterate over {}", go::text(other))),
        };
        let mut flow = Flow::On;
        if items.is_empty() {
            flow = self.nodes(&branch.otherwise, dot)?;
        }
        let inside = self.variables.len();
        for (key, item) in items {
            match branch.pipe.variables.as_slice() {
                [name] => self.set(name, item.clone()),
                [first, second] => {
                    self.set(first, key);
                    self.set(second, item.clone());
                }
                _ => {}
            }
            let ended = self.nodes(&branch.then, &item)?;
            self.variables.truncate(inside);
            if matches!(ended, Flow::Break) {
                break;
            }
        }
        self.variables.truncate(known);
        Ok(flow)
    }

    fn template(
        &mut self,
        node: &'a Node,
        at: usize,
        name: &'a str,
        pipe: Option<&'a Pipe>,
        dot: &Data,
    ) -> Outcome<()> {
        self.node = (at, node);
        let Some(nodes) = self.trees.get(name) else { return Err(format!("template {name:?} not defined")) };
        if self.depth == DEPTH_MAX {
            return Err("exceeded maximum template depth (100000)".into());
        }
        let dot = match pipe {
            Some(pipe) => self.pipe(pipe, dot)?,
            None => Data::MISSING,
        };
        // A template inherits no variables.
        let variables = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        let outer = std::mem::replace(&mut self.name, name);
        self.depth += 1;
        self.nodes(nodes, &dot)?;
        self.depth -= 1;
        (self.name, self.variables) = (outer, variables);
        Ok(())
    }

    /// Sets the innermost variable of that name.
    fn set(&mut self, name: &str, value: Data) {
        if let Some((_, known)) = self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            *known = value;
        }
    }

    fn pipe(&mut self, pipe: &'a Pipe, dot: &Data) -> Outcome<Data> {
        self.node = (pipe.at, pipe);
        let mut piped = None;
        for command in &pipe.commands {
            let value = self.command(command, piped, dot)?;
            piped = Some(if value.is_boxed { value.unboxed() } else { value });
        }
        let value = piped.unwrap_or(Data::MISSING);
        for name in &pipe.variables {
            match pipe.assigns {
                true => self.set(name, value.clone()),
                false => self.variables.push((name, value.clone())),
            }
        }
        Ok(value)
    }

    fn command(&mut self, command: &'a Command, piped: Option<Data>, dot: &Data) -> Outcome<Data> {
        let Some((first, rest)) = command.args.split_first() else { return Ok(Data::MISSING) };
        if let What::Function(name) = &first.what {
            self.node = (first.at, first);
            return self.call(name, (command.at, command), rest, piped, dot);
        }
        let has_arguments = !rest.is_empty() || piped.is_some();
        match &first.what {
            What::Field(_) | What::Chain(..) => self.term(first, has_arguments, dot),
            What::Variable(_, names) if !names.is_empty() => self.term(first, has_arguments, dot),
            What::Pipe(_) if !has_arguments => self.term(first, false, dot),
            _ => {
                if !matches!(first.what, What::Pipe(_)) {
                    self.node = (first.at, first);
                }
                if has_arguments {
                    return Err(format!("can't give argument to non-function {first}"));
                }
                if matches!(first.what, What::Nil) {
                    return Err("nil is not a command".into());
                }
                self.term(first, false, dot)
            }
        }
    }

    /// A term's value. Only methods could have arguments, and nothing here has methods.
    fn term(&mut self, term: &'a Term, has_arguments: bool, dot: &Data) -> Outcome<Data> {
        if !matches!(term.what, What::Pipe(_)) {
            self.node = (term.at, term);
        }
        match &term.what {
            What::Dot => Ok(dot.clone()),
            What::Nil => Ok(Data::MISSING),
            What::Bool(value) => Ok(Data::of(*value)),
            What::Number(_, value) => Ok(value.as_i64().map_or_else(|| Data::of(value.clone()), Data::int)),
            What::Text(_, text) => Ok(Data::of(text.as_str())),
            What::Field(names) => self.fields(dot.clone(), names, has_arguments),
            What::Variable(name, names) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                let value = known.map_or(Data::MISSING, |(_, value)| value.clone());
                self.fields(value, names, has_arguments)
            }
            What::Chain(inner, names) => {
                if matches!(inner.what, What::Nil) {
                    return Err(format!("indirection through explicit nil in {term}"));
                }
                let value = self.term(inner, false, dot)?;
                self.fields(value, names, has_arguments)
            }
            What::Function(name) => self.call(name, (term.at, term), &[], None, dot),
            What::Pipe(pipe) => self.pipe(pipe, dot),
        }
    }

    fn fields(&self, from: Data, names: &[String], has_arguments: bool) -> Outcome<Data> {
        let last = names.len().saturating_sub(1);
        names.iter().enumerate().try_fold(from, |value, (at, name)| {
            let type_name = if value.is_boxed { "interface {}" } else { value.type_name() };
            match value.kind {
                DataKind::Missing if self.strict => Err(format!("nil data; no entry for key {name:?}")),
                DataKind::Missing => Ok(Data::MISSING),
                DataKind::Value(Value::Null) => Err(format!("nil pointer evaluating {type_name}.{name}")),
                DataKind::Value(Value::Object(_)) if has_arguments && at == last => {
                    Err(format!("{name} is not a method but has arguments"))
                }
                DataKind::Value(Value::Object(fields)) => match fields.get(name) {
                    Some(field) => Ok(Data::boxed(field)),
                    None if self.strict => Err(format!("map has no entry for key {name:?}")),
                    None => Ok(Data::MISSING),
                },
                _ => Err(format!("can't evaluate field {name} in type {type_name}")),
            }
        })
    }

    fn call(
        &mut self,
        name: &str,
        node: (usize, &'a dyn Display),
        args: &'a [Term],
        piped: Option<Data>,
        dot: &Data,
    ) -> Outcome<Data> {
        let (fewest, most) = functions::arity(name);
        let given = args.len() + usize::from(piped.is_some());
        if most.is_none() && given < fewest {
            return Err(format!("wrong number of args for {name}: want at least {fewest} got {}", args.len()));
        }
        if most.is_some_and(|most| given != most) {
            return Err(format!("wrong number of args for {name}: want {fewest} got {given}"));
        }
        let mut values = Vec::new();
        for (at, term) in args.iter().enumerate() {
            let value = self.argument(term, functions::wants_text(name, at), dot)?;
            if matches!(name, "and" | "or") && value.is_true() == (name == "or") {
                return Ok(value);
            }
            values.push(value);
        }
        if let Some(value) = piped {
            let is_text = functions::wants_text(name, values.len());
            values.push(if is_text { as_text(value)? } else { value });
        }
        let callee = args.first().map(Term::to_string).unwrap_or_default();
        functions::call(name, &callee, values).map_err(|why| {
            self.node = node;
            format!("error calling {name}: {why}")
        })
    }

    fn argument(&mut self, term: &'a Term, is_text: bool, dot: &Data) -> Outcome<Data> {
        let value = self.term(term, false, dot)?;
        match &term.what {
            _ if !is_text => Ok(value),
            What::Nil => Err("cannot assign nil to string".into()),
            What::Bool(_) | What::Number(..) => Err(format!("expected string; found {term}")),
            _ => as_text(value),
        }
    }
}

fn as_text(value: Data) -> Outcome<Data> {
    match &value.kind {
        DataKind::Missing => Err("invalid value; expected string".into()),
        DataKind::Value(Value::String(_)) => Ok(value),
        _ => Err(format!("wrong type for value; expected string; got {}", value.type_name())),
    }
}
