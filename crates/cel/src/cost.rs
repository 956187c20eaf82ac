//! What an expression may cost at most, known before it runs. Upstream: cel-go's `checker/cost.go` and
//! `apiserver/pkg/cel/library/cost.go`.

use std::collections::BTreeMap;

use crate::ast::{Entry, Expr, Literal, Macro, Node};
use crate::types::Type;

/// How large a value may become, and what is in it.
#[derive(Clone, Debug, Default)]
pub struct Bound {
    /// Bytes of a string, items of a list, entries of a map; 0 of everything else.
    pub max: u64,
    pub fields: BTreeMap<String, Bound>,
    /// Of a list's items, or a map's values.
    pub items: Option<Box<Bound>>,
}

/// The cost of the expression over variables with these bounds. `u64::MAX` stands for more than can be counted.
pub(crate) fn cost(expr: &Expr, variables: &BTreeMap<&str, &Bound>) -> u64 {
    Scope { variables, locals: Vec::new(), outer: None }.estimate(expr).cost
}

/// Upstream takes the keys of maps, and indices, for nothing.
static NOTHING: Bound = Bound { max: 0, fields: BTreeMap::new(), items: None };

const LIST: u64 = 10;
const MAP: u64 = 30;
const STRUCTURE: u64 = 40;
const AUTHORIZATION: u64 = 350_000;

/// A character costs a tenth.
fn traversed(size: u64) -> u64 {
    size.div_ceil(10)
}

/// Every fourth character of a pattern may be an expression of its own.
fn matched(text: u64, pattern: u64) -> u64 {
    traversed(text.saturating_add(1)).saturating_mul(pattern.div_ceil(4))
}

/// What is known of an expression.
struct Estimate<'a> {
    cost: u64,
    /// How large its value may be.
    size: u64,
    bound: Option<&'a Bound>,
}

/// The variables in sight.
struct Scope<'a, 'b> {
    variables: &'b BTreeMap<&'b str, &'a Bound>,
    locals: Vec<(&'b str, Option<&'a Bound>)>,
    outer: Option<&'b Scope<'a, 'b>>,
}

fn sum(costs: impl IntoIterator<Item = u64>) -> u64 {
    costs.into_iter().fold(0, u64::saturating_add)
}

