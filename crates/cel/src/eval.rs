//! The interpreter.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use crate::ast::{Element, Entry, Expr, Literal, Macro, Node};
use crate::library;
use crate::value::{Key, Structure, Value};

/// An evaluation takes at most this many steps, so that no rule stops the cluster.
pub const STEPS_MAX: u32 = 1_000_000;
const CHARACTERS_A_STEP: u32 = 10;

/// Why an evaluation failed, in cel-go's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    text: String,
    /// It took too many steps.
    pub exhausted: bool,
}

impl Error {
    pub fn new(text: impl Into<String>) -> Error {
        Error { text: text.into(), exhausted: false }
    }

    pub(crate) fn no_overload() -> Error {
        Error::new("no such overload")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

type Result<T> = std::result::Result<T, Error>;

/// The value, and how many steps it took.
pub(crate) fn eval(expr: &Expr, variables: &BTreeMap<String, Value>) -> (Result<Value>, u32) {
    let steps = Cell::new(0);
    let scope = Scope { variables, locals: &[], outer: None, steps: &steps };
    let value = scope.eval(expr).and_then(|value| {
        // A value of shared parts is larger for who reads it.
        scope.charge("", std::slice::from_ref(&value))?;
        Ok(value)
    });
    (value, steps.get())
}

/// Takes what a value weighs from what is left: a step for every part of it, and for every few characters.
fn weigh(value: &Value, left: &mut u32) {
    if *left == 0 {
        return;
    }
    let length = match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 0,
    };
    *left = left.saturating_sub(u32::try_from(length).unwrap_or(u32::MAX) / CHARACTERS_A_STEP);
    match value {
        Value::List(list) => list.iter().for_each(|item| weigh_part(item, left)),
        Value::Map(map) => map.values().for_each(|item| weigh_part(item, left)),
        Value::Struct(structure) => structure.fields.values().for_each(|item| weigh_part(item, left)),
        Value::Optional(Some(inner)) => weigh_part(inner, left),
        _ => {}
    }
}

fn weigh_part(value: &Value, left: &mut u32) {
    *left = left.saturating_sub(1);
    weigh(value, left);
}

/// The most characters that a function makes of others, beyond those that it is given.
fn growth(name: &str, values: &[Value]) -> u32 {
    let length = |at: usize| values.get(at).and_then(Value::as_str).map_or(0, str::len);
    let most = match (name, values.first()) {
        ("replace", _) => (length(0) / length(1).max(1) + 1).saturating_mul(length(2)),
        ("join", Some(Value::List(list))) => list.len().saturating_mul(length(1)),
        _ => 0,
    };
    u32::try_from(most).unwrap_or(u32::MAX)
}

/// The variables in sight: those of the macro around, of what is around that, and the activation's.
struct Scope<'a> {
    variables: &'a BTreeMap<String, Value>,
    locals: &'a [(&'a str, Value)],
    outer: Option<&'a Scope<'a>>,
    steps: &'a Cell<u32>,
}

