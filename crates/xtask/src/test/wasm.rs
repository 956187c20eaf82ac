//! The tests that run as WebAssembly in a headless Chromium.

use anyhow::{Context as _, bail};
use xshell::{Shell, cmd};

use super::native;
use crate::workspace::{self, Package};
use crate::{chromium, fresh, wasm_tools};

/// Its browser test compares with a native run: the suite `parity` prepares that.
const PARITY: &str = "bench";

/// The seeds that `crates/bench/tests/parity.rs` plays through too.
const SEEDS: [u64; 3] = [1, 2, 3];

/// `wasm-pack test` for every package that has such tests, which its dependencies tell.
pub fn units(shell: &Shell) -> anyhow::Result<()> {
    let has_tests = |package: &Package| package.dependencies.iter().any(|needed| needed.name == "wasm-bindgen-test");
    let mut packages = workspace::packages()?;
    packages.retain(|package| package.name != PARITY && has_tests(package));
    if packages.is_empty() {
        println!("no package has tests of its own for the browser");
    }
    packages.iter().try_for_each(|package| wasm_pack_test(shell, package))
}

/// The same seeds leave the same traces natively and in the browser.
pub fn parity(shell: &Shell) -> anyhow::Result<()> {
    let Some(package) = workspace::packages()?.into_iter().find(|package| package.name == PARITY) else {
        bail!("the package {PARITY} is gone");
    };
    native::build(shell)?;
    let native = SEEDS.map(|seed| native_hash(shell, seed)).into_iter().collect::<anyhow::Result<Vec<_>>>()?;

    let _for_the_test = shell.push_env("NATIVE_HASHES", native.join(" "));
    wasm_pack_test(shell, &package)
}

fn native_hash(shell: &Shell, seed: u64) -> anyhow::Result<String> {
    let seed = format!("seed={seed}");
    let bench = workspace::target().join("debug").join(PARITY).with_extension(std::env::consts::EXE_EXTENSION);
    let line = cmd!(shell, "{bench} trace {seed}").quiet().read()?;
    println!("{line}");
    let hash = line.split_whitespace().find_map(|word| word.strip_prefix("hash="));
    Ok(hash.context("the line of a trace names its hash")?.to_owned())
}

fn wasm_pack_test(shell: &Shell, package: &Package) -> anyhow::Result<()> {
    fresh::wasm_target(shell)?;
    let driver = chromium::install(shell)?.driver;
    let tools = wasm_tools::install(shell)?;
    let wasm_pack = tools.join("wasm-pack");
    let _in_package = shell.push_dir(&package.folder);
    let _with_tools = shell.push_env("PATH", wasm_tools::first_on_path(&tools)?);
    let _quiet_browser =
        shell.push_env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", workspace::root().join("crates/xtask/webdriver.json"));
    // A failed test is no error of the tools: where in them it came up helps nobody.
    let _no_backtrace = shell.push_env("RUST_BACKTRACE", "0");
    let how = ["--headless", "--chrome", "--mode", "no-install"];
    Ok(cmd!(shell, "{wasm_pack} test {how...} --chromedriver {driver} -- --locked").run()?)
}