impl<'a> Scope<'a, '_> {
    /// `None`: no such variable. `Some(None)`: nothing is known of it.
    fn lookup(&self, name: &str) -> Option<Option<&'a Bound>> {
        let local = self.locals.iter().find(|(other, _)| *other == name).map(|(_, bound)| *bound);
        local.or_else(|| match self.outer {
            Some(outer) => outer.lookup(name),
            None => self.variables.get(name).map(|bound| Some(*bound)),
        })
    }

    /// An estimate of a value whose size follows from where it stands, or from its type.
    fn placed(&self, cost: u64, bound: Option<&'a Bound>, of: &Type) -> Estimate<'a> {
        let size = match (bound, of) {
            (Some(bound), _) => bound.max,
            (None, Type::Bool | Type::Int | Type::Uint | Type::Double | Type::Duration | Type::Timestamp) => 1,
            (None, _) => u64::MAX,
        };
        Estimate { cost, size, bound }
    }

    fn estimate(&self, expr: &Expr) -> Estimate<'a> {
        match &expr.node {
            Node::Literal(literal) => {
                let size = match literal {
                    Literal::String(text) => text.len() as u64,
                    Literal::Bytes(bytes) => bytes.len() as u64,
                    Literal::Null => u64::MAX,
                    _ => 1,
                };
                Estimate { cost: 0, size, bound: None }
            }
            Node::Ident(name) => self.placed(1, self.lookup(name).flatten(), &expr.of),
            Node::Select { operand, field, test, .. } => {
                let inner = self.estimate(operand);
                let own = *test || matches!(operand.of, Type::Map(..) | Type::Object(_));
                let cost = inner.cost.saturating_add(u64::from(own));
                let bound = inner.bound.and_then(|bound| bound.fields.get(field).or(bound.items.as_deref()));
                if *test { Estimate { cost, size: 1, bound: None } } else { self.placed(cost, bound, &expr.of) }
            }
            Node::List(elements) => {
                let cost = sum(elements.iter().map(|element| self.estimate(&element.value).cost));
                Estimate { cost: cost.saturating_add(LIST), size: elements.len() as u64, bound: None }
            }
            Node::Map(entries) => self.entries(MAP, entries),
            Node::Struct { fields, .. } => self.entries(STRUCTURE, fields),
            Node::Call { target, name, args } => self.call(expr, target.as_deref(), name, args),
            Node::Macro { kind, range, variables, body } => self.comprehension(*kind, range, variables, body),
        }
    }

    fn entries(&self, base: u64, entries: &[Entry]) -> Estimate<'a> {
        let inner = entries.iter().flat_map(|entry| [&entry.key, &entry.value]).map(|part| self.estimate(part).cost);
        Estimate { cost: sum(inner).saturating_add(base), size: entries.len() as u64, bound: None }
    }

    fn call(&self, expr: &Expr, target: Option<&Expr>, name: &str, args: &[Expr]) -> Estimate<'a> {
        let parts: Vec<&Expr> = target.into_iter().chain(args).collect();
        let values: Vec<Estimate> = parts.iter().map(|part| self.estimate(part)).collect();
        let costs = sum(values.iter().map(|value| value.cost));
        let size = |at: usize| values.get(at).map_or(0, |value| value.size);
        let is_text =
            |at: usize| parts.get(at).is_some_and(|part| matches!(part.of, Type::String | Type::Bytes | Type::Dyn));
        let is_list = |at: usize| parts.get(at).is_some_and(|part| matches!(part.of, Type::List(_) | Type::Dyn));
        let text_items = || match parts.first().map(|part| &part.of) {
            Some(Type::List(of)) if matches!(**of, Type::String | Type::Bytes) => {
                let items = values[0].bound.and_then(|bound| bound.items.as_deref());
                items.map_or(u64::MAX, |items| items.max)
            }
            _ => 0,
        };
        let smaller = || traversed(size(0).min(size(1)));
        let product = || size(0).saturating_mul(size(1));
        // The function's own cost, and the size of what it makes.
        let (own, made): (u64, Option<u64>) = match (name, parts.len()) {
            ("_&&_" | "_||_", 2) => (0, Some(1)),
            ("_?_:_", 3) => {
                let cost = values[0].cost.saturating_add(values[1].cost.max(values[2].cost));
                return Estimate { cost, size: size(1).max(size(2)), bound: None };
            }
            ("_[_]", 2) => {
                let bound = values[0].bound.and_then(|bound| bound.items.as_deref());
                return self.placed(costs.saturating_add(1), bound, &expr.of);
            }
            ("_+_", 2) if is_text(0) => {
                let both = size(0).saturating_add(size(1));
                (traversed(both), Some(both))
            }
            ("_+_", 2) if is_list(0) => (1, Some(size(0).saturating_add(size(1)))),
            ("@in", 2) if is_list(1) => (size(1), Some(1)),
            ("_==_" | "_!=_", 2) => (smaller(), Some(1)),
            ("_<_" | "_<=_" | "_>_" | "_>=_", 2) if is_text(0) => (smaller(), Some(1)),
            ("matches", 2) => (matched(size(0), size(1)), Some(1)),
            ("contains", 2) => (traversed(size(0)).saturating_mul(traversed(size(1))), Some(1)),
            ("startsWith" | "endsWith", 2) => (traversed(size(1)), Some(1)),
            ("format" | "url" | "isURL" | "quantity" | "isQuantity" | "ip" | "isIP" | "cidr" | "isCIDR", _)
                if is_text(0) =>
            {
                (traversed(size(0)), None)
            }
            ("string" | "bytes", 1) if is_text(0) => (traversed(size(0)), Some(size(0).saturating_mul(4))),
            ("lowerAscii" | "upperAscii" | "substring" | "trim", _) => (traversed(size(0)), Some(size(0))),
            ("strings.quote", 1) => (traversed(size(0)), Some(size(0).saturating_mul(2))),
            ("replace", _) => {
                let most = (size(0).saturating_add(1)).saturating_mul(size(2).max(1));
                (size(0).div_ceil(5), Some(most))
            }
            ("split", _) => (size(0).div_ceil(5), Some(size(0))),
            ("find" | "findAll", _) => (matched(size(0), size(1)), Some(size(0))),
            ("join", count) => {
                let separators = if count > 1 { size(0).saturating_mul(size(1)) } else { 0 };
                let whole = size(0).saturating_mul(text_items()).saturating_add(separators);
                (traversed(whole), Some(whole))
            }
            ("isSorted" | "sum" | "min" | "max" | "indexOf" | "lastIndexOf", _) if is_list(0) => {
                (size(0).saturating_mul(1 + traversed(text_items())), None)
            }
            ("indexOf" | "lastIndexOf", _) => (traversed(size(0)), Some(1)),
            ("sets.contains" | "sets.intersects", 2) => (product(), Some(1)),
            ("sets.equivalent", 2) => (product().saturating_mul(2), Some(1)),
            ("check", _) => (AUTHORIZATION, None),
            _ => (1, None),
        };
        let estimate = self.placed(costs.saturating_add(own), None, &expr.of);
        Estimate { size: made.unwrap_or(estimate.size), ..estimate }
    }

    fn comprehension(&self, kind: Macro, range: &Expr, variables: &[String], body: &[Expr]) -> Estimate<'a> {
        let over = self.estimate(range);
        let items = over.bound.and_then(|bound| bound.items.as_deref());
        let first = if matches!(range.of, Type::Map(..)) || variables.len() == 2 { Some(&NOTHING) } else { items };
        let locals = variables.iter().map(String::as_str).zip([first, items]).collect();
        let scope = Scope { variables: self.variables, locals, outer: Some(self) };
        let costs: Vec<u64> = body.iter().map(|part| scope.estimate(part).cost).collect();
        let (last, conditions) = (costs.last().copied().unwrap_or(0), sum(costs.iter().rev().skip(1).copied()));
        // What the macro makes of the body: what every round costs besides, what comes before and after.
        let (round, around) = match kind {
            Macro::All => (3, 1),
            Macro::Exists => (4, 1),
            Macro::ExistsOne => (2, 2),
            Macro::Filter => (13, LIST + 1),
            Macro::Map | Macro::TransformList => (12, LIST + 1),
            Macro::TransformMap | Macro::TransformMapEntry => (3, MAP + 1),
            Macro::OptMap | Macro::OptFlatMap => (0, LIST + 3),
        };
        let count = if matches!(kind, Macro::OptMap | Macro::OptFlatMap) { 1 } else { over.size };
        let rounds = count.saturating_mul(sum([round, last, conditions]));
        Estimate { cost: sum([over.cost, around, rounds]), size: count, bound: None }
    }
}
