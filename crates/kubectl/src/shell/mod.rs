//! The shell of the terminal: just enough around kubectl for what tutorials type.

mod filter;
mod pattern;
mod sink;
pub mod syntax;
mod tools;

use std::pin::Pin;

pub(crate) use sink::Sink;
use syntax::{Command, Joint, Line, Piece, Redirect, SyntaxError, Word};

use crate::commands;
use crate::task::{Call, Cx, INTERRUPTED};

/// The programs of the terminal besides kubectl, for completion.
pub(crate) const PROGRAMS: &[(&str, &str)] = &[
    ("kubectl", "control the cluster"),
    ("k", "kubectl"),
    ("cat", "print a file of the page"),
    ("clear", "clear the terminal"),
    ("echo", "print text"),
    ("help", "what this terminal can do"),
    ("ls", "list the page's files"),
    ("sleep", "wait, in the cluster's time"),
    ("watch", "run a command again and again"),
];

/// True when more lines are needed: an open quote, a here-document, a pipe at the end.
pub fn is_incomplete(text: &str) -> bool {
    syntax::parse(text) == Err(SyntaxError::Incomplete)
}

/// Runs a line to its end and returns the last exit code.
pub(crate) async fn run_line(cx: Cx, text: String) -> i32 {
    let line = match syntax::parse(&text) {
        Ok(line) => line,
        Err(SyntaxError::Incomplete) => {
            cx.err_line("bash: syntax error: unexpected end of file").await;
            return 2;
        }
        Err(SyntaxError::Unexpected(token)) => {
            cx.err_line(format!("bash: syntax error near unexpected token `{token}'")).await;
            return 2;
        }
    };
    run_pipelines(cx, line).await
}

async fn run_pipelines(cx: Cx, line: Line) -> i32 {
    let mut code = 0;
    for (joint, commands) in line.pipelines {
        let skipped = match joint {
            Joint::Always => false,
            Joint::And => code != 0,
            Joint::Or => code == 0,
        };
        if skipped {
            continue;
        }
        code = run_pipeline(&cx, commands).await;
        cx.with(move |call| call.state.variables.insert("?".into(), code.to_string())).await;
        if code == INTERRUPTED {
            break;
        }
    }
    code
}

/// What a command of a pipeline is, once its words are known.
struct Stage {
    arguments: Vec<String>,
    redirects: Vec<Redirect>,
}

/// Commands that make their output at once read it from a pipe as a filter; kubectl in a later place reads the whole
/// output of what stands before it.
async fn run_pipeline(cx: &Cx, commands: Vec<Command>) -> i32 {
    let mut stages = Vec::new();
    for command in commands {
        let mut arguments = Vec::new();
        for word in &command.words {
            expand(cx, word, &mut arguments).await;
        }
        stages.push(Stage { arguments, redirects: command.redirects });
    }
    let mut code = 0;
    let mut fed: Option<String> = None;
    let mut stages = stages.into_iter().peekable();
    while let Some(stage) = stages.next() {
        let mut filters = Vec::new();
        let mut redirects = stage.redirects;
        let mut refused = false;
        while let Some(next) = stages.peek() {
            match filter::make(&next.arguments) {
                Ok(Some(made)) => filters.push(made),
                Ok(None) => break,
                Err(text) => {
                    cx.err_line(text).await;
                    refused = true;
                }
            }
            redirects.extend(stages.next().map(|stage| stage.redirects).unwrap_or_default());
        }
        if refused {
            return 2;
        }
        let captures = stages.peek().is_some();
        let output = Output { filters, captures, redirects };
        let (result, captured) = run_stage(cx, stage.arguments, fed.take(), output).await;
        code = result;
        fed = Some(captured);
    }
    code
}

struct Output {
    filters: Vec<Box<dyn filter::Filter>>,
    captures: bool,
    redirects: Vec<Redirect>,
}

