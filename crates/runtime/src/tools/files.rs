//! Tools that work on the file system.

use super::run::{After, Call};
use crate::process::Task;
use crate::shell::pattern;
use crate::vfs::{FsError, Node};

type ToolCall<'t, 'k, 'h, 'a> = Call<'t, 'k, 'h, 'a>;

/// Applies an operation to each path: complains and ends with 1 when one fails.
fn for_each(
    call: &mut ToolCall<'_, '_, '_, '_>,
    paths: &[String],
    verb: &str,
    mut apply: impl FnMut(&mut Task<'_, '_, '_>, &str) -> Result<(), FsError>,
) -> After {
    let mut status = 0;
    if paths.is_empty() {
        call.complain("missing operand");
        return After::Exit(1);
    }
    for path in paths {
        let absolute = call.task.absolute(path);
        if let Err(error) = apply(call.task, &absolute) {
            call.complain(&format!("{verb} '{path}': {error}"));
            status = 1;
        }
    }
    After::Exit(status)
}

pub fn mkdir(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (flags, _, paths) = call.flags("m");
    let parents = flags.contains('p');
    for_each(call, &paths, "can't create directory", |task, path| {
        if parents { task.view().make_dir_all(path) } else { task.view().make_dir(path) }
    })
}

pub fn rmdir(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (_, _, paths) = call.flags("");
    for_each(call, &paths, "failed to remove", |task, path| {
        if !task.view().is_dir(path) {
            return Err(FsError::NotADirectory);
        }
        task.view().remove(path, false)
    })
}

pub fn rm(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (flags, _, paths) = call.flags("");
    let (force, recursive) = (flags.contains('f'), flags.contains(['r', 'R']));
    if paths.is_empty() && force {
        return After::Exit(0);
    }
    for_each(call, &paths, "can't remove", |task, path| {
        let mut view = task.view();
        match view.stat_link(path) {
            Err(FsError::NotFound) if force => Ok(()),
            Err(error) => Err(error),
            Ok(Node::Dir(_)) if !recursive => Err(FsError::IsADirectory),
            Ok(_) => view.remove(path, recursive),
        }
    })
}

pub fn touch(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (_, _, paths) = call.flags("dtr");
    for_each(call, &paths, "cannot touch", |task, path| task.view().touch(path))
}

pub fn chmod(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let mut words: Vec<String> = call.args[1..].iter().filter(|word| *word != "-R").cloned().collect();
    if words.is_empty() {
        call.complain("missing operand");
        return After::Exit(1);
    }
    let mode = words.remove(0);
    for_each(call, &words, "", |task, path| {
        let old = task.view().stat(path)?.mode();
        let new = match u32::from_str_radix(&mode, 8) {
            Ok(mode) => mode,
            Err(_) if mode.contains("+x") => old | 0o111,
            Err(_) if mode.contains("-x") => old & !0o111,
            Err(_) if mode.contains("+w") => old | 0o222,
            Err(_) if mode.contains("-w") => old & !0o222,
            Err(_) => return Err(FsError::Invalid),
        };
        task.view().set_mode(path, new)
    })
}

pub fn ln(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (flags, _, words) = call.flags("");
    let [target, path] = words.as_slice() else {
        call.complain("missing operand");
        return After::Exit(1);
    };
    let path = into_directory(call, target, path);
    let (force, symbolic) = (flags.contains('f'), flags.contains('s'));
    let target_absolute = call.task.absolute(target);
    let mut view = call.task.view();
    if force {
        let _ = view.remove(&path, false);
    }
    let made = if symbolic {
        view.make_link(target, &path)
    } else {
        view.stat(&target_absolute).and_then(|node| view.put_node(&path, node))
    };
    finish(call, made, &path)
}

fn finish(call: &mut ToolCall<'_, '_, '_, '_>, result: Result<(), FsError>, path: &str) -> After {
    match result {
        Ok(()) => After::Exit(0),
        Err(error) => {
            call.complain(&format!("{path}: {error}"));
            After::Exit(1)
        }
    }
}

/// The destination, or the entry in it when it is a directory.
fn into_directory(call: &mut ToolCall<'_, '_, '_, '_>, source: &str, destination: &str) -> String {
    let destination = call.task.absolute(destination);
    if call.task.view().is_dir(&destination) {
        return format!("{destination}/{}", super::base_name(source.trim_end_matches('/')));
    }
    destination
}

pub fn cp(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (flags, _, mut words) = call.flags("");
    let Some(destination) = words.pop().filter(|_| !words.is_empty()) else {
        call.complain("missing operand");
        return After::Exit(1);
    };
    let recursive = flags.contains(['r', 'R', 'a']);
    let mut status = 0;
    for source in &words {
        let path = call.task.absolute(source);
        let contents_only = source.ends_with("/.");
        let to =
            if contents_only { call.task.absolute(&destination) } else { into_directory(call, source, &destination) };
        let result = copy(call.task, &path, &to, recursive);
        if let Err(error) = result {
            call.complain(&match error {
                FsError::IsADirectory => format!("-r not specified; omitting directory '{source}'"),
                FsError::NotFound => format!("can't stat '{source}': {error}"),
                _ => format!("can't create '{to}': {error}"),
            });
            status = 1;
        }
    }
    After::Exit(status)
}

fn copy(task: &mut Task<'_, '_, '_>, from: &str, to: &str, recursive: bool) -> Result<(), FsError> {
    match task.view().stat(from)? {
        Node::Dir(_) if !recursive => Err(FsError::IsADirectory),
        Node::Dir(_) => {
            if !task.view().is_dir(to) {
                task.view().make_dir(to)?;
            }
            for name in task.view().list(from)? {
                copy(task, &format!("{from}/{name}"), &format!("{to}/{name}"), true)?;
            }
            Ok(())
        }
        Node::File(file) => {
            task.view().write(to, &file.content)?;
            task.view().set_mode(to, file.mode)
        }
        node => task.view().put_node(to, node),
    }
}

pub fn mv(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (_, _, mut words) = call.flags("");
    let Some(destination) = words.pop().filter(|_| !words.is_empty()) else {
        call.complain("missing operand");
        return After::Exit(1);
    };
    let mut status = 0;
    for source in &words {
        let path = call.task.absolute(source);
        let to = into_directory(call, source, &destination);
        let mut view = call.task.view();
        let moved =
            view.stat_link(&path).and_then(|node| view.put_node(&to, node)).and_then(|()| view.remove(&path, true));
        if let Err(error) = moved {
            call.complain(&format!("can't rename '{source}': {error}"));
            status = 1;
        }
    }
    After::Exit(status)
}

pub fn ls(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (flags, _, mut paths) = call.flags("");
    paths.retain(|path| !path.starts_with("--"));
    if paths.is_empty() {
        paths.push(".".to_owned());
    }
    let many = paths.len() > 1;
    let mut status = 0;
    for (index, path) in paths.iter().enumerate() {
        let absolute = call.task.absolute(path);
        let node = match call.task.view().stat(&absolute) {
            Ok(node) => node,
            Err(error) => {
                call.complain(&format!("{path}: {error}"));
                status = 1;
                continue;
            }
        };
        if !node.is_dir() || flags.contains('d') {
            let line = entry(call, &absolute, path, &flags);
            call.out.push_str(&line);
            continue;
        }
        if many {
            call.out.push_str(&format!("{}{path}:\n", if index > 0 { "\n" } else { "" }));
        }
        let mut names = call.task.view().list(&absolute).unwrap_or_default();
        names.retain(|name| flags.contains(['a', 'A']) || !name.starts_with('.'));
        if flags.contains('a') {
            names.splice(0..0, [".".to_owned(), "..".to_owned()]);
        }
        if flags.contains('l') {
            let total: u64 = names.len() as u64 * 4;
            call.out.push_str(&format!("total {total}\n"));
        }
        let single = flags.contains('l') || flags.contains('1') || !call.task.host.interactive;
        let lines: Vec<String> =
            names.iter().map(|name| entry(call, &format!("{absolute}/{name}"), name, &flags)).collect();
        if single {
            call.out.push_str(&lines.concat());
        } else if !lines.is_empty() {
            call.out.push_str(&(names.join("  ") + "\n"));
        }
    }
    After::Exit(status)
}

fn entry(call: &mut ToolCall<'_, '_, '_, '_>, path: &str, name: &str, flags: &str) -> String {
    if !flags.contains('l') {
        return format!("{name}\n");
    }
    let Ok(node) = call.task.view().stat_link(path) else { return format!("{name}\n") };
    let (kind, arrow) = match &node {
        Node::Dir(_) => ('d', String::new()),
        Node::Symlink(target) => ('l', format!(" -> {target}")),
        Node::File(_) => ('-', String::new()),
    };
    let date = super::system::format_date(call.task.host.node, node.modified(), "%b %e %H:%M");
    let mode = mode_text(kind, node.mode());
    format!("{mode}    1 root     root     {:>9} {date} {name}{arrow}\n", node.size())
}

fn mode_text(kind: char, mode: u32) -> String {
    let bit = |shift: u32, c: char| if mode >> shift & 1 == 1 { c } else { '-' };
    let bits = (0..9).rev().zip("rwxrwxrwx".chars()).map(|(shift, c)| bit(shift, c));
    std::iter::once(kind).chain(bits).collect()
}

/// All files below a path.
pub fn files_below(task: &mut Task<'_, '_, '_>, root: &str) -> Vec<String> {
    let mut found = Vec::new();
    walk(task, root, 0, &mut |path, node| {
        if matches!(node, Node::File(_)) {
            found.push(path.to_owned());
        }
    });
    found
}

fn walk(task: &mut Task<'_, '_, '_>, path: &str, depth: usize, visit: &mut dyn FnMut(&str, &Node)) {
    const DEPTH_MAX: usize = 64;
    let absolute = task.absolute(path);
    let Ok(node) = task.view().stat_link(&absolute) else { return };
    visit(path, &node);
    if node.is_dir() && depth < DEPTH_MAX {
        for name in task.view().list(&absolute).unwrap_or_default() {
            walk(task, &format!("{}/{name}", path.trim_end_matches('/')), depth + 1, visit);
        }
    }
}

pub fn find(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let words = &call.args[1..];
    let options_at = words.iter().position(|word| word.starts_with('-')).unwrap_or(words.len());
    let mut roots = words[..options_at].to_vec();
    if roots.is_empty() {
        roots.push(".".to_owned());
    }
    let option = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1).cloned()
    };
    let (name, kind) = (option("-name"), option("-type"));
    let depth_max = option("-maxdepth").and_then(|n| n.parse::<usize>().ok());
    let delete = words.iter().any(|word| word == "-delete");
    let mut found = Vec::new();
    let mut status = 0;
    for root in &roots {
        let absolute = call.task.absolute(root);
        if call.task.view().stat_link(&absolute).is_err() {
            call.complain(&format!("{root}: No such file or directory"));
            status = 1;
        }
        let base_depth = root.trim_end_matches('/').matches('/').count();
        walk(call.task, root, 0, &mut |path, node| {
            let depth = path.trim_end_matches('/').matches('/').count() - base_depth;
            let kind_fits = match kind.as_deref() {
                Some("f") => matches!(node, Node::File(_)),
                Some("d") => node.is_dir(),
                Some("l") => matches!(node, Node::Symlink(_)),
                _ => true,
            };
            let name_fits = name.as_ref().is_none_or(|name| pattern::matches_text(name, super::base_name(path)));
            if kind_fits && name_fits && depth_max.is_none_or(|max| depth <= max) {
                found.push(path.to_owned());
            }
        });
    }
    for path in found.iter().rev().filter(|_| delete) {
        let absolute = call.task.absolute(path);
        let _ = call.task.view().remove(&absolute, false);
    }
    if !delete {
        call.out = found.iter().map(|path| format!("{path}\n")).collect();
    }
    After::Exit(status)
}

