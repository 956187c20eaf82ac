//! Flags as pflag reads them: `-nfoo`, `-o=yaml`, `--flag=value`, `--flag value`, clusters of booleans, `--`.
//!
//! Our own reader instead of a crate: pflag's messages cite the rest of a cluster, and a flag's type decides whether the
//! next word belongs to it.

use std::collections::BTreeMap;

use api::SimTime;
use api::time::parse_duration;

/// A row of a command's table of flags.
#[derive(Debug)]
pub struct Flag {
    pub name: &'static str,
    pub short: Option<char>,
    pub kind: FlagKind,
    pub default: &'static str,
    /// The value when the flag stands alone; empty when it needs one.
    pub alone: &'static str,
    pub note: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagKind {
    Bool,
    Text,
    /// Comma-separated and repeatable.
    List,
    /// Repeatable.
    Array,
    Int,
    Int32,
    /// `key=value`, comma-separated and repeatable.
    Map,
    Duration,
    /// The same, in the words of pflag itself.
    Pairs,
    /// `file=N`, comma-separated: log levels.
    Levels,
}

const fn flag(name: &'static str, short: char, kind: FlagKind, default: &'static str, note: &'static str) -> Flag {
    let short = if short == ' ' { None } else { Some(short) };
    let alone = if matches!(kind, FlagKind::Bool) { "true" } else { "" };
    Flag { name, short, kind, default, alone, note }
}

pub const fn switch(name: &'static str, short: char, note: &'static str) -> Flag {
    flag(name, short, FlagKind::Bool, "false", note)
}

pub const fn on_by_default(name: &'static str, note: &'static str) -> Flag {
    flag(name, ' ', FlagKind::Bool, "true", note)
}

pub const fn text(name: &'static str, short: char, note: &'static str) -> Flag {
    flag(name, short, FlagKind::Text, "", note)
}

pub const fn list(name: &'static str, short: char, note: &'static str) -> Flag {
    flag(name, short, FlagKind::List, "", note)
}

pub const fn array(name: &'static str, short: char, note: &'static str) -> Flag {
    flag(name, short, FlagKind::Array, "", note)
}

pub const fn int(name: &'static str, short: char, default: &'static str, note: &'static str) -> Flag {
    flag(name, short, FlagKind::Int, default, note)
}

pub const fn int32(name: &'static str, short: char, default: &'static str, note: &'static str) -> Flag {
    flag(name, short, FlagKind::Int32, default, note)
}

pub const fn map(name: &'static str, short: char, note: &'static str) -> Flag {
    flag(name, short, FlagKind::Map, "", note)
}

pub const fn pairs(name: &'static str, note: &'static str) -> Flag {
    flag(name, ' ', FlagKind::Pairs, "", note)
}

pub const fn duration(name: &'static str, default: &'static str, note: &'static str) -> Flag {
    flag(name, ' ', FlagKind::Duration, default, note)
}

impl Flag {
    pub const fn or(self, default: &'static str) -> Flag {
        Flag { default, ..self }
    }

    /// The value that the flag has when it stands without one.
    pub const fn alone(self, alone: &'static str) -> Flag {
        Flag { alone, ..self }
    }

    /// `-r, --replicas`
    fn full_name(&self) -> String {
        match self.short {
            Some(short) => format!("-{short}, --{}", self.name),
            None => format!("--{}", self.name),
        }
    }

