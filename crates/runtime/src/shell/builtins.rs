//! Commands that run inside the shell's own process.

use std::sync::Arc;

use super::ast::Script;
use super::frame::Frame;
use super::machine::Shell;
use super::parser;
use super::scope::TrapKey;
use super::test_command;
use crate::process::{Pid, Task};
use crate::{Signal, tools};

/// What a built-in command comes to.
pub enum Flow {
    Status(i32),
    Exit(i32),
    Return(i32),
    /// `break` or, with `again`, `continue`.
    Loop {
        levels: usize,
        again: bool,
    },
    AwaitJobs(Vec<Pid>),
    ReadLine {
        names: Vec<String>,
        raw: bool,
    },
    Run(Script),
    Source(Script, Vec<Arc<str>>),
    Become(Vec<String>),
}

type Builtin = fn(&mut Shell, &mut Task<'_, '_, '_>, &[String]) -> Flow;

const TABLE: &[(&str, Builtin)] = &[
    (":", |_, _, _| Flow::Status(0)),
    ("true", |_, _, _| Flow::Status(0)),
    ("false", |_, _, _| Flow::Status(1)),
    ("echo", echo),
    ("printf", print_formatted),
    ("test", test),
    ("[", test),
    ("[[", test),
    ("cd", cd),
    ("pwd", pwd),
    ("export", export),
    ("readonly", export),
    ("unset", unset),
    ("set", set),
    ("shift", shift),
    ("read", read),
    ("exit", |shell, _, args| Flow::Exit(status_argument(shell, args))),
    ("return", |shell, _, args| Flow::Return(status_argument(shell, args))),
    ("break", |_, _, args| Flow::Loop { levels: count_argument(args), again: false }),
    ("continue", |_, _, args| Flow::Loop { levels: count_argument(args), again: true }),
    ("trap", trap),
    ("wait", wait),
    ("eval", eval),
    (".", source),
    ("source", source),
    ("exec", |_, _, args| if args.len() > 1 { Flow::Become(args[1..].to_vec()) } else { Flow::Status(0) }),
    ("local", local),
    ("command", command),
    ("type", type_of),
    ("kill", kill),
    ("umask", |_, _, _| Flow::Status(0)),
    ("ulimit", |_, _, _| Flow::Status(0)),
    ("jobs", |_, _, _| Flow::Status(0)),
];

/// The built-in of that name.
pub fn find(name: &str) -> Option<Builtin> {
    TABLE.iter().find(|row| row.0 == name).map(|row| row.1)
}

fn status_argument(shell: &Shell, args: &[String]) -> i32 {
    args.get(1).and_then(|arg| arg.parse().ok()).unwrap_or(shell.scope.status)
}

fn count_argument(args: &[String]) -> usize {
    args.get(1).and_then(|arg| arg.parse().ok()).unwrap_or(1)
}

fn write_out(shell: &Shell, task: &mut Task<'_, '_, '_>, text: &str) -> Flow {
    match task.write(1, text) {
        Ok(()) => Flow::Status(0),
        Err(message) if message.is_empty() => Flow::Exit(141),
        Err(message) => {
            shell.complain(task, &message);
            Flow::Status(1)
        }
    }
}

fn echo(shell: &mut Shell, task: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    let is_bash = tools::base_name(&shell.scope.arg0) == "bash";
    let text = echo_text(args, !is_bash && task.host.image.base.has_dash());
    write_out(shell, task, &text)
}

/// What `echo` prints.
fn echo_text(args: &[String], mut escapes: bool) -> String {
    let mut newline = true;
    let mut words = &args[1..];
    while let Some(flags) = words.first().and_then(|word| word.strip_prefix('-')) {
        if flags.is_empty() || !flags.chars().all(|c| "neE".contains(c)) {
            break;
        }
        newline &= !flags.contains('n');
        escapes |= flags.contains('e');
        words = &words[1..];
    }
    let mut text = words.join(" ");
    if escapes {
        text = interpret_escapes(&text);
    }
    if newline {
        text.push('\n');
    }
    text
}

/// Replaces `\n`, `\t`, `\\`, `\033` and their like.
pub fn interpret_escapes(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            result.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => result.push('\n'),
            Some('t') => result.push('\t'),
            Some('r') => result.push('\r'),
            Some('a') => result.push('\u{7}'),
            Some('b') => result.push('\u{8}'),
            Some('e') => result.push('\u{1b}'),
            Some('\\') => result.push('\\'),
            Some('"') => result.push('"'),
            Some('c') => return result,
            Some(digit @ '0'..='7') => {
                let mut code = digit.to_digit(8).unwrap_or(0);
                for _ in 0..3 {
                    let Some(next) = chars.peek().and_then(|c| c.to_digit(8)) else { break };
                    code = (code * 8 + next) & 0xff;
                    chars.next();
                }
                result.extend(char::from_u32(code));
            }
            Some(other) => {
                result.push('\\');
                result.push(other);
            }
            None => result.push('\\'),
        }
    }
    result
}

