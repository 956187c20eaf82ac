//! What could stand at the cursor.

use api::request::Options;
use api::{kinds, table};
use client::Client;

use crate::commands::{self, Operands};
use crate::flags::{self, Flag, FlagKind};
use crate::resource;
use crate::session::State;
use crate::shell::PROGRAMS;
use crate::task::{Call, Io};

/// One proposal: the word that would stand at the cursor, and a few words about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    pub text: String,
    pub note: String,
}

fn completion(text: impl Into<String>, note: impl Into<String>) -> Completion {
    Completion { text: text.into(), note: note.into() }
}

pub(crate) fn complete(state: &State, line: &str, cursor: usize, client: &mut Client) -> Vec<Completion> {
    let before = line.get(..cursor).unwrap_or(line);
    let command = before.rsplit(['|', ';', '&', '\n', '(']).next().unwrap_or_default().trim_start();
    let mut words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    let current = if before.ends_with(char::is_whitespace) { String::new() } else { words.pop().unwrap_or_default() };
    let mut found = match words.split_first() {
        None => PROGRAMS.iter().map(|(name, note)| completion(*name, *note)).collect(),
        Some((program, words)) if program == "kubectl" || program == "k" => {
            Completer { state, client, words, current: &current }.kubectl()
        }
        Some(_) => state.files.all().keys().map(|name| completion(name.as_str(), "file")).collect(),
    };
    found.retain(|proposal| proposal.text.starts_with(&current));
    found
}

struct Completer<'a, 'c> {
    state: &'a State,
    client: &'a mut Client<'c>,
    words: &'a [String],
    current: &'a str,
}

impl Completer<'_, '_> {
    fn kubectl(&mut self) -> Vec<Completion> {
        let Ok(found) = commands::find(self.words) else { return Vec::new() };
        let own = found.command.map_or(&[][..], |command| command.flags);
        let tables: Vec<&'static [Flag]> = own.iter().copied().chain([flags::GLOBAL]).collect();
        if let Some((name, _)) = self.current.strip_prefix("--").and_then(|word| word.split_once('=')) {
            let name = name.to_owned();
            let values = self.values_of(&name, found.command.map_or("", |command| command.name));
            return values
                .into_iter()
                .map(|value| completion(format!("--{name}={}", value.text), value.note))
                .collect();
        }
        if self.current.starts_with('-') {
            return flag_names(&tables);
        }
        if let Some(flag) = self.words.last().and_then(|word| value_flag(word, &tables)) {
            return self.values_of(flag, found.command.map_or("", |command| command.name));
        }
        let Some(command) = found.command else {
            return commands::COMMANDS.iter().map(|row| completion(row.name, row.summary)).collect();
        };
        let operands = operands(&found.rest, &tables);
        if !command.subcommands.is_empty() && operands.is_empty() {
            return command.subcommands.iter().map(|row| completion(row.name, row.summary)).collect();
        }
        self.operands(command.operands, &operands)
    }

    fn namespace(&self) -> String {
        let args = flags::parse(self.words, &[]).unwrap_or_default();
        let mut words = self.words.iter();
        let given = words.find_map(|word| match word.strip_prefix("-n").or(word.strip_prefix("--namespace")) {
            Some("") => Some(None),
            Some(joined) => Some(Some(joined.trim_start_matches('=').to_owned())),
            None => None,
        });
        match given {
            Some(Some(joined)) => joined,
            Some(None) => words.next().cloned().unwrap_or_default(),
            None => args.some_text("namespace").map_or_else(|| self.state.namespace.clone(), str::to_owned),
        }
    }

    fn operands(&mut self, wanted: Operands, before: &[String]) -> Vec<Completion> {
        match (wanted, before.first()) {
            (Operands::None, _) => Vec::new(),
            (Operands::Names(plural), _) => self.names(plural, ""),
            (Operands::Pods, None) if !self.current.contains('/') => self.names("pods", ""),
            (Operands::Pods, Some(_)) => Vec::new(),
            (Operands::Types, None) => self.types(),
            (Operands::Types, Some(_)) => Vec::new(),
            (Operands::Resources | Operands::Pods, None) => match self.current.split_once('/') {
                Some((word, _)) => {
                    let word = word.to_owned();
                    self.names(&word, &format!("{word}/"))
                }
                None => self.types(),
            },
            (Operands::Resources, Some(first)) => {
                let taken: Vec<String> = before[1..].to_vec();
                let mut names = self.names(first, "");
                names.retain(|name| !taken.contains(&name.text));
                names
            }
        }
    }