pub fn du(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (flags, _, mut paths) = call.flags("");
    if paths.is_empty() {
        paths.push(".".to_owned());
    }
    for path in &paths {
        let mut bytes = 0;
        walk(call.task, path, 0, &mut |_, node| bytes += if node.is_dir() { 4096 } else { node.size() });
        let size = if flags.contains('h') { human(bytes) } else { bytes.div_ceil(1024).to_string() };
        call.out.push_str(&format!("{size}\t{path}\n"));
    }
    After::Exit(0)
}

fn human(bytes: u64) -> String {
    let units = [(1u64 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];
    let unit = units.iter().find(|(size, _)| bytes >= *size);
    unit.map_or_else(
        || bytes.to_string(),
        |(size, name)| format!("{}.{}{name}", bytes / size, bytes % size * 10 / size),
    )
}

pub fn df(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    const DISK_BYTES: u64 = 100 << 30;
    let (flags, _, mut paths) = call.flags("");
    if paths.is_empty() {
        paths.push("/".to_owned());
    }
    let show = |bytes: u64| if flags.contains('h') { human(bytes) } else { (bytes / 1024).to_string() };
    call.out.push_str("Filesystem           1K-blocks      Used Available Use% Mounted on\n");
    for path in &paths {
        let absolute = call.task.absolute(path);
        let Ok((at, used, limit)) = call.task.view().usage(&absolute) else { continue };
        let total = limit.unwrap_or(DISK_BYTES);
        let percent = used * 100 / total.max(1);
        let name = if at == "/" { "overlay" } else { "/dev/vdb" };
        let free = total.saturating_sub(used);
        let row = format!("{name:<20} {:>9} {:>9} {:>9} {percent:>3}% {at}\n", show(total), show(used), show(free));
        call.out.push_str(&row);
    }
    After::Exit(0)
}

pub fn stat(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (_, values, paths) = call.flags("c");
    let mut status = 0;
    for path in &paths {
        let absolute = call.task.absolute(path);
        match call.task.view().stat(&absolute) {
            Ok(node) => {
                let (size, mode) = (node.size().to_string(), format!("{:o}", node.mode()));
                let line = match values.first() {
                    Some((_, format)) => format.replace("%s", &size).replace("%a", &mode).replace("%n", path),
                    None => format!("  File: {path}\n  Size: {size}\n  Access: (0{mode})"),
                };
                call.out.push_str(&format!("{line}\n"));
            }
            Err(error) => {
                call.complain(&format!("can't stat '{path}': {error}"));
                status = 1;
            }
        }
    }
    After::Exit(status)
}

pub fn readlink(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (flags, _, paths) = call.flags("");
    let full = flags.contains('f') || call.name() == "realpath";
    let Some(path) = paths.first().map(|path| call.task.absolute(path)) else { return After::Exit(1) };
    let text = if full {
        call.task.view().canonical(&path).ok()
    } else if let Ok(Node::Symlink(target)) = call.task.view().stat_link(&path) {
        Some(target.to_string())
    } else {
        None
    };
    let Some(text) = text else { return After::Exit(1) };
    call.out = text + "\n";
    After::Exit(0)
}

pub fn basename(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let path = call.args.get(1).map_or("", |path| path.trim_end_matches('/'));
    let name = super::base_name(path);
    let name = call.args.get(2).and_then(|suffix| name.strip_suffix(suffix.as_str())).unwrap_or(name);
    call.out = format!("{name}\n");
    After::Exit(0)
}

pub fn dirname(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let path = call.args.get(1).map_or("", |path| path.trim_end_matches('/'));
    let parent = match path.rsplit_once('/') {
        None => ".",
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
    };
    call.out = format!("{parent}\n");
    After::Exit(0)
}

/// Most bytes that a tool writes to a file at once.
const WRITE_MAX: u64 = 64 << 20;

pub fn dd(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let option = |name: &str| call.args.iter().find_map(|word| word.strip_prefix(name)).map(str::to_owned);
    let block = option("bs=").and_then(|text| parse_size(&text)).unwrap_or(512);
    let count = option("count=").and_then(|text| text.parse::<u64>().ok()).unwrap_or(1);
    let bytes = block.saturating_mul(count);
    let Some(path) = option("of=") else { return After::Exit(0) };
    let result = fill(call, &path, bytes);
    if result.is_ok() {
        call.err = format!("{count}+0 records in\n{count}+0 records out\n");
    }
    finish_write(call, result, &path)
}

pub fn fallocate(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (_, values, paths) = call.flags("l");
    let bytes = values.first().and_then(|value| parse_size(&value.1)).unwrap_or(0);
    let Some(path) = paths.first().cloned() else { return After::Exit(1) };
    let result = fill(call, &path, bytes);
    finish_write(call, result, &path)
}

fn fill(call: &mut ToolCall<'_, '_, '_, '_>, path: &str, bytes: u64) -> Result<(), FsError> {
    let absolute = call.task.absolute(path);
    if absolute.starts_with("/dev/") {
        return Ok(());
    }
    if bytes > WRITE_MAX {
        return Err(FsError::NoSpace);
    }
    call.task.view().write(&absolute, &vec![0; usize::try_from(bytes).unwrap_or(0)])
}

fn finish_write(call: &mut ToolCall<'_, '_, '_, '_>, result: Result<(), FsError>, path: &str) -> After {
    match result {
        Ok(()) => After::Exit(0),
        Err(error) => {
            call.complain(&format!("error writing '{path}': {error}"));
            After::Exit(1)
        }
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}
