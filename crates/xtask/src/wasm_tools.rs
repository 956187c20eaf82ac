//! wasm-bindgen, its test runner and wasm-pack: compiled once from `crates/xtask/wasm-tools` into `target/tools`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

use crate::workspace;

/// Builds the tools if they are not up to date, and returns the folder that holds them.
pub fn install(shell: &Shell) -> anyhow::Result<PathBuf> {
    let target = workspace::target().join("tools");
    let manifest = "crates/xtask/wasm-tools/Cargo.toml";
    if !target.join("debug").exists() {
        println!("Building wasm-bindgen and wasm-pack, once for all (about two minutes) …");
    }
    cmd!(shell, "cargo build --quiet --locked --manifest-path {manifest} --target-dir {target}").quiet().run()?;
    Ok(target.join("debug"))
}

/// A `PATH` with the folder of the tools before all others.
pub fn first_on_path(tools: &Path) -> anyhow::Result<OsString> {
    let mut folders = vec![tools.to_path_buf()];
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    Ok(std::env::join_paths(folders)?)
}
