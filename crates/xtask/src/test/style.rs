//! What the formatter and the linter say.

use xshell::{Shell, cmd};

use crate::fresh;

pub fn fmt(shell: &Shell) -> anyhow::Result<()> {
    fresh::rust_components(shell)?;
    // Names of files say enough: `cargo fmt --all` shows and makes the changes.
    cmd!(shell, "cargo fmt --all -- --check -l").run()?;
    Ok(cmd!(shell, "cargo fmt --manifest-path crates/xtask/wasm-tools/Cargo.toml -- --check -l").run()?)
}

/// Once for the machine that runs the tests, once for the browser.
pub fn clippy(shell: &Shell) -> anyhow::Result<()> {
    fresh::rust_components(shell)?;
    fresh::wasm_target(shell)?;
    cmd!(shell, "cargo clippy --quiet --locked --all-targets -- -D warnings").run()?;
    let browser = ["--package", "web", "--package", "worker", "--target", "wasm32-unknown-unknown"];
    Ok(cmd!(shell, "cargo clippy --quiet --locked {browser...} --all-targets -- -D warnings").run()?)
}