    fn types(&self) -> Vec<Completion> {
        let mut types: Vec<Completion> =
            kinds::stored().map(|kind| completion(kind.plural, kind.short_names.join(", "))).collect();
        types.sort_by(|a, b| a.text.cmp(&b.text));
        types
    }

    fn files(&self) -> Vec<Completion> {
        self.state.files.all().keys().map(|name| completion(name.as_str(), "file")).collect()
    }

    /// The objects of a kind, each with the status that `get` would show.
    fn names(&mut self, word: &str, prefix: &str) -> Vec<Completion> {
        let Some(kind) = resource::kind_of(self.client, word) else { return Vec::new() };
        let namespace = self.namespace();
        let (mut state, mut io) = (State::default(), Io::default());
        let mut call = Call { client: self.client, state: &mut state, io: &mut io };
        let Ok((objects, _)) = resource::list(&mut call, kind, &namespace, Options::default()) else {
            return Vec::new();
        };
        let now = self.client.now();
        let columns = table::columns(kind);
        let telling = ["Status", "Ready", "Type", "Data", "Completions", "Class"];
        let column = telling.iter().find_map(|name| columns.iter().position(|column| column.name == *name));
        let note = |object: &api::ObjectRef| {
            let cells = table::cells(kind, &**object, now);
            column.and_then(|at| cells.get(at)).map(ToString::to_string).unwrap_or_default()
        };
        objects.iter().map(|object| completion(format!("{prefix}{}", object.name()), note(object))).collect()
    }

    fn values_of(&mut self, flag: &str, command: &str) -> Vec<Completion> {
        let fixed = |values: &[&str]| values.iter().map(|value| completion(*value, "")).collect();
        match flag {
            "namespace" => self.names("namespaces", ""),
            "filename" => self.files(),
            "container" => self.containers(),
            "output" if command == "get" => {
                fixed(&["wide", "yaml", "json", "name", "jsonpath=", "custom-columns=", "go-template="])
            }
            "output" => fixed(&["yaml", "json", "name", "jsonpath=", "go-template="]),
            "dry-run" => fixed(&["none", "client", "server"]),
            "cascade" => fixed(&["background", "foreground", "orphan"]),
            "restart" => fixed(&["Always", "OnFailure", "Never"]),
            "type" if command == "patch" => fixed(&["json", "merge", "strategic"]),
            "type" => fixed(&["ClusterIP", "NodePort", "LoadBalancer"]),
            "for" => fixed(&["condition=", "delete", "jsonpath=", "create"]),
            _ => Vec::new(),
        }
    }

    /// The containers of the Pod that the line names.
    fn containers(&mut self) -> Vec<Completion> {
        let namespace = self.namespace();
        for word in self.words {
            let name = word.strip_prefix("pod/").unwrap_or(word);
            let Ok(pod) = self.client.get::<api::types::Pod>(&namespace, name) else { continue };
            let Some(spec) = &pod.spec else { continue };
            let all = spec.containers.iter().map(|container| (container, ""));
            let init = spec.init_containers.iter().flatten().map(|container| (container, "init container"));
            return all.chain(init).map(|(container, note)| completion(container.name.as_str(), note)).collect();
        }
        Vec::new()
    }
}

fn flag_names(tables: &[&'static [Flag]]) -> Vec<Completion> {
    let mut names = Vec::new();
    for flag in tables.iter().flat_map(|table| table.iter()) {
        let end = if flag.kind == FlagKind::Bool { "" } else { "=" };
        names.push(completion(format!("--{}{end}", flag.name), flag.note));
    }
    names
}

/// The flag whose value comes after this word.
fn value_flag(word: &str, tables: &[&'static [Flag]]) -> Option<&'static str> {
    let all = tables.iter().flat_map(|table| table.iter()).filter(|flag| flag.alone.is_empty());
    let named = |flag: &&Flag| {
        word.strip_prefix("--") == Some(flag.name)
            || word.strip_prefix('-').is_some_and(|rest| {
                let mut letters = rest.chars();
                letters.next_back() == flag.short && flag.short.is_some() && letters.all(|letter| letter != '-')
            })
    };
    all.into_iter().find(named).map(|flag| flag.name)
}

/// The words that are no flags and no values of flags.
fn operands(words: &[String], tables: &[&'static [Flag]]) -> Vec<String> {
    let mut operands = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            operands.push(word.clone());
        } else if value_flag(word, tables).is_some() {
            words.next();
        }
    }
    operands
}
