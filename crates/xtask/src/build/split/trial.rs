//! The trial: which functions a visitor's first minutes run.

use std::fs;

use anyhow::Context as _;
use wasm_encoder::{ExportKind, Instruction};
use xshell::{Shell, cmd};

use super::module::{Parts, Renumber, Rewrite};
use crate::build::wasm::Compiled;

/// Plays the first minutes through and tells of every function that is not imported whether it ran.
pub fn run(shell: &Shell, core: &Compiled, whole: &[u8]) -> anyhow::Result<Vec<bool>> {
    let parts = Parts::read(whole)?;
    let watched = super::beside(core, "watched.wasm");
    fs::write(&watched, watch(&parts)?)?;
    let script = &core.script;
    let answer = cmd!(shell, "node crates/xtask/src/build/split/trial.mjs {script} {watched}").quiet().read()?;
    let ran: Vec<bool> = answer.chars().map(|mark| mark == '1').collect();
    anyhow::ensure!(ran.len() == parts.bodies.len(), "the trial tells of {} functions", ran.len());
    Ok(ran)
}

/// The same program with a variable for each function, which the function sets when it begins. Function number 7 shows
/// JavaScript its variable as `ran7`.
fn watch(parts: &Parts) -> anyhow::Result<Vec<u8>> {
    let mut renumber = Renumber::nothing(parts.function_types.len());
    let first = parts.globals.count();
    let mut functions = Vec::new();
    let mut added_exports = Vec::new();
    for (number, body) in parts.bodies.iter().enumerate() {
        let of = parts.function_types[number + parts.imported_functions as usize];
        let variable = first + u32::try_from(number).context("too many functions")?;
        let mark = [Instruction::I32Const(1), Instruction::GlobalSet(variable)];
        functions.push((of, renumber.function(body, &mark)?));
        added_exports.push((format!("ran{number}"), ExportKind::Global, variable));
    }
    let added_globals = u32::try_from(functions.len())?;
    Rewrite { renumber, functions, added_type: None, added_globals, added_exports, added_slots: 0 }.write(parts)
}