async fn run_stage(cx: &Cx, arguments: Vec<String>, stdin: Option<String>, output: Output) -> (i32, String) {
    let mut stdin = stdin;
    let mut sink = Sink { filters: output.filters, captures: output.captures, ..Sink::default() };
    let mut file = None;
    for redirect in &output.redirects {
        match redirect {
            Redirect::Out { to, append } => {
                let path = expand_one(cx, to).await;
                sink.captures = true;
                file = Some((path, *append));
            }
            Redirect::Err { .. } => (sink.takes_stderr, sink.drops_stderr) = (true, true),
            Redirect::ErrToOut => (sink.takes_stderr, sink.drops_stderr) = (true, false),
            Redirect::Here { text } => stdin = Some(expand_one(cx, text).await),
            Redirect::In { from } => {
                let path = expand_one(cx, from).await;
                let name = path.clone();
                let text = cx.with(move |call| call.state.files.read(&path)).await;
                match text {
                    Some(text) => stdin = Some(text),
                    None => {
                        cx.err_line(format!("bash: {name}: No such file or directory")).await;
                        return (1, String::new());
                    }
                }
            }
        }
    }
    let depth = cx
        .with(move |call| {
            call.io.sinks.push(sink);
            call.io.stdin = stdin;
            call.io.sinks.len()
        })
        .await;
    let code = cx.until_stopped(Box::pin(run_command(cx.clone(), arguments))).await;
    let captured = cx
        .with(move |call| {
            call.io.stdin = None;
            // A stopped command may have left the pipes of its own lines behind.
            while call.io.sinks.len() > depth {
                call.io.pop_sink();
            }
            let captured = call.io.pop_sink();
            match file {
                Some((path, append)) => {
                    write_file(call, &path, append, captured);
                    String::new()
                }
                None => captured,
            }
        })
        .await;
    (code, captured)
}

fn write_file(call: &mut Call, path: &str, append: bool, text: String) {
    if path == "/dev/null" {
        return;
    }
    match append {
        true => call.state.files.append(path, &text),
        false => call.state.files.write(path, text),
    }
}

/// Runs one program with its arguments.
pub(crate) fn run_command(cx: Cx, mut words: Vec<String>) -> Pin<Box<dyn Future<Output = i32>>> {
    Box::pin(async move {
        while words.first().is_some_and(|word| is_assignment(word)) {
            let assignment = words.remove(0);
            assign(&cx, assignment).await;
        }
        if words.is_empty() {
            return 0;
        }
        let program = words.remove(0);
        match program.as_str() {
            "kubectl" | "k" => commands::run(cx, words).await,
            "export" => {
                for word in words {
                    assign(&cx, word).await;
                }
                0
            }
            "watch" => tools::watch(cx, words).await,
            "sleep" => tools::sleep(cx, words).await,
            _ => cx.with(move |call| tools::run(call, &program, &words)).await,
        }
    })
}

fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

async fn assign(cx: &Cx, word: String) {
    cx.with(move |call| {
        if let Some((name, value)) = word.split_once('=') {
            call.state.variables.insert(name.into(), value.into());
        }
    })
    .await;
}

/// Adds what a word becomes: variables and outputs outside quotes are split at blanks, as a shell does.
async fn expand(cx: &Cx, word: &Word, into: &mut Vec<String>) {
    // The value of an assignment is one word whatever is in it.
    let assigns = matches!(word.pieces.first(), Some(Piece::Text(text)) if is_assignment(text));
    let mut current: Option<String> = None;
    for piece in &word.pieces {
        let (value, quoted) = match piece {
            Piece::Text(text) => {
                current.get_or_insert_default().push_str(text);
                continue;
            }
            Piece::Variable { name, quoted } => (variable(cx, name).await, *quoted),
            Piece::Output { line, quoted } => (output_of(cx, line).await, *quoted),
        };
        if quoted || assigns {
            current.get_or_insert_default().push_str(&value);
            continue;
        }
        let mut parts = value.split_whitespace();
        if value.starts_with(char::is_whitespace) {
            into.extend(current.take());
        }
        if let Some(first) = parts.next() {
            current.get_or_insert_default().push_str(first);
        }
        for part in parts {
            into.extend(current.replace(part.into()));
        }
        if value.ends_with(char::is_whitespace) {
            into.extend(current.take());
        }
    }
    into.extend(current);
}

/// A word that stays one: the target of a redirection, a here-document.
async fn expand_one(cx: &Cx, word: &Word) -> String {
    let mut text = String::new();
    for piece in &word.pieces {
        match piece {
            Piece::Text(part) => text.push_str(part),
            Piece::Variable { name, .. } => text.push_str(&variable(cx, name).await),
            Piece::Output { line, .. } => text.push_str(&output_of(cx, line).await),
        }
    }
    text
}

async fn variable(cx: &Cx, name: &str) -> String {
    let name = name.to_owned();
    cx.with(move |call| call.state.variables.get(&name).cloned().unwrap_or_default()).await
}

async fn output_of(cx: &Cx, line: &str) -> String {
    cx.with(|call| call.io.sinks.push(Sink { captures: true, ..Sink::default() })).await;
    let inner: Pin<Box<dyn Future<Output = i32>>> = Box::pin(run_line(cx.clone(), line.to_owned()));
    inner.await;
    let captured = cx.with(|call| call.io.pop_sink()).await;
    captured.trim_end_matches('\n').to_owned()
}
