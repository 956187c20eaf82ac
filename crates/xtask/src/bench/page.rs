//! The page in a real Chromium: what it transfers, how soon the cluster is drawn, how evenly it draws.

use std::path::PathBuf;

use xshell::{Shell, cmd};

use crate::serve::Site;
use crate::{build, chromium, npm, workspace};

pub fn run(shell: &Shell) -> anyhow::Result<()> {
    let chromium = chromium::install(shell)?;
    npm::install(shell, "tests/browser")?;
    let out = PathBuf::from("dist");
    build::run(&build::Options { dev: false, out: out.clone() })?;
    let url = Site { folder: workspace::root().join(out), mount: "/".to_owned() }.spawn()?;
    cmd!(shell, "node tests/browser/support/bench.mjs")
        .env("TABERNETES_URL", url)
        .env("CHROMIUM", chromium.browser)
        .quiet()
        .run()?;
    Ok(())
}
