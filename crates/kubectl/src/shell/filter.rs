//! Programs that read a pipe: grep, head, tail, wc, sort, uniq, cut, tr, awk's `print`, sed's `s`, base64.

use super::pattern::Pattern;

/// One program of a pipe. It is fed text as it comes and answers with what it lets through.
pub trait Filter {
    fn feed(&mut self, text: &str) -> String;

    /// The input has ended.
    fn finish(&mut self) -> String {
        String::new()
    }

    /// It will not read any more.
    fn is_closed(&self) -> bool {
        false
    }
}

/// A filter that decides line by line.
struct Lines<F> {
    partial: String,
    line: F,
}

impl<F: FnMut(&str, &mut String) + 'static> Filter for Lines<F> {
    fn feed(&mut self, text: &str) -> String {
        self.partial.push_str(text);
        let mut out = String::new();
        while let Some(end) = self.partial.find('\n') {
            let rest = self.partial.split_off(end + 1);
            (self.line)(self.partial.trim_end_matches('\n'), &mut out);
            self.partial = rest;
        }
        out
    }

    fn finish(&mut self) -> String {
        let mut out = String::new();
        if !self.partial.is_empty() {
            (self.line)(&std::mem::take(&mut self.partial), &mut out);
        }
        out
    }
}

/// A filter that needs the whole text.
struct Whole<F> {
    text: String,
    end: F,
}

impl<F: FnMut(&str) -> String + 'static> Filter for Whole<F> {
    fn feed(&mut self, text: &str) -> String {
        self.text.push_str(text);
        String::new()
    }

    fn finish(&mut self) -> String {
        (self.end)(&self.text)
    }
}

struct Head {
    lines: usize,
    partial: String,
}

impl Filter for Head {
    fn feed(&mut self, text: &str) -> String {
        self.partial.push_str(text);
        let mut out = String::new();
        while self.lines > 0
            && let Some(end) = self.partial.find('\n')
        {
            let rest = self.partial.split_off(end + 1);
            out.push_str(&self.partial);
            self.partial = rest;
            self.lines -= 1;
        }
        out
    }

    fn finish(&mut self) -> String {
        if self.lines > 0 { std::mem::take(&mut self.partial) } else { String::new() }
    }

    fn is_closed(&self) -> bool {
        self.lines == 0
    }
}

/// A line that does not read well: its text for standard error.
type Made = Result<Option<Box<dyn Filter>>, String>;

fn lines(line: impl FnMut(&str, &mut String) + 'static) -> Made {
    Ok(Some(Box::new(Lines { partial: String::new(), line })))
}

fn whole(end: impl FnMut(&str) -> String + 'static) -> Made {
    Ok(Some(Box::new(Whole { text: String::new(), end })))
}

/// Makes the filter of a program, or `None` when it is not one.
pub fn make(words: &[String]) -> Made {
    let Some((program, arguments)) = words.split_first() else { return Ok(None) };
    let (options, operands): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|word| word.starts_with('-') && word.len() > 1);
    match program.as_str() {
        "grep" | "egrep" => grep(program == "egrep", arguments),
        "head" => Ok(Some(Box::new(Head { lines: count(arguments).1, partial: String::new() }))),
        "tail" => tail(arguments),
        "wc" => wc(options),
        "sort" => sort(arguments),
        "uniq" => uniq(options.contains(&"-c")),
        "cut" => cut(arguments),
        "awk" => awk(arguments),
        "sed" => sed(operands),
        "tr" => translate(&options, &operands),
        "base64" => base64(options.iter().any(|option| matches!(*option, "-d" | "-D" | "--decode"))),
        "cat" | "less" | "more" if operands.iter().all(|operand| *operand == "-") => whole(str::to_owned),
        "jq" => Err("bash: jq: command not found".into()),
        _ => Ok(None),
    }
}

