//! The core's file in two: what its first minutes run, and the rest, which loads at the first call into it.
//!
//! Most of an API server is there for what somebody might ask. A *trial* ([`trial`]) runs the core in Node through
//! what a visitor sees before touching anything and notes which functions ran; since the core is deterministic, the page
//! will run the same ones. [`divide`] leaves those in the first file. Every other function that they could call becomes
//! a stub there, which has the second file loaded and calls on. Memory, tables and globals are shared, so the two are one
//! program: what is in which file changes nothing but the moment of its download.

mod divide;
mod module;
mod trial;

use std::fs;
use std::path::Path;

use xshell::Shell;

use super::wasm::Compiled;

/// Divides the core's file in place and returns the second one.
pub fn run(shell: &Shell, core: &Compiled) -> anyhow::Result<Vec<u8>> {
    let whole = fs::read(&core.wasm)?;
    let ran = trial::run(shell, core, &whole)?;
    let divided = divide::divide(&whole, &ran)?;
    fs::write(&core.wasm, &divided.first)?;
    Ok(divided.rest)
}

/// Beside the core's file, under another name.
fn beside(core: &Compiled, name: &str) -> std::path::PathBuf {
    core.wasm.parent().unwrap_or(Path::new(".")).join(name)
}