    fn check(&self, value: &str) -> Result<(), String> {
        let why = match self.kind {
            FlagKind::Bool
                if !matches!(value, "true" | "false" | "1" | "0" | "t" | "f" | "T" | "F" | "True" | "False") =>
            {
                format!("strconv.ParseBool: parsing {value:?}: invalid syntax")
            }
            FlagKind::Int => match value.parse::<i64>() {
                Ok(_) => return Ok(()),
                Err(error) => format!("strconv.ParseInt: parsing {value:?}: {}", go_reason(&error)),
            },
            FlagKind::Int32 => match value.parse::<i32>() {
                Ok(_) => return Ok(()),
                Err(error) => format!("strconv.ParseInt: parsing {value:?}: {}", go_reason(&error)),
            },
            FlagKind::Map if value.split(',').any(|pair| !pair.contains('=')) => {
                "malformed pair, expect string=string".into()
            }
            // The standard library's flag says less than pflag's.
            FlagKind::Pairs => match pairs_of(value).into_iter().find(|pair| !pair.contains('=')) {
                Some(pair) => format!("{pair} must be formatted as key=value"),
                None => return Ok(()),
            },
            FlagKind::Duration if self.name == "log-flush-frequency" && parse_duration(value).is_none() => {
                "parse error".into()
            }
            FlagKind::Duration if parse_duration(value).is_none() => duration_error(value),
            FlagKind::Levels if !value.is_empty() && !value.split(',').all(is_level) => {
                "syntax error: expect comma-separated list of filename=N".into()
            }
            _ => return Ok(()),
        };
        Err(format!("invalid argument {value:?} for {:?} flag: {why}", self.full_name()))
    }
}

/// The flags that every command has.
pub static GLOBAL: &[Flag] = &[
    text("namespace", 'n', "the namespace of this request"),
    text("context", ' ', "the context to use"),
    text("cluster", ' ', "the cluster to use"),
    text("user", ' ', "the user to use"),
    text("kubeconfig", ' ', "path to the kubeconfig file"),
    text("as", ' ', "user to impersonate"),
    array("as-group", ' ', "group to impersonate"),
    text("as-uid", ' ', "UID to impersonate"),
    text("cache-dir", ' ', "default cache directory"),
    text("server", 's', "address of the API server"),
    text("token", ' ', "bearer token"),
    text("request-timeout", ' ', "how long to wait for one request").or("0"),
    int("v", 'v', "0", "log level"),
    switch("insecure-skip-tls-verify", ' ', "do not check the server's certificate"),
    switch("warnings-as-errors", ' ', "treat warnings as errors"),
    switch("match-server-version", ' ', "require the server's version to match"),
    switch("disable-compression", ' ', "do not compress answers"),
    text("certificate-authority", ' ', "path to the authority's certificate"),
    text("client-certificate", ' ', "path to a client certificate"),
    text("client-key", ' ', "path to a client key"),
    text("tls-server-name", ' ', "the name in the server's certificate"),
    text("username", ' ', "user name of basic authentication"),
    text("password", ' ', "password of basic authentication"),
    text("profile", ' ', "what to profile").or("none"),
    text("profile-output", ' ', "the profile's file").or("profile.pprof"),
    flag("vmodule", ' ', FlagKind::Levels, "", "log levels of modules"),
    duration("log-flush-frequency", "5s", "how often logs are written"),
];

const HELP: Flag = switch("help", 'h', "show the help");

/// How a command names its objects by files.
pub static FILES: &[Flag] = &[
    list("filename", 'f', "Files that name the objects"),
    text("kustomize", 'k', "A kustomization folder"),
    switch("recursive", 'R', "Look into folders"),
];

/// How a command prints objects.
pub static PRINT: &[Flag] = &[
    text("output", 'o', "Output format: yaml, json, name, jsonpath=…, go-template=…"),
    text("template", ' ', "Template for -o go-template or jsonpath"),
    on_by_default("allow-missing-template-keys", "Ignore missing fields in templates"),
    switch("show-managed-fields", ' ', "Keep managedFields in yaml and json"),
];

/// `--record` of commands that change objects.
pub const RECORD: Flag = switch("record", ' ', "Keep the command line in an annotation");

/// What a command was given.
#[derive(Clone, Debug, Default)]
pub struct Args {
    values: BTreeMap<&'static str, Vec<String>>,
    defaults: BTreeMap<&'static str, &'static str>,
    pub operands: Vec<String>,
    /// How many operands stand before `--`.
    pub dash_at: Option<usize>,
    /// `-h` or `--help` was given.
    pub wants_help: bool,
    /// The flags as they stand in the line, each after a blank: ` --image=nginx`.
    pub flags_text: String,
    /// The line that `--record` keeps.
    pub cause: Option<String>,
}

fn find<'a>(tables: &[&'a [Flag]], matches: impl Fn(&Flag) -> bool) -> Option<&'a Flag> {
    tables.iter().flat_map(|table| table.iter()).find(|flag| matches(flag))
}

