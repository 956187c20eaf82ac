//! Every file of `scenarios/` prints what it says.

#![expect(clippy::disallowed_methods, reason = "a test may read its environment")]

use std::path::{Path, PathBuf};

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = std::fs::read_dir(folder).expect("the scenarios lie beside the tests");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "md"));
    files.sort();
    files
}

#[test]
fn scenarios_print_what_they_say() {
    let update = std::env::var("UPDATE_EXPECT").is_ok();
    let mut differing = Vec::new();
    for file in scenarios() {
        let expected = std::fs::read_to_string(&file).expect("a readable scenario");
        let actual = tests::run(&expected);
        if update {
            std::fs::write(&file, &actual).expect("a writable scenario");
        } else if actual != expected {
            differing.push(format!("{}\n{}", file.display(), first_difference(&expected, &actual)));
        }
    }
    assert!(differing.is_empty(), "\n{}", differing.join("\n"));
}

fn first_difference(expected: &str, actual: &str) -> String {
    let mut lines = expected.lines().zip(actual.lines()).enumerate();
    match lines.find(|(_, (expected, actual))| expected != actual) {
        Some((number, (expected, actual))) => format!("line {}:\n  - {expected}\n  + {actual}", number + 1),
        None => "one has more lines than the other".into(),
    }
}
