//! `sed`: `s`, `p`, `d`, `q`, `=`, `a`, `i`, `c`, `y` with line and pattern addresses.

use regex_lite::{Regex, RegexBuilder};

use super::grep::from_basic;
use super::run::{After, Call, Filter};

#[derive(Clone, Debug)]
enum Address {
    Line(usize),
    Last,
    Match(Regex),
}

#[derive(Clone, Debug)]
enum Action {
    Substitute { pattern: Regex, replacement: String, global: bool, print: bool },
    Print,
    Delete,
    Quit,
    Number,
    Append(String),
    Insert(String),
    Change(String),
    Translate(Vec<char>, Vec<char>),
}

#[derive(Clone, Debug)]
struct Command {
    from: Option<Address>,
    to: Option<Address>,
    negated: bool,
    active: bool,
    action: Action,
}

/// A running script.
#[derive(Clone, Debug)]
pub struct Sed {
    commands: Vec<Command>,
    quiet: bool,
    line_number: usize,
    /// The last line's number, when the whole text is known.
    lines: Option<usize>,
}

impl Sed {
    pub fn line(&mut self, line: &str, out: &mut String) -> bool {
        self.line_number += 1;
        let mut text = line.trim_end_matches('\n').to_owned();
        let mut after = String::new();
        let mut quit = false;
        let mut deleted = false;
        let last = self.lines == Some(self.line_number);
        for command in &mut self.commands {
            if !command.selects(&text, self.line_number, last) {
                continue;
            }
            match &command.action {
                Action::Substitute { pattern, replacement, global, print } => {
                    if pattern.is_match(&text) {
                        let limit = if *global { 0 } else { 1 };
                        text = pattern.replacen(&text, limit, replacement.as_str()).into_owned();
                        if *print {
                            out.push_str(&format!("{text}\n"));
                        }
                    }
                }
                Action::Print => out.push_str(&format!("{text}\n")),
                Action::Delete => {
                    deleted = true;
                    break;
                }
                Action::Quit => {
                    quit = true;
                    break;
                }
                Action::Number => out.push_str(&format!("{}\n", self.line_number)),
                Action::Append(added) => after.push_str(&format!("{added}\n")),
                Action::Insert(added) => out.push_str(&format!("{added}\n")),
                Action::Change(added) => {
                    out.push_str(&format!("{added}\n"));
                    deleted = true;
                    break;
                }
                Action::Translate(from, to) => {
                    let map = |c| from.iter().position(|f| *f == c).and_then(|at| to.get(at)).copied().unwrap_or(c);
                    text = text.chars().map(map).collect();
                }
            }
        }
        if !deleted && !self.quiet {
            out.push_str(&text);
            if line.ends_with('\n') {
                out.push('\n');
            }
        }
        out.push_str(&after);
        quit
    }
}

impl Command {
    fn selects(&mut self, text: &str, number: usize, last: bool) -> bool {
        let hit = |address: &Address| match address {
            Address::Line(line) => *line == number,
            Address::Last => last,
            Address::Match(pattern) => pattern.is_match(text),
        };
        let selected = match (&self.from, &self.to) {
            (None, _) => true,
            (Some(from), None) => hit(from),
            (Some(from), Some(to)) => {
                if self.active {
                    self.active = !hit(to);
                    true
                } else if hit(from) {
                    self.active = !matches!(to, Address::Line(line) if *line <= number);
                    true
                } else {
                    false
                }
            }
        };
        selected != self.negated
    }
}

pub fn sed(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (flags, values, mut words) = call.flags("e");
    let mut scripts: Vec<String> = values.into_iter().map(|value| value.1).collect();
    if scripts.is_empty() {
        if words.is_empty() {
            call.complain("no script specified");
            return After::Exit(1);
        }
        scripts.push(words.remove(0));
    }
    let extended = flags.contains(['E', 'r']);
    let commands = match parse(&scripts.join("\n"), extended) {
        Ok(commands) => commands,
        Err(message) => {
            call.complain(&message);
            return After::Exit(1);
        }
    };
    let quiet = flags.contains('n');
    let sed = Sed { commands, quiet, line_number: 0, lines: None };
    if !flags.contains('i') {
        return call.filter(Filter::Sed(sed), &words);
    }
    let mut status = 0;
    for path in &words {
        let Some(text) = call.read_file(path) else {
            status = 1;
            continue;
        };
        let mut sed = Sed { lines: Some(text.lines().count()), ..sed.clone() };
        let mut edited = String::new();
        for line in text.split_inclusive('\n') {
            sed.line(line, &mut edited);
        }
        let absolute = call.task.absolute(path);
        if let Err(error) = call.task.view().write(&absolute, edited.as_bytes()) {
            call.complain(&format!("{path}: {error}"));
            status = 4;
        }
    }
    After::Exit(status)
}

