//! The type checker: cel-go's `checker`, with its words.

use std::collections::BTreeMap;

use crate::ast::{Entry, Expr, Literal, Macro, Node};
use crate::types::{Overload, Type, overloads};
use crate::{Env, Issue};

/// Resolves names and types; the type of the whole, or what is wrong.
pub(crate) fn check(env: &Env, expression: &mut Expr) -> Result<Type, Vec<Issue>> {
    let mut checker = Checker { env, scopes: Vec::new(), issues: Vec::new() };
    let output = checker.expr(expression);
    if checker.issues.is_empty() { Ok(output.unwrap_or(Type::Dyn)) } else { Err(checker.issues) }
}

struct Checker<'a> {
    env: &'a Env,
    /// Variables of the macros around, the innermost last.
    scopes: Vec<(String, Type)>,
    issues: Vec<Issue>,
}

/// The type of what is known to be wrong: nothing more is said about it.
type Checked = Option<Type>;

const TYPE_NAMES: [&str; 12] = [
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
];

impl Checker<'_> {
    fn report(&mut self, at: usize, text: String) -> Checked {
        self.issues.push(Issue::new(at, text));
        None
    }

    fn lookup(&self, name: &str) -> Option<Type> {
        let local = self.scopes.iter().rev().find(|(other, _)| other == name).map(|(_, of)| of);
        local.or_else(|| self.env.variables.get(name)).cloned()
    }

    fn expr(&mut self, expr: &mut Expr) -> Checked {
        expr.of = self.type_of(expr)?;
        Some(expr.of.clone())
    }

    fn type_of(&mut self, expr: &mut Expr) -> Checked {
        let at = expr.at;
        if let Some(name) = expr.qualified_name()
            && self.lookup(name.split('.').next().unwrap_or_default()).is_none()
        {
            if TYPE_NAMES.contains(&name.as_str()) {
                expr.node = Node::Ident(name);
                return Some(Type::Type);
            }
            if let Node::Ident(name) = &expr.node {
                return self.report(at, format!("undeclared reference to '{name}' (in container '')"));
            }
        }
        // A name with dots may be a variable of its own: `authorizer.requestResource`.
        if let (Node::Select { .. }, Some(name)) = (&expr.node, expr.qualified_name())
            && let Some(of) = self.lookup(&name)
        {
            expr.node = Node::Ident(name);
            return Some(of);
        }
        match &mut expr.node {
            Node::Literal(literal) => Some(literal_type(literal)),
            Node::Ident(name) => self.lookup(name),
            Node::Select { operand, field, test, optional } => {
                let of = self.expr(operand)?;
                let of = self.field(at, &of, field, *optional)?;
                Some(if *test { Type::Bool } else { of })
            }
            Node::Call { target, name, args } => match target.take() {
                None => self.call(at, name, None, args),
                Some(receiver) => {
                    let (receiver, of) = self.method(at, *receiver, name, args);
                    *target = receiver.map(Box::new);
                    of
                }
            },
            Node::List(elements) => {
                let mut element = Type::Dyn;
                for (index, one) in elements.iter_mut().enumerate() {
                    let found = self.expr(&mut one.value)?;
                    let found = if one.optional { unwrapped(found) } else { found };
                    element = self.joined(one.value.at, index, element, found)?;
                }
                Some(Type::list(element))
            }
            Node::Map(entries) => {
                let (mut key, mut value) = (Type::Dyn, Type::Dyn);
                for (index, entry) in entries.iter_mut().enumerate() {
                    let (found_key, found) = (self.expr(&mut entry.key)?, self.expr(&mut entry.value)?);
                    let found = if entry.optional { unwrapped(found) } else { found };
                    key = self.joined(entry.key.at, index, key, found_key)?;
                    value = self.joined(entry.value.at, index, value, found)?;
                }
                Some(Type::map(key, value))
            }
            Node::Struct { name, fields } => self.structure(at, name, fields),
            Node::Macro { kind, range, variables, body } => {
                let of = self.expr(range)?;
                self.comprehension(at, range.at, *kind, of, variables, body)
            }
        }
    }

    fn structure(&mut self, at: usize, name: &str, fields: &mut [Entry]) -> Checked {
        let Some(of) = self.env.patches.then(|| Type::of_patches(name)).flatten() else {
            return self.report(at, format!("undeclared reference to '{name}' (in container '')"));
        };
        for Entry { optional, key, value } in fields {
            let found = self.expr(value)?;
            let found = if *optional { unwrapped(found) } else { found };
            let Node::Literal(Literal::String(field)) = &key.node else { continue };
            let wanted = self.field(key.at, &of, field, false)?;
            if !assignable(&mut Bindings::new(), &wanted, &found) {
                let text = format!("expected type of field '{field}' is '{wanted}' but provided type is '{found}'");
                return self.report(key.at, text);
            }
        }
        Some(of)
    }

    /// All elements of a literal have one type.
    fn joined(&mut self, at: usize, index: usize, expected: Type, found: Type) -> Checked {
        if index == 0 {
            return Some(found);
        }
        if assignable(&mut Bindings::new(), &expected, &found) {
            return Some(expected);
        }
        self.report(at, format!("expected type '{expected}' but found '{found}'"))
    }

    fn field(&mut self, at: usize, of: &Type, field: &str, optional: bool) -> Checked {
        let selected = match of {
            Type::Optional(inner) => return Some(Type::optional(unwrapped(self.field(at, inner, field, false)?))),
            Type::Dyn => Type::Dyn,
            Type::Map(_, value) => (**value).clone(),
            Type::Object(object) => match object.fields.get(field) {
                Some(of) => of.clone(),
                None if object.open => Type::Dyn,
                None => return self.report(at, format!("undefined field '{field}'")),
            },
            other => return self.report(at, format!("type '{other}' does not support field selection")),
        };
        Some(if optional { Type::optional(unwrapped(selected)) } else { selected })
    }

    /// A call with a receiver, which may turn out to be a namespace.
    fn method(&mut self, at: usize, receiver: Expr, name: &mut String, args: &mut [Expr]) -> (Option<Expr>, Checked) {
        if let Some(space) = receiver.qualified_name()
            && self.lookup(space.split('.').next().unwrap_or_default()).is_none()
        {
            let qualified = format!("{space}.{name}");
            if overloads(&qualified).is_some() {
                *name = qualified;
                return (None, self.call(at, name, None, args));
            }
        }
        let mut receiver = receiver;
        let of = self.expr(&mut receiver);
        let checked = match of {
            Some(of) => self.call(at, name, Some(of), args),
            None => {
                args.iter_mut().for_each(|arg| {
                    self.expr(arg);
                });
                None
            }
        };
        (Some(receiver), checked)
    }

    fn call(&mut self, at: usize, name: &str, receiver: Option<Type>, args: &mut [Expr]) -> Checked {
        let found: Vec<Checked> = args.iter_mut().map(|arg| self.expr(arg)).collect();
        let Some(candidates) = overloads(name) else {
            return self.report(at, format!("undeclared reference to '{name}' (in container '')"));
        };
        let member = receiver.is_some();
        let types: Option<Vec<Type>> = receiver.into_iter().map(Some).chain(found).collect();
        let types = types?;
        match resolve(candidates, member, &types) {
            Some(result) => Some(result),
            None => {
                let listed = |types: &[Type]| types.iter().map(Type::to_string).collect::<Vec<_>>().join(", ");
                let applied = match types.split_first() {
                    Some((receiver, rest)) if member => format!("{receiver}.({})", listed(rest)),
                    _ => format!("({})", listed(&types)),
                };
                self.report(at, format!("found no matching overload for '{name}' applied to '{applied}'"))
            }
        }
    }

    fn comprehension(
        &mut self,
        at: usize,
        range_at: usize,
        kind: Macro,
        range: Type,
        variables: &[String],
        body: &mut [Expr],
    ) -> Checked {
        let (first, second) = match (&range, kind) {
            (Type::Optional(of), Macro::OptMap | Macro::OptFlatMap) => ((**of).clone(), Type::Dyn),
            (Type::Dyn, _) => (Type::Dyn, Type::Dyn),
            (_, Macro::OptMap | Macro::OptFlatMap) => {
                let text = format!("found no matching overload for 'optMap' applied to '{range}.()'");
                return self.report(at, text);
            }
            (Type::List(of), _) if variables.len() == 2 => (Type::Int, (**of).clone()),
            (Type::List(of), _) => ((**of).clone(), Type::Dyn),
            (Type::Map(key, value), _) => ((**key).clone(), (**value).clone()),
            _ => {
                let text = format!(
                    "expression of type '{range}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                return self.report(range_at, text);
            }
        };
        let depth = self.scopes.len();
        self.scopes.extend(variables.iter().cloned().zip([first.clone(), second]));
        let types: Vec<Checked> = body.iter_mut().map(|expr| self.expr(expr)).collect();
        self.scopes.truncate(depth);
        let types: Vec<Type> = types.into_iter().collect::<Option<_>>()?;
        let (conditions, last) = match kind {
            Macro::All | Macro::Exists | Macro::ExistsOne | Macro::Filter => (types.as_slice(), Type::Bool),
            _ => (&types[..types.len() - 1], types[types.len() - 1].clone()),
        };
        for condition in conditions {
            if !matches!(condition, Type::Bool | Type::Dyn) {
                let operator = match kind {
                    Macro::All => format!("found no matching overload for '_&&_' applied to '(bool, {condition})'"),
                    Macro::Exists => format!("found no matching overload for '_||_' applied to '(bool, {condition})'"),
                    _ => format!("found no matching overload for '_?_:_' applied to '({condition}, dyn, dyn)'"),
                };
                return self.report(at, operator);
            }
        }
        Some(match kind {
            Macro::All | Macro::Exists | Macro::ExistsOne => Type::Bool,
            Macro::Filter if matches!(range, Type::List(_)) => range,
            Macro::Filter => Type::list(first),
            Macro::Map | Macro::TransformList => Type::list(last),
            Macro::TransformMap => match range {
                Type::Map(key, _) => Type::map((*key).clone(), last),
                _ => Type::map(Type::Int, last),
            },
            Macro::TransformMapEntry => last,
            Macro::OptMap => Type::optional(last),
            Macro::OptFlatMap => last,
        })
    }
}

