//! From text to tokens.

use crate::Issue;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Int(i64),
    /// A magnitude that only fits with a minus before it.
    IntMin,
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
    /// Also `true`, `false`, `null` and `in`.
    Ident(String),
    /// An identifier in backquotes.
    Quoted(String),
    /// An operator or bracket.
    Sign(&'static str),
    End,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub kind: Kind,
    /// In characters from the start of the source.
    pub at: usize,
    /// As it was written.
    pub text: String,
}

/// Longer ones first.
const SIGNS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "(", ")", "[", "]", "{", "}", ".", ",", "?", ":", "+", "-", "*", "/", "%", "!",
    "<", ">",
];

pub(crate) fn tokens(source: &str) -> Result<Vec<Token>, Issue> {
    let mut reader = Reader { text: source.chars().collect(), at: 0 };
    let mut tokens = Vec::new();
    loop {
        reader.skip_blanks();
        let at = reader.at;
        let kind = reader.token()?;
        let text = if kind == Kind::End { "<EOF>".into() } else { reader.text[at..reader.at].iter().collect() };
        let ends = kind == Kind::End;
        tokens.push(Token { kind, at, text });
        if ends {
            return Ok(tokens);
        }
    }
}

struct Reader {
    text: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self, ahead: usize) -> char {
        self.text.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == c)
    }

    fn skip_blanks(&mut self) {
        loop {
            match self.peek(0) {
                ' ' | '\t' | '\n' | '\r' | '\u{c}' => self.at += 1,
                '/' if self.peek(1) == '/' => {
                    while self.at < self.text.len() && self.peek(0) != '\n' {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn token(&mut self) -> Result<Kind, Issue> {
        let first = self.peek(0);
        if self.at >= self.text.len() {
            return Ok(Kind::End);
        }
        if first.is_ascii_digit() || (first == '.' && self.peek(1).is_ascii_digit()) {
            return self.number();
        }
        if let Some((prefix, raw, bytes)) = self.string_prefix() {
            self.at += prefix;
            return self.string(raw, bytes);
        }
        if first.is_ascii_alphabetic() || first == '_' {
            return Ok(Kind::Ident(self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')));
        }
        if first == '`' {
            let start = self.at;
            self.at += 1;
            let name = self.take_while(|c| c.is_ascii_alphanumeric() || "_.-/ ".contains(c));
            if self.peek(0) == '`' {
                self.at += 1;
                return Ok(Kind::Quoted(name));
            }
            self.at = start;
        }
        match SIGNS.iter().find(|sign| self.starts_with(sign)) {
            Some(sign) => {
                self.at += sign.len();
                Ok(Kind::Sign(sign))
            }
            None => Err(self.unknown(self.at, self.at + 1)),
        }
    }

    fn unknown(&self, from: usize, to: usize) -> Issue {
        let text: String = self.text[from..to.min(self.text.len())].iter().collect();
        Issue::new(from, format!("Syntax error: token recognition error at: '{text}'"))
    }

    fn take_while(&mut self, holds: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.at < self.text.len() && holds(self.peek(0)) {
            self.at += 1;
        }
        self.text[start..self.at].iter().collect()
    }

    fn number(&mut self) -> Result<Kind, Issue> {
        let start = self.at;
        let hexadecimal = self.peek(0) == '0' && matches!(self.peek(1), 'x' | 'X');
        let (digits, radix) = if hexadecimal {
            self.at += 2;
            (self.take_while(|c| c.is_ascii_hexdigit()), 16)
        } else {
            (self.take_while(|c| c.is_ascii_digit()), 10)
        };
        let fraction = !hexadecimal && self.peek(0) == '.' && self.peek(1).is_ascii_digit();
        let exponent = |reader: &Reader| {
            let sign = usize::from(matches!(reader.peek(1), '+' | '-'));
            matches!(reader.peek(0), 'e' | 'E') && reader.peek(1 + sign).is_ascii_digit()
        };
        if fraction || (!hexadecimal && exponent(self)) {
            if fraction {
                self.at += 1;
                self.take_while(|c| c.is_ascii_digit());
            }
            if exponent(self) {
                self.at += 2;
                self.take_while(|c| c.is_ascii_digit());
            }
            let text: String = self.text[start..self.at].iter().collect();
            return text.parse().map(Kind::Double).map_err(|_| Issue::new(start, "invalid double literal"));
        }
        if matches!(self.peek(0), 'u' | 'U') {
            self.at += 1;
            let number = u64::from_str_radix(&digits, radix);
            return number.map(Kind::Uint).map_err(|_| Issue::new(start, "invalid uint literal"));
        }
        match u64::from_str_radix(&digits, radix) {
            Ok(number) if number == i64::MIN.unsigned_abs() => Ok(Kind::IntMin),
            Ok(number) => i64::try_from(number).map(Kind::Int).map_err(|_| Issue::new(start, "invalid int literal")),
            Err(_) => Err(Issue::new(start, "invalid int literal")),
        }
    }

    /// The length of the letters before a quote, whether the string is raw, whether it is bytes.
    fn string_prefix(&self) -> Option<(usize, bool, bool)> {
        let letter = |ahead: usize| self.peek(ahead).to_ascii_lowercase();
        let quote = |ahead: usize| matches!(self.peek(ahead), '"' | '\'');
        match (letter(0), letter(1)) {
            ('"' | '\'', _) => Some((0, false, false)),
            ('r', _) if quote(1) => Some((1, true, false)),
            ('b', _) if quote(1) => Some((1, false, true)),
            ('b', 'r') | ('r', 'b') if quote(2) => Some((2, true, true)),
            _ => None,
        }
    }

    fn string(&mut self, raw: bool, bytes: bool) -> Result<Kind, Issue> {
        let start = self.at;
        let quote = self.peek(0);
        let triple = self.peek(1) == quote && self.peek(2) == quote;
        let length = if triple { 3 } else { 1 };
        self.at += length;
        let mut value = Vec::new();
        let mut buffer = [0; 4];
        loop {
            let c = self.peek(0);
            let closes = (0..length).all(|ahead| self.peek(ahead) == quote);
            if closes {
                self.at += length;
                break;
            }
            if self.at >= self.text.len() || (!triple && matches!(c, '\n' | '\r')) {
                return Err(self.unknown(start, self.at));
            }
            self.at += 1;
            if c == '\\' && !raw {
                self.escape(start, bytes, &mut value)?;
            } else {
                value.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            }
        }
        if bytes {
            return Ok(Kind::Bytes(value));
        }
        String::from_utf8(value).map(Kind::String).map_err(|_| Issue::new(start, "invalid UTF-8 string"))
    }

    /// What follows a backslash.
    fn escape(&mut self, start: usize, bytes: bool, value: &mut Vec<u8>) -> Result<(), Issue> {
        let c = self.peek(0);
        self.at += 1;
        let simple = match c {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            '\\' | '\'' | '"' | '`' | '?' => c as u32,
            'x' | 'X' => self.code(2, 16)?,
            'u' => self.code(4, 16)?,
            'U' => self.code(8, 16)?,
            '0'..='3' => {
                self.at -= 1;
                self.code(3, 8)?
            }
            _ => return Err(self.unknown(start, self.at)),
        };
        if bytes && simple < 256 && matches!(c, 'x' | 'X' | '0'..='3') {
            value.push(simple as u8);
            return Ok(());
        }
        let c = char::from_u32(simple).ok_or_else(|| Issue::new(start, "invalid unicode code point"))?;
        value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn code(&mut self, digits: usize, radix: u32) -> Result<u32, Issue> {
        let mut code = 0u32;
        for _ in 0..digits {
            let Some(digit) = self.peek(0).to_digit(radix) else { return Err(self.unknown(self.at, self.at + 1)) };
            code = code.wrapping_mul(radix).wrapping_add(digit);
            self.at += 1;
        }
        Ok(code)
    }
}
