//! From tokens to trees. Upstream: `text/template/parse/parse.go`.

use std::collections::BTreeMap;

use api::go;
use serde_json::Value;

use super::functions::FUNCTIONS;
use super::lex::{Kind, Token, lex};
use super::tree::{Branch, Command, Node, Pipe, Term, What};

/// Templates by their names; the whole text is `output`.
pub(super) type Trees = BTreeMap<String, Vec<Node>>;

pub(super) const ROOT: &str = "output";

/// Blocks and parentheses in each other: whoever wants more means harm.
const DEPTH_MAX: usize = 100;

pub(super) fn parse(text: &str) -> Result<Trees, String> {
    let mut parser = Parser {
        tokens: lex(text),
        at: 0,
        furthest: 0,
        variables: vec!["$".into()],
        ranges: 0,
        depth: 0,
        action_line: None,
        trees: Trees::new(),
    };
    parser.whole().map_err(|why| {
        let line = parser.tokens.get(parser.furthest).map_or(1, |token| token.line);
        format!("template: {ROOT}:{line}: {why}")
    })?;
    Ok(parser.trees)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    /// The last token that was looked at: mistakes are on its line.
    furthest: usize,
    variables: Vec<String>,
    ranges: usize,
    depth: usize,
    /// Where the action begins that is being read.
    action_line: Option<usize>,
    trees: Trees,
}

/// What ends a list of nodes.
enum End {
    End,
    /// `{{else}}`; `if` and `with` may follow.
    Else,
}

impl End {
    fn shown(&self) -> &'static str {
        match self {
            End::End => "{{end}}",
            End::Else => "{{else}}",
        }
    }
}

enum Item {
    Node(Node),
    End(End),
}

impl Parser {
    fn peek(&mut self) -> &Token {
        let last = self.tokens.len() - 1;
        self.furthest = self.furthest.max(self.at.min(last));
        &self.tokens[self.at.min(last)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn next_word(&mut self) -> Token {
        self.peek_word();
        self.next()
    }

    /// The next token that is no space; spaces before it are skipped.
    fn peek_word(&mut self) -> &Token {
        while self.peek().kind == Kind::Space {
            self.at += 1;
        }
        self.peek()
    }

    fn unexpected<T>(&self, token: &Token, context: &str) -> Result<T, String> {
        if token.kind != Kind::Mistake {
            return Err(format!("unexpected {} in {context}", token.shown()));
        }
        let started = self.action_line.filter(|line| *line != token.line);
        let place = started.map_or_else(String::new, |line| match token.text.ends_with(" action") {
            true => format!(" started at {ROOT}:{line}"),
            false => format!(" in action started at {ROOT}:{line}"),
        });
        Err(format!("{}{place}", token.text))
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Result<Token, String> {
        let token = self.next_word();
        if token.kind == kind { Ok(token) } else { self.unexpected(&token, context) }
    }

    fn whole(&mut self) -> Result<(), String> {
        let mut root = Vec::new();
        while self.peek().kind != Kind::End {
            if self.peek().kind == Kind::Open {
                let open = self.at;
                self.at += 1;
                if self.next_word().is("define") {
                    self.definition()?;
                    continue;
                }
                self.at = open;
            }
            match self.text_or_action()? {
                Item::Node(node) => root.push(node),
                Item::End(end) => return Err(format!("unexpected {}", end.shown())),
            }
        }
        self.add(ROOT.into(), root)
    }

    fn add(&mut self, name: String, nodes: Vec<Node>) -> Result<(), String> {
        let is_empty =
            |nodes: &[Node]| nodes.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()));
        match self.trees.get(&name) {
            Some(known) if !is_empty(known) && is_empty(&nodes) => Ok(()),
            Some(known) if !is_empty(known) => Err(format!("template: multiple definition of template {name:?}")),
            _ => {
                self.trees.insert(name, nodes);
                Ok(())
            }
        }
    }

    fn definition(&mut self) -> Result<(), String> {
        let token = self.next_word();
        let name = self.template_name(&token, "define clause")?;
        self.expect(Kind::Close, "define clause")?;
        let nodes = self.separate_list("define clause")?;
        self.add(name, nodes)
    }

    /// The nodes of a template of its own: it sees none of the variables around it.
    fn separate_list(&mut self, context: &str) -> Result<Vec<Node>, String> {
        let variables = std::mem::replace(&mut self.variables, vec!["$".into()]);
        let ranges = std::mem::take(&mut self.ranges);
        let (nodes, end) = self.list()?;
        (self.variables, self.ranges) = (variables, ranges);
        match end {
            End::End => Ok(nodes),
            End::Else => Err(format!("unexpected {} in {context}", end.shown())),
        }
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Result<String, String> {
        match token.kind {
            Kind::String | Kind::RawString => unquoted(token),
            _ => self.unexpected(token, context),
        }
    }

    /// The nodes up to `{{end}}` or `{{else}}`.
    fn list(&mut self) -> Result<(Vec<Node>, End), String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("blocks are nested too deeply".into());
        }
        let mut nodes = Vec::new();
        while self.peek_word().kind != Kind::End {
            match self.text_or_action()? {
                Item::Node(node) => nodes.push(node),
                Item::End(end) => {
                    self.depth -= 1;
                    return Ok((nodes, end));
                }
            }
        }
        Err("unexpected EOF".into())
    }