fn literal_type(literal: &Literal) -> Type {
    match literal {
        Literal::Null => Type::Null,
        Literal::Bool(_) => Type::Bool,
        Literal::Int(_) => Type::Int,
        Literal::Uint(_) => Type::Uint,
        Literal::Double(_) => Type::Double,
        Literal::String(_) => Type::String,
        Literal::Bytes(_) => Type::Bytes,
    }
}

fn unwrapped(of: Type) -> Type {
    match of {
        Type::Optional(inner) => (*inner).clone(),
        other => other,
    }
}

type Bindings = BTreeMap<char, Type>;

/// The result of the overloads that fit: their common one, or anything.
fn resolve(candidates: &[Overload], member: bool, types: &[Type]) -> Checked {
    let mut result: Checked = None;
    for overload in candidates.iter().filter(|one| one.member == member && one.args.len() == types.len()) {
        let mut bindings = Bindings::new();
        let fits = overload.args.iter().zip(types).all(|(wanted, found)| assignable(&mut bindings, wanted, found));
        if !fits {
            continue;
        }
        let found = substituted(&bindings, &overload.result);
        result = match result {
            Some(other) if other != found => Some(Type::Dyn),
            _ => Some(found),
        };
    }
    result
}

/// A value of type `found` may stand where `wanted` is asked for. Parameters are bound as they are met.
fn assignable(bindings: &mut Bindings, wanted: &Type, found: &Type) -> bool {
    match (wanted, found) {
        (Type::Param(name), _) => match bindings.get(name).cloned() {
            Some(bound) if bound == Type::Dyn || *found == Type::Dyn => true,
            Some(bound) => {
                let fits = assignable(bindings, &bound, found) || assignable(bindings, found, &bound);
                // An empty list becomes what the other is.
                if bound == Type::Null || bound == Type::list(Type::Dyn) {
                    bindings.insert(*name, found.clone());
                }
                fits
            }
            None => {
                bindings.insert(*name, found.clone());
                true
            }
        },
        (Type::Dyn, _) | (_, Type::Dyn) => true,
        (Type::List(wanted), Type::List(found)) | (Type::Optional(wanted), Type::Optional(found)) => {
            assignable(bindings, wanted, found)
        }
        (Type::Map(key, value), Type::Map(found_key, found)) => {
            assignable(bindings, key, found_key) && assignable(bindings, value, found)
        }
        (Type::Object(one), Type::Object(other)) => one.name == other.name,
        (Type::Object(_) | Type::Duration | Type::Timestamp | Type::Opaque(_) | Type::Optional(_), Type::Null) => true,
        (one, other) => one == other,
    }
}

fn substituted(bindings: &Bindings, of: &Type) -> Type {
    match of {
        Type::Param(name) => bindings.get(name).cloned().unwrap_or(Type::Dyn),
        Type::List(of) => Type::list(substituted(bindings, of)),
        Type::Optional(of) => Type::optional(substituted(bindings, of)),
        Type::Map(key, value) => Type::map(substituted(bindings, key), substituted(bindings, value)),
        other => other.clone(),
    }
}
