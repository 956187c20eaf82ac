//! The few programs of the terminal that are not kubectl.

use api::time::SECOND;

use super::{filter, run_command};
use crate::task::{Call, Cx};

const HELP: &str = "\
This terminal talks to the simulated cluster of this page.

  kubectl ...            (or k) as the real one; `kubectl --help` lists its commands
  watch -n 2 COMMAND     run a command again and again until Ctrl-C
  sleep N                wait N seconds of the cluster's time
  cat, ls, echo, clear   files of the page and plain text
  | grep, head, tail, wc, sort, uniq, cut, awk, sed, tr, base64
  > file, >> file, <<EOF, &&, ||, ;, $NAME, $(COMMAND)
";

/// Programs that are done at once.
pub(crate) fn run(call: &mut Call, program: &str, words: &[String]) -> i32 {
    match program {
        "clear" => call.io.out("\x1b[H\x1b[2J"),
        "help" => call.io.out(HELP),
        "echo" => echo(call, words),
        "true" | ":" => {}
        "false" => return 1,
        "pwd" => call.io.line("/root"),
        "date" => {
            let now = api::time::stamp(call.client.now());
            call.io.line(now.0.strftime("%a %b %e %H:%M:%S UTC %Y").to_string());
        }
        "ls" => {
            let names: Vec<String> = call.state.files.all().keys().cloned().collect();
            for name in names {
                call.io.line(name);
            }
        }
        "cat" => return cat(call, words),
        "rm" => return remove(call, words),
        _ => return filter_files(call, program, words),
    }
    0
}

fn echo(call: &mut Call, words: &[String]) {
    let (mut newline, mut escapes, mut first) = (true, false, 0);
    for word in words {
        match word.as_str() {
            "-n" => newline = false,
            "-e" => escapes = true,
            _ => break,
        }
        first += 1;
    }
    let mut text = words[first..].join(" ");
    if escapes {
        text = text.replace("\\n", "\n").replace("\\t", "\t");
    }
    if newline {
        text.push('\n');
    }
    call.io.out(&text);
}

fn cat(call: &mut Call, words: &[String]) -> i32 {
    let mut code = 0;
    if words.is_empty()
        && let Some(text) = call.io.stdin.take()
    {
        call.io.out(&text);
    }
    for word in words.iter().filter(|word| !word.starts_with('-')) {
        match call.state.files.read(word) {
            Some(text) => call.io.out(&text),
            None => {
                call.io.err_line(format!("cat: {word}: No such file or directory"));
                code = 1;
            }
        }
    }
    code
}

fn remove(call: &mut Call, words: &[String]) -> i32 {
    let mut code = 0;
    for word in words.iter().filter(|word| !word.starts_with('-')) {
        if !call.state.files.remove(word) {
            call.io.err_line(format!("rm: cannot remove '{word}': No such file or directory"));
            code = 1;
        }
    }
    code
}

/// `grep x file`: a filter in the first place reads a file or its here-document.
fn filter_files(call: &mut Call, program: &str, words: &[String]) -> i32 {
    let mut all = vec![program.to_owned()];
    let mut text = call.io.stdin.take();
    for word in words {
        match call.state.files.read(word) {
            Some(file) => text.get_or_insert_default().push_str(&file),
            None => all.push(word.clone()),
        }
    }
    match filter::make(&all) {
        Ok(Some(mut filter)) => {
            let mut out = filter.feed(&text.unwrap_or_default());
            out.push_str(&filter.finish());
            call.io.out(&out);
            0
        }
        Err(text) => {
            call.io.err_line(text);
            2
        }
        Ok(None) => {
            call.io.err_line(format!("bash: {program}: command not found"));
            127
        }
    }
}

/// Seconds with an optional fraction and unit, in nanoseconds.
fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) if text.ends_with('m') => (number, 60),
        Some(number) if text.ends_with('h') => (number, 3600),
        Some(number) => (number, 1),
        None => (text, 1),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let nanoseconds: u64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    whole.checked_mul(SECOND)?.checked_add(nanoseconds)?.checked_mul(unit)
}

pub(crate) async fn sleep(cx: Cx, words: Vec<String>) -> i32 {
    let Some(first) = words.first() else {
        cx.err_line("sleep: missing operand").await;
        return 1;
    };
    let Some(duration) = seconds(first) else {
        cx.err_line(format!("sleep: invalid time interval '{first}'")).await;
        return 1;
    };
    cx.sleep(duration).await;
    0
}

/// `watch -n SECONDS COMMAND`: until Ctrl-C.
pub(crate) async fn watch(cx: Cx, words: Vec<String>) -> i32 {
    let (mut interval, mut first) = (2 * SECOND, 0);
    while let Some(word) = words.get(first) {
        if word == "-n" || word == "--interval" {
            interval = words.get(first + 1).and_then(|text| seconds(text)).unwrap_or(interval);
            first += 1;
        } else if let Some(text) = word.strip_prefix("-n").or(word.strip_prefix("--interval=")) {
            interval = seconds(text).unwrap_or(interval);
        } else if !word.starts_with('-') {
            break;
        }
        first += 1;
    }
    let command = words[first..].to_vec();
    if command.is_empty() {
        cx.err_line("Usage: watch [-n SECONDS] COMMAND").await;
        return 1;
    }
    let shown = format!("Every {:.1}s: {}", interval as f64 / SECOND as f64, command.join(" "));
    loop {
        cx.out(format!("\x1b[H\x1b[2J{shown}\n\n")).await;
        match command.as_slice() {
            // `watch 'kubectl get pods | head'`: one argument is a line for the shell.
            [line] => {
                Box::pin(super::run_line(cx.clone(), line.clone())).await;
            }
            words => {
                run_command(cx.clone(), words.to_vec()).await;
            }
        }
        cx.sleep(interval).await;
    }
}
