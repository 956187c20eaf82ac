//! The table of commands. Each row is a module of this folder: its flags, what its operands are, and what it does.

mod annotate;
mod api_resources;
mod apply;
mod attach;
mod auth;
mod autoscale;
mod certificate;
mod cluster_info;
mod completion;
mod config;
mod copy;
mod create;
mod debug;
mod delete;
mod describe;
mod diff;
mod drain;
mod edit;
mod events;
mod exec;
mod explain;
mod expose;
mod get;
mod kustomize;
mod label;
mod logs;
mod meta_update;
mod node;
mod patch;
mod plugin;
mod reconcile;
mod replace;
mod rollout;
mod run;
mod scale;
mod serve;
mod set;
mod table;
mod taint;
mod top;
mod version;
mod wait;

use std::collections::BTreeMap;

use std::pin::Pin;

use api::User;
pub(crate) use config::form::complete as complete_config;
use serde_json::json;
pub(crate) use table::COMMANDS;

use crate::failure::{Failure, Outcome};
use crate::flags::{self, Args, Flag, FlagKind};
use crate::output::{self, Format};
use crate::task::{Call, Cx};

/// A row of the table of commands.
pub(crate) struct Command {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub group: Group,
    pub summary: &'static str,
    /// What follows the command's name: `(TYPE NAME | TYPE/NAME) [flags]`.
    pub usage: &'static str,
    pub flags: &'static [&'static [Flag]],
    pub operands: Operands,
    pub run: Run,
    pub subcommands: &'static [Command],
}

/// The headings of `kubectl --help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Beginner,
    Intermediate,
    Deploy,
    Cluster,
    Troubleshooting,
    Advanced,
    Settings,
    Other,
}

/// What completion offers after the command's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operands {
    None,
    /// `TYPE NAME…` or `TYPE/NAME…`
    Resources,
    /// `TYPE`
    Types,
    /// Names of one kind.
    Names(&'static str),
    /// Names of Pods, or `TYPE/NAME`.
    Pods,
}

type Later = fn(Cx, Args) -> Pin<Box<dyn Future<Output = Outcome>>>;

#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// Prints the subcommands.
    Group,
    /// Is done at once.
    Now(fn(&mut Call, &Args) -> Outcome),
    /// May have to wait.
    Later(Later),
}

/// Runs `kubectl` with these words.
pub(crate) async fn run(cx: Cx, words: Vec<String>) -> i32 {
    cx.with(|call| call.io.warned.clear()).await;
    let outcome = dispatch(&cx, words).await;
    cx.with(|call| call.act_as(None)).await;
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            let code = failure.code();
            cx.with(move |call| {
                call.io.out(failure.output());
                call.io.err(&failure.text());
            })
            .await;
            code
        }
    }
}

async fn dispatch(cx: &Cx, words: Vec<String>) -> Outcome {
    if words.first().is_some_and(|word| word == "help") {
        return help_topic(cx, &words[1..]).await;
    }
    let Found { command, path, rest } = find(&words)?;
    let Some(command) = command else {
        if let Err(text) = flags::parse(&rest, &[]) {
            return Err(Failure::error(format!("{text}\nSee 'kubectl --help' for usage.")));
        }
        return help_of_all(cx).await;
    };
    let args = match flags::parse(&rest, command.flags) {
        Ok(args) => args,
        // A difference is exit code 1 there.
        Err(text) if command.name == "diff" => {
            let failure = Failure::usage(&path, text);
            cx.with(move |call| call.io.err(&failure.text())).await;
            return Err(Failure::Exit(2));
        }
        Err(text) => return Err(Failure::error(format!("{text}\nSee '{path} --help' for usage."))),
    };
    if args.wants_help {
        return show_help(cx, command, path, 0).await;
    }
    check_profile(command, &args)?;
    check_timeout(&args)?;
    let mut args = args;
    if args.given("record") {
        cx.err_line("Flag --record has been deprecated, --record will be removed in the future").await;
        let operands: String = args.operands.iter().map(|word| format!(" {word}")).collect();
        args.cause = args.is("record").then(|| format!("{path}{operands}{}", args.flags_text));
    }
    let args = args;
    let user = cx.with(|call| call.state.context.user.clone()).await;
    let user = impersonated(&args, &user)?;
    cx.with(move |call| call.act_as(user)).await;
    match command.run {
        Run::Group => {
            if !args.operands.is_empty() && command.name != "certificate" {
                return Err(Failure::usage(&path, format!("unknown command {:?}", args.operands.join(" "))));
            }
            // What upstream's groups do differs: most say on standard error that a subcommand is missing.
            match command.name {
                "rollout" => show_help(cx, command, path, 1).await,
                "certificate" => show_help(cx, command, path, 0).await,
                _ => {
                    let text = help(command, &path);
                    cx.with(move |call| call.io.err(&text)).await;
                    Ok(1)
                }
            }
        }
        Run::Now(run) => cx.with(move |call| run(call, &args)).await,
        Run::Later(run) => run(cx.clone(), args).await,
    }
}

