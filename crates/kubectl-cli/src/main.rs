//! The command line as a program: [`kubectl`], over HTTP/1.1 instead of in process.
//!
//! The library stays free of I/O. Here are the ways to the outside: [`connection`] answers `api::Request`s from a server,
//! [`config`] reads a kubeconfig, and this file lends the library the disk, standard input, the editor and the clock.
//!
//! `exec`, `attach` and `cp` open a [`websocket`]. Known differences: no TLS, no `port-forward`; what is typed reaches a
//! program in a container when standard input has ended.
#![expect(clippy::disallowed_methods, reason = "a native program: it has a clock, threads and an environment")]

mod answer;
mod config;
mod connection;
mod path;
mod websocket;

use std::io::{Read as _, Write as _};
use std::time::Duration;

use client::Client;
use connection::Connection;
use kubectl::{Disk, EditRequest, Running, Session};

fn main() -> std::process::ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let settings = match config::read(&words) {
        Ok(settings) => settings,
        Err(why) => {
            eprintln!("{why}");
            return 1.into();
        }
    };
    let mut session = Session::on_disk(Disk { read, write, list });
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
    words.iter().any(|word| matches!(word.as_str(), "-" | "-f-" | "--filename=-" | "-i" | "--stdin"))
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
        if let Some(request) = progress.edit {
            running.edited(edit(&request));
            continue;
        }
        let now = connection::now();
        let wait =
            progress.wake.map_or(Duration::from_millis(20), |wake| Duration::from_nanos(wake.saturating_sub(now)));
        std::thread::sleep(wait);
    }
}

/// Opens the user's editor on a temporary file. `None` when it fails.
fn edit(request: &EditRequest) -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let editor = variable("KUBE_EDITOR").or_else(|| variable("EDITOR")).unwrap_or("vi".into());
    let path = std::env::temp_dir().join(format!("kubectl-edit-{}-{}", std::process::id(), request.file_name));
    std::fs::write(&path, &request.text).ok()?;
    let command = format!("{editor} \"$1\"");
    let status = std::process::Command::new("sh").arg("-c").arg(command).arg("sh").arg(&path).status().ok()?;
    let text = std::fs::read_to_string(&path).ok();
    let _ = std::fs::remove_file(&path);
    text.filter(|_| status.success())
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn write(path: &str, text: &str) {
    if let Err(error) = std::fs::write(path, text) {
        eprintln!("error: {error}");
    }
}

fn list(folder: &str) -> Option<Vec<String>> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_dir()));
    let mut names: Vec<String> = files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Some(names)
}
