//! The part of the parser that reads words: quotes, parameters, substitutions.

use super::ast::{Operation, Part, Word};
use super::parser::{Parser, SyntaxError};

impl Parser {
    /// The word here, or `None` at a separator.
    pub(super) fn word(&mut self) -> Result<Option<Word>, SyntaxError> {
        let mut parts = Vec::new();
        let start = self.at;
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                _ => self.part(c, &mut parts)?,
            }
        }
        Ok((self.at > start).then_some(parts))
    }

    fn part(&mut self, c: char, parts: &mut Word) -> Result<(), SyntaxError> {
        match c {
            '\'' => {
                self.at += 1;
                let text = self.until('\'')?;
                parts.push(Part::Text { text, quoted: true });
            }
            '"' => {
                self.at += 1;
                self.double_quoted(Some('"'), parts)?;
            }
            '\\' => {
                self.at += 1;
                match self.peek() {
                    Some('\n') => {}
                    Some(next) => push_text(parts, next, true),
                    None => push_text(parts, '\\', true),
                }
                self.at += 1;
            }
            '$' => self.dollar(false, parts)?,
            '`' => self.backquoted(false, parts)?,
            _ => {
                push_text(parts, c, false);
                self.at += 1;
            }
        }
        Ok(())
    }

    fn until(&mut self, end: char) -> Result<String, SyntaxError> {
        let mut text = String::new();
        loop {
            let c = self.peek().ok_or_else(|| self.error("syntax error: unterminated quoted string", true))?;
            self.at += 1;
            if c == end {
                return Ok(text);
            }
            text.push(c);
        }
    }

    /// Reads up to the closing quote, or to the end of the text for a here-document.
    pub(super) fn double_quoted(&mut self, end: Option<char>, parts: &mut Word) -> Result<(), SyntaxError> {
        parts.push(Part::Text { text: String::new(), quoted: true });
        loop {
            match self.peek() {
                None if end.is_none() => return Ok(()),
                None => return Err(self.error("syntax error: unterminated quoted string", true)),
                Some(c) if Some(c) == end => {
                    self.at += 1;
                    return Ok(());
                }
                Some('\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some('\n') => self.at += 1,
                        Some(c @ ('$' | '`' | '\\')) => {
                            push_text(parts, c, true);
                            self.at += 1;
                        }
                        Some('"') if end.is_some() => {
                            push_text(parts, '"', true);
                            self.at += 1;
                        }
                        _ => push_text(parts, '\\', true),
                    }
                }
                Some('$') => self.dollar(true, parts)?,
                Some('`') => self.backquoted(true, parts)?,
                Some(c) => {
                    push_text(parts, c, true);
                    self.at += 1;
                }
            }
        }
    }

    fn backquoted(&mut self, quoted: bool, parts: &mut Word) -> Result<(), SyntaxError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let c = self.peek().ok_or_else(|| self.error("syntax error: EOF in backquote substitution", true))?;
            self.at += 1;
            match c {
                '`' => break,
                '\\' if matches!(self.peek(), Some('`' | '\\' | '$')) => {
                    text.push(self.peek().unwrap_or('\\'));
                    self.at += 1;
                }
                _ => text.push(c),
            }
        }
        let script = self.nested(text)?;
        parts.push(Part::Substitution { script, quoted });
        Ok(())
    }

    fn dollar(&mut self, quoted: bool, parts: &mut Word) -> Result<(), SyntaxError> {
        self.at += 1;
        if self.looking_at("((") {
            let back = self.at;
            self.at += 2;
            if let Some(expression) = self.arithmetic()? {
                parts.push(Part::Arithmetic { expression, quoted });
                return Ok(());
            }
            self.at = back;
        }
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let script = self.substitution()?;
                parts.push(Part::Substitution { script, quoted });
            }
            Some('{') => {
                self.at += 1;
                self.descend()?;
                let part = self.braced(quoted)?;
                self.ascend();
                parts.push(part);
            }
            Some(c) if c.is_ascii_digit() || "@*#?$!-".contains(c) => {
                self.at += 1;
                parts.push(Part::Parameter { name: c.to_string(), operation: Operation::Value, quoted });
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let name = self.identifier();
                parts.push(Part::Parameter { name, operation: Operation::Value, quoted });
            }
            _ => push_text(parts, '$', quoted),
        }
        Ok(())
    }

    /// Reads up to `))`; `None` when the parentheses do not end so, as in `$((a); (b))`.
    fn arithmetic(&mut self) -> Result<Option<Word>, SyntaxError> {
        let mut parts = Vec::new();
        let mut open = 0;
        loop {
            match self.peek() {
                None => return Err(self.error("syntax error: missing '))'", true)),
                Some(')') if open == 0 => return Ok(self.eat("))").then_some(parts)),
                Some(c @ ('(' | ')')) => {
                    open += if c == '(' { 1 } else { -1 };
                    push_text(&mut parts, c, true);
                    self.at += 1;
                }
                Some('$') => self.dollar(true, &mut parts)?,
                Some('`') => self.backquoted(true, &mut parts)?,
                Some('"') => self.at += 1,
                Some(c) => {
                    push_text(&mut parts, c, true);
                    self.at += 1;
                }
            }
        }
    }

    fn identifier(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn braced(&mut self, quoted: bool) -> Result<Part, SyntaxError> {
        if self.peek() == Some('#') && !self.looking_at("#}") {
            self.at += 1;
            let name = self.parameter_name()?;
            return self.close_brace(name, Operation::Length, quoted);
        }
        let name = self.parameter_name()?;
        let colon = self.eat(":");
        let operation = match self.peek() {
            Some('}') if !colon => Operation::Value,
            Some('-') => {
                self.at += 1;
                Operation::Default(colon, self.brace_word(quoted, &['}'])?)
            }
            Some('=') => {
                self.at += 1;
                Operation::Assign(colon, self.brace_word(quoted, &['}'])?)
            }
            Some('?') => {
                self.at += 1;
                Operation::Fail(colon, self.brace_word(quoted, &['}'])?)
            }
            Some('+') => {
                self.at += 1;
                Operation::Alternative(colon, self.brace_word(quoted, &['}'])?)
            }
            Some(_) if colon => {
                let offset = self.brace_word(quoted, &[':', '}'])?;
                let length = if self.eat(":") { Some(self.brace_word(quoted, &['}'])?) } else { None };
                Operation::Substring(offset, length)
            }
            Some('#') => {
                let greedy = self.eat("##") || !self.eat("#");
                Operation::RemovePrefix(greedy, self.brace_word(false, &['}'])?)
            }
            Some('%') => {
                let greedy = self.eat("%%") || !self.eat("%");
                Operation::RemoveSuffix(greedy, self.brace_word(false, &['}'])?)
            }
            Some('/') => {
                let all = self.eat("//") || !self.eat("/");
                let pattern = self.brace_word(false, &['/', '}'])?;
                let replacement = if self.eat("/") { self.brace_word(quoted, &['}'])? } else { Vec::new() };
                Operation::Replace(all, pattern, replacement)
            }
            None => return Err(self.error("syntax error: unexpected end of file", true)),
            Some(_) => return Err(self.error("syntax error: bad substitution", false)),
        };
        self.close_brace(name, operation, quoted)
    }

    fn close_brace(&mut self, name: String, operation: Operation, quoted: bool) -> Result<Part, SyntaxError> {
        if self.eat("}") {
            return Ok(Part::Parameter { name, operation, quoted });
        }
        Err(self.error("syntax error: bad substitution", self.peek().is_none()))
    }

    fn parameter_name(&mut self) -> Result<String, SyntaxError> {
        match self.peek() {
            Some(c) if "@*#?$!-".contains(c) => {
                self.at += 1;
                Ok(c.to_string())
            }
            _ => {
                let name = self.identifier();
                if name.is_empty() { Err(self.error("syntax error: bad substitution", false)) } else { Ok(name) }
            }
        }
    }

    fn brace_word(&mut self, quoted: bool, ends: &[char]) -> Result<Word, SyntaxError> {
        let mut parts = Vec::new();
        loop {
            match self.peek() {
                None => return Err(self.error("syntax error: missing '}'", true)),
                Some(c) if ends.contains(&c) => return Ok(parts),
                Some('\'') if quoted => {
                    push_text(&mut parts, '\'', true);
                    self.at += 1;
                }
                Some('$') => self.dollar(quoted, &mut parts)?,
                Some(c) => self.part(c, &mut parts)?,
            }
        }
    }
}

fn push_text(parts: &mut Word, c: char, is_quoted: bool) {
    if let Some(Part::Text { text, quoted }) = parts.last_mut()
        && *quoted == is_quoted
    {
        text.push(c);
        return;
    }
    parts.push(Part::Text { text: c.to_string(), quoted: is_quoted });
}
