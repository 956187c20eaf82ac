//! The tokens of a template. Upstream: `text/template/parse/lex.go`.

/// What a token is. Keywords come with the others that are shown in angle brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The token's text says what is wrong.
    Mistake,
    End,
    Text,
    Open,
    Close,
    Space,
    Bool,
    Char,
    CharConstant,
    Declare,
    Assign,
    Field,
    Identifier,
    LeftParen,
    RightParen,
    Number,
    Pipe,
    RawString,
    String,
    Variable,
    Keyword,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub at: usize,
    pub line: usize,
    pub text: String,
}

impl Token {
    pub fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Keyword && self.text == keyword
    }

    /// As messages show it.
    pub fn shown(&self) -> String {
        match self.kind {
            Kind::End => "EOF".into(),
            Kind::Mistake => self.text.clone(),
            Kind::Keyword => format!("<{}>", self.text),
            _ if self.text.len() > 10 => format!("{:?}...", self.text.chars().take(10).collect::<String>()),
            _ => format!("{:?}", self.text),
        }
    }
}

const KEYWORDS: [&str; 12] =
    [".", "block", "break", "continue", "define", "else", "end", "if", "nil", "range", "template", "with"];
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

struct Lexer<'a> {
    input: &'a str,
    start: usize,
    at: usize,
    parens: usize,
    tokens: Vec<Token>,
}

/// All tokens of a template; the last is the end or a mistake.
pub(super) fn lex(input: &str) -> Vec<Token> {
    let mut lexer = Lexer { input, start: 0, at: 0, parens: 0, tokens: Vec::new() };
    if let Err(why) = lexer.texts() {
        lexer.push(Kind::Mistake, why);
    }
    lexer.tokens
}

