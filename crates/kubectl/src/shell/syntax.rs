//! The syntax of a line: words, quotes, pipes, lists, redirections, here-documents.

/// `a | b && c; d`
#[derive(Debug, Default, PartialEq)]
pub struct Line {
    pub pipelines: Vec<(Joint, Vec<Command>)>,
}

/// What stands before a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    Always,
    And,
    Or,
}

#[derive(Debug, Default, PartialEq)]
pub struct Command {
    pub words: Vec<Word>,
    pub redirects: Vec<Redirect>,
}

#[derive(Debug, PartialEq)]
pub enum Redirect {
    /// `> file`, `>> file`
    Out { to: Word, append: bool },
    /// `2> file`; only `/dev/null` has an effect.
    Err { to: Word },
    /// `2>&1`
    ErrToOut,
    /// `< file`
    In { from: Word },
    /// A here-document's text.
    Here { text: Word },
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Word {
    pub pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    Text(String),
    /// `$NAME`; outside quotes its value is split at blanks.
    Variable {
        name: String,
        quoted: bool,
    },
    /// `$(line)`
    Output {
        line: String,
        quoted: bool,
    },
}

impl Word {
    pub fn text(text: &str) -> Word {
        Word { pieces: vec![Piece::Text(text.into())] }
    }

    /// The word's text when nothing in it has to be expanded.
    pub fn literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }
}

#[derive(Debug, PartialEq)]
pub enum SyntaxError {
    /// The line goes on: an open quote, a here-document without its end, a pipe at the end.
    Incomplete,
    Unexpected(String),
}

pub fn parse(text: &str) -> Result<Line, SyntaxError> {
    let mut reader = Reader { rest: text, documents: Vec::new(), line: Line::default() };
    reader.line()?;
    Ok(reader.line)
}

struct Reader<'a> {
    rest: &'a str,
    /// Here-documents whose text comes after the line: where it goes, its end, and whether it is quoted.
    documents: Vec<Document>,
    line: Line,
}

struct Document {
    pipeline: usize,
    command: usize,
    redirect: usize,
    end: String,
    quoted: bool,
    strip_tabs: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn line(&mut self) -> Result<(), SyntaxError> {
        let mut joint = Joint::Always;
        let mut pipeline: Vec<Command> = Vec::new();
        let mut command = Command::default();
        let mut after_operator = false;
        loop {
            while self.eat(" ") || self.eat("\t") || self.eat("\\\n") {}
            let Some(next) = self.peek() else { break };
            match next {
                '#' => {
                    let end = self.rest.find('\n').unwrap_or(self.rest.len());
                    self.rest = &self.rest[end..];
                }
                '\n' | ';' | '&' | '|' => {
                    let empty = command == Command::default();
                    let piped = next == '|' && !self.rest.starts_with("||");
                    if empty && next != '\n' {
                        return Err(SyntaxError::Unexpected(next.into()));
                    }
                    if !empty {
                        pipeline.push(std::mem::take(&mut command));
                    }
                    if piped {
                        self.take();
                        after_operator = true;
                        continue;
                    }
                    if next == '\n' && after_operator && empty {
                        self.take();
                        continue;
                    }
                    if !pipeline.is_empty() {
                        self.line.pipelines.push((joint, std::mem::take(&mut pipeline)));
                    }
                    after_operator = self.rest.starts_with("&&") || self.rest.starts_with("||");
                    joint = if self.eat("&&") {
                        Joint::And
                    } else if self.eat("||") {
                        Joint::Or
                    } else {
                        self.take();
                        Joint::Always
                    };
                    if next == '\n' {
                        self.read_documents()?;
                    }
                }
                _ => {
                    after_operator = false;
                    let place = (self.line.pipelines.len(), pipeline.len());
                    self.word_or_redirect(&mut command, place)?;
                }
            }
        }
        if command != Command::default() {
            pipeline.push(command);
        }
        if after_operator || !self.documents.is_empty() {
            return Err(SyntaxError::Incomplete);
        }
        if !pipeline.is_empty() {
            self.line.pipelines.push((joint, pipeline));
        }
        Ok(())
    }

    fn word_or_redirect(&mut self, command: &mut Command, place: (usize, usize)) -> Result<(), SyntaxError> {
        if self.eat("2>&1") {
            command.redirects.push(Redirect::ErrToOut);
            return Ok(());
        }
        if self.eat("2>>") || self.eat("2>") {
            let to = self.operand()?;
            command.redirects.push(Redirect::Err { to });
            return Ok(());
        }
        if self.eat("<<") {
            let strip_tabs = self.eat("-");
            self.blanks();
            let quoted = matches!(self.peek(), Some('\'' | '"' | '\\'));
            let end = self.operand()?.literal().unwrap_or_default().to_owned();
            let (pipeline, at) = place;
            let redirect = command.redirects.len();
            self.documents.push(Document { pipeline, command: at, redirect, end, quoted, strip_tabs });
            command.redirects.push(Redirect::Here { text: Word::default() });
            return Ok(());
        }
        if self.eat("<") {
            let from = self.operand()?;
            command.redirects.push(Redirect::In { from });
            return Ok(());
        }
        if self.peek() == Some('>') {
            self.take();
            let append = self.eat(">");
            let to = self.operand()?;
            command.redirects.push(Redirect::Out { to, append });
            return Ok(());
        }
        let word = self.word()?;
        command.words.push(word);
        Ok(())
    }

