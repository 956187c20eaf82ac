//! Replays recordings of a real kube-scheduler 1.36.2: where each Pod goes, its condition and event, who is evicted, and
//! the weighted score of every plugin for every feasible node.
//!
//! A few recordings are kept in `tests/data`; all of them are replayed where `../shared/oracle` is there.

mod world;

use std::fs;
use std::path::Path;

use serde_json::Value;

use world::World;

#[test]
fn our_recordings() {
    replay_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data"));
}

#[test]
fn all_recordings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/oracle/scheduling");
    if !folder.is_dir() {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    }
    replay_all(&folder);
}

fn replay_all(folder: &Path) {
    let entries = fs::read_dir(folder).expect("the folder of recordings can be read");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry can be read").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    assert!(!files.is_empty(), "no recordings in {}", folder.display());
    let mut failures = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).expect("a recording can be read");
        let case: Value = serde_json::from_str(&text).expect("a recording is JSON");
        let differences = replay(&case);
        if !differences.is_empty() {
            failures.push(format!("{}:\n    {}", case["name"].as_str().unwrap_or("?"), differences.join("\n    ")));
        }
    }
    let passed = files.len() - failures.len();
    println!("{passed} of {} recordings agree", files.len());
    assert!(failures.is_empty(), "{passed} passed, {} failed\n{}", failures.len(), failures.join("\n"));
}

fn replay(case: &Value) -> Vec<String> {
    let mut world = World::new();
    for object in list(&case["setup"]) {
        world.set_up(object);
    }
    world.run();
    let mut differences = Vec::new();
    for (step, expected) in list(&case["schedule"]).iter().zip(list(&case["expect"])) {
        world.step(step);
        world.run();
        let name = expected["pod"].as_str().unwrap_or_default();
        let actual = world.look(name, list(&case["setup"]));
        compare(expected, &actual, &mut differences);
        if let Some(scores) = expected.get("scores") {
            world.compare_scores(name, scores, &mut differences);
        }
    }
    differences
}

/// Every recorded field must be the same; a node with the same score will do.
fn compare(expected: &Value, actual: &Value, differences: &mut Vec<String>) {
    let chosen = actual["node"].as_str().unwrap_or_default();
    let total = |node: &str| expected["scores"][node]["final"].as_i64();
    let recorded = expected["node"].as_str().unwrap_or_default();
    if chosen != recorded && total(chosen).is_some() && total(chosen) == total(recorded) {
        return;
    }
    for field in ["node", "condition", "event", "nominatedNodeName", "victims", "claims"] {
        if expected[field] != actual[field] {
            let pod = expected["pod"].as_str().unwrap_or_default();
            differences.push(format!("{pod} {field}: expected {}, got {}", expected[field], actual[field]));
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