/// `--profile` names something that Go's runtime measures, unless the command means something else by it.
fn check_profile(command: &Command, args: &Args) -> Result<(), Failure> {
    const PROFILES: [&str; 8] = ["none", "cpu", "allocs", "block", "goroutine", "heap", "mutex", "threadcreate"];
    let is_own = command.flags.iter().any(|table| table.iter().any(|flag| flag.name == "profile"));
    match args.text("profile") {
        profile if !is_own && !PROFILES.contains(&profile) => {
            Err(Failure::error(format!("unknown profile '{profile}'")))
        }
        _ => Ok(()),
    }
}

/// `--request-timeout` is a number of seconds or a duration.
fn check_timeout(args: &Args) -> Result<(), Failure> {
    let text = args.text("request-timeout");
    if text.parse::<i64>().is_ok_and(|seconds| seconds >= 0) || api::time::parse_duration(text).is_some() {
        return Ok(());
    }
    Err(Failure::error(
        "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding \
         time unit (e.g. 1s | 2m | 3h)",
    ))
}

/// Whom `--as` names. The server adds the groups that everybody is in.
fn impersonated(args: &Args, user: &str) -> Result<Option<User>, Failure> {
    let groups = args.all("as-group");
    let Some(name) = args.some_text("as") else {
        if groups.is_empty() && args.some_text("as-uid").is_none() {
            return Ok(None);
        }
        return Err(Failure::error(format!(
            "requesting uid, groups or user-extra for {user} without impersonating a user"
        )));
    };
    let (uid, groups) = (args.text("as-uid").into(), groups.to_vec());
    Ok(Some(User { name: name.into(), uid, groups, ..User::default() }))
}

/// The command that some words name.
pub(crate) struct Found {
    pub command: Option<&'static Command>,
    /// `kubectl rollout status`
    pub path: String,
    /// The words that are left: flags and operands.
    pub rest: Vec<String>,
}

/// Walks down the table. Flags may stand before the command's name, as in `kubectl -n x get pods`.
pub(crate) fn find(words: &[String]) -> Result<Found, Failure> {
    let mut found = Found { command: None, path: "kubectl".into(), rest: Vec::new() };
    let mut table = COMMANDS;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" || table.is_empty() {
            found.rest.push(word.clone());
            found.rest.extend(words.cloned());
            break;
        }
        if word.starts_with('-') && word.len() > 1 {
            found.rest.push(word.clone());
            if takes_next(word) {
                found.rest.extend(words.next().cloned());
            }
            continue;
        }
        match table.iter().find(|row| row.name == word || row.aliases.contains(&word.as_str())) {
            Some(row) => {
                found.path = format!("{} {}", found.path, row.name);
                found.command = Some(row);
                table = row.subcommands;
            }
            None if found.command.is_none() => return Err(unknown_command(word, "kubectl", COMMANDS)),
            None => {
                found.rest.push(word.clone());
                found.rest.extend(words.cloned());
                break;
            }
        }
    }
    Ok(found)
}

/// The global flags that a line gives, such as `--context`. What the command has a flag of its own for is not among them:
/// `create rolebinding --user` names a subject.
pub fn global_flags(words: &[String]) -> BTreeMap<&'static str, String> {
    let Ok(Found { command, rest, .. }) = find(words) else { return BTreeMap::new() };
    let own = command.map_or(&[][..], |command| command.flags);
    // What is wrong with the line is said by whoever runs it.
    let Ok(args) = flags::parse(&rest, own) else { return BTreeMap::new() };
    let is_own = |name: &str| own.iter().any(|table| table.iter().any(|flag| flag.name == name));
    let given = flags::GLOBAL.iter().filter(|flag| args.given(flag.name) && !is_own(flag.name));
    given.map(|flag| (flag.name, args.text(flag.name).to_owned())).collect()
}

/// True for a global flag whose value is the next word.
fn takes_next(word: &str) -> bool {
    flags::GLOBAL.iter().any(|flag| {
        let named = word.strip_prefix("--") == Some(flag.name)
            || flag.short.is_some_and(|short| word.strip_prefix('-') == Some(short.to_string().as_str()));
        named && flag.kind != FlagKind::Bool
    })
}