/// `-n 5`, `-n5`, `-5`, `-n +5`; 10 when absent. True for a count from the start.
fn count(arguments: &[String]) -> (bool, usize) {
    let mut text = None;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-n" | "--lines" => text = arguments.next().map(String::as_str),
            _ => {
                text = argument.strip_prefix("-n").or(argument.strip_prefix("--lines=")).or(argument.strip_prefix('-'))
            }
        }
    }
    let text = text.unwrap_or("10");
    (text.starts_with('+'), text.trim_start_matches(['+', '-']).parse().unwrap_or(10))
}

fn tail(arguments: &[String]) -> Made {
    let (from_start, count) = count(arguments);
    if from_start {
        let mut seen = 0;
        return lines(move |line, out| {
            seen += 1;
            if seen >= count {
                push_line(out, line);
            }
        });
    }
    whole(move |text| {
        let all: Vec<&str> = text.lines().collect();
        join(all[all.len().saturating_sub(count)..].iter().copied())
    })
}

fn wc(options: Vec<&str>) -> Made {
    let letters: String = options.concat();
    whole(move |text| {
        let counts = [('l', text.matches('\n').count()), ('w', text.split_whitespace().count()), ('c', text.len())];
        let chosen: Vec<usize> = counts
            .iter()
            .filter(|(letter, _)| letters.is_empty() || letters.contains(*letter))
            .map(|(_, count)| *count)
            .collect();
        match chosen.as_slice() {
            [only] => format!("{only}\n"),
            many => many.iter().map(|count| format!("{count:>7}")).collect::<Vec<_>>().join(" ") + "\n",
        }
    })
}

fn sort(arguments: &[String]) -> Made {
    let letters: String = arguments.iter().filter(|word| word.starts_with('-')).map(String::as_str).collect();
    let key = arguments
        .iter()
        .position(|word| word == "-k")
        .and_then(|at| arguments.get(at + 1))
        .map(String::as_str)
        .or_else(|| arguments.iter().find_map(|word| word.strip_prefix("-k")))
        .and_then(|text| text.split(['.', ',', 'n', 'r']).next()?.parse::<usize>().ok());
    let (numeric, reverse, unique) = (letters.contains('n'), letters.contains('r'), letters.contains('u'));
    whole(move |text| {
        let mut all: Vec<&str> = text.lines().collect();
        let key_of = |line: &str| match key {
            Some(column) => line.split_whitespace().skip(column.saturating_sub(1)).collect::<Vec<_>>().join(" "),
            None => line.to_owned(),
        };
        let number_of = |text: &str| {
            let text = text.trim();
            let end = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
            text[..end].parse::<i64>().unwrap_or(0)
        };
        all.sort_by(|a, b| {
            let (first, second) = (key_of(a), key_of(b));
            let order = if numeric { number_of(&first).cmp(&number_of(&second)) } else { first.cmp(&second) };
            let order = order.then_with(|| a.cmp(b));
            if reverse { order.reverse() } else { order }
        });
        if unique {
            all.dedup();
        }
        join(all.into_iter())
    })
}

fn uniq(counts: bool) -> Made {
    whole(move |text| {
        let mut groups: Vec<(usize, &str)> = Vec::new();
        for line in text.lines() {
            match groups.last_mut() {
                Some((count, last)) if *last == line => *count += 1,
                _ => groups.push((1, line)),
            }
        }
        let shown =
            groups.iter().map(|(count, line)| if counts { format!("{count:>7} {line}") } else { (*line).into() });
        join(shown)
    })
}

/// The value of an option that may be joined to it: `-d,` or `-d ,`.
fn option<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|word| word.starts_with(name))?;
    let joined = &arguments[at][name.len()..];
    if joined.is_empty() { arguments.get(at + 1).map(String::as_str) } else { Some(joined) }
}

/// `1,3-5,7-` against a position from 1.
fn in_ranges(ranges: &str, position: usize) -> bool {
    ranges.split(',').any(|range| {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        let low = low.parse().unwrap_or(1);
        let high = if high.is_empty() { usize::MAX } else { high.parse().unwrap_or(0) };
        (low..=high).contains(&position)
    })
}

