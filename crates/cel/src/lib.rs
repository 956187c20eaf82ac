//! The Common Expression Language, as Kubernetes has it: validation rules of custom resources, admission policies.
//!
//! Upstream: `google/cel-go` with the libraries of `apiserver/pkg/cel`. An [`Env`] declares variables; [`Env::compile`]
//! parses and type-checks an expression and complains in cel-go's words; [`Program::eval`] runs it over [`Value`]s.
//!
//! The crates that exist interpret CEL without checking its types, by which an API server refuses most mistakes, and bring
//! ANTLR's runtime, which the page would have to load: hence these few files.
//!
//! Known difference: a text that cannot be parsed is described by its first mistake alone.
//!
//! Reading order: [`types`](mod@types), [`ast`], [`parse`], [`check`], [`cost`], [`value`], [`eval`], [`library`].

mod ast;
mod check;
mod cost;
mod eval;
mod library;
mod parse;
mod token;
mod types;
mod value;

use std::collections::BTreeMap;
use std::fmt;

pub use cost::Bound;
pub use eval::{Error, STEPS_MAX};
pub use library::{Access, Answer, Question, parse_duration};
pub use parse::RESERVED;
pub use types::{ObjectType, Type};
pub use value::{Key, Structure, Value};

/// What an expression may name.
#[derive(Clone, Debug, Default)]
pub struct Env {
    variables: BTreeMap<String, Type>,
    /// Patches may be made.
    patches: bool,
}

/// A checked expression.
#[derive(Clone, Debug)]
pub struct Program {
    expression: ast::Expr,
    output: Type,
}

/// The variables of one evaluation.
#[derive(Clone, Debug, Default)]
pub struct Activation {
    variables: BTreeMap<String, Value>,
}

/// Why an expression does not compile. Its text is cel-go's, with the places in the source.
#[derive(Clone, Debug, PartialEq)]
pub struct CompileError {
    source: String,
    issues: Vec<Issue>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Issue {
    /// In characters from the start.
    at: usize,
    text: String,
}

impl Issue {
    fn new(at: usize, text: impl Into<String>) -> Issue {
        Issue { at, text: text.into() }
    }
}

impl Env {
    pub fn new() -> Env {
        Env::default()
    }

    pub fn with(mut self, name: &str, of: Type) -> Env {
        self.declare(name, of);
        self
    }

    pub fn declare(&mut self, name: &str, of: Type) {
        self.variables.insert(name.into(), of);
    }

    /// The expressions may make `Object{…}` and `JSONPatch{…}`.
    pub fn allow_patches(&mut self) {
        self.patches = true;
    }

    pub fn compile(&self, source: &str) -> Result<Program, CompileError> {
        let refused = |mut issues: Vec<Issue>| {
            issues.sort_by_key(|issue| issue.at);
            CompileError { source: source.to_owned(), issues }
        };
        let mut expression = parse::parse(source).map_err(|issue| refused(vec![issue]))?;
        let output = check::check(self, &mut expression).map_err(refused)?;
        Ok(Program { expression, output })
    }
}

impl Program {
    /// The type of what it yields.
    pub fn output(&self) -> &Type {
        &self.output
    }

    /// It names the variable.
    pub fn uses(&self, variable: &str) -> bool {
        self.expression.names(variable)
    }

    /// What it costs at most over variables with these bounds; `u64::MAX` where there is no end to it.
    pub fn cost(&self, bounds: &[(&str, &Bound)]) -> u64 {
        cost::cost(&self.expression, &bounds.iter().copied().collect())
    }

    pub fn eval(&self, activation: &Activation) -> Result<Value, Error> {
        self.eval_counted(activation).0
    }

    /// What it yields, and how many steps that took.
    pub fn eval_counted(&self, activation: &Activation) -> (Result<Value, Error>, u32) {
        eval::eval(&self.expression, &activation.variables)
    }
}

impl Activation {
    pub fn new() -> Activation {
        Activation::default()
    }

    pub fn with(mut self, name: &str, value: Value) -> Activation {
        self.set(name, value);
        self
    }

    pub fn set(&mut self, name: &str, value: Value) {
        self.variables.insert(name.into(), value);
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, issue) in self.issues.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            let before: String = self.source.chars().take(issue.at).collect();
            let line = before.matches('\n').count();
            let column = before.chars().rev().take_while(|c| *c != '\n').count();
            let shown = self.source.split('\n').nth(line).unwrap_or_default().replace('\t', " ");
            let dots = ".".repeat(column);
            write!(f, "ERROR: <input>:{}:{}: {}\n | {shown}\n | {dots}^", line + 1, column + 1, issue.text)?;
        }
        Ok(())
    }
}
