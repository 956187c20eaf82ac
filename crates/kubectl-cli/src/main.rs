//! The command line as a program: [`kubectl`], over HTTP/1.1 instead of in process.
//!
//! The library stays free of I/O. Here are the ways to the outside: [`connection`] answers `api::Request`s from a server,
//! [`config`] reads a kubeconfig, and this file lends the library the disk, standard input, the editor and the clock.
//!
//! `exec`, `attach`, `cp` and `port-forward` open a [`websocket`] over a [`wire`], which may be encrypted; `proxy` passes
//! requests on. Known difference: what is typed reaches a program in a container when standard input has ended.
#![expect(clippy::disallowed_methods, reason = "a native program: it has a clock, threads and an environment")]

mod answer;
mod config;
mod connection;
mod diff;
mod fetch;
mod forward;
mod path;
mod proxy;
mod websocket;
mod wire;

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::time::Duration;

use client::Client;
use connection::Connection;
use kubectl::{Disk, EditRequest, Errand, Running, Session};

fn main() -> std::process::ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let settings = match config::read(&words) {
        Ok(settings) => settings,
        Err(why) => {
            eprintln!("{why}");
            return 1.into();
        }
    };
    let mut session = Session::on_disk(Disk { read, write, list, folder, fetch: fetch::fetch });
    session.set_config(&settings.file, settings.config.clone(), settings.context.clone(), &settings.namespace);
    let mut connection = Connection::new(settings);
    let stdin = reads_stdin(&words).then(stdin);
    let running = session.start_arguments(words, stdin);
    match run(running, &mut connection) {
        Ok(code) => u8::try_from(code).unwrap_or(1).into(),
        // Nobody reads the output any more, as after `| head -1`.
        Err(_) => 1.into(),
    }
}

/// `-f -`, and programs that are fed by a pipe.
fn reads_stdin(words: &[String]) -> bool {
    let is_piped = !std::io::stdin().is_terminal();
    words.iter().any(|word| match word.as_str() {
        "-" | "-f-" | "--filename=-" | "-i" | "--stdin" | "--interactive" => true,
        "-it" | "-ti" => is_piped,
        _ => false,
    })
}

fn stdin() -> String {
    let mut text = String::new();
    // What is no text is as good as nothing.
    let _ = std::io::stdin().read_to_string(&mut text);
    text
}

/// Polls the command until it is done.
fn run(mut running: Running, connection: &mut Connection) -> std::io::Result<i32> {
    loop {
        let progress = running.poll(&mut Client::new(connection));
        for piece in &progress.output {
            match piece.error {
                true => std::io::stderr().write_all(piece.text.as_bytes())?,
                false => std::io::stdout().write_all(piece.text.as_bytes())?,
            }
        }
        std::io::stdout().flush()?;
        if let Some(code) = progress.exit {
            return Ok(code);
        }
        match progress.errand {
            Some(Errand::Forward(request)) => return forward::run(connection, &request),
            Some(Errand::Proxy(request)) => return proxy::run(connection, &request),
            Some(Errand::Diff(compared)) => return diff::run(&compared),
            None => {}
        }
        if let Some(request) = progress.edit {
            match edit(&request) {
                Ok(text) => running.edited(Some(text)),
                Err(why) => running.edit_failed(why),
            }
            continue;
        }
        let now = connection::now();
        let wait =
            progress.wake.map_or(Duration::from_millis(20), |wake| Duration::from_nanos(wake.saturating_sub(now)));
        std::thread::sleep(wait);
    }
}

/// Opens the user's editor on a temporary file.
fn edit(request: &EditRequest) -> Result<String, String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let editor = variable("KUBE_EDITOR").or_else(|| variable("EDITOR")).unwrap_or("vi".into());
    let path = std::env::temp_dir().join(format!("kubectl-edit-{}-{}", std::process::id(), request.file_name));
    std::fs::write(&path, &request.text).map_err(|error| error.to_string())?;
    let needs_shell = editor.contains(['"', '\'', '\\']);
    let words: Vec<&str> = editor.split(' ').filter(|word| !word.is_empty()).collect();
    let status = match words.split_first() {
        Some((program, arguments)) if !needs_shell => {
            std::process::Command::new(program).args(arguments).arg(&path).status()
        }
        _ => {
            let command = format!("{editor} \"$1\"");
            std::process::Command::new("sh").arg("-c").arg(command).arg("sh").arg(&path).status()
        }
    };
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
    let _ = std::fs::remove_file(&path);
    match status.map(|status| status.code()) {
        Ok(Some(0)) => text,
        // It is not among the programs.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !editor.contains('/') => {
            Err(format!("unable to launch the editor {editor:?}"))
        }
        _ => Err(format!("there was a problem with the editor {editor:?}")),
    }
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn write(path: &str, text: &str) {
    if let Some(folder) = std::path::Path::new(path).parent() {
        // If there is no folder, there will be no file, and why.
        let _ = std::fs::create_dir_all(folder);
    }
    if let Err(error) = std::fs::write(path, text) {
        eprintln!("error: {error}");
    }
}

fn folder() -> String {
    std::env::current_dir().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default()
}

fn list(folder: &str) -> Option<Vec<String>> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let named = entries.map(|entry| {
        let end = if entry.path().is_dir() { "/" } else { "" };
        format!("{}{end}", entry.file_name().to_string_lossy())
    });
    let mut names: Vec<String> = named.collect();
    names.sort();
    Some(names)
}
