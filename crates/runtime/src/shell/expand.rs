//! From words to fields: parameters, substitutions, splitting, globs.

use super::arithmetic::{self, Variables};
use super::ast::{Operation, Part, Script, Word};
use super::pattern::{self, PatternChar};
use super::scope::Scope;

/// Longest text that an expansion may make, in characters.
const TEXT_MAX: usize = 4 << 20;

/// Why an expansion did not end.
#[derive(Clone, Debug)]
pub enum ExpandError {
    /// The output of this command is needed; expand again with one more entry in `outputs`.
    Needs(Script),
    Message(String),
}

/// Lists the names in a directory, for globs.
pub type ListDirectory<'a> = dyn FnMut(&str) -> Vec<String> + 'a;

/// One expansion of the words of one command.
///
/// Assignments (`${x:=…}`, `$((x++))`) take effect in `assigned`, which the shell commits when the expansion ends: an
/// expansion that stops to run a command starts over.
pub struct Expander<'a> {
    pub scope: &'a Scope,
    pub assigned: Vec<(String, String)>,
    /// Outputs of the command substitutions, in the order in which they are met.
    pub outputs: &'a [String],
    pub outputs_used: usize,
    /// `$RANDOM`.
    pub random: u64,
    pub list_directory: &'a mut ListDirectory<'a>,
}

/// Characters with whether each was quoted.
type Text = Vec<PatternChar>;

#[derive(Default)]
struct Fields {
    done: Vec<Text>,
    current: Option<Text>,
}

impl Fields {
    fn push(&mut self, c: char, quoted: bool) {
        self.current.get_or_insert_default().push((c, quoted));
    }

    fn end_field(&mut self) {
        self.done.extend(self.current.take());
    }

    fn push_value(&mut self, value: &str, quoted: bool, separators: &str) {
        if quoted {
            self.current.get_or_insert_default().extend(value.chars().map(|c| (c, true)));
            return;
        }
        for c in value.chars() {
            if separators.contains(c) {
                let hard = !c.is_whitespace();
                if hard && self.current.is_none() {
                    self.current = Some(Vec::new());
                }
                self.end_field();
            } else {
                self.push(c, false);
            }
        }
    }
}