fn print_formatted(shell: &mut Shell, task: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    let Some(format) = args.get(1) else {
        shell.complain(task, "printf: usage: printf format [arguments]");
        return Flow::Status(2);
    };
    let text = printf(format, &args[2..]);
    write_out(shell, task, &text)
}

/// What `printf` prints; the format is used again while there are arguments.
pub fn printf(format: &str, arguments: &[String]) -> String {
    const TEXT_MAX: usize = 1 << 20;
    let mut rest = arguments.iter();
    let mut result = String::new();
    loop {
        let before = rest.len();
        printf_once(format, &mut rest, &mut result);
        if rest.len() == 0 || rest.len() == before || result.len() > TEXT_MAX {
            return result;
        }
    }
}

fn printf_once(format: &str, arguments: &mut std::slice::Iter<'_, String>, result: &mut String) {
    let format = interpret_escapes(format);
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            result.push(c);
            continue;
        }
        let mut spec = String::new();
        let conversion = loop {
            match chars.next() {
                Some(c @ ('-' | '+' | '0'..='9' | '.' | ' ' | '#')) => spec.push(c),
                Some('*') => spec.push_str(arguments.next().map_or("", String::as_str)),
                Some(c) => break c,
                None => return,
            }
        };
        if conversion == '%' {
            result.push('%');
            continue;
        }
        let argument = arguments.next().map_or("", String::as_str);
        result.push_str(&convert(&spec, conversion, argument));
    }
}

fn convert(spec: &str, conversion: char, argument: &str) -> String {
    const WIDTH_MAX: usize = 4096;
    let (flags_width, precision) = spec.split_once('.').map_or((spec, None), |(w, p)| (w, p.parse::<usize>().ok()));
    let left = flags_width.contains('-');
    let plain = flags_width.trim_start_matches(['-', '+', ' ', '#']);
    let zero = plain.starts_with('0') && !left;
    let width = plain.parse::<usize>().unwrap_or(0).min(WIDTH_MAX);
    let integer = || argument.trim().parse::<i64>().unwrap_or(0);
    let body = match conversion {
        's' => argument.chars().take(precision.unwrap_or(usize::MAX)).collect(),
        'b' => interpret_escapes(argument),
        'c' => argument.chars().take(1).collect(),
        'd' | 'i' | 'u' => integer().to_string(),
        'x' => format!("{:x}", integer()),
        'X' => format!("{:X}", integer()),
        'o' => format!("{:o}", integer()),
        'f' => format!("{:.*}", precision.unwrap_or(6).min(30), argument.trim().parse::<f64>().unwrap_or(0.0)),
        'q' => format!("'{argument}'"),
        _ => argument.to_owned(),
    };
    let padding = width.saturating_sub(body.chars().count());
    match (left, zero && conversion != 's') {
        (true, _) => body + &" ".repeat(padding),
        (_, true) => match body.strip_prefix('-') {
            Some(digits) => format!("-{}{digits}", "0".repeat(padding)),
            None => "0".repeat(padding) + &body,
        },
        _ => " ".repeat(padding) + &body,
    }
}

fn test(shell: &mut Shell, task: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    let mut words = &args[1..];
    let closing = match args[0].as_str() {
        "[" => "]",
        "[[" => "]]",
        _ => "",
    };
    if !closing.is_empty() {
        match words.split_last() {
            Some((last, rest)) if last == closing => words = rest,
            _ => {
                shell.complain(task, &format!("{}: missing {closing}", args[0]));
                return Flow::Status(2);
            }
        }
    }
    match test_command::evaluate(words, task) {
        Ok(value) => Flow::Status(i32::from(!value)),
        Err(message) => {
            shell.complain(task, &message);
            Flow::Status(2)
        }
    }
}

