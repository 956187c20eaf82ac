//! What a template is made of, and how messages show it. Upstream: `text/template/parse/node.go`.

use std::fmt;

use serde_json::Value;

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template { at: usize, name: String, pipe: Option<Pipe> },
    Break,
    Continue,
}

#[derive(Debug)]
pub(super) struct Branch {
    pub pipe: Pipe,
    pub then: Vec<Node>,
    pub otherwise: Vec<Node>,
}

/// `$x, $y := a | b c`
#[derive(Debug, Default)]
pub(super) struct Pipe {
    pub at: usize,
    pub variables: Vec<String>,
    /// The variables are there already.
    pub assigns: bool,
    pub commands: Vec<Command>,
}

/// A function or value and what it is given.
#[derive(Debug)]
pub(super) struct Command {
    pub at: usize,
    pub args: Vec<Term>,
}

#[derive(Debug)]
pub(super) struct Term {
    pub at: usize,
    pub what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Dot,
    Nil,
    Bool(bool),
    /// A number as it is written. Whole ones are Go's `int`.
    Number(String, Value),
    /// A text as it is written, and what it says.
    Text(String, String),
    /// `.a.b` of the current value.
    Field(Vec<String>),
    /// `$x.a.b`, the name with its `$`.
    Variable(String, Vec<String>),
    /// `(…).a.b`
    Chain(Box<Term>, Vec<String>),
    Function(String),
    Pipe(Pipe),
}

fn fields(f: &mut fmt::Formatter, names: &[String]) -> fmt::Result {
    names.iter().try_for_each(|name| write!(f, ".{name}"))
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.what {
            What::Dot => f.write_str("."),
            What::Nil => f.write_str("nil"),
            What::Bool(value) => write!(f, "{value}"),
            What::Number(text, _) | What::Text(text, _) | What::Function(text) => f.write_str(text),
            What::Field(names) => fields(f, names),
            What::Variable(name, names) => f.write_str(name).and_then(|()| fields(f, names)),
            What::Chain(term, names) => write!(f, "{term}").and_then(|()| fields(f, names)),
            What::Pipe(pipe) => write!(f, "({pipe})"),
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let args: Vec<String> = self.args.iter().map(Term::to_string).collect();
        f.write_str(&args.join(" "))
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if !self.variables.is_empty() {
            write!(f, "{} {} ", self.variables.join(", "), if self.assigns { "=" } else { ":=" })?;
        }
        let commands: Vec<String> = self.commands.iter().map(Command::to_string).collect();
        f.write_str(&commands.join(" | "))
    }
}

/// Only what messages show.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Node::Template { name, pipe: Some(pipe), .. } => write!(f, "{{{{template {name:?} {pipe}}}}}"),
            Node::Template { name, .. } => write!(f, "{{{{template {name:?}}}}}"),
            Node::Action(pipe) => write!(f, "{{{{{pipe}}}}}"),
            _ => Ok(()),
        }
    }
}
