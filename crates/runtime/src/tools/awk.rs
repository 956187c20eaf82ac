//! A little `awk`: rules `pattern { print … }` over fields, with `NR`, `NF`, sums and comparisons.

use std::collections::BTreeMap;

use regex_lite::Regex;

use super::run::{After, Call, Filter};

/// A running program.
#[derive(Clone, Debug)]
pub struct Awk {
    rules: Vec<Rule>,
    separator: Option<String>,
    output_separator: String,
    variables: BTreeMap<String, String>,
    number: usize,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: Pattern,
    statements: Vec<Statement>,
}

#[derive(Clone, Debug)]
enum Pattern {
    Always,
    Begin,
    End,
    Matches(Regex),
    Compare(String, &'static str, String),
}

#[derive(Clone, Debug)]
enum Statement {
    Print(Vec<String>),
    Printf(Vec<String>),
    Add(String, String),
    Set(String, String),
    Exit,
}

impl Awk {
    pub fn line(&mut self, line: &str, out: &mut String) -> bool {
        let line = line.trim_end_matches('\n');
        self.number += 1;
        let fields: Vec<String> = match self.separator.as_deref() {
            None | Some(" ") => line.split_whitespace().map(str::to_owned).collect(),
            Some(separator) => line.split(separator).map(str::to_owned).collect(),
        };
        for rule in self.rules.clone() {
            let applies = match &rule.pattern {
                Pattern::Always => true,
                Pattern::Begin | Pattern::End => false,
                Pattern::Matches(pattern) => pattern.is_match(line),
                Pattern::Compare(left, operator, right) => {
                    let (left, right) = (self.value(left, line, &fields), self.value(right, line, &fields));
                    compare(&left, operator, &right)
                }
            };
            if applies && self.run(&rule.statements, line, &fields, out) {
                return true;
            }
        }
        false
    }

    pub fn end(&mut self, out: &mut String) -> i32 {
        self.run_special(|pattern| matches!(pattern, Pattern::End), out);
        0
    }

    fn run_special(&mut self, wanted: impl Fn(&Pattern) -> bool, out: &mut String) {
        for rule in self.rules.clone() {
            if wanted(&rule.pattern) {
                self.run(&rule.statements, "", &[], out);
            }
        }
    }

    fn run(&mut self, statements: &[Statement], line: &str, fields: &[String], out: &mut String) -> bool {
        for statement in statements {
            match statement {
                Statement::Print(expressions) if expressions.is_empty() => out.push_str(&format!("{line}\n")),
                Statement::Print(expressions) => {
                    let values: Vec<String> = expressions.iter().map(|e| self.value(e, line, fields)).collect();
                    out.push_str(&format!("{}\n", values.join(&self.output_separator)));
                }
                Statement::Printf(expressions) => {
                    let values: Vec<String> = expressions.iter().map(|e| self.value(e, line, fields)).collect();
                    if let Some((format, arguments)) = values.split_first() {
                        out.push_str(&crate::shell::printf(format, arguments));
                    }
                }
                Statement::Add(name, expression) => {
                    let sum = number(&self.value(name, line, fields)) + number(&self.value(expression, line, fields));
                    self.variables.insert(name.clone(), sum.to_string());
                }
                Statement::Set(name, expression) => {
                    let value = self.value(expression, line, fields);
                    self.variables.insert(name.clone(), value);
                }
                Statement::Exit => return true,
            }
        }
        false
    }

