//! The syntax of Go templates: texts, actions, pipelines.

/// A piece of a template.
#[derive(Debug)]
pub enum Node {
    Text(String),
    Print(Pipeline),
    /// `{{if}}`, with its `{{else}}`.
    If(Pipeline, Vec<Node>, Vec<Node>),
    With(Pipeline, Vec<Node>, Vec<Node>),
    Range(Pipeline, Vec<Node>, Vec<Node>),
}

/// `$x, $y := a | b c`
#[derive(Debug, Default)]
pub struct Pipeline {
    pub variables: Vec<String>,
    pub commands: Vec<Vec<Term>>,
}

#[derive(Debug)]
pub enum Term {
    /// `.a.b` of the current value.
    Field(Vec<String>),
    /// `$x.a.b`; the name is empty for `$`.
    Variable(String, Vec<String>),
    Text(String),
    Number(f64),
    Word(String),
    Group(Pipeline, Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Field(Vec<String>),
    Variable(String, Vec<String>),
    Text(String),
    Number(f64),
    Word(String),
    Mark(char),
    Define,
}

/// The words of templates: constants, Go's functions, and kubectl's.
const FUNCTIONS: [&str; 24] = [
    "true",
    "false",
    "nil",
    "and",
    "or",
    "not",
    "len",
    "index",
    "slice",
    "print",
    "printf",
    "println",
    "html",
    "js",
    "urlquery",
    "call",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "exists",
    "base64decode",
];

pub fn parse(text: &str) -> Result<Vec<Node>, String> {
    let mut rest = text;
    let (nodes, end) = parse_nodes(&mut rest)?;
    match end {
        None => Ok(nodes),
        Some(word) => Err(format!("unexpected {{{{{word}}}}}")),
    }
}

/// Reads up to `{{end}}`, `{{else…}}` or the end of the text, and says which.
fn parse_nodes(rest: &mut &str) -> Result<(Vec<Node>, Option<String>), String> {
    let mut nodes = Vec::new();
    loop {
        let Some(open) = rest.find("{{") else {
            nodes.push(Node::Text(std::mem::take(rest).into()));
            return Ok((nodes, None));
        };
        let mut before = &rest[..open];
        let mut action = &rest[open + 2..];
        if let Some(trimmed) = action.strip_prefix("- ") {
            before = before.trim_end();
            action = trimmed;
        }
        nodes.push(Node::Text(before.into()));
        let close = closing(action).ok_or("unclosed action")?;
        let mut body = &action[..close];
        *rest = &action[close + 2..];
        if let Some(trimmed) = body.strip_suffix(" -") {
            body = trimmed;
            *rest = rest.trim_start();
        }
        let body = body.trim();
        if body.starts_with("/*") {
            continue;
        }
        let (word, after) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
        match word {
            "end" | "else" => return Ok((nodes, Some(body.to_owned()))),
            "if" | "with" | "range" => nodes.push(parse_block(word, after, rest)?),
            _ => nodes.push(Node::Print(parse_pipeline(&tokens(body)?)?)),
        }
    }
}

fn parse_block(word: &str, head: &str, rest: &mut &str) -> Result<Node, String> {
    let pipeline = parse_pipeline(&tokens(head)?)?;
    let (body, end) = parse_nodes(rest)?;
    let otherwise = match end.as_deref() {
        Some("end") => Vec::new(),
        Some("else") => match parse_nodes(rest)? {
            (nodes, Some(end)) if end == "end" => nodes,
            _ => return Err("unexpected EOF".into()),
        },
        Some(other) => match other.strip_prefix("else if ") {
            Some(head) => vec![parse_block("if", head, rest)?],
            None => return Err(format!("unexpected {{{{{other}}}}}")),
        },
        None => return Err("unexpected EOF".into()),
    };
    Ok(match word {
        "if" => Node::If(pipeline, body, otherwise),
        "with" => Node::With(pipeline, body, otherwise),
        _ => Node::Range(pipeline, body, otherwise),
    })
}

/// Where `}}` closes an action, quotes skipped.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some('"'), '\\') => drop(chars.next()),
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '`') => quote = Some(c),
            (None, '}') if text[at..].starts_with("}}") => return Some(at),
            _ => {}
        }
    }
    None
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let take = |rest: &mut &str, from: usize, accept: &dyn Fn(char) -> bool| {
            let end = rest[from..].find(|c| !accept(c)).map_or(rest.len(), |end| from + end);
            let taken = rest[..end].to_owned();
            *rest = &rest[end..];
            taken
        };
        match first {
            '.' => {
                let path = take(&mut rest, 0, &|c| is_word(c) || c == '.');
                tokens.push(Token::Field(path.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect()));
            }
            '$' => {
                let path = take(&mut rest, 1, &|c| is_word(c) || c == '.');
                let mut parts = path[1..].split('.').map(str::to_owned);
                let name = parts.next().unwrap_or_default();
                tokens.push(Token::Variable(name, parts.filter(|part| !part.is_empty()).collect()));
            }
            '"' | '`' => {
                let end = rest[1..]
                    .char_indices()
                    .scan(false, |escaped, (at, c)| {
                        let ends = c == first && !*escaped;
                        *escaped = first == '"' && c == '\\' && !*escaped;
                        Some((at, ends))
                    })
                    .find_map(|(at, ends)| ends.then_some(at))
                    .ok_or("unterminated quoted string")?;
                let inner = &rest[1..=end];
                let value = if first == '"' { serde_json::from_str(&rest[..end + 2]).ok() } else { None };
                tokens.push(Token::Text(value.unwrap_or_else(|| inner.to_owned())));
                rest = &rest[end + 2..];
            }
            ':' if rest.starts_with(":=") => {
                tokens.push(Token::Define);
                rest = &rest[2..];
            }
            '=' => {
                tokens.push(Token::Define);
                rest = &rest[1..];
            }
            '|' | '(' | ')' | ',' => {
                tokens.push(Token::Mark(first));
                rest = &rest[1..];
            }
            c if c.is_ascii_digit() || c == '-' => {
                let number = take(&mut rest, 1, &|c| c.is_ascii_digit() || c == '.');
                tokens.push(Token::Number(number.parse().map_err(|_| format!("bad number syntax: {number:?}"))?));
            }
            c if is_word(c) => {
                let word = take(&mut rest, 0, &is_word);
                tokens.push(Token::Word(word));
            }
            other => return Err(format!("unexpected {other:?} in command")),
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

fn parse_pipeline(tokens: &[Token]) -> Result<Pipeline, String> {
    let mut pipeline = Pipeline::default();
    let mut rest = tokens;
    if let Some(at) = rest.iter().position(|token| *token == Token::Define) {
        for token in &rest[..at] {
            match token {
                Token::Variable(name, _) => pipeline.variables.push(name.clone()),
                Token::Mark(',') => {}
                _ => return Err("unexpected \":=\" in operand".into()),
            }
        }
        rest = &rest[at + 1..];
    }
    let mut command = Vec::new();
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        match token {
            Token::Field(path) => command.push(Term::Field(path.clone())),
            Token::Variable(name, path) => command.push(Term::Variable(name.clone(), path.clone())),
            Token::Text(text) => command.push(Term::Text(text.clone())),
            Token::Number(number) => command.push(Term::Number(*number)),
            Token::Word(word) if !FUNCTIONS.contains(&word.as_str()) => {
                return Err(format!("function {word:?} not defined"));
            }
            Token::Word(word) => command.push(Term::Word(word.clone())),
            Token::Mark('|') => pipeline.commands.push(std::mem::take(&mut command)),
            Token::Mark('(') => {
                let end = matching(rest).ok_or("unclosed left paren")?;
                let inner = parse_pipeline(&rest[..end])?;
                rest = &rest[end + 1..];
                let mut path = Vec::new();
                if let Some((Token::Field(fields), after)) = rest.split_first() {
                    path.clone_from(fields);
                    rest = after;
                }
                command.push(Term::Group(inner, path));
            }
            Token::Mark(mark) => return Err(format!("unexpected {:?} in command", mark.to_string())),
            Token::Define => return Err("unexpected \":=\" in command".into()),
        }
    }
    pipeline.commands.push(command);
    if pipeline.commands.iter().any(Vec::is_empty) {
        return Err("missing value for command".into());
    }
    Ok(pipeline)
}

fn matching(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Mark('(') => depth += 1,
            Token::Mark(')') if depth == 0 => return Some(at),
            Token::Mark(')') => depth -= 1,
            _ => {}
        }
    }
    None
}
