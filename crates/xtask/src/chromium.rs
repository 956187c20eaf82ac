//! The browser of the tests: a system Chromium with its driver, installed by apt where that is possible.

use std::path::PathBuf;

use anyhow::Context as _;
use xshell::Shell;

use crate::fresh;

pub struct Chromium {
    pub browser: PathBuf,
    pub driver: PathBuf,
}

/// Finds Chromium and chromedriver, or installs them. `CHROMIUM` and `CHROMEDRIVER` name others.
pub fn install(shell: &Shell) -> anyhow::Result<Chromium> {
    if let Some(found) = find() {
        return Ok(found);
    }
    println!("Installing Chromium for the browser tests …");
    fresh::apt_install(shell, &["chromium", "chromium-driver"])
        .and_then(|()| find().context("still not found"))
        .context(
            "the browser tests need Chromium (or Chrome) and its chromedriver on the PATH, \
         or CHROMIUM and CHROMEDRIVER naming them",
        )
}

fn find() -> Option<Chromium> {
    let browser = program("CHROMIUM", &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])?;
    Some(Chromium { browser, driver: program("CHROMEDRIVER", &["chromedriver"])? })
}

fn program(variable: &str, names: &[&str]) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(variable) {
        return Some(PathBuf::from(named));
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|program| program.is_file())
}