    /// The value of terms side by side: strings, fields, variables, numbers.
    fn value(&self, expression: &str, line: &str, fields: &[String]) -> String {
        let mut result = String::new();
        for term in terms(expression) {
            let value = if let Some(text) = term.strip_prefix('"') {
                crate::shell::interpret_escapes(text.strip_suffix('"').unwrap_or(text))
            } else if let Some(field) = term.strip_prefix('$') {
                let index = match field {
                    "NF" => fields.len(),
                    "(NF-1)" => fields.len().saturating_sub(1),
                    field => field.parse().unwrap_or(0),
                };
                if index == 0 { line.to_owned() } else { fields.get(index - 1).cloned().unwrap_or_default() }
            } else {
                match term.as_str() {
                    "NR" => self.number.to_string(),
                    "NF" => fields.len().to_string(),
                    name if name.starts_with(|c: char| c.is_ascii_digit() || c == '-') => name.to_owned(),
                    name => self.variables.get(name).cloned().unwrap_or_default(),
                }
            };
            result.push_str(&value);
        }
        result
    }
}

fn number(text: &str) -> i64 {
    text.trim().parse().unwrap_or(0)
}

fn compare(left: &str, operator: &str, right: &str) -> bool {
    let order = match (left.trim().parse::<i64>(), right.trim().parse::<i64>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        _ => left.cmp(right),
    };
    match operator {
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        ">=" => order.is_ge(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        "<" => order.is_lt(),
        _ => Regex::new(right.trim_matches('/')).is_ok_and(|pattern| pattern.is_match(left) == (operator == "~")),
    }
}

fn terms(expression: &str) -> Vec<String> {
    let mut result: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut quoted = false;
    for c in expression.chars() {
        match c {
            '"' if quoted && !current.ends_with('\\') => {
                quoted = false;
                current.push(c);
                result.push(std::mem::take(&mut current));
            }
            '"' if !quoted => {
                result.extend((!current.is_empty()).then(|| std::mem::take(&mut current)));
                quoted = true;
                current.push(c);
            }
            c if c.is_whitespace() && !quoted => {
                result.extend((!current.is_empty()).then(|| std::mem::take(&mut current)));
            }
            '$' if !quoted && !current.is_empty() => {
                result.push(std::mem::take(&mut current));
                current.push(c);
            }
            c => current.push(c),
        }
    }
    result.extend((!current.is_empty()).then_some(current));
    result
}

pub fn awk(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (_, values, mut words) = call.flags("Fv");
    if words.is_empty() {
        call.complain("usage: awk [-F sep] 'program' [file]...");
        return After::Exit(2);
    }
    let program = words.remove(0);
    let Some(rules) = parse(&program) else {
        call.complain("unsupported program");
        return After::Exit(2);
    };
    let separator = values.iter().find(|v| v.0 == 'F').map(|v| crate::shell::interpret_escapes(&v.1));
    let variables = values.iter().filter(|v| v.0 == 'v').filter_map(|v| v.1.split_once('='));
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut awk = Awk { rules, separator, output_separator: " ".to_owned(), variables, number: 0 };
    let mut begun = String::new();
    awk.run_special(|pattern| matches!(pattern, Pattern::Begin), &mut begun);
    call.out.push_str(&begun);
    awk.separator = awk.variables.get("FS").cloned().or(awk.separator);
    awk.output_separator = awk.variables.get("OFS").cloned().unwrap_or_else(|| " ".to_owned());
    if awk.rules.iter().all(|rule| matches!(rule.pattern, Pattern::Begin)) {
        return After::Exit(0);
    }
    call.filter(Filter::Awk(Box::new(awk)), &words)
}

fn parse(program: &str) -> Option<Vec<Rule>> {
    let mut rules = Vec::new();
    let mut rest = program.trim();
    while !rest.is_empty() {
        let open = rest.find('{').unwrap_or(rest.len());
        let pattern = match rest[..open].trim() {
            "" => Pattern::Always,
            "BEGIN" => Pattern::Begin,
            "END" => Pattern::End,
            text => match text.strip_prefix('/').and_then(|t| t.strip_suffix('/')) {
                Some(pattern) => Pattern::Matches(Regex::new(pattern).ok()?),
                None => comparison(text)?,
            },
        };
        let Some(body) = rest.get(open + 1..) else {
            rules.push(Rule { pattern, statements: vec![Statement::Print(Vec::new())] });
            break;
        };
        let close = split_outside_quotes(body, '}').first().map(|head| head.len())?;
        let statements = split_outside_quotes(&body[..close], ';').into_iter().map(str::trim);
        let statements = statements.filter(|s| !s.is_empty()).map(statement).collect::<Option<Vec<_>>>()?;
        rules.push(Rule { pattern, statements });
        rest = body.get(close + 1..).unwrap_or_default().trim();
    }
    Some(rules)
}

fn comparison(text: &str) -> Option<Pattern> {
    for operator in ["==", "!=", ">=", "<=", "!~", ">", "<", "~"] {
        if let Some((left, right)) = text.split_once(operator) {
            return Some(Pattern::Compare(left.trim().to_owned(), operator, right.trim().to_owned()));
        }
    }
    None
}

fn statement(text: &str) -> Option<Statement> {
    let arguments = |text: &str| -> Vec<String> {
        let text = text.trim();
        let text = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')).unwrap_or(text);
        split_outside_quotes(text, ',').iter().map(|e| e.trim().to_owned()).filter(|e| !e.is_empty()).collect()
    };
    if let Some(rest) = text.strip_prefix("printf") {
        return Some(Statement::Printf(arguments(rest)));
    }
    if let Some(rest) = text.strip_prefix("print") {
        return Some(Statement::Print(arguments(rest)));
    }
    if text == "exit" || text == "next" {
        return Some(Statement::Exit);
    }
    if let Some(name) = text.strip_suffix("++") {
        return Some(Statement::Add(name.trim().to_owned(), "1".to_owned()));
    }
    if let Some((name, value)) = text.split_once("+=") {
        return Some(Statement::Add(name.trim().to_owned(), value.trim().to_owned()));
    }
    let (name, value) = text.split_once('=')?;
    Some(Statement::Set(name.trim().to_owned(), value.trim().to_owned()))
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, c) in text.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if c == separator && !quoted {
            parts.push(&text[start..at]);
            start = at + c.len_utf8();
        }
    }
    parts.push(&text[start..]);
    parts
}