fn cut(arguments: &[String]) -> Made {
    let delimiter = option(arguments, "-d").unwrap_or("\t").to_owned();
    if let Some(ranges) = option(arguments, "-c").map(str::to_owned) {
        return lines(move |line, out| {
            let kept: String =
                line.chars().zip(1..).filter(|(_, at)| in_ranges(&ranges, *at)).map(|(c, _)| c).collect();
            push_line(out, &kept);
        });
    }
    let Some(ranges) = option(arguments, "-f").map(str::to_owned) else {
        return Err("cut: you must specify a list of bytes, characters, or fields".into());
    };
    lines(move |line, out| {
        if !line.contains(&delimiter) {
            return push_line(out, line);
        }
        let fields = line.split(delimiter.as_str()).zip(1..).filter(|(_, at)| in_ranges(&ranges, *at));
        push_line(out, &fields.map(|(field, _)| field).collect::<Vec<_>>().join(&delimiter));
    })
}

/// `awk '{print $1, $NF}'`, with an optional `/pattern/` or `NR>1` before it.
fn awk(arguments: &[String]) -> Made {
    let delimiter = option(arguments, "-F").map(str::to_owned);
    let program = arguments.last().map(String::as_str).unwrap_or_default().trim().to_owned();
    let unsupported = || format!("awk: this terminal only knows '{{print $N}}', not {program:?}");
    let (guard, body) = program.split_once('{').ok_or_else(unsupported)?;
    let body = body.trim().strip_suffix('}').ok_or_else(unsupported)?.trim();
    let printed = body.strip_prefix("print").ok_or_else(unsupported)?.trim().to_owned();
    let guard = guard.trim().to_owned();
    let pattern = match guard.strip_prefix('/').and_then(|text| text.strip_suffix('/')) {
        Some(text) => Some(Pattern::new(text, true, false)?),
        None => None,
    };
    let first_record = match guard.strip_prefix("NR>").map(|text| text.parse::<usize>()) {
        Some(Ok(count)) => count,
        None if guard.is_empty() || pattern.is_some() => 0,
        _ => return Err(unsupported()),
    };
    let mut record = 0;
    lines(move |line, out| {
        record += 1;
        if record <= first_record || pattern.as_ref().is_some_and(|pattern| !pattern.is_match(line)) {
            return;
        }
        let fields: Vec<&str> = match &delimiter {
            Some(delimiter) => line.split(delimiter.as_str()).collect(),
            None => line.split_whitespace().collect(),
        };
        let value = |text: &str| match text.trim() {
            "" | "$0" => line.to_owned(),
            "$NF" => fields.last().copied().unwrap_or_default().to_owned(),
            "NR" => record.to_string(),
            text => match text.strip_prefix('$').and_then(|text| text.parse::<usize>().ok()) {
                Some(column) => fields.get(column.wrapping_sub(1)).copied().unwrap_or_default().to_owned(),
                None => text.trim_matches('"').replace("\\t", "\t"),
            },
        };
        let shown: Vec<String> = printed
            .split(',')
            .map(|part| part.split_whitespace().map(value).collect::<String>())
            .map(|text| if printed.is_empty() { line.to_owned() } else { text })
            .collect();
        push_line(out, &shown.join(" "));
    })
}

/// `sed 's/from/to/g'`
fn sed(operands: Vec<&str>) -> Made {
    let program = operands.first().copied().unwrap_or_default();
    let unsupported = || format!("sed: this terminal only knows 's/from/to/', not {program:?}");
    let separator = program.strip_prefix('s').and_then(|rest| rest.chars().next()).ok_or_else(unsupported)?;
    let parts: Vec<&str> = program[1 + separator.len_utf8()..].split(separator).collect();
    let [from, to, flags] = parts.as_slice() else { return Err(unsupported()) };
    let pattern = Pattern::new(from, false, flags.contains('i'))?;
    let (to, all) = ((*to).to_owned(), flags.contains('g'));
    lines(move |line, out| push_line(out, &pattern.replace(line, &to, all)))
}