fn unknown_command(word: &str, path: &str, table: &[Command]) -> Failure {
    let mut text = format!("unknown command {word:?} for {path:?}");
    let similar: Vec<&str> = table
        .iter()
        .map(|row| row.name)
        .filter(|name| distance(word, name) <= 2 || name.starts_with(&word.to_lowercase()))
        .collect();
    if !similar.is_empty() {
        text.push_str("\n\nDid you mean this?\n");
        for name in similar {
            text.push_str(&format!("\t{name}\n"));
        }
    }
    Failure::error(text)
}

/// Levenshtein's distance without regard to case.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, to) in b.chars().enumerate() {
            let cost = (corner + usize::from(from != to)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row.last().copied().unwrap_or_default()
}

const GROUPS: [(Group, &str); 8] = [
    (Group::Beginner, "Basic Commands (Beginner):"),
    (Group::Intermediate, "Basic Commands (Intermediate):"),
    (Group::Deploy, "Deploy Commands:"),
    (Group::Cluster, "Cluster Management Commands:"),
    (Group::Troubleshooting, "Troubleshooting and Debugging Commands:"),
    (Group::Advanced, "Advanced Commands:"),
    (Group::Settings, "Settings Commands:"),
    (Group::Other, "Other Commands:"),
];

async fn show_help(cx: &Cx, command: &'static Command, path: String, code: i32) -> Outcome {
    cx.out(help(command, &path)).await;
    Ok(code)
}

/// `kubectl help rollout status`
async fn help_topic(cx: &Cx, words: &[String]) -> Outcome {
    match find(words) {
        Ok(Found { command: Some(command), path, .. }) => show_help(cx, command, path, 0).await,
        Ok(_) => help_of_all(cx).await,
        Err(_) => {
            let topics: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            cx.err_line(format!("Unknown help topic [{}]", topics.join(" "))).await;
            Ok(0)
        }
    }
}

async fn help_of_all(cx: &Cx) -> Outcome {
    let mut text = String::from("kubectl controls the simulated Kubernetes cluster.\n");
    for (group, title) in GROUPS {
        text.push_str(&format!("\n{title}\n"));
        for row in COMMANDS.iter().filter(|row| row.group == group) {
            text.push_str(&format!("  {:<15} {}\n", row.name, row.summary));
        }
    }
    text.push_str("\nUsage:\n  kubectl [flags] [options]\n\n");
    text.push_str("Use \"kubectl <command> --help\" for more information about a given command.\n");
    cx.out(text).await;
    Ok(0)
}

/// The help of one command: our own words, made from the tables.
fn help(command: &Command, path: &str) -> String {
    let mut text = format!("{}.\n", command.summary);
    if !command.subcommands.is_empty() {
        text.push_str("\nAvailable Commands:\n");
        for row in command.subcommands {
            text.push_str(&format!("  {:<15} {}\n", row.name, row.summary));
        }
    }
    let mut options = String::new();
    for flag in command.flags.iter().flat_map(|table| table.iter()) {
        let short = flag.short.map_or("    ".into(), |short| format!("-{short}, "));
        let default = match flag.kind {
            FlagKind::Text => format!("'{}'", flag.default),
            FlagKind::List | FlagKind::Map | FlagKind::Pairs | FlagKind::Array => "[]".into(),
            _ => flag.default.to_owned(),
        };
        options.push_str(&format!("    {short}--{}={default}:\n\t{}\n\n", flag.name, flag.note));
    }
    if !options.is_empty() {
        text.push_str(&format!("\nOptions:\n{}", options.trim_end_matches('\n')));
        text.push('\n');
    }
    let usage = match command.usage {
        "" if !command.subcommands.is_empty() => "[flags] [options]",
        "" => "[options]",
        usage => usage,
    };
    text.push_str(&format!("\nUsage:\n  {path} {usage}\n"));
    if !command.subcommands.is_empty() {
        text.push_str(&format!("\nUse \"{path} <command> --help\" for more information about a given command.\n"));
    }
    text.push_str("Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n");
    text
}

