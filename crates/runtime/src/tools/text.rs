//! Tools that read and write text.

use super::run::{After, Call, Filter};
use crate::name_hash::hex_digest;
use crate::shell;

/// Line-by-line tools without much state.
#[derive(Clone, Debug)]
pub enum LineTool {
    Cat { number: Option<usize> },
    Head { left: usize },
    Cut { delimiter: char, ranges: Vec<(usize, usize)>, by_character: bool, only_delimited: bool },
    Translate { from: Vec<char>, to: Vec<char>, delete: bool, squeeze: bool, last: Option<char> },
    Reverse,
    Tee { paths: Vec<String> },
}

impl LineTool {
    /// Takes a line with its line end; true when it wants no more.
    pub fn line(&mut self, line: &str, out: &mut String) -> bool {
        match self {
            Self::Cat { number: None } | Self::Tee { .. } => out.push_str(line),
            Self::Cat { number: Some(number) } => {
                *number += 1;
                out.push_str(&format!("{number:>6}\t{line}"));
            }
            Self::Head { left } => {
                if *left > 0 {
                    out.push_str(line);
                    *left -= 1;
                }
                return *left == 0;
            }
            Self::Cut { delimiter, ranges, by_character, only_delimited } => {
                let line = line.trim_end_matches('\n');
                let selected = |index: usize| ranges.iter().any(|(low, high)| (*low..=*high).contains(&(index + 1)));
                if *by_character {
                    out.extend(line.chars().enumerate().filter(|(index, _)| selected(*index)).map(|(_, c)| c));
                } else if !line.contains(*delimiter) {
                    if *only_delimited {
                        return false;
                    }
                    out.push_str(line);
                } else {
                    let fields = line.split(*delimiter).enumerate().filter(|(index, _)| selected(*index));
                    let fields: Vec<&str> = fields.map(|(_, field)| field).collect();
                    out.push_str(&fields.join(&delimiter.to_string()));
                }
                out.push('\n');
            }
            Self::Translate { from, to, delete, squeeze, last } => {
                for c in line.chars() {
                    let at = from.iter().position(|candidate| *candidate == c);
                    let mapped = match at {
                        Some(_) if *delete => continue,
                        Some(at) => to.get(at).or(to.last()).copied().unwrap_or(c),
                        None => c,
                    };
                    if *squeeze && at.is_some() && *last == Some(mapped) {
                        continue;
                    }
                    *last = Some(mapped);
                    out.push(mapped);
                }
            }
            Self::Reverse => {
                out.extend(line.trim_end_matches('\n').chars().rev());
                out.push('\n');
            }
        }
        false
    }
}

pub fn cat(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (flags, _, paths) = call.flags("");
    let number = flags.contains('n').then_some(0);
    call.filter(Filter::Lines(LineTool::Cat { number }), &paths)
}

pub fn head(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (flags, values, paths) = call.flags("nc");
    let digits: String = flags.chars().filter(char::is_ascii_digit).collect();
    let count = |flag| values.iter().find(|value| value.0 == flag).map(|value| value.1.clone());
    if let Some(bytes) = count('c').and_then(|n| n.parse::<usize>().ok()) {
        return with_text(call, &paths, |text| text.chars().take(bytes).collect());
    }
    let left = count('n').unwrap_or(digits).parse().unwrap_or(10);
    if left == 0 {
        return After::Exit(0);
    }
    call.filter(Filter::Lines(LineTool::Head { left }), &paths)
}

pub fn tail(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (flags, values, paths) = call.flags("ncs");
    let digits: String = flags.chars().filter(char::is_ascii_digit).collect();
    let wanted = values.iter().find(|value| value.0 == 'n').map_or(digits, |value| value.1.clone());
    let from_start = wanted.strip_prefix('+').and_then(|n| n.parse::<usize>().ok());
    let count = wanted.parse::<usize>().unwrap_or(10);
    let select = |text: &str| -> String {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let start = from_start.map_or(lines.len().saturating_sub(count), |n| n.saturating_sub(1).min(lines.len()));
        lines[start..].concat()
    };
    let follows = flags.contains(['f', 'F']) || call.args.iter().any(|arg| arg.starts_with("--follow"));
    let files: Vec<String> = paths.into_iter().filter(|path| !path.starts_with("--")).collect();
    if !follows || files.is_empty() {
        return with_text(call, &files, select);
    }
    let path = call.task.absolute(&files[0]);
    if path != "/dev/null" {
        let Some(text) = call.read_file(&files[0]) else {
            return if flags.contains('F') { After::Follow { path, offset: 0 } } else { After::Exit(1) };
        };
        call.out = select(&text);
        return After::Follow { path, offset: text.len() };
    }
    After::Follow { path, offset: 0 }
}

/// Applies a function to the text of files or of standard input.
fn with_text(call: &mut Call<'_, '_, '_, '_>, paths: &[String], apply: impl Fn(&str) -> String) -> After {
    if paths.is_empty() || paths == ["-"] {
        let Some(input) = call.input.take() else { return After::NeedInput };
        call.out = apply(&input);
        return After::Exit(0);
    }
    let mut status = 0;
    for path in paths {
        match call.read_file(path) {
            Some(text) => call.out.push_str(&apply(&text)),
            None => status = 1,
        }
    }
    After::Exit(status)
}