/// Reads the words of a command. An error is pflag's text.
pub fn parse(words: &[String], own: &'static [&'static [Flag]]) -> Result<Args, String> {
    let mut tables: Vec<&'static [Flag]> = own.to_vec();
    tables.push(GLOBAL);
    let mut args = Args::default();
    for flag in tables.iter().rev().flat_map(|table| table.iter()) {
        args.defaults.insert(flag.name, flag.default);
    }
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            args.dash_at = Some(args.operands.len());
            args.operands.extend(words.cloned());
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            let (name, joined) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            if name.is_empty() || name.starts_with(['-', '=']) {
                return Err(format!("bad flag syntax: {word}"));
            }
            let Some(flag) = find(&tables, |flag| flag.name == name) else {
                if name == "help" {
                    let value = joined.unwrap_or("true");
                    HELP.check(value)?;
                    args.wants_help = value.starts_with(['t', 'T', '1']);
                    continue;
                }
                return Err(format!("unknown flag: --{name}"));
            };
            let value = match joined {
                Some(value) => value.to_owned(),
                None if !flag.alone.is_empty() => flag.alone.into(),
                None => words.next().cloned().ok_or_else(|| format!("flag needs an argument: --{name}"))?,
            };
            args.set(flag, value)?;
        } else if word.len() > 1 && word.starts_with('-') {
            args.short(&word[1..], &mut words, &tables)?;
        } else {
            args.operands.push(word.clone());
        }
    }
    Ok(args)
}

impl Args {
    fn short<'a>(
        &mut self,
        cluster: &str,
        words: &mut impl Iterator<Item = &'a String>,
        tables: &[&'static [Flag]],
    ) -> Result<(), String> {
        let mut rest = cluster;
        while let Some(letter) = rest.chars().next() {
            let after = &rest[letter.len_utf8()..];
            let Some(flag) = find(tables, |flag| flag.short == Some(letter)) else {
                if letter == 'h' {
                    self.wants_help = true;
                    return Ok(());
                }
                return Err(format!("unknown shorthand flag: '{letter}' in -{rest}"));
            };
            if let Some(value) = after.strip_prefix('=') {
                return self.set(flag, value.into());
            }
            if !flag.alone.is_empty() {
                self.set(flag, flag.alone.into())?;
                rest = after;
                continue;
            }
            let value = if after.is_empty() {
                words.next().cloned().ok_or_else(|| format!("flag needs an argument: '{letter}' in -{rest}"))?
            } else {
                after.to_owned()
            };
            return self.set(flag, value);
        }
        Ok(())
    }

    fn set(&mut self, flag: &Flag, value: String) -> Result<(), String> {
        flag.check(&value)?;
        self.flags_text.push_str(&format!(" --{}={value}", flag.name));
        let values = self.values.entry(flag.name).or_default();
        match flag.kind {
            FlagKind::List | FlagKind::Map => {
                values.extend(value.split(',').filter(|part| !part.is_empty()).map(str::to_owned))
            }
            FlagKind::Pairs => values.extend(pairs_of(&value).into_iter().map(str::to_owned)),
            FlagKind::Array => values.push(value),
            _ => *values = vec![value],
        }
        Ok(())
    }

    /// True when the command has the flag.
    pub fn knows(&self, name: &str) -> bool {
        self.defaults.contains_key(name)
    }

    /// True when the line names the flag.
    pub fn given(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    pub fn text(&self, name: &str) -> &str {
        self.values.get(name).and_then(|values| values.last()).map_or_else(|| self.default_of(name), String::as_str)
    }

    fn default_of(&self, name: &str) -> &'static str {
        self.defaults.get(name).copied().unwrap_or_default()
    }

