//! From a command's name to the program that runs.

use super::{Origin, ToolRun, find_tool};
use crate::images::Base;
use crate::process::{Program, Task};
use crate::shell::Shell;
use crate::vfs::Node;

const BIN_DIRECTORIES: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Why a command cannot run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// No such name in `$PATH`.
    NotFound,
    /// No such file.
    NoFile,
    /// The file is not executable.
    Denied,
}

impl Missing {
    /// The shell's exit status.
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::NotFound | Self::NoFile => 127,
            Self::Denied => 126,
        }
    }

    /// The shell's complaint.
    pub fn shell_message(&self, arg0: &str, name: &str, base: Base) -> String {
        let shell = base_name(arg0);
        let line = if shell == "sh" && base.has_dash() { "1: " } else { "" };
        let what = match self {
            Self::NotFound if shell == "bash" => "command not found",
            Self::NotFound => "not found",
            Self::NoFile if shell == "bash" => "No such file or directory",
            Self::NoFile => "not found",
            Self::Denied => "Permission denied",
        };
        format!("{shell}: {line}{name}: {what}\n")
    }

    /// runc's reason why a container or an exec did not start.
    pub fn runc_message(&self, name: &str) -> String {
        match self {
            Self::NotFound => format!("exec: \"{name}\": executable file not found in $PATH"),
            Self::NoFile => format!("exec: \"{name}\": stat {name}: no such file or directory"),
            Self::Denied => format!("exec: \"{name}\": permission denied"),
        }
    }
}

/// The last component of a path.
pub fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Where a command is found, if it is one.
pub fn which(task: &mut Task<'_, '_, '_>, name: &str) -> Option<String> {
    let base = base_name(name).to_owned();
    let image = task.host.image;
    let known = (image.base.has_shell() && is_shell(&base, image.base)) || image.runs(&base) || has_tool(task, &base);
    if name.contains('/') {
        let directory = &name[..name.len() - base.len()];
        let standard = BIN_DIRECTORIES.contains(&directory.trim_end_matches('/'));
        return ((known && standard) || image.entrypoint.contains(&name)).then(|| name.to_owned());
    }
    for directory in BIN_DIRECTORIES {
        let path = format!("{directory}/{name}");
        if task.view().exists(&path) {
            return Some(path);
        }
    }
    let home = if image.runs(&base) {
        "/usr/sbin"
    } else if is_shell(&base, image.base) {
        "/bin"
    } else {
        "/usr/bin"
    };
    known.then(|| format!("{home}/{name}"))
}

fn is_shell(name: &str, base: Base) -> bool {
    match name {
        "sh" => true,
        "ash" | "busybox" => !base.has_dash(),
        "bash" | "dash" => base.has_dash(),
        _ => false,
    }
}

fn has_tool(task: &mut Task<'_, '_, '_>, name: &str) -> bool {
    let image = task.host.image;
    let Some(tool) = find_tool(name) else { return false };
    image.tools.contains(&name)
        || match tool.origin {
            Origin::Everywhere => image.base.has_shell(),
            Origin::Busybox => image.base.has_shell() && !image.base.has_dash(),
            Origin::Debian => image.base.has_dash(),
            Origin::Extra => false,
        }
        || task.view().exists(&format!("/usr/bin/{name}"))
}

/// The program that a command line runs.
///
/// # Errors
///
/// There is none of that name in the container.
pub fn find_program(task: &mut Task<'_, '_, '_>, argv: &[String]) -> Result<Program, Missing> {
    let Some(name) = argv.first().filter(|name| !name.is_empty()) else { return Err(Missing::NotFound) };
    let image = task.host.image;
    let base = base_name(name);
    if image.wrappers.contains(&base) && argv.len() > 1 {
        let rest = argv.iter().skip(1).skip_while(|word| word.starts_with('-')).cloned().collect::<Vec<_>>();
        return find_program(task, &rest);
    }
    let file = script_file(task, name);
    if let Some(found) = file {
        return found.map(|(shell, script)| of_shell(shell.as_deref(), &script, argv));
    }
    if which(task, name).is_none() {
        if !image.is_known && !crate::images::is_nonsense(base) {
            return Ok(Program::Service);
        }
        return Err(if name.contains('/') { Missing::NoFile } else { Missing::NotFound });
    }
    if base == "busybox" && argv.len() > 1 {
        return find_program(task, &argv[1..]);
    }
    if is_shell(base, image.base) && image.base.has_shell() {
        return shell_program(task, argv);
    }
    if matches!(base, "timeout" | "nohup" | "xargs" | "time" | "tini" | "dumb-init" | "exec") && argv.len() > 1 {
        return find_program(task, &argv[1..]);
    }
    let controls = base == "nginx" && argv.iter().any(|arg| matches!(arg.as_str(), "-t" | "-T" | "-v" | "-V" | "-s"));
    if image.runs(base) && !controls {
        return Ok(Program::Service);
    }
    match find_tool(base) {
        Some(tool) => Ok(Program::Tool(Box::new(ToolRun::new(tool, argv.to_vec())))),
        None => Ok(Program::Service),
    }
}