    fn text_or_action(&mut self) -> Result<Item, String> {
        let token = self.next_word();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text(token.text))),
            Kind::Open => {
                self.action_line = Some(token.line);
                let action = self.action()?;
                self.action_line = None;
                Ok(action)
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Result<Item, String> {
        let token = self.next_word();
        let keyword = if token.kind == Kind::Keyword { token.text.as_str() } else { "" };
        Ok(Item::Node(match keyword {
            "if" => Node::If(self.branch("if")?),
            "with" => Node::With(self.branch("with")?),
            "range" => Node::Range(self.branch("range")?),
            "break" => self.leaves_range("{{break}}", Node::Break)?,
            "continue" => self.leaves_range("{{continue}}", Node::Continue)?,
            "end" => {
                self.expect(Kind::Close, "end")?;
                return Ok(Item::End(End::End));
            }
            "else" => {
                let next = self.peek_word();
                if !next.is("if") && !next.is("with") {
                    self.expect(Kind::Close, "else")?;
                }
                return Ok(Item::End(End::Else));
            }
            "template" => {
                let token = self.next_word();
                let name = self.template_name(&token, "template clause")?;
                let pipe = match self.peek_word().kind {
                    Kind::Close => {
                        self.at += 1;
                        None
                    }
                    _ => Some(self.pipe("template clause", Kind::Close)?),
                };
                Node::Template { at: token.at, name, pipe }
            }
            "block" => {
                let token = self.next_word();
                let name = self.template_name(&token, "block clause")?;
                let pipe = Some(self.pipe("block clause", Kind::Close)?);
                let nodes = self.separate_list("block clause")?;
                self.add(name.clone(), nodes)?;
                Node::Template { at: token.at, name, pipe }
            }
            _ => {
                self.at -= 1;
                Node::Action(self.pipe("command", Kind::Close)?)
            }
        }))
    }

    fn leaves_range(&mut self, shown: &str, node: Node) -> Result<Node, String> {
        self.expect(Kind::Close, shown)?;
        if self.ranges == 0 { Err(format!("{shown} outside {{{{range}}}}")) } else { Ok(node) }
    }

    fn branch(&mut self, word: &str) -> Result<Branch, String> {
        let known = self.variables.len();
        let is_range = usize::from(word == "range");
        let pipe = self.pipe(word, Kind::Close)?;
        self.ranges += is_range;
        let (then, end) = self.list()?;
        self.ranges -= is_range;
        let otherwise = match end {
            End::End => Vec::new(),
            // One `{{end}}` ends them both.
            End::Else if word != "range" && self.peek().is(word) => {
                self.at += 1;
                self.depth += 1;
                let inner = self.branch(word)?;
                self.depth -= 1;
                vec![if word == "if" { Node::If(inner) } else { Node::With(inner) }]
            }
            End::Else => match self.list()? {
                (nodes, End::End) => nodes,
                (_, end) => return Err(format!("expected end; found {}", end.shown())),
            },
        };
        self.variables.truncate(known);
        Ok(Branch { pipe, then, otherwise })
    }

    fn pipe(&mut self, context: &str, end: Kind) -> Result<Pipe, String> {
        let mut pipe = Pipe { at: self.peek_word().at, ..Pipe::default() };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.next_word();
            match token.kind {
                kind if kind == end => break,
                Kind::Bool
                | Kind::CharConstant
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {}
                Kind::Keyword if matches!(token.text.as_str(), "." | "nil") => {}
                _ => return self.unexpected(&token, context),
            }
            self.at -= 1;
            pipe.commands.push(self.command()?);
        }
        if pipe.commands.is_empty() {
            return Err(format!("missing value for {context}"));
        }
        let is_plain = |command: &Command| {
            use What::{Bool, Dot, Nil, Number, Text};
            matches!(command.args[0].what, Bool(_) | Dot | Nil | Number(..) | Text(..))
        };
        match pipe.commands.iter().skip(1).position(is_plain) {
            Some(at) => Err(format!("non executable command in pipeline stage {}", at + 2)),
            None => Ok(pipe),
        }
    }

    /// `$x :=`, `$x =`, and in a range `$i, $x :=`.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Result<(), String> {
        loop {
            let variable = self.peek_word().clone();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            let before = self.at;
            self.at += 1;
            let next = self.peek_word().clone();
            let is_comma = next.kind == Kind::Char && next.text == ",";
            if !is_comma && !matches!(next.kind, Kind::Assign | Kind::Declare) {
                self.at = before;
                return Ok(());
            }
            self.at += 1;
            pipe.assigns = next.kind == Kind::Assign;
            pipe.variables.push(variable.text.clone());
            self.variables.push(variable.text);
            if !is_comma {
                return Ok(());
            }
            if context != "range" || pipe.variables.len() >= 2 {
                return Err(format!("too many declarations in {context}"));
            }
            if !matches!(self.peek_word().kind, Kind::Variable | Kind::Close | Kind::RightParen) {
                return Err("range can only initialize variables".into());
            }
        }
    }

    fn command(&mut self) -> Result<Command, String> {
        let mut command = Command { at: self.peek_word().at, args: Vec::new() };
        loop {
            self.peek_word();
            command.args.extend(self.operand()?);
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::Close | Kind::RightParen => self.at -= 1,
                Kind::Pipe => {}
                _ => return self.unexpected(&token, "operand"),
            }
            break;
        }
        if command.args.is_empty() { Err("empty command".into()) } else { Ok(command) }
    }

    /// A term and the fields behind it.
    fn operand(&mut self) -> Result<Option<Term>, String> {
        let Some(mut term) = self.term()? else { return Ok(None) };
        if self.peek().kind != Kind::Field {
            return Ok(Some(term));
        }
        let at = self.peek().at;
        let mut names = Vec::new();
        while self.peek().kind == Kind::Field {
            names.push(self.next().text[1..].to_owned());
        }
        match &mut term.what {
            What::Field(known) | What::Variable(_, known) => {
                known.extend(names);
                term.at = at;
            }
            What::Bool(_) | What::Text(..) | What::Number(..) | What::Nil | What::Dot => {
                return Err(format!("unexpected . after term {:?}", term.to_string()));
            }
            _ => term = Term { at, what: What::Chain(Box::new(term), names) },
        }
        Ok(Some(term))
    }

    fn term(&mut self) -> Result<Option<Term>, String> {
        let token = self.next_word();
        let what = match token.kind {
            Kind::Identifier if !FUNCTIONS.contains(&token.text.as_str()) => {
                return Err(format!("function {:?} not defined", token.text));
            }
            Kind::Identifier => What::Function(token.text),
            Kind::Keyword if token.text == "." => What::Dot,
            Kind::Keyword if token.text == "nil" => What::Nil,
            Kind::Variable if !self.variables.contains(&token.text) => {
                return Err(format!("undefined variable {:?}", token.text));
            }
            Kind::Variable => What::Variable(token.text, Vec::new()),
            Kind::Field => What::Field(vec![token.text[1..].to_owned()]),
            Kind::Bool => What::Bool(token.text == "true"),
            Kind::CharConstant | Kind::Number => {
                let value = number(&token.text)?;
                What::Number(token.text, value)
            }
            Kind::LeftParen => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return Err("parentheses are nested too deeply".into());
                }
                let pipe = self.pipe("parenthesized pipeline", Kind::RightParen)?;
                self.depth -= 1;
                What::Pipe(pipe)
            }
            Kind::String | Kind::RawString => {
                let text = unquoted(&token)?;
                What::Text(token.text, text)
            }
            _ => {
                self.at -= 1;
                return Ok(None);
            }
        };
        Ok(Some(Term { at: token.at, what }))
    }
}

