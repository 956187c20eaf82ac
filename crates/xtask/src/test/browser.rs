//! The page itself, driven in Chromium as a person would.

use std::path::PathBuf;

use xshell::{Shell, cmd};

use crate::serve::Site;
use crate::{build, chromium, npm, workspace};

/// Builds what ships, serves it at the top of a host and under a path, and runs `tests/browser/*.mjs`.
pub fn run(shell: &Shell) -> anyhow::Result<()> {
    let chromium = chromium::install(shell)?;
    npm::install(shell, "tests/browser")?;
    let out = PathBuf::from("dist");
    build::run(&build::Options { dev: false, out: out.clone() })?;
    let serve = |mount: &str| Site { folder: workspace::root().join(&out), mount: mount.to_owned() }.spawn();
    let tests = test_files()?;
    cmd!(shell, "node --test --test-concurrency=1 --test-reporter=spec {tests...}")
        .env("TABERNETES_URL", serve("/")?)
        .env("TABERNETES_SUBPATH_URL", serve("/some/where/else/")?)
        .env("CHROMIUM", chromium.browser)
        .run()?;
    Ok(())
}

fn test_files() -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for file in std::fs::read_dir(workspace::root().join("tests/browser"))? {
        files.push(file?.path());
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "mjs"));
    files.sort();
    Ok(files)
}