    fn blanks(&mut self) {
        while self.eat(" ") || self.eat("\t") {}
    }

    fn operand(&mut self) -> Result<Word, SyntaxError> {
        self.blanks();
        let word = self.word()?;
        if word.pieces.is_empty() {
            return Err(SyntaxError::Unexpected(self.peek().map_or("newline".into(), String::from)));
        }
        Ok(word)
    }

    fn word(&mut self) -> Result<Word, SyntaxError> {
        let mut word = Word::default();
        while let Some(next) = self.peek() {
            match next {
                ' ' | '\t' | '\n' | ';' | '|' | '<' | '>' | '&' => break,
                '\'' => {
                    self.take();
                    let end = self.rest.find('\'').ok_or(SyntaxError::Incomplete)?;
                    push_text(&mut word, &self.rest[..end]);
                    self.rest = &self.rest[end + 1..];
                }
                '"' => {
                    self.take();
                    push_text(&mut word, "");
                    self.double_quoted(&mut word)?;
                }
                '\\' => {
                    self.take();
                    match self.take() {
                        Some('\n') => {}
                        Some(escaped) => push_text(&mut word, escaped.encode_utf8(&mut [0; 4])),
                        None => return Err(SyntaxError::Incomplete),
                    }
                }
                '$' => self.dollar(&mut word, false)?,
                _ => {
                    self.take();
                    push_text(&mut word, next.encode_utf8(&mut [0; 4]));
                }
            }
        }
        Ok(word)
    }

    fn double_quoted(&mut self, word: &mut Word) -> Result<(), SyntaxError> {
        loop {
            match self.peek().ok_or(SyntaxError::Incomplete)? {
                '"' => {
                    self.take();
                    return Ok(());
                }
                '\\' => {
                    self.take();
                    match self.take().ok_or(SyntaxError::Incomplete)? {
                        '\n' => {}
                        escaped @ ('"' | '\\' | '$' | '`') => push_text(word, escaped.encode_utf8(&mut [0; 4])),
                        other => push_text(word, &format!("\\{other}")),
                    }
                }
                '$' => self.dollar(word, true)?,
                other => {
                    self.take();
                    push_text(word, other.encode_utf8(&mut [0; 4]));
                }
            }
        }
    }

    fn dollar(&mut self, word: &mut Word, quoted: bool) -> Result<(), SyntaxError> {
        self.take();
        if self.eat("(") {
            let end = closing_parenthesis(self.rest).ok_or(SyntaxError::Incomplete)?;
            word.pieces.push(Piece::Output { line: self.rest[..end].into(), quoted });
            self.rest = &self.rest[end + 1..];
            return Ok(());
        }
        let braces = self.eat("{");
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '?';
        let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        let name = &self.rest[..end];
        if name.is_empty() {
            push_text(word, if braces { "${" } else { "$" });
            return Ok(());
        }
        word.pieces.push(Piece::Variable { name: name.into(), quoted });
        self.rest = &self.rest[end..];
        if braces {
            self.eat("}");
        }
        Ok(())
    }

    fn read_documents(&mut self) -> Result<(), SyntaxError> {
        for document in std::mem::take(&mut self.documents) {
            let mut text = String::new();
            loop {
                if self.rest.is_empty() {
                    return Err(SyntaxError::Incomplete);
                }
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                let mut line = &self.rest[..end];
                self.rest = self.rest.get(end + 1..).unwrap_or("");
                if document.strip_tabs {
                    line = line.trim_start_matches('\t');
                }
                if line == document.end {
                    break;
                }
                text.push_str(line);
                text.push('\n');
            }
            let word = if document.quoted { Word::text(&text) } else { expandable(&text)? };
            let commands = &mut self.line.pipelines[document.pipeline].1;
            commands[document.command].redirects[document.redirect] = Redirect::Here { text: word };
        }
        Ok(())
    }
}

/// A text in which only `$` and `\` mean something: an unquoted here-document.
fn expandable(text: &str) -> Result<Word, SyntaxError> {
    let mut word = Word::text("");
    let mut reader = Reader { rest: text, documents: Vec::new(), line: Line::default() };
    while let Some(next) = reader.peek() {
        match next {
            '$' => reader.dollar(&mut word, true)?,
            '\\' if reader.rest[1..].starts_with(['$', '\\', '`']) => {
                reader.take();
                let escaped = reader.take().unwrap_or_default();
                push_text(&mut word, escaped.encode_utf8(&mut [0; 4]));
            }
            _ => {
                reader.take();
                push_text(&mut word, next.encode_utf8(&mut [0; 4]));
            }
        }
    }
    Ok(word)
}

fn push_text(word: &mut Word, text: &str) {
    match word.pieces.last_mut() {
        Some(Piece::Text(last)) => last.push_str(text),
        _ => word.pieces.push(Piece::Text(text.into())),
    }
}

fn closing_parenthesis(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') if depth == 0 => return Some(at),
            (None, ')') => depth -= 1,
            _ => {}
        }
    }
    None
}
