//! The npm packages of a folder, installed when its lock file has changed.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use xshell::{Shell, cmd};

use crate::fresh;

/// Runs `npm ci` in `folder` unless what its lock file says is installed already.
pub fn install(shell: &Shell, folder: &str) -> anyhow::Result<()> {
    fresh::node(shell)?;
    let _in_folder = shell.push_dir(folder);
    let here = shell.current_dir();
    let lock = fs::read(here.join("package-lock.json")).with_context(|| format!("{folder}/package-lock.json"))?;
    let installed = here.join("node_modules/.installed-lock.json");
    if fs::read(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    cmd!(shell, "npm ci --no-audit --no-fund --loglevel=error").run()?;
    fs::create_dir_all(here.join("node_modules"))?;
    Ok(fs::write(installed, lock)?)
}

/// The path of a program that a package of `folder` ships.
pub fn program(folder: &str, name: &str) -> std::path::PathBuf {
    let name = if cfg!(windows) { format!("{name}.cmd") } else { name.to_owned() };
    Path::new(&crate::workspace::root()).join(folder).join("node_modules/.bin").join(name)
}