fn cd(shell: &mut Shell, task: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    let target = match args.get(1).map(String::as_str) {
        None => shell.scope.get("HOME").unwrap_or_else(|| "/".to_owned()),
        Some("-") => shell.scope.get("OLDPWD").unwrap_or_default(),
        Some(path) => path.to_owned(),
    };
    let path = task.absolute(&target);
    match task.view().canonical(&path) {
        Ok(_) if !task.view().is_dir(&path) => {
            shell.complain(task, &format!("cd: can't cd to {target}: Not a directory"));
            Flow::Status(2)
        }
        Ok(path) => {
            let old = task.info().cwd.to_string();
            task.info_mut().cwd = Arc::from(path.as_str());
            shell.scope.set("OLDPWD", &old);
            shell.scope.set("PWD", &path);
            Flow::Status(0)
        }
        Err(error) => {
            shell.complain(task, &format!("cd: can't cd to {target}: {error}"));
            Flow::Status(2)
        }
    }
}

fn pwd(shell: &mut Shell, task: &mut Task<'_, '_, '_>, _: &[String]) -> Flow {
    let text = format!("{}\n", task.info().cwd);
    write_out(shell, task, &text)
}

fn export(shell: &mut Shell, task: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    let words: Vec<&String> = args[1..].iter().filter(|word| *word != "-p").collect();
    if words.is_empty() {
        let line = |(name, value): (Arc<str>, Arc<str>)| format!("export {name}='{value}'\n");
        let text: String = shell.scope.environment().into_iter().map(line).collect();
        return write_out(shell, task, &text);
    }
    for word in words {
        match word.split_once('=') {
            Some((name, value)) => shell.scope.export(name, Some(value)),
            None => shell.scope.export(word, None),
        }
    }
    Flow::Status(0)
}

fn unset(shell: &mut Shell, _: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    for name in &args[1..] {
        shell.scope.variables.remove(name.as_str());
        if args[1] == "-f" {
            shell.scope.functions.remove(name.as_str());
        }
    }
    Flow::Status(0)
}

fn set(shell: &mut Shell, task: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    if args.len() == 1 {
        let line = |(name, variable): (&Arc<str>, &super::scope::Variable)| format!("{name}='{}'\n", variable.value);
        let text: String = shell.scope.variables.iter().map(line).collect();
        return write_out(shell, task, &text);
    }
    let mut words = args[1..].iter();
    while let Some(word) = words.next() {
        let on = match word.chars().next() {
            Some('-') => true,
            Some('+') => false,
            _ => {
                let rest = std::iter::once(word).chain(words);
                shell.scope.positional = rest.map(|value| Arc::from(value.as_str())).collect();
                break;
            }
        };
        if word == "--" {
            shell.scope.positional = words.map(|value| Arc::from(value.as_str())).collect();
            break;
        }
        for option in word.chars().skip(1) {
            if option != 'o' {
                shell.set_option(option, on);
                continue;
            }
            match words.next().map(String::as_str) {
                Some("pipefail") => shell.scope.pipefail = on,
                Some("errexit") => shell.scope.errexit = on,
                Some("nounset") => shell.scope.nounset = on,
                Some("xtrace") => shell.scope.xtrace = on,
                _ => {}
            }
        }
    }
    Flow::Status(0)
}

fn shift(shell: &mut Shell, _: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    let count = count_argument(args);
    if count > shell.scope.positional.len() {
        return Flow::Status(1);
    }
    shell.scope.positional.drain(..count);
    Flow::Status(0)
}

fn read(_: &mut Shell, task: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    let mut raw = false;
    let mut names = Vec::new();
    let mut words = args[1..].iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-r" => raw = true,
            "-p" => {
                let prompt = words.next().cloned().unwrap_or_default();
                let _ = task.write(2, &prompt);
            }
            "-t" | "-n" => {
                words.next();
            }
            "-s" => {}
            name => names.push(name.to_owned()),
        }
    }
    if names.is_empty() {
        names.push("REPLY".to_owned());
    }
    Flow::ReadLine { names, raw }
}

fn trap(shell: &mut Shell, task: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    let words: Vec<&str> = args[1..].iter().map(String::as_str).filter(|word| *word != "--").collect();
    let Some((action, mut names)) = words.split_first() else {
        let name = |key: &TrapKey| match key {
            TrapKey::Exit => "EXIT".to_owned(),
            TrapKey::Signal(signal) => format!("{signal:?}").to_uppercase(),
        };
        let text: String = shell.scope.traps.iter().map(|(k, a)| format!("trap -- '{a}' {}\n", name(k))).collect();
        return write_out(shell, task, &text);
    };
    let mut action = (*action != "-").then_some(*action);
    if names.is_empty() {
        names = &words;
        action = None;
    }
    for name in names {
        let key = match *name {
            "EXIT" | "0" => Some(TrapKey::Exit),
            name => Signal::parse(name).map(TrapKey::Signal),
        };
        match key {
            Some(key) => shell.set_trap(key, action, task),
            None if matches!(*name, "ERR" | "CHLD" | "SIGCHLD" | "WINCH" | "ALRM") => {}
            None => {
                shell.complain(task, &format!("trap: {name}: invalid signal specification"));
                return Flow::Status(1);
            }
        }
    }
    Flow::Status(0)
}