pub fn wc(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (flags, _, paths) = call.flags("");
    if paths.is_empty() && call.input.is_none() {
        return After::NeedInput;
    }
    let count = |text: &str| -> Vec<usize> {
        let all = [('l', text.matches('\n').count()), ('w', text.split_whitespace().count()), ('c', text.len())];
        all.into_iter().filter(|(flag, _)| flags.is_empty() || flags.contains(*flag)).map(|(_, n)| n).collect()
    };
    let print = |counts: &[usize], name: &str| {
        let numbers: Vec<String> = match counts {
            [only] => vec![only.to_string()],
            many => many.iter().map(|n| format!("{n:>7}")).collect(),
        };
        format!("{} {name}", numbers.join(" ")).trim_end().to_owned() + "\n"
    };
    if let Some(input) = call.input.take() {
        call.out = print(&count(&input), "");
        return After::Exit(0);
    }
    let mut status = 0;
    for path in &paths {
        match call.read_file(path) {
            Some(text) => call.out.push_str(&print(&count(&text), path)),
            None => status = 1,
        }
    }
    After::Exit(status)
}

pub fn sort(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (flags, values, paths) = call.flags("kt");
    let key = values.iter().find(|v| v.0 == 'k').map(|v| v.1.clone()).unwrap_or_default();
    let numeric = flags.contains('n') || key.contains('n');
    let reverse = flags.contains('r') || key.contains('r');
    let field = key.split([',', '.', 'n', 'r']).next().and_then(|n| n.parse::<usize>().ok()).filter(|n| *n > 0);
    let separator = values.iter().find(|v| v.0 == 't').and_then(|v| v.1.chars().next());
    let key_of = |line: &str| -> String {
        let fields: Vec<&str> = match separator {
            Some(separator) => line.split(separator).collect(),
            None => line.split_whitespace().collect(),
        };
        field.map_or_else(|| line.to_owned(), |field| fields.get(field - 1..).unwrap_or_default().join(" "))
    };
    let number = |text: &str| -> i64 {
        let text = text.trim_start();
        let end = text.char_indices().find(|(i, c)| !(c.is_ascii_digit() || (*i == 0 && *c == '-')));
        text[..end.map_or(text.len(), |(at, _)| at)].parse().unwrap_or(0)
    };
    with_text(call, &paths, |text| {
        let mut lines: Vec<(String, &str)> = text.lines().map(|line| (key_of(line), line)).collect();
        if numeric {
            lines.sort_by_cached_key(|(key, line)| (number(key), line.to_string()));
        } else {
            lines.sort();
        }
        if reverse {
            lines.reverse();
        }
        if flags.contains('u') {
            lines.dedup_by(|a, b| if numeric { number(&a.0) == number(&b.0) } else { a.0 == b.0 });
        }
        lines.into_iter().map(|(_, line)| format!("{line}\n")).collect()
    })
}

pub fn uniq(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (flags, _, paths) = call.flags("");
    with_text(call, &paths, |text| {
        let mut groups: Vec<(usize, &str)> = Vec::new();
        for line in text.lines() {
            match groups.last_mut() {
                Some((count, last)) if *last == line => *count += 1,
                _ => groups.push((1, line)),
            }
        }
        let kept = groups
            .into_iter()
            .filter(|(count, _)| (!flags.contains('d') || *count > 1) && (!flags.contains('u') || *count == 1));
        kept.map(|(n, line)| if flags.contains('c') { format!("{n:>7} {line}\n") } else { format!("{line}\n") })
            .collect()
    })
}

pub fn tac(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (_, _, paths) = call.flags("");
    with_text(call, &paths, |text| text.split_inclusive('\n').rev().collect())
}

pub fn cut(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (flags, values, paths) = call.flags("dfc");
    let value = |flag| values.iter().find(|value| value.0 == flag).map(|value| value.1.as_str());
    let by_character = value('c').is_some();
    let Some(list) = value('f').or(value('c')) else {
        call.complain("expected a list of bytes, characters, or fields");
        return After::Exit(1);
    };
    let range = |text: &str| match text.split_once('-') {
        None => text.parse().map(|n| (n, n)).unwrap_or((0, 0)),
        Some((low, high)) => (low.parse().unwrap_or(1), high.parse().unwrap_or(usize::MAX)),
    };
    let ranges = list.split(',').map(range).collect();
    let delimiter = value('d').and_then(|text| text.chars().next()).unwrap_or('\t');
    let only_delimited = flags.contains('s');
    call.filter(Filter::Lines(LineTool::Cut { delimiter, ranges, by_character, only_delimited }), &paths)
}

pub fn tr(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (flags, _, sets) = call.flags("");
    let mut from = character_set(sets.first().map_or("", String::as_str));
    let to = character_set(sets.get(1).map_or("", String::as_str));
    if flags.contains('c') {
        let kept = from;
        from = (0..=127u8).map(char::from).filter(|c| !kept.contains(c)).collect();
    }
    let (delete, squeeze) = (flags.contains('d'), flags.contains('s'));
    let to = if to.is_empty() && squeeze { from.clone() } else { to };
    After::Filter(Filter::Lines(LineTool::Translate { from, to, delete, squeeze, last: None }))
}

