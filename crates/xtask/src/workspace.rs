//! Where things lie in the repository, and what cargo says of its packages.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;
use xshell::{Shell, cmd};

/// The repository's top folder.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.ancestors().nth(2).expect("xtask lies two folders below the top").to_path_buf()
}

/// Cargo's target folder, which the environment or cargo's configuration may have moved.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// A shell in the top folder.
pub fn shell() -> anyhow::Result<Shell> {
    let shell = Shell::new()?;
    shell.change_dir(root());
    Ok(shell)
}

/// The version all packages share.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One package of the workspace and what it depends on.
pub struct Package {
    pub name: String,
    pub folder: PathBuf,
    pub dependencies: Vec<Dependency>,
}

pub struct Dependency {
    pub name: String,
    /// Needed by tests, examples and benchmarks alone.
    pub only_for_tests: bool,
}

/// The workspace's own packages, in cargo's order.
pub fn packages() -> anyhow::Result<Vec<Package>> {
    let shell = shell()?;
    let text = cmd!(shell, "cargo metadata --format-version 1 --no-deps").quiet().read()?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata")?;
    list(&metadata["packages"]).iter().map(package).collect()
}

fn package(package: &Value) -> anyhow::Result<Package> {
    let manifest = PathBuf::from(text(&package["manifest_path"])?);
    let dependencies = list(&package["dependencies"]).iter().map(|dependency| {
        let name = text(&dependency["name"])?;
        Ok(Dependency { name, only_for_tests: dependency["kind"] == "dev" })
    });
    Ok(Package {
        name: text(&package["name"])?,
        folder: manifest.parent().context("a manifest lies in a folder")?.to_path_buf(),
        dependencies: dependencies.collect::<anyhow::Result<_>>()?,
    })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> anyhow::Result<String> {
    Ok(value.as_str().context("cargo metadata: expected a text")?.to_owned())
}
