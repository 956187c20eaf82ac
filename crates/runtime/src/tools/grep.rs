use regex_lite::{Regex, RegexBuilder};

use super::run::{After, Call, Filter};

/// Lines that match, and what to print of them.
#[derive(Clone, Debug)]
pub struct Grep {
    pattern: Regex,
    flags: String,
    prefix: String,
    line_number: usize,
    matched: usize,
    total: usize,
}

impl Grep {
    pub fn begin_file(&mut self, path: &str, many: bool) {
        if self.flags.contains('c') && !self.prefix.is_empty() {
            self.matched = 0;
        }
        self.line_number = 0;
        self.prefix = if (many || self.flags.contains('H')) && !self.flags.contains('h') {
            format!("{path}:")
        } else {
            String::new()
        };
        if self.flags.contains('l') {
            self.prefix = path.to_owned();
        }
    }

    pub fn line(&mut self, line: &str, out: &mut String) -> bool {
        let line = line.trim_end_matches('\n');
        self.line_number += 1;
        if self.pattern.is_match(line) == self.flags.contains('v') {
            return false;
        }
        self.matched += 1;
        self.total += 1;
        if self.flags.contains('q') {
            return true;
        }
        if self.flags.contains('l') {
            out.push_str(&format!("{}\n", self.prefix));
            return true;
        }
        if self.flags.contains('c') {
            return false;
        }
        let number = if self.flags.contains('n') { format!("{}:", self.line_number) } else { String::new() };
        if self.flags.contains('o') {
            for found in self.pattern.find_iter(line) {
                out.push_str(&format!("{}{number}{}\n", self.prefix, found.as_str()));
            }
        } else {
            out.push_str(&format!("{}{number}{line}\n", self.prefix));
        }
        false
    }

    pub fn end(&mut self, out: &mut String) -> i32 {
        if self.flags.contains('c') {
            out.push_str(&format!("{}\n", self.matched));
        }
        i32::from(self.total == 0)
    }
}

pub fn grep(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (mut flags, values, mut words) = call.flags("emAB");
    if call.name() == "egrep" {
        flags.push('E');
    }
    let mut patterns: Vec<String> = values.into_iter().filter(|value| value.0 == 'e').map(|value| value.1).collect();
    if patterns.is_empty() {
        if words.is_empty() {
            call.complain("usage: grep [-EFHhilnqvo] PATTERN [FILE]...");
            return After::Exit(2);
        }
        patterns.push(words.remove(0));
    }
    let translated: Vec<String> = patterns
        .iter()
        .flat_map(|pattern| pattern.lines())
        .map(|pattern| match () {
            () if flags.contains('F') => regex_lite::escape(pattern),
            () if flags.contains(['E', 'P']) => pattern.to_owned(),
            () => from_basic(pattern),
        })
        .collect();
    let joined = translated.join("|");
    let joined = match () {
        () if flags.contains('x') => format!("^({joined})$"),
        () if flags.contains('w') => format!(r"\b({joined})\b"),
        () => joined,
    };
    let Ok(pattern) = RegexBuilder::new(&joined).case_insensitive(flags.contains('i')).build() else {
        call.complain(&format!("bad regex '{}'", patterns.join("\n")));
        return After::Exit(2);
    };
    if flags.contains(['r', 'R']) {
        let roots = if words.is_empty() { vec![".".to_owned()] } else { words };
        words = roots.iter().flat_map(|root| super::files::files_below(call.task, root)).collect();
        flags.push('H');
        if words.is_empty() {
            return After::Exit(1);
        }
    }
    let grep = Grep { pattern, flags, prefix: String::new(), line_number: 0, matched: 0, total: 0 };
    call.filter(Filter::Grep(grep), &words)
}

/// A POSIX basic regular expression in the syntax of the `regex` crate.
pub fn from_basic(pattern: &str) -> String {
    let mut result = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars().peekable();
    let mut in_brackets = false;
    let mut at_start = true;
    while let Some(c) = chars.next() {
        match c {
            '[' if !in_brackets => {
                in_brackets = true;
                result.push('[');
            }
            ']' => {
                in_brackets = false;
                result.push(']');
            }
            _ if in_brackets => result.push(c),
            '\\' => match chars.next() {
                Some(special @ ('(' | ')' | '{' | '}' | '|' | '+' | '?')) => result.push(special),
                Some(other) => {
                    result.push('\\');
                    result.push(other);
                }
                None => result.push_str(r"\\"),
            },
            '(' | ')' | '{' | '}' | '|' | '+' | '?' => {
                result.push('\\');
                result.push(c);
            }
            '*' if at_start => result.push_str(r"\*"),
            _ => result.push(c),
        }
        at_start = false;
    }
    result
}
