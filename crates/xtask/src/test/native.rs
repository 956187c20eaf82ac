//! The tests that run on this machine's own processor.

use xshell::{Shell, cmd};

use crate::fresh;

/// Everything but the scenarios: unit tests, integration tests and the examples in the documentation.
pub fn units(shell: &Shell) -> anyhow::Result<()> {
    run(shell, &["--workspace", "--exclude", "web", "--exclude", "worker", "--exclude", "tests"])?;
    Ok(cmd!(shell, "cargo test --quiet --locked --doc").run()?)
}

/// The package `tests`: whole clusters, played through.
pub fn scenarios(shell: &Shell) -> anyhow::Result<()> {
    run(shell, &["--package", "tests"])
}

/// By nextest where it is installed: it runs the tests of all packages side by side.
fn run(shell: &Shell, packages: &[&str]) -> anyhow::Result<()> {
    if fresh::is_program(shell, "cargo-nextest") {
        let how = ["--no-fail-fast", "--status-level", "fail", "--no-tests", "pass"];
        return Ok(cmd!(shell, "cargo nextest run --locked {packages...} {how...}").run()?);
    }
    Ok(cmd!(shell, "cargo test --quiet --locked --all-targets --no-fail-fast {packages...}").run()?)
}