impl Expander<'_> {
    /// Fields of several words, with splitting and globs.
    pub fn fields(&mut self, words: &[Word]) -> Result<Vec<String>, ExpandError> {
        let mut result = Vec::new();
        for word in words {
            let mut fields = Fields::default();
            self.expand_into(word, &mut fields, true)?;
            fields.end_field();
            for field in fields.done {
                self.glob(field, &mut result);
            }
        }
        Ok(result)
    }

    /// One text, without splitting and globs: assignments, redirections, here-documents.
    pub fn text(&mut self, word: &Word) -> Result<String, ExpandError> {
        Ok(self.pattern(word)?.into_iter().map(|(c, _)| c).collect())
    }

    /// One text that keeps what was quoted, for `case` and `${x#…}`.
    pub fn pattern(&mut self, word: &Word) -> Result<Vec<PatternChar>, ExpandError> {
        let mut fields = Fields::default();
        self.expand_into(word, &mut fields, false)?;
        fields.end_field();
        Ok(fields.done.into_iter().next().unwrap_or_default())
    }

    fn expand_into(&mut self, word: &Word, fields: &mut Fields, split: bool) -> Result<(), ExpandError> {
        let separators = if split { self.lookup("IFS").unwrap_or_else(|| " \t\n".to_owned()) } else { String::new() };
        for (index, part) in word.iter().enumerate() {
            match part {
                Part::Text { text, quoted } => {
                    let text = if index == 0 && !quoted { self.tilde(text) } else { text.clone() };
                    fields.current.get_or_insert_default().extend(text.chars().map(|c| (c, *quoted)));
                }
                Part::Parameter { name, operation: Operation::Value, quoted: true } if name == "@" && split => {
                    for (index, value) in self.scope.positional.iter().enumerate() {
                        if index > 0 {
                            fields.end_field();
                        }
                        fields.push_value(value, true, "");
                    }
                    if self.scope.positional.is_empty() && fields.current.as_ref().is_some_and(Vec::is_empty) {
                        fields.current = None;
                    }
                }
                Part::Parameter { name, operation, quoted } => match operation {
                    Operation::Default(colon, word) | Operation::Alternative(colon, word)
                        if matches!(operation, Operation::Default(..)) != self.is_set(name, *colon) =>
                    {
                        if *quoted {
                            let text = self.text(word)?;
                            fields.push_value(&text, true, "");
                        } else {
                            self.expand_into(word, fields, split)?;
                        }
                    }
                    _ => {
                        let value = self.parameter(name, operation)?;
                        fields.push_value(&value, *quoted, &separators);
                    }
                },
                Part::Substitution { script, quoted } => {
                    let Some(output) = self.outputs.get(self.outputs_used) else {
                        return Err(ExpandError::Needs(script.clone()));
                    };
                    self.outputs_used += 1;
                    let output = output.trim_end_matches('\n').to_owned();
                    fields.push_value(&output, *quoted, &separators);
                }
                Part::Arithmetic { expression, quoted } => {
                    let expression = self.text(expression)?;
                    let value = arithmetic::evaluate(&expression, self).map_err(ExpandError::Message)?;
                    fields.push_value(&value.to_string(), *quoted, &separators);
                }
            }
            if fields.current.as_ref().is_some_and(|text| text.len() > TEXT_MAX) || fields.done.len() > TEXT_MAX / 16 {
                return Err(ExpandError::Message("Argument list too long".to_owned()));
            }
        }
        Ok(())
    }

    fn tilde(&self, text: &str) -> String {
        match text.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                self.lookup("HOME").unwrap_or_else(|| "/root".to_owned()) + rest
            }
            _ => text.to_owned(),
        }
    }

    fn lookup(&self, name: &str) -> Option<String> {
        if name == "RANDOM" {
            return Some((self.random % 32_768).to_string());
        }
        let assigned = self.assigned.iter().rev().find(|(assigned, _)| assigned == name);
        assigned.map(|(_, value)| value.clone()).or_else(|| self.scope.get(name))
    }

    fn is_set(&self, name: &str, colon: bool) -> bool {
        self.lookup(name).is_some_and(|value| !colon || !value.is_empty())
    }

    fn parameter(&mut self, name: &str, operation: &Operation) -> Result<String, ExpandError> {
        let value = self.lookup(name);
        if value.is_none()
            && self.scope.nounset
            && !matches!(name, "@" | "*" | "!")
            && !matches!(operation, Operation::Assign(..) | Operation::Fail(..) | Operation::Alternative(..))
        {
            return Err(ExpandError::Message(format!("{name}: parameter not set")));
        }
        let value = value.unwrap_or_default();
        Ok(match operation {
            Operation::Value | Operation::Default(..) => value,
            Operation::Alternative(..) => String::new(),
            Operation::Length => match name {
                "@" | "*" => self.scope.positional.len().to_string(),
                _ => value.chars().count().to_string(),
            },
            Operation::Assign(colon, word) => {
                if self.is_set(name, *colon) {
                    return Ok(value);
                }
                let text = self.text(word)?;
                self.assigned.push((name.to_owned(), text.clone()));
                text
            }
            Operation::Fail(colon, word) => {
                if self.is_set(name, *colon) {
                    return Ok(value);
                }
                let text = self.text(word)?;
                let text = if text.is_empty() { "parameter not set".to_owned() } else { text };
                return Err(ExpandError::Message(format!("{name}: {text}")));
            }
            Operation::RemovePrefix(greedy, word) => {
                let pattern = self.pattern(word)?;
                let chars: Vec<char> = value.chars().collect();
                let mut ends = (0..=chars.len()).filter(|end| pattern::matches(&pattern, &chars[..*end]));
                let end = if *greedy { ends.next_back() } else { ends.next() };
                chars[end.unwrap_or(0)..].iter().collect()
            }
            Operation::RemoveSuffix(greedy, word) => {
                let pattern = self.pattern(word)?;
                let chars: Vec<char> = value.chars().collect();
                let mut starts = (0..=chars.len()).filter(|start| pattern::matches(&pattern, &chars[*start..]));
                let start = if *greedy { starts.next() } else { starts.next_back() };
                chars[..start.unwrap_or(chars.len())].iter().collect()
            }
            Operation::Replace(all, pattern, replacement) => {
                let pattern = self.pattern(pattern)?;
                let replacement = self.text(replacement)?;
                replace(&value, &pattern, &replacement, *all)
            }
            Operation::Substring(offset, length) => {
                let offset = self.number(offset)?;
                let length = length.as_ref().map(|length| self.number(length)).transpose()?;
                substring(&value, offset, length)
            }
        })
    }

    fn number(&mut self, word: &Word) -> Result<i64, ExpandError> {
        let text = self.text(word)?;
        arithmetic::evaluate(&text, self).map_err(ExpandError::Message)
    }

    fn glob(&mut self, field: Text, result: &mut Vec<String>) {
        let text: String = field.iter().map(|(c, _)| *c).collect();
        if self.scope.noglob || !pattern::is_pattern(&field) {
            result.push(text);
            return;
        }
        let mut paths = vec![if text.starts_with('/') { "/".to_owned() } else { String::new() }];
        let components: Vec<&[PatternChar]> =
            field.split(|(c, _)| *c == '/').filter(|component| !component.is_empty()).collect();
        for component in components {
            let literal: String = component.iter().map(|(c, _)| *c).collect();
            let mut next = Vec::new();
            for path in paths {
                let base = if path.is_empty() || path.ends_with('/') { path.clone() } else { format!("{path}/") };
                if !pattern::is_pattern(component) {
                    next.push(format!("{base}{literal}"));
                    continue;
                }
                for name in (self.list_directory)(&path) {
                    let hidden = name.starts_with('.') && !literal.starts_with('.');
                    if !hidden && pattern::matches(component, &name.chars().collect::<Vec<_>>()) {
                        next.push(format!("{base}{name}"));
                    }
                }
            }
            paths = next;
        }
        if paths.is_empty() { result.push(text) } else { result.extend(paths) }
    }
}