/// An object as upstream prints it when it has not come back from the server: creation times that are not set are null.
pub(in crate::commands) fn as_typed(mut value: serde_json::Value) -> serde_json::Value {
    const PLACES: [&str; 4] = [
        "/metadata",
        "/spec/template/metadata",
        "/spec/jobTemplate/metadata",
        "/spec/jobTemplate/spec/template/metadata",
    ];
    for place in PLACES {
        if let Some(meta) = value.pointer_mut(place).and_then(serde_json::Value::as_object_mut) {
            meta.entry("creationTimestamp").or_insert_with(Default::default);
        }
    }
    let (strategy, status) = match value["kind"].as_str().unwrap_or_default() {
        "Deployment" => ("strategy", json!({})),
        "StatefulSet" => ("updateStrategy", json!({ "availableReplicas": 0, "replicas": 0 })),
        "DaemonSet" => (
            "updateStrategy",
            json!({
                "currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0,
            }),
        ),
        "ReplicaSet" | "ReplicationController" => ("", json!({ "replicas": 0 })),
        "Pod" | "Job" | "CronJob" => ("", json!({})),
        "Service" => ("", json!({ "loadBalancer": {} })),
        _ => return value,
    };
    if let Some(fields) = value.as_object_mut() {
        fields.entry("status").or_insert(status);
    }
    if let Some(spec) = value["spec"].as_object_mut().filter(|_| !strategy.is_empty()) {
        spec.entry(strategy).or_insert_with(|| json!({}));
    }
    for place in ["/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"] {
        let Some(spec) = value.pointer_mut(place) else { continue };
        for list in ["containers", "initContainers"] {
            let containers = spec.get_mut(list).and_then(serde_json::Value::as_array_mut).into_iter().flatten();
            for container in containers.filter_map(serde_json::Value::as_object_mut) {
                container.entry("resources").or_insert_with(|| json!({}));
            }
        }
    }
    value
}

/// Notes the line in an object, as `--record` asks.
pub(in crate::commands) fn record(args: &Args, object: &mut serde_json::Value) {
    if let Some(cause) = &args.cause {
        object["metadata"]["annotations"][CHANGE_CAUSE] = cause.as_str().into();
    }
}

/// The same of an object that has been changed already.
pub(in crate::commands) fn note_cause(
    call: &mut Call,
    args: &Args,
    info: &crate::resource::Info,
) -> Result<(), api::Status> {
    if args.cause.is_none() || args.given("dry-run") {
        return Ok(());
    }
    let mut value = json!({});
    record(args, &mut value);
    let patch = api::Patch { kind: api::PatchKind::Merge, value };
    let request = api::Request::of(api::request::Verb::Patch, info.kind.id, &info.namespace, &info.name).body(patch);
    call.request(request).map(drop)
}

const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

/// Refuses operands, for commands that take none.
fn refuse_operands(args: &Args, command: &str) -> Result<(), Failure> {
    match args.operands.as_slice() {
        [] => Ok(()),
        some => Err(Failure::usage(command, format!("unexpected arguments: [{}]", some.join(" ")))),
    }
}

/// The namespace that a command works in.
pub(crate) fn namespace(call: &Call, args: &Args) -> String {
    args.some_text("namespace").map_or_else(|| call.state.namespace.clone(), str::to_owned)
}

/// Says that an object was changed (`deployment.apps/web image updated`), or prints it as `-o` asks.
pub(in crate::commands) fn print_changed(
    call: &mut Call,
    args: &Args,
    info: &crate::resource::Info,
    object: serde_json::Value,
    done: &str,
    dry_run: apply::DryRun,
) -> Result<(), Failure> {
    print_value(call, args, &info.full_name(), object, &format!("{done}{}", dry_run.suffix()))
}

/// The same of an object that is only written so far.
pub(in crate::commands) fn print_value(
    call: &mut Call,
    args: &Args,
    full_name: &str,
    object: serde_json::Value,
    done: &str,
) -> Result<(), Failure> {
    print_with(call, args, full_name, object, done, Format::text)
}

/// The same of an object that upstream holds as a struct.
pub(in crate::commands) fn print_typed(
    call: &mut Call,
    args: &Args,
    info: &crate::resource::Info,
    object: serde_json::Value,
    done: &str,
    dry_run: apply::DryRun,
) -> Result<(), Failure> {
    print_with(call, args, &info.full_name(), object, &format!("{done}{}", dry_run.suffix()), Format::typed_text)
}

fn print_with(
    call: &mut Call,
    args: &Args,
    full_name: &str,
    object: serde_json::Value,
    done: &str,
    write: fn(&Format, &serde_json::Value) -> Result<String, Failure>,
) -> Result<(), Failure> {
    match Format::read(call, args, false)? {
        None => call.io.line(format!("{full_name} {done}")),
        Some(Format::Name) => call.io.line(full_name),
        Some(format) => {
            let text = write(&format, &output::shown(object, args))?;
            call.io.out(&text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_s_own_flag_is_no_global_one() {
        let given = |line: &str| global_flags(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(given("--user=a get pods -s http://x").get("user").map(String::as_str), Some("a"));
        assert_eq!(given("get pods -s http://x").get("server").map(String::as_str), Some("http://x"));
        assert_eq!(given("create rolebinding r --role=r --user=jane").get("user"), None);
        assert_eq!(given("exec p -- curl -s http://x --token t"), BTreeMap::new());
    }
}
