//! Regular expressions of grep and sed.

use regex_lite::{Regex, RegexBuilder};

pub struct Pattern(Regex);

impl Pattern {
    /// Reads a basic or an extended expression.
    pub fn new(text: &str, extended: bool, ignores_case: bool) -> Result<Pattern, String> {
        let text = if extended { text.to_owned() } else { from_basic(text) };
        let built = RegexBuilder::new(&text).case_insensitive(ignores_case).build();
        built.map(Pattern).map_err(|error| format!("grep: {error}"))
    }

    pub fn quote(text: &str) -> String {
        regex_lite::escape(text)
    }

    pub fn is_match(&self, line: &str) -> bool {
        self.0.is_match(line)
    }

    pub fn matches(&self, line: &str) -> Vec<String> {
        self.0.find_iter(line).map(|found| found.as_str().to_owned()).collect()
    }

    /// Replaces with sed's `&` and `\1`.
    pub fn replace(&self, line: &str, to: &str, all: bool) -> String {
        let expand = |captures: &regex_lite::Captures| {
            let mut out = String::new();
            let mut chars = to.chars();
            while let Some(c) = chars.next() {
                match c {
                    '&' => out.push_str(&captures[0]),
                    '\\' => match chars.next() {
                        Some(digit) if digit.is_ascii_digit() => {
                            let group = digit as usize - '0' as usize;
                            out.push_str(captures.get(group).map_or("", |group| group.as_str()));
                        }
                        Some(other) => out.push(other),
                        None => {}
                    },
                    c => out.push(c),
                }
            }
            out
        };
        if all { self.0.replace_all(line, expand).into() } else { self.0.replace(line, expand).into() }
    }
}

/// In basic expressions the operators `+ ? | ( ) { }` are the escaped ones.
fn from_basic(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(operator @ ('+' | '?' | '|' | '(' | ')' | '{' | '}')) => out.push(operator),
                Some(other) => out.extend(['\\', other]),
                None => out.push_str("\\\\"),
            },
            '+' | '?' | '|' | '(' | ')' | '{' | '}' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}