fn unquoted(token: &Token) -> Result<String, String> {
    let inner = &token.text[1..token.text.len() - 1];
    match token.kind {
        Kind::RawString => Ok(inner.replace('\r', "")),
        _ => go::unquote(inner, '"').ok_or_else(|| "invalid syntax".into()),
    }
}

/// A constant: a whole number, one with a point or exponent, or a character.
fn number(text: &str) -> Result<Value, String> {
    if let Some(inner) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        let inner = go::unquote(inner, '\'').filter(|text| text.chars().count() == 1);
        let letter = inner.and_then(|text| text.chars().next());
        return letter
            .map(|c| Value::from(u32::from(c)))
            .ok_or_else(|| format!("malformed character constant: {text}"));
    }
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (if text.starts_with('-') { "-" } else { "" }, digits),
        None => ("", text),
    };
    let plain = digits.replace('_', "").to_lowercase();
    let in_base = |digits: &str, base| i64::from_str_radix(&format!("{sign}{digits}"), base).ok();
    let whole = match plain.get(..2) {
        Some("0x") => in_base(&plain[2..], 16),
        Some("0o") => in_base(&plain[2..], 8),
        Some("0b") => in_base(&plain[2..], 2),
        _ if plain.len() > 1 && plain.starts_with('0') => in_base(&plain[1..], 8),
        _ => in_base(&plain, 10),
    };
    if let Some(whole) = whole {
        return Ok(Value::from(whole));
    }
    match format!("{sign}{plain}").parse::<f64>() {
        Ok(_) if !plain.contains(['.', 'e']) => Err(format!("integer overflow: {text:?}")),
        Ok(value) if plain.contains(|c: char| c.is_ascii_digit()) => Ok(Value::from(value)),
        _ => Err(format!("illegal number syntax: {text:?}")),
    }
}
