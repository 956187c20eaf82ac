//! Lock files name packages and checksums, not the host that one machine happened to fetch them from.

use super::{Findings, SourceFile};

const CRATES_IO: &str = "\"registry+https://github.com/rust-lang/crates.io-index\"";

pub fn check(file: &SourceFile, findings: &mut Findings) {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    for (number, line) in file.text.lines().enumerate() {
        let names_a_host = match name {
            "Cargo.lock" => line.strip_prefix("source = ").is_some_and(|source| source != CRATES_IO),
            "package-lock.json" => line.contains("\"resolved\": \"http"),
            _ => return,
        };
        if names_a_host {
            findings.failures.push(format!("{}:{}: names the host of a registry", file.path, number + 1));
        }
    }
}
