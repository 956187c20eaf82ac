//! Replays recordings of a real Kubernetes 1.36 API server (`oracle/api/*.json`) in process, through the HTTP router.
//!
//! The recordings live beside the repository; without them the test passes and says so. `passing.txt` lists the cases that
//! must pass: a case that does not any more fails the test, a new one is printed so that it can be added.
//!
//! `ORACLE_ONLY=part cargo nextest run -p apiserver --no-capture oracle` shows the differences of the cases
//! whose name contains a part.

mod normalize;
mod replay;

use std::collections::BTreeSet;
use std::path::Path;

const RECORDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/oracle/api");
const PASSING: &str = include_str!("passing.txt");

#[test]
fn recorded_cases_still_pass() {
    let Ok(entries) = std::fs::read_dir(Path::new(RECORDINGS)) else {
        println!("no recordings at {RECORDINGS}: nothing to replay");
        return;
    };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let only = only();
    let mut passed = BTreeSet::new();
    let mut failed = Vec::new();
    for file in files {
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if only.as_ref().is_some_and(|part| !name.contains(part.as_str())) {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("a readable recording");
        let differences = replay::run(&text);
        if differences.is_empty() {
            passed.insert(name);
        } else {
            failed.push((name, differences));
        }
    }
    for (name, differences) in &failed {
        let shown = if only.is_some() { differences.len() } else { 1 };
        for difference in &differences[..shown] {
            println!("FAIL {name} {difference}");
        }
    }
    let expected: BTreeSet<String> = PASSING.lines().map(str::to_owned).filter(|line| !line.is_empty()).collect();
    for name in passed.difference(&expected) {
        println!("new {name}");
    }
    println!("{} passed, {} failed", passed.len(), failed.len());
    if only.is_none() {
        let lost: Vec<&String> = expected.difference(&passed).collect();
        assert!(lost.is_empty(), "these cases have passed before: {lost:?}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a filter for whoever runs the test by hand")]
fn only() -> Option<String> {
    std::env::var("ORACLE_ONLY").ok()
}