/// The characters of `a-z` or `\\n`, as tr writes them.
fn character_set(text: &str) -> Vec<char> {
    let text: Vec<char> = text.replace("\\n", "\n").replace("\\t", "\t").chars().collect();
    let mut set = Vec::new();
    let mut rest = text.as_slice();
    loop {
        rest = match rest {
            [low, '-', high, after @ ..] if low <= high => {
                set.extend(*low..=*high);
                after
            }
            [only, after @ ..] => {
                set.push(*only);
                after
            }
            [] => return set,
        };
    }
}

fn translate(options: &[&str], operands: &[&str]) -> Made {
    let from = character_set(operands.first().copied().unwrap_or_default());
    let to = character_set(operands.get(1).copied().unwrap_or_default());
    let deletes = options.contains(&"-d");
    whole(move |text| {
        let mapped = text.chars().filter_map(|c| match from.iter().position(|known| *known == c) {
            None => Some(c),
            Some(_) if deletes => None,
            Some(at) => to.get(at).or(to.last()).copied(),
        });
        mapped.collect()
    })
}

fn base64(decodes: bool) -> Made {
    whole(move |text| {
        if decodes {
            let bytes = crate::output::base64_decode(text.trim());
            return bytes
                .map_or_else(|| "base64: invalid input\n".into(), |bytes| String::from_utf8_lossy(&bytes).into());
        }
        crate::output::base64_encode(text.as_bytes()) + "\n"
    })
}

fn grep(extended: bool, arguments: &[String]) -> Made {
    let (mut letters, mut pattern, mut after, mut before) = (String::new(), None, 0, 0);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-e" => pattern = arguments.next().cloned(),
            "-A" => after = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(0),
            "-B" => before = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(0),
            "-C" => (after, before) = arguments.next().and_then(|text| text.parse().ok()).map_or((0, 0), |n| (n, n)),
            _ if argument.starts_with("--color") => {}
            option if option.starts_with("-A") => after = option[2..].parse().unwrap_or(0),
            option if option.starts_with("-B") => before = option[2..].parse().unwrap_or(0),
            option if option.starts_with('-') && option.len() > 1 => letters.push_str(&option[1..]),
            _ if pattern.is_none() => pattern = Some(argument.clone()),
            _ => {}
        }
    }
    let Some(text) = pattern else { return Err("Usage: grep [OPTION]... PATTERNS [FILE]...".into()) };
    let text = if letters.contains('F') { Pattern::quote(&text) } else { text };
    let text = if letters.contains('w') { format!("\\b{text}\\b") } else { text };
    let extended = extended || letters.contains('E') || letters.contains('P') || letters.contains('F');
    let pattern = Pattern::new(&text, extended, letters.contains('i'))?;
    let inverted = letters.contains('v');
    if letters.contains('c') {
        return whole(move |text| {
            format!("{}\n", text.lines().filter(|line| pattern.is_match(line) != inverted).count())
        });
    }
    let (only, numbers) = (letters.contains('o'), letters.contains('n'));
    let (mut number, mut pending) = (0, 0);
    let mut earlier: std::collections::VecDeque<String> = std::collections::VecDeque::new();
    lines(move |line, out| {
        number += 1;
        if pattern.is_match(line) == inverted {
            if pending > 0 {
                pending -= 1;
                push_line(out, line);
            } else if before > 0 {
                earlier.push_back(line.into());
                if earlier.len() > before {
                    earlier.pop_front();
                }
            }
            return;
        }
        for line in earlier.drain(..) {
            push_line(out, &line);
        }
        pending = after;
        if only && !inverted {
            for found in pattern.matches(line) {
                push_line(out, &found);
            }
            return;
        }
        push_line(out, &if numbers { format!("{number}:{line}") } else { line.into() });
    })
}

fn push_line(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

fn join<T: AsRef<str>>(lines: impl Iterator<Item = T>) -> String {
    let mut out = String::new();
    for line in lines {
        push_line(&mut out, line.as_ref());
    }
    out
}