impl Scope<'_> {
    fn lookup(&self, name: &str) -> Option<&Value> {
        let local = self.locals.iter().find(|(other, _)| *other == name).map(|(_, value)| value);
        local.or_else(|| match self.outer {
            Some(outer) => outer.lookup(name),
            None => self.variables.get(name),
        })
    }

    fn step(&self) -> Result<()> {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS_MAX {
            let text = "operation cancelled: actual cost limit exceeded".into();
            return Err(Error { text, exhausted: true });
        }
        Ok(())
    }

    fn eval(&self, expr: &Expr) -> Result<Value> {
        self.step()?;
        match &expr.node {
            Node::Literal(literal) => Ok(constant(literal)),
            Node::Ident(name) => match self.lookup(name) {
                Some(Value::Failed(error)) => Err((**error).clone()),
                Some(value) => Ok(value.clone()),
                None => library::type_named(name).ok_or_else(|| Error::new(format!("no such attribute(s): {name}"))),
            },
            Node::Select { operand, field, test, optional } => {
                let operand = self.eval(operand)?;
                select(&operand, &Value::from(field.as_str()), *test, *optional)
            }
            Node::Call { target: None, name, args } => self.operator(name, args),
            Node::Call { target: Some(target), name, args } => {
                let mut values = vec![self.eval(target)?];
                for arg in args {
                    values.push(self.eval(arg)?);
                }
                self.charge(name, &values)?;
                library::call(name, true, &values)
            }
            Node::List(elements) => self.list(elements),
            Node::Map(entries) => Ok(Value::Map(Rc::new(self.map(entries)?))),
            Node::Struct { name, fields } => {
                Ok(Value::Struct(Rc::new(Structure { name: name.clone(), fields: self.map(fields)? })))
            }
            Node::Macro { kind, range, variables, body } => {
                let range = self.eval(range)?;
                self.comprehension(*kind, &range, variables, body)
            }
        }
    }

    /// What is large costs more, as it takes longer.
    fn charge(&self, name: &str, values: &[Value]) -> Result<()> {
        let mut left = STEPS_MAX.saturating_sub(self.steps.get());
        if name != "size" {
            values.iter().for_each(|value| weigh(value, &mut left));
        }
        left = left.saturating_sub(growth(name, values) / CHARACTERS_A_STEP);
        self.steps.set(STEPS_MAX - left);
        self.step()
    }

    fn operator(&self, name: &str, args: &[Expr]) -> Result<Value> {
        match (name, args) {
            ("_&&_", [one, other]) => self.junction(one, other, false),
            ("_||_", [one, other]) => self.junction(one, other, true),
            ("_?_:_", [condition, then, otherwise]) => match self.eval(condition)? {
                Value::Bool(true) => self.eval(then),
                Value::Bool(false) => self.eval(otherwise),
                _ => Err(Error::no_overload()),
            },
            ("_[_]" | "_[?_]", [operand, index]) => {
                let (operand, index) = (self.eval(operand)?, self.eval(index)?);
                select(&operand, &index, false, name == "_[?_]")
            }
            _ => {
                let values = args.iter().map(|arg| self.eval(arg)).collect::<Result<Vec<_>>>()?;
                self.charge(name, &values)?;
                library::call(name, false, &values)
            }
        }
    }

    /// `&&` (decided by false) and `||` (decided by true): the deciding side hides the other's error.
    fn junction(&self, one: &Expr, other: &Expr, decided_by: bool) -> Result<Value> {
        let left = self.eval(one);
        if matches!(left, Ok(Value::Bool(value)) if value == decided_by) {
            return left;
        }
        match (left, self.eval(other)) {
            (_, Ok(Value::Bool(value))) if value == decided_by => Ok(Value::Bool(value)),
            (Err(error), _) | (_, Err(error)) => Err(error),
            (Ok(Value::Bool(_)), Ok(Value::Bool(value))) => Ok(Value::Bool(value)),
            _ => Err(Error::no_overload()),
        }
    }

    fn list(&self, elements: &[Element]) -> Result<Value> {
        let mut list = Vec::with_capacity(elements.len());
        for element in elements {
            match self.eval(&element.value)? {
                Value::Optional(inner) if element.optional => list.extend(inner.map(|value| (*value).clone())),
                value => list.push(value),
            }
        }
        Ok(Value::list(list))
    }

    fn map(&self, entries: &[Entry]) -> Result<BTreeMap<Key, Value>> {
        let mut map = BTreeMap::new();
        for entry in entries {
            let key = self.eval(&entry.key)?;
            let key = Key::of(&key).ok_or_else(|| Error::new("unsupported key type"))?;
            match self.eval(&entry.value)? {
                Value::Optional(inner) if entry.optional => {
                    map.extend(inner.map(|value| (key, (*value).clone())));
                }
                value => {
                    map.insert(key, value);
                }
            }
        }
        Ok(map)
    }

    fn comprehension(&self, kind: Macro, range: &Value, variables: &[String], body: &[Expr]) -> Result<Value> {
        let items: Vec<(Value, Value)> = match range {
            Value::Optional(inner) => match inner {
                None => return Ok(Value::Optional(None)),
                Some(value) => vec![((**value).clone(), Value::Null)],
            },
            Value::List(list) if variables.len() == 2 => {
                list.iter().enumerate().map(|(index, item)| (Value::Int(index as i64), item.clone())).collect()
            }
            Value::List(list) => list.iter().map(|item| (item.clone(), Value::Null)).collect(),
            Value::Map(map) => map.iter().map(|(key, value)| (key.to_value(), value.clone())).collect(),
            _ => return Err(Error::no_overload()),
        };
        let mut outcome = Outcome::default();
        for (first, second) in items {
            let index = first.clone();
            let values = [first, second];
            let locals: Vec<(&str, Value)> = variables.iter().map(String::as_str).zip(values).collect();
            let scope = Scope { variables: self.variables, locals: &locals, outer: Some(self), steps: self.steps };
            scope.step()?;
            if scope.iteration(kind, index, body, &mut outcome)? {
                break;
            }
        }
        outcome.finish(kind)
    }

    /// One round of a macro. True when the rest cannot change its outcome.
    fn iteration(&self, kind: Macro, index: Value, body: &[Expr], outcome: &mut Outcome) -> Result<bool> {
        let (last, conditions) = body.split_last().expect("macros have a body");
        match kind {
            Macro::All | Macro::Exists => {
                let decisive = kind == Macro::Exists;
                match self.eval(last) {
                    Ok(Value::Bool(value)) if value == decisive => {
                        outcome.decided = true;
                        return Ok(true);
                    }
                    Ok(Value::Bool(_)) => {}
                    Ok(_) => outcome.error = Some(Error::no_overload()),
                    Err(error) if error.exhausted => return Err(error),
                    Err(error) => outcome.error = Some(error),
                }
                return Ok(false);
            }
            Macro::ExistsOne => {
                outcome.count += usize::from(self.holds(last)?);
                return Ok(false);
            }
            Macro::Filter => {
                if self.holds(last)? {
                    outcome.list.push(index);
                }
                return Ok(false);
            }
            _ => {}
        }
        for condition in conditions {
            if !self.holds(condition)? {
                return Ok(false);
            }
        }
        let value = self.eval(last)?;
        match kind {
            Macro::TransformMap => {
                outcome.map.insert(Key::of(&index).ok_or_else(Error::no_overload)?, value);
            }
            Macro::TransformMapEntry => match value {
                Value::Map(entries) => {
                    outcome.map.extend(entries.iter().map(|(key, value)| (key.clone(), value.clone())))
                }
                _ => return Err(Error::no_overload()),
            },
            _ => outcome.list.push(value),
        }
        Ok(false)
    }

    fn holds(&self, condition: &Expr) -> Result<bool> {
        self.eval(condition)?.as_bool().ok_or_else(Error::no_overload)
    }
}