fn character_set(text: &str) -> Vec<char> {
    let text = shell::interpret_escapes(text)
        .replace("[:upper:]", "A-Z")
        .replace("[:lower:]", "a-z")
        .replace("[:digit:]", "0-9")
        .replace("[:alpha:]", "A-Za-z")
        .replace("[:alnum:]", "A-Za-z0-9")
        .replace("[:space:]", " \t\n\r")
        .replace("[:punct:]", "!-/:-@[-`{-~");
    let chars: Vec<char> = text.chars().collect();
    let mut set = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if at + 2 < chars.len() && chars[at + 1] == '-' && chars[at] <= chars[at + 2] {
            set.extend(chars[at]..=chars[at + 2]);
            at += 3;
        } else {
            set.push(chars[at]);
            at += 1;
        }
    }
    set
}

pub fn rev(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (_, _, paths) = call.flags("");
    call.filter(Filter::Lines(LineTool::Reverse), &paths)
}

pub fn tee(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (flags, _, paths) = call.flags("");
    let paths: Vec<String> = paths.iter().map(|path| call.task.absolute(path)).collect();
    for path in &paths {
        let mut view = call.task.view();
        let made = if flags.contains('a') { view.append(path, b"") } else { view.write(path, b"") };
        if let Err(error) = made {
            call.complain(&format!("{path}: {error}"));
        }
    }
    After::Filter(Filter::Lines(LineTool::Tee { paths }))
}

pub fn seq(call: &mut Call<'_, '_, '_, '_>) -> After {
    const NUMBERS_MAX: usize = 100_000;
    let (_, values, words) = call.flags("s");
    let numbers: Vec<i64> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let (first, step, last) = match numbers.as_slice() {
        [last] => (1, 1, *last),
        [first, last] => (*first, 1, *last),
        [first, step, last] if *step != 0 => (*first, *step, *last),
        _ => {
            call.complain("invalid number");
            return After::Exit(1);
        }
    };
    let separator = values.first().map_or("\n", |value| &value.1).to_owned();
    let in_range = |n: &i64| if step > 0 { *n <= last } else { *n >= last };
    let all = std::iter::successors(Some(first), |n| n.checked_add(step)).take_while(in_range).take(NUMBERS_MAX);
    let all: Vec<String> = all.map(|n| n.to_string()).collect();
    call.out = all.join(&separator);
    if !all.is_empty() {
        call.out.push('\n');
    }
    After::Exit(0)
}

pub fn echo(call: &mut Call<'_, '_, '_, '_>) -> After {
    let newline = call.args.get(1).is_none_or(|word| word != "-n");
    let words = &call.args[if newline { 1 } else { 2 }..];
    call.out = words.join(" ") + if newline { "\n" } else { "" };
    After::Exit(0)
}

pub fn printf(call: &mut Call<'_, '_, '_, '_>) -> After {
    if let Some(format) = call.args.get(1) {
        call.out = shell::printf(format, &call.args[2..]);
    }
    After::Exit(0)
}

pub fn yes(call: &mut Call<'_, '_, '_, '_>) -> After {
    let line = if call.args.len() > 1 { call.args[1..].join(" ") } else { "y".to_owned() };
    After::Repeat(line + "\n")
}

pub fn checksum(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (_, _, paths) = call.flags("");
    let length = if call.name() == "md5sum" { 32 } else { 64 };
    if paths.is_empty() {
        let Some(input) = call.input.take() else { return After::NeedInput };
        call.out = format!("{}  -\n", &hex_digest(&input)[..length]);
        return After::Exit(0);
    }
    let mut status = 0;
    for path in &paths {
        match call.read_file(path) {
            Some(text) => call.out.push_str(&format!("{}  {path}\n", &hex_digest(&text)[..length])),
            None => status = 1,
        }
    }
    After::Exit(status)
}

pub fn base64(call: &mut Call<'_, '_, '_, '_>) -> After {
    let (flags, _, paths) = call.flags("w");
    let decode = flags.contains('d') || call.args.iter().any(|arg| arg == "--decode");
    let paths: Vec<String> = paths.into_iter().filter(|path| path != "--decode").collect();
    with_text(call, &paths, |text| if decode { decode_base64(text) } else { encode_base64(text.as_bytes()) + "\n" })
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode_base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let index = (group >> (18 - 6 * place)) & 63;
            text.push(if place > chunk.len() { '=' } else { char::from(BASE64[index as usize]) });
        }
    }
    text
}

fn decode_base64(text: &str) -> String {
    let mut bytes = Vec::new();
    let (mut group, mut bits) = (0_u32, 0);
    for byte in text.bytes() {
        let Some(value) = BASE64.iter().position(|c| *c == byte) else { continue };
        group = (group << 6 | u32::try_from(value).unwrap_or(0)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(((group >> bits) & 255) as u8);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
