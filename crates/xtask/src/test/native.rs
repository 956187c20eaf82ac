//! The tests that run on this machine's own processor.

use xshell::{Shell, cmd};

use crate::fresh;

/// What is compiled for these tests, always all of it: with fewer packages cargo would choose other features of the
/// libraries below and compile the core once more.
const PACKAGES: [&str; 5] = ["--workspace", "--exclude", "web", "--exclude", "worker"];

/// Everything but the scenarios: unit tests, integration tests and the examples in the documentation.
pub fn units(shell: &Shell) -> anyhow::Result<()> {
    run(shell, "not package(tests)", &["--all-targets", "--exclude", "tests"])?;
    Ok(cmd!(shell, "cargo test --quiet --locked --doc").run()?)
}

/// The package `tests`: whole clusters, played through.
pub fn scenarios(shell: &Shell) -> anyhow::Result<()> {
    run(shell, "package(tests)", &["--test", "scenarios", "--test", "fuzz"])
}

/// Compiles the tests, and with them the programs of their packages.
pub fn build(shell: &Shell) -> anyhow::Result<()> {
    Ok(cmd!(shell, "cargo test --quiet --locked {PACKAGES...} --no-run").run()?)
}

/// By nextest where it is installed: it runs the tests of all packages side by side.
fn run(shell: &Shell, filter: &str, without_nextest: &[&str]) -> anyhow::Result<()> {
    if fresh::is_program(shell, "cargo-nextest") {
        let how = ["--no-fail-fast", "--status-level", "fail", "--no-tests", "pass"];
        return Ok(cmd!(shell, "cargo nextest run --locked {PACKAGES...} --filterset {filter} {how...}").run()?);
    }
    Ok(cmd!(shell, "cargo test --quiet --locked --no-fail-fast {PACKAGES...} {without_nextest...}").run()?)
}