/// What a macro has gathered.
#[derive(Default)]
struct Outcome {
    decided: bool,
    /// An error that a decisive element hides.
    error: Option<Error>,
    count: usize,
    list: Vec<Value>,
    map: BTreeMap<Key, Value>,
}

impl Outcome {
    fn finish(mut self, kind: Macro) -> Result<Value> {
        match kind {
            Macro::All | Macro::Exists => match self.error {
                Some(error) if !self.decided => Err(error),
                _ => Ok(Value::Bool(self.decided == (kind == Macro::Exists))),
            },
            Macro::ExistsOne => Ok(Value::Bool(self.count == 1)),
            Macro::Map | Macro::Filter | Macro::TransformList => Ok(Value::list(self.list)),
            Macro::TransformMap | Macro::TransformMapEntry => Ok(Value::Map(Rc::new(self.map))),
            Macro::OptMap => Ok(self.list.pop().map_or(Value::Optional(None), Value::some)),
            Macro::OptFlatMap => Ok(self.list.pop().unwrap_or(Value::Optional(None))),
        }
    }
}

fn constant(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(flag) => Value::Bool(*flag),
        Literal::Int(number) => Value::Int(*number),
        Literal::Uint(number) => Value::Uint(*number),
        Literal::Double(number) => Value::Double(*number),
        Literal::String(text) => Value::from(text.as_str()),
        Literal::Bytes(bytes) => Value::Bytes(bytes.as_slice().into()),
    }
}

/// `a.b`, `a[b]`, `has(a.b)` and their optional forms.
fn select(operand: &Value, index: &Value, test: bool, optional: bool) -> Result<Value> {
    if let Value::Optional(inner) = operand {
        return match inner {
            None if test => Ok(Value::Bool(false)),
            None => Ok(Value::Optional(None)),
            Some(value) => select(value, index, test, !test),
        };
    }
    let found = match operand {
        Value::Map(map) => Key::of(index).and_then(|key| map.get(&key)),
        Value::Struct(structure) => Key::of(index).and_then(|key| structure.fields.get(&key)),
        Value::List(list) if !test => match Key::of(index) {
            Some(Key::Int(at)) => usize::try_from(at).ok().and_then(|at| list.get(at)),
            _ => return Err(Error::no_overload()),
        },
        _ => return Err(Error::no_overload()),
    };
    match found {
        _ if test => Ok(Value::Bool(found.is_some())),
        Some(Value::Failed(error)) => Err((**error).clone()),
        Some(value) => Ok(if optional { Value::some(value.clone()) } else { value.clone() }),
        None if optional => Ok(Value::Optional(None)),
        None => {
            let shown = library::text_of(index).unwrap_or_default();
            Err(Error::new(match operand {
                Value::List(_) => format!("index out of bounds: {shown}"),
                _ => format!("no such key: {shown}"),
            }))
        }
    }
}