fn parse(script: &str, extended: bool) -> Result<Vec<Command>, String> {
    let mut commands = Vec::new();
    let mut rest = script.trim_start_matches([' ', ';', '\n', '\t']);
    while !rest.is_empty() {
        let from = address(&mut rest, extended)?;
        let to = match rest.strip_prefix(',') {
            Some(tail) => {
                rest = tail;
                address(&mut rest, extended)?
            }
            None => None,
        };
        rest = rest.trim_start();
        let negated = rest.starts_with('!');
        rest = rest.trim_start_matches('!');
        let name = rest.chars().next().ok_or("missing command")?;
        rest = &rest[name.len_utf8()..];
        let action = match name {
            's' => substitute(&mut rest, extended)?,
            'y' => {
                let from = delimited(&mut rest)?;
                let delimiter = from.1;
                let to = until(&mut rest, delimiter)?;
                Action::Translate(from.0.chars().collect(), to.chars().collect())
            }
            'p' => Action::Print,
            'd' => Action::Delete,
            'q' => Action::Quit,
            '=' => Action::Number,
            'a' | 'i' | 'c' => {
                let line = rest.split('\n').next().unwrap_or_default();
                rest = &rest[line.len()..];
                let text = line.trim_start().trim_start_matches('\\').trim_start().to_owned();
                match name {
                    'a' => Action::Append(text),
                    'i' => Action::Insert(text),
                    _ => Action::Change(text),
                }
            }
            other => return Err(format!("unsupported command {other}")),
        };
        commands.push(Command { from, to, negated, active: false, action });
        rest = rest.trim_start_matches([' ', ';', '\n', '\t']);
    }
    Ok(commands)
}

fn address(rest: &mut &str, extended: bool) -> Result<Option<Address>, String> {
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 0 {
        let number = rest[..digits].parse().map_err(|_| "bad address")?;
        *rest = &rest[digits..];
        return Ok(Some(Address::Line(number)));
    }
    if let Some(tail) = rest.strip_prefix('$') {
        *rest = tail;
        return Ok(Some(Address::Last));
    }
    if rest.starts_with('/') {
        let (text, _) = delimited(rest)?;
        return Ok(Some(Address::Match(regex(&text, extended, false)?)));
    }
    Ok(None)
}

fn regex(text: &str, extended: bool, ignore_case: bool) -> Result<Regex, String> {
    let pattern = if extended { text.to_owned() } else { from_basic(text) };
    RegexBuilder::new(&pattern).case_insensitive(ignore_case).build().map_err(|_| format!("bad regex '{text}'"))
}

/// Reads `/text/`: the text and its delimiter.
fn delimited(rest: &mut &str) -> Result<(String, char), String> {
    let delimiter = rest.chars().next().ok_or("unterminated command")?;
    *rest = &rest[delimiter.len_utf8()..];
    Ok((until(rest, delimiter)?, delimiter))
}

fn until(rest: &mut &str, delimiter: char) -> Result<String, String> {
    let mut text = String::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == delimiter {
            *rest = &rest[at + c.len_utf8()..];
            return Ok(text);
        }
        text.push(c);
        if c == '\\' {
            match chars.next() {
                Some((_, next)) if next == delimiter => {
                    text.pop();
                    text.push(next);
                }
                Some((_, next)) => text.push(next),
                None => {}
            }
        }
    }
    Err("unmatched delimiter".to_owned())
}

fn substitute(rest: &mut &str, extended: bool) -> Result<Action, String> {
    let (pattern, delimiter) = delimited(rest)?;
    let replacement = until(rest, delimiter)?;
    let length = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).len();
    let flags = &rest[..length];
    let pattern = regex(&pattern, extended, flags.contains(['i', 'I']))?;
    let action = Action::Substitute {
        pattern,
        replacement: to_template(&replacement),
        global: flags.contains('g'),
        print: flags.contains('p'),
    };
    *rest = &rest[length..];
    Ok(action)
}

/// `\1` and `&` in the syntax of the `regex` crate.
fn to_template(replacement: &str) -> String {
    let mut result = String::new();
    let mut chars = replacement.chars();
    while let Some(c) = chars.next() {
        match c {
            '$' => result.push_str("$$"),
            '&' => result.push_str("${0}"),
            '\\' => match chars.next() {
                Some(digit @ '0'..='9') => result.push_str(&format!("${{{digit}}}")),
                Some('n') => result.push('\n'),
                Some('t') => result.push('\t'),
                Some(other) => result.push(other),
                None => {}
            },
            _ => result.push(c),
        }
    }
    result
}
