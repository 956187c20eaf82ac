//! Expressions, parsed. Operators are calls of functions with cel-go's names, such as `_+_`.

use crate::types::Type;

#[derive(Clone, Debug)]
pub(crate) struct Expr {
    /// Where errors point: the operator of a call, the dot of a selection. In characters.
    pub at: usize,
    /// How many expressions stand in each other, this one included.
    pub height: usize,
    /// Its type, once it has been checked.
    pub of: Type,
    pub node: Node,
}

#[derive(Clone, Debug)]
pub(crate) enum Node {
    Literal(Literal),
    Ident(String),
    Select {
        operand: Box<Expr>,
        field: String,
        /// `has(a.b)`
        test: bool,
        /// `a.?b`
        optional: bool,
    },
    Call {
        target: Option<Box<Expr>>,
        name: String,
        args: Vec<Expr>,
    },
    List(Vec<Element>),
    Map(Vec<Entry>),
    /// `Object.spec{replicas: 1}`: the keys are names.
    Struct {
        name: String,
        fields: Vec<Entry>,
    },
    Macro {
        kind: Macro,
        range: Box<Expr>,
        variables: Vec<String>,
        body: Vec<Expr>,
    },
}

#[derive(Clone, Debug)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
}

#[derive(Clone, Debug)]
pub(crate) struct Element {
    pub optional: bool,
    pub value: Expr,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub optional: bool,
    pub key: Expr,
    pub value: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Macro {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
    TransformList,
    TransformMap,
    TransformMapEntry,
    OptMap,
    OptFlatMap,
}

impl Macro {
    /// By the name of the method, and how many arguments it has.
    pub fn of(name: &str, arguments: usize) -> Option<Macro> {
        Some(match (name, arguments) {
            ("all", 2 | 3) => Macro::All,
            ("exists", 2 | 3) => Macro::Exists,
            ("exists_one" | "existsOne", 2) | ("existsOne", 3) => Macro::ExistsOne,
            ("map", 2 | 3) => Macro::Map,
            ("filter", 2) => Macro::Filter,
            ("transformList", 3 | 4) => Macro::TransformList,
            ("transformMap", 3 | 4) => Macro::TransformMap,
            ("transformMapEntry", 3 | 4) => Macro::TransformMapEntry,
            ("optMap", 2) => Macro::OptMap,
            ("optFlatMap", 2) => Macro::OptFlatMap,
            _ => return None,
        })
    }

    /// How many of the arguments name variables.
    pub fn variables(self, arguments: usize) -> usize {
        match self {
            Macro::All | Macro::Exists | Macro::ExistsOne => arguments - 1,
            Macro::Map | Macro::Filter | Macro::OptMap | Macro::OptFlatMap => 1,
            Macro::TransformList | Macro::TransformMap | Macro::TransformMapEntry => 2,
        }
    }
}

impl Expr {
    pub fn new(at: usize, node: Node) -> Expr {
        let highest = |list: &[Expr]| list.iter().map(|expr| expr.height).max().unwrap_or(0);
        let inner = match &node {
            Node::Literal(_) | Node::Ident(_) => 0,
            Node::Select { operand, .. } => operand.height,
            Node::Call { target, args, .. } => target.as_ref().map_or(0, |target| target.height).max(highest(args)),
            Node::List(elements) => elements.iter().map(|element| element.value.height).max().unwrap_or(0),
            Node::Map(entries) | Node::Struct { fields: entries, .. } => {
                entries.iter().map(|entry| entry.key.height.max(entry.value.height)).max().unwrap_or(0)
            }
            Node::Macro { range, body, .. } => range.height.max(highest(body)),
        };
        Expr { at, height: inner + 1, of: Type::Dyn, node }
    }

    pub fn call(at: usize, name: &str, args: Vec<Expr>) -> Expr {
        Expr::new(at, Node::Call { target: None, name: name.into(), args })
    }

    /// `a.b.c` for selections from a name.
    pub fn qualified_name(&self) -> Option<String> {
        match &self.node {
            Node::Ident(name) => Some(name.clone()),
            Node::Select { operand, field, test: false, optional: false } => {
                Some(format!("{}.{field}", operand.qualified_name()?))
            }
            _ => None,
        }
    }

    /// The variable is named somewhere in it.
    pub fn names(&self, variable: &str) -> bool {
        let any = |list: &[Expr]| list.iter().any(|expr| expr.names(variable));
        match &self.node {
            Node::Literal(_) => false,
            Node::Ident(name) => name == variable,
            Node::Select { operand, .. } => operand.names(variable),
            Node::Call { target, args, .. } => target.as_ref().is_some_and(|it| it.names(variable)) || any(args),
            Node::List(elements) => elements.iter().any(|element| element.value.names(variable)),
            Node::Map(entries) | Node::Struct { fields: entries, .. } => {
                entries.iter().any(|entry| entry.key.names(variable) || entry.value.names(variable))
            }
            Node::Macro { range, body, .. } => range.names(variable) || any(body),
        }
    }
}