impl Variables for Expander<'_> {
    fn value(&self, name: &str) -> i64 {
        self.lookup(name)
            .and_then(|text| {
                arithmetic::parse_number(text.trim_start_matches('-')).map(
                    |n| {
                        if text.starts_with('-') { -n } else { n }
                    },
                )
            })
            .unwrap_or(0)
    }

    fn assign(&mut self, name: &str, value: i64) {
        self.assigned.push((name.to_owned(), value.to_string()));
    }
}

fn replace(value: &str, pattern: &[PatternChar], replacement: &str, all: bool) -> String {
    let chars: Vec<char> = value.chars().collect();
    let mut result = String::new();
    let mut at = 0;
    let mut replaced = false;
    while at < chars.len() {
        let longest = (at + 1..=chars.len()).rev().find(|end| pattern::matches(pattern, &chars[at..*end]));
        match longest {
            Some(end) if all || !replaced => {
                result.push_str(replacement);
                replaced = true;
                at = end;
            }
            _ => {
                result.push(chars[at]);
                at += 1;
            }
        }
    }
    result
}

fn substring(value: &str, offset: i64, length: Option<i64>) -> String {
    let chars: Vec<char> = value.chars().collect();
    let count = i64::try_from(chars.len()).unwrap_or(i64::MAX);
    let clamp = |n: i64| usize::try_from(n.clamp(0, count)).unwrap_or(0);
    let start = clamp(if offset < 0 { count + offset } else { offset });
    let end = match length {
        None => chars.len(),
        Some(length) if length < 0 => clamp(count + length),
        Some(length) => clamp(i64::try_from(start).unwrap_or(0).saturating_add(length)),
    };
    chars[start..end.max(start)].iter().collect()
}
