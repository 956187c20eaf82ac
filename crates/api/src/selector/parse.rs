//! Reading label selectors from text, with upstream's complaints: `labels.Parser`.

use super::{Operator, Requirement, Selector};
use crate::field::{Error, Path};
use crate::validate::{label_value, qualified_name};

const OPERATORS: &str = "in, notin, =, ==, !=, gt, lt";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Identifier(&'a str),
    Symbol(&'a str),
    End,
}

impl Token<'_> {
    fn text(&self) -> &str {
        match self {
            Token::Identifier(text) | Token::Symbol(text) => text,
            Token::End => "",
        }
    }
}

/// Reads `app=web,tier in (front, back),!canary`.
pub(super) fn parse(text: &str) -> Result<Selector, String> {
    let mut parser = Parser { tokens: tokens(text), at: 0 };
    let mut requirements = Vec::new();
    loop {
        match parser.peek() {
            Token::End if requirements.is_empty() => break,
            Token::Identifier(_) | Token::Symbol("!") => requirements.push(parser.requirement()?),
            other => return Err(format!("found '{}', expected: !, identifier, or 'end of string'", other.text())),
        }
        match parser.next() {
            Token::End => break,
            Token::Symbol(",") => match parser.peek() {
                Token::Identifier(_) | Token::Symbol("!") => {}
                other => return Err(format!("found '{}', expected: identifier after ','", other.text())),
            },
            other => return Err(format!("found '{}', expected: ',' or 'end of string'", other.text())),
        }
    }
    requirements.sort_by(|one: &Requirement, other| one.key.cmp(&other.key));
    Ok(Selector { requirements, nothing: false })
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    const SYMBOLS: [&str; 9] = ["==", "!=", "=", "!", "<", ">", "(", ")", ","];
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        if rest.is_empty() {
            return tokens;
        }
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            tokens.push(Token::Symbol(&rest[..symbol.len()]));
            rest = &rest[symbol.len()..];
            continue;
        }
        let is_end = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n' | '=' | '!' | '<' | '>' | '(' | ')' | ',');
        let end = rest.find(is_end).unwrap_or(rest.len());
        tokens.push(Token::Identifier(&rest[..end]));
        rest = &rest[end..];
    }
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token<'a> {
        self.tokens.get(self.at).copied().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let mut token = self.next();
        let absent = token == Token::Symbol("!");
        if absent {
            token = self.next();
        }
        let Token::Identifier(key) = token else {
            return Err(format!("found '{}', expected: identifier", token.text()));
        };
        if let Some(why) = qualified_name(key).into_iter().next() {
            return Err(Error::invalid(&Path::new("key"), key, why).to_string());
        }
        if absent || matches!(self.peek(), Token::End | Token::Symbol(",")) {
            let operator = if absent { Operator::DoesNotExist } else { Operator::Exists };
            return Ok(Requirement { key: key.into(), operator, values: Vec::new() });
        }
        let operator = match self.next() {
            Token::Identifier("in") => Operator::In,
            Token::Identifier("notin") => Operator::NotIn,
            Token::Symbol("=" | "==") => return self.exact(key, Operator::In),
            Token::Symbol("!=") => return self.exact(key, Operator::NotIn),
            Token::Symbol(">") => return self.exact(key, Operator::GreaterThan),
            Token::Symbol("<") => return self.exact(key, Operator::LessThan),
            other => return Err(format!("found '{}', expected: {OPERATORS}", other.text())),
        };
        checked(Requirement { key: key.into(), operator, values: self.values()? })
    }

    fn exact(&mut self, key: &str, operator: Operator) -> Result<Requirement, String> {
        let value = match self.peek() {
            Token::End | Token::Symbol(",") => "",
            Token::Identifier(value) => {
                self.at += 1;
                value
            }
            other => return Err(format!("found '{}', expected: identifier", other.text())),
        };
        checked(Requirement { key: key.into(), operator, values: vec![value.to_owned()] })
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        match self.next() {
            Token::Symbol("(") => {}
            other => return Err(format!("found '{}' expected: '('", other.text())),
        }
        let mut values: Vec<String> = Vec::new();
        loop {
            let value = match self.peek() {
                Token::Identifier(value) => {
                    self.at += 1;
                    value
                }
                Token::Symbol("," | ")") => "",
                other => return Err(format!("found '{}', expected: ',', ')' or identifier", other.text())),
            };
            let closes = self.peek() == Token::Symbol(")");
            // `()` holds no value, `(,)` the empty one.
            let holds_nothing = closes && value.is_empty() && values.is_empty();
            if !holds_nothing && !values.iter().any(|other| other == value) {
                values.push(value.to_owned());
            }
            match self.next() {
                Token::Symbol(",") => {}
                Token::Symbol(")") => return Ok(values),
                other => return Err(format!("found '{}', expected: ',' or ')'", other.text())),
            }
        }
    }
}

/// Upstream's `NewRequirement`.
fn checked(requirement: Requirement) -> Result<Requirement, String> {
    let path = Path::new("values");
    let values = &requirement.values;
    match requirement.operator {
        Operator::In | Operator::NotIn if values.is_empty() => {
            let why = "for 'in', 'notin' operators, values set can't be empty";
            return Err(Error::invalid(&path, values.clone(), why).to_string());
        }
        Operator::GreaterThan | Operator::LessThan if values.iter().any(|value| value.parse::<i64>().is_err()) => {
            let why = "for 'Gt', 'Lt' operators, the value must be an integer";
            return Err(Error::invalid(&path.index(0), values[0].as_str(), why).to_string());
        }
        _ => {}
    }
    for (index, value) in values.iter().enumerate() {
        if let Some(why) = label_value(value).into_iter().next() {
            let item = path.index(index);
            return Err(Error::invalid(&item.key(&requirement.key), value.as_str(), why).to_string());
        }
    }
    Ok(requirement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let read = |text: &str| parse(text).map(|selector| selector.to_string());
        assert_eq!(
            read("tier in (front, back),app==web, !canary").as_deref(),
            Ok("app=web,!canary,tier in (front,back)")
        );
        assert_eq!(read("a!=b,c").as_deref(), Ok("a!=b,c"));
        assert_eq!(read("").as_deref(), Ok(""));
        for (text, complaint) in [
            ("app===", "found '=', expected: identifier"),
            ("app in web", "found 'web' expected: '('"),
            ("bad key=1", "found 'key', expected: in, notin, =, ==, !=, gt, lt"),
            ("a,", "found '', expected: identifier after ','"),
            ("a>x", "values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"),
        ] {
            assert_eq!(read(text), Err(complaint.to_owned()), "{text}");
        }
    }
}