/// `U+0024 '$'`
fn code_point(c: char) -> String {
    format!("U+{:04X} '{c}'", u32::from(c))
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.input[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn skip(&mut self, accept: impl Fn(char) -> bool) {
        self.at += self.rest().find(|c| !accept(c)).unwrap_or(self.rest().len());
    }

    fn accept(&mut self, set: &str) -> bool {
        let is_in = self.peek().is_some_and(|c| set.contains(c));
        self.at += usize::from(is_in);
        is_in
    }

    fn push(&mut self, kind: Kind, text: String) {
        let line = 1 + self.input[..self.start].matches('\n').count();
        self.tokens.push(Token { kind, at: self.start, line, text });
    }

    fn emit(&mut self, kind: Kind) {
        self.push(kind, self.input[self.start..self.at].into());
        self.start = self.at;
    }

    /// Texts and actions up to the end.
    fn texts(&mut self) -> Result<(), String> {
        loop {
            let Some(open) = self.rest().find("{{") else {
                self.at = self.input.len();
                if self.at > self.start {
                    self.emit(Kind::Text);
                }
                self.emit(Kind::End);
                return Ok(());
            };
            let after = &self.rest()[open + 2..];
            let trims = after.starts_with('-') && after[1..].starts_with(SPACES);
            self.at += open;
            let whole = self.at;
            if trims {
                self.at = self.start + self.input[self.start..self.at].trim_end_matches(SPACES).len();
            }
            if self.at > self.start {
                self.emit(Kind::Text);
            }
            self.at = whole + 2;
            let inside = self.at + if trims { 2 } else { 0 };
            if self.input[inside..].starts_with("/*") {
                self.at = inside;
                self.start = whole;
                self.comment()?;
                continue;
            }
            self.start = whole;
            self.emit(Kind::Open);
            self.at = inside;
            self.start = inside;
            self.parens = 0;
            self.action()?;
        }
    }

    fn comment(&mut self) -> Result<(), String> {
        let Some(end) = self.rest().find("*/") else { return Err("unclosed comment".into()) };
        self.at += end + 2;
        let Some(length) = self.close() else { return Err("comment ends before closing delimiter".into()) };
        self.leave(length);
        self.start = self.at;
        Ok(())
    }

    /// How much of the rest closes an action, its trimming mark included.
    fn close(&self) -> Option<usize> {
        let rest = self.rest();
        let trims = rest.starts_with(SPACES) && rest[1..].starts_with("-}}");
        if trims { Some(4) } else { rest.starts_with("}}").then_some(2) }
    }

    /// Leaves an action by so many bytes.
    fn leave(&mut self, length: usize) {
        self.at += length;
        if length == 4 {
            self.skip(|c| SPACES.contains(&c));
        }
    }

    fn action(&mut self) -> Result<(), String> {
        loop {
            if let Some(length) = self.close() {
                if self.parens > 0 {
                    return Err("unclosed left paren".into());
                }
                self.start = self.at + length - 2;
                self.push(Kind::Close, "}}".into());
                self.leave(length);
                self.start = self.at;
                return Ok(());
            }
            let Some(c) = self.next() else { return Err("unclosed action".into()) };
            match c {
                c if SPACES.contains(&c) => {
                    while self.peek().is_some_and(|c| SPACES.contains(&c)) && self.close().is_none() {
                        self.next();
                    }
                    self.emit(Kind::Space);
                }
                '=' => self.emit(Kind::Assign),
                ':' => match self.next() {
                    Some('=') => self.emit(Kind::Declare),
                    _ => return Err("expected :=".into()),
                },
                '|' => self.emit(Kind::Pipe),
                '"' => self.quoted('"', Kind::String, "unterminated quoted string")?,
                '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant")?,
                '`' => match self.rest().find('`') {
                    Some(end) => {
                        self.at += end + 1;
                        self.emit(Kind::RawString);
                    }
                    None => return Err("unterminated raw quoted string".into()),
                },
                '$' => self.name(Kind::Variable)?,
                '.' if !self.peek().is_some_and(|c| c.is_ascii_digit()) => match self.is_terminated() {
                    true => self.emit(Kind::Keyword),
                    false => self.name(Kind::Field)?,
                },
                '.' | '+' | '-' | '0'..='9' => {
                    self.at -= 1;
                    self.number()?;
                }
                c if is_word(c) => self.word()?,
                '(' => {
                    self.parens += 1;
                    self.emit(Kind::LeftParen);
                }
                ')' if self.parens == 0 => return Err("unexpected right paren".into()),
                ')' => {
                    self.parens -= 1;
                    self.emit(Kind::RightParen);
                }
                c if c.is_ascii_graphic() => self.emit(Kind::Char),
                c => return Err(format!("unrecognized character in action: {}", code_point(c))),
            }
        }
    }

    fn is_terminated(&self) -> bool {
        match self.peek() {
            None => true,
            Some(c) => SPACES.contains(&c) || matches!(c, '.' | ',' | '|' | ':' | ')' | '(' | '}'),
        }
    }

    /// The rest of a field's or a variable's name.
    fn name(&mut self, kind: Kind) -> Result<(), String> {
        self.skip(is_word);
        self.terminated()?;
        self.emit(kind);
        Ok(())
    }

    fn terminated(&self) -> Result<(), String> {
        match self.peek() {
            Some(c) if !self.is_terminated() => Err(format!("bad character {}", code_point(c))),
            _ => Ok(()),
        }
    }

    fn word(&mut self) -> Result<(), String> {
        self.skip(is_word);
        self.terminated()?;
        self.emit(match &self.input[self.start..self.at] {
            word if KEYWORDS.contains(&word) => Kind::Keyword,
            "true" | "false" => Kind::Bool,
            _ => Kind::Identifier,
        });
        Ok(())
    }

    fn quoted(&mut self, quote: char, kind: Kind, otherwise: &str) -> Result<(), String> {
        loop {
            match self.next() {
                Some('\\') if self.next().is_some_and(|c| c != '\n') => {}
                Some('\\' | '\n') | None => return Err(otherwise.into()),
                Some(c) if c == quote => break,
                Some(_) => {}
            }
        }
        self.emit(kind);
        Ok(())
    }

    fn number(&mut self) -> Result<(), String> {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            digits = if self.accept("xX") {
                "0123456789abcdefABCDEF_"
            } else if self.accept("oO") {
                "01234567_"
            } else if self.accept("bB") {
                "01_"
            } else {
                digits
            };
        }
        self.skip(|c| digits.contains(c));
        if self.accept(".") {
            self.skip(|c| digits.contains(c));
        }
        if digits.len() == 11 && self.accept("eE") {
            self.accept("+-");
            self.skip(|c| digits.contains(c));
        }
        if self.peek().is_some_and(is_word) {
            self.next();
            return Err(format!("bad number syntax: {:?}", &self.input[self.start..self.at]));
        }
        self.emit(Kind::Number);
        Ok(())
    }
}
