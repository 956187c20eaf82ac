//! From tokens to expressions. Upstream's grammar is `CEL.g4`; its macros are expanded here.

use crate::Issue;
use crate::ast::{Element, Entry, Expr, Literal, Macro, Node};
use crate::token::{Kind, Token, tokens};

/// Nested deeper, an expression is refused.
const DEPTH_MAX: usize = 250;

const START: &str =
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/// Words that name neither variables nor functions.
pub const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

pub(crate) fn parse(source: &str) -> Result<Expr, Issue> {
    let mut parser = Parser { tokens: tokens(source)?, next: 0, depth: 0 };
    let expr = parser.expression()?;
    let token = parser.peek();
    if token.kind == Kind::End {
        return Ok(expr);
    }
    let last = parser.tokens.get(parser.next + 1).is_none_or(|after| after.kind == Kind::End);
    let what = if last { "extraneous" } else { "mismatched" };
    Err(syntax(token, format!("{what} input '{}' expecting <EOF>", token.text)))
}

fn syntax(token: &Token, text: String) -> Issue {
    Issue::new(token.at, format!("Syntax error: {text}"))
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

/// Binary operators, the loosest first, with the names of their functions.
const BINARY: [&[(&str, &str)]; 5] = [
    &[("||", "_||_")],
    &[("&&", "_&&_")],
    &[("<", "_<_"), ("<=", "_<=_"), (">=", "_>=_"), (">", "_>_"), ("==", "_==_"), ("!=", "_!=_"), ("in", "@in")],
    &[("+", "_+_"), ("-", "_-_")],
    &[("*", "_*_"), ("/", "_/_"), ("%", "_%_")],
];

/// So many of the first of them are put together as balanced trees, as cel-go does: long ones are usual.
const JUNCTIONS: usize = 2;

/// `left && a && b && c`, as flat as it can be.
fn balanced(left: Expr, mut rest: Vec<(usize, &str, Expr)>) -> Expr {
    if rest.is_empty() {
        return left;
    }
    let mut right = rest.split_off(rest.len() / 2);
    let (at, name, middle) = right.remove(0);
    Expr::call(at, name, vec![balanced(left, rest), balanced(middle, right)])
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next]
    }

    fn take(&mut self) -> Token {
        let token = self.tokens[self.next].clone();
        if token.kind != Kind::End {
            self.next += 1;
        }
        token
    }

    fn sign(&self) -> &str {
        match &self.peek().kind {
            Kind::Sign(sign) => sign,
            Kind::Ident(word) if word == "in" => "in",
            _ => "",
        }
    }

    /// Takes the sign if it is next, and says where it stood.
    fn accept(&mut self, sign: &str) -> Option<usize> {
        (self.sign() == sign).then(|| self.take().at)
    }

    fn expect(&mut self, sign: &str) -> Result<usize, Issue> {
        if let Some(at) = self.accept(sign) {
            return Ok(at);
        }
        let token = self.peek();
        let text = if token.kind == Kind::End {
            format!("missing '{sign}' at '<EOF>'")
        } else {
            format!("mismatched input '{}' expecting '{sign}'", token.text)
        };
        Err(syntax(token, text))
    }

    fn expression(&mut self) -> Result<Expr, Issue> {
        self.depth += 1;
        self.check_depth(self.depth)?;
        let condition = self.binary(0)?;
        let expr = match self.accept("?") {
            None => condition,
            Some(at) => {
                let then = self.binary(0)?;
                self.expect(":")?;
                let otherwise = self.expression()?;
                Expr::call(at, "_?_:_", vec![condition, then, otherwise])
            }
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn check_depth(&self, depth: usize) -> Result<(), Issue> {
        if depth > DEPTH_MAX {
            return Err(Issue::new(self.peek().at, format!("expression recursion limit exceeded: {DEPTH_MAX}")));
        }
        Ok(())
    }

    fn binary(&mut self, level: usize) -> Result<Expr, Issue> {
        let Some(operators) = BINARY.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        let mut junctions = Vec::new();
        while let Some((_, name)) = operators.iter().find(|(sign, _)| *sign == self.sign()) {
            let at = self.take().at;
            let right = self.binary(level + 1)?;
            if level < JUNCTIONS {
                junctions.push((at, *name, right));
            } else {
                left = Expr::call(at, name, vec![left, right]);
                self.check_depth(left.height)?;
            }
        }
        Ok(balanced(left, junctions))
    }

    fn unary(&mut self) -> Result<Expr, Issue> {
        for (sign, name) in [("!", "!_"), ("-", "-_")] {
            let Some(at) = self.accept(sign) else { continue };
            if sign == "-" {
                let number = match self.peek().kind {
                    Kind::Int(number) => Some(Literal::Int(-number)),
                    Kind::IntMin => Some(Literal::Int(i64::MIN)),
                    Kind::Double(number) => Some(Literal::Double(-number)),
                    _ => None,
                };
                if let Some(number) = number {
                    self.take();
                    return self.members(Expr::new(at, Node::Literal(number)));
                }
            }
            let mut count = 1;
            while self.accept(sign).is_some() {
                count += 1;
            }
            let operand = self.primary()?;
            let operand = self.members(operand)?;
            return Ok(if count % 2 == 0 { operand } else { Expr::call(at, name, vec![operand]) });
        }
        let primary = self.primary()?;
        self.members(primary)
    }

    fn members(&mut self, mut expr: Expr) -> Result<Expr, Issue> {
        loop {
            self.check_depth(expr.height)?;
            if let Some(at) = self.accept(".") {
                expr = self.member(expr, at)?;
            } else if let Some(at) = self.accept("[") {
                let optional = self.accept("?").is_some();
                let index = self.expression()?;
                self.expect("]")?;
                expr = Expr::call(at, if optional { "_[?_]" } else { "_[_]" }, vec![expr, index]);
            } else if self.sign() == "{"
                && let Some(name) = expr.qualified_name()
            {
                let at = self.take().at;
                expr = Expr::new(at, Node::Struct { name, fields: self.fields()? });
            } else {
                return Ok(expr);
            }
        }
    }

    /// What follows a dot.
    fn member(&mut self, operand: Expr, at: usize) -> Result<Expr, Issue> {
        let optional = self.accept("?").is_some();
        let token = self.take();
        let field = match token.kind {
            Kind::Ident(name) if !matches!(name.as_str(), "in" | "true" | "false" | "null") => name,
            Kind::Quoted(name) => name,
            Kind::End => return Err(syntax(&token, "no viable alternative at input '.'".into())),
            _ => return Err(syntax(&token, format!("no viable alternative at input '.{}'", token.text))),
        };
        match self.accept("(") {
            Some(open) if !optional => {
                let args = self.arguments(")")?;
                method(operand, field, args, open)
            }
            Some(open) => Err(Issue::new(open, "Syntax error: unsupported syntax '.?'")),
            None => {
                let operand = Box::new(operand);
                Ok(Expr::new(at, Node::Select { operand, field, test: false, optional }))
            }
        }
    }

    fn arguments(&mut self, close: &str) -> Result<Vec<Expr>, Issue> {
        let mut args = Vec::new();
        if self.accept(close).is_some() {
            return Ok(args);
        }
        loop {
            args.push(self.expression()?);
            if self.accept(",").is_none() {
                self.expect(close)?;
                return Ok(args);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, Issue> {
        let token = self.take();
        let at = token.at;
        let literal = |literal: Literal| Ok(Expr::new(at, Node::Literal(literal)));
        match token.kind {
            Kind::Int(number) => literal(Literal::Int(number)),
            Kind::IntMin => Err(Issue::new(at, "invalid int literal")),
            Kind::Uint(number) => literal(Literal::Uint(number)),
            Kind::Double(number) => literal(Literal::Double(number)),
            Kind::String(text) => literal(Literal::String(text)),
            Kind::Bytes(bytes) => literal(Literal::Bytes(bytes)),
            Kind::Ident(ref word) => match word.as_str() {
                "true" => literal(Literal::Bool(true)),
                "false" => literal(Literal::Bool(false)),
                "null" => literal(Literal::Null),
                "in" => Err(unexpected(&token)),
                name => self.name(name, at),
            },
            Kind::Sign("(") => {
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            Kind::Sign("[") => self.list(at),
            Kind::Sign("{") => self.map(at),
            // A leading dot means the outermost scope; there is only one.
            Kind::Sign(".") => match self.take() {
                Token { kind: Kind::Ident(name), at, .. } => self.name(&name, at),
                other => Err(unexpected(&other)),
            },
            Kind::Sign(_) | Kind::Quoted(_) | Kind::End => Err(unexpected(&token)),
        }
    }

    fn name(&mut self, name: &str, at: usize) -> Result<Expr, Issue> {
        if RESERVED.contains(&name) {
            return Err(Issue::new(at, format!("reserved identifier: {name}")));
        }
        match self.accept("(") {
            None => Ok(Expr::new(at, Node::Ident(name.into()))),
            Some(open) => {
                let args = self.arguments(")")?;
                if name == "has" && args.len() == 1 {
                    return has(args, open);
                }
                Ok(Expr::call(open, name, args))
            }
        }
    }

    fn list(&mut self, at: usize) -> Result<Expr, Issue> {
        let mut elements = Vec::new();
        while self.accept("]").is_none() {
            let optional = self.accept("?").is_some();
            elements.push(Element { optional, value: self.expression()? });
            if self.accept(",").is_none() {
                self.expect("]")?;
                break;
            }
        }
        Ok(Expr::new(at, Node::List(elements)))
    }

    fn map(&mut self, at: usize) -> Result<Expr, Issue> {
        let entries = self.entries(|parser| {
            let key = parser.expression()?;
            parser.expect(":")?;
            Ok(key)
        })?;
        Ok(Expr::new(at, Node::Map(entries)))
    }

    /// The fields of a structure. Errors of a field point at its colon.
    fn fields(&mut self) -> Result<Vec<Entry>, Issue> {
        self.entries(|parser| {
            let token = parser.take();
            let (Kind::Ident(name) | Kind::Quoted(name)) = token.kind else { return Err(unexpected(&token)) };
            let at = parser.expect(":")?;
            Ok(Expr::new(at, Node::Literal(Literal::String(name))))
        })
    }

    /// What stands in braces: `key` reads up to the value, the colon included.
    fn entries(&mut self, key: fn(&mut Parser) -> Result<Expr, Issue>) -> Result<Vec<Entry>, Issue> {
        let mut entries = Vec::new();
        while self.accept("}").is_none() {
            let optional = self.accept("?").is_some();
            entries.push(Entry { optional, key: key(self)?, value: self.expression()? });
            if self.accept(",").is_none() {
                self.expect("}")?;
                break;
            }
        }
        Ok(entries)
    }
}

fn unexpected(token: &Token) -> Issue {
    syntax(token, format!("mismatched input '{}' expecting {START}", token.text))
}

/// `has(a.b)`
fn has(mut args: Vec<Expr>, open: usize) -> Result<Expr, Issue> {
    let argument = args.remove(0);
    match argument.node {
        Node::Select { operand, field, optional, .. } => {
            Ok(Expr::new(open, Node::Select { operand, field, test: true, optional }))
        }
        _ => Err(Issue::new(argument.at, "invalid argument to has() macro")),
    }
}

/// A method call, which may be a macro.
fn method(target: Expr, name: String, mut args: Vec<Expr>, open: usize) -> Result<Expr, Issue> {
    let Some(kind) = Macro::of(&name, args.len()) else {
        return Ok(Expr::new(open, Node::Call { target: Some(Box::new(target)), name, args }));
    };
    let body = args.split_off(kind.variables(args.len()));
    let mut variables = Vec::new();
    for argument in args {
        match argument.node {
            Node::Ident(name) => variables.push(name),
            _ => return Err(Issue::new(argument.at, "argument must be a simple name")),
        }
    }
    Ok(Expr::new(open, Node::Macro { kind, range: Box::new(target), variables, body }))
}
