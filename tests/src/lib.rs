//! Scenario tests: Markdown that a person reads and a program runs.
//!
//! A scenario is prose with two sorts of fenced blocks. ` ```yaml web.yaml ` is a file of that name. ` ```console ` holds
//! lines that begin with `$ ` and are typed into the terminal, each followed by what it must print, its standard output
//! and error together. A first block ` ```yaml cluster ` may set the cluster (`nodes`, `seed`, `cpu`, `memory`, `traffic`).
//! Virtual time passes while a line runs; `$ sleep 20` lets it pass.
//!
//! [`run`] returns the scenario with the real output in the place of the expected one: a test compares the two, and
//! `UPDATE_EXPECT=1` writes it back.

use protocol::scenario::{ClusterSpec, File, Scenario, Text};
use protocol::{Command, Report, Source};
use tabernetes::session::Session;

/// A line that takes longer than this in virtual time is cut off.
const LINE_SECONDS_MAX: u64 = 900;
const SECOND: u64 = 1_000_000_000;

/// Runs a scenario and returns its text with the output that there was.
pub fn run(text: &str) -> String {
    let mut session = Session::default();
    session.handle(Command::Open { source: Source::Scenario { scenario: Box::new(scenario(text)) } });
    let mut result = String::with_capacity(text.len());
    let mut fence: Option<bool> = None;
    for line in text.lines() {
        match (fence, line.strip_prefix("```")) {
            (None, Some(language)) => fence = Some(language.trim() == "console"),
            (Some(_), Some(_)) => fence = None,
            _ => {}
        }
        let typed = line.strip_prefix("$ ").filter(|_| fence == Some(true));
        let is_output = fence == Some(true) && typed.is_none() && !line.starts_with("```");
        if !is_output {
            result.push_str(line);
            result.push('\n');
        }
        if let Some(typed) = typed {
            let printed = type_line(&mut session, typed);
            result.push_str(&printed);
            if !printed.is_empty() && !printed.ends_with('\n') {
                result.push('\n');
            }
        }
    }
    result
}

/// Types a line and lets virtual time pass until the prompt is back.
pub fn type_line(session: &mut Session, line: &str) -> String {
    let mut printed = String::new();
    let mut done = read(session.handle(Command::Terminal { line: line.into() }), &mut printed);
    let end = session.cluster().now() + LINE_SECONDS_MAX * SECOND;
    while !done && session.cluster().now() < end {
        let next = session.cluster().now() + SECOND / 20;
        done = read(session.run_to(next), &mut printed);
    }
    if !done {
        read(session.handle(Command::Interrupt), &mut printed);
    }
    printed
}

/// Collects what the terminal prints; true when the prompt is back.
fn read(reports: Vec<Report>, printed: &mut String) -> bool {
    let mut done = false;
    for report in reports {
        if let Report::Terminal { output } = report {
            printed.push_str(&output.text);
            done |= output.done;
        }
    }
    done
}

fn scenario(text: &str) -> Scenario {
    let mut cluster = ClusterSpec { traffic: 0.0, ..ClusterSpec::default() };
    let mut files = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        if let Some((name, content)) = &mut open {
            if line.starts_with("```") {
                if name == "cluster" {
                    set_cluster(&mut cluster, content);
                } else {
                    files.push(File { name: name.clone(), text: content.clone() });
                }
                open = None;
            } else {
                content.push_str(line);
                content.push('\n');
            }
        } else if let Some(name) = line.strip_prefix("```yaml ") {
            open = Some((name.trim().to_owned(), String::new()));
        }
    }
    Scenario {
        api_version: tabernetes::scenario::API_VERSION.into(),
        kind: tabernetes::scenario::KIND.into(),
        title: Text::Empty,
        description: Text::Empty,
        cluster,
        files,
        steps: Vec::new(),
        view: None,
    }
}

fn set_cluster(cluster: &mut ClusterSpec, text: &str) {
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim().trim_matches('"');
        match name.trim() {
            "nodes" => cluster.nodes = value.parse().unwrap_or(cluster.nodes),
            "seed" => cluster.seed = value.parse().unwrap_or(cluster.seed),
            "traffic" => cluster.traffic = value.parse().unwrap_or(cluster.traffic),
            "cpu" => cluster.cpu = value.into(),
            "memory" => cluster.memory = value.into(),
            other => panic!("a cluster has no {other:?}"),
        }
    }
}