fn wait(_: &mut Shell, task: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    let mut pids: Vec<Pid> = args[1..].iter().filter_map(|arg| arg.parse().ok()).collect();
    if pids.is_empty() {
        let me = task.pid;
        pids = task.kernel.infos().filter(|info| info.parent == me).map(|info| info.pid).collect();
    }
    Flow::AwaitJobs(pids)
}

fn eval(shell: &mut Shell, task: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    match parser::parse(&args[1..].join(" ")) {
        Ok(script) => Flow::Run(script),
        Err(error) => {
            shell.complain(task, &error.message);
            Flow::Status(2)
        }
    }
}

fn source(shell: &mut Shell, task: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    let Some(path) = args.get(1) else { return Flow::Status(2) };
    let absolute = task.absolute(path);
    let content = match task.view().read(&absolute) {
        Ok(content) => content,
        Err(error) => {
            shell.complain(task, &format!("can't open '{path}': {error}"));
            return Flow::Status(2);
        }
    };
    match parser::parse(&String::from_utf8_lossy(&content)) {
        Ok(script) => Flow::Source(script, args[2..].iter().map(|arg| Arc::from(arg.as_str())).collect()),
        Err(error) => {
            shell.complain(task, &format!("{path}: line {}: {}", error.line, error.message));
            Flow::Status(2)
        }
    }
}

fn local(shell: &mut Shell, _: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    for word in &args[1..] {
        let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        let old = shell.scope.variables.get(name).cloned();
        let function = shell.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Return { positional: Some(_), locals } => Some(locals),
            _ => None,
        });
        let Some(locals) = function else { return Flow::Status(1) };
        locals.push((Arc::from(name), old));
        shell.scope.set(name, value.unwrap_or_default());
    }
    Flow::Status(0)
}

fn command(shell: &mut Shell, task: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    if args.get(1).is_none_or(|flag| flag != "-v" && flag != "-V") {
        return match parser::parse(&quote_all(&args[1..])) {
            Ok(script) => Flow::Run(script),
            Err(_) => Flow::Status(2),
        };
    }
    let mut text = String::new();
    for name in &args[2..] {
        if find(name).is_some() || shell.scope.functions.contains_key(name.as_str()) {
            text.push_str(&format!("{name}\n"));
        } else if let Some(path) = tools::which(task, name) {
            text.push_str(&format!("{path}\n"));
        } else {
            return Flow::Status(127);
        }
    }
    write_out(shell, task, &text)
}

fn quote_all(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
    if quoted.is_empty() { ":".to_owned() } else { quoted.join(" ") }
}

fn type_of(shell: &mut Shell, task: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    let mut text = String::new();
    let mut status = 0;
    for name in &args[1..] {
        let what = if shell.scope.functions.contains_key(name.as_str()) {
            "is a function".to_owned()
        } else if find(name).is_some() {
            "is a shell builtin".to_owned()
        } else if let Some(path) = tools::which(task, name) {
            format!("is {path}")
        } else {
            status = 127;
            "not found".to_owned()
        };
        text.push_str(&format!("{name} {what}\n"));
    }
    match write_out(shell, task, &text) {
        Flow::Status(0) => Flow::Status(status),
        flow => flow,
    }
}

fn kill(shell: &mut Shell, task: &mut Task<'_, '_, '_>, args: &[String]) -> Flow {
    let mut signal = Some(Signal::Term);
    let mut probe = false;
    let mut status = 0;
    let mut words = args[1..].iter();
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            Some("s") => signal = words.next().and_then(|name| Signal::parse(name)),
            Some("0") => probe = true,
            Some(name) => signal = Signal::parse(name),
            None => {
                let pid: Option<Pid> = word.parse().ok();
                let exists = pid.is_some_and(|pid| task.kernel.info(pid).is_some_and(|i| i.exit_code.is_none()));
                if !exists {
                    shell.complain(task, &format!("can't kill pid {word}: No such process"));
                    status = 1;
                } else if let (Some(pid), Some(signal), false) = (pid, signal, probe) {
                    let at = task.now();
                    task.kernel.signal(pid, signal, false, at, task.host);
                }
            }
        }
    }
    if signal.is_none() {
        shell.complain(task, "kill: bad signal name");
        status = 1;
    }
    Flow::Status(status)
}