type ScriptFile = Result<(Option<String>, String), Missing>;

/// A file that the container itself holds under that name.
fn script_file(task: &mut Task<'_, '_, '_>, name: &str) -> Option<ScriptFile> {
    if !name.contains('/') || task.host.image.entrypoint.contains(&name) {
        return None;
    }
    let path = task.absolute(name);
    let node = task.view().stat(&path).ok()?;
    let Node::File(file) = node else { return Some(Err(Missing::Denied)) };
    let text = String::from_utf8_lossy(&file.content).into_owned();
    if text.is_empty() && which(task, base_name(name)).is_some() {
        return None;
    }
    if file.mode & 0o111 == 0 {
        return Some(Err(Missing::Denied));
    }
    let interpreter = text.lines().next().and_then(|line| line.strip_prefix("#!")).map(str::to_owned);
    Some(Ok((interpreter, text)))
}

fn of_shell(interpreter: Option<&str>, script: &str, argv: &[String]) -> Program {
    let is_shell = interpreter.is_none_or(|line| line.trim_end().trim_end_matches(" -e").ends_with("sh"));
    if !is_shell {
        return Program::Service;
    }
    let mut shell = Shell::of_script(script, &argv[0], &argv[1..]);
    if interpreter.is_some_and(|line| line.ends_with("-e")) {
        shell.set_option('e', true);
    }
    Program::Shell(Box::new(shell))
}

/// `sh`, `sh -c script`, `sh file`.
fn shell_program(task: &mut Task<'_, '_, '_>, argv: &[String]) -> Result<Program, Missing> {
    let mut options = String::new();
    let mut words = argv[1..].iter();
    let mut script = None;
    let mut rest: Vec<String> = Vec::new();
    let mut interactive = false;
    while let Some(word) = words.next() {
        match word.strip_prefix(['-', '+']) {
            Some("o") => options.extend(words.next().filter(|name| *name == "errexit").map(|_| 'e')),
            Some(flags) if flags.contains('c') && !flags.starts_with('-') => {
                options.push_str(&flags.replace(['c', 'l'], ""));
                script = words.next().cloned();
                rest.extend(words.cloned());
                break;
            }
            Some(flags) => {
                interactive |= flags == "i" || flags == "il";
                options.push_str(if flags.starts_with('-') { "" } else { flags });
            }
            None => {
                rest.push(word.clone());
                rest.extend(words.cloned());
                break;
            }
        }
    }
    let mut shell = match script {
        Some(script) => {
            let arg0 = rest.first().unwrap_or(&argv[0]);
            Shell::of_script(&script, arg0, rest.get(1..).unwrap_or_default())
        }
        None if rest.is_empty() => {
            let terminal = matches!(task.info().files.get(&0), Some(crate::process::Descriptor::PipeRead(_)));
            let terminal = terminal && task.host.interactive;
            Shell::of_input(interactive || terminal, &argv[0], &[])
        }
        None => {
            let path = task.absolute(&rest[0]);
            let content = task.view().read(&path).map_err(|_| Missing::NoFile)?;
            Shell::of_script(&String::from_utf8_lossy(&content), &rest[0], &rest[1..])
        }
    };
    for option in options.chars() {
        shell.set_option(option, true);
    }
    Ok(Program::Shell(Box::new(shell)))
}

/// Whether an entry point of that name is a service rather than a shell or a tool.
pub fn is_service_name(name: &str) -> bool {
    find_tool(name).is_none() && !matches!(name, "sh" | "ash" | "bash" | "busybox")
}
