//! What a fresh machine lacks: installed where that can be done without asking, named clearly where not.

use anyhow::{Context as _, bail};
use xshell::{Shell, cmd};

/// The oldest major version of Node.js that the page's tools run on.
const NODE_MIN: u32 = 20;

/// The compiler's WebAssembly target. A machine without rustup must bring it along.
pub fn wasm_target(shell: &Shell) -> anyhow::Result<()> {
    let libraries = cmd!(shell, "rustc --print target-libdir --target wasm32-unknown-unknown").quiet().ignore_stderr();
    if libraries.read().is_ok_and(|folder| shell.path_exists(folder)) {
        return Ok(());
    }
    cmd!(shell, "rustup target add wasm32-unknown-unknown")
        .run()
        .context("the Rust target wasm32-unknown-unknown is missing, and rustup could not add it")
}

/// rustfmt and clippy.
pub fn rust_components(shell: &Shell) -> anyhow::Result<()> {
    let there =
        |tool: &str| cmd!(shell, "cargo {tool} --version").quiet().ignore_stdout().ignore_stderr().run().is_ok();
    if there("fmt") && there("clippy") {
        return Ok(());
    }
    cmd!(shell, "rustup component add rustfmt clippy")
        .run()
        .context("rustfmt or clippy is missing, and rustup could not add it")
}

/// Node and npm, which bundle the page's scripts and drive its tests.
pub fn node(shell: &Shell) -> anyhow::Result<()> {
    if !is_program(shell, "node") || !is_program(shell, "npm") {
        apt_install(shell, &["nodejs", "npm"])
            .with_context(|| format!("Node.js {NODE_MIN} or newer with npm is needed: please install it"))?;
    }
    let version = cmd!(shell, "node --version").quiet().read()?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    if major.is_none_or(|major: u32| major < NODE_MIN) {
        bail!("Node.js {NODE_MIN} or newer is needed, and this is {version}: please install a newer one");
    }
    Ok(())
}

/// Installs Debian packages as root or by a `sudo` that asks for no password.
pub fn apt_install(shell: &Shell, packages: &[&str]) -> anyhow::Result<()> {
    if !is_program(shell, "apt-get") {
        bail!("{} cannot be installed here: there is no apt-get", packages.join(" and "));
    }
    let user = cmd!(shell, "id -u").quiet().read()?;
    let sudo: &[&str] = if user == "0" { &[] } else { &["sudo", "--non-interactive"] };
    shell.set_var("DEBIAN_FRONTEND", "noninteractive");
    let apt = |arguments: &[&str]| {
        let line: Vec<&str> = sudo.iter().chain(&["apt-get"]).chain(arguments).copied().collect();
        let (program, rest) = line.split_first().expect("the line names at least apt-get");
        cmd!(shell, "{program} {rest...}").ignore_stdout().run()
    };
    // An old package list is no reason to give up: the installation says what is wrong, if anything is.
    if apt(&["update", "--quiet"]).is_err() {
        eprintln!("apt-get update failed; trying the package lists as they are");
    }
    let mut install = vec!["install", "--quiet", "--yes", "--no-install-recommends"];
    install.extend(packages);
    Ok(apt(&install)?)
}

/// Whether a program of that name is on the `PATH`.
pub fn is_program(shell: &Shell, name: &str) -> bool {
    let path = shell.var_os("PATH").unwrap_or_default();
    let name = if cfg!(windows) { format!("{name}.exe") } else { name.to_owned() };
    std::env::split_paths(&path).any(|folder| folder.join(&name).is_file())
}