    /// The text of a flag that was given and is not empty.
    pub fn some_text(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    pub fn all(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    pub fn is(&self, name: &str) -> bool {
        matches!(self.text(name), "true" | "1" | "t" | "T" | "True")
    }

    pub fn int(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or_default()
    }

    /// Nanoseconds; negative durations are 0.
    pub fn duration(&self, name: &str) -> SimTime {
        parse_duration(self.text(name)).unwrap_or_default().max(0) as SimTime
    }

    /// Sets a flag as if the line had named it.
    pub fn put(&mut self, name: &'static str, value: String) {
        self.values.insert(name, vec![value]);
    }

    /// Takes over what other arguments say of some flags.
    pub fn adopt(&mut self, other: &Args, names: &[&'static str]) {
        for name in names {
            if let Some(values) = other.values.get(name) {
                self.values.insert(name, values.clone());
            }
        }
    }

    /// The words after `--`.
    pub fn after_dash(&self) -> &[String] {
        self.dash_at.map_or(&[], |at| &self.operands[at..])
    }

    pub fn before_dash(&self) -> &[String] {
        &self.operands[..self.dash_at.unwrap_or(self.operands.len())]
    }
}

/// A text with a single `=` is one pair, whatever its value is.
fn pairs_of(text: &str) -> Vec<&str> {
    if text.matches('=').count() == 1 { vec![text] } else { text.split(',').collect() }
}

/// `file=N`
fn is_level(pair: &str) -> bool {
    matches!(pair.split_once('='), Some((file, level)) if !file.is_empty() && level.parse::<i32>().is_ok())
}

/// Why Go's `strconv` takes a text for no number.
pub(crate) fn go_reason(error: &std::num::ParseIntError) -> &'static str {
    match error.kind() {
        std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => "value out of range",
        _ => "invalid syntax",
    }
}

/// Why Go's `time.ParseDuration` takes a text for none.
fn duration_error(text: &str) -> String {
    const UNITS: [&str; 8] = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];
    let is_digit = |letter: char| letter.is_ascii_digit() || letter == '.';
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    while rest.starts_with(is_digit) {
        rest = rest.trim_start_matches(is_digit);
        let (unit, after) = rest.split_at(rest.find(is_digit).unwrap_or(rest.len()));
        if unit.is_empty() {
            return format!("time: missing unit in duration {text:?}");
        }
        if !UNITS.contains(&unit) {
            return format!("time: unknown unit {unit:?} in duration {text:?}");
        }
        rest = after;
    }
    format!("time: invalid duration {text:?}")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use api::time::{MILLISECOND, SECOND};

    use super::*;

    static TABLE: &[Flag] = &[
        text("output", 'o', ""),
        switch("watch", 'w', ""),
        int("replicas", 'r', "1", ""),
        list("label-columns", 'L', ""),
        text("dry-run", ' ', "").or("none").alone("unchanged"),
        duration("timeout", "0s", ""),
    ];
    static TABLES: &[&[Flag]] = &[TABLE];

    fn check(line: &str, expected: Expect) {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let shown = match parse(&words, TABLES) {
            Ok(args) => format!("{:?} {:?} {:?}", args.values, args.operands, args.dash_at),
            Err(text) => text,
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn values() {
        check("pods -nfoo -o=yaml", expect![[r#"{"namespace": ["foo"], "output": ["yaml"]} ["pods"] None"#]]);
        check(
            "-wo wide -La,b -L c",
            expect![[r#"{"label-columns": ["a", "b", "c"], "output": ["wide"], "watch": ["true"]} [] None"#]],
        );
        check("--dry-run x --watch=false", expect![[r#"{"dry-run": ["unchanged"], "watch": ["false"]} ["x"] None"#]]);
        check("p -- sh -c date", expect![[r#"{} ["p", "sh", "-c", "date"] Some(1)"#]]);
    }

    #[test]
    fn mistakes() {
        check("--nope", expect!["unknown flag: --nope"]);
        check("-zo", expect!["unknown shorthand flag: 'z' in -zo"]);
        check("-wo", expect!["flag needs an argument: 'o' in -o"]);
        check("--output", expect!["flag needs an argument: --output"]);
        check(
            "--replicas=abc",
            expect![[
                r#"invalid argument "abc" for "-r, --replicas" flag: strconv.ParseInt: parsing "abc": invalid syntax"#
            ]],
        );
        check(
            "--timeout=5",
            expect![[r#"invalid argument "5" for "--timeout" flag: time: missing unit in duration "5""#]],
        );
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("1h30m"), Some(5400 * SECOND as i64));
        assert_eq!(parse_duration("1.5s"), Some(1500 * MILLISECOND as i64));
        assert_eq!(parse_duration("100ms"), Some(100 * MILLISECOND as i64));
        assert_eq!(parse_duration("-1s"), Some(-(SECOND as i64)));
        assert_eq!(parse_duration("5"), None);
    }
}
