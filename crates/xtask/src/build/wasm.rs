//! The two WebAssembly files: cargo compiles them, wasm-bindgen writes their JavaScript.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use xshell::{Shell, cmd};

use crate::workspace;

/// A compiled package, ready for the bundler.
pub struct Compiled {
    pub package: &'static str,
    pub script: PathBuf,
    pub wasm: PathBuf,
}

/// The packages and the profiles they ship with; cargo names the folders of what it builds after the profiles.
const PACKAGES: [(&str, &str); 2] = [("web", "page"), ("worker", "wasm")];

pub fn compile(shell: &Shell, tools: &Path, dev: bool) -> anyhow::Result<Vec<Compiled>> {
    let target = "wasm32-unknown-unknown";
    let paths = hidden_paths()?;
    // What ships holds no path of the machine that built it; a build for one's own eyes shares its cache with
    // `wasm-pack test`.
    let hide_paths: &[&str] = if dev { &[] } else { &["--config", &paths] };
    let build = |shell: &Shell, packages: &[&str], profile: &str| {
        let packages = packages.iter().flat_map(|package| ["--package", package]);
        cmd!(shell, "cargo build {packages...} --target {target} --profile {profile} {hide_paths...}").quiet().run()
    };
    if dev {
        build(shell, &PACKAGES.map(|(package, _)| package), "dev")?;
    } else {
        // Most of the time is each one's link-time optimisation, which keeps one processor busy.
        let build = |(package, profile)| anyhow::Ok(build(&workspace::shell()?, &[package], profile)?);
        std::thread::scope(|scope| {
            let builds = PACKAGES.map(|unit| scope.spawn(move || build(unit)));
            builds.into_iter().try_for_each(|build| build.join().expect("a build does not panic"))
        })?;
    }
    let built = workspace::target().join(target);
    let bind = |(package, profile)| bind(shell, tools, &built.join(if dev { "debug" } else { profile }), package, dev);
    PACKAGES.into_iter().map(bind).collect()
}

/// The one that runs in the worker.
pub fn core(compiled: &[Compiled]) -> anyhow::Result<&Compiled> {
    compiled.iter().find(|unit| unit.package == "worker").context("the core is not among what was compiled")
}

fn bind(shell: &Shell, tools: &Path, built: &Path, package: &'static str, dev: bool) -> anyhow::Result<Compiled> {
    let input = built.join(format!("{package}.wasm"));
    let out = built.join("bound").join(package);
    shell.remove_path(&out)?;
    let wasm_bindgen = tools.join("wasm-bindgen");
    // The names of functions are an eighth of what is transferred; panics name their file and line without them.
    let names: &[&str] = if dev { &["--keep-debug"] } else { &["--remove-name-section", "--remove-producers-section"] };
    cmd!(shell, "{wasm_bindgen} {input} --target web --no-typescript --out-dir {out} --out-name {package} {names...}")
        .quiet()
        .run()?;
    let script = out.join(format!("{package}.js"));
    Ok(Compiled { package, script, wasm: out.join(format!("{package}_bg.wasm")) })
}

/// A cargo setting that shortens the source paths which panics carry: smaller, and the same on every machine.
fn hidden_paths() -> anyhow::Result<String> {
    let home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => std::env::home_dir().unwrap_or_default().join(".cargo"),
    };
    let flag = |from: &Path, to: &str| format!("'--remap-path-prefix={}={to}'", from.display());
    let flags = [flag(&home.join("registry/src"), "crates"), flag(&workspace::root(), ".")];
    Ok(format!("target.wasm32-unknown-unknown.rustflags=[{}]", flags.join(",")))
}
