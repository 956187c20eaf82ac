//! Recursive descent over the characters of a script.

use std::sync::Arc;

use super::ast::{Command, Connector, ListItem, Part, Redirect, RedirectKind, Script, Simple, Word};

/// How deep constructs may nest.
const DEPTH_MAX: usize = 60;

const KEYWORDS: [&str; 14] =
    ["if", "then", "elif", "else", "fi", "while", "until", "do", "done", "case", "esac", "{", "}", "!"];

/// Why a script does not parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub message: String,
    pub line: usize,
    /// More lines could complete the script.
    pub incomplete: bool,
}

/// Parses a whole script.
pub fn parse(source: &str) -> Result<Script, SyntaxError> {
    let mut parser = Parser { chars: source.chars().collect(), at: 0, here_end: None, depth: 0 };
    let script = parser.list()?;
    parser.skip_blank();
    match parser.peek() {
        None => Ok(script),
        Some(_) => Err(parser.unexpected()),
    }
}

pub(super) struct Parser {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
    /// Where the text goes on after the line that introduced here-documents.
    here_end: Option<usize>,
    depth: usize,
}

impl Parser {
    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn looking_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(offset, c)| self.chars.get(self.at + offset) == Some(&c))
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.looking_at(text);
        if found {
            self.at += text.chars().count();
        }
        found
    }

    pub(super) fn error(&self, message: &str, incomplete: bool) -> SyntaxError {
        let line = 1 + self.chars[..self.at.min(self.chars.len())].iter().filter(|c| **c == '\n').count();
        SyntaxError { message: message.to_owned(), line, incomplete }
    }

    fn unexpected(&self) -> SyntaxError {
        match self.peek() {
            None => self.error("syntax error: unexpected end of file", true),
            Some('\n') => self.error("syntax error: unexpected newline", false),
            Some(_) => {
                let token = self.peek_keyword().unwrap_or_else(|| self.peek().unwrap_or(' ').to_string());
                self.error(&format!("syntax error: unexpected \"{token}\""), false)
            }
        }
    }

    fn skip_blank(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('\\') if self.chars.get(self.at + 1) == Some(&'\n') => self.at += 2,
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn newline(&mut self) -> bool {
        if self.peek() != Some('\n') {
            return false;
        }
        self.at = self.here_end.take().unwrap_or(self.at + 1);
        true
    }

    fn skip_lines(&mut self) {
        loop {
            self.skip_blank();
            if !self.newline() {
                return;
            }
        }
    }

    /// The bare word here, if it is made of letters or a brace or `!` and ends at a separator.
    fn peek_keyword(&self) -> Option<String> {
        let rest = &self.chars[self.at.min(self.chars.len())..];
        let length = rest.iter().take_while(|c| !c.is_whitespace() && !";&|()<>".contains(**c)).count();
        let word: String = rest[..length].iter().collect();
        KEYWORDS.contains(&word.as_str()).then_some(word).or_else(|| {
            let bare: String = rest[..length].iter().collect();
            ["for", "in", "function"].contains(&bare.as_str()).then_some(bare)
        })
    }

    fn eat_keyword(&mut self, word: &str) -> bool {
        self.skip_blank();
        let found = self.peek_keyword().as_deref() == Some(word);
        if found {
            self.at += word.chars().count();
        }
        found
    }

    fn expect_keyword(&mut self, word: &str) -> Result<(), SyntaxError> {
        self.skip_lines();
        if self.eat_keyword(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn list(&mut self) -> Result<Script, SyntaxError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error("syntax error: too deeply nested", false));
        }
        let mut items = Vec::new();
        loop {
            self.skip_lines();
            if self.at_list_end() {
                break;
            }
            let command = self.and_or()?;
            self.skip_blank();
            let background = self.peek() == Some('&') && !self.looking_at("&&");
            let more = match self.peek() {
                Some('&') if background => {
                    self.at += 1;
                    true
                }
                Some(';') if !self.looking_at(";;") => {
                    self.at += 1;
                    true
                }
                Some('\n') => self.newline(),
                _ => false,
            };
            items.push(ListItem { command, background });
            if !more {
                break;
            }
        }
        self.depth -= 1;
        if items.len() == 1 && !items[0].background {
            return Ok(items.remove(0).command);
        }
        Ok(Arc::new(Command::List(items)))
    }

    /// A list that must hold a command.
    fn body(&mut self) -> Result<Script, SyntaxError> {
        let list = self.list()?;
        match &*list {
            Command::List(items) if items.is_empty() => Err(self.unexpected()),
            _ => Ok(list),
        }
    }

    fn at_list_end(&self) -> bool {
        const ENDS: [&str; 8] = ["then", "elif", "else", "fi", "do", "done", "esac", "}"];
        match self.peek() {
            None | Some(')') => true,
            Some(';') => self.looking_at(";;"),
            _ => self.peek_keyword().is_some_and(|word| ENDS.contains(&word.as_str())),
        }
    }

    fn and_or(&mut self) -> Result<Script, SyntaxError> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.skip_blank();
            let connector = if self.eat("&&") {
                Connector::And
            } else if self.eat("||") {
                Connector::Or
            } else {
                break;
            };
            self.skip_lines();
            rest.push((connector, self.pipeline()?));
        }
        Ok(if rest.is_empty() { first } else { Arc::new(Command::AndOr { first, rest }) })
    }

    fn pipeline(&mut self) -> Result<Script, SyntaxError> {
        let mut negated = false;
        while self.eat_keyword("!") {
            negated = !negated;
        }
        let mut stages = vec![self.command()?];
        loop {
            self.skip_blank();
            if self.peek() != Some('|') || self.looking_at("||") {
                break;
            }
            self.at += 1;
            self.skip_lines();
            stages.push(self.command()?);
        }
        if stages.len() == 1 && !negated {
            return Ok(stages.remove(0));
        }
        Ok(Arc::new(Command::Pipeline { negated, stages }))
    }

    fn command(&mut self) -> Result<Script, SyntaxError> {
        self.skip_blank();
        let keyword = self.peek_keyword();
        let compound = match keyword.as_deref() {
            Some("if") => self.if_command()?,
            Some(word @ ("while" | "until")) => self.loop_command(word)?,
            Some("for") => self.for_command()?,
            Some("case") => self.case_command()?,
            Some("{") => {
                self.eat_keyword("{");
                let list = self.body()?;
                self.expect_keyword("}")?;
                list
            }
            Some("function") => {
                self.eat_keyword("function");
                self.skip_blank();
                let name = self.name();
                self.skip_blank();
                let _ = self.eat("(") && self.eat(")");
                return self.function(name);
            }
            Some("in") | None => {
                if self.peek() == Some('(') {
                    self.at += 1;
                    let list = self.body()?;
                    self.skip_lines();
                    if !self.eat(")") {
                        return Err(self.unexpected());
                    }
                    Arc::new(Command::Subshell(list))
                } else {
                    return self.simple_or_function();
                }
            }
            Some(_) => return Err(self.unexpected()),
        };
        let mut redirects = Vec::new();
        loop {
            self.skip_blank();
            match self.redirect()? {
                Some(redirect) => redirects.push(redirect),
                None => break,
            }
        }
        if redirects.is_empty() {
            return Ok(compound);
        }
        Ok(Arc::new(Command::Redirected { command: compound, redirects }))
    }

    fn if_command(&mut self) -> Result<Script, SyntaxError> {
        self.eat_keyword("if");
        let mut arms = Vec::new();
        let mut otherwise = None;
        loop {
            let condition = self.body()?;
            self.expect_keyword("then")?;
            arms.push((condition, self.body()?));
            self.skip_lines();
            if self.eat_keyword("elif") {
                continue;
            }
            if self.eat_keyword("else") {
                otherwise = Some(self.body()?);
            }
            self.expect_keyword("fi")?;
            return Ok(Arc::new(Command::If { arms, otherwise }));
        }
    }

    fn loop_command(&mut self, word: &str) -> Result<Script, SyntaxError> {
        self.eat_keyword(word);
        let condition = self.body()?;
        let body = self.do_group()?;
        Ok(Arc::new(Command::Loop { until: word == "until", condition, body }))
    }

    fn do_group(&mut self) -> Result<Script, SyntaxError> {
        self.expect_keyword("do")?;
        let body = self.body()?;
        self.expect_keyword("done")?;
        Ok(body)
    }

    fn for_command(&mut self) -> Result<Script, SyntaxError> {
        self.eat_keyword("for");
        self.skip_blank();
        let name = self.name();
        if name.is_empty() {
            return Err(self.unexpected());
        }
        self.skip_lines();
        let mut words = None;
        if self.eat_keyword("in") {
            let mut list = Vec::new();
            loop {
                self.skip_blank();
                match self.word()? {
                    Some(word) => list.push(word),
                    None => break,
                }
            }
            words = Some(list);
        }
        self.skip_blank();
        let _ = self.eat(";");
        let body = self.do_group()?;
        Ok(Arc::new(Command::For { name, words, body }))
    }

    fn case_command(&mut self) -> Result<Script, SyntaxError> {
        self.eat_keyword("case");
        self.skip_blank();
        let subject = self.word()?.ok_or_else(|| self.unexpected())?;
        self.expect_keyword("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_lines();
            if self.eat_keyword("esac") {
                return Ok(Arc::new(Command::Case { subject, arms }));
            }
            let _ = self.eat("(");
            let mut patterns = Vec::new();
            loop {
                self.skip_blank();
                patterns.push(self.word()?.ok_or_else(|| self.unexpected())?);
                self.skip_blank();
                if !self.eat("|") {
                    break;
                }
            }
            if !self.eat(")") {
                return Err(self.unexpected());
            }
            let body = self.list()?;
            arms.push((patterns, body));
            self.skip_lines();
            if !self.eat(";;") && self.peek_keyword().as_deref() != Some("esac") {
                return Err(self.unexpected());
            }
        }
    }

    fn function(&mut self, name: String) -> Result<Script, SyntaxError> {
        self.skip_lines();
        let body = self.command()?;
        Ok(Arc::new(Command::Function { name, body }))
    }

    fn name(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn simple_or_function(&mut self) -> Result<Script, SyntaxError> {
        let start = self.at;
        let special = |c: &char| c.is_whitespace() || ";&|<>()$`\"'\\=*?[#".contains(*c);
        let name: String = self.chars[start..].iter().take_while(|c| !special(c)).collect();
        self.at += name.chars().count();
        self.skip_blank();
        if !name.is_empty() && self.eat("(") {
            self.skip_blank();
            if !self.eat(")") {
                return Err(self.unexpected());
            }
            return self.function(name);
        }
        self.at = start;
        let mut simple = Simple::default();
        loop {
            self.skip_blank();
            if let Some(redirect) = self.redirect()? {
                simple.redirects.push(redirect);
            } else if let Some(word) = self.word()? {
                match as_assignment(word) {
                    Ok(assign) if simple.words.is_empty() => simple.assigns.push(assign),
                    Ok((name, mut value)) => {
                        value.insert(0, Part::Text { text: format!("{name}="), quoted: false });
                        simple.words.push(value);
                    }
                    Err(word) => simple.words.push(word),
                }
            } else {
                break;
            }
        }
        if simple.words.is_empty() && simple.assigns.is_empty() && simple.redirects.is_empty() {
            return Err(self.unexpected());
        }
        Ok(Arc::new(Command::Simple(simple)))
    }

    fn redirect(&mut self) -> Result<Option<Redirect>, SyntaxError> {
        let digits = self.chars[self.at..].iter().take_while(|c| c.is_ascii_digit()).count();
        if !matches!(self.chars.get(self.at + digits), Some('<' | '>')) {
            if self.eat("&>") {
                let target = self.redirect_target()?;
                return Ok(Some(Redirect { fd: u32::MAX, kind: RedirectKind::Write, target }));
            }
            return Ok(None);
        }
        let number: String = self.chars[self.at..self.at + digits].iter().collect();
        self.at += digits;
        let fd = |default| number.parse().unwrap_or(default);
        let (fd, kind) = if self.eat("<<<") {
            let mut target = self.redirect_target()?;
            target.push(Part::Text { text: "\n".to_owned(), quoted: true });
            return Ok(Some(Redirect { fd: fd(0), kind: RedirectKind::HereDocument, target }));
        } else if self.eat("<<") {
            let target = self.here_document()?;
            return Ok(Some(Redirect { fd: fd(0), kind: RedirectKind::HereDocument, target }));
        } else if self.eat("<&") {
            (fd(0), RedirectKind::Duplicate)
        } else if self.eat(">&") {
            (fd(1), RedirectKind::Duplicate)
        } else if self.eat(">>") {
            (fd(1), RedirectKind::Append)
        } else if self.eat(">|") || self.eat(">") {
            (fd(1), RedirectKind::Write)
        } else {
            self.at += 1;
            (fd(0), RedirectKind::Read)
        };
        let target = self.redirect_target()?;
        Ok(Some(Redirect { fd, kind, target }))
    }

    fn redirect_target(&mut self) -> Result<Word, SyntaxError> {
        self.skip_blank();
        self.word()?.ok_or_else(|| self.unexpected())
    }

    fn here_document(&mut self) -> Result<Word, SyntaxError> {
        let strip_tabs = self.eat("-");
        let delimiter = self.redirect_target()?;
        let literal = delimiter.iter().any(|part| matches!(part, Part::Text { quoted: true, .. }));
        let delimiter: String =
            delimiter.iter().map(|part| if let Part::Text { text, .. } = part { text.as_str() } else { "" }).collect();
        let line_end = || self.chars[self.at..].iter().position(|c| *c == '\n').map(|offset| self.at + offset + 1);
        let mut at = self.here_end.or_else(line_end).unwrap_or(self.chars.len());
        let mut body = String::new();
        loop {
            if at >= self.chars.len() {
                self.here_end = Some(at);
                return Err(self.error("syntax error: unexpected end of file", true));
            }
            let length = self.chars[at..].iter().position(|c| *c == '\n').unwrap_or(self.chars.len() - at);
            let line: String = self.chars[at..at + length].iter().collect();
            at = (at + length + 1).min(self.chars.len());
            let line = if strip_tabs { line.trim_start_matches('\t') } else { &line };
            if line == delimiter {
                break;
            }
            body.push_str(line);
            body.push('\n');
        }
        self.here_end = Some(at);
        if literal {
            return Ok(vec![Part::Text { text: body, quoted: true }]);
        }
        let mut inner = Parser { chars: body.chars().collect(), at: 0, here_end: None, depth: self.depth };
        let mut word = Vec::new();
        inner.double_quoted(None, &mut word)?;
        Ok(word)
    }

    /// Parses the text of a `$(…)`, which starts here and ends at its `)`.
    pub(super) fn substitution(&mut self) -> Result<Script, SyntaxError> {
        let script = self.list()?;
        self.skip_lines();
        if !self.eat(")") {
            return Err(self.unexpected());
        }
        Ok(script)
    }

    /// A parser for text that was taken out of this one, such as what is between backticks.
    pub(super) fn nested(&mut self, text: String) -> Result<Script, SyntaxError> {
        if self.depth + 1 > DEPTH_MAX {
            return Err(self.error("syntax error: too deeply nested", false));
        }
        let mut inner = Parser { chars: text.chars().collect(), at: 0, here_end: None, depth: self.depth + 1 };
        inner.list()
    }

    pub(super) fn descend(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(self.error("syntax error: too deeply nested", false)) } else { Ok(()) }
    }

    pub(super) fn ascend(&mut self) {
        self.depth -= 1;
    }
}

/// Splits `name=value`, or gives the word back.
fn as_assignment(mut word: Word) -> Result<(String, Word), Word> {
    let Some(Part::Text { text, quoted: false }) = word.first() else { return Err(word) };
    let Some((name, value)) = text.split_once('=') else { return Err(word) };
    let valid = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !valid {
        return Err(word);
    }
    let (name, value) = (name.to_owned(), value.to_owned());
    if value.is_empty() {
        word.remove(0);
    } else {
        word[0] = Part::Text { text: value, quoted: false };
    }
    Ok((name, word))
}
